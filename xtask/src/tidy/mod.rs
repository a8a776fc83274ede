//! What a program can check of the contribution rules. Each check is a pure function over names and text, so that its
//! tests can show that it fails.

mod dependencies;
mod docs;
mod manifests;
mod sources;
mod styles;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::process::{cargo, program, read};
use crate::repo;

/// A text file of the repository.
pub(crate) struct File {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

/// Runs every check and prints what is wrong, a line each.
///
/// # Errors
/// When anything is wrong.
pub(crate) fn run() -> Result<()> {
    let files = text_files()?;
    let mut wrong = dependencies::check(&dependencies::edges(&repo::metadata()?));
    wrong.extend(dependencies::impure(&what_the_core_needs()?));
    for file in &files {
        wrong.extend(sources::check(file));
        wrong.extend(styles::check(file));
        wrong.extend(manifests::check(file));
        wrong.extend(docs::check(file, &|path| repo::root().join(path).exists()));
    }
    if wrong.is_empty() {
        println!("tidy: {} files, nothing wrong", files.len());
        return Ok(());
    }
    for line in &wrong {
        eprintln!("{line}");
    }
    bail!("tidy: {} wrong", wrong.len())
}

/// Every package below the crate that decides, a line each.
fn what_the_core_needs() -> Result<String> {
    let mut tree = cargo();
    tree.args(["tree", "--package", "upsell-core", "--edges", "normal", "--prefix", "none"]);
    read(&mut tree).context("tidy asks cargo what is below upsell-core")
}

/// Every text file that git knows or would add.
fn text_files() -> Result<Vec<File>> {
    let root = repo::root();
    let listed = read(program("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))
        .context("tidy reads the list of files from git")?;
    let mut files = Vec::new();
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        if let Some(text) = text_of(&root.join(path))? {
            files.push(File { path: path.to_owned(), text });
        }
    }
    if files.is_empty() {
        bail!("git lists no files in {}", root.display());
    }
    Ok(files)
}

/// `None` for what is not text, and for what is listed and deleted.
fn text_of(path: &PathBuf) -> Result<Option<String>> {
    if !Path::is_file(path) {
        return Ok(None);
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(String::from_utf8(bytes).ok())
}
