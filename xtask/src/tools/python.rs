//! Tools from the Python registry, each in an environment of its own.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::packages;
use crate::process::{must_run, program};
use crate::repo;

/// What is installed: every package with its version.
pub(super) fn requirements() -> PathBuf {
    repo::root().join("xtask/python/requirements.txt")
}

/// Makes an environment in `home` and installs into it.
///
/// # Errors
/// When there is no Python and it cannot be had, or the registry cannot be reached.
pub(super) fn install(home: &Path) -> Result<()> {
    packages::ensure(&["python3", "python3-venv"], "the API campaign needs Python 3 with venv", present)?;
    must_run(program("python3").args(["-m", "venv", "--clear"]).arg(home))?;
    must_run(
        program(home.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(requirements()),
    )
}

/// Debian ships the two halves of `venv` apart from each other.
fn present() -> bool {
    program("python3")
        .args(["-c", "import venv, ensurepip"])
        .output()
        .is_ok_and(|output| output.status.success())
}
