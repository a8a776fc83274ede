//! The words of the proxy: what is stored and passed between `policy`, `service` and `store`.
//!
//! No SQL, no HTTP, no Dodo JSON here. Ids of buyers stay on this side of the wire. One file because it is a list of words
//! that is looked things up in, without behaviour.

use dodo_client::{
    Mode,
    calls::plan_changes::ProrationMode,
    ids::{CheckoutSessionId, CustomerId, PaymentId, PaymentMethodId, SubscriptionId},
    values::ExpiryMonth,
};
use serde::{Deserialize, Serialize};
use wire::{
    AttemptId, Card, Consent, Currency, DeclineReason, EffectiveAt, FailureReason, FeatureUsage,
    IdempotencyKey, Money, OfferId, OfferKind, ProductId, Purpose, QuoteId, Trigger, UnixSeconds,
};

mod sales;

pub use sales::{
    DisputeStatus, OrderState, RefundCause, RefundOrder, RefundStatus, Sale, SeenDispute, SeenRefund,
};

/// Whose data it is. A store is opened for one tenant, and every row and every query belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The merchant, in the merchant's own spelling.
    pub merchant: String,
    /// Test and live are two worlds.
    pub mode: Mode,
}

/// SHA-256 of a bearer token or a nonce; the secret itself is never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// SHA-256 of a request body in canonical form: tells whether a key was used again with another body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// What a session token stands for: one buyer, one purpose, for a short while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Key of the row.
    pub token: TokenHash,
    /// The buyer.
    pub customer_id: CustomerId,
    /// What for.
    pub purpose: Purpose,
    /// What set the offer off.
    pub trigger: Trigger,
    /// The purchase to follow up; the buyer's latest when absent.
    pub payment_id: Option<PaymentId>,
    /// The subscription to change, with purpose `plans`.
    pub subscription_id: Option<SubscriptionId>,
    /// Language for the merchant's words.
    pub locale: Option<String>,
    /// Country for tax where the purchase does not tell.
    pub country: Option<String>,
    /// What has been used of what plans limit, as the merchant counts it.
    pub usage: Vec<FeatureUsage>,
    /// End of life.
    pub expires_at: UnixSeconds,
}

/// Where the buyer is billed, as their purchase said (`billing` at Dodo).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Street and number.
    #[serde(default)]
    pub street: Option<String>,
    /// City.
    #[serde(default)]
    pub city: Option<String>,
    /// State or province.
    #[serde(default)]
    pub state: Option<String>,
    /// Postal code.
    #[serde(default)]
    pub zipcode: Option<String>,
}

/// A paid purchase, known from a webhook or looked up when a session was minted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Dodo's payment.
    pub payment_id: PaymentId,
    /// The buyer.
    pub customer_id: CustomerId,
    /// What was bought: one-time products, or the plan of `subscription_id`.
    pub product_ids: Vec<ProductId>,
    /// The subscription, when it began one.
    pub subscription_id: Option<SubscriptionId>,
    /// Where the buyer is billed.
    pub billing: Option<Billing>,
    /// When.
    pub paid_at: UnixSeconds,
}

/// Something other than a purchase that the merchant reported of a buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerEvent {
    /// Its own id; becomes an offer's `trigger_ref`.
    pub id: String,
    /// The buyer.
    pub customer_id: CustomerId,
    /// What happened.
    pub trigger: Trigger,
    /// On which subscription.
    pub subscription_id: Option<SubscriptionId>,
    /// When it was reported.
    pub at: UnixSeconds,
}

/// A saved way to pay, as far as choosing one needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedMethod {
    /// Dodo's id. Never leaves the proxy.
    pub id: PaymentMethodId,
    /// Whether it is a card; other kinds cannot be charged in one click with certainty.
    pub is_card: bool,
    /// What a page may know of the card.
    pub card: Option<Card>,
    /// The last month in which the card is good, when readable.
    pub expiry: Option<ExpiryMonth>,
    /// When it last paid.
    pub last_used_at: Option<UnixSeconds>,
    /// Whether subscriptions may charge it; `None` is "not known".
    pub recurring_enabled: Option<bool>,
}

/// The thing offered, whichever campaign offers it. Refusals are remembered under it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EquivalenceKey(pub String);

/// What collecting would do upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargePlan {
    /// A new purchase through a checkout session.
    Checkout {
        /// What.
        product_id: ProductId,
        /// How many.
        quantity: u32,
        /// Billed to.
        billing: Option<Billing>,
        /// Applied in order.
        discount_codes: Vec<String>,
    },
    /// A change of an existing subscription.
    PlanChange {
        /// Which.
        subscription_id: SubscriptionId,
        /// To which plan.
        product_id: ProductId,
        /// Seats.
        quantity: u32,
        /// All add-ons the subscription has afterwards; what is not listed is removed by Dodo.
        addons: Vec<(ProductId, u32)>,
        /// `proration_billing_mode`.
        proration: ProrationMode,
        /// `effective_at`.
        effective_at: EffectiveAt,
    },
}

impl ChargePlan {
    /// How many.
    #[must_use]
    pub fn quantity(&self) -> u32 {
        match self {
            Self::Checkout { quantity, .. } | Self::PlanChange { quantity, .. } => *quantity,
        }
    }

    /// The product bought or changed to.
    #[must_use]
    pub fn product_id(&self) -> &ProductId {
        match self {
            Self::Checkout { product_id, .. } | Self::PlanChange { product_id, .. } => product_id,
        }
    }

