//! The plan-change flow: compare, preview, review, confirm.

mod event;
mod view;

pub use event::{Act, Event};
pub use view::{ComparisonView, ConfirmState, Dialog, Notice, Page, ReviewView, View};
