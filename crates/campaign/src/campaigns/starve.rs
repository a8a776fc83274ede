//! Everything that may keep a proxy busy, at once: honest orders are found out in their time all the same, and honest
//! sessions are answered.
//!
//! A run is one honest buyer. The reply to their charge is lost after Dodo has executed it; at a third of them the bank takes
//! a day to approve. Before that, over two days: ten thousand payments, a third of them of one greedy buyer, at Dodo; a hundred
//! thousand old charges in the store; charges of four buyers that never reached Dodo, hours apart; payments that cannot be
//! read, some of which do not even say whose they are; and signed webhooks that cannot be read or applied, again and again.
//! Late money is given back by the rules, so that an approval that is called late is counted. On both engines when whole.
//!
//! | counted | what it means here |
//! |---|---|
//! | `stuck` | an honest order is undecided half an hour after its payment, or after the bank's approval; or something else that was waited for has no named end |
//! | `given_back` | money of an honest order went back |
//! | `unanswered` | an honest session was not minted |
//!
//! Not seen to fail yet.

use std::time::Instant;

use anyhow::Context as _;
use async_trait::async_trait;
use dodo_client::ids::{CustomerId, PaymentId};
use serde_json::json;
use testkit::{Database, Dodo, GOOD_CARD, InProcessServices, KIT, Shown, rules_with, standing_clock};
use upsell_core::{
    domain::{AttemptState, OfferState},
    rules::{LateSuccess, MoneyRules},
};
use wire::{Purpose, SessionRequest};

use super::{Campaign, unknowns::judge};
use crate::{
    plan::{Extent, Plan},
    report::{Broken, Report},
};

/// Hours before the honest orders.
const DAYS_BEFORE: u32 = 48;
/// An hour's position at which a charge that never reached Dodo begins.
const ABANDONED_EVERY: u32 = 12;
/// Hours between two payments that cannot be read.
const POISON_EVERY: u32 = 6;
/// Honest orders a minute.
const PER_MINUTE: usize = 10;
/// Seconds after which an order whose payment has collected is on record: twenty minutes, and looks that confirm it.
const DEADLINE: i64 = 30 * 60;
/// Hours that the bank takes where it takes its time.
const APPROVAL: u32 = 24;
/// Hours after which everything that was waited for has come to its end.
const ALL_ENDS: u32 = 60;
const GIVEN_BACK: &str = "given_back";
const UNANSWERED: &str = "unanswered";

/// See the module.
pub(super) struct Starve;

/// How much of everything.
struct Load {
    payments: u32,
    old_charges: u32,
}

#[async_trait]
impl Campaign for Starve {
    fn name(&self) -> &'static str {
        "starve"
    }

    fn promise(&self) -> &'static str {
        "whatever cannot be read, applied or listed, honest orders are found out in time and honest sessions answered"
    }

    fn whole_runs(&self) -> u64 {
        300
    }

    fn quick_runs(&self) -> u64 {
        15
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<Report> {
        let mut report = Report::asking(&[GIVEN_BACK, UNANSWERED]);
        match plan.extent {
            Extent::Quick => {
                let load = Load { payments: 900, old_charges: 3_000 };
                play(plan, Database::sqlite()?, &load, &mut report).await?;
            }
            Extent::Whole => {
                let load = Load { payments: 12_000, old_charges: 100_000 };
                for database in [Database::sqlite()?, Database::postgres()?] {
                    play(plan, database, &load, &mut report).await?;
                }
            }
        }
        Ok(report)
    }
}

