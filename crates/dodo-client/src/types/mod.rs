//! What is sent and what comes back, one file a resource.
//!
//! Field names are Dodo's. A field without which the object means nothing is required; every other is optional or defaulted,
//! since older recordings and servers lack the newer ones. Which of those are strict all the same says each type and its
//! [`Readable`](crate::Readable). Fields that the proxy does not use are not read.

pub mod catalogue;
pub mod checkouts;
pub mod customers;
pub mod disputes;
pub mod payments;
pub mod plan_changes;
pub mod plan_preview;
pub mod refunds;
pub mod subscriptions;
pub mod webhooks;
