//! A stateful simulator of the slice of the Dodo Payments API that this project uses.
//!
//! Written from Dodo's public API reference alone; it shares no code with the client or the proxy, so that a
//! misunderstanding cannot hide on both sides. What it does, what it does not, and the control plane are in the
//! crate's README.
//!
//! # A tour
//!
//! A request comes in through `server` (connections, faults, the request log) to `http` (keys, rate limits, one file
//! per resource). A handler takes one step of `engine`, which changes `model` by the arithmetic in `billing`, and
//! answers with a `view`. Facts go to `webhooks`, which signs and delivers them. `hosted` is what buyers see,
//! `control` what tests do, `ledger` what tests read, `policy` every point where the documentation leaves a choice.

mod billing;
mod clock;
mod config;
mod control;
mod engine;
mod error;
mod faults;
mod fixtures;
mod hosted;
mod http;
mod ids;
mod ledger;
mod model;
mod policy;
mod server;
mod shared;
mod view;
mod webhooks;

pub use config::{
    ApiKey, DEFAULT_KEY, DEFAULT_READ_ONLY_KEY, DEFAULT_WEBHOOK_SECRET, SimConfig, WebhookTarget,
};
pub use control::seed::{NewCustomer, NewPayment, NewPaymentMethod, NewSubscription, ProductPatch};
pub use control::{ClockState, Control, ControlError};
pub use faults::{Fault, FaultKind, NewFault, UnknownFault, When};
pub use fixtures::FixtureError;
pub use ledger::{Charge, Delivery, Ledger, Request};
pub use model::money::{Currency, NotACurrency};
pub use model::payment::{IntentStatus, Source};
pub use policy::*;
pub use webhooks::outbox::{Attempt, WebhookPolicy};

use shared::Shared;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be had.
    #[error("cannot listen on port {port}: {source}")]
    Listen {
        /// As configured.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The fixtures cannot be used.
    #[error(transparent)]
    Fixtures(#[from] FixtureError),
    /// The webhook target cannot be used.
    #[error("webhook target: {0}")]
    Webhook(#[from] ControlError),
}

/// A running simulator. It stops when dropped.
#[derive(Debug)]
pub struct Sim {
    address: SocketAddr,
    shared: Arc<Shared>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stops_on_drop: DropGuard,
}

impl Sim {
    /// Starts on 127.0.0.1, in the current tokio runtime; it answers when this returns.
    ///
    /// # Errors
    /// The port is taken, or the configuration cannot be used.
    pub async fn start(config: SimConfig) -> Result<Self, StartError> {
        let fixtures = fixtures::read(config.fixtures.as_deref())?;
        let endpoint = match &config.webhook {
            None => None,
            Some(target) => Some(control::endpoint(&target.url, &target.secret)?),
        };
        let listen = |source| StartError::Listen { port: config.port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let shared = Arc::new(Shared::new(config, fixtures, format!("http://{address}"), endpoint));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(server::serve(
            listener,
            address,
            Arc::clone(&shared),
            http::router(Arc::clone(&shared)),
            tasks.clone(),
            stop.clone(),
        ));
        tasks.spawn(webhooks::deliver::work(Arc::clone(&shared), stop.clone()));
        tasks.close();
        Ok(Self { address, shared, tasks, _stops_on_drop: stop.clone().drop_guard(), stop })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The control plane, in-process.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared))
    }

    /// Stops and waits until every connection is closed.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}
