//! Webhooks that are genuine, and webhooks that are nearly so.

use super::*;

/// A webhook as sent, to be spoiled piece by piece.
#[derive(Clone)]
struct Sent {
    key: &'static str,
    id: String,
    timestamp: String,
    signature: String,
    body: Vec<u8>,
    now: i64,
}

impl Sent {
    fn verify(&self) -> Result<(), SignatureError> {
        self.verify_with(&[self.key])
    }

    fn verify_with(&self, keys: &[&str]) -> Result<(), SignatureError> {
        let keys: Vec<_> = keys.iter().map(|key| WebhookKey::parse(key).unwrap()).collect();
        let headers = SignedHeaders {
            id: Some(&self.id),
            timestamp: Some(&self.timestamp),
            signature: Some(&self.signature),
        };
        verify(&keys, headers, &self.body, self.now)
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = self.clone();
        change(&mut changed);
        changed
    }

    /// Signs again after a change, to reach the checks besides the signature.
    fn resigned(mut self) -> Self {
        let key = WebhookKey::parse(self.key).unwrap();
        self.signature = format!("v1,{}", key.sign(&self.id, &self.timestamp, &self.body));
        self
    }
}

const OTHER_KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

/// Vectors published for the scheme or made with another implementation of it.
fn vectors() -> [Sent; 3] {
    let sent = |key, id: &str, timestamp: i64, body: &str, signature: &str| Sent {
        key,
        id: id.into(),
        timestamp: timestamp.to_string(),
        signature: signature.into(),
        body: body.into(),
        now: timestamp,
    };
    [
        sent(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        sent(
            "whsec_ZG9kby1zaW0tdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OSE=",
            "msg_sim_1",
            1_768_521_600,
            r#"{"business_id":"bus_sim","type":"payment.succeeded","timestamp":"2026-01-16T00:00:00Z","data":{"payload_type":"Payment","payment_id":"pay_sim_1"}}"#,
            "v1,ugJt3KrH4b6ZTSaXLGLviCaMClSuGCXbg4IdtsGFkn0=",
        ),
        sent(
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
    ]
}

fn good() -> Sent {
    let [good, ..] = vectors();
    good
}

#[test]
fn accepts_known_vectors() {
    for sent in vectors() {
        assert_eq!(sent.verify(), Ok(()), "{}", sent.id);
    }
}

#[test]
fn signs_as_the_known_vectors_are_signed() {
    for sent in vectors() {
        let key = WebhookKey::parse(sent.key).unwrap();
        assert_eq!(sign(&[key], &sent.id, sent.now, &sent.body), sent.signature, "{}", sent.id);
    }
}

#[test]
fn what_is_signed_is_accepted_with_each_of_the_keys() {
    let good = good();
    let keys = [good.key, OTHER_KEY].map(|key| WebhookKey::parse(key).unwrap());
    let signed = good.with(|sent| sent.signature = sign(&keys, &sent.id, sent.now, &sent.body));
    assert_eq!(signed.verify_with(&[good.key]), Ok(()));
    assert_eq!(signed.verify_with(&[OTHER_KEY]), Ok(()));
    assert_eq!(sign(&[], &good.id, good.now, &good.body), "");
}

#[test]
fn refuses_every_change_of_a_single_bit() {
    let good = good();
    for index in 0..good.body.len() {
        for bit in 0..8 {
            let spoiled = good.with(|sent| sent.body[index] ^= 1 << bit);
            assert_eq!(spoiled.verify(), Err(SignatureError::Mismatch), "body {index}.{bit}");
        }
    }
    for index in "v1,".len()..good.signature.len() {
        for bit in 0..7 {
            let mut bytes = good.signature.clone().into_bytes();
            bytes[index] ^= 1 << bit;
            let spoiled = good.with(|sent| sent.signature = String::from_utf8(bytes).unwrap());
            assert_eq!(spoiled.verify(), Err(SignatureError::Mismatch), "signature {index}.{bit}");
        }
    }
}

#[test]
fn refuses_parts_of_another_webhook() {
    let [first, second, _] = vectors();
    let second = second.with(|sent| sent.key = first.key).resigned();
    assert_eq!(second.verify(), Ok(()));
    for spoiled in [
        first.with(|sent| sent.id.clone_from(&second.id)),
        first.with(|sent| sent.body.clone_from(&second.body)),
        first.with(|sent| sent.signature.clone_from(&second.signature)),
        first.with(|sent| sent.timestamp = (sent.now + 1).to_string()),
        first.with(|sent| sent.body.push(b' ')),
        first.with(|sent| sent.body.insert(0, b' ')),
        first.with(|sent| sent.body.clear()),
    ] {
        assert_eq!(spoiled.verify(), Err(SignatureError::Mismatch));
    }
}

#[test]
fn takes_any_key_in_force_and_no_other() {
    let good = good();
    assert_eq!(good.verify_with(&[OTHER_KEY, good.key]), Ok(()));
    assert_eq!(good.verify_with(&[good.key, OTHER_KEY]), Ok(()));
    assert_eq!(good.verify_with(&[OTHER_KEY]), Err(SignatureError::Mismatch));
    assert_eq!(good.verify_with(&[]), Err(SignatureError::Mismatch));
}

#[test]
fn takes_any_signature_of_the_known_version() {
    let good = good();
    let own = good.signature.clone();
    let bare = own.strip_prefix("v1,").unwrap();
    let check = |signature: String| good.with(|sent| sent.signature = signature).verify();
    for fits in [
        format!("v1,AAAA {own}"),
        format!("{own} v2,AAAA"),
        format!("v1a,AAAA  {own} "),
        "v1, ".repeat(999) + &own,
    ] {
        assert_eq!(check(fits.clone()), Ok(()), "{fits}");
    }
    let cases = [
        String::new(),
        "v1,".into(),
        bare.into(),
        format!("v1a,{bare}"),
        format!("v2,{bare}"),
        format!("V1,{bare}"),
        format!("v1;{bare}"),
        format!("v1,{bare}="),
        format!("v1,{}", bare.trim_end_matches('=')),
        format!("v1,{}", bare.replace('+', "-").replace('/', "_")),
        format!("v1,{bare},v1"),
        format!("{own},{own}"),
        own[..own.len() - 2].into(),
    ];
    for case in cases {
        assert_eq!(check(case.clone()), Err(SignatureError::Mismatch), "{case:?}");
    }
}

#[test]
fn missing_headers_are_named() {
    let good = good();
    let keys = [WebhookKey::parse(good.key).unwrap()];
    let all = SignedHeaders {
        id: Some(&good.id),
        timestamp: Some(&good.timestamp),
        signature: Some(&good.signature),
    };
    for (headers, name) in [
        (SignedHeaders { id: None, ..all }, "webhook-id"),
        (SignedHeaders { timestamp: None, ..all }, "webhook-timestamp"),
        (SignedHeaders { signature: None, ..all }, "webhook-signature"),
    ] {
        assert_eq!(verify(&keys, headers, &good.body, good.now), Err(SignatureError::Header(name)));
    }
}

#[test]
fn ids_with_a_dot_or_nothing_are_refused_even_when_signed() {
    for id in ["", ".", "msg.1", "msg_1."] {
        let sent = good().with(|sent| sent.id = id.into()).resigned();
        assert_eq!(sent.verify(), Err(SignatureError::Id), "{id:?}");
    }
}

#[test]
fn times_outside_the_tolerance_are_refused_even_when_signed() {
    let good = good();
    let at = |offset: i64| good.with(|sent| sent.now += offset).verify();
    for offset in [-300, -1, 1, 300] {
        assert_eq!(at(offset), Ok(()), "{offset}");
    }
    assert_eq!(at(301), Err(SignatureError::TooOld));
    assert_eq!(at(-301), Err(SignatureError::TooNew));
}

#[test]
fn times_that_are_no_plain_numbers_are_refused_even_when_signed() {
    let base = good().timestamp;
    for text in [
        String::new(),
        "-1".into(),
        "-9223372036854775808".into(),
        "9223372036854775808".into(),
        format!("+{base}"),
        format!(" {base}"),
        format!("{base} "),
        format!("{base}.0"),
        format!("{base}abc"),
        "0x60379E32".into(),
        "1e9".into(),
        "١٢٣".into(),
    ] {
        let sent = good().with(|sent| sent.timestamp.clone_from(&text)).resigned();
        assert_eq!(sent.verify(), Err(SignatureError::Timestamp), "{text:?}");
    }
}

#[test]
fn extreme_times_do_not_overflow() {
    let max = i64::MAX.to_string();
    let sent = good().with(|sent| sent.timestamp.clone_from(&max)).resigned();
    assert_eq!(sent.with(|sent| sent.now = i64::MIN).verify(), Err(SignatureError::TooNew));
    assert_eq!(sent.verify(), Err(SignatureError::TooNew));
    let sent = good().with(|sent| sent.timestamp = "0".into()).resigned();
    assert_eq!(sent.with(|sent| sent.now = i64::MAX).verify(), Err(SignatureError::TooOld));
    assert_eq!(sent.with(|sent| sent.now = i64::MIN).verify(), Err(SignatureError::TooNew));
}

#[test]
fn weak_keys_are_refused() {
    let encoded = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
    assert!(WebhookKey::parse(&encoded(MIN_KEY)).is_ok());
    assert!(WebhookKey::parse(&format!(" {}\n", encoded(64))).is_ok());
    assert_eq!(WebhookKey::parse(&encoded(MIN_KEY - 1)).unwrap_err(), KeyError::TooShort(MIN_KEY - 1));
    assert_eq!(WebhookKey::parse("whsec_").unwrap_err(), KeyError::TooShort(0));
    for text in ["", "whsec", "whsec_%%%", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        assert_eq!(WebhookKey::parse(text).unwrap_err(), KeyError::Encoding, "{text:?}");
    }
}

#[test]
fn keys_are_not_shown() {
    assert_eq!(format!("{:?}", WebhookKey::parse(OTHER_KEY).unwrap()), "WebhookKey(redacted)");
}
