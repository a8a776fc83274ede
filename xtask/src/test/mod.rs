//! `cargo xtask test`: every test there is, on a machine that may have nothing yet.

mod counts;
mod end_to_end;

use anyhow::{Context as _, Result, bail};

use self::counts::Counts;
use crate::process::{cargo, line_of, must_run, say, watch};
use crate::tools::{Tool, Toolbox, ensure_browser, ensure_node, ensure_postgres, ensure_wasm_target};
use crate::{campaign, repo, tidy};
pub(crate) use end_to_end::{MatrixArgs, matrix};

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this group; may be given several times. Without it, all of them.
    #[arg(long, value_enum)]
    only: Vec<Group>,
}

impl Args {
    fn runs(&self, group: Group) -> bool {
        self.only.is_empty() || self.only.contains(&group)
    }
}

/// What is counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Group {
    /// Formatting, lints, tidy.
    Checks,
    /// Everything that runs without a browser.
    Host,
    /// The widget's own tests, in Chromium.
    Browser,
    /// Whole pages over the real proxy and the simulator, in every browser of the matrix.
    E2e,
    /// Every reliability campaign, reduced.
    Campaigns,
}

impl Group {
    const ALL: [Self; 5] = [Self::Checks, Self::Host, Self::Browser, Self::E2e, Self::Campaigns];

    fn name(self) -> &'static str {
        match self {
            Self::Checks => "checks",
            Self::Host => "host",
            Self::Browser => "browser",
            Self::E2e => "end-to-end",
            Self::Campaigns => "campaigns",
        }
    }

    fn run(self, tools: &Toolbox) -> Result<Counts> {
        match self {
            Self::Checks => Ok(checks()),
            Self::Host => host(),
            Self::Browser => browser(tools),
            Self::E2e => end_to_end::run(tools),
            Self::Campaigns => campaigns(),
        }
    }
}

/// Gets what is missing, runs every group even when an earlier one failed, and sums up.
///
/// # Errors
/// When something could not be installed, a test failed, or a group ran none.
pub(crate) fn run(args: &Args) -> Result<()> {
    let tools = Toolbox::new()?;
    // First of all: an hour of tests that ends with "no browser" helps nobody.
    ensure_node()?;
    ensure_wasm_target()?;
    ensure_browser()?;
    if args.runs(Group::E2e) {
        end_to_end::ensure_browsers(&tools)?;
    }
    ensure_postgres()?;
    tools.ensure(&[Tool::WasmBindgen, Tool::WasmPack, Tool::Trunk, Tool::WasmOpt])?;

    let mut results = Vec::new();
    for group in Group::ALL.into_iter().filter(|&group| args.runs(group)) {
        say(&format!("{} tests", group.name()));
        let counts = group.run(&tools).unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Counts { passed: 0, failed: 1 }
        });
        results.push((group.name(), counts.or_failed_if_none()));
    }
    print!("\n{}", counts::summary(&results));
    if results.iter().any(|(_, counts)| counts.failed > 0) {
        bail!("not every test passed");
    }
    Ok(())
}

/// Each check counts as one test.
fn checks() -> Counts {
    type Check = (&'static str, fn() -> Result<()>);
    let checks: [Check; 5] = [
        ("formatting", || must_run(cargo().args(["fmt", "--all", "--check"]))),
        ("formatting of the fuzz binaries", || {
            must_run(cargo().args(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))
        }),
        ("lints", || {
            must_run(cargo().args([
                "clippy",
                "--quiet",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]))
        }),
        ("lints of what runs in the browser", || {
            must_run(cargo().args([
                "clippy",
                "--quiet",
                "--package",
                "upsell-widget",
                "--all-targets",
                "--target",
                "wasm32-unknown-unknown",
                "--",
                "-D",
                "warnings",
            ]))
        }),
        ("tidy", tidy::run),
    ];
    let mut counts = Counts::default();
    for (name, check) in checks {
        match check() {
            Ok(()) => counts.passed += 1,
            Err(error) => {
                eprintln!("{name}: {error:#}");
                counts.failed += 1;
            }
        }
    }
    counts
}

/// Every statement that a test makes the store execute is recorded; last of all it is asked whether none was left out.
fn host() -> Result<Counts> {
    let folder = repo::target()?.join("statements");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    let recorded = |arguments: &[&str]| {
        let mut command = cargo();
        command.args(["test", "--quiet"]).args(arguments).env("UPSELL_STATEMENTS", &folder);
        finished(&mut command, counts::libtest)
    };
    let all = recorded(&["--workspace", "--no-fail-fast"])?;
    let every = "every_statement_was_executed_by_some_test";
    let executed = recorded(&["--package", "upsell-proxy", "--test", "it", every, "--", "--ignored"])?;
    Ok(all.plus(executed))
}

fn browser(tools: &Toolbox) -> Result<Counts> {
    finished(
        tools
            .command(Tool::WasmPack)
            .args(["test", "--headless", "--chrome", "--mode", "no-install", ".", "--test", "web"])
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", repo::root().join("xtask/webdriver.json"))
            // For the whole binary; the usual 20 s are for a few tests on a fast machine.
            .env("WASM_BINDGEN_TEST_TIMEOUT", "300"),
        counts::libtest,
    )
}

/// Each campaign counts as one test.
fn campaigns() -> Result<Counts> {
    let mut command = campaign::command(campaign::Profile::Dev)?;
    finished(command.args(["all", "--quick"]), counts::campaigns)
}

/// Runs a test program and counts. One that ends badly without naming a failed test has failed all the same.
fn finished(command: &mut std::process::Command, count: fn(&str) -> Counts) -> Result<Counts> {
    let line = line_of(command);
    let (status, printed) = watch(command).with_context(|| line.clone())?;
    let mut counts = count(&printed);
    if !status.success() && counts.failed == 0 {
        eprintln!("`{line}` ended with {status}");
        counts.failed = 1;
    }
    Ok(counts)
}
