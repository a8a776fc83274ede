//! Rules for what may go from the store, and when (I21). Pure.
//!
//! Every table has a purpose and a period ([`TABLES`]). A charge goes as a whole, and only once nothing can follow from it any
//! more ([`hold`]). What outlives it says nothing of a person to whoever has not the store's key: keyed hashes of who refused
//! or owns what, and tombstones, by which a late report is recognised ([`LetGo`]).

use money::later;
use wire::{ProductId, UnixSeconds};

use crate::{
    domain::{
        AttemptState, BookingEnd, DisputeStatus, OfferRow, OfferState, OrderState, PaymentOnRecord,
        PaymentStatus, RefundStatus, SeenDispute, SeenRefund,
    },
    journal::{StoredAttempt, StoredOrder, states},
};

mod periods;

pub use periods::{Days, PeriodError, Periods};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Days in which a payment may still be given back or contested: a charge that collected is kept for at least that long.
pub const REFUNDABLE_DAYS: u32 = 180;

/// Days by which a payment may have begun later than its attempt: hosted pages, bank approvals, slow methods.
const LATER_THAN_ITS_ATTEMPT: i64 = 30 * DAY;

/// Returns the time before which something kept for `period` seconds may go.
#[must_use]
pub fn cutoff(now: UnixSeconds, period: i64) -> UnixSeconds {
    later(now, period.saturating_neg())
}

/// Says whether something from `at` is older than what is kept for `period` seconds. A purchase or event as old as that sets
/// off no offer: the offer that it may have set off may be gone, and would be made a second time.
#[must_use]
pub fn is_over(at: UnixSeconds, period: i64, now: UnixSeconds) -> bool {
    at < cutoff(now, period)
}

/// A charge as it is on record: an attempt and everything that refers to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The attempt.
    pub attempt: StoredAttempt,
    /// Payments recorded for it.
    pub payments: Vec<PaymentOnRecord>,
    /// Refunds of those payments.
    pub refunds: Vec<SeenRefund>,
    /// Disputes of those payments.
    pub disputes: Vec<SeenDispute>,
    /// Refund orders of those payments.
    pub orders: Vec<StoredOrder>,
    /// End of its booking, if there is one.
    pub booking_end: Option<BookingEnd>,
}

/// Reason to keep a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hold {
    /// Its outcome is not known, or somebody is at work on it.
    Undecided,
    /// It was given up, and money may still turn out to have come in.
    Watched,
    /// Waiting for it has ended without an outcome; a person decides.
    NeedsReview,
    /// Less came in than was agreed; a person decides.
    Underpaid,
    /// Its change of plan is booked and has not taken effect.
    Booked,
    /// A refund of it is ordered or on its way.
    RefundPending,
    /// A dispute of it is open: what the buyer agreed to may have to be shown.
    Disputed,
    /// Money that it collected may still be given back.
    Refundable,
}

impl Hold {
    /// Its word in answers and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::Watched => "watched",
            Self::NeedsReview => "needs_review",
            Self::Underpaid => "underpaid",
            Self::Booked => "booked",
            Self::RefundPending => "refund_pending",
            Self::Disputed => "disputed",
            Self::Refundable => "refundable",
        }
    }

    /// Says whether a charge of a buyer who is to be forgotten stays while it lasts. That money might be given back is not a
    /// reason: Dodo gives it back without us.
    #[must_use]
    pub fn blocks_forgetting(self) -> bool {
        self != Self::Refundable
    }
}

