//! The offer flow: one proposal, accepted or refused, and at most one cheaper one after a refusal.
//!
//! ```text
//! idle → loading → offered ⇄ (a fresh quote whenever the old one is about to expire)
//!                    │ accept            │ decline
//!                    ▼                   ▼
//!                 charging           declining → offered (once) → … → nothing
//!   ┌────────┬───────┼─────────┬──────────────┐
//!  done   leaving  failed   closed     offered again (quote changed or expired, busy, never received)
//!                    └─ another way to pay, once → charging
//!
//! offered ─ accept while the screen says something else → offered, drawn anew ─ again → altered
//! ```
//!
//! | file | what |
//! |---|---|
//! | `event` | what can happen |
//! | `proposal` | an answer of the backend → something that can be shown truthfully |
//! | `state` | phases |
//! | `step`, `charging` | decisions before and after the confirmation |
//! | `basic` | after the confirmation, at a basic backend |
//! | `effect` | what is to be done |
//! | `view` | what is on the screen |

mod basic;
mod charging;
mod effect;
mod event;
mod proposal;
mod state;
mod step;
mod view;

pub use basic::Ordered;
pub use effect::{AcceptBody, Effect};
pub use event::{Act, Answer, Event};
pub use state::State;
pub use step::step;
pub use view::{AcceptState, Closed, Notice, OfferView, PayBy, PriceView, View, view};

use wire::UpsellResponse;

/// Under which key the browser remembers a refusal of what this answer offers: the server's opaque key, or the product
/// where a basic backend sends none. The loader computes the same. `None` when nothing is offered.
#[must_use]
pub fn decline_key(response: &UpsellResponse) -> Option<String> {
    if let Some(offer) = &response.offer {
        return Some(offer.decline_key.clone());
    }
    response.product.as_ref().map(|product| ["product:", product.id.as_str()].concat())
}