    /// The subscription changed, when one is.
    #[must_use]
    pub fn subscription_id(&self) -> Option<&SubscriptionId> {
        match self {
            Self::Checkout { .. } => None,
            Self::PlanChange { subscription_id, .. } => Some(subscription_id),
        }
    }
}

/// The states of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OfferState {
    /// Chosen for the buyer, not answered with yet.
    Eligible,
    /// Answered to the page.
    Presented,
    /// An attempt is under way.
    Accepting,
    /// Waiting for the bank or the buyer.
    Pending,
    /// Outcome not known; being looked up.
    Unknown,
    /// The last attempt definitely failed.
    Failed,
    /// Collected, or booked. Absorbing.
    Charged,
    /// Refused. Absorbing.
    Declined,
    /// Over. Absorbing.
    Expired,
    /// Never chargeable again; a late success still moves it to `Charged`.
    Abandoned,
}

/// One offer to one buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferRow {
    /// Its id.
    pub id: OfferId,
    /// The buyer.
    pub customer_id: CustomerId,
    /// Name of the campaign in the rules file.
    pub campaign: String,
    /// What set it off: a payment id, or an event's id.
    pub trigger_ref: String,
    /// The purchase that it follows, where there is one.
    pub purchase: Option<PaymentId>,
    /// The declined offer that this downsell follows.
    pub parent: Option<OfferId>,
    /// What the decline ledger knows it by.
    pub equivalence: EquivalenceKey,
    /// What it proposes.
    pub kind: OfferKind,
    /// What accepting does.
    pub plan: ChargePlan,
    /// Where it stands.
    pub state: OfferState,
    /// Attempts so far; the fencing number.
    pub attempt_no: u32,
    /// When it was made.
    pub created_at: UnixSeconds,
    /// When the buyer really saw it.
    pub seen_at: Option<UnixSeconds>,
    /// After this it cannot be accepted.
    pub expires_at: UnixSeconds,
}

/// One refusal. The ledger only grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclineEntry {
    /// The offer refused.
    pub offer_id: OfferId,
    /// The thing refused.
    pub equivalence: EquivalenceKey,
    /// The campaign that offered it.
    pub campaign: String,
    /// What it cost then, where known.
    pub price: Option<Money>,
    /// The plan that the buyer was on then, where known.
    pub plan: Option<ProductId>,
    /// Why, when said.
    pub reason: Option<DeclineReason>,
    /// When.
    pub at: UnixSeconds,
}

/// A persisted quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteRow {
    /// What the browser saw. `quote.id` is the key; `quote.expires_in` is as of when it was made.
    pub quote: wire::Quote,
    /// For which offer; absent for the plan page.
    pub offer_id: Option<OfferId>,
    /// The buyer; a quote is only ever found together with its buyer.
    pub customer_id: CustomerId,
    /// What it would do.
    pub plan: ChargePlan,
    /// For a plan change: from which plan. For counting only; nothing is charged by it.
    pub from_plan: Option<ProductId>,
    /// Name of what is bought, for the receipt.
    pub name: String,
    /// Hash of what the quote was based on.
    pub basis_hash: String,
    /// The method shown; `None` means hosted checkout.
    pub payment_method_id: Option<PaymentMethodId>,
    /// The card shown.
    pub card: Option<Card>,
}

/// How many subscriptions went from one plan to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanChanges {
    /// From here.
    pub from: ProductId,
    /// To there; never the same.
    pub to: ProductId,
    /// So many.
    pub subscriptions: u32,
}

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
    /// Booked for the next billing date.
    Scheduled,
    /// Collected, or the change is made.
    Succeeded,
}

/// An attempt's state without what comes with it: its word in the store, on the command line and in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
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
    /// See [`AttemptState::Scheduled`].
    Scheduled,
    /// See [`AttemptState::Succeeded`].
    Succeeded,
}

impl AttemptWord {
    /// Each, in the order of an attempt's life.
    pub const ALL: [Self; 9] = [
        Self::Claimed,
        Self::Released,
        Self::Sent,
        Self::Unknown,
        Self::Pending,
        Self::Failed,
        Self::Abandoned,
        Self::Scheduled,
        Self::Succeeded,
    ];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Released => "released",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Scheduled => "scheduled",
            Self::Succeeded => "succeeded",
        }
    }

    /// The state with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether it may still come out either way, so that somebody waits for it.
    #[must_use]
    pub fn is_unsettled(self) -> bool {
        matches!(self, Self::Claimed | Self::Sent | Self::Unknown | Self::Pending)
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

/// How a payment stands, as far as an attempt is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Not settled.
    Pending,
    /// Failed or cancelled. On a hosted page another may follow.
    Failed,
    /// Collected.
    Succeeded,
}

/// A payment as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPayment {
    /// Dodo's id.
    pub id: PaymentId,
    /// How it stands.
    pub status: PaymentStatus,
    /// What it collects, tax included; absent where not known yet.
    pub amount: Option<Money>,
}

/// A payment of an attempt as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentOnRecord {
    /// It.
    pub payment: SeenPayment,
    /// It came in although the attempt had been paid by another.
    pub surplus: bool,
    /// When it was last seen.
    pub seen_at: UnixSeconds,
}

/// Who found out what is written down about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

#[cfg(test)]
impl AttemptRow {
    /// One for tests to change: claimed just now, of no offer.
    pub(crate) fn example() -> Self {
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
            created_at: UnixSeconds(0),
            lease_until: UnixSeconds(0),
            next_check_at: None,
            checks: 0,
            clean_looks: 0,
        }
    }
}
