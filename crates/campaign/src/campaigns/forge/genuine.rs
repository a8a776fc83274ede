//! Genuine payments, by every route of the simulator.

use anyhow::Context as _;
use dodo_client::ids::{CustomerId, PaymentId, SubscriptionId};
use dodo_sim::{IntentStatus, Source};
use serde_json::{Map, Value, json};
use testkit::{EMPTY_CARD, GOOD_CARD, Shown, Subscriber};
use upsell_core::domain::{AttemptRow, AttemptState, ChargePlan, PaymentStatus};
use wire::{AttemptId, PayWith, PreviewRequest, ProductId};

use super::{
    ask,
    shop::{self, BASIC, CLUB, KIT, PAID_TRIAL, PRO, TEN_OFF, TRIAL, World, YEN},
};

/// A way in which money comes in for an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Route {
    OneClick,
    /// The answer is lost, and a webhook tells.
    LostAnswer,
    /// The answer is lost, and a listing tells.
    Listed,
    /// The answer is lost, and the webhook leaves out what it may.
    Nulls,
    Tax,
    OtherCurrency,
    Discount,
    FreeTrial,
    PaidTrial,
    /// Settled later; the webhook has no metadata.
    NoMetadata,
    /// The answer is lost, and so is the metadata in the webhook; a listing has it.
    NoMetadataThenListed,
    /// The bank wants to see the buyer.
    Challenge,
    /// A subscription, and its renewals afterwards.
    Renewed,
    /// The same where only a webhook told of the first payment.
    RenewedAfterLostAnswer,
    Page,
    /// The buyer comes back before the webhook.
    PageLookedAt,
    /// Another customer of Dodo's pays on the page.
    PageOtherCustomer,
    /// The first card is declined.
    PageSecondCard,
    /// Taxed in the country of whoever pays.
    PageElsewhere,
    /// The webhook does not name the checkout.
    PageUnnamed,
    Change,
    /// The answer is lost, and a webhook tells.
    ChangeLostAnswer,
    /// The answer is lost, and nothing names the attempt: the subscription tells.
    ChangeNoMetadata,
    /// From before there were codes, told by a webhook.
    OlderReported,
    /// From before there were codes, listed.
    OlderListed,
}

use Route as G;

pub(super) const ROUTES: [Route; 25] = [
    G::OneClick,
    G::LostAnswer,
    G::Listed,
    G::Nulls,
    G::Tax,
    G::OtherCurrency,
    G::Discount,
    G::FreeTrial,
    G::PaidTrial,
    G::NoMetadata,
    G::NoMetadataThenListed,
    G::Challenge,
    G::Renewed,
    G::RenewedAfterLostAnswer,
    G::Page,
    G::PageLookedAt,
    G::PageOtherCustomer,
    G::PageSecondCard,
    G::PageElsewhere,
    G::PageUnnamed,
    G::Change,
    G::ChangeLostAnswer,
    G::ChangeNoMetadata,
    G::OlderReported,
    G::OlderListed,
];

/// Fields without which Dodo may report a payment that is told by its name.
const LEFT_OUT: [&str; 8] = [
    "charge_type",
    "checkout_session_id",
    "product_cart",
    "tax",
    "updated_at",
    "card_network",
    "card_last_four",
    "payment_link",
];

impl Route {
    /// Says whether it needs a store from before there were codes.
    pub(super) fn is_older(self) -> bool {
        matches!(self, G::OlderReported | G::OlderListed)
    }

    /// Has a new buyer pay. Returns what is wrong with how that was recorded.
    pub(super) async fn play(self, world: &World) -> anyhow::Result<Option<String>> {
        let (row, payment) = match self {
            G::Change | G::ChangeLostAnswer | G::ChangeNoMetadata => self.change(world).await?,
            G::Page
            | G::PageLookedAt
            | G::PageOtherCustomer
            | G::PageSecondCard
            | G::PageElsewhere
            | G::PageUnnamed => self.on_page(world).await?,
            _ => self.one_click(world).await?,
        };
        if let Some(wrong) = believed_once(world, &row, &payment).await? {
            return Ok(Some(wrong));
        }
        match self {
            G::Renewed | G::RenewedAfterLostAnswer => renewed(world, &row, &payment).await,
            _ => Ok(None),
        }
    }

    fn plan(self) -> anyhow::Result<ChargePlan> {
        match self {
            G::Tax => shop::purchase(KIT, "DE", &[]),
            G::OtherCurrency => shop::purchase(YEN, "US", &[]),
            G::Discount => shop::purchase(KIT, "US", &[TEN_OFF]),
            G::FreeTrial => shop::purchase(TRIAL, "US", &[]),
            G::PaidTrial => shop::purchase(PAID_TRIAL, "US", &[]),
            G::Renewed | G::RenewedAfterLostAnswer => shop::purchase(CLUB, "US", &[]),
            _ => shop::purchase(KIT, "US", &[]),
        }
    }

