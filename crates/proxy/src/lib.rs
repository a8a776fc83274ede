//! proxy

pub mod clock;
pub mod domain;
pub mod ids;
pub mod policy;
pub mod store;
pub mod webhook_signature;
