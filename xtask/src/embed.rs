//! The embedded widget: `dist/embed/`.
//!
//! cargo (`wasm-release`) → wasm-bindgen → wasm-opt → the hand-written parts beside it → names by content, which the loader
//! learns → hashes for `integrity` attributes → compressed copies → what is kept of the release before. Merchants link
//! `upsell.js`, `checkout.js` and `upsell.d.ts`, so those names may never change; everything else is named by content.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use sha2::{Digest as _, Sha256, Sha384};

use crate::process::{cargo, must_run, say};
use crate::tools::{Tool, Toolbox, ensure_wasm_target};
use crate::{naming, precompress, repo};

/// A bin an element, named in Cargo.toml. The loader imports `upsell_offer.js` and hands it `upsell_offer_bg.wasm`.
const BINS: [&str; 2] = ["offer", "plans"];
/// What every page loads. It names all other parts.
pub(crate) const LOADER: &str = "upsell.js";
/// What the loader loads when there is something to show or to redeem, besides the modules.
const PARTS: [&str; 2] = ["element.js", "checkout.js"];
/// What merchants link or import themselves, besides the loader. The names stay; `checkout.js` is a part as well.
const LINKED: [&str; 2] = ["checkout.js", "upsell.d.ts"];
/// The hash of each file of this release.
pub(crate) const INTEGRITY: &str = "sri.json";

/// Where the result is.
pub(crate) fn folder() -> PathBuf {
    repo::dist().join("embed")
}

/// Builds `dist/embed/`, and keeps what the release before in `previous` has by content.
///
/// # Errors
/// When a tool is missing and cannot be installed, or one of them fails.
pub(crate) fn build(tools: &Toolbox, previous: Option<&Path>) -> Result<()> {
    ensure_wasm_target()?;
    tools.ensure(&[Tool::WasmBindgen, Tool::WasmOpt])?;
    let _lock = repo::lock_dist()?;
    let target = repo::target()?;
    let work = target.join("xtask").join("embed");

    say("building the embedded widget");
    must_run(
        cargo()
            .args(["build", "--quiet", "--package", "upsell-widget"])
            .args(BINS.iter().flat_map(|bin| ["--bin", bin]))
            .args(["--target", "wasm32-unknown-unknown", "--profile", "wasm-release"]),
    )?;

    // Assembled aside and moved into place, so that a proxy that serves the folder never sees half of it.
    let staging = work.join("staging");
    recreate(&staging)?;
    for bin in BINS {
        let compiled = target.join("wasm32-unknown-unknown/wasm-release").join(format!("{bin}.wasm"));
        add_module(tools, bin, &compiled, &work.join(bin), &staging)?;
    }
    let source = repo::root().join("embed");
    for part in PARTS {
        copy(&source.join(part), &staging)?;
    }
    name_parts(&staging, &std::fs::read_to_string(source.join(LOADER))?)?;
    for file in LINKED {
        copy(&source.join(file), &staging)?;
    }
    write_integrity(&staging)?;
    precompress::folder(&staging)?;
    if let Some(previous) = previous {
        naming::keep(&previous.join("embed"), INTEGRITY, &staging)?;
    }
    std::fs::create_dir_all(repo::dist())?;
    if folder().exists() {
        std::fs::remove_dir_all(folder())?;
    }
    std::fs::rename(&staging, folder())
        .with_context(|| format!("cannot move {} to {}", staging.display(), folder().display()))
}

/// Gives every part its name by content, and writes the loader, which says them.
fn name_parts(staging: &Path, loader: &str) -> Result<()> {
    let mut loader = loader.to_owned();
    let modules = BINS.iter().flat_map(|bin| [format!("upsell_{bin}.js"), format!("upsell_{bin}_bg.wasm")]);
    for part in PARTS.map(str::to_owned).into_iter().chain(modules) {
        loader = naming::rename(staging, &part, "./", &loader)?;
    }
    Ok(std::fs::write(staging.join(LOADER), loader)?)
}

/// The glue and the optimised module of one bin.
fn add_module(tools: &Toolbox, bin: &str, compiled: &Path, work: &Path, staging: &Path) -> Result<()> {
    let bindgen = work.join("bindgen");
    recreate(&bindgen)?;
    let name = format!("upsell_{bin}");
    must_run(
        tools
            .command(Tool::WasmBindgen)
            .arg(compiled)
            .args(["--target", "web", "--no-typescript", "--out-name", &name, "--out-dir"])
            .arg(&bindgen),
    )?;
    let module = format!("{name}_bg.wasm");
    let optimised = optimise(tools, &bindgen.join(&module), work)?;
    copy(&bindgen.join(format!("{name}.js")), staging)?;
    std::fs::copy(&optimised, staging.join(&module))?;
    Ok(())
}

/// Shrinks the module. The result is kept under the hash of its input: wasm-opt takes longer than everything else here.
fn optimise(tools: &Toolbox, module: &Path, work: &Path) -> Result<PathBuf> {
    let bytes = std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let hash = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(&bytes));
    let cache = work.join("optimised");
    let optimised = cache.join(format!("{}-{hash}.wasm", Tool::WasmOpt.version()));
    if !optimised.exists() {
        recreate(&cache)?;
        let unfinished = cache.join("unfinished.wasm");
        // No feature flags: the module says itself which features it uses. With `--all-features` wasm-opt writes
        // encodings that browsers do not read yet.
        must_run(tools.command(Tool::WasmOpt).arg("-Oz").arg(module).arg("--output").arg(&unfinished))?;
        std::fs::rename(&unfinished, &optimised)?;
    }
    Ok(optimised)
}

/// Writes `sri.json`: what to put into `integrity` attributes, a hash a file.
fn write_integrity(folder: &Path) -> Result<()> {
    let mut hashes = serde_json::Map::new();
    let mut files: Vec<_> = std::fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    files.sort_by_key(std::fs::DirEntry::file_name);
    for file in files {
        let path = file.path();
        if path.extension().is_some_and(|e| e == "js" || e == "wasm") {
            let name = file.file_name().to_string_lossy().into_owned();
            hashes.insert(name, integrity(&std::fs::read(&path)?).into());
        }
    }
    let mut text = serde_json::to_string_pretty(&hashes)?;
    text.push('\n');
    Ok(std::fs::write(folder.join(INTEGRITY), text)?)
}

/// A subresource-integrity value (W3C SRI): `sha384-` and the hash in base64.
fn integrity(bytes: &[u8]) -> String {
    format!("sha384-{}", base64::engine::general_purpose::STANDARD.encode(Sha384::digest(bytes)))
}

fn recreate(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

fn copy(file: &Path, folder: &Path) -> Result<()> {
    let name = file.file_name().with_context(|| format!("{} has no name", file.display()))?;
    std::fs::copy(file, folder.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrity_is_what_browsers_compute() {
        // The empty file's hash, from the SHA-2 standard's test values.
        assert_eq!(integrity(b""), "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb");
    }

    #[test]
    fn hashes_are_of_scripts_and_modules_only() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["upsell.js", "upsell.js.br", "upsell.d.ts", "m.wasm"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        write_integrity(dir.path()).unwrap();
        let written = std::fs::read_to_string(dir.path().join("sri.json")).unwrap();
        let hashes: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&written).unwrap();
        assert_eq!(hashes.keys().collect::<Vec<_>>(), ["m.wasm", "upsell.js"]);
        assert_eq!(hashes["m.wasm"], integrity(b"m.wasm"));
    }
}
