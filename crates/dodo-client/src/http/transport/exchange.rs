//! One request, one answer, and an exact account of how far it came.

use std::{error::Error as StdError, io, time::Duration};

use money::UnixSeconds;
use reqwest::{
    RequestBuilder, Response, StatusCode,
    header::{DATE, HeaderMap, RETRY_AFTER},
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::Transport;
use crate::{
    error::{ApiError, ErrorBody, RateLimit, TransportError, Unsent},
    quota::Refused,
};

/// Longer answers are not read to their end. A page of 100 payments is a tenth of this.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// How far one request came.
pub(super) enum Exchange {
    /// Nothing left this machine.
    Unsent(Unsent),
    /// It broke after that.
    Broken { status: Option<u16>, cause: TransportError },
    /// A complete answer outside 2xx.
    Refused(Box<ApiError>),
    /// A complete 2xx.
    Complete { status: u16, body: Vec<u8>, date: Option<UnixSeconds> },
}

impl Transport {
    /// Performs the request once.
    pub(super) async fn exchange(&self, request: RequestBuilder) -> Exchange {
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                return match unsent(&error) {
                    Some(why) => Exchange::Unsent(why),
                    None => Exchange::Broken { status: None, cause: broken(&error) },
                };
            }
        };
        let status = response.status();
        let now = OffsetDateTime::now_utc();
        let date = date(response.headers());
        let (pause, rate_limit) = (retry_after(response.headers(), now), rate_limit(response.headers()));
        if let Some(quota) = &self.quota {
            let refused = status == StatusCode::TOO_MANY_REQUESTS;
            quota.learn(rate_limit, refused.then_some(Refused { retry_after: pause }));
        }
        let body = match read_body(&mut response).await {
            Ok(body) => body,
            Err(cause) => return Exchange::Broken { status: Some(status.as_u16()), cause },
        };
        let status = status.as_u16();
        if (200..300).contains(&status) {
            return Exchange::Complete { status, body, date };
        }
        let body = ErrorBody::read(&body);
        Exchange::Refused(Box::new(ApiError { status, body, retry_after: pause, rate_limit }))
    }
}

async fn read_body(response: &mut Response) -> Result<Vec<u8>, TransportError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len().saturating_add(chunk.len()) > MAX_BODY {
            return Err(TransportError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why nothing left, if that is certain. `is_connect` is set by the connector alone, which ends where the
/// first byte of the request would begin: name resolution, TCP, TLS.
fn unsent(error: &reqwest::Error) -> Option<Unsent> {
    if error.is_builder() {
        return Some(Unsent::Request);
    }
    if !error.is_connect() {
        return None;
    }
    Some(if error.is_dns() {
        Unsent::Dns
    } else if error.is_timeout() {
        Unsent::ConnectTimeout
    } else if causes(error).any(wraps_tls) {
        Unsent::Tls
    } else {
        Unsent::Connect
    })
}

/// rustls reports through an `io::Error`, sometimes within another, and `source` skips what they wrap.
fn wraps_tls(cause: &(dyn StdError + 'static)) -> bool {
    let mut wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    while let Some(inner) = wrapped {
        if inner.is::<rustls::Error>() {
            return true;
        }
        wrapped = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    }
    false
}

fn broken(error: &reqwest::Error) -> TransportError {
    if error.is_timeout() {
        return TransportError::Timeout;
    }
    for cause in causes(error) {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => {
                    return TransportError::Reset;
                }
                io::ErrorKind::UnexpectedEof => return TransportError::Truncated,
                _ => {}
            }
        }
        if let Some(http) = cause.downcast_ref::<hyper::Error>()
            && http.is_incomplete_message()
        {
            return TransportError::Truncated;
        }
    }
    TransportError::Protocol
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

fn rate_limit(headers: &HeaderMap) -> RateLimit {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
    RateLimit {
        limit: number("x-ratelimit-limit"),
        remaining: number("x-ratelimit-remaining"),
        reset: number("x-ratelimit-reset"),
    }
}

fn retry_after(headers: &HeaderMap, now: OffsetDateTime) -> Option<Duration> {
    pause(headers.get(RETRY_AFTER)?.to_str().ok()?.trim(), now)
}

/// What the other side's clock showed.
fn date(headers: &HeaderMap) -> Option<UnixSeconds> {
    let at = OffsetDateTime::parse(headers.get(DATE)?.to_str().ok()?, &Rfc2822).ok()?;
    Some(UnixSeconds(at.unix_timestamp()))
}

/// Seconds, or a date; a date that has passed means at once.
fn pause(text: &str, now: OffsetDateTime) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some(Duration::try_from(date - now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn retry_after_in_both_forms() {
        let now = datetime!(2026-01-01 00:00:00 UTC);
        assert_eq!(pause("7", now), Some(Duration::from_secs(7)));
        assert_eq!(pause("Thu, 01 Jan 2026 00:01:00 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(pause("Wed, 31 Dec 2025 00:00:00 GMT", now), Some(Duration::ZERO));
        for text in ["", "-1", "1.5", "soon"] {
            assert_eq!(pause(text, now), None, "{text:?}");
        }
    }
}
