//! Buyers who accept offers all the time, at two proxies, and do not give up while the database is away.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use dodo_client::ids::{CustomerId, PaymentId};
use serde_json::Value;
use testkit::{Answer, COURSE, Dodo, GOOD_CARD, Proxy, ProxyClient};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

/// Buyers at a time.
const ABREAST: usize = 8;
/// Longest time for which a buyer goes on pressing without an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(150);

/// Somebody who accepted, or tried.
#[derive(Clone, Debug)]
pub(super) struct Buyer {
    pub(super) customer: CustomerId,
    pub(super) purchase: PaymentId,
    /// The run in which this was.
    pub(super) seed: u64,
    /// The last answer to the click, if there was one.
    pub(super) told: Option<Answer>,
}

/// Results of the buyers so far.
#[derive(Default)]
struct Shared {
    buyers: Mutex<Vec<Buyer>>,
    seed: AtomicU64,
    /// Beginning of the latest charge that was accepted.
    accepted: Mutex<Option<Instant>>,
    news: Notify,
}

/// The buyers at work.
pub(super) struct Load {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    working: Vec<JoinHandle<anyhow::Result<()>>>,
}

impl Load {
    /// Sets buyers to work.
    pub(super) fn start(dodo: &Arc<Dodo>, proxies: &[Proxy]) -> anyhow::Result<Self> {
        let (shared, stop) = (Arc::new(Shared::default()), watch::Sender::new(false));
        let clients: Vec<_> =
            proxies.iter().map(|proxy| ProxyClient::of(proxy.url().to_owned())).collect::<Result<_, _>>()?;
        let clients = Arc::new(clients);
        let working = (0..ABREAST)
            .map(|no| {
                let (dodo, shared, clients, stop) =
                    (Arc::clone(dodo), Arc::clone(&shared), Arc::clone(&clients), stop.subscribe());
                tokio::spawn(async move {
                    let mut turn = no;
                    while !*stop.borrow() {
                        turn = turn.wrapping_add(1);
                        one(&dodo, &clients, turn, &shared).await?;
                    }
                    Ok(())
                })
            })
            .collect();
        Ok(Self { shared, stop, working })
    }

    /// Counts what follows for the run with this seed.
    pub(super) fn of_run(&self, seed: u64) {
        self.shared.seed.store(seed, Ordering::Relaxed);
    }

    /// Waits for a charge that was begun after `moment` and accepted.
    pub(super) async fn accepted_after(&self, moment: Instant) {
        loop {
            let news = self.shared.news.notified();
            let begun = *self.shared.accepted.lock().unwrap_or_else(PoisonError::into_inner);
            if begun.is_some_and(|begun| begun > moment) {
                return;
            }
            news.await;
        }
    }

    /// Lets everybody finish. Returns them all.
    pub(super) async fn end(self) -> anyhow::Result<Vec<Buyer>> {
        self.stop.send_replace(true);
        for worker in self.working {
            worker.await??;
        }
        Ok(std::mem::take(&mut *self.shared.buyers.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// One buyer, from the purchase to an answer.
async fn one(dodo: &Dodo, proxies: &[ProxyClient], turn: usize, shared: &Shared) -> anyhow::Result<()> {
    let customer = dodo.customer(Some(GOOD_CARD))?;
    let purchase = dodo.purchase(&customer, COURSE)?;
    let seed = shared.seed.load(Ordering::Relaxed);
    let begun = Instant::now();
    let mut buyer = Buyer { customer, purchase, seed, told: None };
    let (mut page, mut tries) = (None::<(String, Value)>, turn);
    while begun.elapsed() < PATIENCE {
        let proxy = &proxies[tries % proxies.len()];
        tries = tries.wrapping_add(1);
        if page.is_none() {
            page = open(proxy, &buyer).await;
        }
        if let Some((token, shown)) = &page {
            let clicked = Instant::now();
            let answer = proxy.accept(token, shown, "click").await.ok();
            let is_over = answer.as_ref().is_some_and(is_final);
            if answer.as_ref().is_some_and(|told| told.body["status"] == "succeeded") {
                let mut accepted = shared.accepted.lock().unwrap_or_else(PoisonError::into_inner);
                *accepted = Some(accepted.map_or(clicked, |last| last.max(clicked)));
                drop(accepted);
                shared.news.notify_waiters();
            }
            buyer.told = answer.or(buyer.told);
            if is_over {
                break;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    shared.buyers.lock().unwrap_or_else(PoisonError::into_inner).push(buyer);
    Ok(())
}

/// The page of a buyer, where the proxy can show it.
async fn open(proxy: &ProxyClient, buyer: &Buyer) -> Option<(String, Value)> {
    let token = proxy.mint(&buyer.customer, &buyer.purchase).await.ok()?;
    let shown = proxy.look(&token).await.ok()?;
    (shown["eligible"] == true).then_some((token, shown))
}

/// Says that there is nothing more to press for.
fn is_final(told: &Answer) -> bool {
    let is_open = matches!(told.body["status"].as_str(), Some("processing" | "in_doubt"));
    told.status < 500 && told.status != 409 && !is_open
}
