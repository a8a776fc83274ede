//! Attempts for buyers to write about, each in a drawn state.

use anyhow::Context as _;
use dodo_client::{
    Mode,
    ids::{CustomerId, PaymentId, SubscriptionId},
};
use dodo_sim::NewPayment;
use serde_json::{Map, Value, json};
use testkit::{EMPTY_CARD, GOOD_CARD, Shown, Subscriber};
use upsell_core::{
    domain::{AttemptKind, AttemptRow, AttemptState, AttemptWord, OfferState, OfferTags, Tags},
    journal::states::is_live,
};
use wire::{Money, PayWith, PreviewRequest, ProductId};

use super::shop::{self, BASIC, CLUB, KIT, PRO, World};

/// Where an attempt stands when the first forged payment comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// One click on a card that was declined.
    Declined,
    /// One click; neither the request nor an answer arrived.
    Unknown,
    /// One click, paid.
    Paid,
    /// A hosted page that nobody has paid on.
    PageOpen,
    /// A hosted page, paid.
    PagePaid,
    /// One click that was looked for until the deadline.
    Abandoned,
    /// One click on a subscription, without an answer.
    ClubUnknown,
    /// One click on a subscription that was looked for until the deadline.
    ClubAbandoned,
    /// One click on a subscription, paid.
    ClubPaid,
    /// A plan change whose charge was declined.
    ChangeFailed,
    /// A plan change without an answer.
    ChangeUnknown,
    /// A plan change, made and paid.
    ChangePaid,
}

use Standing as S;

pub(super) const STANDINGS: [Standing; 12] = [
    S::Declined,
    S::Unknown,
    S::Paid,
    S::PageOpen,
    S::PagePaid,
    S::Abandoned,
    S::ClubUnknown,
    S::ClubAbandoned,
    S::ClubPaid,
    S::ChangeFailed,
    S::ChangeUnknown,
    S::ChangePaid,
];

impl Standing {
    fn word(self) -> AttemptWord {
        match self {
            S::Declined | S::ChangeFailed => AttemptWord::Failed,
            S::Unknown | S::ClubUnknown | S::ChangeUnknown => AttemptWord::Unknown,
            S::PageOpen => AttemptWord::Pending,
            S::Abandoned | S::ClubAbandoned => AttemptWord::Abandoned,
            S::Paid | S::PagePaid | S::ClubPaid | S::ChangePaid => AttemptWord::Succeeded,
        }
    }

    pub(super) fn is_change(self) -> bool {
        matches!(self, S::ChangeFailed | S::ChangeUnknown | S::ChangePaid)
    }

    pub(super) fn is_given_up(self) -> bool {
        matches!(self, S::Abandoned | S::ClubAbandoned)
    }

    pub(super) fn is_page(self) -> bool {
        matches!(self, S::PageOpen | S::PagePaid)
    }

    fn product(self) -> &'static str {
        match self {
            S::ClubUnknown | S::ClubAbandoned | S::ClubPaid => CLUB,
            S::ChangeFailed | S::ChangeUnknown | S::ChangePaid => PRO,
            _ => KIT,
        }
    }
}

/// An attempt, and all that its buyer may know of it.
pub(super) struct Target {
    pub(super) standing: Standing,
    pub(super) row: AttemptRow,
    pub(super) product: &'static str,
    pub(super) agreed: Money,
    pub(super) shown: Option<Shown>,
    /// The subscription that it changes or has begun.
    pub(super) subscription: Option<SubscriptionId>,
    /// The metadata that the proxy sent, code and all.
    pub(super) sent: Map<String, Value>,
    /// What the proxy signed, to be signed again with a change.
    pub(super) tags: Tags,
}

/// What of an attempt a forged payment must not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) state: AttemptState,
    pub(super) offer: Option<OfferState>,
    pub(super) paid_by: Option<PaymentId>,
}

