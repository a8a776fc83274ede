//! The simulator over real HTTP.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, as tests do")]

mod catalogue_and_lists;
mod determinism;
mod faults;
mod harness;
mod hosted_page;
mod keys_and_limits;
mod one_click;
mod plan_change_numbers;
mod plan_changes;
mod refunds;
mod renewals;
mod sdk;
mod switches;
mod webhooks;
