//! One buyer with two tokens asks for previews, plans and offers as fast as they can, over HTTP, under Dodo's usual quota and on
//! the store that the rest of the campaign has filled. Every other buyer's session and page are answered, the first time.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use proxy::settings::Limits;
use serde_json::{Value, json};
use testkit::{Answer, Buyer, COURSE, Dodo, GOOD_CARD, MERCHANT_KEY, Proxy, ProxyClient, Setup, patiently};
use tokio::task::JoinSet;
use upsell_core::policy::upstream_budget::Quota;

use super::UNANSWERED;
use crate::{
    plan::Plan,
    report::{Broken, Report},
};

/// Honest buyers of a minute: what they ask fits into the quota of Dodo beside a greedy buyer's share.
const A_MINUTE: usize = 10;
/// Minutes of the whole campaign. A reduced one has the first only.
pub(super) const MINUTES: usize = 3;
/// Time after which quota that was used is there again.
const MINUTE: Duration = Duration::from_secs(62);
/// Longest time that an honest buyer waits for all that they ask.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks at how far the greedy buyer has come, and after a connection of theirs broke.
const PAUSE: Duration = Duration::from_millis(5);
/// Requests of the greedy buyer at a time.
const ABREAST: usize = 4;
/// Requests of theirs that are answered before the honest buyers come.
const HEAD_START: u64 = 60;
/// Address of the greedy buyer. The honest ones ask from another.
const GREEDY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Answers to the greedy buyer so far, and their order to stop.
#[derive(Default)]
struct Greed {
    answers: AtomicU64,
    held_back: AtomicU64,
    over: AtomicBool,
}

/// Plays it once. Returns how many requests of the greedy buyer were answered. Each honest buyer is one of the campaign's
/// seeds.
pub(super) async fn play(
    plan: &Plan,
    dodo: &Dodo,
    setup: Setup,
    minutes: usize,
    report: &mut Report,
) -> anyhow::Result<u64> {
    let usual: fn(&mut Limits) = |limits| limits.upstream = Quota::DEFAULT;
    let proxy = Proxy::start(dodo, &Setup { limits: Some(usual), ..setup }).await?;
    let greed = Arc::new(Greed::default());
    let mut asking = JoinSet::new();
    let buyer = dodo.subscriber_of("prod_basic_plan")?;
    let tokens = [token(&proxy, plans_of(&buyer)).await?, token(&proxy, offers_of(&buyer)).await?];
    for first in 0..ABREAST {
        let client = ProxyClient::from_address(proxy.url().to_owned(), GREEDY)?;
        asking.spawn(Arc::clone(&greed).ask(client, tokens.clone(), first));
    }
    let until = Instant::now() + MINUTE;
    while greed.answers.load(Ordering::Relaxed) < HEAD_START {
        anyhow::ensure!(Instant::now() < until, "the greedy buyer gets no answers");
        tokio::time::sleep(PAUSE).await;
    }
    let seeds: Vec<u64> = plan.seeds().take(A_MINUTE * minutes).collect();
    for (minute, seeds) in seeds.chunks(A_MINUTE).enumerate() {
        if minute > 0 {
            tokio::time::sleep(MINUTE).await;
        }
        for seed in seeds {
            let began = Instant::now();
            let answered = match seed % 2 {
                0 => reads_plans(dodo, &proxy).await,
                _ => reads_offer(dodo, &proxy).await,
            };
            let took = began.elapsed();
            if let Err(error) = answered {
                report.broken(
                    Broken::Other(UNANSWERED),
                    *seed,
                    format_args!("beside a greedy buyer: {error:#}"),
                );
            } else if took > ANSWERED_WITHIN {
                report.broken(Broken::Other(UNANSWERED), *seed, format_args!("answered after {took:?}"));
            }
        }
    }
    greed.over.store(true, Ordering::Relaxed);
    asking.join_all().await;
    let held_back = greed.held_back.load(Ordering::Relaxed);
    anyhow::ensure!(
        held_back > 0,
        "the greedy buyer was never held back, so that nobody had to be protected"
    );
    proxy.stop().await?;
    Ok(greed.answers.load(Ordering::Relaxed))
}

impl Greed {
    /// Asks without a pause until it is over.
    async fn ask(self: Arc<Self>, client: ProxyClient, [plans, offers]: [String; 2], first: usize) {
        for no in (first..).step_by(ABREAST) {
            if self.over.load(Ordering::Relaxed) {
                break;
            }
            let answer = match no % 8 {
                6 => client.get(&plans, "/v1/plans").await,
                7 => client.get(&offers, "/v1/upsell").await,
                // Another number of seats each time: the same question is not asked twice within seconds.
                _ => {
                    let body = json!({"product_id": "prod_max_plan", "quantity": 1 + no % 9_000});
                    client.post(&plans, "/v1/plans/preview", None, &body).await
                }
            };
            // A connection that broke is no answer, and no reason to stop: the honest ones are judged.
            let Ok(answer) = answer else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            self.answers.fetch_add(1, Ordering::Relaxed);
            if answer.status == 503 {
                self.held_back.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// An honest buyer comes from a purchase and looks at what is offered.
async fn reads_offer(dodo: &Dodo, proxy: &Proxy) -> anyhow::Result<()> {
    let buyer = dodo.buyer_of(COURSE, Some(GOOD_CARD))?;
    let token = minted(mint(proxy, offers_of(&buyer)).await?)?;
    let shown = proxy.look(&token).await?;
    anyhow::ensure!(shown["eligible"] == json!(true), "nothing is offered: {shown}");
    Ok(())
}

/// An honest buyer opens the page of plans and asks for one price.
async fn reads_plans(dodo: &Dodo, proxy: &Proxy) -> anyhow::Result<()> {
    let buyer = dodo.subscriber_of("prod_basic_plan")?;
    let token = minted(mint(proxy, plans_of(&buyer)).await?)?;
    proxy.get(&token, "/v1/plans").await?.ok().context("plans")?;
    let body = json!({"product_id": "prod_max_plan"});
    proxy.post(&token, "/v1/plans/preview", None, &body).await?.ok().context("a preview")?;
    Ok(())
}

fn plans_of(buyer: &Buyer) -> Value {
    json!({
        "customer_id": buyer.customer, "purpose": "plans", "subscription_id": buyer.subscription, "signed_in": true,
    })
}

fn offers_of(buyer: &Buyer) -> Value {
    json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": buyer.payment, "signed_in": true})
}

async fn mint(proxy: &Proxy, request: Value) -> anyhow::Result<Answer> {
    proxy.post(MERCHANT_KEY, "/v1/sessions", None, &request).await
}

fn minted(answer: Answer) -> anyhow::Result<String> {
    let minted = answer.ok().context("a session")?;
    Ok(minted["token"].as_str().context("a session without a token")?.to_owned())
}

/// Mints a token for the greedy buyer: right after its start the proxy compares its store with Dodo.
async fn token(proxy: &Proxy, request: Value) -> anyhow::Result<String> {
    minted(patiently(|| mint(proxy, request.clone())).await?)
}
