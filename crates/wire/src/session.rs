//! The merchant's own calls (`POST /v1/sessions`, `POST /v1/events`, `POST /v1/attempts/{id}/resolve`, with the
//! merchant's secret key) and the two calls
//! of a shop without a server (`POST /v1/checkouts`, `POST /v1/upsell/redeem`).

use serde::{Deserialize, Serialize};

use crate::{AttemptId, ProductId, UnixSeconds, words};

words!(
    /// What a session token is good for.
    Purpose {
        /// The post-purchase offer.
        Offer,
        /// The plan comparison of one subscription.
        Plans,
    }
);

words!(
    /// What set an offer off.
    Trigger {
        /// A purchase; what webhooks report.
        Purchase,
        /// A milestone of usage.
        UsageMilestone,
        /// Near a limit of the plan.
        NearPlanLimit,
        /// Onboarding is done.
        OnboardingDone,
        /// The buyer is about to take a cheaper plan.
        DowngradeIntent,
        /// The buyer is about to cancel.
        CancelIntent,
    }
);

/// How much of something a buyer has used, as the merchant counts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeatureUsage {
    /// The feature's key in the rules file.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub feature: String,
    /// Since the last billing date, or whatever the merchant's limit is for.
    #[cfg_attr(feature = "openapi", schema(maximum = 9007199254740991_u64))]
    pub used: u64,
}

/// `POST /v1/sessions`: a token for one buyer and one purpose.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionRequest {
    /// Dodo's `customer_id`, as the merchant's server knows it.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$"))]
    pub customer_id: String,
    /// Whether the buyer is signed in at the merchant's, so that the server knows who they are. Absent or `false`: the
    /// server knows a purchase only, and one click charges nothing but the method that paid it. Required for purpose
    /// `plans` and for triggers other than a purchase.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub signed_in: bool,
    /// What for.
    pub purpose: Purpose,
    /// Which trigger the offer follows; absent means the purchase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// The purchase to follow up; absent means the buyer's latest when the token is minted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$"))]
    pub payment_id: Option<String>,
    /// Required with purpose `plans`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$"))]
    pub subscription_id: Option<String>,
    /// The buyer's language, for the merchant's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 35, pattern = "^[A-Za-z0-9_-]+$"))]
    pub locale: Option<String>,
    /// The buyer's country (ISO 3166-1 alpha-2), for tax where the purchase does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 2, max_length = 2, pattern = "^[A-Z]{2}$"))]
    pub country: Option<String>,
    /// With purpose `plans`: what the buyer has used of what plans limit. Absent where the merchant does not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 20))]
    pub usage: Vec<FeatureUsage>,
    /// The secret of the browser that the token is for, where the merchant's server was told it. Absent: the token belongs to
    /// the first browser that uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 32, max_length = 128, pattern = "^[A-Za-z0-9_-]+$"))]
    pub browser: Option<String>,
}

impl core::fmt::Debug for SessionRequest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SessionRequest")
            .field("customer_id", &self.customer_id)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

/// A session token. Short-lived, and good in one browser; the only thing that the page holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionResponse {
    /// Opaque bearer token.
    pub token: String,
    /// Until when.
    pub expires_at: UnixSeconds,
}

impl core::fmt::Debug for SessionResponse {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SessionResponse").field("token", &"…").field("expires_at", &self.expires_at).finish()
    }
}

/// `POST …/handover`: a one-time code with which the proxy's own page goes on for the same buyer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandoverResponse {
    /// The code, for the fragment of the page's address (`/upgrade/#code=…`).
    pub code: String,
    /// Until when: about two minutes.
    pub expires_at: UnixSeconds,
}

impl core::fmt::Debug for HandoverResponse {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HandoverResponse").field("code", &"…").field("expires_at", &self.expires_at).finish()
    }
}

/// `POST /v1/handover/redeem`: exchanges the code, once, for a session token of the page's own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TakeOverRequest {
    /// The code.
    pub code: String,
    /// The secret of this browser on the page's origin; the token belongs to it.
    #[cfg_attr(feature = "openapi", schema(min_length = 32, max_length = 128, pattern = "^[A-Za-z0-9_-]+$"))]
    pub browser: String,
}

impl core::fmt::Debug for TakeOverRequest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TakeOverRequest { code: … }")
    }
}

/// `POST /v1/events`: a trigger other than a purchase. Answered with 202.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventRequest {
    /// Which buyer.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$"))]
    pub customer_id: String,
    /// What happened.
    pub trigger: Trigger,
    /// On which subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$"))]
    pub subscription_id: Option<String>,
}

words!(
    /// What a person decides about money that fell short of what was agreed.
    Resolution {
        /// It is enough: fulfil the order.
        Fulfil,
        /// All of it goes back, and the offer is over.
        Refund,
        /// The merchant has dealt with it; the offer can be taken again while it is valid.
        Reopen,
    }
);

/// `POST /v1/attempts/{id}/resolve`: what becomes of money that fell short of what was agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResolveRequest {
    /// The decision.
    pub resolution: Resolution,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResolveResponse {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// The state that it is in now: `succeeded` or `dismissed`.
    pub state: String,
}

/// `POST /v1/customers/forget`: everything about a buyer goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForgetRequest {
    /// Dodo's customer id.
    pub customer_id: String,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForgetResponse {
    /// Everything from up to then is gone, but for what is pending.
    pub forgotten_at: UnixSeconds,
    /// Number of charges that went.
    pub charges: u32,
    /// Charges that have to come to an end first. They go within an hour of it, without another call.
    pub pending: Vec<PendingCharge>,
}

/// A charge that is kept although its buyer is to be forgotten, until it has come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PendingCharge {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// `undecided`, `watched`, `needs_review`, `underpaid`, `booked`, `refund_pending` or `disputed`.
    pub reason: String,
}

/// `POST /v1/signing-keys/retire`: charges signed with this key need not be recognised any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetireKeyRequest {
    /// Id of the key: what stands before the colon in `UPSELL_SIGNING_KEYS`.
    pub key_id: String,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetireKeyResponse {
    /// From then on the proxy starts without the key.
    pub retired_at: UnixSeconds,
}

/// `POST /v1/checkouts`: a shop without a server starts a hosted checkout of a product that the rules file allows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckoutRequest {
    /// Which product.
    pub product_id: ProductId,
    /// How many; absent means one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100))]
    pub quantity: Option<u32>,
    /// A secret of this browser, 32 to 128 characters, kept in its storage. Without it nothing can be redeemed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 32, max_length = 128, pattern = "^[A-Za-z0-9_-]+$"))]
    pub browser: Option<String>,
}

impl core::fmt::Debug for CheckoutRequest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { product_id, quantity, browser } = self;
        f.debug_struct("CheckoutRequest")
            .field("product_id", product_id)
            .field("quantity", quantity)
            .field("browser", &browser.as_ref().map(|_| "…"))
            .finish()
    }
}

/// Where the buyer pays. The return address carries a nonce that is redeemed once for a session token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckoutResponse {
    /// Dodo's hosted page.
    pub checkout_url: String,
}

/// `POST /v1/upsell/redeem`: exchanges the nonce from the return address, once, for a session token: in the browser that
/// began the checkout, and for the payment that came of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RedeemRequest {
    /// The nonce.
    pub nonce: String,
    /// The payment that Dodo names in the return address (`payment_id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// The secret of the browser that began the checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
}

impl core::fmt::Debug for RedeemRequest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RedeemRequest { nonce: … }")
    }
}
