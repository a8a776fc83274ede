//! Subscribers change plans while the process dies, answers are lost, cards decline, prices move and somebody else changes
//! the same subscription: what was shown is collected once or not at all, the record says what is true of the
//! subscription, and nothing that was not given up is lost.
//!
//! A run is a story of one subscriber, drawn from its seed: plan, seats, add-ons, day of the period, currency with no, two
//! or three decimals, country and its tax, card, generation of Dodo's proration, mode of billing, at once or at the next
//! billing date. It is played in processes that die as [`crate::lives`] says. A second part tries I8 on amounts alone.
//!
//! Not tried: a request that was lost and arrives after another change has been made. Nothing at Dodo would tell it from a
//! wish of the buyer's.
//!
//! Seen to fail when: the basis is not compared before the charge; the price is not asked for again; the lock lets anything
//! pass (both parts); add-ons are left out of the request; a 409 is sent again; a later change proves one that was given
//! up.
mod amounts;
mod judge;
mod play;
mod shop;
mod story;

use async_trait::async_trait;

use self::story::Story;
use super::Campaign;
use crate::{
    lives::play_all,
    plan::{Extent, Plan},
    report::{Broken, Report},
};

/// Seats or add-ons that the subscriber had not given up are gone.
const ADDONS_LOST: &str = "addons_lost";
/// Fewer places than this, and the campaign does not try what it promises.
const PLACES: usize = 30;

/// See the module.
pub(super) struct PlanChange;

#[async_trait]
impl Campaign for PlanChange {
    fn name(&self) -> &'static str {
        "plan-change"
    }

    fn promise(&self) -> &'static str {
        "A plan is changed once for each confirmation, for what was shown, and nobody is told otherwise"
    }

    fn whole_runs(&self) -> u64 {
        5_000
    }

    fn quick_runs(&self) -> u64 {
        60
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = play_all::<Story>(plan, PLACES, Report::asking(&[ADDONS_LOST])).await?;
        let amounts = match plan.extent {
            Extent::Whole => 100_000,
            Extent::Quick => 1_000,
        };
        report.fact("amounts", amounts);
        match amounts::hold(amounts, plan.seed).await? {
            Ok(carried_out) => report.fact("carried_out", carried_out),
            Err(what) => report.broken(Broken::Double, plan.seed, what),
        }
        Ok(report)
    }
}
