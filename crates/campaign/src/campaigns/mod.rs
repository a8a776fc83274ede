//! Every campaign there is. Adding one is a file beside this one and a line in [`ALL`].

mod ambiguity;
mod api;
mod crash;
mod decline;
mod double_submit;
mod failover;
mod forge;
mod growth;
mod kill;
mod model;
mod outage;
mod plan_change;
mod quote_race;
mod restore;
mod starve;
mod unknowns;
mod webhook_forgery;
mod webhook_order;

use async_trait::async_trait;

use crate::{plan::Plan, report::Report};

/// One promise, tried in many runs.
#[async_trait]
pub trait Campaign: Sync {
    /// As it is called on the command line and on the closing line.
    fn name(&self) -> &'static str;

    /// What is promised, in a sentence for `campaign list`.
    fn promise(&self) -> &'static str;

    /// Runs of the whole campaign.
    fn whole_runs(&self) -> u64;

    /// Runs of the reduced campaign, which everybody waits for: together they have minutes, without optimisation.
    fn quick_runs(&self) -> u64;

    /// Runs it. A promise that is broken belongs in the report, with the seed of its run; the campaign goes on.
    ///
    /// # Errors
    /// When it could not be run: no port, no database. Never for what the product did.
    async fn run(&self, plan: &Plan) -> anyhow::Result<Report>;
}

/// The table.
pub const ALL: &[&dyn Campaign] = &[
    // One a line, in the order of their names.
    &ambiguity::Ambiguity,
    &api::Api,
    &crash::Crash,
    &decline::Decline,
    &double_submit::DoubleSubmit,
    &failover::Failover,
    &forge::Forge,
    &growth::Growth,
    &kill::Kill,
    &model::Model,
    &outage::Outage,
    &plan_change::PlanChange,
    &quote_race::QuoteRace,
    &restore::Restore,
    &starve::Starve,
    &webhook_forgery::WebhookForgery,
    &webhook_order::WebhookOrder,
];

/// The campaign of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static dyn Campaign> {
    ALL.iter().copied().find(|campaign| campaign.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_of_their_own_and_quick_is_less() {
        for campaign in ALL {
            let name = campaign.name();
            assert_eq!(named(name).map(|found| found.name()), Some(name));
            assert_eq!(ALL.iter().filter(|other| other.name() == name).count(), 1, "{name}");
            assert!(!["all", "list"].contains(&name), "{name} means something else on the command line");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert!((1..=campaign.whole_runs()).contains(&campaign.quick_runs()), "{name}");
        }
    }
}
