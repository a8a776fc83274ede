//! What is said about every column that is kept.

use std::collections::BTreeSet;

use upsell_core::policy::retention::TABLES;

use super::{retention::filled, *};

/// Every table and column of this engine.
pub(super) async fn columns(store: &SqlStore) -> BTreeSet<(String, String)> {
    let statement = if SHARED {
        "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'"
    } else {
        "SELECT tables.name, columns.name FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'"
    };
    let rows: Vec<(String, String)> = sqlx::query_as(statement).fetch_all(&store.readers).await.unwrap();
    rows.into_iter().filter(|(table, _)| table != "_sqlx_migrations").collect()
}

/// A column that is new says what it is for: in `docs/PRIVACY.md`, and its table with a period in the table of retention.
#[tokio::test]
async fn every_column_is_named_where_it_is_said_why_it_is_kept() {
    let (_place, store) = fresh().await;
    let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/PRIVACY.md"));
    let mut named = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let table = cells.next().unwrap().trim_matches('`').to_owned();
        let words = cells.next().unwrap().split('`').skip(1).step_by(2);
        named.extend(words.map(|column| (table.clone(), column.to_owned())));
    }
    let found = columns(&store).await;
    let only_elsewhere = |(table, _): &&(String, String)| table == "buyers" && !SHARED;
    let missing: Vec<_> = found.difference(&named).collect();
    assert!(missing.is_empty(), "docs/PRIVACY.md does not name {missing:?}");
    let gone: Vec<_> = named.difference(&found).filter(|name| !only_elsewhere(name)).collect();
    assert!(gone.is_empty(), "docs/PRIVACY.md names what is not there: {gone:?}");
    let tables: BTreeSet<_> = named.iter().map(|(table, _)| table.as_str()).collect();
    let periods: BTreeSet<_> = TABLES.iter().map(|(table, ..)| *table).collect();
    assert_eq!(tables, periods, "the retention table of upsell_core names other tables");
    assert!(page.contains("attempt_history") && filled(&store).await.is_empty());
}
