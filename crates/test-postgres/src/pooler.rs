//! A real PgBouncer before a server: in transaction mode, on a socket of its own, gone when the process is.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::OnceLock,
};

use crate::{Server, ServerError, as_server_user, folder};

/// Number in the name of its socket. Each pooler has a folder of its own.
const PORT: u16 = 6432;

/// Starts the pooler, says when its socket is there, waits for the end of its input, and cleans up.
const SUPERVISOR: &str = r#"
trap '' INT TERM
"$PGBOUNCER" -q "$DIR/pgbouncer.ini" >"$DIR/log" 2>&1 &
pooler=$!
until [ -S "$DIR/.s.PGSQL.$PORT" ]; do
    kill -0 $pooler 2>/dev/null || { tr '\n' ' ' <"$DIR/log"; exit 1; }
    sleep 0.05
done
echo ready
cat >/dev/null
kill -KILL $pooler
rm -rf "$DIR"
"#;

/// A running PgBouncer.
#[derive(Debug)]
pub struct Pooler {
    folder: PathBuf,
    /// Its standard input is ours, as with [`Server`].
    _supervisor: Child,
}

impl Pooler {
    /// The pooler before [`Server::shared`], started when first asked for.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn shared() -> Result<&'static Self, &'static ServerError> {
        static SHARED: OnceLock<Result<Pooler, ServerError>> = OnceLock::new();
        let start = || match Server::shared() {
            Ok(server) => Self::before(server),
            Err(error) => Err(ServerError::Start(error.to_string())),
        };
        SHARED.get_or_init(start).as_ref()
    }

    /// Starts a pooler before a server. As Debian ships it, it refuses settings of a session that it does not know.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn before(server: &Server) -> Result<Self, ServerError> {
        let program = program().ok_or(ServerError::NoPooler)?;
        let folder = folder()?;
        let (dir, socket) = (folder.display(), server.socket.display());
        let users = folder.join("users");
        fs::write(&users, "\"tests\" \"\"\n")?;
        let config = format!(
            "[databases]\n* = host={socket}\n[pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {dir}\n\
             auth_type = trust\nauth_file = {}\npool_mode = transaction\nmax_client_conn = 5000\n\
             default_pool_size = 40\nlog_connections = 0\nlog_disconnections = 0\n",
            users.display()
        );
        fs::write(folder.join("pgbouncer.ini"), config)?;
        let mut supervisor = as_server_user(&folder)?
            .args(["sh", "-c", SUPERVISOR])
            .env("PGBOUNCER", program)
            .env("DIR", &folder)
            .env("PORT", PORT.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut said = String::new();
        if let Some(output) = supervisor.stdout.take() {
            BufReader::new(output).read_line(&mut said)?;
        }
        if said.trim() != "ready" {
            return Err(ServerError::Start(said));
        }
        Ok(Self { folder, _supervisor: supervisor })
    }

    /// The same database as at `direct`, an address by [`Server::fresh_database`], through this pooler.
    #[must_use]
    pub fn to(&self, direct: &str) -> String {
        let name = direct.split(['/', '?']).nth(3).unwrap_or_default();
        format!("postgres://tests@localhost:{PORT}/{name}?host={}", self.folder.display())
    }
}

/// Debian keeps it where only root looks.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([Path::new("/usr/sbin").to_owned()]);
    folders.map(|folder| folder.join("pgbouncer")).find(|program| program.is_file())
}
