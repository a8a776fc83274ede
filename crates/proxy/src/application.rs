//! One running proxy: put together from settings, run, and taken down in an order in which nothing is lost.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use dodo_client::Client;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use upsell_core::{
    domain::{KeysError, TagKey},
    policy::inbox_schedule,
};

use crate::{
    clock::{Clock, SystemClock},
    forgotten_list::ForgottenList,
    gateway::Gateway,
    gauges,
    http::{
        self,
        files::{self, Files},
        gate::Gate,
        ops,
        origin::AllowedOrigins,
    },
    server,
    service::{
        Services,
        assemble::{Parts, Workers},
        gate::Closed,
        outbox::{Relay, RelayError},
    },
    settings::{Origin, Settings},
    store::{self, OpenError, Store, StoreError},
    upstream::UpstreamBudget,
};

/// Time between two refreshes of the gauges; limits of idle callers go with them.
const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// How long charges under way may finish after the stop. Longer than one request to Dodo can take.
const CHARGES_DRAIN: Duration = Duration::from_secs(35);

/// Why the proxy did not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    /// The store did not open.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The client was refused.
    #[error("Dodo: {0}")]
    Dodo(#[from] dodo_client::ConfigError),
    /// The store could not be asked which keys it has seen.
    #[error(transparent)]
    KnownKeys(#[from] StoreError),
    /// Charges were signed with another key than those that are given.
    #[error("UPSELL_SIGNING_KEYS: {0}")]
    Keys(#[from] KeysError),
    /// News for the merchant's system could not be sent.
    #[error("telling the merchant's system: {0}")]
    Relay(#[from] RelayError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// The system's error.
        error: io::Error,
    },
    /// The list of forgotten buyers cannot be written.
    #[error("UPSELL_FORGOTTEN_LIST: {path} cannot be written: {error}")]
    ForgottenList {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A folder of files cannot be read.
    #[error("cannot read the files in {folder}: {error}")]
    Files {
        /// Which.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The server itself failed.
    #[error("the server failed: {0}")]
    Server(#[from] io::Error),
}

/// A proxy that is ready to run.
pub struct Application {
    listener: TcpListener,
    ops_listener: TcpListener,
    address: Origin,
    ops_address: SocketAddr,
    router: axum::Router,
    ops_router: axum::Router,
    background: Background,
    store: Arc<dyn Store>,
    charges: TaskTracker,
    limits: server::Limits,
}

impl Application {
    /// Puts a proxy together on the machine's clock: opens the store, takes its lock, binds both listeners.
    ///
    /// # Errors
    /// See [`ApplicationError`].
    pub async fn build(
        settings: Settings,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Self, ApplicationError> {
        Self::build_with(settings, metrics, None).await
    }

    /// The same on another clock than the machine's, or that of a database that several proxies share.
    ///
    /// # Errors
    /// See [`ApplicationError`].
    pub async fn build_with(
        settings: Settings,
        metrics: Option<PrometheusHandle>,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Self, ApplicationError> {
        let tenant = settings.tenant();
        let opened = store::open(&settings.database, &tenant).await?;
        let store = opened.store;
        let clock = clock.or(opened.clock).unwrap_or_else(|| Arc::new(SystemClock));
        settings.tag_keys.check(&store.known_keys().await?)?;
        let signs: Vec<_> = settings.tag_keys.all().map(TagKey::fingerprinted).collect();
        store.remember_keys(&signs, clock.now()).await?;
        let forgotten_list = settings.retention.forgotten_list.as_deref().map(forgotten_list).transpose()?;
        let widget = folder(settings.widget_dir.as_deref(), files::embedded_widget)?;
        let upgrade_page = folder(settings.spa_dir.as_deref(), files::embedded_upgrade_page)?;
        let listener = listen(settings.listen).await?;
        let ops_listener = listen(settings.ops_listen).await?;
        let address = match &settings.public_url {
            Some(origin) => origin.clone(),
            None => Origin::of_listener(listener.local_addr()?),
        };
        let ops_address = ops_listener.local_addr()?;
        let origins = AllowedOrigins::new(&settings.allowed_origins, &address);
        let limits = settings.limits.server.clone();
        let gate = Arc::new(Gate::new(settings.limits.gate.clone(), settings.limits.proxies.clone()));
        let upstream = Arc::new(UpstreamBudget::new(settings.limits.upstream));
        let dodo = Client::new(&settings.dodo.clone().with_quota(Arc::clone(&upstream) as _))?;
        let charges = TaskTracker::new();
        let relay = |notify| Relay::new(notify, Arc::clone(&store), Arc::clone(&clock));
        let relay = settings.notify.clone().map(relay).transpose()?;
        let products = settings.rules.products();
        let (services, workers) = Services::assemble(Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            gateway: Gateway::new(dodo, settings.return_url, Arc::new(settings.tag_keys)),
            rules: Arc::new(settings.rules),
            merchant_key: settings.merchant_key,
            webhook_keys: settings.webhook_keys,
            tasks: charges.clone(),
            upstream,
            restored_at: settings.restored_at,
            periods: settings.retention.periods,
            notifies: relay.is_some(),
            forgotten_list,
            session_wait: settings.limits.session_wait,
        });
        // Nothing is accepted before the store has been compared with Dodo.
        services.charging.gate().close(Closed::Starting);
        let background = Background {
            services: Arc::clone(&services),
            workers,
            store: Arc::clone(&store),
            clock,
            products,
            gate: Arc::clone(&gate),
            relay,
        };
        let app = http::App::new(services, gate);
        let router = http::router(app.clone(), origins, widget, upgrade_page);
        let ops_router = ops::router(app, metrics);
        Ok(Self {
            listener,
            ops_listener,
            address,
            ops_address,
            router,
            ops_router,
            background,
            store,
            charges,
            limits,
        })
    }

    /// Where browsers reach it.
    #[must_use]
    pub fn address(&self) -> &Origin {
        &self.address
    }

    /// Where health and metrics are.
    #[must_use]
    pub fn ops_address(&self) -> SocketAddr {
        self.ops_address
    }

    /// Serves until `stopped` ends. Then: no new connections, answers finish, charges under way finish, the store is
    /// closed last.
    ///
    /// # Errors
    /// When a listener fails.
    pub async fn run_until_stopped(
        self,
        stopped: impl Future<Output = ()> + Send,
    ) -> Result<(), ApplicationError> {
        let stop = CancellationToken::new();
        let services = Arc::clone(&self.background.services);
        let background = tokio::spawn(self.background.run(stop.clone()));
        let serving = async {
            tokio::try_join!(
                server::serve(self.listener, self.router, self.limits, stop.clone()),
                server::serve(self.ops_listener, self.ops_router, server::Limits::default(), stop.clone()),
            )
        };
        let stopping = async {
            stopped.await;
            tracing::info!("stopping");
            stop.cancel();
        };
        let (served, ()) = tokio::join!(serving, stopping);
        self.charges.close();
        if tokio::time::timeout(CHARGES_DRAIN, self.charges.wait()).await.is_err() {
            // Each of them is marked as sent: the next start looks up what became of it.
            tracing::warn!("some charges did not finish in time");
        }
        services.sessions.confirming.stop().await;
        if let Err(error) = background.await {
            tracing::error!(%error, "background work ended badly");
        }
        self.store.close().await;
        served?;
        Ok(())
    }
}

/// What goes on without being asked.
struct Background {
    services: Arc<Services>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    workers: Workers,
    products: Vec<wire::ProductId>,
    gate: Arc<Gate>,
    /// Absent where the merchant's system wants to be told nothing.
    relay: Option<Relay>,
}

impl Background {
    async fn run(self, stop: CancellationToken) {
        tokio::join!(
            until(&stop, self.tend_the_gate()),
            self.workers.restoring.keep_beating(stop.clone()),
            self.workers.reconciler.run(stop.clone()),
            self.workers.refunds.run(stop.clone()),
            self.workers.retaining.run(stop.clone()),
            self.workers.catching_up.run(stop.clone()),
            until(&stop, self.services.catalogue.keep_products_warm(self.products.clone())),
            until(&stop, self.keep_house()),
            until(&stop, self.keep_applying_webhooks()),
            async {
                if let Some(relay) = &self.relay {
                    relay.run(stop.clone()).await;
                }
            },
        );
    }

    /// Whenever the gate is closed: has the store compared with Dodo, takes up what was left behind, and opens it.
    async fn tend_the_gate(&self) {
        let gate = self.services.charging.gate();
        loop {
            let why = gate.closed().await;
            self.workers.restoring.until_done(why).await;
            self.workers.reconciler.catch_up().await;
            gate.open(why);
        }
    }

    async fn keep_house(&self) {
        loop {
            if let Err(error) = gauges::refresh(self.store.as_ref(), self.clock.now()).await {
                tracing::warn!(%error, "attempts could not be counted");
            }
            self.gate.sweep();
            tokio::time::sleep(HOUSEKEEPING).await;
        }
    }

    /// Apart from the rest of the housekeeping, which must not wait for Dodo.
    async fn keep_applying_webhooks(&self) {
        loop {
            if let Err(error) = self.services.webhooks.apply_leftovers().await {
                tracing::warn!(%error, "failed to apply webhooks that were kept");
            }
            tokio::time::sleep(Duration::from_secs(inbox_schedule::ROUND)).await;
        }
    }
}

async fn until(stop: &CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ApplicationError> {
    TcpListener::bind(address).await.map_err(|error| ApplicationError::Listen { address, error })
}

fn forgotten_list(path: &Path) -> Result<ForgottenList, ApplicationError> {
    ForgottenList::open(path)
        .map_err(|error| ApplicationError::ForgottenList { path: path.to_owned(), error })
}

/// Files from a folder where one is given, else those in the binary.
fn folder(folder: Option<&Path>, embedded: fn() -> Files) -> Result<Files, ApplicationError> {
    match folder {
        None => Ok(embedded()),
        Some(folder) => Files::from_folder(folder)
            .map_err(|error| ApplicationError::Files { folder: folder.to_owned(), error }),
    }
}
