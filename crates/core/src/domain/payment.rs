//! Payments: what Dodo says of one, whether it was looked up, listed or reported, and what is kept of it.

use dodo_client::{
    ids::{CheckoutSessionId, CustomerId, PaymentId, SubscriptionId},
    types::payments::{ChargeType, IntentStatus, Payment, PaymentSummary},
    values::Metadata,
};
use wire::{AttemptId, Card, Money, ProductId, UnixSeconds};

use super::{
    TagKeys,
    method::shown_card,
    tags::{self, Tags},
    words::words,
};

/// What the metadata of a payment says about an attempt, and what that is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// Nothing.
    Nobody,
    /// It names an attempt, as any buyer may have it do. A hint where to look, and never evidence.
    Attempt(AttemptId),
    /// A proxy with one of our keys wrote all of this. It may have been copied to another payment.
    Proven(Box<Tags>),
}

impl Named {
    /// Reads what metadata says.
    #[must_use]
    pub fn read(metadata: &Metadata, keys: &TagKeys) -> Self {
        let tags = keys.verify(metadata).then(|| Tags::read(metadata)).flatten();
        match (tags, tags::attempt(metadata)) {
            (Some(tags), _) => Self::Proven(Box::new(tags)),
            (None, Some(attempt)) => Self::Attempt(attempt),
            (None, None) => Self::Nobody,
        }
    }

    /// Returns the attempt that is named, proven or not.
    #[must_use]
    pub fn attempt(&self) -> Option<&AttemptId> {
        match self {
            Self::Nobody => None,
            Self::Attempt(attempt) => Some(attempt),
            Self::Proven(tags) => Some(&tags.attempt),
        }
    }

    /// Returns what is proven.
    #[must_use]
    pub fn tags(&self) -> Option<&Tags> {
        match self {
            Self::Proven(tags) => Some(tags),
            Self::Nobody | Self::Attempt(_) => None,
        }
    }
}

/// What a payment bought: products with their quantities, in the order in which Dodo lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart(pub Vec<(ProductId, i64)>);

impl Cart {
    /// Says whether this is one product, and so many of it.
    #[must_use]
    pub fn is_only(&self, product: &ProductId, quantity: u32) -> bool {
        matches!(self.0.as_slice(), [(id, count)] if id == product && *count == i64::from(quantity))
    }
}

/// The facts of one payment. Listings know less than look-ups: no tax, no card, no cart, no reason of a failure, no page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentFacts {
    /// Its id.
    pub payment_id: PaymentId,
    /// Who pays.
    pub customer_id: CustomerId,
    /// How it stands.
    pub status: Option<IntentStatus>,
    /// Why it failed.
    pub error_code: Option<String>,
    /// A page on which the buyer completes this very payment.
    pub payment_link: Option<String>,
    /// What the buyer is charged, tax included.
    pub amount: Money,
    /// Tax within.
    pub tax: Option<i64>,
    /// Time of its last change, as far as known.
    pub at: Option<UnixSeconds>,
    /// Time at which it was begun, where that can be read. What follows from it then takes the careful side.
    pub created_at: Option<UnixSeconds>,
    /// The card charged.
    pub card: Option<Card>,
    /// What it was for.
    pub charge_type: Option<ChargeType>,
    /// What it bought. Absent in listings, and for what renews.
    pub cart: Option<Cart>,
    /// The checkout it came from.
    pub checkout_session_id: Option<CheckoutSessionId>,
    /// The subscription it pays for.
    pub subscription_id: Option<SubscriptionId>,
    /// What its metadata says about an attempt.
    pub named: Named,
    /// It was looked up or reported, and its cart could be read: what is absent is absent at Dodo.
    pub is_whole: bool,
}

impl PaymentFacts {
    /// Reads a payment that was looked up or reported.
    #[must_use]
    pub fn of(payment: &Payment, keys: &TagKeys) -> Self {
        let cart: Vec<_> =
            payment.product_cart.iter().map(|item| (item.product_id.clone(), item.quantity)).collect();
        let subscription = payment.subscription_id.as_ref().or_else(|| payment.subscription_ids.first());
        Self {
            payment_id: payment.payment_id.clone(),
            customer_id: payment.customer.customer_id.clone(),
            status: payment.status.clone(),
            error_code: payment.error_code.clone(),
            payment_link: payment.payment_link.clone(),
            amount: Money::new(payment.total_amount, payment.currency),
            tax: payment.tax,
            at: payment.updated_at.or(payment.created_at),
            created_at: payment.created_at,
            card: shown_card(payment.card_network.as_deref(), payment.card_last_four.as_deref()),
            charge_type: payment.charge_type.clone(),
            cart: (!cart.is_empty()).then_some(Cart(cart)),
            checkout_session_id: payment.checkout_session_id.clone(),
            subscription_id: subscription.cloned(),
            named: Named::read(&payment.metadata, keys),
            is_whole: !payment.unread.product_cart,
        }
    }

    /// Reads a payment that was listed.
    #[must_use]
    pub fn listed(payment: &PaymentSummary, keys: &TagKeys) -> Self {
        Self {
            payment_id: payment.payment_id.clone(),
            customer_id: payment.customer.customer_id.clone(),
            status: payment.status.clone(),
            error_code: None,
            payment_link: None,
            amount: Money::new(payment.total_amount, payment.currency),
            tax: None,
            at: payment.created_at,
            created_at: payment.created_at,
            card: None,
            charge_type: payment.charge_type.clone(),
            cart: None,
            checkout_session_id: payment.checkout_session_id.clone(),
            subscription_id: payment.subscription_id.clone(),
            named: Named::read(&payment.metadata, keys),
            is_whole: false,
        }
    }
}

/// How a payment stands, as far as an attempt is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaymentStatus {
    /// Not settled.
    Pending,
    /// Failed or cancelled. On a hosted page another may follow.
    Failed,
    /// Collected.
    Succeeded,
}

words!(PaymentStatus { Pending = "pending", Failed = "failed", Succeeded = "succeeded" });

/// What makes a payment an attempt's own. The order is that of strength: of two proofs the greater holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Proof {
    /// Its name alone, for an attempt from before there were codes.
    OldName,
    /// Its name carries a valid code.
    Code,
    /// It was reached by an id of ours: of the payment, the checkout or the subscription.
    OurId,
}

words!(Proof { OldName = "old_name", Code = "code", OurId = "our_id" });

/// A payment as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPayment {
    /// Dodo's id.
    pub id: PaymentId,
    /// How it stands.
    pub status: PaymentStatus,
    /// What it collects, tax included; absent where not known yet.
    pub amount: Option<Money>,
    /// What makes it the attempt's own.
    pub proof: Proof,
    /// Who paid it, where that is not the buyer of the attempt: on a hosted page anybody may pay.
    pub paid_by: Option<CustomerId>,
    /// The subscription that it began or changed. Further payments of that subscription are renewals.
    pub subscription_id: Option<SubscriptionId>,
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
