//! `GET /v1/plans`, `POST /v1/plans/preview`, `POST /v1/plans/change`, `DELETE /v1/plans/scheduled`,
//! `POST /v1/plans/payment-method`, `POST /v1/plans/stay-offer`, `POST` and `DELETE /v1/plans/cancellation`.

use serde::{Deserialize, Serialize};

use crate::{
    AddonId, Attempt, Card, Consent, Currency, EffectiveAt, Merchant, Money, OfferId, Period,
    PriceDifference, ProductId, Quote, QuoteId, Trigger, UnixSeconds, words,
};

words!(
    /// The state of a subscription at Dodo.
    SubscriptionStatus {
        /// Not paid for yet.
        Pending,
        /// Running.
        Active,
        /// A charge failed; a new payment method brings it back.
        OnHold,
        /// Paused.
        Paused,
        /// Ended.
        Cancelled,
        /// Never started.
        Failed,
        /// Lived out.
        Expired,
        /// A renewal is owed.
        PastDue,
    }
);

words!(
    /// What a plan is to the buyer.
    ChangeKind {
        /// The one they have.
        Current,
        /// Dearer per the same period.
        Upgrade,
        /// Cheaper per the same period.
        Downgrade,
        /// Neither, or not comparable.
        Switch,
    }
);

/// An add-on on a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Addon {
    /// Dodo's `addon_id`.
    pub addon_id: AddonId,
    /// Its name.
    pub name: String,
    /// How many.
    pub quantity: u32,
}

/// An add-on and how many of it, in a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddonQuantity {
    /// Dodo's `addon_id`.
    pub addon_id: AddonId,
    /// How many.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 10000))]
    pub quantity: u32,
}

/// A change booked for the next billing date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduledChange {
    /// To which plan.
    pub product_id: ProductId,
    /// Its name.
    pub name: String,
    /// When.
    pub effective_at: UnixSeconds,
}

/// How much of something has been used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Of what.
    pub name: String,
    /// How much, as the merchant counts it.
    pub used: u64,
    /// Of how much; absent where today's plan has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// That is so many whole percent of the limit; over 100 when more was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
}

words!(
    /// A plan's limit next to today's.
    LimitChange {
        /// Higher than today's, or none where today's plan has one or lacks the feature.
        More,
        /// Lower than today's, or one where today's plan has none.
        Less,
        /// As today's.
        Same,
    }
);

/// How much of something a plan has, where plans differ in that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanLimit {
    /// Of what.
    pub name: String,
    /// How much; absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Next to today's plan.
    pub change: LimitChange,
    /// Whether the buyer has used more than this.
    #[serde(default)]
    pub exceeded: bool,
}

/// The subscription as it is today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CurrentPlan {
    /// The plan's product.
    pub product_id: ProductId,
    /// Its name.
    pub name: String,
    /// State of the subscription.
    pub status: SubscriptionStatus,
    /// Seats.
    pub quantity: u32,
    /// Add-ons on it.
    #[serde(default)]
    pub addons: Vec<Addon>,
    /// Next charge: when.
    pub next_billing_date: UnixSeconds,
    /// Next charge: how much before tax, minor units.
    pub recurring_amount: i64,
    /// Currency of `recurring_amount`.
    pub currency: Currency,
    /// Where a discount ends: how many more renewals cost `recurring_amount`. Absent where none ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discounted_renewals: Option<u32>,
    /// Billing period.
    pub period: Period,
    /// A change that is already booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_change: Option<ScheduledChange>,
    /// Whether it ends at the next billing date.
    #[serde(default)]
    pub cancel_at_next_billing_date: bool,
    /// Whether Dodo accepts a plan change in this state.
    pub can_change: bool,
    /// Whether it can be cancelled here, for the next billing date.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub can_cancel: bool,
    /// Until when it is tried out. Absent where it is not, or not any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_ends_at: Option<UnixSeconds>,
    /// What is owed where the subscription is on hold or past due, as far as Dodo tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Money>,
    /// What has been used, where the merchant says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<Usage>,
    /// Whether what has been used gives no reason for another plan: each limit is far off. `false` where nothing is known.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub fits: bool,
}

/// Two plans that are billed in different periods, held against each other over the shortest time that is made of whole
/// periods of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SpanComparison {
    /// That time.
    pub span: Period,
    /// What today's plan costs over it, in minor units.
    pub current: i64,
    /// What this plan costs over it, in minor units.
    pub plan: i64,
    /// Currency of both.
    pub currency: Currency,
    /// After so many months today's plan has cost as much as one period of this one: staying longer is cheaper with this
    /// one. Absent where it never is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_even_months: Option<u32>,
}

