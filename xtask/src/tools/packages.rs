//! What comes from the system's packages.

use anyhow::{Result, bail};

use super::on_path;
use crate::process::{must_run, program, read, say};

/// Makes sure of `packages` of Debian: as root they are installed, anywhere else the error says what to do. `present`
/// tells whether that is needed, and whether it helped; `needed_for` begins the error.
///
/// # Errors
/// When they are missing and cannot be installed from here.
pub(super) fn ensure(packages: &[&str], needed_for: &str, present: fn() -> bool) -> Result<()> {
    if present() {
        return Ok(());
    }
    let names = packages.join(" ");
    if !on_path("apt-get") || !is_root() {
        bail!("{needed_for}; on Debian: `sudo apt-get install {names}`");
    }
    say(&format!("installing {names}"));
    must_run(program("apt-get").args(["update", "-q"]))?;
    must_run(
        program("apt-get")
            .args(["install", "-q", "-y", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    if !present() {
        bail!("apt-get installed {names}, and what they bring is still not to be found");
    }
    Ok(())
}

fn is_root() -> bool {
    read(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
