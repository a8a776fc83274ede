//! Nobody but Dodo can tell the proxy anything: forged webhooks are refused, every one, and harm nothing.
//!
//! A run is one forgery drawn from its seed, handed to the very function that the proxy verifies with.

mod message;
mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};

use async_trait::async_trait;
use proxy::webhook_signature::verify;

use self::message::NOW;
use super::Campaign;
use crate::{
    plan::{Plan, rng},
    report::{Broken, Report},
};

/// A forgery that was believed.
const ACCEPTED: &str = "accepted";
/// A genuine webhook that was not.
const REFUSED: &str = "genuine_refused";
/// A message that made the verification panic.
const PANICS: &str = "panics";

/// See the module.
pub(super) struct WebhookForgery;

#[async_trait]
impl Campaign for WebhookForgery {
    fn name(&self) -> &'static str {
        "webhook-forgery"
    }

    fn promise(&self) -> &'static str {
        "forged webhooks are refused, every one; genuine ones are taken"
    }

    fn whole_runs(&self) -> u64 {
        100_000
    }

    fn quick_runs(&self) -> u64 {
        5_000
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::asking(&[ACCEPTED, REFUSED, PANICS]);
        let keys = message::keys()?;
        let originals = message::originals();
        for original in &originals {
            if let Err(error) = verify(&keys, original.headers(), &original.body, NOW) {
                report.broken(Broken::Other(REFUSED), plan.seed, format_args!("{error}: {original:?}"));
            }
        }
        for seed in plan.seeds() {
            let (message, what) = mutate::forgery(&originals, &mut rng(seed));
            let verified =
                catch_unwind(AssertUnwindSafe(|| verify(&keys, message.headers(), &message.body, NOW)));
            match verified {
                Ok(Err(_)) => {}
                Ok(Ok(())) => {
                    report.broken(Broken::Other(ACCEPTED), seed, format_args!("{what:?} {message:?}"));
                }
                Err(_) => report.broken(Broken::Other(PANICS), seed, format_args!("{what:?} {message:?}")),
            }
            report.runs += 1;
        }
        Ok(report)
    }
}
