//! Every statement names the tenant: data of one merchant must not be reachable from another's store.

const SOURCES: [(&str, &str); 19] = [
    ("aging.rs", include_str!("sql/aging.rs")),
    ("apply/attempts.rs", include_str!("sql/apply/attempts.rs")),
    ("apply/mod.rs", include_str!("sql/apply/mod.rs")),
    ("apply/sales.rs", include_str!("sql/apply/sales.rs")),
    ("attempts.rs", include_str!("sql/attempts.rs")),
    ("forgetting.rs", include_str!("sql/forgetting.rs")),
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
    ("retention.rs", include_str!("sql/retention.rs")),
    ("sales.rs", include_str!("sql/sales.rs")),
    ("support.rs", include_str!("sql/support.rs")),
];

/// The text of each statement, wherever it stands.
fn texts(source: &str) -> impl Iterator<Item = &str> {
    let is_statement =
        |text: &&str| ["SELECT ", "INSERT ", "UPDATE ", "DELETE "].iter().any(|verb| text.starts_with(verb));
    source.split('"').filter(is_statement)
}

/// The lines from where each statement is prepared up to its end.
fn calls(source: &str) -> impl Iterator<Item = &str> {
    source
        .match_indices("sqlx::query")
        .filter_map(|(at, _)| source.get(at..)?.split_inclusive(".await").next())
}

#[test]
fn every_statement_names_and_binds_the_tenant() {
    let mut seen = 0;
    for (file, source) in SOURCES {
        for text in texts(source) {
            assert!(text.contains("tenant"), "{file}: {text}");
            seen += 1;
        }
        for call in calls(source) {
            assert!(call.contains(".bind(self.tenant)"), "{file}: {call}");
        }
    }
    assert!(seen > 30, "only {seen} statements were found");
}
