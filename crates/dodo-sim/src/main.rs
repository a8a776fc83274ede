//! The simulator as a program.

use clap::Parser;
use dodo_sim::{ApiKey, DEFAULT_WEBHOOK_SECRET, Policy, Sim, SimConfig, WebhookTarget};
use std::path::PathBuf;
use std::process::ExitCode;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A stateful simulator of the Dodo Payments API.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Port on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 4010)]
    port: u16,
    /// Decides every id.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where webhooks are sent; nowhere when absent.
    #[arg(long)]
    webhook_url: Option<String>,
    /// Secret that signs them.
    #[arg(long, default_value = DEFAULT_WEBHOOK_SECRET)]
    webhook_secret: String,
    /// JSON fixtures instead of the built-in ones.
    #[arg(long)]
    fixtures: Option<PathBuf>,
    /// Read-write key, beside the built-in ones; may be repeated.
    #[arg(long = "api-key")]
    api_keys: Vec<String>,
    /// Where virtual time starts, in RFC 3339; now when absent.
    #[arg(long, value_parser = instant)]
    clock_start: Option<OffsetDateTime>,
    /// How many times faster than real time; 0 stands still.
    #[arg(long, default_value_t = 1)]
    clock_speed: u32,
    /// A switch as `name=value`, the value in JSON or as a bare word; may be repeated.
    #[arg(long = "policy", value_parser = switch)]
    policy: Vec<(String, serde_json::Value)>,
}

fn instant(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|error| error.to_string())
}

fn switch(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = text.split_once('=').ok_or("write name=value")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| serde_json::Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dodo-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), String> {
    let mut config = SimConfig {
        port: args.port,
        seed: args.seed,
        webhook: args.webhook_url.map(|url| WebhookTarget { url, secret: args.webhook_secret }),
        policy: Policy::default().with(&args.policy.into_iter().collect())?,
        clock_start: args.clock_start,
        clock_speed: args.clock_speed,
        fixtures: args.fixtures,
        ..SimConfig::default()
    };
    config.api_keys.extend(args.api_keys.into_iter().map(|key| ApiKey { key, read_only: false }));
    let sim = Sim::start(config).await.map_err(|error| error.to_string())?;
    println!("dodo-sim listening on {}", sim.base_url());
    stop_signal().await.map_err(|error| error.to_string())?;
    sim.shutdown().await;
    Ok(())
}

/// Ctrl-C, or the signal with which supervisors end a process.
async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
