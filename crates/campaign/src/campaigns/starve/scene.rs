//! The story of one proxy: two bad days, then honest orders.

use anyhow::Context as _;
use dodo_client::ids::{CustomerId, PaymentId};
use serde_json::json;
use testkit::{Buyer, Dodo, GOOD_CARD, InProcessServices, KIT, Shown};
use upsell_core::{
    domain::{AttemptState, OfferState},
    policy::inbox_schedule,
};
use wire::{Purpose, SessionRequest};

use super::{APPROVAL, Load, UNANSWERED};
use crate::{
    plan::Plan,
    report::{Broken, Report},
};

/// Hours before the honest orders.
const HOURS_BEFORE: u32 = 48;
/// Hours at which charges begin that never reach Dodo: three before everything else that is waited for, so that they are
/// looked up first.
const ABANDONED_AT: [u32; 4] = [1, 3, 5, 37];
/// Of these, Dodo fails to list so many buyers while the honest ones wait.
const NOT_LISTED: usize = 3;
/// Hours between two payments that cannot be read, from the seventh on.
const POISON_EVERY: u32 = 6;
/// Hours between two of them that do not say whose they are.
const WHOLLY_EVERY: u32 = 12;
/// Honest orders a minute.
const PER_MINUTE: usize = 10;

/// An honest buyer whose charge was executed.
pub(super) struct Order {
    /// Of its run.
    pub(super) seed: u64,
    /// Fault that lost the reply.
    pub(super) fault: &'static str,
    /// The offer.
    pub(super) shown: Shown,
    /// The bank takes a day.
    is_slow: bool,
    /// Another purchase of the same minute, whose webhook could not be applied when it came.
    purchase: Buyer,
}

/// Dodo, the proxy's services, and what keeps them busy.
pub(super) struct Scene<'a> {
    pub(super) dodo: &'a Dodo,
    pub(super) services: &'a InProcessServices,
    /// Webhooks that cannot be read or applied, so far.
    pub(super) webhooks: u32,
    /// The buyer who makes a third of all payments.
    pub(super) busy: CustomerId,
}

