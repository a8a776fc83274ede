//! The widget's decisions as pure state machines: what happens goes in, what is to be done and what is to be shown comes
//! out. No browser, no framework, no clock, no randomness, no I/O: keys, answers and timers arrive as events.
//!
//! | module | what |
//! |---|---|
//! | [`offer`] | the offer flow: shown, accepted or refused, at most one cheaper offer after a refusal |
//! | [`plans`] | the plan-change flow: compare, preview, review, confirm |
//! | [`charge`] | what both end in: one charge, from the click to its end |
//! | [`announce`] | what the page around is told |
//! | [`Press`] | what comes with a press: the buyer's intention, and whether the screen said what it should |
//!
//! Each flow is `step(state, event) -> (state, effects)` and `view(&state) -> View`. The shell carries the effects out
//! in order and feeds what comes of them back in. Effects that expect a reply carry a [`Tag`], and so does the reply.
//!
//! # Invariants
//!
//! Tests name these numbers (`tests/it/*_invariants.rs`: random events; `tests/it/simulation.rs`: a backend behind a bad
//! network).
//!
//! | | |
//! |---|---|
//! | F1 | A charging request leaves only on the buyer's press of a button that worked at that moment, for exactly the offer and quote on the screen. |
//! | F2 | Between two such presses there is one idempotency key and one consent. Double clicks and repeated events add nothing. |
//! | F3 | A request is repeated only while it is unanswered, at most twice, with the same key. After a definite refusal nothing is repeated. A basic backend, which knows no keys, is asked once and never again. |
//! | F4 | A reply, timer or watch that nobody waits for any more changes nothing. |
//! | F5 | A quote that has expired or is being replaced cannot be confirmed. |
//! | F6 | Closing the dialog never ends a charge; its outcome is still told. |
//! | F7 | `step` is total and never panics. Every state is an end, waits for something under way, or offers an act. |
//! | F8 | The amount on the button is the total of the quote in the request, to the minor unit. |
//! | F9 | No refusal while a charge is undecided; nothing is charged for what was refused. |
//! | F10 | After a refusal at most one other offer follows, after its refusal none; what was refused is not shown again. |
//! | F11 | Never two undecided charges at once. |
//! | F12 | "Not collected" is said only on proof. |
//! | F13 | Where the backend cannot be reached at the start, an offer shows nothing, and the plans say so and can be asked for again. |
//! | F14 | Another way to pay opens only after the payment before it has definitely failed, at most once an offer. While a charge is undecided the only page that the buyer is led to is that payment's own. |
//! | F15 | What is proposed before a buyer leaves their plan is asked for once a page, and not to be had once refused. |
//! | F16 | Nothing is sent on a press while the screen says something else than the view means. The first such press draws everything anew and disarms the button; the second in a row leads to the backend's own page, or ends with a message. |
//! | F17 | Another amount or timing is another drawing; a drawing's amounts and timing never change. |
//! | F18 | A view says something about money (paid, not charged, not charged twice) only on proof: an attempt that says so, or a refusal by the proxy's own code that the contract makes proof. Never by an HTTP status, a load that failed or a session that ended; of a basic backend never ([`charge::NotCharged`], [`offer::Ordered`]). |

mod address;
pub mod announce;
pub mod charge;
mod dwell;
mod error;
pub mod offer;
pub mod plans;
mod press;
mod tag;

pub use address::may_go_to;
pub use dwell::Dwell;
pub use error::ApiError;
pub use press::{Intent, OwnPage, Press, Screen};
pub use tag::{Tag, Tags};
