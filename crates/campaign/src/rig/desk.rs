//! Offers and charging without the HTTP around them and without background work: what happens is what is asked for. A
//! desk that is dropped is a process that died; another one over the same database is the next.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use dodo_client::{
    ApiKey, Client, Config, Mode, TimeLimits,
    ids::{CustomerId, PaymentId, SubscriptionId},
};
use proxy::{
    clock::{Clock, ManualClock},
    gateway::Gateway,
    ids,
    service::{
        catalogue::Catalogue,
        charging::{self, ChargeError, Charging},
        purchases::Purchases,
        quoting::Quoting,
        reconciler::Reconciler,
        refunds::Refunds,
        webhooks::Webhooks,
    },
    store::{self, Store},
    webhook_signature::{SignedHeaders, WebhookKey},
};
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;
use upsell_core::{
    domain::{
        Billing, ChargePlan, EquivalenceKey, Fingerprint, OfferRow, OfferState, QuoteRow, Session, Tenant,
        TokenHash,
    },
    policy::payment_method::{Use, choose},
    rules::MoneyRules,
};
use wire::{
    AcceptRequest, Attempt, IdempotencyKey, OfferKind, PayWith, ProductId, Purpose, Trigger, UnixSeconds,
};

use super::{Database, Dodo, WEBHOOK_SECRET, key_bytes, sign};

/// Seconds between two looks at what was given up.
const WATCH: i64 = 3_600;
/// Seconds in which what such a look finds is given back, or cannot be.
const A_WHILE: i64 = 30 * 60;
/// A day and more: offers of a campaign do not run out by themselves.
const OFFER_LIFE: i64 = 7 * 86_400;

/// One process at work.
pub struct Desk {
    /// The journal.
    pub store: Arc<dyn Store>,
    /// The time, which stands until it is moved.
    pub clock: Arc<ManualClock>,
    /// Collects quotes.
    pub charging: Arc<Charging>,
    /// Looks up what became of them.
    pub reconciler: Reconciler,
    /// Gives back what should not be there.
    pub refunds: Refunds,
    /// Charges under way.
    pub tasks: TaskTracker,
    /// Takes what Dodo reports.
    pub webhooks: Webhooks,
    pub(super) quoting: Arc<Quoting>,
    pub(super) catalogue: Catalogue,
    pub(super) client: Client,
}

/// A buyer with an offer and its quote on the screen.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Whose page it is.
    pub session: Session,
    /// What is offered.
    pub offer: OfferRow,
    /// What it costs.
    pub quote: QuoteRow,
}

impl Desk {
    /// Opens one over a database. Its requests to Dodo are given up after a second: a fault that hangs costs a campaign
    /// no more.
    ///
    /// # Errors
    /// When the store does not open.
    pub async fn open(dodo: &Dodo, database: &Database, clock: &Arc<ManualClock>) -> anyhow::Result<Self> {
        Self::open_under(dodo, database, clock, MoneyRules::default()).await
    }

