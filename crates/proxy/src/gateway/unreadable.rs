//! Payments that cannot be read, in listings or alone. Each is raised once, and asked for again after a while: what one such
//! row costs does not grow with how often it is listed.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use dodo_client::{Error, ids::PaymentId};

/// Time after which a payment that could not be read is asked for again.
const AGAIN_AFTER: Duration = Duration::from_secs(600);
/// Most payments that are remembered; beyond, the one that was asked for longest ago is forgotten.
const MOST: usize = 1024;

/// When each was last asked for in vain.
#[derive(Debug, Default)]
pub(super) struct Unreadable(Mutex<BTreeMap<PaymentId, Instant>>);

impl Unreadable {
    /// Says whether it is worth asking for the payment.
    pub(super) fn may_try(&self, id: &PaymentId) -> bool {
        self.known().get(id).is_none_or(|tried| tried.elapsed() >= AGAIN_AFTER)
    }

    /// Notes that the payment could not be read. Returns whether that was not known.
    pub(super) fn note(&self, id: &PaymentId) -> bool {
        let mut known = self.known();
        let is_new = known.insert(id.clone(), Instant::now()).is_none();
        if known.len() > MOST {
            let oldest = known.iter().min_by_key(|(_, tried)| **tried).map(|(id, _)| id.clone());
            oldest.and_then(|id| known.remove(&id));
        }
        is_new
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<PaymentId, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says whether an error is about the thing that was asked for: Dodo answered, and the answer was of no use. Errors about the
/// way there, the key or the quota say nothing about the thing.
#[must_use]
pub fn is_about_it(error: &Error) -> bool {
    match error {
        Error::Undecodable { .. } => true,
        Error::Api(answer) => !matches!(answer.status, 401 | 403 | 408 | 429),
        Error::HeldBack(_) | Error::Unsent(_) | Error::Transport(_) => false,
    }
}

/// Raises a payment that cannot be read: a person has to look at it in Dodo's dashboard.
pub(super) fn raise(id: Option<&PaymentId>) {
    let payment_id = id.map_or("unknown", PaymentId::as_str);
    tracing::error!(alert = "unreadable_payment", payment_id, "failed to read a payment at Dodo");
    metrics::counter!("upsell_alerts_total", "kind" => "unreadable_payment").increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_raised_once_and_the_memory_is_bounded() {
        let unreadable = Unreadable::default();
        let id = |no: usize| PaymentId::parse(format!("pay_{no}")).unwrap();
        assert!(unreadable.may_try(&id(0)));
        assert!(unreadable.note(&id(0)));
        assert!(!unreadable.may_try(&id(0)));
        assert!(!unreadable.note(&id(0)));
        for no in 1..=MOST {
            unreadable.note(&id(no));
        }
        assert_eq!(unreadable.known().len(), MOST);
        assert!(unreadable.may_try(&id(0)), "the oldest is forgotten");
    }
}
