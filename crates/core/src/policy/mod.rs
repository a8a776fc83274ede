//! The rules, pure: no I/O, no clock, no randomness. Everything is handed in, everything that was decided is returned.

pub mod authority;
pub mod catalogue;
pub mod classify;
pub mod declines;
pub mod dues;
pub mod eligibility;
pub mod email;
pub mod evidence;
pub mod failure_reason;
pub mod observe;
pub mod occasion;
pub mod outbox_schedule;
pub mod payment_link;
pub mod payment_method;
pub mod plan_comparison;
pub mod plan_cost;
pub mod plan_share;
pub mod plan_terms;
pub mod pricing;
pub mod quote_lock;
pub mod receipt;
pub mod reconcile_schedule;
pub mod refunds;
pub mod retention;
pub mod upstream_budget;
pub mod usage;
