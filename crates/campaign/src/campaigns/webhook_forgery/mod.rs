//! Nobody but Dodo can tell the proxy anything: forged webhooks are refused, every one, and harm nothing.
//!
//! A run is one forgery drawn from its seed, handed to the very function that the proxy verifies with; one in so many goes
//! over HTTP to a whole proxy as well. Before them come the cases made by hand, genuine ones among them, in both ways:
//! over HTTP as bytes, since no client would send some of them. In the end the proxy takes a genuine webhook, and its
//! store holds what was taken and nothing else.
//!
//! Seen to fail when: the time is not looked at; no signature at all, or an empty one, is taken for a fitting one; only the
//! first key is tried; of a header that comes twice the first is taken; verification panics on a signature of one letter;
//! what is refused is kept in the inbox.

mod cases;
mod message;
mod mutate;
mod over_http;

use std::panic::{AssertUnwindSafe, catch_unwind};

use async_trait::async_trait;
use proxy::webhook_signature::{WebhookKey, verify};
use testkit::Dodo;

use self::{
    cases::Case,
    message::{Message, NOW},
    over_http::{Ear, arriving},
};
use super::Campaign;
use crate::{
    plan::{Extent, Plan, rng},
    report::{Broken, Report},
};

/// A forgery that was believed.
const ACCEPTED: &str = "accepted";
/// A genuine webhook that was not.
const REFUSED: &str = "genuine_refused";
/// Something in the store that nobody told, or not in it that was taken.
const EFFECTS: &str = "effects";
/// A message that made the verification panic.
const PANICS: &str = "panics";
/// An answer of 500 and above, none at all, or one that blames the signature for what was signed.
const SERVER_ERRORS: &str = "server_errors";

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
        let mut report = Report::asking(&[ACCEPTED, REFUSED, EFFECTS, PANICS, SERVER_ERRORS]);
        let (keys, cases, originals) = (message::keys()?, cases::all()?, message::originals());
        let dodo = Dodo::start(plan.seed).await?;
        let mut ear = Ear::open(&dodo).await?;
        for case in &cases {
            if !case.transport {
                judge(&keys, &case.message(), case.verifies, &case.name, plan.seed, &mut report);
            }
            ear.hear(case, plan.seed, &mut report).await?;
        }
        for original in &originals {
            judge(&keys, original, true, "an original", plan.seed, &mut report);
        }
        // Of so many mutations one goes over HTTP.
        let share = if plan.extent == Extent::Whole { 40 } else { 20 };
        let mut over_http = 0_u64;
        for seed in plan.seeds() {
            let (message, what) = mutate::forgery(&originals, &mut rng(seed));
            let what = what.join(", ");
            judge(&keys, &message, false, &what, seed, &mut report);
            let arrives = arriving(&message).filter(|message| !message.is_genuine(&originals, NOW));
            if seed.is_multiple_of(share) && arrives.is_some() {
                ear.hear(&Case::from_message(&what, &message), seed, &mut report).await?;
                over_http += 1;
            }
            report.runs += 1;
        }
        ear.close(plan.seed, &mut report).await?;
        report.fact("cases", cases.len());
        report.fact("mutations", report.runs);
        report.fact("over_http", over_http);
        Ok(report)
    }
}

/// Has the proxy's function verify a message of which it is known whether it is genuine.
fn judge(keys: &[WebhookKey], message: &Message, genuine: bool, what: &str, seed: u64, report: &mut Report) {
    let verified =
        catch_unwind(AssertUnwindSafe(|| verify(keys, message.headers(), &message.body, NOW).is_ok()));
    let question = match verified {
        Ok(verified) if verified == genuine => return,
        Ok(true) => ACCEPTED,
        Ok(false) => REFUSED,
        Err(_) => PANICS,
    };
    let (headers, length) = (message.headers(), message.body.len());
    report.broken(Broken::Other(question), seed, format_args!("{what}: {headers:?} and {length} bytes"));
}
