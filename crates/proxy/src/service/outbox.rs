//! Telling the merchant's system what happened, at least once (I14): taken from the outbox under a lease, sent, marked.
//! Who dies between the last two sends it again, under the same id.
//!
//! Only so many are on their way at once, each for so long; charging shares nothing with this but the store, for moments.
//! When to try again and when to give up is decided in [`upsell_core::policy::outbox_schedule`].

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use money::later;
use reqwest::{Client, StatusCode, header::CONTENT_TYPE};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use upsell_core::policy::outbox_schedule;

use crate::{
    clock::Clock,
    failpoint, gauges,
    settings::Notify,
    store::{DueNotice, Store, StoreError},
    webhook_signature,
};

/// How often the store is asked what is due.
const PACE: Duration = Duration::from_secs(1);
/// How often what waits is counted.
const MEASURE: Duration = Duration::from_secs(10);
/// Deliveries on their way at once.
const ABREAST: usize = 8;
/// How long the merchant's system may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// Seconds for which news is taken. Longer than a delivery and its note take.
const LEASE: i64 = 60;
/// Why news cannot be told at all.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The TLS library refused its own defaults.
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The client was refused.
    #[error("the client could not be set up: {0}")]
    Client(#[from] reqwest::Error),
}

/// What came of one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// 2xx.
    Taken,
    /// 410: no more of this.
    Gone,
    /// 3xx; never followed.
    Redirected,
    /// Any other status.
    Refused,
    /// None in time.
    Late,
    /// No connection, or it broke.
    Unreachable,
}

impl Answer {
    fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::GONE => Self::Gone,
            status if status.is_success() => Self::Taken,
            status if status.is_redirection() => Self::Redirected,
            _ => Self::Refused,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Gone => "gone",
            Self::Redirected => "redirected",
            Self::Refused => "refused",
            Self::Late => "late",
            Self::Unreachable => "unreachable",
        }
    }
}

/// The worker.
#[derive(Clone)]
pub struct Relay {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    notify: Notify,
    http: Client,
}

impl Relay {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// See [`RelayError`].
    pub fn new(notify: Notify, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Result<Self, RelayError> {
        Self::with_patience(notify, store, clock, PATIENCE)
    }

    /// The same, waiting so long for each answer.
    ///
    /// # Errors
    /// See [`RelayError`].
    pub fn with_patience(
        notify: Notify,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        patience: Duration,
    ) -> Result<Self, RelayError> {
        Ok(Self { store, clock, notify, http: client(patience)? })
    }

    /// Works until cancelled; then what is on its way comes to its end, and nothing more is taken.
    pub async fn run(&self, cancel: CancellationToken) {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut measure = tokio::time::interval(MEASURE);
        measure.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Tasks, not futures of this loop: one that holds the store's writer must go on while the loop waits for it.
        let mut on_their_way = JoinSet::new();
        loop {
            tokio::select! {
                () = cancel.cancelled() => break,
                _ = measure.tick() => {
                    self.measure().await;
                    continue;
                }
                Some(ended) = on_their_way.join_next(), if !on_their_way.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a delivery ended badly");
                    }
                }
                _ = pace.tick() => {}
            }
            match self.take(ABREAST.saturating_sub(on_their_way.len())).await {
                Ok(due) => {
                    for notice in due {
                        let relay = self.clone();
                        on_their_way.spawn(failpoint::inherit(async move { relay.deliver(notice).await }));
                    }
                }
                Err(error) => tracing::error!(%error, "the outbox could not be read"),
            }
        }
        while on_their_way.join_next().await.is_some() {}
    }

    /// Delivers as much of what is due as may be on its way at once. Returns how much that was.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn round(&self) -> Result<usize, StoreError> {
        let on_their_way: FuturesUnordered<_> =
            self.take(ABREAST).await?.into_iter().map(|notice| self.deliver(notice)).collect();
        Ok(on_their_way.count().await)
    }

    async fn take(&self, places: usize) -> Result<Vec<DueNotice>, StoreError> {
        let Some(limit) = u32::try_from(places).ok().filter(|limit| *limit > 0) else {
            return Ok(Vec::new());
        };
        let now = self.clock.now();
        let due = self.store.take_due_notices(now, later(now, LEASE), limit).await?;
        if !due.is_empty() {
            crate::failpoint!("outbox.taken");
        }
        Ok(due)
    }

    /// Sends one and notes what came of it. A note that fails is no matter: the lease ends, and it is sent again.
    async fn deliver(&self, notice: DueNotice) {
        let answer = self.post(&notice).await;
        crate::failpoint!("outbox.sent");
        metrics::counter!("upsell_outbox_deliveries_total", "result" => answer.label()).increment(1);
        if let Err(error) = self.note(&notice, answer).await {
            tracing::warn!(%error, notice_id = notice.id, "a delivery could not be noted");
        }
        crate::failpoint!("outbox.noted");
    }

    async fn note(&self, notice: &DueNotice, answer: Answer) -> Result<(), StoreError> {
        let now = self.clock.now();
        let next = match answer {
            Answer::Taken => return self.store.notice_told(&notice.id, now).await,
            Answer::Gone => None,
            Answer::Redirected | Answer::Refused | Answer::Late | Answer::Unreachable => {
                outbox_schedule::next(&notice.id, notice.tries, now)
            }
        };
        self.store.notice_failed(notice, next).await?;
        let result = answer.label();
        match next {
            Some(at) => {
                tracing::warn!(
                    notice_id = notice.id,
                    result,
                    next_try_at = at.0,
                    "the merchant was not told"
                );
            }
            None => {
                tracing::error!(alert = "not_told", notice_id = notice.id, result, "news was given up");
                metrics::counter!("upsell_alerts_total", "kind" => "not_told").increment(1);
            }
        }
        Ok(())
    }

    /// Of the answer, only the status is looked at; its body is not even read.
    async fn post(&self, notice: &DueNotice) -> Answer {
        let now = self.clock.now().0;
        let signature = webhook_signature::sign(&self.notify.keys, &notice.id, now, notice.body.as_bytes());
        let request = self
            .http
            .post(self.notify.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &notice.id)
            .header("webhook-timestamp", now)
            .header("webhook-signature", signature)
            .body(notice.body.clone());
        match request.send().await {
            Ok(response) => Answer::of(response.status()),
            Err(error) if error.is_timeout() => Answer::Late,
            Err(_) => Answer::Unreachable,
        }
    }

    async fn measure(&self) {
        match self.store.backlog().await {
            Ok(backlog) => gauges::outbox(&backlog, self.clock.now()),
            Err(error) => tracing::warn!(%error, "what waits in the outbox could not be counted"),
        }
    }
}

/// Goes to the one address that was configured and nowhere else: no redirect, no proxy of the environment. Each delivery
/// has a connection of its own, since one kept open may be closed just as it is used. TLS with the cryptography and the
/// roots named here, whatever the process has installed globally.
/// Returns a client that speaks to one server, and follows and repeats nothing.
pub(crate) fn client(patience: Duration) -> Result<Client, RelayError> {
    let roots = rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let mut tls =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .http1_only()
        .no_proxy()
        .referer(false)
        .pool_max_idle_per_host(0)
        .timeout(patience)
        .user_agent(concat!("upsell-widget/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls)
        .build()?)
}
