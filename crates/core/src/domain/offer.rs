//! Offers and their refusals.

use dodo_client::ids::{CustomerId, PaymentId};
use serde::{Deserialize, Serialize};
use wire::{DeclineReason, Money, OfferId, OfferKind, ProductId, UnixSeconds};

use super::{ChargePlan, EmailHash, Person, words::words};

/// The thing offered, whichever campaign offers it. Refusals are remembered under it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EquivalenceKey(pub String);

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

words!(OfferState {
    Eligible = "eligible",
    Presented = "presented",
    Accepting = "accepting",
    Pending = "pending",
    Unknown = "unknown",
    Failed = "failed",
    Charged = "charged",
    Declined = "declined",
    Expired = "expired",
    Abandoned = "abandoned",
});

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
    /// Keyed hash of the e-mail address of that purchase.
    pub email: Option<EmailHash>,
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

impl OfferRow {
    /// Returns the buyer.
    #[must_use]
    pub fn person(&self) -> Person {
        Person { customer_id: self.customer_id.clone(), email: self.email.clone() }
    }
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

#[cfg(any(test, feature = "fixtures"))]
#[allow(clippy::unwrap_used, reason = "for tests")]
impl OfferRow {
    /// Returns a row for tests to change: shown to a buyer, and open.
    #[must_use]
    pub fn example() -> Self {
        let product_id = ProductId::parse("prod_kit").unwrap();
        Self {
            id: OfferId::parse("of_1").unwrap(),
            customer_id: CustomerId::parse("cus_1").unwrap(),
            campaign: "toolkit".into(),
            trigger_ref: "pay_0".into(),
            purchase: Some(PaymentId::parse("pay_0").unwrap()),
            email: None,
            parent: None,
            equivalence: EquivalenceKey("product:prod_kit".into()),
            kind: OfferKind::CrossSell,
            plan: ChargePlan::Checkout { product_id, quantity: 1, billing: None, discount_codes: Vec::new() },
            state: OfferState::Presented,
            attempt_no: 0,
            created_at: UnixSeconds(0),
            seen_at: None,
            expires_at: UnixSeconds(86_400),
        }
    }
}
