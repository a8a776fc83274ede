//! Browsers and their drivers from the system's packages: a browser and its driver always fit each other there.

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

/// Firefox ESR, which needs no driver.
///
/// # Errors
/// When it is missing and cannot be installed from here.
pub(crate) fn ensure_firefox() -> Result<()> {
    packages::ensure(&["firefox-esr"], "the browser matrix needs `firefox-esr` on the PATH", || {
        on_path("firefox-esr")
    })
}

/// WebKitGTK's small browser with its driver, and a display for it: it has no headless mode.
///
/// # Errors
/// When they are missing and cannot be installed from here.
pub(crate) fn ensure_webkit() -> Result<()> {
    packages::ensure(
        &["webkit2gtk-driver", "xvfb"],
        "the browser matrix needs `WebKitWebDriver` and `Xvfb` on the PATH",
        || on_path("WebKitWebDriver") && on_path("Xvfb"),
    )
}
