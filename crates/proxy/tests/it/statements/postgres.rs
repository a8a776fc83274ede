//! Plans of PostgreSQL, over statistics as autovacuum makes them. The generic plan of a prepared statement: the one that
//! does not know what is asked for.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use testkit::{
    Database,
    history::{Engine, fill},
    statements::of_source,
};

use super::plans::{Access, Asked, CHARGES, grows, is_bounded};

/// Collects what a node of a plan, and those below it, read.
fn accesses(node: &Value, found: &mut Vec<Access>) {
    let text = |key: &str| node[key].as_str().unwrap_or_default().to_owned();
    match node["Node Type"].as_str().unwrap_or_default() {
        "Seq Scan" => found.push(Access::Scan { table: text("Relation Name") }),
        "Index Scan" | "Index Only Scan" if is_bounded(&text("Relation Name")) => {}
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => {
            let asked = text("Index Cond");
            let conditions = asked.split(" AND ").filter_map(|condition| {
                let mut words = condition.trim_start_matches('(').split_whitespace();
                Some((words.next()?, words.next() == Some("=")))
            });
            found.push(Access::Index { index: text("Index Name"), asked: Asked::of(conditions) });
        }
        _ => {}
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        accesses(below, found);
    }
}

#[test]
fn plans_are_read() {
    let read = |node: Value| {
        let mut found = Vec::new();
        accesses(&node, &mut found);
        found
    };
    let index = |asked: &str| {
        let below = serde_json::json!({"Node Type": "Index Scan", "Index Name": "x", "Index Cond": asked});
        read(serde_json::json!({"Node Type": "Limit", "Plans": [below]}))
    };
    let expected = |asked| [Access::Index { index: "x".into(), asked }];
    assert_eq!(index("(tenant = $1)"), expected(Asked::Tenant));
    assert_eq!(index(""), expected(Asked::Tenant));
    assert_eq!(index("((tenant = $1) AND (at < $2))"), expected(Asked::Some));
    assert_eq!(index("((tenant = $1) AND (id = made.id))"), expected(Asked::Key));
    assert_eq!(limited("a = $1 LIMIT $2) AND b = $3"), "a = $1 LIMIT 20) AND b = $2");
    let scan = serde_json::json!({"Node Type": "Seq Scan", "Relation Name": "offers"});
    assert_eq!(read(scan), [Access::Scan { table: "offers".into() }]);
}

/// A thousandth of the history: what is asked is what a planner does when a step is small beside the table.
const LIMIT: &str = "LIMIT 20";

/// Writes a number in the place of each parameter of a limit: a planner that does not know it expects a tenth of the
/// table, and would not go by that plan once it has seen the numbers that are really given.
fn limited(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(at) = text.find("LIMIT $") {
        let digits: String = text[at + 7..].chars().take_while(char::is_ascii_digit).collect();
        let gone: usize = digits.parse().unwrap();
        text = text.replace(&format!("LIMIT ${gone}"), LIMIT);
        for number in gone + 1..100 {
            text = text.replace(&format!("${number}"), &format!("${}", number - 1));
        }
    }
    text
}

/// Says whether a statement can be planned at all.
fn is_planned(text: &str) -> bool {
    !["SHOW ", "BEGIN ", "SET "].iter().any(|word| text.starts_with(word))
}

#[tokio::test]
async fn postgres_finds_its_rows_by_an_index() {
    let database = Database::postgres().unwrap();
    fill(&database, CHARGES).await.unwrap();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    connection.execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    let mut refused = Vec::new();
    for (number, found) in of_source(Engine::Postgres).unwrap().into_iter().enumerate() {
        if !is_planned(&found.text) {
            continue;
        }
        let text = limited(&found.text);
        let parameters = (1..100).take_while(|n| text.contains(&format!("${n}"))).count();
        let nothing = vec!["NULL"; parameters].join(", ");
        let nothing = if parameters == 0 { String::new() } else { format!("({nothing})") };
        let prepare = AssertSqlSafe(format!("PREPARE s{number} AS {text}"));
        connection.execute(prepare).await.expect(&found.text);
        let explain = AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) EXECUTE s{number}{nothing}"));
        let plan = connection.fetch_one(sqlx::raw_sql(explain)).await.expect(&found.text);
        let plan: Value = match plan.try_get::<String, _>(0) {
            Ok(text) => serde_json::from_str(&text).unwrap(),
            Err(_) => serde_json::from_slice(plan.try_get_raw(0).unwrap().as_bytes().unwrap()).unwrap(),
        };
        let mut read = Vec::new();
        accesses(&plan[0]["Plan"], &mut read);
        if grows(&found.text, &read) {
            refused.push((found.file, found.text, read));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}
