//! A real PostgreSQL server for tests: one a process, on a socket of its own, gone when the process is, however it ends.
//!
//! Only the programs of Debian's packages `postgresql` and `pgbouncer` are needed; no service has to run. What is missing
//! is an error that says how to get it, never a skipped test.

mod pooler;

use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

pub use pooler::Pooler;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Its programs are not there.
    #[error("no PostgreSQL server is installed; get one with `apt-get install postgresql`")]
    NotInstalled,
    /// The pooler's program is not there.
    #[error("PgBouncer is not installed; get it with `apt-get install pgbouncer`")]
    NoPooler,
    /// They are, and do not work.
    #[error("the PostgreSQL server for tests does not start: {0}")]
    Start(String),
    /// The system refused something.
    #[error("the PostgreSQL server for tests: {0}")]
    Io(#[from] std::io::Error),
}

/// A process that was told to stand still does so within milliseconds.
const STOPS_WITHIN: Duration = Duration::from_secs(2);

/// Makes the cluster, starts the server, says so, waits for the end of its input, stops the server, removes everything.
/// PostgreSQL refuses to run as root, so that root runs it as the user that its package makes.
const SUPERVISOR: &str = r#"
set -e
trap 'rm -rf "$DIR"' EXIT
trap '' INT TERM
if [ -n "$PRIMARY" ]; then
    "$BIN/pg_basebackup" -d "$PRIMARY" -D "$DIR/data" -R -c fast --no-sync >"$DIR/log" 2>&1
else
    "$BIN/initdb" -D "$DIR/data" -U tests -A trust -E UTF8 --locale=C --no-sync >"$DIR/log" 2>&1
fi || { cat "$DIR/log" >&2; exit 1; }
"$BIN/pg_ctl" -D "$DIR/data" -l "$DIR/log" -w -o "$OPTIONS" start >/dev/null 2>&1 ||
    { cat "$DIR/log" >&2; exit 1; }
echo ready
cat >/dev/null
"$BIN/pg_ctl" -D "$DIR/data" -m immediate stop >/dev/null 2>&1
"#;

/// A running server.
#[derive(Debug)]
pub struct Server {
    bin: PathBuf,
    socket: PathBuf,
    names: AtomicU32,
    /// Its standard input is ours: when this process ends, the supervisor reads the end of it and cleans up.
    _supervisor: Child,
}

impl Server {
    /// The server of this process, started when first asked for.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn shared() -> Result<&'static Self, &'static ServerError> {
        static SHARED: OnceLock<Result<Server, ServerError>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[])).as_ref()
    }

    /// Another server, with settings (`-c name=value`) of its own. It lives as long as this process.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn start(settings: &[&str]) -> Result<Self, ServerError> {
        Self::start_from(folder()?, settings, "")
    }

    /// Another server, whose data is on the disk: for more of it than fits into memory. It lives as long as this process.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn start_on_disk(settings: &[&str]) -> Result<Self, ServerError> {
        Self::start_from(folder_in(&std::env::temp_dir())?, settings, "")
    }

    /// A standby that follows this server, under the name `name`. It lives as long as this process.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn standby(&self, name: &str) -> Result<Self, ServerError> {
        Self::start_from(
            folder()?,
            &[],
            &format!("host={} user=tests application_name={name}", self.socket.display()),
        )
    }

    fn start_from(folder: PathBuf, settings: &[&str], primary: &str) -> Result<Self, ServerError> {
        let bin = programs().ok_or(ServerError::NotInstalled)?;
        let mut options = format!("-k {} -c listen_addresses='' -c max_connections=500", folder.display());
        for setting in settings {
            options.push_str(" -c ");
            options.push_str(setting);
        }
        let mut command = as_server_user(&folder)?;
        let mut supervisor = command
            .args(["sh", "-c", SUPERVISOR])
            .env("BIN", &bin)
            .env("DIR", &folder)
            .env("OPTIONS", options)
            .env("PRIMARY", primary)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut said = String::new();
        if let Some(output) = supervisor.stdout.take() {
            BufReader::new(output).read_line(&mut said)?;
        }
        if said.trim() != "ready" {
            let mut why = String::new();
            if let Some(mut errors) = supervisor.stderr.take() {
                errors.read_to_string(&mut why)?;
            }
            return Err(ServerError::Start(why));
        }
        Ok(Self { bin, socket: folder, names: AtomicU32::new(0), _supervisor: supervisor })
    }

    /// The address of a new, empty database.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn fresh_database(&self) -> Result<String, ServerError> {
        let name = format!("tests_{}", self.names.fetch_add(1, Ordering::Relaxed));
        let made = Command::new(self.bin.join("createdb"))
            .args(["-U", "tests", "-h"])
            .arg(&self.socket)
            .arg(&name)
            .output()?;
        if !made.status.success() {
            return Err(ServerError::Start(String::from_utf8_lossy(&made.stderr).into_owned()));
        }
        Ok(format!("postgres://tests@localhost/{name}?host={}", self.socket.display()))
    }

    /// The host of this server in an address that names several, as a folder's path in which `/` is written `%2F`.
    #[must_use]
    pub fn host(&self) -> String {
        self.socket.display().to_string().replace('/', "%2F")
    }

    /// Runs statements, each by itself, as the superuser in a database that is always there. Returns what they print.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn sql(&self, statements: &[&str]) -> Result<String, ServerError> {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "tests", "-d", "postgres", "-h"])
            .arg(&self.socket);
        for statement in statements {
            psql.args(["-c", statement]);
        }
        let done = psql.output()?;
        if !done.status.success() {
            return Err(ServerError::Start(String::from_utf8_lossy(&done.stderr).into_owned()));
        }
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Sends a signal such as `STOP`, `CONT` or `KILL` to the server and all its processes.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn signal(&self, signal: &str) -> Result<(), ServerError> {
        signal_server(&self.socket.join("data"), signal)
    }

    /// Where the server's programs are: `psql`, `pg_dump` and the rest.
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.bin
    }
}

