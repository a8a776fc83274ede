//! Cost of a pooler: the same clicks at two proxies on one database, one of them behind PgBouncer in transaction mode.

use std::{sync::Arc, time::Instant};

use testkit::{COURSE, Database, Dodo, GOOD_CARD, Proxy, Setup};

use crate::report::Report;

/// Pairs of buyers, after some that nobody times.
const PAIRS: usize = 200;
/// Pairs before the clock starts.
const WARM_UP: usize = 20;

/// Microseconds, of many buyers.
#[derive(Default)]
struct Times {
    look: Vec<u128>,
    accept: Vec<u128>,
}

/// Adds the medians of a look and of an accept to the report, directly and in percent of that behind the pooler.
pub(super) async fn measured(seed: u64, report: &mut Report) -> anyhow::Result<()> {
    let dodo = Arc::new(Dodo::start(seed).await?);
    let direct = Database::postgres()?;
    let pooled = direct.behind_pooler()?;
    let proxies =
        [Proxy::start(&dodo, &Setup::over(direct)).await?, Proxy::start(&dodo, &Setup::over(pooled)).await?];
    let mut times = [Times::default(), Times::default()];
    for pair in 0..WARM_UP + PAIRS {
        for turn in [pair % 2, (pair + 1) % 2] {
            let (look, accept) = one(&dodo, &proxies[turn]).await?;
            if pair >= WARM_UP {
                times[turn].look.push(look);
                times[turn].accept.push(accept);
            }
        }
    }
    for proxy in proxies {
        proxy.stop().await?;
    }
    let [direct, pooled] = times;
    let (look, accept) = (median(direct.look), median(direct.accept));
    report.fact("look_us", look);
    report.fact("look_pooled_percent", median(pooled.look) * 100 / look.max(1));
    report.fact("accept_us", accept);
    report.fact("accept_pooled_percent", median(pooled.accept) * 100 / accept.max(1));
    Ok(())
}

/// One buyer: how long the page and the click take.
async fn one(dodo: &Dodo, proxy: &Proxy) -> anyhow::Result<(u128, u128)> {
    let customer = dodo.customer(Some(GOOD_CARD))?;
    let purchase = dodo.purchase(&customer, COURSE)?;
    let token = proxy.mint(&customer, &purchase).await?;
    let began = Instant::now();
    let shown = proxy.look(&token).await?;
    let look = began.elapsed().as_micros();
    let began = Instant::now();
    let answer = proxy.accept(&token, &shown, "click").await?;
    anyhow::ensure!(answer.status < 300, "{answer:?}");
    Ok((look, began.elapsed().as_micros()))
}

fn median(mut times: Vec<u128>) -> u128 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