async fn play(plan: &Plan, database: Database, load: &Load, report: &mut Report) -> anyhow::Result<()> {
    let dodo = Dodo::start(plan.seed).await?;
    dodo.switch(json!({"rate_limit": "off", "one_click_outcome": "settle"}))?;
    let money = MoneyRules { late_success: LateSuccess::Refund, ..MoneyRules::default() };
    let services =
        InProcessServices::start_under(&dodo, &database, &standing_clock(), rules_with(money)?).await?;
    let mut scene = Scene { dodo: &dodo, services: &services, webhooks: 0 };

    let first = services.show(&dodo, Some(GOOD_CARD), KIT).await?;
    services.accept(&first, "key-1", None).await.context("the charge to copy")?;
    database.fill_with_old_charges(load.old_charges).await?;

    let (abandoned, mut poisoned) = scene.two_bad_days(load).await?;
    let began = Instant::now();
    let asked = scene.listings();
    // One in the same hour, and so in the same listings.
    poisoned.push(scene.poisoned(true).await?);
    let honest = scene.honest_orders(plan, report).await?;
    services.pass(&dodo, DEADLINE).await?;
    for order in &honest {
        scene.is_found_out(order, report).await?;
    }
    for hour in 0..ALL_ENDS {
        scene.disturb(hour).await?;
        services.pass_hours(&dodo, 1).await?;
        if hour == APPROVAL {
            // The bank has approved an hour ago at the latest, and what is found is settled by now.
            for order in &honest {
                scene.is_charged(order, report).await?;
            }
        }
    }
    for shown in abandoned.iter().chain(&poisoned) {
        scene.has_ended(plan.seed, shown, report).await?;
    }
    for Order { seed, shown, .. } in &honest {
        for payment in dodo.payments_of(shown.offer.customer_id.as_str()) {
            if dodo.refund_requests_of(&payment.payment_id) > 0 {
                report.broken(Broken::Other(GIVEN_BACK), *seed, "an honest order was given back");
            }
        }
    }
    let runs: Vec<_> = honest.into_iter().map(|order| (order.seed, order.fault, order.shown)).collect();
    judge(&dodo, &services, &runs, report).await?;
    report.fact("payments", load.payments);
    report.fact("old_charges", load.old_charges);
    report.fact("listings", scene.listings().saturating_sub(asked));
    report.fact("honest_ms", began.elapsed().as_millis());
    Ok(())
}

/// An honest buyer whose charge was executed.
struct Order {
    seed: u64,
    fault: &'static str,
    shown: Shown,
    /// The bank takes a day.
    is_slow: bool,
}

struct Scene<'a> {
    dodo: &'a Dodo,
    services: &'a InProcessServices,
    webhooks: u32,
}

