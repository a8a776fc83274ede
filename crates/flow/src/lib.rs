//! The widget's decisions as pure state machines.

mod address;
pub mod announce;
pub mod charge;
mod error;
pub mod offer;
pub mod plans;
mod tag;

pub use address::may_go_to;
pub use error::ApiError;
pub use tag::{Tag, Tags};
