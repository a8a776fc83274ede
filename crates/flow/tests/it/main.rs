//! Tests of the machines: scripts that read as stories, tables, invariants under random events, and a simulation
//! against a backend behind a bad network.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod build;
mod charge_replies;
mod money_claims;
mod money_claims_plans;
mod offer_charge_stories;
mod offer_invariants;
mod offer_random;
mod offer_stage;
mod offer_stories;
mod outcomes;
mod plans_adjusting;
mod plans_invariants;
mod plans_leaving;
mod plans_stage;
mod plans_stories;
mod screen;
mod simulation;
mod simulation_backend;
