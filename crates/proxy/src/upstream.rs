//! The quota at Dodo, counted for the whole process: the thin shell around [`policy::upstream_budget`].
//!
//! The client asks it before each request (see [`dodo_client::quota`]); what a request is for is said where the work
//! begins: charging, the reconciler, webhooks, refreshing, the merchant's server. Everything else is somebody's page, and
//! counts for whose it is ([`on_behalf_of`]).
//!
//! [`policy::upstream_budget`]: upsell_core::policy::upstream_budget

use std::{
    future::Future,
    net::IpAddr,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use dodo_client::{HeldBack, Priority, RateLimit, quota::Refused};
use tokio::time::Instant;
use upsell_core::{
    domain::Session,
    policy::upstream_budget::{Budget, Claimant, Quota, Window},
};

/// Who waits for the answer of the present task.
struct Behalf {
    address: IpAddr,
    /// Known once their token was found good.
    session: OnceLock<[Claimant; 2]>,
}

tokio::task_local! {
    static BEHALF: Behalf;
}

/// Does `work` for whoever asks from this address: what it asks of Dodo counts for them. Spawned tasks are nobody's.
pub async fn on_behalf_of<F: Future>(address: IpAddr, work: F) -> F::Output {
    BEHALF.scope(Behalf { address, session: OnceLock::new() }, work).await
}

/// Carries over to a task of its own for whom the present one asks. `work` begins when the result is awaited.
pub fn on_same_behalf<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let same = |behalf: &Behalf| Behalf { address: behalf.address, session: behalf.session.clone() };
    let behalf = BEHALF.try_with(same).ok();
    async move {
        match behalf {
            Some(behalf) => BEHALF.scope(behalf, work).await,
            None => work.await,
        }
    }
}

/// From now on the present task asks for this session's buyer.
pub fn known_as(session: &Session) {
    let claimants = [Claimant::Token(session.token), Claimant::Buyer(session.customer_id.clone())];
    // Outside a request nobody waits; within one the session is found once.
    let _ = BEHALF.try_with(|behalf| behalf.session.set(claimants));
}

/// Whose a request of the present task is.
fn claimants() -> Vec<Claimant> {
    let of = |behalf: &Behalf| {
        let session = behalf.session.get().into_iter().flatten().cloned();
        session.chain([Claimant::Address(behalf.address)]).collect()
    };
    BEHALF.try_with(of).unwrap_or_default()
}

/// Counts requests to Dodo.
#[derive(Debug)]
pub struct UpstreamBudget {
    started: Instant,
    budget: Mutex<Budget>,
}

impl UpstreamBudget {
    /// Nothing sent yet.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self { started: Instant::now(), budget: Mutex::new(Budget::new(quota)) }
    }

    /// Brings the gauges up to date. They fall with every request and rise with time, so they are read when they are
    /// asked for.
    pub fn publish(&self) {
        let (mut budget, now) = self.at_now();
        for (window, name) in [(Window::Second, "second"), (Window::Minute, "minute")] {
            let left = budget.remaining(now, window);
            metrics::gauge!("upsell_upstream_budget_remaining", "window" => name).set(left);
        }
    }

    /// The budget, and what time it is once it is ours: in this order, so that times in it never go back.
    fn at_now(&self) -> (MutexGuard<'_, Budget>, Duration) {
        let budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        (budget, self.started.elapsed())
    }
}

impl dodo_client::Quota for UpstreamBudget {
    fn take(&self, priority: Priority) -> Result<(), Duration> {
        let claimants = claimants();
        let (mut budget, now) = self.at_now();
        budget.take_for(now, priority, &claimants).inspect_err(|_| count_wait(priority))
    }

    fn keep(&self) -> Result<(), Duration> {
        let (mut budget, now) = self.at_now();
        budget.keep(now).inspect_err(|_| count_wait(Priority::Charge))
    }

    fn spend_kept(&self) {
        let (mut budget, now) = self.at_now();
        budget.spend_kept(now);
    }

    fn give_back(&self) {
        self.at_now().0.give_back();
    }

    fn learn(&self, said: RateLimit, refused: Option<Refused>) {
        if refused.is_some() {
            tracing::warn!("Dodo's quota is used up: only charges go on");
            metrics::counter!("upsell_upstream_refused_total").increment(1);
        }
        let (mut budget, now) = self.at_now();
        budget.learn(now, said, refused);
    }
}

/// When Dodo was not asked at all, since its quota is kept for charges: after how many seconds it may be.
#[must_use]
pub fn held_back_for(error: &(dyn std::error::Error + 'static)) -> Option<u32> {
    let mut causes = std::iter::successors(Some(error), |cause| cause.source());
    let HeldBack { retry_after } = causes.find_map(|cause| cause.downcast_ref())?;
    let seconds = retry_after.as_nanos().div_ceil(Duration::from_secs(1).as_nanos());
    Some(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// A request that had to wait, or was not made.
fn count_wait(priority: Priority) {
    metrics::counter!("upsell_upstream_held_back_total", "priority" => priority.as_str()).increment(1);
}

#[cfg(test)]
mod tests {
    use dodo_client::Quota as _;
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_gauges_fall_with_requests_and_rise_with_time() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let budget = UpstreamBudget::new(Quota::DEFAULT);
        let gauges = || {
            metrics::with_local_recorder(&recorder, || budget.publish());
            let text = recorder.handle().render();
            ["minute", "second"].map(|window| {
                let name = format!("upsell_upstream_budget_remaining{{window=\"{window}\"}} ");
                text.lines().find_map(|line| line.strip_prefix(&name)?.parse::<u32>().ok()).unwrap()
            })
        };
        assert_eq!(gauges(), [240, 40]);
        for _ in 0..10 {
            budget.take(Priority::Interactive).unwrap();
        }
        budget.keep().unwrap();
        assert_eq!(gauges(), [229, 29]);
        budget.give_back();
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(gauges(), [230, 40]);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(gauges(), [240, 40]);
    }
}
