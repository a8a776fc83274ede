//! One charge from the click to its end: the same for an accepted offer and a confirmed plan change.

mod view;

pub use view::{DoneView, FailedView, Standing, WaitingView};
