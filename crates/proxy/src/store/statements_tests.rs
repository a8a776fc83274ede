//! Every statement names the tenant: data of one merchant must not be reachable from another's store.

const SOURCES: [(&str, &str); 17] = [
    ("apply/attempts.rs", include_str!("sql/apply/attempts.rs")),
    ("apply/mod.rs", include_str!("sql/apply/mod.rs")),
    ("apply/sales.rs", include_str!("sql/apply/sales.rs")),
    ("attempts.rs", include_str!("sql/attempts.rs")),
    ("events.rs", include_str!("sql/events.rs")),
    ("history.rs", include_str!("sql/history.rs")),
    ("inbox.rs", include_str!("sql/inbox.rs")),
    ("load.rs", include_str!("sql/load.rs")),
    ("offers.rs", include_str!("sql/offers.rs")),
    ("outbox.rs", include_str!("sql/outbox.rs")),
    ("people.rs", include_str!("sql/people.rs")),
    ("plan_changes.rs", include_str!("sql/plan_changes.rs")),
    ("quotes.rs", include_str!("sql/quotes.rs")),
    ("refund_orders.rs", include_str!("sql/refund_orders.rs")),
    ("restore.rs", include_str!("sql/restore.rs")),
    ("sales.rs", include_str!("sql/sales.rs")),
    ("support.rs", include_str!("sql/support.rs")),
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
        for (text, call) in statements(source) {
            assert!(text.contains("tenant"), "{file}: {text}");
            assert!(call.contains(".bind(self.tenant)"), "{file}: {text}");
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} statements were found");
}
