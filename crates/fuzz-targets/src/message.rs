//! Requests as text: headers in lines, an empty line, the body. A seed can be written by hand, and a fuzzer changes names,
//! values and number of the headers as easily as the body.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The part of a request that handlers see.
pub(crate) struct Message<'a> {
    pub(crate) headers: HeaderMap,
    pub(crate) body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads any bytes. Lines that no HTTP server would take for a header are left out.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let (head, body) = match bytes.windows(2).position(|pair| pair == b"\n\n") {
            Some(at) => (&bytes[..at], &bytes[at + 2..]),
            None => (bytes, &[][..]),
        };
        let mut headers = HeaderMap::new();
        for line in head.split(|byte| *byte == b'\n') {
            let mut halves = line.splitn(2, |byte| *byte == b':');
            let (Some(name), Some(value)) = (halves.next(), halves.next()) else { continue };
            let pair = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value.trim_ascii()));
            if let (Ok(name), Ok(value)) = pair {
                // A map that is full takes no more, as in a server.
                let _ = headers.try_append(name, value);
            }
        }
        Self { headers, body }
    }
}
