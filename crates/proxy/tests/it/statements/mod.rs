//! I20: no statement's cost grows with the history. The plan of each is asked of both engines, over a store that holds
//! years of it, and each is one that a test has executed.

mod plans;
mod postgres;
mod sqlite;

use std::{env, fs, path::Path};

use testkit::{
    history::Engine,
    statements::{FOLDER, not_executed, of_source},
};

/// Data of one merchant must not be reachable from another's store.
#[test]
fn every_statement_names_and_binds_the_tenant() {
    let found = of_source(Engine::Sqlite).unwrap();
    let shared: Vec<_> = found.iter().filter(|found| found.file.starts_with("sql/")).collect();
    assert!(shared.len() > 60, "only {} statements were found", shared.len());
    for found in shared {
        assert!(found.text.contains("tenant") && found.binds_tenant, "{}: {}", found.file, found.text);
    }
}

#[test]
fn statements_stand_in_the_store_and_nowhere_else() {
    fn search(folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("store") {
                search(&path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let source = fs::read_to_string(&path).unwrap();
                assert!(!source.contains("sqlx::"), "{}", path.display());
            }
        }
    }
    search(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
}

/// One that no test executes may be wrong, and is not known to bind what it names.
#[test]
#[ignore = "asked for by `cargo xtask test` after everything else has run"]
fn every_statement_was_executed_by_some_test() {
    let folder = env::var_os(FOLDER).expect("the folder of what was executed");
    let missing = not_executed(folder.into()).unwrap();
    assert!(missing.is_empty(), "no test executes {missing:#?}");
}
