//! Every statement names the tenant: data of one merchant must not be reachable from another's store.

const SOURCES: [(&str, &str); 6] = [
    ("attempts.rs", include_str!("../attempts.rs")),
    ("claims.rs", include_str!("../claims.rs")),
    ("inbox.rs", include_str!("../inbox.rs")),
    ("offers.rs", include_str!("../offers.rs")),
    ("people.rs", include_str!("../people.rs")),
    ("quotes.rs", include_str!("../quotes.rs")),
];

/// The text of each statement, and the lines that follow it up to its end.
fn statements(source: &str) -> impl Iterator<Item = (&str, &str)> {
    source.split("sqlx::query").skip(1).map(|rest| {
        let text = rest.split('"').nth(1).unwrap_or_default();
        (text, rest.split(".await").next().unwrap_or_default())
    })
}

#[test]
fn every_statement_names_and_binds_the_tenant() {
    let mut seen = 0;
    for (file, source) in SOURCES {
        for (text, call) in statements(source).filter(|(text, _)| *text != "SELECT 1") {
            assert!(text.contains("tenant"), "{file}: {text}");
            assert!(call.contains(".bind(self.tenant)"), "{file}: {text}");
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} statements were found");
}
