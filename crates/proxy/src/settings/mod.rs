//! Everything the proxy is told before it starts, from flags and environment, and what it refuses to start with.
//!
//! Secrets come from the environment only: a command line can be read by every user of a machine. Nothing here opens a
//! file or a socket except the rules file, so `check-config` runs the very same checks.

mod addresses;
mod limits;
mod notify;
mod retention;
mod written;

use std::{net::SocketAddr, path::PathBuf};

use dodo_client::{ApiKey, ConfigError, Mode};
use secrecy::{ExposeSecret, SecretString};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use wire::UnixSeconds;

pub use addresses::{AddressError, Origin, notify_url, public_url, return_url};
pub use limits::{LimitArguments, Limits};
pub use notify::Notify;
pub use retention::{Retention, RetentionArguments};

use upsell_core::{
    domain::{TagKeyError, TagKeys, Tenant},
    policy::retention::PeriodError,
    rules::{Rules, RulesError},
};

use crate::{
    client_address::RangeError,
    store::{Database, DatabaseError},
    webhook_signature::{KeyError, WebhookKey},
};

/// The shortest merchant key, in characters.
pub const MIN_MERCHANT_KEY: usize = 16;

/// Where things are: flags, each with an environment variable of its own.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Address for buyers' browsers, the merchant's server and Dodo's webhooks.
    #[arg(long, env = "UPSELL_LISTEN", default_value = "127.0.0.1:4020")]
    pub listen: SocketAddr,
    /// Address for health checks and metrics. Keep it away from the internet.
    #[arg(long, env = "UPSELL_OPS_LISTEN", default_value = "127.0.0.1:4021")]
    pub ops_listen: SocketAddr,
    /// SQLite file; made when it is not there. `DATABASE_URL` in the environment takes its place.
    #[arg(long, env = "UPSELL_DATABASE", default_value = "upsell.sqlite")]
    pub database: PathBuf,
    /// The merchant's rules.
    #[arg(long, env = "UPSELL_CONFIG", default_value = "upsell.toml")]
    pub config: PathBuf,
    /// Name under which this merchant's rows are kept. Changing it starts with an empty memory.
    #[arg(long, env = "UPSELL_MERCHANT", default_value = "main")]
    pub merchant: String,
    /// Address under which browsers reach the proxy; absent means `http://` and `--listen`.
    #[arg(long, env = "UPSELL_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Origins of the pages that hold the widget, separated by commas.
    #[arg(long, env = "UPSELL_ALLOWED_ORIGINS", value_delimiter = ',')]
    pub allowed_origins: Vec<String>,
    /// Where a buyer comes back to from Dodo's hosted pages.
    #[arg(long, env = "UPSELL_RETURN_URL")]
    pub return_url: Option<String>,
    /// Where your system is told about accepted, paid and declined offers; needs `UPSELL_NOTIFY_KEY`.
    #[arg(long, env = "UPSELL_NOTIFY_URL")]
    pub notify_url: Option<String>,
    /// The widget's files, served at `/`. Absent means those in the binary, if it was built with them.
    #[arg(long, env = "UPSELL_WIDGET_DIR")]
    pub widget_dir: Option<PathBuf>,
    /// The upgrade page, served at `/upgrade/`. Absent means the one in the binary, if it was built with it.
    #[arg(long, env = "UPSELL_SPA_DIR")]
    pub spa_dir: Option<PathBuf>,
    /// `test_mode` or `live_mode`.
    #[arg(long, env = "DODO_PAYMENTS_ENVIRONMENT", default_value = "test_mode", value_parser = mode)]
    pub environment: Mode,
    /// The moment of the backup that the database was restored from, as 2026-11-25T10:00:00Z or in seconds since 1970:
    /// charges made since are looked up at Dodo and written down anew before anything is accepted.
    #[arg(long, env = "UPSELL_RESTORED_AT", value_parser = moment)]
    pub restored_at: Option<UnixSeconds>,
    /// Another address than Dodo's own: the simulator.
    #[arg(long, env = "DODO_PAYMENTS_BASE_URL")]
    pub dodo_base_url: Option<String>,
    /// How much is let in, and how much is asked of Dodo.
    #[command(flatten)]
    pub limits: LimitArguments,
    /// How long what is kept.
    #[command(flatten)]
    pub retention: RetentionArguments,
}

