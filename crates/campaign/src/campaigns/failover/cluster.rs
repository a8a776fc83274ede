//! A PostgreSQL cluster that fails over by itself: three nodes under Patroni, which agree through etcd, in strict
//! synchronous mode. Every way to and from a node goes through a [`Relay`]. etcd is one process here: that it stays up is
//! its own makers' promise.
//!
//! All of it are processes of our own in one folder, gone when this process is, however it ends.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;

use super::relay::Relay;

/// Longest time in which a cluster becomes whole, at first and after a fault.
const PATIENCE: Duration = Duration::from_secs(240);
/// After so long a standby that does not follow is copied anew, as an operator would have it.
const MEND_AFTER: Duration = Duration::from_secs(45);
/// Longest that Patroni may take for an answer.
const ANSWER: Duration = Duration::from_secs(3);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(250);

/// Waits for the end of its input, ends everything that was started in the folder, and removes the folder.
const SUPERVISOR: &str = r#"
trap '' INT TERM
# Processes end while they are looked at.
exec 2>/dev/null
cat >/dev/null
for round in 1 2 3; do
    for process in /proc/[0-9]*; do
        if [ "$process" != "/proc/$$" ] && tr '\0' ' ' <"$process/cmdline" | grep -qF "$DIR/"; then
            kill -KILL "${process#/proc/}"
        fi
    done
done
rm -rf "$DIR"
"#;

/// Replication from the primary to its standbys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replication {
    Synchronous,
    /// Not supported for charging. Here to measure what it loses.
    Asynchronous,
}

/// One machine.
struct Node {
    name: String,
    port: u16,
    sql: Relay,
    rest: Relay,
    etcd: Relay,
    patroni: Mutex<Child>,
}

impl Node {
    fn patroni(&self) -> MutexGuard<'_, Child> {
        self.patroni.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cluster.
pub(super) struct Cluster {
    folder: PathBuf,
    bin: PathBuf,
    nodes: Vec<Node>,
    http: reqwest::Client,
    etcd: Child,
    /// Its standard input is ours.
    _supervisor: Child,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What is left of them is ended by the supervisor.
        for node in &self.nodes {
            drop(end(&mut node.patroni()));
        }
        drop(end(&mut self.etcd));
    }
}

