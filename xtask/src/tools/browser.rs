//! Chromium and ChromeDriver, from the system's packages: the two always fit each other there.

use anyhow::{Result, bail};

use super::on_path;
use crate::process::{must_run, program, read, say};

/// Chromium and its driver. On Debian and its kin, as root, they are installed; anywhere else the error says what to do.
///
/// # Errors
/// When they are missing and cannot be installed from here.
pub(crate) fn ensure_browser() -> Result<()> {
    if present() {
        return Ok(());
    }
    if !on_path("apt-get") || !is_root() {
        bail!(
            "the browser tests need `chromium` and `chromedriver` on the PATH; on Debian: \
             `sudo apt-get install chromium chromium-driver`"
        );
    }
    say("installing chromium and chromium-driver");
    must_run(program("apt-get").args(["update", "-q"]))?;
    must_run(
        program("apt-get")
            .args(["install", "-q", "-y", "--no-install-recommends", "chromium", "chromium-driver"])
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    if !present() {
        bail!("apt-get installed chromium and chromium-driver, and they are still not on the PATH");
    }
    Ok(())
}

fn present() -> bool {
    on_path("chromium") && on_path("chromedriver")
}

fn is_root() -> bool {
    read(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
