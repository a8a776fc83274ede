//! Release artefacts: `dist/embed/`, `dist/spa/`, `dist/upsell-proxy`, and how large the first is.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::process::{cargo, must_run, say};
use crate::sizes::Sizes;
use crate::tools::Toolbox;
use crate::{embed, repo, spa};

/// Builds everything, beside what is kept of the release before, prints the size table, writes `dist/sizes.json`.
///
/// # Errors
/// When a build fails, or a path is over its ceiling.
pub(crate) fn run(previous: Option<&Path>) -> Result<()> {
    let tools = Toolbox::new()?;
    embed::build(&tools, previous)?;
    spa::build(&tools, previous)?;
    proxy()?;

    let sizes = Sizes::measure(&embed::folder())?;
    let mut json = serde_json::to_string(&sizes)?;
    json.push('\n');
    std::fs::write(repo::dist().join("sizes.json"), json)?;
    println!("\n{}", sizes.table());
    println!("integrity of each file: {}", embed::folder().join("sri.json").display());
    let over = sizes.over_budget();
    if !over.is_empty() {
        bail!("{}", over.join("; "));
    }
    Ok(())
}

/// The proxy, as users run it: one file, with the two folders made before it inside.
fn proxy() -> Result<()> {
    say("building the proxy");
    must_run(cargo().args([
        "build",
        "--quiet",
        "--release",
        "--package",
        "upsell-proxy",
        "--features",
        "embedded-files",
    ]))?;
    let built = repo::target()?.join("release/upsell-proxy");
    let shipped = repo::dist().join("upsell-proxy");
    // A running copy cannot be written over, but it can be unlinked.
    if shipped.exists() {
        std::fs::remove_file(&shipped)?;
    }
    std::fs::copy(&built, &shipped).with_context(|| format!("cannot copy {}", built.display()))?;
    Ok(())
}