/// Returns why a charge has to be kept at `now`, whatever its age; `None` where nothing can follow from it any more.
#[must_use]
pub fn hold(charge: &Charge, now: UnixSeconds) -> Option<Hold> {
    let row = &charge.attempt.row;
    let of_state = match row.state {
        AttemptState::Claimed | AttemptState::Sent | AttemptState::Unknown | AttemptState::Pending { .. } => {
            Some(Hold::Undecided)
        }
        AttemptState::Underpaid => Some(Hold::Underpaid),
        AttemptState::NeedsReview => Some(Hold::NeedsReview),
        AttemptState::Abandoned if row.next_check_at.is_some() => Some(Hold::Watched),
        AttemptState::Scheduled if charge.booking_end.is_none() => Some(Hold::Booked),
        AttemptState::Released
        | AttemptState::Failed(_)
        | AttemptState::Abandoned
        | AttemptState::Scheduled
        | AttemptState::Dismissed
        | AttemptState::Succeeded => None,
    };
    let is_worked_on = row.next_check_at.is_some() || row.lease_until > now;
    of_state
        .or_else(|| is_worked_on.then_some(Hold::Undecided))
        .or_else(|| is_refund_pending(charge).then_some(Hold::RefundPending))
        .or_else(|| is_disputed(charge).then_some(Hold::Disputed))
        .or_else(|| is_refundable(charge, now).then_some(Hold::Refundable))
}

fn is_refund_pending(charge: &Charge) -> bool {
    let unfinished = |order: &StoredOrder| {
        matches!(order.row.state, OrderState::Due | OrderState::Sent) || order.row.next_check_at.is_some()
    };
    charge.orders.iter().any(unfinished)
        || charge.refunds.iter().any(|refund| refund.status == RefundStatus::Pending)
}

fn is_disputed(charge: &Charge) -> bool {
    let is_open = |status: DisputeStatus| match status {
        DisputeStatus::Opened | DisputeStatus::Challenged => true,
        DisputeStatus::Cancelled
        | DisputeStatus::Expired
        | DisputeStatus::Accepted
        | DisputeStatus::Won
        | DisputeStatus::Lost => false,
    };
    charge.disputes.iter().any(|dispute| is_open(dispute.status))
}

/// Says whether a payment has collected within the window of refunds and has not gone back whole.
fn is_refundable(charge: &Charge, now: UnixSeconds) -> bool {
    let window = i64::from(REFUNDABLE_DAYS).saturating_mul(DAY);
    charge.payments.iter().any(|on_record| {
        let payment = &on_record.payment;
        let back = charge
            .refunds
            .iter()
            .filter(|refund| refund.payment_id == payment.id && refund.status == states::GONE_BACK)
            .filter_map(|refund| refund.amount)
            .fold(0_i64, |sum, amount| sum.saturating_add(amount.amount));
        payment.status == PaymentStatus::Succeeded
            && !is_over(on_record.seen_at, window, now)
            && payment.amount.is_none_or(|amount| back < amount.amount)
    })
}

/// Says whether a charge may go: its period is over, and nothing holds it.
#[must_use]
pub fn may_go(charge: &Charge, periods: &Periods, now: UnixSeconds) -> bool {
    is_over(charge.attempt.row.created_at, periods.charges, now) && hold(charge, now).is_none()
}

/// Returns why a charge stays for now although its buyer is to be forgotten; `None` where it may go at once.
#[must_use]
pub fn outlasts_forgetting(charge: &Charge, now: UnixSeconds) -> Option<Hold> {
    hold(charge, now).filter(|hold| hold.blocks_forgetting())
}

/// Answer of a store about something that it does not hold: it has let go of it, or never knew it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LetGo {
    /// There is a tombstone of the attempt or of the payment.
    pub has_tombstone: bool,
    /// Charges from before this time have gone.
    pub kept_since: Option<UnixSeconds>,
    /// Time at which the buyer was forgotten, if ever.
    pub forgotten_at: Option<UnixSeconds>,
}

impl LetGo {
    /// Says whether an unknown payment that was begun at `begun` is one that the store has let go of, so that it proves no loss,
    /// and nothing of it is written again. One of which the beginning is not known may be a loss.
    #[must_use]
    pub fn covers(&self, begun: impl Into<Option<UnixSeconds>>) -> bool {
        let begun = begun.into();
        let has_gone = self.kept_since.zip(begun).is_some_and(|(since, begun)| begun < since);
        self.has_tombstone || has_gone || self.is_forgotten(begun)
    }