impl Target {
    /// Brings an attempt to where it stands, up to the time that passes afterwards.
    pub(super) async fn begin(world: &World, standing: Standing) -> anyhow::Result<Self> {
        let (dodo, services) = (&world.dodo, &world.services);
        let (row, shown) = if standing.is_change() {
            let buyer = dodo.subscriber_of(BASIC)?;
            let subscription = buyer.subscription.context("nobody subscribes")?;
            let page = services.plan_page(&Subscriber { customer: buyer.customer, subscription });
            let request = PreviewRequest {
                product_id: ProductId::parse(PRO)?,
                quantity: None,
                addons: None,
                effective_at: None,
            };
            let quote = page.preview(&request).await?.quote;
            match standing {
                S::ChangeFailed => dodo.switch(json!({"decline_off_session_with": "INSUFFICIENT_FUNDS"}))?,
                S::ChangeUnknown => {
                    dodo.fault("POST", "/subscriptions/*/change-plan", json!("reset_before"), 1)?;
                }
                _ => {}
            }
            let attempt = page.confirm(&quote.id, "key").await;
            dodo.switch(json!({"decline_off_session_with": null}))?;
            let id = attempt?.attempt_id.context("an attempt without an id")?;
            (services.store.attempt_by_id(&id).await?.context("no attempt")?, None)
        } else {
            let card = if standing == S::Declined { EMPTY_CARD } else { GOOD_CARD };
            let plan = shop::purchase(standing.product(), "US", &[])?;
            let shown = services.show_to(dodo.customer(Some(card))?, plan).await?;
            if standing.is_given_up() || matches!(standing, S::Unknown | S::ClubUnknown) {
                dodo.fault("POST", "/checkouts", json!("reset_before"), 1)?;
            }
            let pay_with = standing.is_page().then_some(PayWith::HostedCheckout);
            services.accept(&shown, "key", pay_with).await?;
            let row = services.store.latest_attempt(&shown.offer.id).await?.context("no attempt")?;
            if standing == S::PagePaid {
                let page = row.checkout_url.as_deref().context("no page")?;
                dodo.pay_on_page(page, GOOD_CARD).await?;
            }
            (row, Some(shown))
        };
        let agreed = Money::new(row.agreed.context("nothing was agreed")?, row.consent.currency);
        let subscription = match standing {
            S::ClubPaid => {
                let payment = row.payment_id.as_ref().context("a sale without a payment")?;
                let payment = dodo.payment(payment.as_str()).await?;
                Some(SubscriptionId::parse(payment["subscription_id"].as_str().context("no subscription")?)?)
            }
            _ => row.subscription_id.clone(),
        };
        let tags = tags(world, &row, shown.as_ref(), standing.product(), agreed)?;
        let sent = world.sent_for(&row.id)?;
        let again = serde_json::to_value(tags.signed_over(&Default::default(), &world.keys)?)?;
        anyhow::ensure!(
            again["upsell_auth"] == sent["upsell_auth"],
            "signed otherwise: {again} for {sent:?}"
        );
        Ok(Self { standing, row, product: standing.product(), agreed, shown, subscription, sent, tags })
    }

    /// Reads the attempt again, and makes sure that it is where it should stand.
    pub(super) async fn settle_in(&mut self, world: &World) -> anyhow::Result<()> {
        self.row = world.services.store.attempt_by_id(&self.row.id).await?.context("no attempt")?;
        let wanted = self.standing.word();
        anyhow::ensure!(self.row.state.word() == wanted, "{:?} is {:?}", self.standing, self.row.state);
        Ok(())
    }

    pub(super) fn customer(&self) -> &CustomerId {
        &self.row.customer_id
    }

    /// Reads what must not change.
    pub(super) async fn look(&self, world: &World) -> anyhow::Result<Seen> {
        let row = world.services.store.attempt_by_id(&self.row.id).await?.context("an attempt is gone")?;
        let offer = match &self.shown {
            Some(shown) => Some(world.services.offer(shown).await?.state),
            None => None,
        };
        let collected = row.state == AttemptState::Succeeded;
        let paid_by = row.payment_id.filter(|_| collected);
        // A payment that may yet collect, or of which the status is left out, decides nothing.
        let state = if is_live(row.state) { AttemptState::Unknown } else { row.state };
        let offer = offer.map(|offer| match offer {
            OfferState::Accepting | OfferState::Pending => OfferState::Unknown,
            other => other,
        });
        Ok(Seen { state, offer, paid_by })
    }

    /// Pays for the attempt as its own request would have, after all. `None` where it has been, or it is too late.
    pub(super) async fn pay_after_all(&self, world: &World) -> anyhow::Result<Option<PaymentId>> {
        match self.standing {
            // Late; and of what renews nothing goes back by itself.
            S::Unknown | S::ClubUnknown | S::ClubAbandoned => {
                let payment = world.pay(NewPayment {
                    customer_id: self.customer().to_string(),
                    product_id: self.product.to_owned(),
                    metadata: serde_json::from_value(Value::Object(self.sent.clone()))?,
                    ..NewPayment::default()
                })?;
                Ok(Some(payment))
            }
            S::PageOpen => {
                let page = self.row.checkout_url.as_deref().context("no page")?;
                world.dodo.pay_on_page(page, GOOD_CARD).await?;
                let session = self.row.checkout_session_id.as_ref().context("no checkout")?;
                Ok(world.services.gateway.checkout(session).await?.payment_id)
            }
            _ => Ok(None),
        }
    }
}

fn tags(
    world: &World,
    row: &AttemptRow,
    shown: Option<&Shown>,
    product: &str,
    agreed: Money,
) -> anyhow::Result<Tags> {
    let is_change = row.kind == AttemptKind::PlanChange;
    Ok(Tags {
        store: world.services.store.identity().name.clone(),
        mode: Mode::Test,
        attempt: row.id.clone(),
        kind: row.kind,
        quote: row.quote_id.clone(),
        items: vec![(ProductId::parse(product)?, 1)],
        addons: Vec::new(),
        subscription: row.subscription_id.clone().filter(|_| is_change),
        customer: row.customer_id.clone(),
        agreed,
        offer: shown.map(|Shown { offer, .. }| OfferTags {
            id: offer.id.clone(),
            campaign: offer.campaign.clone(),
            kind: offer.kind,
            trigger_ref: offer.trigger_ref.clone(),
            original: offer.purchase.clone(),
        }),
    })
}