    async fn one_click(self, world: &World) -> anyhow::Result<(AttemptRow, PaymentId)> {
        let (dodo, services) = (&world.dodo, &world.services);
        let country = if self == G::Tax { "DE" } else { "US" };
        let shown = services.show_to(dodo.customer_in(Some(GOOD_CARD), country)?, self.plan()?).await?;
        let outcome = match self {
            G::NoMetadata => Some("processing"),
            G::Challenge => Some("challenge"),
            _ => None,
        };
        if let Some(outcome) = outcome {
            dodo.switch(json!({"one_click_outcome": outcome, "processing_seconds": 0}))?;
        }
        let is_answered = outcome.is_some()
            || matches!(
                self,
                G::OneClick
                    | G::Tax
                    | G::OtherCurrency
                    | G::Discount
                    | G::FreeTrial
                    | G::PaidTrial
                    | G::Renewed
            );
        if !is_answered {
            dodo.fault("POST", "/checkouts", json!("reset_after"), 1)?;
        }
        let told = services.accept(&shown, "key", None).await;
        dodo.switch(json!({"one_click_outcome": "settle"}))?;
        told?;
        let payment = latest_of(world, &shown.offer.customer_id)?;
        match self {
            G::NoMetadata => {
                dodo.control().resolve_payment(payment.as_str(), IntentStatus::Succeeded, None)?;
                world.tell(&payment, |data| data["metadata"] = json!({})).await?;
            }
            G::Challenge => {
                dodo.control().resolve_payment(payment.as_str(), IntentStatus::Succeeded, None)?;
                world.tell(&payment, |_| {}).await?;
            }
            G::LostAnswer | G::RenewedAfterLostAnswer => world.tell(&payment, |_| {}).await?,
            G::Nulls => world.tell(&payment, leave_out).await?,
            G::NoMetadataThenListed => {
                world.tell(&payment, |data| data["metadata"] = json!({})).await?;
                world.look_up().await?;
            }
            G::Listed => world.look_up().await?,
            G::OlderReported => {
                world.tell(&payment, |data| drop(data["metadata"].as_object_mut().map(strip))).await?;
            }
            G::OlderListed => {
                let mut metadata = dodo.payment(payment.as_str()).await?["metadata"].take();
                drop(metadata.as_object_mut().map(strip));
                let shown = Map::from_iter([("metadata".to_owned(), metadata)]);
                dodo.control().show_payment(payment.as_str(), shown)?;
                world.look_up().await?;
            }
            // Its answer has told, and the webhook tells once more.
            _ => world.tell(&payment, |_| {}).await?,
        }
        Ok((attempt_of(world, &shown).await?, payment))
    }

    async fn on_page(self, world: &World) -> anyhow::Result<(AttemptRow, PaymentId)> {
        let (dodo, services) = (&world.dodo, &world.services);
        let shown = services.show_to(dodo.customer(Some(GOOD_CARD))?, self.plan()?).await?;
        services.accept(&shown, "key", Some(PayWith::HostedCheckout)).await?;
        let row = attempt_of(world, &shown).await?;
        let page = row.checkout_url.as_deref().context("no page")?;
        if self == G::PageSecondCard {
            dodo.pay_on_page(page, EMPTY_CARD).await?;
            let declined = page_payment(world, &row).await?;
            world.tell(&declined, |_| {}).await?;
        }
        let country = if self == G::PageElsewhere { "DE" } else { "US" };
        dodo.pay_on_page_in(page, GOOD_CARD, country).await?;
        let payment = page_payment(world, &row).await?;
        match self {
            G::PageLookedAt => world.look_up().await?,
            G::PageOtherCustomer => {
                let other = dodo.customer(None)?;
                world.tell(&payment, |data| data["customer"]["customer_id"] = other.as_str().into()).await?;
            }
            G::PageUnnamed => {
                world.tell(&payment, |data| data["checkout_session_id"] = Value::Null).await?;
            }
            _ => world.tell(&payment, |_| {}).await?,
        }
        Ok((attempt_of(world, &shown).await?, payment))
    }