/// Sends a signal to the server with this data directory and all its processes.
///
/// # Errors
/// See [`ServerError`].
pub fn signal_server(data: &Path, signal: &str) -> Result<(), ServerError> {
    let main = std::fs::read_to_string(data.join("postmaster.pid"))?;
    let main = main.lines().next().unwrap_or_default().trim();
    let send =
        |signal: &str, to: &str| Command::new("kill").args(["-s", signal, to]).stderr(Stdio::null()).status();
    // It stands still while its children are counted, so that none is born meanwhile.
    send("STOP", main)?;
    let until = Instant::now() + STOPS_WITHIN;
    while Standing::of(main).is_some_and(|it| it.state != 'T') && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    for child in children(main)? {
        // Those that have ended meanwhile need no signal.
        send(signal, &child)?;
    }
    let done = send(signal, main)?;
    if done.success() { Ok(()) } else { Err(ServerError::Start(format!("kill -s {signal} {main}: {done}"))) }
}

/// State of a process, as Linux tells it.
struct Standing {
    state: char,
    parent: String,
}

impl Standing {
    /// `None` of a process that has ended.
    fn of(process: &str) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name before it may hold anything.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        Some(Self { state: fields.next()?.chars().next()?, parent: fields.next()?.to_owned() })
    }
}

/// The children of a process. Every process is looked at: the list that Linux keeps of them (`children`) may leave some out
/// while others end.
fn children(of: &str) -> Result<Vec<String>, ServerError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Ok(process) = entry?.file_name().into_string() else { continue };
        let is_child = process.starts_with(|first: char| first.is_ascii_digit())
            && Standing::of(&process).is_some_and(|it| it.parent == of);
        if is_child {
            found.push(process);
        }
    }
    Ok(found)
}

/// A new folder in memory, where there is a file system for it: commits are as durable for the code, and quicker.
///
/// # Errors
/// See [`ServerError`].
pub fn folder() -> Result<PathBuf, ServerError> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { folder_in(memory) } else { folder_in(&std::env::temp_dir()) }
}

fn folder_in(parent: &Path) -> Result<PathBuf, ServerError> {
    Ok(tempfile::Builder::new().prefix("upsell-pg-").tempdir_in(parent)?.keep())
}

/// The newest version's programs, as Debian lays them out, or those of `pg_config` elsewhere.
#[must_use]
pub fn programs() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = installed
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, bin)| bin.join("initdb").is_file())
        .max();
    newest.map(|(_, bin)| bin).or_else(|| {
        let said = Command::new("pg_config").arg("--bindir").output().ok()?;
        let bin = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim());
        bin.join("initdb").is_file().then_some(bin)
    })
}

/// The beginning of a command that PostgreSQL's programs accept to be run by: root hands the folder over to the user
/// `postgres` and becomes it; anybody else stays who they are.
///
/// # Errors
/// See [`ServerError`].
pub fn as_server_user(folder: &Path) -> Result<Command, ServerError> {
    let root = std::fs::metadata("/proc/self")?.uid() == 0;
    if !root {
        return Ok(Command::new("env"));
    }
    let handed = Command::new("chown").arg("postgres:").arg(folder).output()?;
    if !handed.status.success() {
        return Err(ServerError::Start(String::from_utf8_lossy(&handed.stderr).into_owned()));
    }
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "env"]);
    Ok(command)
}
