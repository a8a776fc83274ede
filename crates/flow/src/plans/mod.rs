//! The plan-change flow: compare, preview, review, confirm.
//!
//! ```text
//! idle → loading ─┬→ unavailable (retry)
//!                 └→ comparing ⇄ previewing → reviewing ─confirm→ charging → done | failed | leaving
//!                        ▲    └→ adjusting ──────▶┤ ▲                 │
//!                        └── dialog closed ───────┴─┴ quote changed ──┘
//! ```
//!
//! The dialog may be closed in any state. A charge under way goes on without it, and its outcome is told on the page.
//!
//! | file | what |
//! |---|---|
//! | `event` | what can happen |
//! | `state` | the page, and what the buyer is at |
//! | `step`, `charging` | decisions before and after the confirmation |
//! | `trouble` | what is told of a failed request that charges nothing |
//! | `dialog` | the dialog closed and opened again |
//! | `leaving` | what is proposed before a cheaper plan, and cancelling |
//! | `effect` | what is to be done |
//! | `view` | what is on the screen |

mod charging;
mod dialog;
mod effect;
mod event;
mod leaving;
mod state;
mod step;
mod trouble;
mod view;

pub use effect::Effect;
pub use event::{Act, Event, Field};
pub use state::State;
pub use step::{MAX_COUNT, is_adjustable, step};
pub use view::{
    AdjustView, CancelView, ComparisonView, ConfirmState, Dialog, Notice, Page, ReviewView, StayView, View,
    view,
};
