//! The widget's files and the upgrade page, from memory: read once at start-up from a folder, or taken from the binary.
//!
//! A request looks a name up in a map, so there is no path to climb out of. Where a file has a `.br` or `.gz` sibling,
//! that is sent to whoever takes it. Nothing is compressed per request.

use std::{collections::BTreeMap, io, path::Path, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use sha2::{Digest, Sha256};
use wire::ErrorCode;

use super::error::ApiError;

/// A set of files by path, such as `upsell.js`.
#[derive(Clone, Debug, Default)]
pub struct Files(Arc<BTreeMap<String, File>>);

#[derive(Debug)]
struct File {
    /// Named by its content, which therefore never changes under this name.
    is_immutable: bool,
    mime: HeaderValue,
    etag: HeaderValue,
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

impl Files {
    /// Reads all files of a folder and the folders in it.
    ///
    /// # Errors
    /// When the folder or a file cannot be read.
    pub fn from_folder(folder: &Path) -> io::Result<Self> {
        let mut found = BTreeMap::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Some(name) = path.strip_prefix(folder).ok().and_then(Path::to_str) {
                    found.insert(name.replace('\\', "/"), Bytes::from(std::fs::read(&path)?));
                }
            }
        }
        Ok(Self::new(found))
    }

    /// Files by name, each together with its compressed siblings.
    #[must_use]
    pub fn new(mut found: BTreeMap<String, Bytes>) -> Self {
        let names: Vec<String> =
            found.keys().filter(|name| !name.ends_with(".br") && !name.ends_with(".gz")).cloned().collect();
        let files = names.into_iter().filter_map(|name| {
            let brotli = found.remove(&format!("{name}.br"));
            let gzip = found.remove(&format!("{name}.gz"));
            let plain = found.remove(&name)?;
            Some((name.clone(), File::new(&name, plain, brotli, gzip)))
        });
        Self(Arc::new(files.collect()))
    }

    /// Whether there is nothing to serve.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn answer(&self, name: &str, method: &Method, headers: &HeaderMap) -> Response {
        let Some(file) = self.0.get(name) else {
            return ApiError::new(ErrorCode::NotFound).into_response();
        };
        if method != Method::GET && method != Method::HEAD {
            return ApiError::new(ErrorCode::MethodNotAllowed).into_response();
        }
        file.answer(headers)
    }
}

impl File {
    fn new(name: &str, plain: Bytes, brotli: Option<Bytes>, gzip: Option<Bytes>) -> Self {
        let mime = mime_guess::from_path(name).first_or_octet_stream();
        let mime = if mime.type_() == mime_guess::mime::TEXT && mime.get_param("charset").is_none() {
            format!("{mime}; charset=utf-8")
        } else {
            mime.to_string()
        };
        let digest = Sha256::digest(&plain);
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest));
        let header = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        let is_immutable = is_named_by_content(name, &digest);
        Self { is_immutable, mime: header(&mime), etag: header(&etag), plain, brotli, gzip }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| *known == self.etag);
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let (body, encoding) = self.encoded(headers);
            let mut response = Response::new(Body::from(body.clone()));
            if let Some(encoding) = encoding {
                response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            response.headers_mut().insert(header::CONTENT_TYPE, self.mime.clone());
            response
        };
        let out = response.headers_mut();
        out.insert(header::ETAG, self.etag.clone());
        out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        out.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static(if self.is_immutable { FOR_EVER } else { A_WHILE }),
        );
        response
    }

    fn encoded(&self, headers: &HeaderMap) -> (&Bytes, Option<&'static str>) {
        let taken =
            headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match (&self.brotli, &self.gzip) {
            (Some(body), _) if takes(taken, "br") => (body, Some("br")),
            (_, Some(body)) if takes(taken, "gzip") => (body, Some("gzip")),
            _ => (&self.plain, None),
        }
    }
}

