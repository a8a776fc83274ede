//! Signatures of the Standard Webhooks specification, version 1.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A secret that is not `whsec_` and base64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is whsec_ and base64")]
pub(crate) struct BadSecret;

/// The key inside a `whsec_…` secret.
#[derive(Clone)]
pub(crate) struct Secret(Vec<u8>);

impl std::str::FromStr for Secret {
    type Err = BadSecret;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let encoded = text.strip_prefix("whsec_").ok_or(BadSecret)?;
        let key = STANDARD.decode(encoded).map_err(|_| BadSecret)?;
        if key.is_empty() { Err(BadSecret) } else { Ok(Self(key)) }
    }
}

impl Secret {
    /// As it was given.
    pub(crate) fn encoded(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.0))
    }

    /// `v1,<base64>` over `id.timestamp.body`.
    pub(crate) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        // HMAC takes keys of any length, so this cannot fail; an empty signature would be refused by any receiver.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_signatures() {
        let sign = |secret: &str, id, at, body: &str| {
            secret.parse::<Secret>().unwrap().sign(id, at, body.as_bytes())
        };
        assert_eq!(
            sign(
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_eq!(
            sign(
                "whsec_ZG9kby1zaW0tdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OSE=",
                "msg_sim_1",
                1_768_521_600,
                r#"{"business_id":"bus_sim","type":"payment.succeeded","timestamp":"2026-01-16T00:00:00Z","data":{"payload_type":"Payment","payment_id":"pay_sim_1"}}"#
            ),
            "v1,ugJt3KrH4b6ZTSaXLGLviCaMClSuGCXbg4IdtsGFkn0="
        );
    }

    #[test]
    fn secrets_have_the_prefix_and_decode() {
        assert!("whsec_".parse::<Secret>().is_err());
        assert!("secret".parse::<Secret>().is_err());
        assert!("whsec_%%%".parse::<Secret>().is_err());
    }
}
