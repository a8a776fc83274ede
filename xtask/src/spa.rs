//! The standalone page: `dist/spa/`, made by Trunk from `index.html` and `Trunk.toml`.

use std::path::PathBuf;

use anyhow::Result;

use crate::process::{cargo, must_run, say};
use crate::tools::{Tool, Toolbox, ensure_wasm_target};
use crate::{precompress, repo};

/// Where the result is.
pub(crate) fn folder() -> PathBuf {
    repo::dist().join("spa")
}

/// Builds `dist/spa/`.
///
/// # Errors
/// When a tool is missing and cannot be installed, or Trunk fails.
pub(crate) fn build(tools: &Toolbox) -> Result<()> {
    ensure_wasm_target()?;
    tools.ensure(&[Tool::WasmBindgen, Tool::WasmOpt, Tool::Trunk])?;
    let _lock = repo::lock_dist()?;
    // Offline, Trunk takes its tools from the PATH and downloads none; it then keeps cargo offline too.
    must_run(cargo().args(["fetch", "--quiet"]))?;
    say("building the standalone page");
    if folder().exists() {
        std::fs::remove_dir_all(folder())?;
    }
    must_run(tools.command(Tool::Trunk).args(["build", "--release", "--offline", "--dist"]).arg(folder()))?;
    precompress::folder(&folder())
}
