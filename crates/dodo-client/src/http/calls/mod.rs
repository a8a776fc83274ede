//! The calls, one file a resource: each is a method on [`Client`](super::Client).

mod catalogue;
mod checkouts;
mod customers;
mod payments;
mod plan_changes;
mod refunds;
mod subscriptions;
mod webhooks;
