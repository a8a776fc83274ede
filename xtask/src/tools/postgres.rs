//! A PostgreSQL server's programs. Tests start servers of their own (`crates/test-postgres`); no service has to run.

use std::path::Path;

use anyhow::Result;

use super::{on_path, packages};

/// PostgreSQL's server.
///
/// # Errors
/// When it is missing and cannot be installed from here.
pub(crate) fn ensure_postgres() -> Result<()> {
    packages::ensure(&["postgresql"], "the tests of the store need a PostgreSQL server", present)
}

/// Debian keeps them off the `PATH`, in a folder for each version.
fn present() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders = versions.map(|version| version.path().join("bin"));
    folders.any(|bin| is_server(&bin)) || on_path("initdb")
}

fn is_server(bin: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres", "createdb"].iter().all(|program| bin.join(program).is_file())
}
