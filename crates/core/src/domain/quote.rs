//! Quotes, and what collecting one does upstream.

use dodo_client::{
    ids::{CustomerId, PaymentMethodId, SubscriptionId},
    types::plan_changes::ProrationMode,
};
use serde::{Deserialize, Serialize};
use wire::{AddonId, Card, EffectiveAt, OfferId, ProductId};

use super::Billing;

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
        addons: Vec<(AddonId, u32)>,
        /// `proration_billing_mode`.
        proration: ProrationMode,
        /// `effective_at`.
        effective_at: EffectiveAt,
    },
}

impl ChargePlan {
    /// Returns the plan billed in this mode; a new purchase has none.
    #[must_use]
    pub fn billed(mut self, mode: ProrationMode) -> Self {
        if let Self::PlanChange { proration, .. } = &mut self {
            *proration = mode;
        }
        self
    }

    /// Returns the plan without where exactly it is billed to: with the country alone.
    #[must_use]
    pub fn without_address(mut self) -> Self {
        if let Self::Checkout { billing: Some(billing), .. } = &mut self {
            *billing = billing.country_only();
        }
        self
    }

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
    /// Whether the buyer had a saved method that this session might not charge, so that the checkout is hosted.
    pub withheld: bool,
    /// Whether it was issued to a buyer who is signed in. Nobody else may use it.
    pub signed_in: bool,
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

#[cfg(any(test, feature = "fixtures"))]
#[allow(clippy::unwrap_used, reason = "for tests")]
impl QuoteRow {
    /// Returns a row for tests to change: one toolkit for 19 dollars.
    #[must_use]
    pub fn example() -> Self {
        let product_id = ProductId::parse("prod_kit").unwrap();
        let line = wire::QuoteLine {
            kind: wire::LineKind::Product,
            name: "Toolkit".into(),
            quantity: 1,
            amount: 1900,
            prorated: false,
        };
        Self {
            quote: wire::Quote {
                id: wire::QuoteId::parse("qt_1").unwrap(),
                currency: wire::Currency::parse("USD").unwrap(),
                lines: vec![line],
                tax: 0,
                tax_inclusive: false,
                credit: 0,
                total: 1900,
                settlement: None,
                renewal: None,
                effective_at: EffectiveAt::Immediately,
                expires_at: wire::UnixSeconds(300),
                expires_in: 300,
            },
            offer_id: None,
            customer_id: CustomerId::parse("cus_1").unwrap(),
            plan: ChargePlan::Checkout { product_id, quantity: 1, billing: None, discount_codes: Vec::new() },
            from_plan: None,
            name: "Toolkit".into(),
            basis_hash: String::new(),
            payment_method_id: None,
            card: None,
            withheld: false,
            signed_in: true,
        }
    }
}
