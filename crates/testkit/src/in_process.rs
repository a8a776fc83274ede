//! Services and workers without the HTTP around them and without background work: what happens is what is asked for.
//! Services that are dropped are a process that died; others over the same database are the next process.

use std::{ops::Deref, sync::Arc, time::Duration};

use ::proxy::{
    clock::{Clock, ManualClock},
    gateway::Gateway,
    ids,
    service::{
        Services,
        accepting::AcceptError,
        assemble::{Parts, Workers},
        charging::ChargeError,
    },
    store,
    upstream::UpstreamBudget,
    webhook_signature::{SignedHeaders, WebhookKey},
};
use anyhow::Context as _;
use dodo_client::{
    ApiKey, Client, Config, Mode, TimeLimits,
    ids::{CustomerId, PaymentId, SubscriptionId},
};
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;
use upsell_core::{
    domain::{
        Billing, ChargePlan, Confirmation, EquivalenceKey, Fingerprint, OfferRow, OfferState, QuoteRow,
        Session, TagKeys, Tenant, TokenHash,
    },
    policy::{
        authority::PayBy,
        payment_method::{Use, choose},
        retention::Periods,
        upstream_budget::Quota,
    },
    rules::{MoneyRules, Rules},
};
use wire::{
    AcceptRequest, Attempt, IdempotencyKey, OfferKind, PayWith, ProductId, Purpose, Trigger, UnixSeconds,
};

use super::{Database, Dodo, MERCHANT, MERCHANT_KEY, SIGNING_KEYS, WEBHOOK_SECRET, key_bytes, sign};

/// Seconds between two look-ups of an abandoned attempt.
const WATCH: i64 = 3_600;
/// Seconds in which what such a look-up finds is refunded, or cannot be.
const A_WHILE: i64 = 30 * 60;
/// Seconds until an offer expires: longer than any test plays.
const OFFER_LIFE: i64 = 7 * 86_400;
/// The purchase that every offer follows.
const ORIGINAL: &str = "pay_original";

/// Services and workers of one process.
pub struct InProcessServices {
    services: Arc<Services>,
    /// Reconciler, refunds and the restoring worker. They work when they are asked to.
    pub workers: Workers,
    /// The time, which stands until it is moved.
    pub clock: Arc<ManualClock>,
    /// Charges in progress.
    pub tasks: TaskTracker,
    /// Client of the simulator, under the same time limits.
    pub client: Client,
    /// Gateway of the services.
    pub gateway: Gateway,
}

impl Deref for InProcessServices {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

/// A buyer with an offer and its quote on the screen.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Session of the page.
    pub session: Session,
    /// The offer.
    pub offer: OfferRow,
    /// The quote of the offer.
    pub quote: QuoteRow,
}

impl InProcessServices {
    /// Starts services under rules that offer nothing by themselves and move no money back.
    ///
    /// # Errors
    /// When the store does not open.
    pub async fn start(dodo: &Dodo, database: &Database, clock: &Arc<ManualClock>) -> anyhow::Result<Self> {
        Self::start_under(dodo, database, clock, rules_with(MoneyRules::default())?).await
    }

    /// Starts services under these rules. Their requests to Dodo are given up after a second: a fault that hangs costs a
    /// test no more. The gate is open.
    ///
    /// # Errors
    /// When the store does not open.
    pub async fn start_under(
        dodo: &Dodo,
        database: &Database,
        clock: &Arc<ManualClock>,
        rules: Arc<Rules>,
    ) -> anyhow::Result<Self> {
        let limits = TimeLimits {
            connect: Duration::from_secs(1),
            request: Duration::from_secs(1),
            read_total: Duration::from_secs(2),
        };
        let key = ApiKey::parse(dodo_sim::DEFAULT_KEY)?;
        let config = Config::new(Mode::Test, key).with_base_url(dodo.url()).with_limits(limits);
        let client = Client::new(&config)?;
        let tenant = Tenant { merchant: MERCHANT.to_owned(), mode: Mode::Test };
        let gateway = Gateway::new(
            client.clone(),
            Some("https://shop.example/thanks".to_owned()),
            Arc::new(TagKeys::parse(&SIGNING_KEYS.to_owned().into())?),
        );
        let tasks = TaskTracker::new();
        let (services, workers) = Services::assemble(Parts {
            store: store::open(&database.parsed()?, &tenant).await?.store,
            clock: Arc::clone(clock) as _,
            gateway: gateway.clone(),
            rules,
            merchant_key: MERCHANT_KEY.to_owned().into(),
            webhook_keys: vec![WebhookKey::parse(WEBHOOK_SECRET)?],
            tasks: tasks.clone(),
            // For its gauges only: the client above is not held back.
            upstream: Arc::new(UpstreamBudget::new(Quota::DEFAULT)),
            restored_at: None,
            periods: Periods::default(),
            notifies: true,
            forgotten_list: None,
            session_wait: Duration::from_secs(30),
        });
        Ok(Self { services, workers, clock: Arc::clone(clock), tasks, client, gateway })
    }

