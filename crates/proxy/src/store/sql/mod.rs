//! The statements, written once and compiled against each engine that includes this folder.
//!
//! The parent module says what they are compiled against: `Db` and `DbRow` (the driver's types), `SqlStore` (the store
//! with its connections), `SHARED` (whether other processes may be at work), `write_for` (a transaction in which nobody
//! else changes offers or attempts of the same buyer) and `lock` (the same for one more name, a payment's). Parameters
//! are written `$1`, which both engines read. What differs between the engines stays with them: opening, locking,
//! schema. See `docs/adr/2026-11-25_one-set-of-statements.md`.
//!
//! One file a concern; `codec` turns words and rows into values.

use super::{Db, DbRow, SHARED, SqlStore, skip_locked};

mod attempts;
mod claims;
mod codec;
mod history;
mod inbox;
mod notices;
mod offers;
mod outbox;
mod payments;
mod people;
mod plan_changes;
mod quotes;
mod refund_orders;
mod restore;
mod sales;
mod settling;
mod support;
