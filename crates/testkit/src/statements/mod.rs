//! Every statement of the store: those in its source, and those that a test run executes.
//!
//! The list is the source itself: [`of_source`] reads each `sqlx::query…(…)` of the proxy, so that no list beside it can
//! fall behind. [`record`] has every statement of this process compared with it as it is executed: one that is not in the
//! source ends the process, since it would be one whose plan nobody has asked for. Where [`FOLDER`] names a folder, each
//! process leaves there what it executed, for [`not_executed`] after the last.

mod recorder;
mod source;

use std::{collections::BTreeSet, fs, path::PathBuf};

pub use self::{
    recorder::{FOLDER, Recorder, record},
    source::{Found, of_source},
};
use crate::history::Engine;

/// A text without what only lays it out.
#[must_use]
pub fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the statements in the source, of either engine, that no process of a test run has executed.
///
/// # Errors
/// When the folder or the source cannot be read, or nothing was recorded.
pub fn not_executed(folder: PathBuf) -> anyhow::Result<Vec<Found>> {
    let mut executed = BTreeSet::new();
    for file in fs::read_dir(folder)? {
        executed.extend(fs::read_to_string(file?.path())?.lines().map(str::to_owned));
    }
    anyhow::ensure!(!executed.is_empty(), "no statement was recorded");
    let mut missing = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        missing.extend(of_source(engine)?.into_iter().filter(|found| !executed.contains(&found.text)));
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_out_of_the_source() {
        let source = r#"
            // sqlx::query("in a comment")
            sqlx::query("SELECT 1
                         FROM offers \
                         WHERE tenant = $1").bind(self.tenant).fetch_one(x).await?;
            let x = match y { A => sqlx::query(concat!("DELETE (", skip_locked!(), ")")), };
            x.bind(self.tenant).await?;
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT {} IN {}", AttemptKind::PlanChange.as_str(),
                among(&states::LIVE)))).bind(self.tenant).await?;
        "#;
        let found = source::statements("x.rs", source, Engine::Postgres).unwrap();
        let texts: Vec<&str> = found.iter().map(|found| found.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "SELECT 1 FROM offers WHERE tenant = $1",
                "DELETE ( FOR UPDATE SKIP LOCKED)",
                "SELECT plan_change IN ('claimed', 'sent', 'unknown', 'pending')",
            ]
        );
        assert!(found.iter().all(|found| found.binds_tenant));
        assert!(
            source::statements("x.rs", "sqlx::query(text)", Engine::Sqlite).is_err(),
            "written elsewhere"
        );
        let unknown = r#"sqlx::query(format!("SELECT {}", something()))"#;
        assert!(source::statements("x.rs", unknown, Engine::Sqlite).is_err(), "made of what is not known");
    }
}
