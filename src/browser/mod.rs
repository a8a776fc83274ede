//! One small file per browser capability, each hiding `web-sys`. Plain data in and out; nothing here decides, and
//! nothing here lives on after its guard is dropped.
//!
//! | file | what |
//! |---|---|
//! | [`consent`] | fingerprint of the words on the screen |
//! | [`dialog`] | the native modal dialog and the focus around it |
//! | [`events`] | what the widget tells the page, and asks it |
//! | [`ids`] | idempotency keys |
//! | [`intents`] | an intention to pay survives a reload |
//! | [`intl`] | amounts and dates as the buyer's language writes them |
//! | [`page`] | address, navigation, clock, console |
//! | [`room`] | the room that an element keeps on the page |
//! | [`screen`] | what stands on the screen, read back |
//! | [`secret`] | how the proxy knows this browser again |
//! | [`storage`] | storage that never throws |
//! | [`stylesheet`] | one stylesheet for all shadow roots |
//! | [`visibility`] | how long something has been really visible |

pub mod consent;
pub mod dialog;
pub mod events;
pub mod ids;
pub mod intents;
pub mod intl;
pub mod page;
pub mod room;
pub mod screen;
pub mod secret;
pub mod storage;
pub mod stylesheet;
pub mod visibility;
