//! Plans of SQLite, over the statistics that a proxy writes into its store.

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use testkit::{
    Database,
    history::{Engine, fill},
    statements::of_source,
};

use super::plans::{Access, Asked, CHARGES, grows, is_bounded};

/// Reads one line of a plan, such as `SEARCH offers USING INDEX offers_by_email (tenant=? AND email=?)`.
fn access(line: &str, tables: &[String]) -> Option<Access> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (verb, rest) = words.split_first()?;
    let table = rest.first().filter(|table| tables.iter().any(|known| known == *table))?;
    match *verb {
        "SCAN" => Some(Access::Scan { table: (*table).to_owned() }),
        "SEARCH" if is_bounded(table) => None,
        "SEARCH" => {
            let after =
                |word: &str| words.iter().position(|found| *found == word).and_then(|at| words.get(at + 1));
            let index = after("INDEX").map_or_else(|| format!("key of {table}"), |index| (*index).to_owned());
            let conditions = line.split_once(" (").map_or("", |(_, asked)| asked);
            let conditions = conditions.trim_end_matches(')').split(" AND ").map(|condition| {
                let column = condition.split(['=', '<', '>']).next().unwrap_or_default();
                (column, condition.contains('='))
            });
            Some(Access::Index { index, asked: Asked::of(conditions) })
        }
        _ => None,
    }
}

#[test]
fn plans_are_read() {
    let tables = ["offers".to_owned()];
    let read = |line| access(line, &tables);
    let index = |index: &str, asked| Some(Access::Index { index: index.into(), asked });
    assert_eq!(read("SCAN offers"), Some(Access::Scan { table: "offers".into() }));
    assert_eq!(read("SCAN offers USING INDEX x"), Some(Access::Scan { table: "offers".into() }));
    assert_eq!(read("SEARCH offers USING INDEX x (tenant=?)"), index("x", Asked::Tenant));
    assert_eq!(read("SEARCH offers USING COVERING INDEX x (tenant=? AND at<?)"), index("x", Asked::Some));
    assert_eq!(read("SEARCH offers USING INDEX x (tenant=? AND id=?)"), index("x", Asked::Key));
    assert_eq!(read("SEARCH offers USING PRIMARY KEY (tenant=?)"), index("key of offers", Asked::Tenant));
    assert_eq!(read("SCAN made"), None, "rows that the statement has made itself");
}

#[tokio::test]
async fn sqlite_finds_its_rows_by_an_index() {
    let database = Database::sqlite().unwrap();
    fill(&database, CHARGES).await.unwrap();
    let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
    for table in tables.iter().filter(|table| !is_bounded(table)) {
        let any = AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM {table})"));
        let any: bool = sqlx::query_scalar(any).fetch_one(&mut connection).await.unwrap();
        assert!(any, "{table} is empty in a store that is full: add it to `testkit::history`");
    }
    let mut refused = Vec::new();
    for found in of_source(Engine::Sqlite).unwrap() {
        if ["PRAGMA", "ANALYZE"].iter().any(|word| found.text.starts_with(word)) {
            continue;
        }
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", found.text));
        let plan = sqlx::query(explain).fetch_all(&mut connection).await.expect(&found.text);
        let lines: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        let read: Vec<Access> = lines.iter().filter_map(|line| access(line, &tables)).collect();
        if grows(&found.text, &read) {
            refused.push((found.file, found.text, lines));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}
