//! The proxy's program as a process of its own, which can be killed.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;

use crate::{Dodo, MERCHANT, MERCHANT_KEY, ProxyClient, SIGNING_KEYS, Setup, WEBHOOK_SECRET, client};

/// Longest time for a start.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two readiness checks.
const PAUSE: Duration = Duration::from_millis(5);

/// A running program. Dropped, it is killed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    ready: String,
}

/// The ports of every start, so that buyers find the proxy where it was.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    api: u16,
    ops: u16,
}

impl Ports {
    /// Reserves two free ports.
    ///
    /// # Errors
    /// When there are none.
    pub fn free() -> anyhow::Result<Self> {
        let (api, ops) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
        Ok(Self { api: api.local_addr()?.port(), ops: ops.local_addr()?.port() })
    }

    /// Returns a client of the API, whichever process serves it.
    ///
    /// # Errors
    /// When there is no HTTP client.
    pub fn client(self) -> anyhow::Result<ProxyClient> {
        ProxyClient::of(format!("http://127.0.0.1:{}", self.api))
    }
}

impl Process {
    /// Starts the program. It may not be ready yet.
    ///
    /// # Errors
    /// When the program is missing or does not start.
    pub fn start(dodo: &Dodo, setup: &Setup, ports: Ports) -> anyhow::Result<Self> {
        let program = program()?;
        let rules = setup.database.folder().join("upsell.toml");
        std::fs::write(&rules, &setup.rules).context("the rules cannot be written")?;
        let many = "1000000";
        let child = Command::new(&program)
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{}", ports.api)])
            .args(["--ops-listen", &format!("127.0.0.1:{}", ports.ops)])
            .args(["--merchant", MERCHANT, "--environment", "test_mode"])
            .args(["--return-url", "https://shop.example/thanks"])
            .args(["--dodo-base-url", &dodo.url()])
            .args(["--token-requests-per-minute", many, "--address-requests-per-minute", many])
            .args(["--dodo-requests-per-second", many, "--dodo-requests-per-minute", many])
            .args(["--session-wait-ms", "30000"])
            .arg("--config")
            .arg(&rules)
            .env("UPSELL_MERCHANT_KEY", MERCHANT_KEY)
            .env("UPSELL_SIGNING_KEYS", SIGNING_KEYS)
            .env("DODO_PAYMENTS_API_KEY", dodo_sim::DEFAULT_KEY)
            .env("DODO_PAYMENTS_WEBHOOK_KEY", WEBHOOK_SECRET)
            .env("DATABASE_URL", setup.database.url())
            .envs(setup.database.direct_url().map(|url| ("DATABASE_DIRECT_URL", url)))
            .env("RUST_LOG", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} does not start", program.display()))?;
        Ok(Self { child, ready: format!("http://127.0.0.1:{}/readyz", ports.ops) })
    }

    /// Waits until the program says that it is ready. Returns how long that took.
    ///
    /// # Errors
    /// When the program ends, or is not ready in time.
    pub async fn ready(&mut self) -> anyhow::Result<Duration> {
        let (http, began) = (client()?, Instant::now());
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("the proxy ended by itself with {status}");
            }
            if http.get(&self.ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(began.elapsed());
            }
            tokio::time::sleep(PAUSE).await;
        }
        anyhow::bail!("the proxy is not ready after {} s", PATIENCE.as_secs())
    }

    /// Kills the program with `kill -9`.
    ///
    /// # Errors
    /// When the program cannot be killed.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Where it is dead already there is nothing to do.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns `UPSELL_PROXY_BIN`, or the program that was built beside this one.
fn program() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("UPSELL_PROXY_BIN") {
        return Ok(path.into());
    }
    let own = std::env::current_exe()?;
    let beside = own.with_file_name(format!("upsell-proxy{}", std::env::consts::EXE_SUFFIX));
    anyhow::ensure!(
        beside.is_file(),
        "{} is not there: build it with `cargo build -p upsell-proxy`, or name one in UPSELL_PROXY_BIN",
        beside.display()
    );
    Ok(beside)
}