    /// Shows a product to a new buyer with this card.
    ///
    /// # Errors
    /// When it cannot be quoted or kept.
    pub async fn show(&self, dodo: &Dodo, card: Option<&str>, product: &str) -> anyhow::Result<Shown> {
        self.show_to(dodo.customer(card)?, purchase_of(product)?).await
    }

    /// Shows a buyer an offer of this plan, with a fresh quote.
    ///
    /// # Errors
    /// When it cannot be quoted or kept.
    pub async fn show_to(&self, customer: CustomerId, plan: ChargePlan) -> anyhow::Result<Shown> {
        let (now, product) = (self.clock.now(), plan.product_id().clone());
        let offer = OfferRow {
            id: ids::offer_id()?,
            customer_id: customer.clone(),
            campaign: format!("offers_{product}"),
            trigger_ref: ORIGINAL.to_owned(),
            purchase: Some(PaymentId::parse(ORIGINAL)?),
            email: None,
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

    /// Issues a fresh quote for an offer, on the payment method that would be chosen.
    ///
    /// # Errors
    /// When Dodo does not quote it.
    pub async fn quote(&self, offer: &OfferRow) -> anyhow::Result<QuoteRow> {
        let customer = &offer.customer_id;
        let methods = self.catalogue.fresh_methods(customer).await?;
        let method = choose(&methods, Use::Once, self.clock.now()).map(|(method, _)| method.clone());
        let priced = self.quoting.price(&offer.plan, customer).await?;
        Ok(self
            .quoting
            .issue(&priced, &offer.plan, customer, Some(&offer.id), &PayBy::signed_in(method))
            .await?)
    }

    /// Accepts an offer with this idempotency key.
    ///
    /// # Errors
    /// As the buyer is told.
    pub async fn accept(
        &self,
        shown: &Shown,
        key: &str,
        pay_with: Option<PayWith>,
    ) -> Result<Attempt, AcceptError> {
        let request = AcceptRequest {
            offer_id: shown.offer.id.clone(),
            quote_id: shown.quote.quote.id.clone(),
            quantity: None,
            pay_with,
            consent: None,
        };
        let key = IdempotencyKey::parse(key).map_err(|_| ChargeError::Invalid("key"))?;
        self.accepting.accept(&shown.session, request, key, Fingerprint([1; 32])).await
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

    /// Returns the offer as it is on record.
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
            self.workers.reconciler.round().await?;
            self.workers.refunds.round().await?;
            left = left.saturating_sub(step);
        }
        Ok(())
    }

    /// Lets hours pass here and at Dodo, with the reconciler and the worker of refunds at work once in each.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pass_hours(&self, dodo: &Dodo, hours: u32) -> anyhow::Result<()> {
        for _ in 0..hours {
            self.clock.advance(3600);
            dodo.control().advance(Duration::from_secs(3600));
            self.workers.reconciler.round().await?;
            self.workers.refunds.round().await?;
        }
        Ok(())
    }

    /// Advances time to the next look-up of an abandoned attempt, and then for what the look-up finds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn watch(&self, dodo: &Dodo) -> anyhow::Result<()> {
        self.clock.advance(WATCH);
        dodo.control().advance(Duration::from_secs(WATCH.unsigned_abs()));
        self.pass(dodo, A_WHILE).await
    }
}

/// Returns a session of a buyer who is signed in. It does not expire.
#[must_use]
pub fn session(
    customer_id: CustomerId,
    purpose: Purpose,
    subscription_id: Option<SubscriptionId>,
) -> Session {
    Session {
        token: TokenHash([0; 32]),
        customer_id,
        signed_in: true,
        purpose,
        trigger: Trigger::Purchase,
        payment_id: None,
        newest: None,
        subscription_id,
        locale: None,
        country: None,
        usage: Vec::new(),
        browser: None,
        expires_at: UnixSeconds(i64::MAX),
        confirmation: Confirmation::Confirmed,
    }
}

/// Returns a plan that buys one of this product.
///
/// # Errors
/// When the product's id is malformed.
pub fn purchase_of(product: &str) -> anyhow::Result<ChargePlan> {
    Ok(ChargePlan::Checkout {
        product_id: ProductId::parse(product)?,
        quantity: 1,
        billing: Some(Billing {
            country: "US".to_owned(),
            state: Some("CA".to_owned()),
            zipcode: Some("94105".to_owned()),
        }),
        discount_codes: Vec::new(),
    })
}

/// Returns a merchant's rules that offer nothing by themselves, with these about unexpected payments.
///
/// # Errors
/// Never, unless a file without offers and plans stops being one.
pub fn rules_with(money: MoneyRules) -> anyhow::Result<Arc<Rules>> {
    Ok(Arc::new(Rules { money, ..Rules::parse("[merchant]\nname = \"Tests\"\n")? }))
}
