//! Names by content: `element.js` is served as `element.1f0c2a….js`. Such a file never changes, so browsers and CDNs keep
//! it for ever, and parts of two releases are never taken for each other.
//!
//! The proxy recognises a name by the same rule (`crates/proxy/src/http/files.rs`).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

/// Characters of the hash in a name: 64 bits.
const HASH: usize = 16;

/// Returns the name of a file with this content: the first 16 hexadecimal digits of its SHA-256 before the extension.
///
/// # Errors
/// When `name` has no extension.
pub(crate) fn by_content(name: &str, content: &[u8]) -> Result<String> {
    let (stem, extension) = name.rsplit_once('.').with_context(|| format!("{name} has no extension"))?;
    let hash: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{stem}.{}.{extension}", &hash[..HASH]))
}

/// Whether a name says that it is one by content. `.br` and `.gz` copies go with their file.
pub(crate) fn is_by_content(name: &str) -> bool {
    let name = name.strip_suffix(".br").or_else(|| name.strip_suffix(".gz")).unwrap_or(name);
    let hash = name.rsplit_once('.').and_then(|(rest, _)| rest.rsplit_once('.')).map(|(_, hash)| hash);
    let is_hash =
        |hash: &str| hash.len() == HASH && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    hash.is_some_and(is_hash)
}

/// Gives a file of `folder` its name by content, and puts that name in the place of `"{prefix}{name}"` in `text`.
///
/// # Errors
/// When the text does not name the file: nothing would load it.
pub(crate) fn rename(folder: &Path, name: &str, prefix: &str, text: &str) -> Result<String> {
    let path = folder.join(name);
    let content = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let new = by_content(name, &content)?;
    std::fs::rename(&path, folder.join(&new))?;
    let (old, new) = (format!("\"{prefix}{name}\""), format!("\"{prefix}{new}\""));
    if !text.contains(&old) {
        bail!("nothing loads {old}");
    }
    Ok(text.replace(&old, &new))
}

/// Copies what the release before had by content, so that a page which has loaded the first part of it still gets the rest.
/// Of the files in `previous` only those named in its `list` are its own: what it kept of a release before is not kept
/// again.
///
/// # Errors
/// When there is no such release, or a file cannot be copied.
pub(crate) fn keep(previous: &Path, list: &str, folder: &Path) -> Result<()> {
    let list = previous.join(list);
    let own = std::fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    for path in files(previous)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let plain = name.strip_suffix(".br").or_else(|| name.strip_suffix(".gz")).unwrap_or(&name);
        if is_by_content(&name) && own.contains(plain) {
            std::fs::copy(&path, folder.join(&name))
                .with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}

/// The files of a folder, not of the folders in it, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_changes_with_the_content() {
        // The empty text's hash, from the SHA-2 standard's test values.
        let name = by_content("upsell_offer_bg.wasm", b"").unwrap();
        assert_eq!(name, "upsell_offer_bg.e3b0c44298fc1c14.wasm");
        assert_ne!(by_content("a.js", b"1").unwrap(), by_content("a.js", b"2").unwrap());
        for (name, is) in [
            (name.as_str(), true),
            ("a.e3b0c44298fc1c14.js.br", true),
            ("upsell.js", false),
            ("upsell.d.ts", false),
            ("a.e3b0c44298fc1c1.js", false),
            ("a.E3B0C44298FC1C14.js", false),
            ("e3b0c44298fc1c14", false),
        ] {
            assert_eq!(is_by_content(name), is, "{name}");
        }
    }

    #[test]
    fn the_text_that_loads_a_file_learns_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let renamed = |text: &str| {
            std::fs::write(dir.path().join("a.js"), "").unwrap();
            rename(dir.path(), "a.js", "./", text)
        };
        assert_eq!(renamed(r#"import("./a.js")"#).unwrap(), r#"import("./a.e3b0c44298fc1c14.js")"#);
        assert!(dir.path().join("a.e3b0c44298fc1c14.js").exists());
        assert!(renamed("import('./a.js')").is_err());
    }

    #[test]
    fn one_release_before_is_kept_and_no_more() {
        let (first, second, third) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let write =
            |dir: &tempfile::TempDir, name: &str| std::fs::write(dir.path().join(name), name).unwrap();
        for (dir, own) in [(&first, "a.0000000000000001.js"), (&second, "a.0000000000000002.js")] {
            for name in [own, &format!("{own}.br"), "upsell.js"] {
                write(dir, name);
            }
            std::fs::write(dir.path().join("sri.json"), format!("{{\"{own}\": \"\"}}")).unwrap();
        }
        keep(first.path(), "sri.json", second.path()).unwrap();
        keep(second.path(), "sri.json", third.path()).unwrap();
        let names = |dir: &tempfile::TempDir| {
            let names = files(dir.path()).unwrap().into_iter();
            names.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&second).len(), 6);
        assert_eq!(names(&third), ["a.0000000000000002.js", "a.0000000000000002.js.br"]);
        assert!(keep(&first.path().join("none"), "sri.json", third.path()).is_err());
    }
}
