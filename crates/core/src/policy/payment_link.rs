//! The link on which a buyer gives another payment method: when the one that is kept is handed out again, when Dodo is asked
//! for another, and when somebody else is asking. Pure.
//!
//! Dodo makes a new link at each call, and a link of a subscription that owes something charges what is owed: two of them
//! charge it twice. So there is one at a time for each subscription and use, and whoever asks Dodo for it first takes a
//! lease on asking. What a request that is given up leaves behind at Dodo is in nobody's hands.

use dodo_client::{
    ids::PaymentId,
    types::{
        payments::IntentStatus,
        subscriptions::{PaymentLink, SubscriptionStatus},
    },
};
use wire::UnixSeconds;

use crate::domain::PaymentFacts;

/// Seconds for which one process may ask Dodo for a link: longer than a request can take.
const LEASE: i64 = 120;
/// Seconds for which Dodo keeps a link when it does not say.
const ASSUMED_LIFE: i64 = 86_400;
/// Seconds after which a link that has run out by our clock has run out by Dodo's as well.
const SLACK: i64 = 60;
/// Seconds within which a payment shows on the subscription that it was for.
const SHOWS_WITHIN: i64 = 600;

/// What a link does when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkUse {
    /// Replaces the payment method; nothing is charged.
    ReplaceMethod,
    /// Charges what is owed.
    PayDues,
}

impl LinkUse {
    /// Returns what a link of a subscription in this state does.
    #[must_use]
    pub fn of(status: &SubscriptionStatus) -> Self {
        match status {
            SubscriptionStatus::OnHold | SubscriptionStatus::PastDue => Self::PayDues,
            _ => Self::ReplaceMethod,
        }
    }
}

/// What is kept of a subscription's link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLink {
    /// Counts the writes, so that of two at the same time one fails.
    pub version: i64,
    /// The link; absent while Dodo is being asked for it.
    pub link: Option<LiveLink>,
    /// End of the link's life, or of the lease on asking.
    pub until: UnixSeconds,
}

/// A link that Dodo has made.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveLink {
    /// Its address.
    pub url: String,
    /// The payment that using it completes.
    pub payment_id: Option<PaymentId>,
}

impl std::fmt::Debug for LiveLink {
    // The address lets whoever holds it into the payment: it stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveLink").field("payment_id", &self.payment_id).finish_non_exhaustive()
    }
}

/// What to do for a buyer who wants a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Hand out the kept link, unless its payment says otherwise ([`is_used`]).
    HandOut(LiveLink),
    /// Write this over what is kept; whoever succeeds asks Dodo.
    Ask(KeptLink),
    /// Somebody else is asking Dodo: look again in a moment.
    Wait,
}

/// Decides about the link that is kept for one use of a subscription.
#[must_use]
pub fn next(kept: Option<&KeptLink>, now: UnixSeconds) -> Next {
    match kept {
        Some(KeptLink { link: Some(link), until, .. }) if until.0.saturating_add(SLACK) > now.0 => {
            Next::HandOut(link.clone())
        }
        Some(KeptLink { link: None, until, .. }) if *until > now => Next::Wait,
        _ => Next::Ask(asking(kept, now)),
    }
}

/// Returns what to write before asking Dodo for a link in place of what is kept.
#[must_use]
pub fn asking(kept: Option<&KeptLink>, now: UnixSeconds) -> KeptLink {
    let version = kept.map_or(0, |kept| kept.version).saturating_add(1);
    KeptLink { version, link: None, until: UnixSeconds(now.0.saturating_add(LEASE)) }
}

/// Returns what to write when Dodo has answered, or has not: then the next one asks at once.
#[must_use]
pub fn answered(asked: &KeptLink, answer: Option<&PaymentLink>, now: UnixSeconds) -> KeptLink {
    let version = asked.version.saturating_add(1);
    let made = answer.and_then(|answer| {
        let link = LiveLink { url: answer.payment_link.clone()?, payment_id: answer.payment_id.clone() };
        let until = answer.expires_on.unwrap_or(UnixSeconds(now.0.saturating_add(ASSUMED_LIFE)));
        Some((link, until))
    });
    match made {
        Some((link, until)) => KeptLink { version, link: Some(link), until },
        None => KeptLink { version, link: None, until: UnixSeconds(0) },
    }
}

/// How the payment of a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPayment {
    /// The link can still be used. A payment that failed is one: the page takes another try.
    Open,
    /// It was paid a moment ago, and the subscription does not show it yet. Another link would charge again.
    JustPaid,
    /// The link is used up.
    Used,
}

/// Returns how a link's payment stands.
#[must_use]
pub fn is_used(payment: &PaymentFacts, of: LinkUse, now: UnixSeconds) -> LinkPayment {
    match &payment.status {
        Some(IntentStatus::Succeeded)
            if of == LinkUse::PayDues
                && payment.at.is_none_or(|at| at.0.saturating_add(SHOWS_WITHIN) > now.0) =>
        {
            LinkPayment::JustPaid
        }
        Some(IntentStatus::Succeeded | IntentStatus::Cancelled) => LinkPayment::Used,
        _ => LinkPayment::Open,
    }
}

#[cfg(test)]
#[path = "payment_link_tests.rs"]
mod tests;
