//! What the buyer sees: the components alone, on views made by hand. No backend, no flow.

mod stage;
mod views;

mod formats;
mod offer;
mod outcomes;
mod plan_dialogs;
mod plans;
mod translated;
