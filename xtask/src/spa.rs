//! The standalone page: `dist/spa/`, made by Trunk from `index.html` and `Trunk.toml`.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process::{cargo, must_run, say};
use crate::tools::{Tool, Toolbox, ensure_wasm_target};
use crate::{naming, precompress, repo};

/// The page. It names all other files, and is asked for anew each time.
const PAGE: &str = "index.html";
/// Where the proxy serves them (`public_url` in Trunk.toml).
const PREFIX: &str = "/upgrade/";

/// Where the result is.
pub(crate) fn folder() -> PathBuf {
    repo::dist().join("spa")
}

/// Builds `dist/spa/`, and keeps what the release before in `previous` has by content.
///
/// # Errors
/// When a tool is missing and cannot be installed, or Trunk fails.
pub(crate) fn build(tools: &Toolbox, previous: Option<&Path>) -> Result<()> {
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
    name_parts(&folder())?;
    precompress::folder(&folder())?;
    match previous {
        Some(previous) => naming::keep(&previous.join("spa"), PAGE, &folder()),
        None => Ok(()),
    }
}

/// Gives every file but the page its name by content, and writes the page, which says them.
fn name_parts(folder: &Path) -> Result<()> {
    let mut page = std::fs::read_to_string(folder.join(PAGE))?;
    let mut names: Vec<String> = std::fs::read_dir(folder)?
        .map(|file| Ok(file?.file_name().to_string_lossy().into_owned()))
        .collect::<std::io::Result<_>>()?;
    names.retain(|name| name != PAGE);
    names.sort();
    for name in names {
        page = naming::rename(folder, &name, PREFIX, &page)?;
    }
    Ok(std::fs::write(folder.join(PAGE), page)?)
}