/// Where the rows are and whose: all that looking into a store needs.
#[derive(Clone, Debug, clap::Args)]
pub struct StorePlace {
    /// As for `serve`.
    #[arg(long, env = "UPSELL_DATABASE", default_value = "upsell.sqlite")]
    pub database: PathBuf,
    /// As for `serve`.
    #[arg(long, env = "UPSELL_MERCHANT", default_value = "main")]
    pub merchant: String,
    /// As for `serve`.
    #[arg(long, env = "DODO_PAYMENTS_ENVIRONMENT", default_value = "test_mode", value_parser = mode)]
    pub environment: Mode,
}

impl StorePlace {
    /// Which database, and whose rows in it.
    ///
    /// # Errors
    /// When `DATABASE_URL` is no address.
    pub fn check(self, secrets: &Secrets) -> Result<(Database, Tenant), SettingsError> {
        let database = secrets.database(self.database)?;
        Ok((database, Tenant { merchant: self.merchant, mode: self.environment }))
    }
}

fn mode(text: &str) -> Result<Mode, &'static str> {
    match text {
        "test_mode" => Ok(Mode::Test),
        "live_mode" => Ok(Mode::Live),
        _ => Err("must be test_mode or live_mode"),
    }
}

fn moment(text: &str) -> Result<UnixSeconds, &'static str> {
    if let Ok(seconds) = text.parse() {
        return Ok(UnixSeconds(seconds));
    }
    OffsetDateTime::parse(text, &Rfc3339)
        .map(|at| UnixSeconds(at.unix_timestamp()))
        .map_err(|_| "must be a time like 2026-11-25T10:00:00Z, or seconds since 1970")
}

/// The secrets, as found in the environment.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// `UPSELL_MERCHANT_KEY`: what the merchant's server proves itself with.
    pub merchant_key: Option<SecretString>,
    /// `DODO_PAYMENTS_API_KEY`.
    pub api_key: Option<SecretString>,
    /// `DODO_PAYMENTS_WEBHOOK_KEY`: one key, or several separated by spaces or commas while keys are being changed.
    pub webhook_key: Option<SecretString>,
    /// `UPSELL_SIGNING_KEYS`: what charges are signed with, as `id:base64`; one key or several, of which the first signs.
    pub signing_keys: Option<SecretString>,
    /// `UPSELL_NOTIFY_KEY`: what news for the merchant's system is signed with; one key or several, as above.
    pub notify_key: Option<SecretString>,
    /// `DATABASE_URL`: `postgres://…` for several proxies, `sqlite:PATH` for one. May hold a password.
    pub database_url: Option<SecretString>,
    /// `DATABASE_DIRECT_URL`: the servers themselves, where `DATABASE_URL` is a pooler in transaction mode.
    pub database_direct_url: Option<SecretString>,
}

impl Secrets {
    /// Reads them through `lookup`, which is [`std::env::var`] outside tests.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let secret = |name: &str| lookup(name).filter(|text| !text.trim().is_empty()).map(SecretString::from);
        Self {
            merchant_key: secret("UPSELL_MERCHANT_KEY"),
            api_key: secret("DODO_PAYMENTS_API_KEY"),
            webhook_key: secret("DODO_PAYMENTS_WEBHOOK_KEY"),
            signing_keys: secret("UPSELL_SIGNING_KEYS"),
            notify_key: secret("UPSELL_NOTIFY_KEY"),
            database_url: secret("DATABASE_URL"),
            database_direct_url: secret("DATABASE_DIRECT_URL"),
        }
    }

    /// The database that is named, or the file.
    fn database(&self, file: PathBuf) -> Result<Database, SettingsError> {
        Ok(match (&self.database_url, &self.database_direct_url) {
            (Some(pooler), Some(direct)) => Database::behind_pooler(pooler, direct)?,
            (Some(url), None) => Database::parse(url)?,
            (None, Some(_)) => return Err(SettingsError::Missing("DATABASE_URL")),
            (None, None) => Database::Sqlite(file),
        })
    }
}

