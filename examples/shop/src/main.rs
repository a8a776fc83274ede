//! The demo shop's server: see the library for how a merchant embeds the widget.

use std::process::ExitCode;

use clap::Parser as _;
use demo_shop::{Config, Shop};

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Config::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo-shop: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind(config.listen).await?;
    let address = listener.local_addr()?;
    let shop = Shop::new(config)?;
    println!("demo-shop listening on http://{address}");
    axum::serve(listener, shop.router()).with_graceful_shutdown(asked_to_stop()).await?;
    Ok(())
}

/// Ctrl-C, or a process manager's polite signal.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => signals.recv().await,
            // Without the signal there is still Ctrl-C.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate => {}
    }
}
