//! PostgreSQL's programs, and those that make a cluster of several servers. Tests start servers of their own
//! (`crates/test-postgres`, the campaign `failover`); no service has to run.

use std::path::Path;

use anyhow::Result;

use super::{on_path, packages};

/// PostgreSQL's server, PgBouncer, Patroni and etcd.
///
/// # Errors
/// When one is missing and cannot be installed from here.
pub(crate) fn ensure_postgres() -> Result<()> {
    packages::ensure(
        &["postgresql", "pgbouncer", "patroni", "etcd-server"],
        "the tests of the store need PostgreSQL, PgBouncer, Patroni and etcd",
        present,
    )
}

/// Debian keeps some of them off the `PATH`: the server in a folder for each version, PgBouncer where only root looks.
fn present() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders = versions.map(|version| version.path().join("bin"));
    let server = folders.any(|bin| is_server(&bin)) || on_path("initdb");
    let pooler = on_path("pgbouncer") || Path::new("/usr/sbin/pgbouncer").is_file();
    server && pooler && on_path("patroni") && on_path("etcd")
}

fn is_server(bin: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres", "createdb"].iter().all(|program| bin.join(program).is_file())
}
