//! Where things are: the repository, cargo's target folder, `dist/`.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use cargo_metadata::{Metadata, MetadataCommand};

/// The repository's root: the folder above this package.
pub(crate) fn root() -> PathBuf {
    // `cargo run` says where the package is today; the compiled-in path is for a binary that is started by itself.
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// Release artefacts.
pub(crate) fn dist() -> PathBuf {
    root().join("dist")
}

/// Workspace members and where cargo builds them; no dependencies, so no network.
pub(crate) fn metadata() -> Result<Metadata> {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata failed")
}

/// Cargo's target folder, wherever the user has put it.
pub(crate) fn target() -> Result<PathBuf> {
    Ok(metadata()?.target_directory.into_std_path_buf())
}

/// Waits until no other build of this repository writes to `dist/`, and keeps others waiting until it is dropped.
pub(crate) fn lock_dist() -> Result<File> {
    let folder = target()?.join("xtask");
    std::fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock")).context("cannot create the lock file")?;
    if lock.try_lock().is_err() {
        crate::process::say("waiting for another build of dist/");
        lock.lock().context("cannot lock dist/")?;
    }
    Ok(lock)
}