/// Of a file whose name says its content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Of a file whose name stays when its content changes: a page may be minutes behind, never a release.
const A_WHILE: &str = "public, max-age=300";

/// Whether a name such as `element.1f0c2a….js` ends in the first 16 hexadecimal digits of the content's SHA-256 before its
/// extension, as `cargo xtask` gives them.
fn is_named_by_content(name: &str, digest: &[u8]) -> bool {
    let hash = name.rsplit_once('.').and_then(|(rest, _)| rest.rsplit_once('.')).map(|(_, hash)| hash);
    let digits = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
    hash == Some(digits.as_str())
}

/// Whether an `Accept-Encoding` names a coding and does not rule it out (`;q=0`).
fn takes(accept: &str, coding: &str) -> bool {
    accept.split(',').any(|part| {
        let mut parts = part.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        // Zero in any spelling: "0", "0.0", "0.000".
        let zero = weight.is_some_and(|weight| weight.bytes().all(|byte| matches!(byte, b'0' | b'.')));
        named && !zero
    })
}

/// The widget's files that were put into the binary; none without the feature `embedded-files`.
#[must_use]
pub fn embedded_widget() -> Files {
    #[cfg(feature = "embedded-files")]
    {
        embedded::files::<embedded::Widget>()
    }
    #[cfg(not(feature = "embedded-files"))]
    Files::default()
}

/// The upgrade page that was put into the binary; none without the feature `embedded-files`.
#[must_use]
pub fn embedded_upgrade_page() -> Files {
    #[cfg(feature = "embedded-files")]
    {
        embedded::files::<embedded::Page>()
    }
    #[cfg(not(feature = "embedded-files"))]
    Files::default()
}

#[cfg(feature = "embedded-files")]
mod embedded {
    //! What `cargo xtask dist` built before the proxy.

    use rust_embed::RustEmbed;

    use super::{Bytes, Files};

    /// The widget.
    #[derive(RustEmbed)]
    #[folder = "../../dist/embed"]
    pub(super) struct Widget;

    /// The upgrade page.
    #[derive(RustEmbed)]
    #[folder = "../../dist/spa"]
    pub(super) struct Page;

    pub(super) fn files<T: RustEmbed>() -> Files {
        let found = T::iter().filter_map(|name| {
            let file = T::get(&name)?;
            Some((name.into_owned(), Bytes::from(file.data.into_owned())))
        });
        Files::new(found.collect())
    }
}

/// The widget's files, for pages of any origin: module scripts are fetched across origins.
pub async fn widget(State(files): State<Files>, request: Request) -> Response {
    let name = request.uri().path().trim_start_matches('/');
    let mut response = files.answer(name, request.method(), request.headers());
    // Also where there is no such file: a page is told that a part is gone, not that it may not ask.
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    response
}

/// What the upgrade page may do: its own scripts, WebAssembly, styles and calls, and nothing else. No script stands in
/// the page itself, and nobody may frame it.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     connect-src 'self'; img-src https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'";

/// The upgrade page under `/upgrade/`; every name without a dot is the page itself.
pub async fn upgrade_page(State(files): State<Files>, request: Request) -> Response {
    let path = request.uri().path();
    let name = path.strip_prefix("/upgrade").unwrap_or(path).trim_start_matches('/');
    let is_page = !name.contains('.');
    let name = if is_page { "index.html" } else { name };
    let mut response = files.answer(name, request.method(), request.headers());
    let headers = response.headers_mut();
    if is_page {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_read_with_their_weights() {
        for (accept, br, gzip) in [
            ("gzip, deflate, br, zstd", true, true),
            ("gzip", false, true),
            ("BR;q=1.0", true, false),
            ("br;q=0, gzip;q=0.5", false, true),
            ("br; q=0.000", false, false),
            ("", false, false),
            ("brotli", false, false),
        ] {
            assert_eq!((takes(accept, "br"), takes(accept, "gzip")), (br, gzip), "{accept}");
        }
    }
}
