//! What crosses the network between the widget and the proxy: contract version 1.
//!
//! Types only: no I/O, no clock, no rule. One file an endpoint family:
//!
//! | module | what |
//! |---|---|
//! | [`ids`] | identifiers of offers, quotes and attempts |
//! | [`quote`] | what will be charged, line by line |
//! | [`offer`] | `GET /v1/upsell`, `seen`, `decline` |
//! | [`attempt`] | `accept`, `change` and how an attempt stands |
//! | [`plans`] | `GET /v1/plans`, `preview`, `change`, `scheduled`, `payment-method` |
//! | [`browser`] | the secret of a browser |
//! | [`session`] | the merchant's own calls: sessions, events, shops without a server |
//! | [`problem`] | every error body |
//!
//! # How to change this crate
//!
//! Expand, then contract: add a field as `Option` (absent means "as before"), ship both sides, make it required
//! in the next version. Readers ignore unknown fields and map unknown words of an enum to its `Other`. The JSON in
//! `tests/golden` is a promise to people who wrote a backend of their own: add files, never edit an old one.
//!
//! Times are [`UnixSeconds`]; amounts are integers in the currency's minor unit.
//!
//! Enums are plain words and structs are flat on purpose: internally tagged and untagged enums cost kilobytes of
//! WebAssembly.

pub mod attempt;
pub mod browser;
pub mod ids;
pub mod offer;
pub mod plans;
pub mod problem;
pub mod quote;
pub mod session;
mod time;

pub use attempt::{AcceptRequest, Attempt, AttemptStatus, Consent, FailureReason, PayWith, Receipt};
pub use browser::{BROWSER_HEADER, PAGE_PREFIX, is_browser_secret};
pub use ids::{AttemptId, IdempotencyKey, OfferId, QuoteId};
pub use money::{AddonId, Currency, IdError, Money, MoneyError, ProductId, UnixSeconds};
pub use offer::{
    Card, CompareTo, DeclineReason, DeclineRequest, DeclineResponse, IneligibleReason, Merchant, Offer,
    OfferKind, PriceDifference, Product, SeenRequest, UpsellResponse,
};
pub use plans::{
    Addon, AddonQuantity, ChangeKind, ChangeRequest, CurrentPlan, LimitChange, PaymentMethodLink, Plan,
    PlanLimit, PlanShare, PlansResponse, PreviewRequest, PreviewResponse, ScheduledChange, SpanComparison,
    StayOffer, StayOfferRequest, StayOfferResponse, SubscriptionStatus, Usage,
};
pub use problem::{ErrorCode, Problem};
pub use quote::{EffectiveAt, LineKind, Quote, QuoteLine, Renewal};
pub use session::{
    CheckoutRequest, CheckoutResponse, EventRequest, FeatureUsage, ForgetRequest, ForgetResponse,
    HandoverResponse, PendingCharge, Purpose, RedeemRequest, Resolution, ResolveRequest, ResolveResponse,
    RetireKeyRequest, RetireKeyResponse, SessionRequest, SessionResponse, TakeOverRequest, Trigger,
};
pub use time::{Interval, Period};

/// Declares a closed set of words on the wire. Unknown words read as `Other`, so that a newer peer can add one.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$vmeta])* $variant,)+
            /// A word this version does not know.
            #[serde(other)]
            Other,
        }

        impl $name {
            /// Each of them, `Other` last.
            pub const ALL: &[Self] = &[$(Self::$variant,)+ Self::Other];
        }
    };
}
pub(crate) use words;
