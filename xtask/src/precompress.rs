//! `.br` and `.gz` beside every file worth it, so that a server only has to pick one.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use walkdir::WalkDir;

/// Text and WebAssembly; pictures are compressed already.
const WORTH_IT: [&str; 8] = ["css", "html", "js", "json", "map", "svg", "ts", "wasm"];

/// Compresses every file under `folder` that is worth it.
///
/// # Errors
/// When a file cannot be read or written.
pub(crate) fn folder(folder: &Path) -> Result<()> {
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        let worth_it =
            entry.path().extension().and_then(|e| e.to_str()).is_some_and(|e| WORTH_IT.contains(&e));
        if !entry.file_type().is_file() || !worth_it {
            continue;
        }
        let raw = std::fs::read(entry.path())?;
        write_beside(entry.path(), "br", &brotli(&raw)?)?;
        write_beside(entry.path(), "gz", &gzip(&raw)?)?;
    }
    Ok(())
}

/// Brotli at its best: files are compressed once and served often.
///
/// # Errors
/// Never in practice: it writes to memory.
pub(crate) fn brotli(raw: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut &raw[..], &mut out, &params)?;
    Ok(out)
}

/// Gzip at its best, without a time stamp: the same input gives the same bytes.
///
/// # Errors
/// Never in practice: it writes to memory.
pub(crate) fn gzip(raw: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(raw)?;
    Ok(encoder.finish()?)
}

fn write_beside(path: &Path, extension: &str, bytes: &[u8]) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    std::fs::write(&name, bytes).with_context(|| format!("cannot write {}", name.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn both_forms_unpack_to_the_file_and_pictures_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let text = "the same line again and again\n".repeat(100);
        std::fs::write(dir.path().join("a.js"), &text).unwrap();
        std::fs::write(dir.path().join("b.png"), &text).unwrap();
        folder(dir.path()).unwrap();

        let br = std::fs::read(dir.path().join("a.js.br")).unwrap();
        let gz = std::fs::read(dir.path().join("a.js.gz")).unwrap();
        assert!(br.len() < text.len() / 10 && gz.len() < text.len() / 10);
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &br[..], &mut unpacked).unwrap();
        assert_eq!(unpacked, text.as_bytes());
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&gz[..]).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, text);
        assert!(!dir.path().join("b.png.br").exists());

        // Compressing again does not compress the compressed.
        folder(dir.path()).unwrap();
        assert!(!dir.path().join("a.js.br.br").exists());
    }
}
