//! Tools from the crate registry, compiled here.

use std::path::Path;

use anyhow::Result;

use crate::process::{cargo, must_run};

/// `cargo install` into `home`. Dependencies that several tools share are compiled once, under `root`.
///
/// # Errors
/// When it does not compile or the registry cannot be reached.
pub(super) fn install(package: &str, version: &str, locked: bool, home: &Path, root: &Path) -> Result<()> {
    let build = root.join("build");
    let mut command = cargo();
    command.args(["install", "--quiet", package, "--version", version, "--root"]).arg(home);
    // A half-installed copy is no reason to refuse.
    command.arg("--force");
    if locked {
        command.arg("--locked");
    }
    // These tools run for seconds and compile for minutes: compile fast rather than well.
    command
        .env("CARGO_TARGET_DIR", &build)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    must_run(&mut command)
}