impl Scene<'_> {
    /// Two days of everything bad. Returns charges that never reached Dodo, and those whose payment cannot be read.
    pub(super) async fn two_bad_days(&mut self, load: &Load) -> anyhow::Result<(Vec<Shown>, Vec<Shown>)> {
        let (mut abandoned, mut poisoned) = (Vec::new(), Vec::new());
        for hour in 0..HOURS_BEFORE {
            self.payments(load.payments / HOURS_BEFORE)?;
            if ABANDONED_AT.contains(&hour) {
                abandoned.push(self.lost("reset_before").await?);
            }
            if hour > POISON_EVERY && hour % POISON_EVERY == 1 {
                poisoned.push(self.poisoned(hour % WHOLLY_EVERY == 1).await?);
            }
            if hour + 1 == HOURS_BEFORE {
                for shown in abandoned.iter().take(NOT_LISTED) {
                    let listing = format!("/payments?customer_id={}", shown.offer.customer_id);
                    self.dodo.fault("GET", &listing, json!("status_500"), u32::MAX)?;
                }
            }
            self.disturb(hour).await?;
            self.services.pass_hours(self.dodo, 1).await?;
        }
        Ok((abandoned, poisoned))
    }

    /// Payments that are none of ours.
    pub(super) fn payments(&self, count: u32) -> anyhow::Result<()> {
        for no in 0..count {
            let buyer = if no % 3 == 0 { self.busy.clone() } else { self.dodo.customer(Some(GOOD_CARD))? };
            self.dodo.purchase(&buyer, KIT)?;
        }
        Ok(())
    }

    /// Lets minutes pass, with every worker at work.
    pub(super) async fn minutes(&self, minutes: i64) -> anyhow::Result<()> {
        for _half in 0..minutes * 2 {
            self.services.pass(self.dodo, 30).await?;
            for _round in 0..30 / inbox_schedule::ROUND {
                self.services.webhooks.apply_leftovers().await?;
            }
        }
        Ok(())
    }

    /// A charge whose reply is lost.
    async fn lost(&self, fault: &str) -> anyhow::Result<Shown> {
        let shown = self.services.show(self.dodo, Some(GOOD_CARD), KIT).await?;
        self.dodo.fault("POST", "/checkouts", json!(fault), 1)?;
        drop(self.services.accept(&shown, "key-1", None).await);
        Ok(shown)
    }

    /// A charge whose payment cannot be read, and with `wholly` does not say whose it is either.
    pub(super) async fn poisoned(&self, wholly: bool) -> anyhow::Result<Shown> {
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
    pub(super) async fn disturb(&mut self, hour: u32) -> anyhow::Result<()> {
        let known_nowhere = json!({
            "payload_type": "Payment", "payment_id": format!("pay_nowhere_{hour}"), "customer": {"customer_id": "cus_nowhere"},
            "status": "succeeded", "currency": "USD", "total_amount": 1900, "created_at": "2026-01-01T00:00:00Z",
            "subscription_id": format!("sub_nowhere_{hour}"),
        });
        let unreadable = json!({"payload_type": "Payment", "payment_id": 7});
        for data in [known_nowhere, unreadable] {
            self.webhooks = self.webhooks.saturating_add(1);
            let id = format!("msg_poison_{}", self.webhooks);
            self.services.deliver(&id, "payment.succeeded", &data).await?;
        }
        self.services.webhooks.apply_leftovers().await?;
        Ok(())
    }

    pub(super) async fn honest_orders(&self, plan: &Plan, report: &mut Report) -> anyhow::Result<Vec<Order>> {
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
                let purchase = self.report_in_vain().await?;
                orders.push(Order { seed: *seed, fault, shown, is_slow, purchase });
            }
            self.minutes(1).await?;
        }
        Ok(orders)
    }

    /// Reports the purchase of a subscription that Dodo fails to tell of at that moment.
    async fn report_in_vain(&self) -> anyhow::Result<Buyer> {
        let buyer = self.dodo.subscriber_of("prod_basic_plan")?;
        let (Some(payment), Some(subscription)) = (&buyer.payment, &buyer.subscription) else {
            anyhow::bail!("a subscriber without a payment");
        };
        self.dodo.fault("GET", &format!("/subscriptions/{subscription}"), json!("status_500"), 1)?;
        self.services.report(self.dodo, payment.as_str()).await?;
        anyhow::ensure!(!self.is_known(&buyer).await?, "the webhook could be applied when it came");
        Ok(buyer)
    }

    /// Says whether the webhook about this purchase was applied.
    async fn is_known(&self, buyer: &Buyer) -> anyhow::Result<bool> {
        let payment = buyer.payment.as_ref().context("a purchase without a payment")?;
        Ok(self.services.store.purchase(&buyer.customer, payment).await?.is_some())
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
            browser: None,
        };
        if let Err(error) = self.services.sessions.mint(&request).await {
            report.broken(Broken::Other(UNANSWERED), seed, format_args!("no session: {error}"));
        }
        Ok(())
    }

    /// Half an hour after the payment it is on record: as charged, or as pending where the bank takes its time. And so is
    /// what the webhook said.
    pub(super) async fn is_found_out(&self, order: &Order, report: &mut Report) -> anyhow::Result<()> {
        let wanted = if order.is_slow { OfferState::Pending } else { OfferState::Charged };
        self.expect(order, wanted, report).await?;
        if !self.is_known(&order.purchase).await? {
            report.broken(Broken::Stuck, order.seed, "a webhook was not applied");
        }
        Ok(())
    }

    pub(super) async fn expect(
        &self,
        order: &Order,
        wanted: OfferState,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let state = self.services.offer(&order.shown).await?.state;
        if state != wanted {
            report.broken(Broken::Stuck, order.seed, format_args!("{state:?} instead of {wanted:?}"));
        }
        Ok(())
    }

    /// Waiting for a bad one has come to a named end, and nobody looks for it any more.
    pub(super) async fn has_ended(
        &self,
        seed: u64,
        shown: &Shown,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let row = self.services.store.latest_attempt(&shown.offer.id).await?.context("an attempt")?;
        if (row.state, row.next_check_at) != (AttemptState::NeedsReview, None) {
            let (state, next) = (row.state, row.next_check_at);
            report.broken(Broken::Stuck, seed, format_args!("waited for without end: {state:?}, {next:?}"));
        }
        Ok(())
    }

    pub(super) fn listings(&self) -> usize {
        self.dodo.requests_to("GET", "/payments?")
    }
}

fn only_payment(dodo: &Dodo, buyer: &CustomerId) -> anyhow::Result<PaymentId> {
    let payments = dodo.control().payments_of(buyer.as_str());
    let id = payments.first().context("the charge was not executed")?;
    Ok(PaymentId::parse(id.clone())?)
}
