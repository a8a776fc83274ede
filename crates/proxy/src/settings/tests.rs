//! The start-up refusals, one by one.

use clap::Parser;

use super::*;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/upsell.toml");
const SECRETS: [(&str, &str); 4] = [
    ("UPSELL_MERCHANT_KEY", "merchant-secret-key"),
    ("UPSELL_SIGNING_KEYS", "k1:dXBzZWxsLXNpZ25pbmcta2V5LW9mLXRoZS10ZXN0cyE="),
    ("DODO_PAYMENTS_API_KEY", "dodo_test_key"),
    ("DODO_PAYMENTS_WEBHOOK_KEY", "whsec_ZG9kby1zaW0tdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OSE="),
];

const NOTIFY_KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

/// Checks the settings with some flags and with some secrets other than the good ones.
fn check_with(flags: &[&str], secrets: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let config: &[&str] = if flags.contains(&"--config") { &[] } else { &["--config", EXAMPLE] };
    let flags = ["upsell-proxy"].iter().chain(config).chain(flags);
    let arguments = Cli::try_parse_from(flags).unwrap().arguments;
    let lookup = |name: &str| {
        let found = secrets.iter().chain(&SECRETS).find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::check(arguments, Secrets::read(lookup))
}

#[test]
fn good_settings_are_taken() {
    let settings = check_with(
        &[
            "--allowed-origins",
            "https://a.example, https://b.example,",
            "--return-url",
            "https://a.example/thanks",
        ],
        &[],
    )
    .unwrap();
    assert_eq!(settings.allowed_origins.len(), 2);
    assert_eq!(settings.return_url.as_deref(), Some("https://a.example/thanks"));
    assert_eq!(settings.webhook_keys.len(), 1);
}

/// Flags and secrets other than the good ones, and what the refusal says.
type Row = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static str);

#[test]
fn every_refusal_says_what_to_mend() {
    let table: [Row; 36] = [
        (&[], &[("UPSELL_MERCHANT_KEY", "")], "UPSELL_MERCHANT_KEY is not set"),
        (&[], &[("UPSELL_MERCHANT_KEY", "short")], "UPSELL_MERCHANT_KEY has 5 characters"),
        (&[], &[("DODO_PAYMENTS_API_KEY", " ")], "DODO_PAYMENTS_API_KEY is not set"),
        (&[], &[("DODO_PAYMENTS_API_KEY", "dodo_live_x")], "the API key is a live key, but the mode is test"),
        (&["--environment", "live_mode"], &[], "the API key is a test key, but the mode is live"),
        (&["--dodo-base-url", "http://evil.example"], &[], "unencrypted"),
        (&[], &[("UPSELL_SIGNING_KEYS", "")], "UPSELL_SIGNING_KEYS is not set"),
        (&[], &[("UPSELL_SIGNING_KEYS", "k1:c2hvcnQ=")], "a key has 5 bytes and needs at least 32"),
        (&[], &[("UPSELL_SIGNING_KEYS", "c2hvcnQ=")], "a key is not `id:base64`"),
        (&[], &[("DODO_PAYMENTS_WEBHOOK_KEY", "")], "DODO_PAYMENTS_WEBHOOK_KEY is not set"),
        (&[], &[("DODO_PAYMENTS_WEBHOOK_KEY", "whsec_c2hvcnQ=")], "has 5 bytes and needs at least 24"),
        (&[], &[("DODO_PAYMENTS_WEBHOOK_KEY", "whsec_")], "has 0 bytes"),
        (&[], &[("DODO_PAYMENTS_WEBHOOK_KEY", ",")], "is not `whsec_`"),
        (&["--notify-url", "https://a.example"], &[], "UPSELL_NOTIFY_KEY is not set"),
        (&[], &[("UPSELL_NOTIFY_KEY", NOTIFY_KEY)], "UPSELL_NOTIFY_URL is not set"),
        (&["--notify-url", "http://a.example"], &[("UPSELL_NOTIFY_KEY", NOTIFY_KEY)], "must be https"),
        (&["--notify-url", "https://a.example"], &[("UPSELL_NOTIFY_KEY", "whsec_c2hvcnQ=")], "has 5 bytes"),
        (&["--notify-url", "https://a.example"], &[("UPSELL_NOTIFY_KEY", ", ,")], "UPSELL_NOTIFY_KEY: the"),
        (
            &[],
            &[("UPSELL_MERCHANT_KEY", "\"merchant-secret-key\"")],
            "UPSELL_MERCHANT_KEY begins or ends with a quotation",
        ),
        (&[], &[("UPSELL_MERCHANT_KEY", " merchant-secret-key")], "UPSELL_MERCHANT_KEY must be printable"),
        (&[], &[("UPSELL_MERCHANT_KEY", "merchant secret key")], "UPSELL_MERCHANT_KEY must be printable"),
        (
            &[],
            &[("UPSELL_MERCHANT_KEY", "merchant-secret-k\u{e9}y")],
            "UPSELL_MERCHANT_KEY must be printable",
        ),
        (
            &[],
            &[("DODO_PAYMENTS_API_KEY", "'dodo_test_key'")],
            "DODO_PAYMENTS_API_KEY begins or ends with a quotation",
        ),
        (&[], &[("DODO_PAYMENTS_WEBHOOK_KEY", "\"whsec_ZG9kby1zaW0=\"")], "DODO_PAYMENTS_WEBHOOK_KEY begins"),
        (
            &[],
            &[("UPSELL_SIGNING_KEYS", "\u{201c}k1:c2hvcnQ=\u{201d}")],
            "UPSELL_SIGNING_KEYS begins or ends",
        ),
        (&[], &[("DATABASE_URL", "\"sqlite:upsell.db\"")], "DATABASE_URL begins or ends"),
        (
            &["--allowed-origins", "https://a.example,\"https://b.example\""],
            &[],
            "UPSELL_ALLOWED_ORIGINS begins or ends",
        ),
        (&["--allowed-origins", "https://*.example.com"], &[], "UPSELL_ALLOWED_ORIGINS: must name one host"),
        (&["--public-url", "'https://a.example'"], &[], "UPSELL_PUBLIC_URL begins or ends"),
        (&["--trusted-proxies", "\"10.0.0.1\""], &[], "UPSELL_TRUSTED_PROXIES begins or ends"),
        (&["--merchant", "a b"], &[], "UPSELL_MERCHANT"),
        (&["--allowed-origins", "*"], &[], "UPSELL_ALLOWED_ORIGINS: is not a URL"),
        (&["--return-url", "http://a.example"], &[], "UPSELL_RETURN_URL: must be https"),
        (&["--public-url", "https://a.example/x"], &[], "UPSELL_PUBLIC_URL: must be an origin"),
        (&["--trusted-proxies", "10.0.0.0/8,proxy"], &[], "UPSELL_TRUSTED_PROXIES: `proxy` is no address"),
        (&["--config", "/nowhere/upsell.toml"], &[], "/nowhere/upsell.toml: "),
    ];
    for (flags, secrets, message) in table {
        let error = match check_with(flags, secrets) {
            Ok(_) => panic!("taken: {flags:?} {secrets:?}"),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(message), "{error:?} lacks {message:?}");
    }
}