/// Checked settings. Holding one means that nothing in it will be refused later.
#[derive(Clone, Debug)]
pub struct Settings {
    /// For browsers.
    pub listen: SocketAddr,
    /// For operations.
    pub ops_listen: SocketAddr,
    /// Where the rows are.
    pub database: Database,
    /// Whose rows.
    pub merchant: String,
    /// What the merchant's server proves itself with.
    pub merchant_key: SecretString,
    /// The merchant's rules.
    pub rules: Rules,
    /// Origin under which browsers reach the proxy; `None` means whatever `listen` turns out to be.
    pub public_url: Option<Origin>,
    /// Origins of pages that hold the widget.
    pub allowed_origins: Vec<Origin>,
    /// Where buyers come back to.
    pub return_url: Option<String>,
    /// The widget's files.
    pub widget_dir: Option<PathBuf>,
    /// The upgrade page.
    pub spa_dir: Option<PathBuf>,
    /// How to speak to Dodo.
    pub dodo: dodo_client::Config,
    /// Keys that webhooks may be signed with.
    pub webhook_keys: Vec<WebhookKey>,
    /// Keys that charges are signed with.
    pub tag_keys: TagKeys,
    /// How much is let in, and how much is asked of Dodo.
    pub limits: Limits,
    /// Where the merchant's system is told the news; absent: it is told none.
    pub notify: Option<Notify>,
    /// The moment of the backup that the database was restored from.
    pub restored_at: Option<UnixSeconds>,
    /// How long what is kept.
    pub retention: Retention,
}

