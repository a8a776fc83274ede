//! Transitions: what a call or the passing of time does to the world. No HTTP and no JSON here.

pub(crate) mod cart;
pub(crate) mod charge;
pub(crate) mod checkout;
pub(crate) mod event;
pub(crate) mod hosted;
pub(crate) mod payment_method;
pub(crate) mod plan_change;
pub(crate) mod plan_target;
pub(crate) mod refund;
pub(crate) mod renewal;
pub(crate) mod subscription;
pub(crate) mod world;