#[test]
fn limits_are_as_documented_unless_told_otherwise() {
    let limits = check_with(&[], &[]).unwrap().limits;
    assert_eq!(limits.session_wait.as_millis(), 1500);
    assert_eq!((limits.server.connections, limits.gate.in_flight), (2048, 512));
    assert_eq!((limits.gate.per_token, limits.gate.per_address), (240, 1200));
    assert_eq!((limits.upstream.per_second, limits.upstream.per_minute), (40, 240));
    let flags = [
        "--trusted-proxies",
        "10.0.0.0/8, ::1",
        "--max-connections=100",
        "--max-in-flight=50",
        "--token-requests-per-minute=60",
        "--address-requests-per-minute=61",
        "--dodo-requests-per-second=20",
        "--dodo-requests-per-minute=120",
    ];
    let limits = check_with(&flags, &[]).unwrap().limits;
    assert_eq!((limits.server.connections, limits.gate.in_flight), (100, 50));
    assert_eq!((limits.gate.per_token, limits.gate.per_address), (60, 61));
    assert_eq!((limits.upstream.per_second, limits.upstream.per_minute), (20, 120));
    for proxies in [&limits.proxies, &limits.server.trusted] {
        assert!(proxies.contains([10, 1, 2, 3].into()) && !proxies.contains([11, 1, 2, 3].into()));
    }
}

#[test]
fn limits_that_would_let_nobody_in_are_refused() {
    for flag in [
        "--max-connections=0",
        "--max-in-flight=1",
        "--token-requests-per-minute=3",
        "--address-requests-per-minute=19",
        "--dodo-requests-per-second=5",
        "--dodo-requests-per-minute=0",
        "--dodo-requests-per-minute=5000000",
        "--session-wait-ms=0",
        "--session-wait-ms=60000",
    ] {
        assert!(Cli::try_parse_from(["upsell-proxy", flag]).is_err(), "{flag}");
    }
}

#[test]
fn a_spoilt_rules_file_is_placed() {
    let path = std::env::temp_dir().join(format!("upsell-{}.toml", uuid::Uuid::now_v7()));
    std::fs::write(&path, "[merchant]\nname = 7\n").unwrap();
    let error = check_with(&["--config", path.to_str().unwrap()], &[]).unwrap_err().to_string();
    std::fs::remove_file(&path).unwrap();
    assert!(error.contains("line 2, field `merchant.name`"), "{error}");
}

#[test]
fn both_keys_are_taken_while_one_replaces_the_other() {
    let two = "whsec_ZG9kby1zaW0tdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OSE= whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    assert_eq!(check_with(&[], &[("DODO_PAYMENTS_WEBHOOK_KEY", two)]).unwrap().webhook_keys.len(), 2);
}

#[test]
fn news_has_an_address_and_a_key_or_neither() {
    assert!(check_with(&[], &[]).unwrap().notify.is_none());
    let two = "whsec_ZG9kby1zaW0tdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OSE= whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    for url in ["https://a.example/news?shop=1", "http://127.0.0.1:4030/news"] {
        let settings = check_with(&["--notify-url", url], &[("UPSELL_NOTIFY_KEY", two)]).unwrap();
        let notify = settings.notify.unwrap();
        assert_eq!((notify.url.as_str(), notify.keys.len()), (url, 2));
    }
}

#[test]
fn secrets_are_not_printed() {
    let notify = [("UPSELL_NOTIFY_KEY", NOTIFY_KEY)];
    let flags = ["--notify-url", "https://a.example/news?token=hidden-in-the-address"];
    let printed = format!("{:?}", check_with(&flags, &notify).unwrap());
    assert!(!printed.contains("hidden-in-the-address"));
    for (_, secret) in SECRETS.iter().chain(&notify) {
        assert!(!printed.contains(secret), "{secret}");
    }
}
