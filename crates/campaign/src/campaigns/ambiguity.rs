//! Whatever happens between the request and its answer: one request, the truth in the end, and "failed" only when it is
//! certain.
//!
//! A run is one accept whose charging request is spoiled in one of seventeen ways, with the buyer clicking on. Then time
//! passes with the reconciler at work, and what the proxy has on record is compared with the ledger.
//!
//! Seen to fail when: the request is sent again after a broken exchange; an unknown outcome is taken for a failure.

use async_trait::async_trait;
use serde_json::json;
use testkit::{Database, Dodo, GOOD_CARD, InProcessServices, KIT, UNKNOWN_OUTCOMES, standing_clock};
use wire::AttemptStatus;

use super::{Campaign, unknowns::judge};
use crate::{
    plan::Plan,
    report::{Broken, Report},
};

/// Longer than anything may stay undecided: twenty minutes, and the looks that confirm it.
const PATIENCE: i64 = 30 * 60;

/// See the module.
pub(super) struct Ambiguity;

#[async_trait]
impl Campaign for Ambiguity {
    fn name(&self) -> &'static str {
        "ambiguity"
    }

    fn promise(&self) -> &'static str {
        "an outcome that is not known is found out, and never sent again or called failed"
    }

    fn whole_runs(&self) -> u64 {
        17 * 50
    }

    fn quick_runs(&self) -> u64 {
        17 * 2
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::new();
        let dodo = Dodo::start(plan.seed).await?;
        let database = Database::sqlite()?;
        let services = InProcessServices::start(&dodo, &database, &standing_clock()).await?;
        let mut runs = Vec::new();
        for (seed, fault) in plan.seeds().zip(kinds(plan.seed)) {
            let shown = services.show(&dodo, Some(GOOD_CARD), KIT).await?;
            dodo.fault("POST", "/checkouts", json!(fault), 1)?;
            // The buyer clicks again, with the same key and from another tab.
            for key in ["key-1", "key-1", "key-2"] {
                let told = services.accept(&shown, key, None).await;
                if told.is_ok_and(|attempt| attempt.status == Some(AttemptStatus::Failed)) {
                    report.broken(Broken::Lie, seed, format_args!("{fault}: told failed while nobody knew"));
                }
            }
            // A fault that no request has met would spoil the next run's.
            dodo.control().clear_faults();
            runs.push((seed, fault, shown));
        }
        services.pass(&dodo, PATIENCE).await?;
        judge(&dodo, &services, &runs, &mut report).await?;
        report.fact("kinds", UNKNOWN_OUTCOMES.len());
        Ok(report)
    }
}

/// The fault of each run, by its seed.
fn kinds(seed: u64) -> impl Iterator<Item = &'static str> {
    let skip = usize::try_from(seed % 17).unwrap_or_default();
    UNKNOWN_OUTCOMES.into_iter().cycle().skip(skip)
}
