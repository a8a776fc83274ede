//! Webhooks: written down when something happens, signed, delivered, tried again.

pub(crate) mod deliver;
pub(crate) mod outbox;
pub(crate) mod sign;
