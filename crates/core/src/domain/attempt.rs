//! Attempts: one try to collect one quote.

use dodo_client::ids::{CheckoutSessionId, CustomerId, PaymentId, SubscriptionId};
use serde::{Deserialize, Serialize};
use wire::{AttemptId, Consent, Currency, FailureReason, IdempotencyKey, OfferId, QuoteId, UnixSeconds};

use super::words::words;

/// SHA-256 of a request body in canonical form: tells whether a key was used again with another body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// How an attempt collects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptKind {
    /// One click on the saved method.
    OneClick,
    /// A hosted checkout that the buyer completes.
    Hosted,
    /// A plan change on the subscription's method.
    PlanChange,
}

words!(AttemptKind { OneClick = "one_click", Hosted = "hosted", PlanChange = "plan_change" });

/// The states of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptState {
    /// Written before anything left; provably unsent.
    Claimed,
    /// Called off before anything was executed upstream; the offer is open again.
    Released,
    /// The one POST may have happened.
    Sent,
    /// Outcome not known.
    Unknown,
    /// Accepted upstream, not settled.
    Pending {
        /// The bank wants something of the buyer.
        customer_action: bool,
    },
    /// Definitely not collected.
    Failed(FailureReason),
    /// Looked for until the deadline, not found; watched on.
    Abandoned,
    /// Waiting has come to its end without an outcome. Never chargeable again, still settled by evidence, open to a person.
    NeedsReview,
    /// Booked for the next billing date.
    Scheduled,
    /// Less came in than was agreed, by a payment that only names the attempt. A person decides.
    Underpaid,
    /// A person decided that what came in does not buy it.
    Dismissed,
    /// Collected, or the change is made.
    Succeeded,
}

/// What was seen of an attempt after its request may have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Observation {
    /// Nothing is known.
    Unknown,
    /// Taken on upstream, not settled.
    Pending {
        /// The bank wants something of the buyer.
        customer_action: bool,
    },
    /// Definitely not collected.
    Failed(FailureReason),
    /// Booked for the next billing date.
    Scheduled,
    /// Less came in than was agreed, by a payment that only names the attempt.
    Underpaid,
    /// Collected, or the change is made.
    Succeeded,
}

/// An attempt's state without what comes with it: its word in the store, on the command line and in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptWord {
    /// See [`AttemptState::Claimed`].
    Claimed,
    /// See [`AttemptState::Released`].
    Released,
    /// See [`AttemptState::Sent`].
    Sent,
    /// See [`AttemptState::Unknown`].
    Unknown,
    /// See [`AttemptState::Pending`].
    Pending,
    /// See [`AttemptState::Failed`].
    Failed,
    /// See [`AttemptState::Abandoned`].
    Abandoned,
    /// See [`AttemptState::NeedsReview`].
    NeedsReview,
    /// See [`AttemptState::Scheduled`].
    Scheduled,
    /// See [`AttemptState::Underpaid`].
    Underpaid,
    /// See [`AttemptState::Dismissed`].
    Dismissed,
    /// See [`AttemptState::Succeeded`].
    Succeeded,
}

words!(AttemptWord {
    Claimed = "claimed",
    Released = "released",
    Sent = "sent",
    Unknown = "unknown",
    Pending = "pending",
    Failed = "failed",
    Abandoned = "abandoned",
    NeedsReview = "needs_review",
    Scheduled = "scheduled",
    Underpaid = "underpaid",
    Dismissed = "dismissed",
    Succeeded = "succeeded",
});

impl AttemptWord {
    /// Whether it may still come out either way, so that somebody waits for it.
    #[must_use]
    pub fn is_unsettled(self) -> bool {
        matches!(self, Self::Claimed | Self::Sent | Self::Unknown | Self::Pending)
    }
}

impl AttemptState {
    /// The state's word, without what comes with it.
    #[must_use]
    pub fn word(self) -> AttemptWord {
        match self {
            Self::Claimed => AttemptWord::Claimed,
            Self::Released => AttemptWord::Released,
            Self::Sent => AttemptWord::Sent,
            Self::Unknown => AttemptWord::Unknown,
            Self::Pending { .. } => AttemptWord::Pending,
            Self::Failed(_) => AttemptWord::Failed,
            Self::Abandoned => AttemptWord::Abandoned,
            Self::NeedsReview => AttemptWord::NeedsReview,
            Self::Scheduled => AttemptWord::Scheduled,
            Self::Underpaid => AttemptWord::Underpaid,
            Self::Dismissed => AttemptWord::Dismissed,
            Self::Succeeded => AttemptWord::Succeeded,
        }
    }
}

impl AttemptState {
    /// Splits the state into its word and what comes with it, as the store keeps it: whether the bank wants something of
    /// the buyer, and why it failed.
    #[must_use]
    pub fn into_parts(self) -> (AttemptWord, bool, Option<FailureReason>) {
        match self {
            Self::Pending { customer_action } => (self.word(), customer_action, None),
            Self::Failed(reason) => (self.word(), false, Some(reason)),
            _ => (self.word(), false, None),
        }
    }

