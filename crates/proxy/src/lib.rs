//! proxy

pub mod webhook_signature;
