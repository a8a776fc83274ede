//! The client against sockets that misbehave on purpose.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail as tests do"
)]

mod answers;
mod charges;
mod drift;
mod quota;
mod reads;
mod recorded;
mod requests;
mod secrets;
mod set_up;
mod simulator;
mod stub;
mod webhooks;
