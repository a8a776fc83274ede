//! Older versions of Chromium, from the npm package `@sparticuz/chromium`, which carries one compressed.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::node;
use crate::process::{program, read};

/// The npm package. Each of its versions carries one version of Chromium.
pub(super) const PACKAGE: &str = "@sparticuz/chromium";
/// The file that the package unpacks.
pub(super) const PROGRAM: &str = "chromium";

/// Lets the package unpack its browser and prints where.
const UNPACK: &str = "require('@sparticuz/chromium').executablePath().then(console.log)";

/// The folder of the unpacked browser.
pub(super) fn folder(home: &Path) -> PathBuf {
    home.join("browser")
}

/// Installs the package of `from`, a folder of the repository, into `home` and unpacks its browser there.
///
/// # Errors
/// When npm fails, or the package takes a browser that lies in the system's temporary folder instead of its own.
pub(super) fn install(from: &str, home: &Path) -> Result<()> {
    node::install(from, home)?;
    // Unpacked aside and moved into place: a half-unpacked browser is never taken for a whole one.
    let unfinished = home.join("unfinished");
    for stale in [&unfinished, &folder(home)] {
        if stale.exists() {
            std::fs::remove_dir_all(stale).with_context(|| stale.display().to_string())?;
        }
    }
    std::fs::create_dir(&unfinished)?;
    let unpacked = read(program("node").args(["-e", UNPACK]).current_dir(home).env("TMPDIR", &unfinished))?;
    if Path::new(unpacked.trim()) != unfinished.join(PROGRAM) {
        bail!("{PACKAGE} took {} instead of unpacking its own browser; remove that file", unpacked.trim());
    }
    std::fs::rename(&unfinished, folder(home)).context("failed to move the unpacked browser into place")
}
