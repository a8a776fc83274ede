//! Statements as they stand in the source of the proxy.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use upsell_core::{domain::AttemptWord, journal::states};

use super::plain;
use crate::history::Engine;

/// Parts of statements that differ from engine to engine, as `store/sqlite/mod.rs` and `store/postgres/mod.rs` define them:
/// the call, what it is on SQLite, what on PostgreSQL.
const MACROS: [(&str, &str, &str); 2] = [
    ("skip_locked!()", "", " FOR UPDATE SKIP LOCKED"),
    (
        "timeline_columns!()",
        ", CAST(NULL AS INTEGER) AS cluster, CAST(NULL AS TEXT) AS timeline",
        ", (SELECT system_identifier FROM pg_control_system()) AS cluster, \
         CASE WHEN NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline",
    ),
];

/// A statement in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// File, from the folder of the store on.
    pub file: String,
    /// Text on one line, as the engine gets it.
    pub text: String,
    /// Whether the tenant is bound to it.
    pub binds_tenant: bool,
}

/// Returns the folder of the store's source.
fn store() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proxy/src/store")
}

/// Returns the statements that a store of this engine may execute.
///
/// # Errors
/// When the source cannot be read, or a statement is not written where it is executed.
pub fn of_source(engine: Engine) -> anyhow::Result<Vec<Found>> {
    let other = match engine {
        Engine::Sqlite => "postgres",
        Engine::Postgres => "sqlite",
    };
    let mut found = Vec::new();
    for path in files(&store())? {
        let name = path.strip_prefix(store())?.display().to_string();
        let of_tests =
            ["contract/", "fixture.rs", "_tests.rs", "earlier.rs"].iter().any(|part| name.contains(part));
        if of_tests || name.starts_with(other) {
            continue;
        }
        found.extend(statements(&name, &fs::read_to_string(&path)?, engine)?);
    }
    Ok(found)
}

/// Returns everything that tests themselves may execute, on one line: their source, and migrations.
///
/// # Errors
/// When it cannot be read.
pub(super) fn of_tests() -> anyhow::Result<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all = String::new();
    for folder in ["proxy/src/store", "proxy/tests", "proxy/migrations", "testkit/src", "campaign/src"] {
        for path in files(&crates.join(folder))? {
            let of_the_store = path.display().to_string().contains("store/sql/");
            if !of_the_store {
                all.push_str(&fs::read_to_string(&path)?);
            }
        }
    }
    Ok(plain(&all))
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|end| end == "rs" || end == "sql") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Returns the statements of one file.
pub(super) fn statements(file: &str, source: &str, engine: Engine) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("sqlx::query") {
        let line = &source[source[..at].rfind('\n').map_or(0, |end| end + 1)..at];
        if line.trim_start().starts_with("//") {
            continue;
        }
        let rest = &source[at..];
        let context = || format!("{file}: {:.80}", plain(rest));
        let open = rest.find('(').with_context(context)?;
        let call = rest.split(".await").next().unwrap_or_default();
        found.push(Found {
            file: file.to_owned(),
            text: text(&rest[open..], engine).with_context(context)?,
            binds_tenant: call.contains(".bind(self.tenant)"),
        });
    }
    Ok(found)
}

/// Returns the text that an argument in parentheses, which begins here, makes.
fn text(source: &str, engine: Engine) -> anyhow::Result<String> {
    let (mut text, mut code) = (String::new(), String::new());
    let mut depth = 0_u32;
    let mut characters = source.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => literal(&mut characters, &mut text),
            _ => code.push(character),
        }
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        for (call, sqlite, postgres) in MACROS {
            if code.ends_with(call) {
                text.push_str(if engine == Engine::Postgres { postgres } else { sqlite });
                code.clear();
            }
        }
    }
    anyhow::ensure!(!text.is_empty(), "the statement is not written where it is executed");
    for word in words(&code, &text) {
        let place = text.find('{').context("more words than places for them")?;
        let end = text[place..].find('}').context("a place without an end")? + place;
        text.replace_range(place..=end, &word?);
    }
    anyhow::ensure!(!text.contains('{'), "a place for a word that is not known");
    Ok(plain(&text))
}

/// Reads a literal up to its end.
fn literal(characters: &mut std::str::Chars<'_>, text: &mut String) {
    while let Some(character) = characters.next() {
        match character {
            '"' => return,
            '\\' => match characters.next() {
                Some('\n') | None => text.push(' '),
                Some(escaped) => text.push(escaped),
            },
            _ => text.push(character),
        }
    }
}

/// Returns the words that go into the places of a format string, in their order: what follows its comma, or the names in
/// the places.
fn words(code: &str, text: &str) -> Vec<anyhow::Result<String>> {
    if !text.contains('{') {
        return Vec::new();
    }
    let named: Vec<&str> = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .filter(|name| !name.is_empty())
        .collect();
    if !named.is_empty() {
        return named.into_iter().map(word).collect();
    }
    let arguments = code.split_once(',').map_or("", |(_, rest)| rest);
    let arguments = arguments
        .split(',')
        .map(|argument| argument.trim_matches(|c: char| c.is_whitespace() || c == '(' || c == ')'));
    arguments.filter(|argument| !argument.is_empty()).map(word).collect()
}

/// Returns what a piece of code writes into a statement. A new one is told here.
fn word(code: &str) -> anyhow::Result<String> {
    Ok(match code {
        "live" | "among(&states::LIVE" => among(&states::LIVE),
        "among(&states::ACTED" => among(&states::ACTED),
        "among(&states::COLLECTED" => among(&states::COLLECTED),
        "AttemptKind::PlanChange.as_str" => "plan_change".to_owned(),
        other => anyhow::bail!("`{other}` is written into a statement, and nobody knows what it is"),
    })
}

fn among(words: &[AttemptWord]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("'{}'", word.as_str())).collect();
    format!("({})", words.join(", "))
}
