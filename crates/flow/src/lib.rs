//! The widget's decisions as pure state machines.

pub mod charge;
mod error;
pub mod offer;
pub mod plans;
mod tag;

pub use error::ApiError;
pub use tag::{Tag, Tags};
