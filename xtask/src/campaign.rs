//! `cargo xtask campaign`: the reliability campaigns of `crates/campaign`. Whole ones are built with optimisation, reduced
//! ones as the tests are.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{cargo, must_run, program, say};
use crate::repo;
use crate::tools::{Tool, Toolbox};

/// Options of `campaign`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A campaign's name, `all`, or `list`.
    name: String,
    /// How many runs, instead of the campaign's own number.
    #[arg(long)]
    runs: Option<u64>,
    /// Seed of the first run; the following runs count up from it.
    #[arg(long)]
    seed: Option<u64>,
    /// The reduced campaign.
    #[arg(long)]
    quick: bool,
    /// Tell at length what was found.
    #[arg(long)]
    explain: bool,
}

/// Builds and runs campaigns. Their closing lines go to standard output.
///
/// # Errors
/// When one could not be built or run, or a promise was broken.
pub(crate) fn run(args: &Args) -> Result<()> {
    let profile = if args.quick || args.name == "list" { Profile::Dev } else { Profile::Release };
    let mut command = command(profile)?;
    command.arg(&args.name);
    if let Some(runs) = args.runs {
        command.args(["--runs", &runs.to_string()]);
    }
    if let Some(seed) = args.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    for (flag, set) in [("--quick", args.quick), ("--explain", args.explain)] {
        if set {
            command.arg(flag);
        }
    }
    let status = command.status()?;
    if !status.success() {
        bail!("campaign {} ended with {status}", args.name);
    }
    Ok(())
}

/// How the campaigns and the proxy are compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As tests are.
    Dev,
    /// As users run them.
    Release,
}

/// The campaigns' program, ready to be told which; what it runs itself is installed.
///
/// # Errors
/// When something does not build or cannot be installed.
pub(crate) fn command(profile: Profile) -> Result<Command> {
    let tools = Toolbox::new()?;
    tools.ensure(&[Tool::Schemathesis])?;
    let mut command = program(build(profile)?);
    command.env("SCHEMATHESIS", tools.program(Tool::Schemathesis));
    Ok(command)
}

/// Builds the campaigns, and the proxy's program beside them for those that start and kill it. Returns the campaigns'
/// program.
///
/// # Errors
/// When something does not build.
fn build(profile: Profile) -> Result<PathBuf> {
    say("building the campaigns");
    let mut command = cargo();
    command.args(["build", "--quiet", "-p", "campaign", "-p", "upsell-proxy", "--bins"]);
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => {
            command.arg("--release");
            "release"
        }
    };
    must_run(&mut command)?;
    Ok(repo::target()?.join(folder).join(format!("campaign{}", std::env::consts::EXE_SUFFIX)))
}
