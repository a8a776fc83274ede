//! However often a thing is clicked at the same moment, on however many pages and proxies: one request, one charge.
//!
//! A run is one person and one thing. What differs from run to run, by the seed:
//!
//! | | |
//! |---|---|
//! | engine | two proxies over one PostgreSQL database, or one proxy over SQLite |
//! | offers | one, or two of the same thing after two purchases |
//! | customer ids | one, or two with the same e-mail address |
//! | refusals | none, or one on each page between the clicks |
//!
//! Each offer is accepted eight times at once on each proxy. Half of the clicks are one browser's repeats of one key, the
//! others have keys of their own, as other tabs and devices do.
//!
//! Seen to fail when a claim forgets to look at the offer's state and the database does not refuse a second live attempt; when
//! a claim, or a refusal, does not ask about other offers of the same thing; and when a person is locked by the customer id
//! only.

use async_trait::async_trait;
use dodo_client::ids::CustomerId;
use dodo_sim::NewPaymentMethod;
use rand::{RngExt, seq::SliceRandom as _};
use serde_json::Value;
use testkit::{Answer, COURSE, Database, Dodo, GOOD_CARD, Proxy, Setup, Tally, check};

use super::Campaign;
use crate::{
    plan::{Plan, rng},
    report::{Broken, Report},
};

/// Accepts of one offer on each proxy.
const CLICKS: usize = 8;
/// A thing that was not refused, and that nobody could buy.
const UNCHARGED: &str = "uncharged";
/// A thing that was taken and refused, and both were answered with success; or neither was.
const CONTRADICTED: &str = "contradicted";
/// A click that was answered with an error of the proxy's own.
const ERRORS: &str = "errors";

/// See the module.
pub(super) struct DoubleSubmit;

#[async_trait]
impl Campaign for DoubleSubmit {
    fn name(&self) -> &'static str {
        "double-submit"
    }

    fn promise(&self) -> &'static str {
        "a thing clicked many times at once, on two pages, on two proxies, is charged once or refused"
    }

    fn whole_runs(&self) -> u64 {
        1_000
    }

    fn quick_runs(&self) -> u64 {
        24
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::asking(&[UNCHARGED, CONTRADICTED, ERRORS]);
        let (mut charged, mut refused) = (0_u64, 0_u64);
        for (database, proxies, on_server) in
            [(Database::sqlite()?, 1, false), (Database::postgres()?, 2, true)]
        {
            let dodo = Dodo::start(plan.seed).await?;
            let setup = Setup { database, ..Setup::new()? };
            let mut running = Vec::new();
            for _ in 0..proxies {
                running.push(Proxy::start(&dodo, &setup).await?);
            }
            running[0].hear(&dodo)?;
            for seed in plan.seeds().filter(|seed| (seed % 2 == 0) == on_server) {
                match play(&dodo, &running, seed, &mut report).await? {
                    true => charged += 1,
                    false => refused += 1,
                }
                report.runs += 1;
            }
            for proxy in running {
                proxy.stop().await?;
            }
        }
        report.fact("charged", charged);
        report.fact("refused", refused);
        Ok(report)
    }
}

/// One page with an offer on it.
struct Page {
    token: String,
    shown: Value,
}

/// What was pressed on a page, and the answer.
struct Pressed {
    is_refusal: bool,
    answer: Answer,
}

/// One run. Returns whether the thing was charged.
async fn play(dodo: &Dodo, proxies: &[Proxy], seed: u64, report: &mut Report) -> anyhow::Result<bool> {
    let [two_offers, two_ids, refusals] = [2, 4, 8].map(|bit| seed & bit != 0);
    let mut customers = vec![customer(dodo, seed)?];
    if two_ids {
        customers.push(customer(dodo, seed)?);
    }
    let mut pages = Vec::new();
    for no in 0..if two_offers || two_ids { 2 } else { 1 } {
        let buyer = &customers[no % customers.len()];
        let token = proxies[0].mint(buyer, &dodo.purchase(buyer, COURSE)?).await?;
        let shown = proxies[0].look(&token).await?;
        anyhow::ensure!(shown["eligible"] == true, "nothing is offered: {shown}");
        pages.push(Page { token, shown });
    }
    let pressed = press(proxies, &pages, refusals, seed).await?;
    for Pressed { answer, .. } in &pressed {
        if answer.status >= 500 {
            report.broken(Broken::Other(ERRORS), seed, format_args!("{answer:?}"));
        }
        if answer.body["status"] == "failed" {
            report.broken(Broken::Lie, seed, format_args!("told failed: {answer:?}"));
        }
    }
    let answered = |refusal: bool| {
        let of = pressed.iter().filter(|pressed| pressed.is_refusal == refusal);
        of.filter(|pressed| pressed.answer.status < 300).count()
    };
    let (taken, refused) = (answered(false) > 0, answered(true) > 0);
    if taken == refused {
        let what = format!("taken {} times, refused {} times", answered(false), answered(true));
        report.broken(Broken::Other(CONTRADICTED), seed, what);
    }
    let paid = judge(dodo, &customers, refused, seed, report);
    if paid {
        told_later(proxies, &pages, seed, report).await?;
    }
    Ok(paid)
}

