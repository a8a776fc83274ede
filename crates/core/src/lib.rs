//! What the proxy decides: which offer fits a buyer, what it costs, what an attempt to charge may do next, what evidence
//! proves, what the merchant's system is notified of.
//!
//! Pure: no I/O, no clock, no randomness; nothing below this crate can do any (`cargo xtask tidy` asks). Everything is a
//! parameter, everything that was decided is returned. The proxy loads, asks, and writes.
//!
//! | module | holds |
//! |---|---|
//! | [`domain`] | the words: offers, quotes, attempts, payments, refusals |
//! | [`rules`] | the merchant's file, checked |
//! | [`journal`] | what is decided under the lock of a buyer: claims, the sent mark, releases, evidence, refusals, refunds |
//! | [`policy`] | every other rule: eligibility, prices, plan comparison, schedules, quota |

pub mod domain;
pub mod journal;
pub mod policy;
pub mod rules;
