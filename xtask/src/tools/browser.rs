//! Chromium and ChromeDriver, from the system's packages: the two always fit each other there.

use anyhow::Result;

use super::{on_path, packages};

/// Chromium and its driver.
///
/// # Errors
/// When they are missing and cannot be installed from here.
pub(crate) fn ensure_browser() -> Result<()> {
    packages::ensure(
        &["chromium", "chromium-driver"],
        "the browser tests need `chromium` and `chromedriver` on the PATH",
        || on_path("chromium") && on_path("chromedriver"),
    )
}
