//! Node.js, npm, and what is installed with them.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::process::{must_run, program, read, say};

/// The oldest Node.js that the end-to-end tests run on.
const OLDEST_NODE: u32 = 20;

/// Checks for Node.js and npm. They are not installed from here: every system has its own right way.
///
/// # Errors
/// With the remedy, when they are missing or too old.
pub(crate) fn ensure_node() -> Result<()> {
    let remedy = format!(
        "install Node.js {OLDEST_NODE} or newer with npm (Debian 13: `apt-get install nodejs npm`), then run this again"
    );
    let version = read(program("node").arg("--version")).with_context(|| remedy.clone())?;
    match major(&version) {
        Some(major) if major >= OLDEST_NODE => {}
        _ => bail!("Node.js is {}: {remedy}", version.trim()),
    }
    read(program("npm").arg("--version")).context(remedy)?;
    Ok(())
}

/// `v20.20.2` → 20.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// `npm ci` in a folder of the repository, unless what is installed there is newer than the lockfile.
///
/// # Errors
/// When npm fails.
pub(crate) fn ensure_packages(folder: &Path) -> Result<()> {
    let stamp = |path: &Path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let lock = stamp(&folder.join("package-lock.json"));
    // npm writes this file last.
    let installed = stamp(&folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= lock {
        return Ok(());
    }
    ensure_node()?;
    say(&format!("npm ci in {}", folder.display()));
    must_run(npm_ci().current_dir(folder))
}

/// Installs the packages of a folder of the repository into `home`, outside the repository.
///
/// # Errors
/// When npm fails.
pub(super) fn install(folder: &str, home: &Path) -> Result<()> {
    ensure_node()?;
    std::fs::create_dir_all(home)?;
    for file in ["package.json", "package-lock.json"] {
        let from = crate::repo::root().join(folder).join(file);
        std::fs::copy(&from, home.join(file)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    must_run(npm_ci().current_dir(home))
}

fn npm_ci() -> std::process::Command {
    let mut command = program("npm");
    command.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_the_first_number() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("v8.0.0"), Some(8));
        assert_eq!(major("twenty"), None);
    }
}
