//! Runs campaigns. `cargo xtask campaign` builds it and hands its arguments over. With `RUST_LOG` set, what the proxy logs
//! comes on standard error.

use std::{process::ExitCode, time::Instant};

use anyhow::{Context as _, bail};
use campaign::{
    campaigns::{ALL, Campaign, named},
    plan::{Extent, Plan},
};
use clap::Parser;

/// Runs reliability campaigns against the product in this process.
#[derive(Parser)]
#[command(name = "cargo xtask campaign", bin_name = "cargo xtask campaign")]
struct Cli {
    /// A campaign's name, `all`, or `list`.
    name: String,
    /// How many runs, instead of the campaign's own number.
    #[arg(long)]
    runs: Option<u64>,
    /// Seed of the first run; the following runs count up from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The reduced campaign.
    #[arg(long)]
    quick: bool,
    /// Tell at length what was found.
    #[arg(long)]
    explain: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if std::env::var_os("RUST_LOG").is_some() {
        proxy::telemetry::init_logs();
    } else if cli.quick {
        // As in every test: a statement of the store that is not in its source ends the process.
        if let Err(error) = testkit::statements::record() {
            eprintln!("error: {error:#}");
            return ExitCode::FAILURE;
        }
    }
    match run(&cli).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything was kept that was promised.
async fn run(cli: &Cli) -> anyhow::Result<bool> {
    match cli.name.as_str() {
        "list" => {
            for campaign in ALL {
                println!(
                    "{:<18}{}\n{:<18}{} runs, {} reduced",
                    campaign.name(),
                    campaign.promise(),
                    "",
                    campaign.whole_runs(),
                    campaign.quick_runs()
                );
            }
            Ok(true)
        }
        "all" => {
            if cli.runs.is_some() {
                bail!("--runs goes with one campaign: what a run is differs from one to the other");
            }
            let (mut passed, mut failed) = (0_u32, 0_u32);
            for campaign in ALL.iter().copied() {
                let kept = play(cli, campaign).await.unwrap_or_else(|error| {
                    eprintln!("error: {error:#}");
                    false
                });
                if kept { passed += 1 } else { failed += 1 }
            }
            println!("campaigns: {passed} passed, {failed} failed");
            Ok(failed == 0)
        }
        name => {
            let campaign = named(name)
                .with_context(|| format!("no campaign is called {name}; `campaign list` names them"))?;
            play(cli, campaign).await
        }
    }
}

/// Runs one campaign and prints its closing line.
async fn play(cli: &Cli, campaign: &dyn Campaign) -> anyhow::Result<bool> {
    let name = campaign.name();
    let (extent, usual) = match cli.quick {
        true => (Extent::Quick, campaign.quick_runs()),
        false => (Extent::Whole, campaign.whole_runs()),
    };
    let runs = cli.runs.unwrap_or(usual);
    let plan = Plan { extent, runs, seed: cli.seed, explain: cli.explain };
    eprintln!("campaign {name}: {} ({runs} runs from seed {})", campaign.promise(), cli.seed);
    let began = Instant::now();
    let report = campaign.run(&plan).await.with_context(|| format!("campaign {name} could not be run"))?;
    for line in report.told(name, cli.quick) {
        eprintln!("{line}");
    }
    eprintln!("campaign {name}: {} s", began.elapsed().as_secs());
    println!("{}", report.closing_line(name, cli.seed));
    Ok(report.kept())
}