    async fn change(self, world: &World) -> anyhow::Result<(AttemptRow, PaymentId)> {
        let (dodo, services) = (&world.dodo, &world.services);
        let buyer = dodo.subscriber_of(BASIC)?;
        let subscription = buyer.subscription.context("nobody subscribes")?;
        let page = services.plan_page(&Subscriber { customer: buyer.customer.clone(), subscription });
        let request = PreviewRequest {
            product_id: ProductId::parse(PRO)?,
            quantity: None,
            addons: None,
            effective_at: None,
        };
        let quote = page.preview(&request).await?.quote;
        if self != G::Change {
            dodo.fault("POST", "/subscriptions/*/change-plan", json!("reset_after"), 1)?;
        }
        let attempt = page.confirm(&quote.id, "key").await?.attempt_id.context("an attempt without an id")?;
        let payment = latest_of(world, &buyer.customer)?;
        match self {
            G::ChangeNoMetadata => {
                let shown = Map::from_iter([("metadata".to_owned(), json!({}))]);
                dodo.control().show_payment(payment.as_str(), shown)?;
                world.tell(&payment, |_| {}).await?;
            }
            _ => world.tell(&payment, |_| {}).await?,
        }
        Ok((services.store.attempt_by_id(&attempt).await?.context("no attempt")?, payment))
    }
}

/// Returns what is wrong where a payment is not on record as the one sale of its attempt, told of once and kept.
pub(super) async fn believed_once(
    world: &World,
    row: &AttemptRow,
    payment: &PaymentId,
) -> anyhow::Result<Option<String>> {
    let store = &world.services.store;
    if row.state != AttemptState::Succeeded || row.payment_id.as_ref() != Some(payment) {
        return Ok(Some(format!("{payment} left {:?}, paid by {:?}", row.state, row.payment_id)));
    }
    let seen = store.payments_of(&row.id).await?;
    let sales = seen.iter().filter(|seen| seen.payment.status == PaymentStatus::Succeeded && !seen.surplus);
    let sales: Vec<&PaymentId> = sales.map(|seen| &seen.payment.id).collect();
    if sales != [payment] {
        return Ok(Some(format!("{payment} is on record beside others: {seen:?}")));
    }
    if let Some(order) = store.refund_order(payment).await? {
        return Ok(Some(format!("{payment} goes back: {order:?}")));
    }
    let told = ask::notices_about(world, &row.id, payment).await?;
    let fulfilled = told.iter().filter(|id| ask::tells_of_sale(id)).count();
    if fulfilled != 1 || told.iter().any(|id| ask::tells_of_refund(id)) {
        return Ok(Some(format!("the merchant is told {told:?}")));
    }
    Ok(None)
}

/// Renews what an attempt has begun, and says what the renewals have changed.
async fn renewed(world: &World, row: &AttemptRow, payment: &PaymentId) -> anyhow::Result<Option<String>> {
    let store = &world.services.store;
    let first = world.dodo.payment(payment.as_str()).await?;
    let subscription = SubscriptionId::parse(first["subscription_id"].as_str().context("no subscription")?)?;
    let before = store.payments_of(&row.id).await?;
    for typed in [true, false] {
        world.dodo.control().renew(subscription.as_str())?;
        let charges = world.dodo.charges_of(row.customer_id.as_str());
        let renewal = charges.iter().rev().find(|charge| charge.source == Source::Renewal);
        let renewal = PaymentId::parse(renewal.context("nothing was renewed")?.payment_id.as_str())?;
        world
            .tell(&renewal, |data| {
                // A renewal has the metadata of what began the subscription, code and all.
                data["metadata"] = first["metadata"].clone();
                if !typed {
                    data["charge_type"] = Value::Null;
                }
            })
            .await?;
        let after = store.payments_of(&row.id).await?;
        let order = store.refund_order(&renewal).await?;
        let told = ask::notices_about(world, &row.id, &renewal).await?;
        if before.len() != after.len() || order.is_some() || !told.is_empty() {
            return Ok(Some(format!("the renewal {renewal} counts: {after:?}, {order:?}, {told:?}")));
        }
    }
    Ok(None)
}

async fn attempt_of(world: &World, shown: &Shown) -> anyhow::Result<AttemptRow> {
    let row = world.services.store.latest_attempt(&shown.offer.id).await?;
    row.context("no attempt")
}

async fn page_payment(world: &World, row: &AttemptRow) -> anyhow::Result<PaymentId> {
    let session = row.checkout_session_id.as_ref().context("no checkout")?;
    world.services.gateway.checkout(session).await?.payment_id.context("nobody has paid on the page")
}

fn latest_of(world: &World, customer: &CustomerId) -> anyhow::Result<PaymentId> {
    let payments = world.dodo.control().payments_of(customer.as_str());
    let latest = payments.last().context("nothing was charged")?;
    Ok(PaymentId::parse(latest.as_str())?)
}

fn leave_out(data: &mut Value) {
    for field in LEFT_OUT {
        data[field] = Value::Null;
    }
}

fn strip(metadata: &mut Map<String, Value>) -> Option<Value> {
    metadata.remove("upsell_auth")
}

/// Reads an attempt again.
pub(super) async fn again(world: &World, id: &AttemptId) -> anyhow::Result<AttemptRow> {
    world.services.store.attempt_by_id(id).await?.context("an attempt is gone")
}
