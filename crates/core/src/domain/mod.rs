//! The words of the proxy: what is stored, and what rules, services and store pass to each other.
//!
//! No SQL, no HTTP, no Dodo JSON here. Ids of buyers stay on this side of the wire.

mod attempt;
mod method;
mod offer;
mod payment;
mod person;
mod quote;
mod sale;
mod session;
mod tag_keys;
mod tags;
mod tenant;
mod words;

pub use attempt::{
    AttemptKind, AttemptRow, AttemptState, AttemptWord, BookingEnd, ConsentRecord, Fingerprint, HistoryEntry,
    Observation, ReviewCause, Source,
};
pub use method::{SavedMethod, shown_card};
pub use offer::{DeclineEntry, EquivalenceKey, OfferRow, OfferState};
pub use payment::{Cart, Named, PaymentFacts, PaymentOnRecord, PaymentStatus, Proof, SeenPayment};
pub use person::{CustomerHash, EMAIL_LOCK, EmailHash, HASHED, Person};
pub use quote::{ChargePlan, PlanChanges, QuoteRow};
pub use sale::{
    DisputeStatus, OrderState, RefundCause, RefundOrder, RefundStatus, Sale, SeenDispute, SeenRefund,
};
pub use session::{Billing, Browser, Confirmation, Purchase, Session, TokenHash, TriggerEvent};
pub use tag_keys::{Fingerprinted, KeysError, KnownKey, TagKey, TagKeyError, TagKeys};
pub use tags::{OfferTags, Tags, TagsError};
pub use tenant::{StoreIdentity, Tenant};