impl Cluster {
    /// Starts a cluster and waits until it is whole.
    pub(super) async fn start(replication: Replication) -> anyhow::Result<Self> {
        for (program, package) in [("etcd", "etcd-server"), ("patroni", "patroni")] {
            let found = std::env::var_os("PATH")
                .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()));
            anyhow::ensure!(found, "{program} is not installed; get it with `apt-get install {package}`");
        }
        let bin = test_postgres::programs().context("no PostgreSQL server; `apt-get install postgresql`")?;
        let folder = test_postgres::folder()?;
        let supervisor = test_postgres::as_server_user(&folder)?
            .args(["sh", "-c", SUPERVISOR])
            .env("DIR", &folder)
            .stdin(Stdio::piped())
            .spawn()?;
        let (client, peer) = (free_port()?, free_port()?);
        let etcd = start_etcd(&folder, client, peer)?;
        let http = testkit::client()?;
        await_etcd(&http, client).await?;
        let mut nodes = Vec::new();
        for no in 1..=3 {
            let (port, rest_port) = (free_port()?, free_port()?);
            let (sql, rest, etcd) =
                (Relay::to(port).await?, Relay::to(rest_port).await?, Relay::to(client).await?);
            let name = format!("node{no}");
            let text =
                configuration(&folder, &bin, &name, (port, &sql), (rest_port, &rest), &etcd, replication);
            fs::write(configuration_of(&folder, &name), text)?;
            let patroni = Mutex::new(start_patroni(&folder, &name)?);
            nodes.push(Node { name, port, sql, rest, etcd, patroni });
        }
        let cluster = Self { folder, bin, nodes, http, etcd, _supervisor: supervisor };
        let primary = cluster.whole(replication).await?;
        cluster.sql(primary, "CREATE DATABASE upsell")?;
        Ok(cluster)
    }

    /// The address of the database, with every node.
    pub(super) fn url(&self) -> String {
        let hosts: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.sql.port())).collect();
        let hosts = hosts.join(",");
        format!("postgres://postgres@{hosts}/upsell?target_session_attrs=read-write&sslmode=disable")
    }

    /// Waits until one node is the primary, both others follow it, and, where a commit waits for a standby, Patroni has
    /// written down which: no other may take over. Returns the primary.
    pub(super) async fn whole(&self, replication: Replication) -> anyhow::Result<usize> {
        let wanted = match replication {
            Replication::Synchronous => "2 1",
            Replication::Asynchronous => "2 0",
        };
        let until = Instant::now() + PATIENCE;
        let mut mend_at = Instant::now() + MEND_AFTER;
        loop {
            for no in 0..self.nodes.len() {
                let asked = "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE
                                 (SELECT COUNT(*) FILTER (WHERE state = 'streaming') || ' ' ||
                                         COUNT(*) FILTER (WHERE sync_state = 'sync') FROM pg_stat_replication) END";
                if self.sql(no, asked).is_ok_and(|said| said.trim() == wanted)
                    && (replication == Replication::Asynchronous || self.may_take_over(no).await)
                {
                    return Ok(no);
                }
            }
            anyhow::ensure!(Instant::now() < until, "the cluster does not become whole: {}", self.logs());
            if Instant::now() > mend_at {
                mend_at += MEND_AFTER;
                self.mend(replication).await?;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Does what an operator would where Patroni does not go on by itself:
    /// - a standby that had received more than the server that took over cannot follow, and is copied anew;
    /// - Patroni of a primary that has lost sight of what it wrote down about the standby itself ("updated by someone
    ///   else", without end) is started again.
    async fn mend(&self, replication: Replication) -> anyhow::Result<()> {
        let asked = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN 'primary'
                                 WHEN NOT EXISTS (SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming')
                                 THEN 'astray' END";
        for (no, node) in self.nodes.iter().enumerate() {
            match self.sql(no, asked).as_deref().map(str::trim) {
                Ok("astray") => {
                    eprintln!("{} does not follow and is copied anew", node.name);
                    let url = format!("http://127.0.0.1:{}/reinitialize", node.rest.port());
                    // Where that does not succeed either, the next time may.
                    drop(self.http.post(url).timeout(ANSWER).body(r#"{"force":true}"#).send().await);
                }
                Ok("primary") if replication == Replication::Synchronous && !self.may_take_over(no).await => {
                    eprintln!(
                        "{} is the primary and knows no standby; its Patroni is started again",
                        node.name
                    );
                    let mut patroni = node.patroni();
                    end(&mut patroni)?;
                    *patroni = start_patroni(&self.folder, &node.name)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Asks a node's Patroni for a standby that may take over. `false` where it knows none or does not answer.
    async fn may_take_over(&self, no: usize) -> bool {
        let ask = async {
            let url = format!("http://127.0.0.1:{}/cluster", self.nodes[no].rest.port());
            self.http.get(url).timeout(ANSWER).send().await?.text().await
        };
        ask.await.is_ok_and(|said| said.contains("sync_standby"))
    }

    /// Another node that is the primary, or takes itself for it.
    pub(super) fn primary_beside(&self, no: usize) -> Option<usize> {
        let asked = "SELECT pg_is_in_recovery()";
        let is_primary = |other: &usize| self.sql(*other, asked).is_ok_and(|said| said.trim() == "f");
        (0..self.nodes.len()).filter(|other| *other != no).find(is_primary)
    }

    /// Kills the database server of a node, as its machine's memory killer would. Patroni starts it again as a standby.
    pub(super) fn kill(&self, no: usize) -> anyhow::Result<()> {
        Ok(test_postgres::signal_server(&self.data(no), "KILL")?)
    }

    /// Stops everything on a node where it stands, or lets it go on.
    pub(super) fn freeze(&self, no: usize, frozen: bool) -> anyhow::Result<()> {
        let signal = if frozen { "STOP" } else { "CONT" };
        let patroni = self.nodes[no].patroni().id().to_string();
        Command::new("kill").args(["-s", signal, &patroni]).status()?;
        Ok(test_postgres::signal_server(&self.data(no), signal)?)
    }

    /// Cuts a node off from everybody, or connects it again.
    pub(super) fn cut_off(&self, no: usize, cut: bool) {
        let Node { sql, rest, etcd, .. } = &self.nodes[no];
        for relay in [sql, rest, etcd] {
            relay.cut(cut);
        }
    }

    /// The timeline on which a primary writes. Every takeover begins another.
    pub(super) fn timeline(&self, primary: usize) -> anyhow::Result<u32> {
        let asked = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";
        Ok(u32::from_str_radix(self.sql(primary, asked)?.trim(), 16)?)
    }

    /// Runs a statement on a node, past its relay. Returns what it prints.
    pub(super) fn sql(&self, no: usize, statement: &str) -> anyhow::Result<String> {
        let asked = Command::new("timeout")
            .arg("3")
            .arg(self.bin.join("psql"))
            .args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-h"])
            .arg(&self.folder)
            .args(["-p", &self.nodes[no].port.to_string(), "-c", statement])
            .output()?;
        anyhow::ensure!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        Ok(String::from_utf8_lossy(&asked.stdout).into_owned())
    }

    fn data(&self, no: usize) -> PathBuf {
        self.folder.join(&self.nodes[no].name).join("data")
    }

    /// The last lines that each node logged.
    pub(super) fn logs(&self) -> String {
        let mut all = String::new();
        for node in &self.nodes {
            let log = fs::read_to_string(self.folder.join(format!("{}.log", node.name))).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            all.push_str(&format!(
                "\n{}:\n{}",
                node.name,
                lines[lines.len().saturating_sub(30)..].join("\n")
            ));
        }
        all
    }
}

/// A port that nobody listens on.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A command as the user that PostgreSQL runs as, which logs into the folder.
fn command(folder: &Path, name: &str) -> anyhow::Result<Command> {
    let log = fs::File::options().create(true).append(true).open(folder.join(format!("{name}.log")))?;
    let mut command = test_postgres::as_server_user(folder)?;
    command.env("HOME", folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(command)
}

/// Ends a process; what it has started goes on.
fn end(process: &mut Child) -> std::io::Result<()> {
    process.kill()?;
    process.wait().map(drop)
}

/// Returns the path of a node's configuration.
fn configuration_of(folder: &Path, node: &str) -> PathBuf {
    folder.join(format!("{node}.yml"))
}

fn start_patroni(folder: &Path, node: &str) -> anyhow::Result<Child> {
    Ok(command(folder, node)?.arg("patroni").arg(configuration_of(folder, node)).spawn()?)
}

fn start_etcd(folder: &Path, client: u16, peer: u16) -> anyhow::Result<Child> {
    let (client, peer) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
    Ok(command(folder, "etcd")?
        .arg("etcd")
        .arg("--data-dir")
        .arg(folder.join("etcd"))
        .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("default={peer}")])
        .spawn()?)
}

/// Waits until etcd has settled on a version: Patroni does not start before.
async fn await_etcd(http: &reqwest::Client, client: u16) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let ask = async {
            let url = format!("http://127.0.0.1:{client}/version");
            http.get(url).timeout(ANSWER).send().await?.json::<serde_json::Value>().await
        };
        let version = ask.await.map(|said| said["etcdcluster"].as_str().map(str::to_owned));
        if version.is_ok_and(|version| version.is_some_and(|version| version.starts_with('3'))) {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < until, "etcd does not start");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Configuration of one node, as in docs/OPERATIONS.md but for the times, which are the shortest that Patroni recommends.
fn configuration(
    folder: &Path,
    bin: &Path,
    name: &str,
    (port, sql): (u16, &Relay),
    (rest_port, rest): (u16, &Relay),
    etcd: &Relay,
    replication: Replication,
) -> String {
    let (folder, bin) = (folder.display(), bin.display());
    let (sql, rest, etcd) = (sql.port(), rest.port(), etcd.port());
    let strict = replication == Replication::Synchronous;
    format!(
        r#"
scope: upsell
name: {name}
restapi: {{listen: "127.0.0.1:{rest_port}", connect_address: "127.0.0.1:{rest}"}}
etcd3: {{hosts: ["127.0.0.1:{etcd}"], use_proxies: true}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 5
    master_start_timeout: 0
    synchronous_mode: {strict}
    synchronous_mode_strict: {strict}
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters: {{max_connections: 100, wal_keep_size: 64MB}}
  initdb: [{{auth: trust}}, {{encoding: UTF8}}, {{locale: C}}, {{username: postgres}}, data-checksums, no-sync]
  pg_hba: ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
postgresql:
  listen: "127.0.0.1:{port}"
  connect_address: "127.0.0.1:{sql}"
  data_dir: {folder}/{name}/data
  bin_dir: {bin}
  pgpass: {folder}/{name}.pgpass
  basebackup: [{{checkpoint: fast}}]
  remove_data_directory_on_rewind_failure: true
  remove_data_directory_on_diverged_timelines: true
  authentication:
    superuser: {{username: postgres}}
    replication: {{username: replicator}}
    rewind: {{username: postgres}}
  parameters: {{unix_socket_directories: "{folder}"}}
watchdog: {{mode: "off"}}
"#
    )
}
