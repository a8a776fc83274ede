//! The protocol, visited state by state: every interleaving of clicks, crashes, lost, late and repeated messages, answers
//! without proof, webhooks in any order, listings that lag, refusals, pages that close, and payments of the buyer's own that
//! say they are ours.
//!
//! What the store does is production's own `decide` over production's rows ([`journal`], [`rows`]), and what is made of
//! answers and payments is production's as well ([`evidence`]); the world around them is in [`moves`] and [`refunding`]. In
//! every state the promises of [`promise`] have to hold, and also after everything has come to rest from there ([`rest`]).
//! States are counted in their canonical form ([`world::World::canonical`]).
//!
//! That the model can tell right from wrong is shown by weakened variants of the protocol ([`system`], [`weakened`]), each
//! of which has to be caught at what it is known to do. A run is one system, chosen by its seed; the first two are the
//! protocol, the second with a buyer who copies metadata. It
//! was seen to fail over production's own code as well: with settling that follows every attempt and not only the offer's
//! latest, I6 and I7 broke.

mod acts;
mod bits;
mod book;
mod canonical;
mod evidence;
mod journal;
mod moves;
mod promise;
mod refunding;
mod rest;
mod rows;
mod search;
mod step;
mod system;
mod weakened;
mod world;

use async_trait::async_trait;

use self::{
    search::{Found, explore},
    system::{SYSTEMS, System, Variant},
};
use super::Campaign;
use crate::{
    plan::{Extent, Plan},
    report::{Broken, Report},
};

/// A weakened variant that the model took for right.
const NOT_CAUGHT: &str = "not_caught";

/// See the module.
pub(super) struct Model;

#[async_trait]
impl Campaign for Model {
    fn name(&self) -> &'static str {
        "model"
    }

    fn promise(&self) -> &'static str {
        "in every state that the protocol can come to, I1 to I7 and I12 to I14 hold, and only what is due goes back, once; weakened protocols are caught"
    }

    fn whole_runs(&self) -> u64 {
        SYSTEMS
    }

    fn quick_runs(&self) -> u64 {
        SYSTEMS
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::asking(&[NOT_CAUGHT]);
        let (mut states, mut variants, mut caught) = (0_u64, 0_u32, 0_u32);
        for seed in plan.seeds() {
            let system = system::of_run(seed, plan.extent == Extent::Quick)?;
            let found = tokio::task::spawn_blocking({
                let system = system.clone();
                move || explore(&system)
            })
            .await??;
            report.runs += 1;
            if plan.explain {
                eprint!("{}", explained(&system, &found));
            }
            if system.variant == Variant::Protocol {
                states += found.states;
                report.posts += found.posts;
                for way in &found.broken {
                    let words = format_args!("{}, after {} steps", way.promise.words(), way.steps.len());
                    report.broken(way.promise.broken(), seed, words);
                }
                continue;
            }
            variants += 1;
            let missed: Vec<&str> = system
                .caught_at
                .iter()
                .filter(|wanted| !found.broken.iter().any(|way| way.promise == **wanted))
                .map(|promise| promise.words())
                .collect();
            if missed.is_empty() {
                caught += 1;
            } else {
                let words = format_args!("{} was not caught at: {}", system.name, missed.join("; "));
                report.broken(Broken::Other(NOT_CAUGHT), seed, words);
            }
        }
        report.fact("states", states);
        report.fact("variants_caught", format_args!("{caught}/{variants}"));
        Ok(report)
    }
}

/// Describes the findings, with the ways to them.
fn explained(system: &System, found: &Found) -> String {
    let bounds = system.bounds;
    let mut text = format!(
        "\n{}: {} states ({} tabs, {} hosted pages, {} crashes, {} copies)\n",
        system.name, found.states, bounds.clicks, bounds.pages, bounds.crashes, bounds.copies
    );
    for way in &found.broken {
        text.push_str(&format!("  {}:\n", way.promise.words()));
        for (n, step) in way.steps.iter().enumerate() {
            text.push_str(&format!("    {:>2}. {step}\n", n + 1));
        }
        if way.at_rest {
            text.push_str("        and everything comes to rest\n");
        }
    }
    text
}
