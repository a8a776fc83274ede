//! The process dies at every place at which it can, and the next one goes on with what is on the disk.
//!
//! A run is a story of one buyer (accepting, paying another way, refusing, an answer that is lost, a price that has
//! changed, money that comes late and goes back), played in processes that die as [`crate::lives`] says.
//!
//! Seen to fail when: the `sent` mark is left out; a claimed attempt is sent again by recovery; `settle` forgets to move
//! the offer; a claim leaves out the offer's state; an order to refund is concluded before its refund is noted on the sale.

mod judge;
mod life;
mod story;

use async_trait::async_trait;

use self::story::Story;
use super::Campaign;
use crate::{lives::play_all, plan::Plan, report::Report};

/// Fewer places than this, and the campaign does not try what it promises.
const PLACES: usize = 40;

/// See the module.
pub(super) struct Crash;

#[async_trait]
impl Campaign for Crash {
    fn name(&self) -> &'static str {
        "crash"
    }

    fn promise(&self) -> &'static str {
        "A process that dies anywhere charges nobody twice, loses no payment and leaves nothing undecided"
    }

    fn whole_runs(&self) -> u64 {
        // 40 places and more: 500 runs each on SQLite, 50 on PostgreSQL.
        24_200
    }

    fn quick_runs(&self) -> u64 {
        99
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        play_all::<Story>(plan, PLACES, Report::new()).await
    }
}
