//! Everything running together: simulator, proxy and demo shop, wired to each other.

mod ports;
mod service;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use tempfile::TempDir;

use self::service::Service;
use crate::process::{cargo, must_run, program, say};
use crate::tools::Toolbox;
use crate::{embed, repo, spa};

/// Keys for a stack on this machine. They open nothing else.
const MERCHANT_KEY: &str = "upsell_merchant_demo_0123456789abcdef0123456789abcdef";
const SIM_KEY: &str = "dodo_test_sim_key";
/// What the demo's charges are signed with.
const SIGNING_KEYS: &str = "k1:dXBzZWxsLXNpZ25pbmcta2V5LW9mLXRoZS1kZW1vISE=";
const WEBHOOK_SECRET: &str = "whsec_ZG9kby1zaW0tdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OSE=";

/// Which ports to listen on.
pub(crate) enum Ports {
    /// The usual ones, or the next free ones: for people.
    Usual,
    /// Any that nobody uses: for programs, several at a time.
    OutOfTheWay,
}

/// Where everything is and how to be let in: the one line that `cargo xtask stack` prints.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Addresses {
    /// The simulator; its control plane is under `/_sim/`.
    pub(crate) sim: String,
    /// The proxy.
    pub(crate) proxy: String,
    /// The proxy's health and metrics.
    pub(crate) ops: String,
    /// The demo shop.
    pub(crate) shop: String,
    /// For minting sessions at the proxy.
    pub(crate) merchant_key: &'static str,
    /// For calling the simulator as the merchant.
    pub(crate) sim_key: &'static str,
    /// Database and logs; removed at the end.
    pub(crate) data_dir: PathBuf,
}

/// The running stack. Dropping it ends the servers and removes their data.
pub(crate) struct Stack {
    /// Where everything is.
    pub(crate) addresses: Addresses,
    // Ended in this order: the shop first, the simulator last, then the data goes.
    services: Vec<Service>,
    _data: TempDir,
}

/// Builds what the stack runs: three servers and both forms of the widget.
///
/// # Errors
/// When a build fails.
pub(crate) fn build() -> Result<()> {
    let tools = Toolbox::new()?;
    say("building simulator, proxy and demo shop");
    must_run(cargo().args([
        "build",
        "--quiet",
        "-p",
        "dodo-sim",
        "-p",
        "upsell-proxy",
        "-p",
        "demo-shop",
        "--bins",
    ]))?;
    embed::build(&tools, None)?;
    spa::build(&tools, None)
}

impl Stack {
    /// Starts everything that [`build`] has built.
    ///
    /// # Errors
    /// When a server does not come up; with the end of its log.
    pub(crate) fn start(ports: &Ports) -> Result<Self> {
        let data =
            tempfile::Builder::new().prefix("upsell-stack-").tempdir().context("no temporary folder")?;
        let [sim, proxy, ops, shop] = match ports {
            Ports::Usual => {
                let sim = ports::at_or_above(4010)?;
                let proxy = ports::at_or_above(4020.max(sim + 1))?;
                let ops = ports::at_or_above(4021.max(proxy + 1))?;
                [sim, proxy, ops, ports::at_or_above(4030.max(ops + 1))?]
            }
            Ports::OutOfTheWay => ports::out_of_the_way()?,
        };
        let addresses = Addresses {
            sim: url(sim),
            proxy: url(proxy),
            ops: url(ops),
            shop: url(shop),
            merchant_key: MERCHANT_KEY,
            sim_key: SIM_KEY,
            data_dir: data.path().to_path_buf(),
        };
        let bin = |name: &str| -> Result<PathBuf> { Ok(repo::target()?.join("debug").join(name)) };
        let logs = data.path();

        // The proxy asks Dodo at its start, so the simulator is first; webhooks wait until somebody buys.
        let sim = Service::start(
            "dodo-sim",
            program(bin("dodo-sim")?)
                .args(["--port", &sim.to_string()])
                .args(["--api-key", SIM_KEY])
                // Dodo's next tier: a program buys, changes plans and reads back faster than 40 requests a second.
                .args(["--policy", "rate_limit=tier1"])
                .args(["--webhook-url", &format!("{}/webhooks/dodo", addresses.proxy)])
                .args(["--webhook-secret", WEBHOOK_SECRET]),
            logs,
        )?;
        let proxy = Service::start(
            "upsell-proxy",
            &mut proxy_command(&bin("upsell-proxy")?, &addresses, proxy, ops),
            logs,
        )?;
        let shop = Service::start(
            "demo-shop",
            program(bin("demo-shop")?)
                .env("SHOP_LISTEN", format!("127.0.0.1:{shop}"))
                .env("SHOP_PUBLIC_URL", &addresses.shop)
                .env("DODO_PAYMENTS_BASE_URL", &addresses.sim)
                .env("DODO_PAYMENTS_API_KEY", SIM_KEY)
                .env("SHOP_PROXY_URL", &addresses.proxy)
                .env("SHOP_MERCHANT_KEY", MERCHANT_KEY),
            logs,
        )?;
        Ok(Self { addresses, services: vec![shop, proxy, sim], _data: data })
    }

