//! The widget: a thin Leptos shell around the pure machines of `crates/flow`. No business rule lives here.
//!
//! Read it in this order; one field or one click can be followed from end to end:
//!
//! | module | what |
//! |---|---|
//! | [`config`] | attributes or the page's address → a checked `Config` |
//! | [`api`] | one method an endpoint; wire types in and out, typed errors |
//! | [`driver`] | holds the flow's state, feeds it events, carries out its effects; the only place that spawns |
//! | [`dispatch`] | how components say what the buyer did |
//! | [`declines`] | the browser's copy of the decline ledger |
//! | [`browser`] | one small file per browser capability |
//! | [`text`] | message keys → words, per locale |
//! | [`ui`] | components: view in, acts out |
//!
//! Three bins make it into products: `offer` and `plans` (what the two custom elements mount, see [`embed`]) and `spa` (the
//! standalone upgrade page).

#![deny(clippy::indexing_slicing)]

pub mod api;
pub mod browser;
pub mod config;
pub mod declines;
pub mod dispatch;
pub mod driver;
mod embed;
mod mount;
pub mod text;
pub mod ui;

pub use mount::{Handle, mount, mount_offer, mount_offer_page, mount_plans, say};
