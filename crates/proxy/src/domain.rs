//! The words of the proxy: what is stored and passed between `policy`, `service` and `store`.
//!
//! No SQL, no HTTP, no Dodo JSON here. Ids of buyers stay on this side of the wire.

use dodo_client::{CustomerId, PaymentId, PaymentMethodId, SubscriptionId};
use serde::{Deserialize, Serialize};
use wire::{AttemptId, Card, Consent, FailureReason, OfferId, OfferKind, ProductId, Purpose, QuoteId, Trigger, UnixSeconds};

/// SHA-256 of a session token; the token itself is never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

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
        proration: dodo_client::ProrationBillingMode,
        /// `effective_at`.
        at_next_billing_date: bool,
    },
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
    /// Collected. Absorbing.
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
    /// After this it cannot be accepted.
    pub expires_at: UnixSeconds,
}

/// A persisted quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteRow {
    /// What the browser saw. `quote.id` is the key.
    pub quote: wire::Quote,
    /// For which offer; absent for the plan page.
    pub offer_id: Option<OfferId>,
    /// The buyer; a quote is only ever found together with its buyer.
    pub customer_id: CustomerId,
    /// What it would do.
    pub plan: ChargePlan,
    /// Name of what is bought, for the receipt.
    pub name: String,
    /// Hash of what the quote was based on.
    pub basis_hash: String,
    /// The method shown; `None` means hosted checkout.
    pub payment_method_id: Option<PaymentMethodId>,
    /// The card shown.
    pub card: Option<Card>,
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
    /// The one POST may have happened.
    Sent,
    /// Accepted upstream, not settled.
    Pending,
    /// Outcome not known.
    Unknown,
    /// Collected, or the change is made.
    Succeeded,
    /// Booked for the next billing date.
    Scheduled,
    /// Definitely not collected.
    Failed(FailureReason),
    /// Looked for until the deadline, not found; watched on.
    Abandoned,
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
    /// The offer's attempt number: fencing.
    pub no: u32,
    /// The buyer.
    pub customer_id: CustomerId,
    /// What is collected.
    pub quote_id: QuoteId,
    /// How.
    pub kind: AttemptKind,
    /// Where it stands.
    pub state: AttemptState,
    /// The bank wants something of the buyer.
    pub requires_customer_action: bool,
    /// Dodo's checkout session.
    pub checkout_session_id: Option<String>,
    /// Hosted page.
    pub checkout_url: Option<String>,
    /// Dodo's payment.
    pub payment_id: Option<PaymentId>,
    /// What was collected, once it was.
    pub receipt: Option<wire::Receipt>,
    /// What the buyer had on the screen.
    pub consent: Option<Consent>,
    /// When the claim was made.
    pub created_at: UnixSeconds,
    /// When to look next.
    pub next_check_at: Option<UnixSeconds>,
    /// How often it was looked up.
    pub checks: u32,
}
