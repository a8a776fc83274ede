//! The proxy over the simulator. One binary, one module a matter; all but `protocol` go through HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "that is how a test fails")]

mod accept;
mod bad_input;
mod binding;
mod bookings;
mod caching;
mod canaries;
mod confirming;
mod contract;
mod declines;
mod doctor;
mod expiry;
mod files;
mod forgetting;
mod harness;
mod leaving;
mod limits;
mod offers;
mod operations;
mod outbox;
mod payment_links;
mod plan_costs;
mod plan_share;
mod plans;
mod protocol;
mod receiver;
mod restore;
mod statements;
mod static_shop;
mod support;
mod webhooks;
mod whose_card;