    /// Says whether something of this buyer from `begun` was forgotten. What they do afterwards is their own new choice;
    /// where the beginning is not known, it may be from before.
    #[must_use]
    pub fn is_forgotten(&self, begun: impl Into<Option<UnixSeconds>>) -> bool {
        let begun = begun.into();
        self.forgotten_at.is_some_and(|at| begun.is_none_or(|begun| begun <= at))
    }
}

/// Returns what stays known as owned once an offer goes: what was taken of it. A plan that was taken may have been left again: the
/// subscription tells.
#[must_use]
pub fn taken(offer: &OfferRow) -> Option<&ProductId> {
    let is_taken = offer.state == OfferState::Charged && offer.plan.subscription_id().is_none();
    is_taken.then(|| offer.plan.product_id())
}

/// Returns the time before which tombstones may go: everything that one could meet is older than what the store keeps, and is
/// recognised by that.
#[must_use]
pub fn tombstones_before(kept_since: UnixSeconds) -> UnixSeconds {
    later(kept_since, LATER_THAN_ITS_ATTEMPT.saturating_neg())
}

/// Period for which the rows of a table are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Until their own end, minutes or hours ahead.
    UntilTheirEnd,
    /// For [`Days::webhooks`].
    Webhooks,
    /// For [`Days::notifications`], or for [`Days::unwanted_notifications`] without a receiver.
    Notifications,
    /// For [`Days::purchases`]; the address in it for [`Days::addresses`].
    Purchases,
    /// For [`Days::events`].
    Events,
    /// For [`Days::offers`], and as long as a charge refers to them.
    Offers,
    /// For [`Days::charges`].
    Charges,
    /// As long as the charge that they belong to; quotes of none for [`Days::quotes`].
    WithTheirCharge,
    /// As long as the charge that they belong to, or for [`Days::reports`] where they belong to none.
    Reports,
    /// Until charges as old as they are have gone.
    Tombstones,
    /// As long as the store. What they say of a person is a keyed hash.
    Hashed,
    /// As long as the store. They say nothing of a person.
    NoPerson,
}

/// Every table, its purpose and its period. `docs/PRIVACY.md` names their columns.
pub const TABLES: [(&str, &str, Kept); 26] = [
    ("tenants", "the merchant and the store's own names and key", Kept::NoPerson),
    ("heartbeats", "telling a store that has lost commits", Kept::NoPerson),
    ("event_progress", "knowing what webhooks did not tell", Kept::NoPerson),
    ("tag_keys", "telling that a signing key is missing", Kept::NoPerson),
    ("buyers", "locks of one buyer at a time", Kept::UntilTheirEnd),
    ("sessions", "who asks", Kept::UntilTheirEnd),
    ("nonces", "coming back from a checkout", Kept::UntilTheirEnd),
    ("payment_links", "giving another payment method once", Kept::Webhooks),
    ("inbox", "applying each webhook once", Kept::Webhooks),
    ("outbox", "notifying the merchant's system", Kept::Notifications),
    ("purchases", "choosing offers, and the method that may be charged", Kept::Purchases),
    ("triggers", "choosing offers", Kept::Events),
    ("offers", "showing an offer once, and taking it once", Kept::Offers),
    ("quotes", "charging what was shown", Kept::WithTheirCharge),
    ("attempts", "charging once, and proof of consent", Kept::Charges),
    ("attempt_history", "explaining a charge", Kept::WithTheirCharge),
    ("payments", "explaining a charge, and refunds", Kept::WithTheirCharge),
    ("refund_orders", "refunding once", Kept::WithTheirCharge),
    ("booking_ends", "telling once how a booking ended", Kept::WithTheirCharge),
    ("refunds", "knowing what has gone back", Kept::Reports),
    ("disputes", "knowing what is contested", Kept::Reports),
    ("foreign_payments", "raising an alert once", Kept::Reports),
    ("tombstones", "recognising late reports of what has gone", Kept::Tombstones),
    ("declines", "never offering again what was refused", Kept::Hashed),
    ("owned", "never offering what somebody owns", Kept::Hashed),
    ("forgotten", "forgetting again after a restore", Kept::Hashed),
];

#[cfg(test)]
#[path = "retention_tests.rs"]
mod tests;
