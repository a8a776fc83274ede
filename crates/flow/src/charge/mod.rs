//! One charge from the click to its end: the same for an accepted offer and a confirmed plan change.
//!
//! ```text
//! start → sending ─┬→ settled                    a definite answer
//!          ▲  │    ├→ waiting → settled          under way or in doubt: ask on a schedule, then let the buyer ask
//!          └──┘
//!   same key, at most 3 sends, only while the outcome is unknown
//! ```
//!
//! It is a charge at a backend that keeps the contract: this project's proxy, or one like it. The same key never pays
//! twice there, and attempts can be asked about. Orders at a basic backend are `offer`'s own business.
//!
//! What may be offered again after a failure is the business of the flow around it, not of this module.

mod classify;
mod failure;
mod proof;
mod schedule;
mod state;
mod step;
mod view;

pub use classify::ends_intent;
pub use failure::{Failure, SoftDecline};
pub use proof::NotCharged;
pub(crate) use schedule::SLOW_AFTER;
pub use state::{Charge, Command, Input, Progress, Seen, Settled};
pub(crate) use view::says_the_same;
pub use view::{DoneView, FailedView, Next, Standing, WaitingView};
