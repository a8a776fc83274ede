//! The charging protocol over the simulator: services and store as they run, the clock in the test's hand, faults where
//! Dodo would have them. Tests name the invariants of `docs/ARCHITECTURE.md`.

mod ambiguity;
mod amounts;
mod drift;
mod events;
mod forgetting;
mod hosted;
mod missed;
mod one_click;
mod outcomes;
mod plan_change;
mod proof;
mod recovery;
mod refunds;
mod retention;
mod rig;
mod vectors;
mod waiting;
