//! Reliability campaigns: many runs of one promise of the product under everything that can go wrong, each drawn from a
//! seed, each judged by the same questions.
//!
//! | module | what |
//! |---|---|
//! | [`campaigns`] | the table of campaigns, one file each |
//! | [`lives`] | stories played in processes that die |
//! | [`plan`] | how much of a campaign to run, and the seeds of its runs |
//! | [`report`] | what a campaign found, and its closing line |
//!
//! `cargo xtask campaign` builds and runs this crate; how to add a campaign is in its README.
//!
//! A campaign proves nothing unless it can fail: each one says in its module what was broken once to see it fail.

pub mod campaigns;
pub mod lives;
pub mod plan;
pub mod report;