/// Why the proxy does not start. No variant carries a secret.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A secret that is not in the environment.
    #[error("{0} is not set in the environment")]
    Missing(&'static str),
    /// A merchant key that could be guessed.
    #[error("UPSELL_MERCHANT_KEY has {0} characters and needs at least {MIN_MERCHANT_KEY}")]
    MerchantKeyTooShort(usize),
    /// A merchant key that no header could carry as it is.
    #[error("UPSELL_MERCHANT_KEY must be printable ASCII without spaces, at most 256 characters")]
    MerchantKeyUnsendable,
    /// A value with quotation marks around it, which belong to the file that it was written in.
    #[error("{0} begins or ends with a quotation mark: write the value without")]
    Quoted(&'static str),
    /// No webhook key, or one that anybody could sign with.
    #[error("DODO_PAYMENTS_WEBHOOK_KEY: {0}")]
    WebhookKey(#[from] KeyError),
    /// No key to sign charges with, or one that anybody could sign with.
    #[error("UPSELL_SIGNING_KEYS: {0}")]
    SigningKeys(#[from] TagKeyError),
    /// No key to sign news with, or one that anybody could sign with.
    #[error("UPSELL_NOTIFY_KEY: {0}")]
    NotifyKey(KeyError),
    /// News has an address and no key, or the reverse.
    #[error("UPSELL_NOTIFY_URL and UPSELL_NOTIFY_KEY go together, and {0} is not set")]
    NotifyHalf(&'static str),
    /// An address of no database of ours.
    #[error("DATABASE_URL {0}")]
    Database(#[from] DatabaseError),
    /// Key, mode and address of Dodo do not go together.
    #[error("Dodo: {0}")]
    Dodo(#[from] ConfigError),
    /// An address that is no good, and whose.
    #[error("{name}: {error}")]
    Address {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        error: AddressError,
    },
    /// Periods that do not work.
    #[error("UPSELL_KEEP_…_DAYS: {0}")]
    Retention(#[from] PeriodError),
    /// A reverse proxy that is no address.
    #[error("UPSELL_TRUSTED_PROXIES: {0}")]
    TrustedProxies(#[from] RangeError),
    /// The merchant's name for its rows is empty or too long.
    #[error("UPSELL_MERCHANT must have 1 to 64 letters, digits, `_` or `-`")]
    Merchant,
    /// The rules file cannot be read.
    #[error("{path}: {error}")]
    RulesFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The rules file is refused.
    #[error("{path}: {error}")]
    Rules {
        /// The file.
        path: PathBuf,
        /// Line, field and flaw.
        error: RulesError,
    },
}

impl Settings {
    /// Returns whose rows of the database are this proxy's.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        Tenant { merchant: self.merchant.clone(), mode: self.dodo.mode }
    }

    /// Checks everything, in the order in which somebody setting the proxy up would meet it.
    ///
    /// # Errors
    /// The first thing that is refused.
    pub fn check(arguments: Arguments, secrets: Secrets) -> Result<Self, SettingsError> {
        written::check(&arguments, &secrets)?;
        let database = secrets.database(arguments.database)?;
        let retention = Retention::check(arguments.retention, &database)?;
        let merchant_key = written::merchant_key(secrets.merchant_key)?;
        let dodo = dodo(arguments.environment, secrets.api_key, arguments.dodo_base_url)?;
        let webhook_keys = webhook_keys(secrets.webhook_key)?;
        let signing_keys = secrets.signing_keys.ok_or(SettingsError::Missing("UPSELL_SIGNING_KEYS"))?;
        let tag_keys = TagKeys::parse(&signing_keys)?;
        let notify = Notify::check(arguments.notify_url.as_deref(), secrets.notify_key.as_ref())?;
        if wire::ProductId::parse(arguments.merchant.as_str()).is_err() {
            return Err(SettingsError::Merchant);
        }
        let live = arguments.environment == Mode::Live;
        let public_url = arguments
            .public_url
            .map(|url| public_url(&url, live).map_err(|error| address("UPSELL_PUBLIC_URL", error)))
            .transpose()?;
        let allowed_origins = arguments
            .allowed_origins
            .iter()
            .map(|origin| origin.trim())
            .filter(|origin| !origin.is_empty())
            .map(|origin| Origin::parse(origin).map_err(|error| address("UPSELL_ALLOWED_ORIGINS", error)))
            .collect::<Result<_, _>>()?;
        let return_url = arguments
            .return_url
            .map(|url| return_url(&url).map_err(|error| address("UPSELL_RETURN_URL", error)))
            .transpose()?;
        Ok(Self {
            listen: arguments.listen,
            ops_listen: arguments.ops_listen,
            database,
            merchant: arguments.merchant,
            merchant_key,
            rules: rules(arguments.config)?,
            public_url,
            allowed_origins,
            return_url,
            widget_dir: arguments.widget_dir,
            spa_dir: arguments.spa_dir,
            dodo,
            webhook_keys,
            tag_keys,
            limits: Limits::check(&arguments.limits)?,
            notify,
            restored_at: arguments.restored_at,
            retention,
        })
    }
}

fn address(name: &'static str, error: AddressError) -> SettingsError {
    SettingsError::Address { name, error }
}

fn dodo(
    mode: Mode,
    key: Option<SecretString>,
    base_url: Option<String>,
) -> Result<dodo_client::Config, SettingsError> {
    let key = key.ok_or(SettingsError::Missing("DODO_PAYMENTS_API_KEY"))?;
    let mut config = dodo_client::Config::new(mode, ApiKey::parse(key.expose_secret())?);
    if let Some(url) = base_url {
        config = config.with_base_url(url);
    }
    // Building a client is what checks that key, mode and address fit; it connects to nothing.
    dodo_client::Client::new(&config)?;
    Ok(config)
}

fn webhook_keys(keys: Option<SecretString>) -> Result<Vec<WebhookKey>, SettingsError> {
    let keys = keys.ok_or(SettingsError::Missing("DODO_PAYMENTS_WEBHOOK_KEY"))?;
    Ok(several_keys(&keys)?)
}

/// At least one key, separated by spaces or commas.
fn several_keys(keys: &SecretString) -> Result<Vec<WebhookKey>, KeyError> {
    let parts = keys.expose_secret().split([' ', ',']).filter(|part| !part.is_empty());
    let keys = parts.map(WebhookKey::parse).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() { Err(KeyError::Encoding) } else { Ok(keys) }
}

fn rules(path: PathBuf) -> Result<Rules, SettingsError> {
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => return Err(SettingsError::RulesFile { path, error }),
    };
    Rules::parse(&text).map_err(|error| SettingsError::Rules { path, error })
}

#[cfg(test)]
mod tests;
