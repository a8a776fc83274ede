//! The project's commands. `cargo xtask --help` lists them.
//!
//! | module | what |
//! |---|---|
//! | [`repo`] | where things are |
//! | [`process`] | running other programs |
//! | [`tools`] | getting what is missing, once |
//! | [`embed`], [`spa`] | building the widget's two forms |
//! | [`naming`] | names by content, and what is kept of the release before |
//! | [`precompress`], [`sizes`], [`dist`] | release artefacts and their budgets |
//! | [`stack`], [`demo`], [`smoke`] | everything running together |
//! | [`campaign`] | the reliability campaigns |
//! | [`fuzz`] | the fuzz targets |
//! | [`test`] | every test, with a summary |
//! | [`tidy`] | what a program can check of the contribution rules |
//!
//! Only package registries are asked for anything; a tool is installed once, under the user's cache folder.

mod campaign;
mod demo;
mod dist;
mod embed;
mod fuzz;
mod naming;
mod precompress;
mod process;
mod repo;
mod sizes;
mod smoke;
mod spa;
mod stack;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build and start everything: simulator, proxy, demo shop. Ctrl-C ends it all.
    Demo(demo::Args),
    /// Start everything for another program: free ports, fresh data, one line of JSON; ends when its input closes.
    Stack,
    /// Run every test: checks, host, browser, end to end, reduced campaigns.
    Test(test::Args),
    /// Run the end-to-end scenarios in every supported browser.
    Matrix(test::MatrixArgs),
    /// Run reliability campaigns: many seeded runs of one promise under everything that can go wrong.
    Campaign(campaign::Args),
    /// Run fuzz targets: inputs that nobody thought of, made by libFuzzer.
    Fuzz(fuzz::Args),
    /// Build the release artefacts into dist/ and hold them against their budgets.
    Dist(Release),
    /// Build the embedded widget into dist/embed/.
    Embed(Release),
    /// Build the standalone page into dist/spa/.
    Spa(Release),
    /// Check dependency rule, file lengths, documentation paths and forbidden words.
    Tidy,
}

/// What a build of the widget's files may start from.
#[derive(clap::Args, Default)]
struct Release {
    /// `dist/` of the release before. What it has by content is kept beside the new files, for pages that have loaded a part
    /// of it.
    #[arg(long, value_name = "FOLDER")]
    previous: Option<std::path::PathBuf>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Stack => stack::serve_json(),
        Command::Test(args) => test::run(&args),
        Command::Matrix(args) => test::matrix(&args),
        Command::Campaign(args) => campaign::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Dist(args) => dist::run(args.previous.as_deref()),
        Command::Embed(args) => {
            tools::Toolbox::new().and_then(|tools| embed::build(&tools, args.previous.as_deref()))
        }
        Command::Spa(args) => {
            tools::Toolbox::new().and_then(|tools| spa::build(&tools, args.previous.as_deref()))
        }
        Command::Tidy => tidy::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
