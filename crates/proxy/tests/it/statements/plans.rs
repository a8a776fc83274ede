//! What is refused in a plan.

/// Tables that do not grow with the history, and why.
const BOUNDED: [(&str, &str); 7] = [
    ("tenants", "one row for each merchant and mode"),
    ("heartbeats", "one row for each tenant"),
    ("event_progress", "one row for each tenant"),
    ("tag_keys", "one row for each signing key that the merchant has ever used"),
    ("sqlite_stat1", "one row for each index"),
    ("sqlite_stat4", "no row: only a whole `ANALYZE` writes any"),
    ("_sqlx_migrations", "one row for each version of the schema"),
];

/// Indexes that may be read without more than the tenant, and why that is bounded.
const READ_FROM_AN_END: [(&str, &str); 5] = [
    ("attempts_by_age", "read from its newest end up to a limit, or for its newest time"),
    ("outbox_waiting", "notifications that wait, up to the limit of a count, or the oldest time"),
    (
        "declines_in_clear",
        "a partial index of refusals from before they were kept by keyed hash, read up to a limit: each is hashed once and \
         leaves it, and none is added",
    ),
    (
        "buyers_pkey",
        "any locks, up to a limit: those that are held are passed over, as many as there are transactions",
    ),
    ("attempts_due", "attempts that are looked up at some time: an end comes to each"),
];

/// Charges of the history over which plans are asked.
pub(super) const CHARGES: u64 = 20_000;

/// Columns that many rows have in common: asking for one of these alone reads more the longer the history is.
const COMMON: [&str; 4] = ["tenant", "state", "kind", "tries"];

/// Statements that read a range without a limit, by a part of their text, and why the range is bounded.
const BOUNDED_RANGES: [(&str, &str); 1] = [(
    "UPDATE attempts SET lease_until = 0, next_check_at = $1",
    "attempts that are under way: as many as were claimed and have not come to their end",
)];

/// One way in which a plan comes to rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Every row of a table, or of an index of it.
    Scan {
        /// The table.
        table: String,
    },
    /// By an index.
    Index {
        /// The index.
        index: String,
        /// What is asked of it.
        asked: Asked,
    },
}

/// How closely rows of an index are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of the tenant.
    Tenant,
    /// A range, or what has a word in common: as many as there are, up to the limit of the statement.
    Some,
    /// Those of one buyer, offer, attempt or the like.
    Key,
}

impl Asked {
    /// Returns what conditions on these columns ask for, each with whether it is an equation.
    pub(super) fn of<'a>(conditions: impl IntoIterator<Item = (&'a str, bool)>) -> Self {
        let mut asked = Self::Tenant;
        for (column, is_equal) in conditions {
            match (column, is_equal) {
                ("tenant", _) => {}
                (column, true) if !COMMON.contains(&column) => return Self::Key,
                _ => asked = Self::Some,
            }
        }
        asked
    }
}

/// Whether a table does not grow with the history.
pub(super) fn is_bounded(table: &str) -> bool {
    // Of the server itself: roles, replicas.
    table.starts_with("pg_") || BOUNDED.iter().any(|(known, _)| *known == table)
}

/// Whether the cost of a statement, which comes to its rows in these ways, grows with the history.
pub(super) fn grows(text: &str, accesses: &[Access]) -> bool {
    let is_limited = ["LIMIT ", "MIN(", "MAX("].iter().any(|word| text.contains(word))
        || BOUNDED_RANGES.iter().any(|(part, _)| text.contains(part));
    accesses.iter().any(|access| match access {
        Access::Scan { table } => !is_bounded(table),
        Access::Index { index, asked: Asked::Tenant } => {
            !is_limited || !READ_FROM_AN_END.iter().any(|(known, _)| known == index)
        }
        Access::Index { asked: Asked::Some, .. } => !is_limited,
        Access::Index { asked: Asked::Key, .. } => false,
    })
}

#[test]
fn scans_whole_tenants_and_ranges_without_a_limit_are_refused() {
    let scan = |table: &str| Access::Scan { table: table.into() };
    let index = |index: &str, asked| Access::Index { index: index.into(), asked };
    for (text, refused) in [
        ("LIMIT 1", scan("attempts")),
        ("LIMIT 1", index("offers_pkey", Asked::Tenant)),
        ("", index("attempts_by_age", Asked::Tenant)),
        ("", index("offers_by_state", Asked::Some)),
    ] {
        assert!(grows(text, std::slice::from_ref(&refused)), "{refused:?}");
    }
    for (text, taken) in [
        ("", scan("heartbeats")),
        ("", index("offers_pkey", Asked::Key)),
        ("LIMIT 1", index("attempts_by_age", Asked::Tenant)),
        ("LIMIT 1", index("offers_by_state", Asked::Some)),
    ] {
        assert!(!grows(text, std::slice::from_ref(&taken)), "{taken:?}");
    }
    assert_eq!(Asked::of([("tenant", true)]), Asked::Tenant);
    assert_eq!(Asked::of([("tenant", true), ("state", true), ("created_at", false)]), Asked::Some);
    assert_eq!(Asked::of([("tenant", true), ("customer_id", true), ("at", false)]), Asked::Key);
}
