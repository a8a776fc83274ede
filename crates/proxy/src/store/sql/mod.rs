//! The statements, written once and compiled against each engine that includes this folder.
//!
//! The parent module says what they are compiled against: `DbRow` and `Tx` (the driver's row, a transaction), `SqlStore` (the store
//! with its connections), `SHARED` (whether other processes may be at work), `write_for` (a transaction in which nobody
//! else changes offers or attempts of the same person), `lock` (the same for one more name, a payment's) and
//! `timeline_columns` (what tells one server of a cluster from the next). Parameters
//! are written `$1`, which both engines read. What differs between the engines stays with them: opening, locking,
//! schema. See `docs/adr/2026-11-25_one-set-of-statements.md`.
//!
//! `journal` is one transaction of a decision: `load` reads what it depends on, `apply` writes what follows from it. The
//! others answer questions, one file a concern; `codec` turns words and rows into values. No state of an offer, an attempt,
//! a payment or a refund order is named in a statement: which rows are meant is said by `upsell_core::journal::states`.

use super::{DbRow, SHARED, SqlStore, Tx, skip_locked, timeline_columns};

mod aging;
mod apply;
mod attempts;
mod bookings;
mod codec;
mod erasing;
mod events;
mod forgetting;
mod history;
mod inbox;
mod journal;
mod load;
mod offers;
mod outbox;
mod payment_links;
mod people;
mod plan_changes;
mod purge;
mod quotes;
mod refund_orders;
mod restore;
mod retention;
mod sales;
mod support;