/// A customer of the seed's person, with a card that pays.
fn customer(dodo: &Dodo, seed: u64) -> anyhow::Result<CustomerId> {
    let card = NewPaymentMethod { number: GOOD_CARD.to_owned(), ..NewPaymentMethod::default() };
    dodo.customer_as(&format!("person-{seed}@example.com"), Some(card), "US")
}

/// Presses everything at once and in an order of the seed's.
async fn press(proxies: &[Proxy], pages: &[Page], refusals: bool, seed: u64) -> anyhow::Result<Vec<Pressed>> {
    let mut rng = rng(seed);
    let shared = format!("shared-{}", rng.random::<u32>());
    let mut presses = Vec::new();
    for (page_no, page) in pages.iter().enumerate() {
        for (at, proxy) in proxies.iter().enumerate() {
            for no in 0..CLICKS {
                let own = format!("key-{page_no}-{at}-{no}");
                let key = if no % 2 == 0 { format!("{shared}-{page_no}") } else { own };
                presses.push((proxy, page, Some(key)));
            }
        }
        if refusals {
            presses.push((&proxies[page_no % proxies.len()], page, None));
        }
    }
    presses.shuffle(&mut rng);
    // A refusal that comes first has to win now and then.
    if refusals && rng.random::<bool>() {
        presses.sort_by_key(|(_, _, key)| key.is_some());
    }
    let answers = presses.iter().map(|(proxy, page, key)| async move {
        let answer = match key {
            Some(key) => proxy.accept(&page.token, &page.shown, key).await?,
            None => proxy.decline(&page.token, &page.shown).await?,
        };
        anyhow::Ok(Pressed { is_refusal: key.is_none(), answer })
    });
    futures_util::future::try_join_all(answers).await
}

/// Looks at what really happened to the money. Returns whether the thing was paid.
fn judge(dodo: &Dodo, customers: &[CustomerId], refused: bool, seed: u64, report: &mut Report) -> bool {
    let by_customer = dodo.tally();
    let mut tally = Tally::default();
    for of in customers.iter().filter_map(|customer| by_customer.get(customer.as_str())) {
        tally.posts = tally.posts.saturating_add(of.posts);
        tally.paid = tally.paid.saturating_add(of.paid);
    }
    report.posts = report.posts.saturating_add(u64::from(tally.posts));
    match (refused, tally.posts, tally.paid) {
        (true, 0, 0) => {}
        (true, ..) => report.broken(Broken::Double, seed, format_args!("charged and refused: {tally:?}")),
        (false, 0, _) | (false, _, 0) => {
            report.broken(Broken::Other(UNCHARGED), seed, "nothing was collected");
        }
        _ => report.found("a thing", seed, check::charged_once(tally)),
    }
    tally.paid > 0
}

/// Whoever clicks later is told of the one charge on its page, on either proxy, and that the offer is over on the other.
async fn told_later(proxies: &[Proxy], pages: &[Page], seed: u64, report: &mut Report) -> anyhow::Result<()> {
    for proxy in proxies {
        let mut told = 0;
        for page in pages {
            let answer = proxy.accept(&page.token, &page.shown, "later").await?;
            match answer.status {
                410 => {}
                _ if answer.body["status"] == "succeeded" => told += 1,
                _ => report.broken(Broken::Lost, seed, format_args!("not on record: {answer:?}")),
            }
        }
        if told != 1 {
            report.broken(Broken::Lost, seed, format_args!("{told} pages have the receipt"));
        }
    }
    Ok(())
}