    /// Puts a state together again. `None` where a failure has no reason.
    #[must_use]
    pub fn from_parts(
        word: AttemptWord,
        customer_action: bool,
        failure: Option<FailureReason>,
    ) -> Option<Self> {
        Some(match word {
            AttemptWord::Claimed => Self::Claimed,
            AttemptWord::Released => Self::Released,
            AttemptWord::Sent => Self::Sent,
            AttemptWord::Unknown => Self::Unknown,
            AttemptWord::Pending => Self::Pending { customer_action },
            AttemptWord::Failed => Self::Failed(failure?),
            AttemptWord::Abandoned => Self::Abandoned,
            AttemptWord::NeedsReview => Self::NeedsReview,
            AttemptWord::Scheduled => Self::Scheduled,
            AttemptWord::Underpaid => Self::Underpaid,
            AttemptWord::Dismissed => Self::Dismissed,
            AttemptWord::Succeeded => Self::Succeeded,
        })
    }
}

/// What the buyer agreed to, kept with the attempt for whoever doubts it later (I9). The quote has the lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRecord {
    /// Amount due now as it stood on the button, in minor units.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
    /// When the click arrived.
    pub at: UnixSeconds,
    /// Language, version and hash of the words on the screen, as the widget reports them.
    pub shown: Option<Consent>,
}

/// Why waiting for an attempt ended in [`AttemptState::NeedsReview`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReviewCause {
    /// Dodo still calls the payment pending after the limit for what it waits for.
    StillPending,
    /// Dodo did not answer, or its answer could not be read, until the end of the watch.
    Unreadable,
    /// No payment was found until the end of the watch over what was given up.
    NeverFound,
    /// The buyer is to be forgotten, and Dodo still calls the payment pending.
    BuyerForgotten,
}

words!(ReviewCause {
    StillPending = "still_pending",
    Unreadable = "unreadable",
    NeverFound = "never_found",
    BuyerForgotten = "buyer_forgotten",
});

/// Who found out what is written down about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Dodo's reply to the request itself, or the look right after it.
    Reply,
    /// A webhook.
    Webhook,
    /// The reconciler, or a buyer who came back.
    LookUp,
    /// What Dodo knows, after a store was restored.
    Restore,
    /// The clock: a deadline passed.
    Deadline,
}

words!(Source {
    Reply = "reply",
    Webhook = "webhook",
    LookUp = "look_up",
    Restore = "restore",
    Deadline = "deadline",
});

/// One line of an attempt's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When it was written down.
    pub at: UnixSeconds,
    /// What happened: a state's word, or `looked`.
    pub event: String,
    /// Who found out.
    pub source: Option<Source>,
    /// More about it: a reason, a payment.
    pub detail: Option<String>,
    /// The proxy that wrote it.
    pub instance: String,
}

/// One try to collect one quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// Its id; goes into upstream metadata.
    pub id: AttemptId,
    /// For which offer.
    pub offer_id: Option<OfferId>,
    /// On which subscription, for plan changes.
    pub subscription_id: Option<SubscriptionId>,
    /// The offer's attempt number: fencing. 1 where there is no offer.
    pub no: u32,
    /// The buyer.
    pub customer_id: CustomerId,
    /// What is collected.
    pub quote_id: QuoteId,
    /// How.
    pub kind: AttemptKind,
    /// The browser's key; freed when nothing was executed and the same request may be made again.
    pub key: Option<IdempotencyKey>,
    /// Of the request.
    pub fingerprint: Fingerprint,
    /// Where it stands.
    pub state: AttemptState,
    /// When released because the amount had changed: the new quote.
    pub replacement: Option<QuoteId>,
    /// Dodo's checkout session.
    pub checkout_session_id: Option<CheckoutSessionId>,
    /// Hosted page.
    pub checkout_url: Option<String>,
    /// Dodo's payment.
    pub payment_id: Option<PaymentId>,
    /// What was collected, once it was.
    pub receipt: Option<wire::Receipt>,
    /// What the buyer agreed to.
    pub consent: ConsentRecord,
    /// Amount of the preview that was made just before sending, in minor units of the quote's currency: what a payment is
    /// compared with. Absent until then.
    pub agreed: Option<i64>,
    /// When the claim was made.
    pub created_at: UnixSeconds,
    /// Until when the process that works on it may go on without being taken for dead.
    pub lease_until: UnixSeconds,
    /// When to look next.
    pub next_check_at: Option<UnixSeconds>,
    /// How often it was looked up.
    pub checks: u32,
    /// How many complete look-ups after the deadline found nothing.
    pub clean_looks: u32,
}

#[cfg(any(test, feature = "fixtures"))]
#[allow(clippy::unwrap_used, reason = "for tests")]
impl AttemptRow {
    /// Returns a row for tests to change: just claimed, without an offer.
    #[must_use]
    pub fn example() -> Self {
        Self {
            id: AttemptId::parse("at_1").unwrap(),
            offer_id: None,
            subscription_id: None,
            no: 1,
            customer_id: CustomerId::parse("cus_1").unwrap(),
            quote_id: QuoteId::parse("qt_1").unwrap(),
            kind: AttemptKind::OneClick,
            key: None,
            fingerprint: Fingerprint([7; 32]),
            state: AttemptState::Claimed,
            replacement: None,
            checkout_session_id: None,
            checkout_url: None,
            payment_id: None,
            receipt: None,
            consent: ConsentRecord {
                amount: 1900,
                currency: Currency::parse("USD").unwrap(),
                at: UnixSeconds(0),
                shown: None,
            },
            agreed: None,
            created_at: UnixSeconds(0),
            lease_until: UnixSeconds(0),
            next_check_at: None,
            checks: 0,
            clean_looks: 0,
        }
    }
}

/// How a booked change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BookingEnd {
    /// It took effect.
    Made,
    /// It will not: taken back, replaced, or dropped by Dodo because its payment failed.
    Cancelled,
}

words!(BookingEnd { Made = "made", Cancelled = "cancelled" });
