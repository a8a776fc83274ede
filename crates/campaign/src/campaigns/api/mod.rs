//! The description of the API, taken at its word: schemathesis makes requests from it, right ones and wrong ones, and holds
//! every answer against it. No error of the proxy's own, no answer without a good key, nothing undescribed, and no charging
//! request twice for one attempt.
//!
//! A run is one seed of schemathesis against a whole proxy over the simulator. `hooks.py` lets it in as the merchant and as
//! buyers with an offer or a plan on the screen, so that accepts, declines and changes go through.
//!
//! Seen to fail when a handler forgets to ask for the session, and when the description promised identifiers that the
//! proxy refuses.

use std::{ffi::OsString, path::Path, process::Stdio};

use anyhow::Context as _;
use async_trait::async_trait;
use serde_json::Value;
use testkit::{Dodo, MERCHANT_KEY, Proxy, Setup, check};
use tokio::process::Command;

use super::Campaign;
use crate::{
    plan::{Extent, Plan},
    report::{Broken, Report},
};

/// Names the program; `cargo xtask` installs it and sets this.
const PROGRAM: &str = "SCHEMATHESIS";
/// Requests of random content for each operation, besides those that the description itself suggests.
const EXAMPLES: u32 = 80;
/// The same, reduced.
const FEW_EXAMPLES: u32 = 2;
/// An answer of 500 or more.
const SERVER_ERRORS: &str = "server_errors";
/// An answer to somebody who should have been refused.
const IGNORED_AUTH: &str = "ignored_auth";
/// Anything else that the description does not say.
const UNDESCRIBED: &str = "undescribed";

/// See the module.
pub(super) struct Api;

#[async_trait]
impl Campaign for Api {
    fn name(&self) -> &'static str {
        "api"
    }

    fn promise(&self) -> &'static str {
        "whatever is asked, the answer is one that the API's description allows"
    }

    fn whole_runs(&self) -> u64 {
        10
    }

    fn quick_runs(&self) -> u64 {
        1
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::asking(&[SERVER_ERRORS, IGNORED_AUTH, UNDESCRIBED]);
        let program = std::env::var_os(PROGRAM)
            .with_context(|| format!("{PROGRAM} names no program; `cargo xtask campaign api` installs it"))?;
        let mut requests = 0;
        for seed in plan.seeds() {
            let (dodo, setup) = (Dodo::start(seed).await?, Setup::new()?);
            let proxy = Proxy::start(&dodo, &setup).await?;
            proxy.hear(&dodo)?;
            let examples = if plan.extent == Extent::Quick { FEW_EXAMPLES } else { EXAMPLES };
            let found = schemathesis(&program, &dodo, &proxy, seed, examples).await?;
            requests += judge(&found, seed, &mut report)?;
            once(&dodo, seed, &mut report);
            proxy.stop().await?;
            report.runs += 1;
        }
        report.fact("requests", requests);
        Ok(report)
    }
}

/// What one run of it found.
struct Found {
    /// Its own account.
    account: Value,
    /// What it printed, for whoever has to mend something.
    printed: String,
}

async fn schemathesis(
    program: &OsString,
    dodo: &Dodo,
    proxy: &Proxy,
    seed: u64,
    examples: u32,
) -> anyhow::Result<Found> {
    let folder = tempfile::tempdir()?;
    let description = proxy::http::openapi::document().to_json()?;
    for (name, text) in [
        ("openapi.json", description.as_str()),
        ("upsell_hooks.py", include_str!("hooks.py")),
        ("schemathesis.toml", include_str!("schemathesis.toml")),
    ] {
        std::fs::write(folder.path().join(name), text)?;
    }
    let output = Command::new(program)
        .args(["run", "openapi.json", "--url", proxy.url()])
        .args(["--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure", "--no-color"])
        .args(["--seed", &seed.to_string(), "--max-examples", &examples.to_string()])
        .args(["--report", "json", "--report-json-path", "report.json"])
        .current_dir(folder.path())
        .env("SCHEMATHESIS_HOOKS", "upsell_hooks")
        .env("UPSELL_PROXY", proxy.url())
        .env("UPSELL_SIM", dodo.url())
        .env("UPSELL_MERCHANT_KEY", MERCHANT_KEY)
        .env("UPSELL_SEED", seed.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("{} did not run", Path::new(program).display()))?;
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let account = std::fs::read(folder.path().join("report.json"))
        .ok()
        .and_then(|account| serde_json::from_slice(&account).ok())
        .with_context(|| format!("schemathesis gave no account of itself:\n{printed}"))?;
    Ok(Found { account, printed })
}

/// Takes its findings over. Returns how many requests it made.
fn judge(found: &Found, seed: u64, report: &mut Report) -> anyhow::Result<u64> {
    let Found { account, printed } = found;
    let errors = account["errors"].as_array().context("an account without errors")?;
    anyhow::ensure!(errors.is_empty() && account["complete"] == true, "schemathesis failed:\n{printed}");
    let (tested, all) = (account["operations"]["tested"].as_u64(), account["operations"]["total"].as_u64());
    anyhow::ensure!(tested == all && tested > Some(0), "not every operation was tested:\n{printed}");
    for failure in account["failures"].as_array().context("an account without failures")? {
        let promise = match failure["type"].as_str() {
            Some("ServerError") => SERVER_ERRORS,
            Some("IgnoredAuth") => IGNORED_AUTH,
            _ => UNDESCRIBED,
        };
        report.broken(Broken::Other(promise), seed, format_args!("{failure}\n{printed}"));
    }
    account["test_cases"]["generated"].as_u64().context("an account without cases")
}

/// I3: a charging request for each attempt, at most.
fn once(dodo: &Dodo, seed: u64, report: &mut Report) {
    report.posts += u64::try_from(dodo.charging_requests().len()).unwrap_or(u64::MAX);
    report.found("any request", seed, check::attempts_paid_once(&dodo.collected()));
}
