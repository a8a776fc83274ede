//! The end-to-end scenarios and the browsers they run in: the support matrix of docs/EMBED.md.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueEnum as _;

use super::counts::{self, Counts};
use super::finished;
use crate::process::{program, say};
use crate::tools::{Tool, Toolbox, ensure_browser, ensure_firefox, ensure_packages, ensure_webkit};
use crate::{embed, repo, spa, stack};

/// Options of `matrix`.
#[derive(clap::Args)]
pub(crate) struct MatrixArgs {
    /// Only this browser; may be given several times. Without it, all of them.
    #[arg(long, value_enum)]
    browser: Vec<Browser>,
}

/// A browser of the support matrix. Its name is the one that `e2e/run.mjs --browser` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Browser {
    /// Debian's Chromium.
    Chromium,
    /// The oldest Chromium that is supported.
    #[value(name = "chromium-115")]
    Chromium115,
    /// A Chromium without `light-dark()` in custom properties.
    #[value(name = "chromium-119")]
    Chromium119,
    /// Debian's Firefox ESR.
    Firefox,
    /// Debian's WebKitGTK, which stands for Safari.
    Webkit,
}

/// How many of the scenarios run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// The set of `e2e/harness/matrix.mjs`.
    Chosen,
    /// All that the browser's driver can carry out.
    All,
}

impl Browser {
    const ALL: [Self; 5] =
        [Self::Chromium, Self::Chromium115, Self::Chromium119, Self::Firefox, Self::Webkit];

    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Installs the browser if it is missing.
    fn ensure(self, tools: &Toolbox) -> Result<()> {
        match self {
            Self::Chromium => ensure_browser(),
            Self::Chromium115 => tools.ensure(&[Tool::Chromium115]),
            Self::Chromium119 => tools.ensure(&[Tool::Chromium119]),
            Self::Firefox => ensure_firefox(),
            Self::Webkit => ensure_webkit(),
        }
    }

    /// The program to start, where it is not the one of the system's packages.
    fn program(self, tools: &Toolbox) -> Option<PathBuf> {
        match self {
            Self::Chromium115 => Some(tools.program(Tool::Chromium115)),
            Self::Chromium119 => Some(tools.program(Tool::Chromium119)),
            Self::Chromium | Self::Firefox | Self::Webkit => None,
        }
    }

    /// Runs scenarios in this browser.
    fn run(self, scope: Scope, tools: &Toolbox) -> Result<Counts> {
        say(&format!("end-to-end scenarios in {}", self.name()));
        let mut command = program("npm");
        command.args(["test", "--silent", "--", "--browser", &self.name()]);
        if scope == Scope::Chosen {
            command.arg("--chosen");
        }
        command
            .current_dir(repo::root().join("e2e"))
            .env("UPSELL_E2E_BIN_DIR", repo::target()?.join("debug"))
            .env("UPSELL_E2E_WIDGET_DIR", embed::folder())
            .env("UPSELL_E2E_SPA_DIR", spa::folder())
            .env("UPSELL_E2E_RULES", stack::rules());
        if let Some(program) = self.program(tools) {
            command.env("UPSELL_E2E_CHROMIUM", program);
        }
        Ok(finished(&mut command, counts::end_to_end)?.or_failed_if_none())
    }
}

/// Installs every browser of the matrix that is missing.
///
/// # Errors
/// With the remedy, when one cannot be installed from here.
pub(super) fn ensure_browsers(tools: &Toolbox) -> Result<()> {
    Browser::ALL.into_iter().try_for_each(|browser| browser.ensure(tools))
}

/// Runs every scenario in Debian's Chromium and the chosen set in the other browsers.
///
/// # Errors
/// When the stack cannot be built or npm fails.
pub(super) fn run(tools: &Toolbox) -> Result<Counts> {
    prepare()?;
    Browser::ALL.into_iter().try_fold(Counts::default(), |sum, browser| {
        let scope = if browser == Browser::Chromium { Scope::All } else { Scope::Chosen };
        Ok(sum.plus(browser.run(scope, tools)?))
    })
}

/// `cargo xtask matrix`: runs every scenario in every browser, also after a failure, and prints a line for each browser.
///
/// # Errors
/// When a browser cannot be installed or a scenario failed.
pub(crate) fn matrix(args: &MatrixArgs) -> Result<()> {
    let tools = Toolbox::new()?;
    let browsers: Vec<_> = Browser::ALL
        .into_iter()
        .filter(|browser| args.browser.is_empty() || args.browser.contains(browser))
        .collect();
    for browser in &browsers {
        browser.ensure(&tools)?;
    }
    prepare()?;
    let mut results = Vec::new();
    for browser in browsers {
        results.push((browser.name(), browser.run(Scope::All, &tools)?));
    }
    let rows: Vec<_> = results.iter().map(|(name, counts)| (name.as_str(), *counts)).collect();
    print!("\n{}", counts::summary(&rows));
    if results.iter().any(|(_, counts)| counts.failed > 0) {
        bail!("not every scenario passed");
    }
    Ok(())
}

fn prepare() -> Result<()> {
    ensure_packages(&repo::root().join("e2e"))?;
    stack::build()
}