impl Scene<'_> {
    /// Two days of everything bad. Returns charges that never reached Dodo, and those whose payment cannot be read.
    async fn two_bad_days(&mut self, load: &Load) -> anyhow::Result<(Vec<Shown>, Vec<Shown>)> {
        let (mut abandoned, mut poisoned) = (Vec::new(), Vec::new());
        let greedy = self.dodo.customer(Some(GOOD_CARD))?;
        for hour in 0..DAYS_BEFORE {
            for no in 0..load.payments / DAYS_BEFORE {
                let buyer = if no % 3 == 0 { greedy.clone() } else { self.dodo.customer(Some(GOOD_CARD))? };
                self.dodo.purchase(&buyer, KIT)?;
            }
            if hour % ABANDONED_EVERY == 0 {
                abandoned.push(self.lost("reset_before").await?);
            }
            if hour % POISON_EVERY == 0 {
                poisoned.push(self.poisoned(hour % ABANDONED_EVERY == 0).await?);
            }
            self.disturb(hour).await?;
            self.services.pass_hours(self.dodo, 1).await?;
        }
        Ok((abandoned, poisoned))
    }

    /// A charge whose reply is lost.
    async fn lost(&self, fault: &str) -> anyhow::Result<Shown> {
        let shown = self.services.show(self.dodo, Some(GOOD_CARD), KIT).await?;
        self.dodo.fault("POST", "/checkouts", json!(fault), 1)?;
        drop(self.services.accept(&shown, "key-1", None).await);
        Ok(shown)
    }

    /// A charge whose payment cannot be read, and with `wholly` does not say whose it is either.
    async fn poisoned(&self, wholly: bool) -> anyhow::Result<Shown> {
        let shown = self.lost("reset_after").await?;
        let payment = only_payment(self.dodo, &shown.offer.customer_id)?;
        let fields = if wholly {
            json!({"created_at": null, "customer": null, "metadata": null})
        } else {
            json!({"total_amount": "plenty"})
        };
        let fields = fields.as_object().context("an object")?.clone();
        self.dodo
            .control()
            .show_payment(payment.as_str(), fields)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(shown)
    }

    /// Signed webhooks that cannot be read, and such that cannot be applied; those from before are taken up again.
    async fn disturb(&mut self, hour: u32) -> anyhow::Result<()> {
        let known_nowhere = json!({
            "payload_type": "Payment", "payment_id": format!("pay_nowhere_{hour}"), "customer": {"customer_id": "cus_nowhere"},
            "status": "succeeded", "currency": "USD", "total_amount": 1900, "created_at": "2026-01-01T00:00:00Z",
            "subscription_id": format!("sub_nowhere_{hour}"),
        });
        let unreadable = json!({"payload_type": "Payment", "payment_id": 7});
        for data in [known_nowhere, unreadable] {
            self.webhooks = self.webhooks.saturating_add(1);
            let id = format!("msg_poison_{}", self.webhooks);
            drop(self.services.deliver(&id, "payment.succeeded", &data).await);
        }
        self.services.webhooks.apply_leftovers().await?;
        Ok(())
    }

    async fn honest_orders(&self, plan: &Plan, report: &mut Report) -> anyhow::Result<Vec<Order>> {
        let mut orders = Vec::new();
        for seeds in plan.seeds().collect::<Vec<_>>().chunks(PER_MINUTE) {
            for seed in seeds {
                let is_slow = seed % 3 == 0;
                let outcome = if is_slow { "processing" } else { "settle" };
                self.dodo
                    .switch(json!({"one_click_outcome": outcome, "processing_seconds": APPROVAL * 3600}))?;
                let fault = "reset_after";
                let shown = self.lost(fault).await?;
                self.mint(*seed, &shown.offer.customer_id, report).await?;
                orders.push(Order { seed: *seed, fault, shown, is_slow });
            }
            self.services.pass(self.dodo, 60).await?;
        }
        Ok(orders)
    }

    /// The merchant's server asks for a session of the buyer.
    async fn mint(&self, seed: u64, buyer: &CustomerId, report: &mut Report) -> anyhow::Result<()> {
        let purchase = self.dodo.purchase(buyer, KIT)?;
        let request = SessionRequest {
            customer_id: buyer.to_string(),
            signed_in: true,
            purpose: Purpose::Offer,
            trigger: None,
            payment_id: Some(purchase.to_string()),
            subscription_id: None,
            locale: None,
            country: None,
            usage: Vec::new(),
        };
        if let Err(error) = self.services.sessions.mint(&request).await {
            report.broken(Broken::Other(UNANSWERED), seed, format_args!("no session: {error}"));
        }
        Ok(())
    }

    /// Half an hour after the payment it is on record: as charged, or as pending where the bank takes its time.
    async fn is_found_out(&self, order: &Order, report: &mut Report) -> anyhow::Result<()> {
        let wanted = if order.is_slow { OfferState::Pending } else { OfferState::Charged };
        self.expect(order, wanted, report).await
    }

    async fn is_charged(&self, order: &Order, report: &mut Report) -> anyhow::Result<()> {
        self.expect(order, OfferState::Charged, report).await
    }

    async fn expect(&self, order: &Order, wanted: OfferState, report: &mut Report) -> anyhow::Result<()> {
        let state = self.services.offer(&order.shown).await?.state;
        if state != wanted {
            report.broken(Broken::Stuck, order.seed, format_args!("{state:?} instead of {wanted:?}"));
        }
        Ok(())
    }

    /// Waiting for a bad one has come to a named end, and nobody looks for it any more.
    async fn has_ended(&self, seed: u64, shown: &Shown, report: &mut Report) -> anyhow::Result<()> {
        let row = self.services.store.latest_attempt(&shown.offer.id).await?.context("an attempt")?;
        if (row.state, row.next_check_at) != (AttemptState::NeedsReview, None) {
            let (state, next) = (row.state, row.next_check_at);
            report.broken(Broken::Stuck, seed, format_args!("waited for without end: {state:?}, {next:?}"));
        }
        Ok(())
    }

    fn listings(&self) -> usize {
        self.dodo.requests_to("GET", "/payments?")
    }
}

fn only_payment(dodo: &Dodo, buyer: &CustomerId) -> anyhow::Result<PaymentId> {
    let payments = dodo.control().payments_of(buyer.as_str());
    let id = payments.first().context("the charge was not executed")?;
    Ok(PaymentId::parse(id.clone())?)
}
