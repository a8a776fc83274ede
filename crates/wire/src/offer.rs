//! `GET /v1/upsell`, `POST /v1/upsell/decline`, `POST /v1/upsell/seen`.
//!
//! [`UpsellResponse`] is also what a merchant's own basic backend answers, after Dodo's guide on upsells: `eligible`,
//! `reason` and `product` only. So everything else is optional here, and without `offer` and `quote` the widget shows
//! the product at its list price.

use serde::{Deserialize, Serialize};

use crate::{Attempt, Currency, OfferId, Period, ProductId, Quote, words};

words!(
    /// What an offer proposes.
    OfferKind {
        /// Dearer or more of what was bought; charged as a new purchase.
        Upsell,
        /// Goes with what was bought.
        CrossSell,
        /// Cheaper; shown after a decline or at a downgrade.
        Downsell,
        /// Change of an existing subscription to a dearer plan.
        Upgrade,
        /// Change of an existing subscription to a cheaper plan.
        Downgrade,
    }
);

words!(
    /// Why there is nothing to offer.
    IneligibleReason {
        /// No purchase to follow up.
        NoPurchase,
        /// The merchant has reported no such event of this buyer.
        NoEvent,
        /// No campaign of the merchant fits.
        NoCampaign,
        /// The buyer has refused it.
        Declined,
        /// The buyer has taken it; `attempt` has the receipt.
        Accepted,
        /// It is being paid; `attempt` says how that stands.
        InProgress,
        /// Its time has passed.
        Expired,
        /// The buyer already has it.
        AlreadyOwned,
        /// The shop cannot tell at the moment.
        Unavailable,
    }
);

/// The merchant, as the buyer knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Merchant {
    /// Name of the seller.
    pub name: String,
}

/// One proposal to one buyer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Offer {
    /// What to send back.
    pub id: OfferId,
    /// What it proposes.
    pub kind: OfferKind,
    /// The merchant's headline, in the buyer's language where the merchant wrote it.
    pub headline: String,
    /// What one gets over today, a line each.
    #[serde(default)]
    pub benefits: Vec<String>,
    /// One line of true social proof, when the merchant has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub social_proof: Option<String>,
    /// How many are offered.
    pub quantity: u32,
    /// Opaque key of the thing offered, the same through every campaign: the browser remembers a refusal under it.
    pub decline_key: String,
}

/// The thing offered. `id`, `name`, `price` and `currency` are all that a basic backend sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Product {
    /// Dodo's `product_id`.
    pub id: ProductId,
    /// Its name.
    pub name: String,
    /// List price in minor units of `currency`; what is charged stands in the quote.
    pub price: i64,
    /// Currency of `price`.
    pub currency: Currency,
    /// Billing period, for plans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// A sentence or two, plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Picture, https only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// A price difference per the same period, signed: positive is dearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceDifference {
    /// Minor units.
    pub amount: i64,
    /// Currency.
    pub currency: Currency,
    /// Per what; absent for one-time prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
}

/// What the buyer has today, to compare with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompareTo {
    /// Name of what they have.
    pub name: String,
    /// What it costs in minor units: for a plan, what the buyer pays for it today with all seats, add-ons and discounts.
    pub price: i64,
    /// Currency of `price`.
    pub currency: Currency,
    /// Its billing period, for plans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// How much dearer the offer is, where the two can honestly be compared: the buyer pays this difference and not
    /// the whole price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<PriceDifference>,
    /// Add-ons that the buyer has today and that end with the offer, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost_addons: Vec<String>,
}

/// The saved card, as much of it as a page may know. Never an id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Card {
    /// Network, for example `visa`.
    pub brand: String,
    /// Last four digits.
    pub last4: String,
}

/// Answer to `GET /v1/upsell`: everything needed to show an offer and to accept it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpsellResponse {
    /// Whether there is an offer.
    pub eligible: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<IneligibleReason>,
    /// The proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// The thing proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// What the buyer has today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_to: Option<CompareTo>,
    /// What accepting charges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// The card that will be charged; absent when there is none usable, and accepting then opens a hosted checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<Card>,
    /// The seller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<Merchant>,
    /// With `accepted` and `in_progress`: how the buyer's attempt stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// Language of the merchant's words in here, a tag such as `en`. A basic backend says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl UpsellResponse {
    /// Nothing to offer.
    #[must_use]
    pub fn ineligible(reason: IneligibleReason) -> Self {
        Self {
            eligible: false,
            reason: Some(reason),
            offer: None,
            product: None,
            compare_to: None,
            quote: None,
            payment_method: None,
            merchant: None,
            attempt: None,
            language: None,
        }
    }
}

words!(
    /// Why the buyer refused, when they said.
    DeclineReason {
        /// Costs too much.
        TooExpensive,
        /// Not needed.
        NotNeeded,
        /// Perhaps another day.
        NotNow,
    }
);

/// `POST /v1/upsell/decline`. Idempotent; safe to send with `keepalive`, and again later after being offline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeclineRequest {
    /// Which offer.
    pub offer_id: OfferId,
    /// Why, when said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<DeclineReason>,
}

/// Answer to a decline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeclineResponse {
    /// A downsell, at most one in a chain, or nothing more.
    #[serde(default)]
    pub next: Option<Box<UpsellResponse>>,
}

/// `POST /v1/upsell/seen`: the offer was really visible to the buyer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeenRequest {
    /// Which offer.
    pub offer_id: OfferId,
}
