//! A whole proxy, spoken to over HTTP.

use std::{ops::Deref, path::PathBuf, sync::Arc};

use ::proxy::{
    Application,
    clock::{Clock, ManualClock},
    settings::{Arguments, Limits, Secrets, Settings},
};
use anyhow::Context as _;
use clap::Parser as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::UnixSeconds;

use crate::{Database, Dodo, ProxyClient};

/// Key of the merchant's server.
pub const MERCHANT_KEY: &str = "merchant-key-of-the-tests";
/// What charges of every proxy in tests are signed with.
pub const SIGNING_KEYS: &str = "k1:dXBzZWxsLXNpZ25pbmcta2V5LW9mLXRoZS10ZXN0cyE=";
/// The merchant's name for the rows of every proxy and of in-process services.
pub const MERCHANT: &str = "tests";
/// Key that the simulator signs webhooks with by default.
pub const WEBHOOK_SECRET: &str = dodo_sim::DEFAULT_WEBHOOK_SECRET;

/// A limit that no test reaches.
const UNLIMITED: &str = "1000000";

/// Everything that differs from one proxy to another.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The database.
    pub database: Database,
    /// The merchant's rules; the shipped example unless said.
    pub rules: String,
    /// A clock that the test moves, instead of the machine's or the database's.
    pub clock: Option<Arc<ManualClock>>,
    /// Keys that webhooks may be signed with.
    pub webhook_keys: Vec<String>,
    /// The moment of the backup that the database was restored from.
    pub restored_at: Option<UnixSeconds>,
    /// Files of the widget.
    pub widget_dir: Option<PathBuf>,
    /// Files of the upgrade page.
    pub spa_dir: Option<PathBuf>,
    /// Address and key of the merchant's system for notifications.
    pub notify: Option<(String, String)>,
    /// Limits that a test runs into.
    pub limits: Option<fn(&mut Limits)>,
}

impl Setup {
    /// Returns the shipped rules over an empty SQLite database.
    ///
    /// # Errors
    /// When there is no room for one.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self::over(Database::sqlite()?))
    }

    /// Returns the shipped rules over a database.
    #[must_use]
    pub fn over(database: Database) -> Self {
        Self {
            database,
            rules: include_str!("../../proxy/upsell.toml").to_owned(),
            clock: None,
            webhook_keys: vec![WEBHOOK_SECRET.to_owned()],
            restored_at: None,
            widget_dir: None,
            spa_dir: None,
            notify: None,
            limits: None,
        }
    }
}

/// A running proxy. Dropped without [`Proxy::stop`], it goes on until the process ends.
#[derive(Debug)]
pub struct Proxy {
    client: ProxyClient,
    ops_url: String,
    settings: Settings,
    stop: CancellationToken,
    running: JoinHandle<Result<(), ::proxy::application::ApplicationError>>,
}

/// The proxy's own flags, with their defaults.
#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    arguments: Arguments,
}

impl Deref for Proxy {
    type Target = ProxyClient;

    fn deref(&self) -> &ProxyClient {
        &self.client
    }
}

impl Proxy {
    /// Starts a proxy. It receives no webhooks of the simulator until [`Proxy::hear`].
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(dodo: &Dodo, setup: &Setup) -> anyhow::Result<Self> {
        let folder = setup.database.folder();
        let rules = folder.join("upsell.toml");
        std::fs::write(&rules, &setup.rules).context("the rules cannot be written")?;
        let flags = [
            ("--listen", "127.0.0.1:0".to_owned()),
            ("--ops-listen", "127.0.0.1:0".to_owned()),
            ("--config", rules.display().to_string()),
            ("--merchant", MERCHANT.to_owned()),
            ("--environment", "test_mode".to_owned()),
            ("--return-url", "https://shop.example/thanks".to_owned()),
            ("--allowed-origins", "https://shop.example".to_owned()),
            ("--dodo-base-url", dodo.url()),
            // A test is one address with many buyers, and its simulator counts nothing.
            ("--token-requests-per-minute", UNLIMITED.to_owned()),
            ("--address-requests-per-minute", UNLIMITED.to_owned()),
            ("--dodo-requests-per-second", UNLIMITED.to_owned()),
            ("--dodo-requests-per-minute", UNLIMITED.to_owned()),
            // A busy machine is no slow Dodo: a token is confirmed when it comes, unless a test is about that.
            ("--session-wait-ms", "30000".to_owned()),
        ];
        let path = |path: &PathBuf| path.display().to_string();
        let is_beside = setup.database.url().starts_with("sqlite:");
        let forgotten_list = (!is_beside).then(|| path(&folder.join("forgotten")));
        let optional = [
            ("--restored-at", setup.restored_at.map(|at| at.0.to_string())),
            // Beside the database on SQLite by itself.
            ("--forgotten-list", forgotten_list),
            ("--widget-dir", setup.widget_dir.as_ref().map(path)),
            ("--spa-dir", setup.spa_dir.as_ref().map(path)),
            ("--notify-url", setup.notify.as_ref().map(|(url, _)| url.clone())),
        ];
        let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let words = flags.into_iter().chain(optional).flat_map(|(name, value)| [name.to_owned(), value]);
        let Flags { arguments } = Flags::try_parse_from(std::iter::once("testkit".to_owned()).chain(words))?;
        let keys = setup.webhook_keys.join(" ");
        let secrets = Secrets::read(|name| match name {
            "UPSELL_MERCHANT_KEY" => Some(MERCHANT_KEY.to_owned()),
            "UPSELL_SIGNING_KEYS" => Some(SIGNING_KEYS.to_owned()),
            "DODO_PAYMENTS_API_KEY" => Some(dodo_sim::DEFAULT_KEY.to_owned()),
            "DODO_PAYMENTS_WEBHOOK_KEY" => Some(keys.clone()),
            "DATABASE_URL" => Some(setup.database.url().to_owned()),
            "DATABASE_DIRECT_URL" => setup.database.direct_url().map(str::to_owned),
            "UPSELL_NOTIFY_KEY" => setup.notify.as_ref().map(|(_, key)| key.clone()),
            _ => None,
        });
        let clock = setup.clock.clone().map(|clock| clock as Arc<dyn Clock>);
        let mut settings = Settings::check(arguments, secrets)?;
        if let Some(change) = setup.limits {
            change(&mut settings.limits);
        }
        let application = Application::build_with(settings.clone(), None, clock).await?;
        let url = application.address().to_string();
        let ops_url = format!("http://{}", application.ops_address());
        let stop = CancellationToken::new();
        let running = tokio::spawn(application.run_until_stopped(stop.clone().cancelled_owned()));
        Ok(Self { client: ProxyClient::of(url)?, ops_url, settings, stop, running })
    }

    /// Has the simulator deliver its webhooks here.
    ///
    /// # Errors
    /// Never, with an address of ours.
    pub fn hear(&self, dodo: &Dodo) -> anyhow::Result<()> {
        dodo.deliver_to(self.url())
    }

    /// Stops as a deployment stops: pending answers and charges finish.
    ///
    /// # Errors
    /// When it ends badly.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.running.await.context("the proxy panicked")??;
        Ok(())
    }

    /// Returns the address of health and metrics.
    #[must_use]
    pub fn ops_url(&self) -> &str {
        &self.ops_url
    }

    /// Returns what the proxy was started with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