    /// Waits until somebody ends it.
    ///
    /// # Errors
    /// When a server ended by itself; with the end of its log.
    pub(crate) fn wait(mut self, until_input_closes: bool) -> Result<()> {
        let (sender, receiver) = channel();
        let on_signal = sender.clone();
        ctrlc::set_handler(move || {
            let _ = on_signal.send(());
        })?;
        if until_input_closes {
            watch_input(sender.clone());
        }
        loop {
            match receiver.recv_timeout(Duration::from_millis(250)) {
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            for service in &mut self.services {
                if let Some(status) = service.ended()? {
                    // Ctrl-C reaches the servers too, and one of them may end before our own handler has run.
                    if receiver.recv_timeout(Duration::from_millis(250)).is_ok() {
                        return Ok(());
                    }
                    bail!("{} ended with {status}:\n{}", service.name(), service.last_words());
                }
            }
        }
    }
}

/// `cargo xtask stack`.
///
/// # Errors
/// When something does not build or does not come up.
pub(crate) fn serve_json() -> Result<()> {
    build()?;
    let stack = Stack::start(&Ports::OutOfTheWay)?;
    println!("{}", serde_json::to_string(&stack.addresses)?);
    stack.wait(true)
}

fn proxy_command(binary: &Path, addresses: &Addresses, port: u16, ops: u16) -> std::process::Command {
    let mut command = program(binary);
    command
        .arg("serve")
        .env("UPSELL_LISTEN", format!("127.0.0.1:{port}"))
        .env("UPSELL_OPS_LISTEN", format!("127.0.0.1:{ops}"))
        .env("UPSELL_DATABASE", addresses.data_dir.join("upsell.db"))
        .env("UPSELL_CONFIG", rules())
        .env("UPSELL_MERCHANT_KEY", MERCHANT_KEY)
        .env("UPSELL_SIGNING_KEYS", SIGNING_KEYS)
        .env("UPSELL_PUBLIC_URL", &addresses.proxy)
        .env("UPSELL_ALLOWED_ORIGINS", format!("{},{}", addresses.shop, addresses.proxy))
        .env("UPSELL_RETURN_URL", format!("{}/success", addresses.shop))
        .env("UPSELL_WIDGET_DIR", embed::folder())
        .env("UPSELL_SPA_DIR", spa::folder())
        .env("DODO_PAYMENTS_API_KEY", SIM_KEY)
        .env("DODO_PAYMENTS_WEBHOOK_KEY", WEBHOOK_SECRET)
        .env("DODO_PAYMENTS_ENVIRONMENT", "test_mode")
        .env("DODO_PAYMENTS_BASE_URL", &addresses.sim)
        // As many as the simulator allows; and here all the world has one address.
        .env("UPSELL_DODO_REQUESTS_PER_SECOND", "100")
        .env("UPSELL_DODO_REQUESTS_PER_MINUTE", "1000")
        .env("UPSELL_ADDRESS_REQUESTS_PER_MINUTE", "100000")
        // What is checked here is not how slow a busy machine is.
        .env("UPSELL_SESSION_WAIT_MS", "30000");
    command
}

/// The rules file that ships as the example.
pub(crate) fn rules() -> PathBuf {
    repo::root().join("crates/proxy/upsell.toml")
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Whoever started us holds the other end of our input; when it is gone, so are we.
fn watch_input(sender: Sender<()>) {
    std::thread::spawn(move || {
        let mut nothing = [0_u8; 256];
        let mut input = std::io::stdin().lock();
        while matches!(input.read(&mut nothing), Ok(n) if n > 0) {}
        let _ = sender.send(());
    });
}