    /// The same under these rules about money that should not be there.
    ///
    /// # Errors
    /// When the store does not open.
    pub async fn open_under(
        dodo: &Dodo,
        database: &Database,
        clock: &Arc<ManualClock>,
        money: MoneyRules,
    ) -> anyhow::Result<Self> {
        let limits = TimeLimits {
            connect: Duration::from_secs(1),
            request: Duration::from_secs(1),
            read_total: Duration::from_secs(2),
        };
        let key = ApiKey::parse(dodo_sim::DEFAULT_KEY)?;
        let config = Config::new(Mode::Test, key).with_base_url(dodo.url()).with_limits(limits);
        let client = Client::new(&config)?;
        let tenant = Tenant { merchant: "campaigns".to_owned(), mode: Mode::Test };
        let store = store::open(&database.parsed()?, &tenant).await?.store;
        let time: Arc<dyn Clock> = Arc::clone(clock) as _;
        let gateway = Gateway::new(client.clone(), Some("https://shop.example/thanks".to_owned()));
        let catalogue = Catalogue::new(gateway.clone());
        let quoting =
            Arc::new(Quoting::new(Arc::clone(&store), Arc::clone(&time), gateway.clone(), catalogue.clone()));
        let tasks = TaskTracker::new();
        let charging = Charging::new(charging::Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&time),
            gateway: gateway.clone(),
            catalogue: catalogue.clone(),
            quoting: Arc::clone(&quoting),
            tasks: tasks.clone(),
        });
        let charging = Arc::new(charging.with_money_rules(money));
        let webhooks = Webhooks {
            store: Arc::clone(&store),
            clock: Arc::clone(&time),
            keys: vec![WebhookKey::parse(WEBHOOK_SECRET)?],
            catalogue: catalogue.clone(),
            purchases: Purchases::new(Arc::clone(&store), gateway.clone(), catalogue.clone()),
            charging: Arc::clone(&charging),
        };
        let refunds =
            Refunds::new(Arc::clone(&store), Arc::clone(&time), gateway.clone(), Arc::clone(&charging));
        let reconciler = Reconciler::new(Arc::clone(&store), time, gateway, Arc::clone(&charging));
        Ok(Self {
            store,
            clock: Arc::clone(clock),
            charging,
            reconciler,
            refunds,
            tasks,
            webhooks,
            quoting,
            catalogue,
            client,
        })
    }

    /// A new buyer with this card, and a product on the screen.
    ///
    /// # Errors
    /// When it cannot be quoted or kept.
    pub async fn show(&self, dodo: &Dodo, card: Option<&str>, product: &str) -> anyhow::Result<Shown> {
        let (customer, now) = (dodo.customer(card)?, self.clock.now());
        let plan = purchase_of(product)?;
        let purchase = format!("pay_of_{customer}");
        let offer = OfferRow {
            id: ids::offer_id()?,
            customer_id: customer.clone(),
            campaign: format!("offers_{product}"),
            trigger_ref: purchase.clone(),
            purchase: Some(PaymentId::parse(purchase)?),
            parent: None,
            equivalence: EquivalenceKey(format!("product:{product}")),
            kind: OfferKind::CrossSell,
            plan,
            state: OfferState::Presented,
            attempt_no: 0,
            created_at: now,
            seen_at: None,
            expires_at: UnixSeconds(now.0.saturating_add(OFFER_LIFE)),
        };
        let offer = self.store.insert_offer_if_absent(&offer).await?.row();
        let quote = self.quote(&offer).await?;
        Ok(Shown { session: session(customer, Purpose::Offer, None), offer, quote })
    }

    /// A fresh quote for an offer, on the method that would be chosen.
    ///
    /// # Errors
    /// When Dodo does not quote it.
    pub async fn quote(&self, offer: &OfferRow) -> anyhow::Result<QuoteRow> {
        let customer = &offer.customer_id;
        let methods = self.catalogue.fresh_methods(customer).await?;
        let method = choose(&methods, Use::Once, self.clock.now()).map(|(method, _)| method.clone());
        let priced = self.quoting.price(&offer.plan, customer).await?;
        Ok(self.quoting.issue(&priced, &offer.plan, customer, Some(&offer.id), method.as_ref()).await?)
    }

    /// Clicks, with a key.
    ///
    /// # Errors
    /// As the buyer is told.
    pub async fn accept(
        &self,
        shown: &Shown,
        key: &str,
        pay_with: Option<PayWith>,
    ) -> Result<Attempt, ChargeError> {
        let request = AcceptRequest {
            offer_id: shown.offer.id.clone(),
            quote_id: shown.quote.quote.id.clone(),
            quantity: None,
            pay_with,
            consent: None,
        };
        let key = IdempotencyKey::parse(key).map_err(|_| ChargeError::Invalid("key"))?;
        self.charging.accept(&shown.session, request, key, Fingerprint([1; 32])).await
    }

    /// Reports a payment as Dodo would, as it stands now.
    ///
    /// # Errors
    /// When it is not there, or not taken.
    pub async fn report(&self, dodo: &Dodo, payment: &str) -> anyhow::Result<()> {
        let mut data = dodo.payment(payment).await?;
        let status = data["status"].as_str().unwrap_or("processing").to_owned();
        data["payload_type"] = "Payment".into();
        self.deliver(&format!("msg_{payment}_{status}"), &format!("payment.{status}"), &data).await
    }

    /// Delivers a webhook with this id, of this type and about this object, signed as Dodo signs.
    ///
    /// # Errors
    /// When it is not taken.
    pub async fn deliver(&self, id: &str, kind: &str, data: &Value) -> anyhow::Result<()> {
        let body = serde_json::to_vec(&json!({
            "business_id": data["business_id"], "type": kind, "timestamp": "2026-01-01T00:00:00Z", "data": data,
        }))?;
        let at = self.clock.now().0.to_string();
        let key = key_bytes(WEBHOOK_SECRET);
        let signature = format!("v1,{}", sign(&key, &[id.as_bytes(), at.as_bytes(), &body]));
        let headers =
            SignedHeaders { id: Some(id), timestamp: Some(at.as_str()), signature: Some(signature.as_str()) };
        let verified = self.webhooks.verify(headers, &body)?;
        Ok(self.webhooks.receive(verified).await?)
    }

    /// The offer as it is on record.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn offer(&self, shown: &Shown) -> anyhow::Result<OfferRow> {
        let offer = self.store.offer(&shown.offer.customer_id, &shown.offer.id).await?;
        offer.context("the offer is gone")
    }

    /// Lets time pass here and at Dodo, with the reconciler and the worker of refunds at work twice a minute.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pass(&self, dodo: &Dodo, seconds: i64) -> anyhow::Result<()> {
        let mut left = seconds;
        while left > 0 {
            let step = left.min(30);
            self.clock.advance(step);
            dodo.control().advance(Duration::from_secs(step.unsigned_abs()));
            self.reconciler.round().await?;
            self.refunds.round().await?;
            left = left.saturating_sub(step);
        }
        Ok(())
    }

    /// Lets the time come for the next look at what was given up, and then some for what it finds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn watch(&self, dodo: &Dodo) -> anyhow::Result<()> {
        self.clock.advance(WATCH);
        dodo.control().advance(Duration::from_secs(WATCH.unsigned_abs()));
        self.pass(dodo, A_WHILE).await
    }
}

pub(super) fn session(
    customer_id: CustomerId,
    purpose: Purpose,
    subscription_id: Option<SubscriptionId>,
) -> Session {
    Session {
        token: TokenHash([0; 32]),
        customer_id,
        purpose,
        trigger: Trigger::Purchase,
        payment_id: None,
        subscription_id,
        locale: None,
        country: None,
        usage: Vec::new(),
        expires_at: UnixSeconds(i64::MAX),
    }
}

fn purchase_of(product: &str) -> anyhow::Result<ChargePlan> {
    Ok(ChargePlan::Checkout {
        product_id: ProductId::parse(product)?,
        quantity: 1,
        billing: Some(Billing {
            country: "US".to_owned(),
            street: Some("1 Market St".to_owned()),
            city: Some("SF".to_owned()),
            state: Some("CA".to_owned()),
            zipcode: Some("94105".to_owned()),
        }),
        discount_codes: Vec::new(),
    })
}
