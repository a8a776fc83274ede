//! One buyer with two tokens previews changes as fast as they can, under Dodo's usual quota, on a store full of old charges:
//! every other buyer's session and page are answered. Of each honest buyer the first answer counts.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use anyhow::Context as _;
use proxy::settings::Limits;
use serde_json::{Value, json};
use testkit::{Buyer, COURSE, Dodo, GOOD_CARD, MERCHANT_KEY, Proxy, ProxyClient, Setup, patiently};
use tokio::task::JoinSet;
use upsell_core::policy::upstream_budget::Quota;

use super::UNANSWERED;
use crate::{
    plan::Plan,
    report::{Broken, Report},
};

/// Honest buyers whose sessions and pages fit into a minute's quota beside a greedy buyer's share.
const MOST: usize = 15;
/// Requests of the greedy buyer at a time.
const ABREAST: usize = 4;
/// Their requests before the honest buyers come.
const HEAD_START: usize = 60;

/// Plays it once; each honest buyer is asked for by the seed of a run.
pub(super) async fn play(plan: &Plan, setup: Setup, report: &mut Report) -> anyhow::Result<()> {
    let dodo = Dodo::start(plan.seed).await?;
    let usual: fn(&mut Limits) = |limits| limits.upstream = Quota::DEFAULT;
    let proxy = Proxy::start(&dodo, &Setup { limits: Some(usual), ..setup }).await?;
    proxy.hear(&dodo)?;
    let greedy = dodo.subscriber_of("prod_basic_plan")?;
    let tokens = [plans_token(&proxy, &greedy).await?, plans_token(&proxy, &greedy).await?];
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut greed = JoinSet::new();
    for no in 0..ABREAST {
        let (client, token) = (ProxyClient::of(proxy.url().to_owned())?, tokens[no % tokens.len()].clone());
        let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
        greed.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                // Another number of seats each time: the same question is not asked twice within seconds.
                let seats = 1 + sent.fetch_add(1, Ordering::Relaxed) % 9_000;
                let body = json!({"product_id": "prod_max_plan", "quantity": seats});
                drop(client.post(&token, "/v1/plans/preview", None, &body).await);
                tokio::task::yield_now().await;
            }
        });
    }
    while sent.load(Ordering::Relaxed) < HEAD_START {
        tokio::task::yield_now().await;
    }
    for seed in plan.seeds().take(MOST) {
        let buyer = dodo.buyer_of(COURSE, Some(GOOD_CARD))?;
        if let Err(error) = is_answered(&proxy, &buyer).await {
            report.broken(Broken::Other(UNANSWERED), seed, format_args!("beside a greedy buyer: {error:#}"));
        }
    }
    stop.store(true, Ordering::Relaxed);
    greed.join_all().await;
    report.fact("greedy_requests", sent.load(Ordering::Relaxed));
    proxy.stop().await
}

async fn is_answered(proxy: &Proxy, buyer: &Buyer) -> anyhow::Result<()> {
    let purchase = buyer.payment.as_ref().context("a buyer without a purchase")?;
    let token = proxy.mint(&buyer.customer, purchase).await?;
    let shown = proxy.look(&token).await?;
    anyhow::ensure!(shown["reason"] != json!("unavailable"), "nothing is shown: {shown}");
    Ok(())
}

async fn plans_token(proxy: &Proxy, buyer: &Buyer) -> anyhow::Result<String> {
    let request = json!({
        "customer_id": buyer.customer, "purpose": "plans", "subscription_id": buyer.subscription, "signed_in": true,
    });
    // Right after its start the proxy compares its store with Dodo.
    let minted: Value = patiently(|| proxy.post(MERCHANT_KEY, "/v1/sessions", None, &request)).await?.ok()?;
    Ok(minted["token"].as_str().context("a session without a token")?.to_owned())
}
