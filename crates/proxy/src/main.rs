//! `upsell-proxy`: the command line. Everything else is in the library.

use std::process::ExitCode;

use clap::{
    Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use dodo_client::ids::CustomerId;
use proxy::{
    Application,
    doctor::{self, Verdict},
    merchant_client::{MerchantClient, ProxyPlace},
    settings::{Arguments, Secrets, Settings, StorePlace},
    store::{self, AttemptFilter},
    support,
};
use upsell_core::domain::AttemptWord;

/// The merchant's backend of the upsell widget.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until it is told to stop. Secrets come from UPSELL_MERCHANT_KEY, UPSELL_SIGNING_KEYS,
    /// DODO_PAYMENTS_API_KEY and DODO_PAYMENTS_WEBHOOK_KEY, and UPSELL_NOTIFY_KEY where your system is to be told the news.
    Serve(Box<Arguments>),
    /// Checks settings, secrets and rules file as `serve` would, and ends.
    CheckConfig(Box<Arguments>),
    /// Lists attempts, or tells the whole story of one. Works beside a running proxy and changes nothing.
    Attempts {
        /// The attempt to explain; a list without it.
        id: Option<String>,
        /// Of the list: in this state only.
        #[arg(long, value_parser = attempt_states())]
        state: Option<AttemptWord>,
        /// Of the list: of this buyer (Dodo's customer id) only.
        #[arg(long)]
        customer: Option<String>,
        /// Of the list: at most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Which store.
        #[command(flatten)]
        place: Box<StorePlace>,
    },
    /// Says that charges signed with this key need not be recognised any more, so that a proxy starts without it. Asks the
    /// running proxy.
    RetireKey {
        /// The key's id: what stands before the colon in UPSELL_SIGNING_KEYS.
        id: String,
        /// Which proxy.
        #[command(flatten)]
        place: ProxyPlace,
    },
    /// Forgets a buyer: everything about them goes, but for keyed hashes of what they refused and own. Asks the running
    /// proxy, and names the charges that are pending: those go once they have come to their end.
    Forget {
        /// Dodo's customer id.
        #[arg(long)]
        customer: String,
        /// Which proxy.
        #[command(flatten)]
        place: ProxyPlace,
    },
    /// Looks for everything that may be wrong with a set-up: settings, store, key and mode, clock, products, webhooks.
    /// Works beside a running proxy, charges nothing and changes nothing.
    Doctor(Box<Arguments>),
    /// Prints the description of the API (OpenAPI, JSON).
    Openapi,
}

fn attempt_states() -> impl TypedValueParser<Value = AttemptWord> {
    PossibleValuesParser::new(AttemptWord::ALL.iter().map(|state| state.as_str()))
        .try_map(|word| AttemptWord::parse(&word).ok_or("not a state of an attempt"))
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(arguments) => serve(*arguments),
        Command::CheckConfig(arguments) => check_config(*arguments),
        Command::Attempts { id, state, customer, limit, place } => {
            attempts(id, state, customer, limit, *place)
        }
        Command::RetireKey { id, place } => retire_key(&id, &place),
        Command::Forget { customer, place } => forget(&customer, &place),
        Command::Doctor(arguments) => doctor(*arguments),
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

fn attempts(
    id: Option<String>,
    state: Option<AttemptWord>,
    customer: Option<String>,
    limit: u32,
    place: StorePlace,
) -> Outcome {
    let (database, tenant) = place.check(&Secrets::read(|name| std::env::var(name).ok()))?;
    let id = id.map(wire::AttemptId::parse).transpose().map_err(|_| "that is no attempt's id")?;
    let customer = customer.map(CustomerId::parse).transpose().map_err(|_| "that is no customer's id")?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let Some(store) = store::open_read_only(&database, &tenant).await? else {
            return Err("the store has nothing of this merchant in this mode".into());
        };
        let text = match &id {
            Some(id) => support::explain(store.as_ref(), id).await?.ok_or("no such attempt")?,
            None => support::list(store.as_ref(), &AttemptFilter { state, customer, limit }).await?,
        };
        print!("{text}");
        Ok(())
    })
}

/// Carries out one call to the running proxy.
fn ask<T, E>(
    place: &ProxyPlace,
    call: impl AsyncFnOnce(MerchantClient) -> Result<T, E>,
) -> Result<T, Box<dyn std::error::Error>>
where
    E: std::error::Error + 'static,
{
    let client = MerchantClient::new(place, Secrets::read(|name| std::env::var(name).ok()).merchant_key)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(call(client))?)
}

fn retire_key(id: &str, place: &ProxyPlace) -> Outcome {
    ask(place, async |client| client.retire_key(id).await)?;
    println!("retired: a proxy may start without the key `{id}`");
    Ok(())
}

fn forget(customer: &str, place: &ProxyPlace) -> Outcome {
    let forgotten = ask(place, async |client| client.forget(customer).await)?;
    println!("forgotten: {} charges and everything else about {customer}", forgotten.charges);
    for charge in &forgotten.pending {
        println!("kept until it has come to its end: {} ({})", charge.attempt_id, charge.reason);
    }
    Ok(())
}

fn doctor(arguments: Arguments) -> Outcome {
    let settings = settings(arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let findings = runtime.block_on(doctor::examine(&settings))?;
    for finding in &findings {
        println!("{finding}");
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count() {
        0 => Ok(()),
        count => Err(format!("{count} things have to be mended before buyers can be served").into()),
    }
}

fn openapi() -> Outcome {
    println!("{}", proxy::http::openapi::document().to_pretty_json()?);
    Ok(())
}