/// How often a plan was chosen by those who changed from the buyer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanShare {
    /// By so many whole percent of them, rounded down.
    pub percent: u32,
    /// In the last so many days.
    pub days: u32,
}

/// One plan to compare. Amounts are what this subscriber pays: for as many seats as the subscription has, with the add-ons
/// and discounts that the plan carries on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Plan {
    /// Its product.
    pub product_id: ProductId,
    /// Its name.
    pub name: String,
    /// A sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the plan costs per period, in minor units: today's plan what is paid for it, another one its list price for all
    /// seats and carried add-ons, less the discounts that stay.
    pub price: i64,
    /// Currency of `price`.
    pub currency: Currency,
    /// Billing period.
    pub period: Period,
    /// What it is to this buyer.
    pub kind: ChangeKind,
    /// Whether it is marked: the merchant recommends it, or `share` says why.
    #[serde(default)]
    pub recommended: bool,
    /// That it was chosen most often, where it is marked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<PlanShare>,
    /// Difference to the current plan per the same period; absent where periods or currencies differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<PriceDifference>,
    /// Where only the periods differ: the comparison over a time that both divide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_span: Option<SpanComparison>,
    /// How much it has of what some plan limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<PlanLimit>,
    /// What else it has.
    #[serde(default)]
    pub features: Vec<String>,
    /// Of these, what the current plan lacks.
    #[serde(default)]
    pub gained: Vec<String>,
    /// What the current plan has and this one lacks.
    #[serde(default)]
    pub lost: Vec<String>,
    /// Add-ons of today that this plan does not carry, by name. On today's plan: those that the merchant has taken off it,
    /// which end with any change of seats or add-ons.
    #[serde(default)]
    pub lost_addons: Vec<String>,
    /// Whether the buyer may choose how many seats.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub seats: bool,
    /// Add-ons that the plan can be had with, each with how many of today's it would carry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addons: Vec<Addon>,
}

/// Answer to `GET /v1/plans`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlansResponse {
    /// The seller.
    pub merchant: Merchant,
    /// What the buyer has.
    pub current: CurrentPlan,
    /// All plans in the merchant's order, the current one among them.
    pub plans: Vec<Plan>,
    /// The card that would be charged. Absent where the subscription does not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<Card>,
    /// A change that is under way: how it stands. Absent when none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// What the merchant may have an offer for: to be asked for (`POST /v1/plans/stay-offer`) before the buyer goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stay_offers: Vec<Trigger>,
    /// Language of the merchant's words in here, a tag such as `en`. Absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// `POST /v1/plans/stay-offer`: the buyer is about to take a cheaper plan, or to cancel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StayOfferRequest {
    /// `downgrade_intent` or `cancel_intent`.
    pub intent: Trigger,
    /// The plan that the buyer has picked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
}

/// Answer to `POST /v1/plans/stay-offer`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StayOfferResponse {
    /// To be shown now, this once; absent where there is none, or it was shown before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Box<StayOffer>>,
}

/// Another plan, proposed before the buyer takes a cheaper one or cancels. It is previewed and confirmed like any other,
/// and refused like any offer (`POST /v1/plans/decline`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StayOffer {
    /// For the refusal.
    pub id: OfferId,
    /// The merchant's headline.
    pub headline: String,
    /// What one gets.
    #[serde(default)]
    pub benefits: Vec<String>,
    /// What others say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub social_proof: Option<String>,
    /// The plan, next to today's.
    pub plan: Plan,
    /// Language of the merchant's words in here, a tag such as `en`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// `POST /v1/plans/preview`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewRequest {
    /// To which plan.
    pub product_id: ProductId,
    /// Seats; absent keeps today's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 10000))]
    pub quantity: Option<u32>,
    /// Add-ons; absent keeps today's, as far as the plan carries them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addons: Option<Vec<AddonQuantity>>,
    /// Absent means at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<EffectiveAt>,
}

/// Answer to a preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewResponse {
    /// To which plan.
    pub product_id: ProductId,
    /// Its name.
    pub name: String,
    /// What confirming charges.
    pub quote: Quote,
    /// The card that will be charged. Absent where the subscription does not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<Card>,
    /// Add-ons of today that end with the change because the plan does not have them, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost_addons: Vec<String>,
}

/// `POST /v1/plans/change`, with an `Idempotency-Key` header. Answered with an [`crate::Attempt`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeRequest {
    /// The quote that was on the screen.
    pub quote_id: QuoteId,
    /// What was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
}

/// Answer to `POST /v1/plans/payment-method`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentMethodLink {
    /// Where the buyer gives another payment method.
    pub url: String,
}
