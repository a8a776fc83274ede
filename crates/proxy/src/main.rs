//! `upsell-proxy`: the command line. Everything else is in the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use proxy::{
    Application,
    settings::{Arguments, Secrets, Settings},
};

/// The merchant's backend of the upsell widget.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until it is told to stop. Secrets come from UPSELL_MERCHANT_KEY, DODO_PAYMENTS_API_KEY and
    /// DODO_PAYMENTS_WEBHOOK_KEY, and UPSELL_NOTIFY_KEY where your system is to be told the news.
    Serve(Box<Arguments>),
    /// Checks settings, secrets and rules file as `serve` would, and ends.
    CheckConfig(Box<Arguments>),
    /// Prints the description of the API (OpenAPI, JSON).
    Openapi,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(arguments) => serve(*arguments),
        Command::CheckConfig(arguments) => check_config(*arguments),
        Command::Openapi => openapi(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("upsell-proxy: {error}");
            ExitCode::FAILURE
        }
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn settings(arguments: Arguments) -> Result<Settings, Box<dyn std::error::Error>> {
    Ok(Settings::check(arguments, Secrets::read(|name| std::env::var(name).ok()))?)
}

fn serve(arguments: Arguments) -> Outcome {
    let settings = settings(arguments)?;
    proxy::telemetry::init_logs();
    let metrics = proxy::telemetry::init_metrics()?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let application = Application::build(settings, Some(metrics)).await?;
        println!("upsell-proxy listening on {}", application.address());
        application.run_until_stopped(proxy::telemetry::stop_signal()).await?;
        Ok(())
    })
}

fn check_config(arguments: Arguments) -> Outcome {
    let settings = settings(arguments)?;
    println!(
        "good: {} campaigns, {} plans, {} mode",
        settings.rules.campaigns.len(),
        settings.rules.plans.len(),
        settings.dodo.mode
    );
    Ok(())
}

fn openapi() -> Outcome {
    println!("{}", proxy::http::openapi::document().to_pretty_json()?);
    Ok(())
}
