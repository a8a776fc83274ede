//! Charging without the HTTP around it: one store, one simulator, one clock.

use std::{sync::Arc, time::Duration};

use dodo_client::{
    ApiKey, Client, Config, Mode, TimeLimits,
    ids::{CustomerId, PaymentId, SubscriptionId},
    types::plan_changes::ProrationMode,
};
use dodo_sim::{Control, NewSubscription, Sim, SimConfig};
use proxy::{
    clock::{Clock, ManualClock, SystemClock},
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
    store::{Attempts, Offers, Quotes, Store, sqlite::SqliteStore},
    webhook_signature::WebhookKey,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::task::TaskTracker;
use upsell_core::{
    domain::{
        Billing, ChargePlan, EquivalenceKey, Fingerprint, OfferRow, OfferState, QuoteRow, SavedMethod,
        Session, Tenant, TokenHash,
    },
    policy::payment_method::{Use, choose},
    rules::MoneyRules,
};
use wire::{
    AcceptRequest, Attempt, AttemptStatus, ChangeRequest, EffectiveAt, IdempotencyKey, OfferKind, PayWith,
    ProductId, Purpose, Trigger, UnixSeconds,
};

use crate::harness::WEBHOOK_SECRET;

pub(super) const GOOD: &str = "4242424242424242";
pub(super) const NO_FUNDS: &str = "4000000000009995";
pub(super) const KIT: &str = "prod_toolkit";
/// What one kit costs in the simulator's fixtures.
pub(super) const KIT_PRICE: i64 = 1900;

pub(super) struct Rig {
    pub(super) sim: Control,
    pub(super) clock: Arc<ManualClock>,
    pub(super) store: Arc<SqliteStore>,
    pub(super) charging: Arc<Charging>,
    pub(super) reconciler: Reconciler,
    pub(super) refunds: Refunds,
    pub(super) dodo: Client,
    pub(super) gateway: Gateway,
    pub(super) tasks: TaskTracker,
    quoting: Arc<Quoting>,
    catalogue: Catalogue,
    pub(super) url: String,
    _sim: Sim,
    _folder: TempDir,
}

/// A buyer with an offer and its quote on the screen.
pub(super) struct Shown {
    pub(super) session: Session,
    pub(super) offer: OfferRow,
    pub(super) quote: QuoteRow,
}

impl Rig {
    pub(super) async fn start() -> Self {
        Self::start_with(SimConfig::default()).await
    }

    pub(super) async fn start_with(config: SimConfig) -> Self {
        Self::start_under(config, MoneyRules::default()).await
    }

    /// Under these rules about money that should not be there.
    pub(super) async fn start_under(config: SimConfig, money: MoneyRules) -> Self {
        let sim = Sim::start(config).await.unwrap();
        let url = sim.base_url();
        // Short limits: a request that hangs costs a test a second, not half a minute.
        let limits = TimeLimits {
            connect: Duration::from_secs(1),
            request: Duration::from_secs(1),
            read_total: Duration::from_secs(2),
        };
        let key = ApiKey::parse("dodo_test_sim_key").unwrap();
        let config = Config::new(Mode::Test, key).with_base_url(&url).with_limits(limits);
        let dodo = Client::new(&config).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let tenant = Tenant { merchant: "rig".into(), mode: Mode::Test };
        let store = Arc::new(SqliteStore::open(&folder.path().join("rig.db"), &tenant).await.unwrap());
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let as_store: Arc<dyn Store> = store.clone();
        let as_clock: Arc<dyn Clock> = clock.clone();
        let gateway = Gateway::new(dodo.clone(), Some("https://shop.example/thanks".into()));
        let catalogue = Catalogue::new(gateway.clone());
        let quoting =
            Arc::new(Quoting::new(as_store.clone(), as_clock.clone(), gateway.clone(), catalogue.clone()));
        let tasks = TaskTracker::new();
        let charging = Charging::new(charging::Parts {
            store: as_store.clone(),
            clock: as_clock.clone(),
            gateway: gateway.clone(),
            catalogue: catalogue.clone(),
            quoting: quoting.clone(),
            tasks: tasks.clone(),
        });
        let charging = Arc::new(charging.with_money_rules(money));
        let refunds = Refunds::new(as_store.clone(), as_clock.clone(), gateway.clone(), charging.clone());
        let reconciler = Reconciler::new(as_store, as_clock, gateway.clone(), charging.clone());
        let sim_control = sim.control();
        Self {
            sim: sim_control,
            clock,
            store,
            charging,
            reconciler,
            refunds,
            dodo,
            gateway,
            tasks,
            quoting,
            catalogue,
            url,
            _sim: sim,
            _folder: folder,
        }
    }

    /// What Dodo's reports are applied by.
    pub(super) fn webhooks(&self) -> Webhooks {
        Webhooks {
            store: self.store.clone(),
            clock: self.clock.clone(),
            keys: vec![WebhookKey::parse(WEBHOOK_SECRET).unwrap()],
            catalogue: self.catalogue.clone(),
            purchases: Purchases::new(self.store.clone(), self.gateway.clone(), self.catalogue.clone()),
            charging: self.charging.clone(),
        }
    }

    /// A buyer with this card and a kit on the screen.
    pub(super) async fn shown(&self, card: Option<&str>) -> Shown {
        let customer = self.customer(card);
        self.shown_to(customer, purchase_of(KIT)).await
    }

    pub(super) async fn shown_to(&self, customer: CustomerId, plan: ChargePlan) -> Shown {
        let now = self.clock.now();
        let offer = OfferRow {
            id: ids::offer_id().unwrap(),
            customer_id: customer.clone(),
            campaign: format!("offers_{}", plan.product_id()),
            trigger_ref: "pay_original".into(),
            purchase: Some(PaymentId::parse("pay_original").unwrap()),
            parent: None,
            equivalence: EquivalenceKey(format!("product:{}", plan.product_id())),
            kind: OfferKind::CrossSell,
            plan,
            state: OfferState::Presented,
            attempt_no: 0,
            created_at: now,
            seen_at: None,
            expires_at: UnixSeconds(now.0 + 7 * 86_400),
        };
        let offer = self.store.insert_offer_if_absent(&offer).await.unwrap().row();
        let quote = self.quote(&offer).await;
        Shown { session: session(customer, Purpose::Offer, None), offer, quote }
    }

    /// A fresh quote for an offer, on the method that would be chosen.
    pub(super) async fn quote(&self, offer: &OfferRow) -> QuoteRow {
        let methods = self.catalogue.fresh_methods(&offer.customer_id).await.unwrap();
        let method: Option<SavedMethod> =
            choose(&methods, Use::Once, self.clock.now()).map(|(method, _)| method.clone());
        let priced = self.quoting.price(&offer.plan, &offer.customer_id).await.unwrap();
        self.quoting
            .issue(&priced, &offer.plan, &offer.customer_id, Some(&offer.id), method.as_ref())
            .await
            .unwrap()
    }

    pub(super) async fn accept(&self, shown: &Shown, key: &str) -> Result<Attempt, ChargeError> {
        self.accept_with(shown, key, None).await
    }

    pub(super) async fn accept_with(
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
        let key = IdempotencyKey::parse(key).unwrap();
        self.charging.accept(&shown.session, request, key, Fingerprint([1; 32])).await
    }

    /// Somebody with a running subscription, and a session for the upgrade page.
    pub(super) fn subscriber(&self, product: &str, addons: Vec<Value>) -> (Session, SubscriptionId) {
        self.subscriber_on(GOOD, product, addons)
    }

    /// The same, paying with this card.
    pub(super) fn subscriber_on(
        &self,
        card: &str,
        product: &str,
        addons: Vec<Value>,
    ) -> (Session, SubscriptionId) {
        let customer = self.customer(Some(card));
        let id = self.subscription(NewSubscription {
            customer_id: customer.to_string(),
            product_id: product.to_owned(),
            addons,
            ..NewSubscription::default()
        });
        (session(customer, Purpose::Plans, Some(id.clone())), id)
    }

    /// A plan change previewed on the upgrade page.
    pub(super) async fn previewed(&self, session: &Session, plan: &ChargePlan) -> QuoteRow {
        let priced = self.quoting.price(plan, &session.customer_id).await.unwrap();
        self.quoting.issue(&priced, plan, &session.customer_id, None, None).await.unwrap()
    }

    pub(super) async fn change(
        &self,
        session: &Session,
        quote: &QuoteRow,
        key: &str,
    ) -> Result<Attempt, ChargeError> {
        let request = ChangeRequest { quote_id: quote.quote.id.clone(), consent: None };
        let key = IdempotencyKey::parse(key).unwrap();
        self.charging.change(session, request, key, Fingerprint([2; 32])).await
    }

    /// Asks how an attempt stands, as a page that polls does.
    pub(super) async fn poll(&self, session: &Session, attempt: &Attempt) -> Attempt {
        self.charging.attempt(session, attempt.attempt_id.as_ref().unwrap()).await.unwrap()
    }

    /// Lets a little time pass until the attempt is decided.
    pub(super) async fn until_settled(&self, session: &Session, attempt: Attempt) -> Attempt {
        let mut attempt = attempt;
        for _ in 0..20 {
            if !matches!(attempt.status, Some(AttemptStatus::Processing | AttemptStatus::InDoubt)) {
                return attempt;
            }
            self.pass(30).await;
            attempt = self.poll(session, &attempt).await;
        }
        panic!("still undecided: {attempt:?}");
    }

    /// The same for an attempt that waits for the buyer.
    pub(super) async fn until_terminal(&self, session: &Session, attempt: Attempt) -> Attempt {
        let mut attempt = attempt;
        for _ in 0..20 {
            if attempt.status != Some(AttemptStatus::RequiresCustomerAction) {
                return self.until_settled(session, attempt).await;
            }
            self.pass(30).await;
            attempt = self.poll(session, &attempt).await;
        }
        panic!("still waiting: {attempt:?}");
    }

    /// The payment that belongs to an attempt.
    pub(super) async fn payment_of(&self, attempt: &Attempt) -> PaymentId {
        let id = attempt.attempt_id.as_ref().unwrap();
        self.store.attempt_by_id(id).await.unwrap().unwrap().payment_id.unwrap()
    }

    pub(super) async fn offer_state(&self, shown: &Shown) -> OfferState {
        self.store.offer(&shown.offer.customer_id, &shown.offer.id).await.unwrap().unwrap().state
    }

    pub(super) async fn stored_quote(&self, shown: &Shown) -> QuoteRow {
        self.store.quote(&shown.offer.customer_id, &shown.quote.quote.id).await.unwrap().unwrap()
    }

    /// Lets time pass, here and at Dodo, with the reconciler at work.
    pub(super) async fn pass(&self, seconds: i64) {
        let mut left = seconds;
        while left > 0 {
            let step = left.min(30);
            self.clock.advance(step);
            self.sim.advance(Duration::from_secs(u64::try_from(step).unwrap()));
            self.reconciler.round().await.unwrap();
            self.refunds.round().await.unwrap();
            left -= step;
        }
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

pub(super) fn purchase_of(product: &str) -> ChargePlan {
    ChargePlan::Checkout {
        product_id: ProductId::parse(product).unwrap(),
        quantity: 1,
        billing: Some(Billing {
            country: "US".into(),
            street: Some("1 Market St".into()),
            city: Some("SF".into()),
            state: Some("CA".into()),
            zipcode: Some("94105".into()),
        }),
        discount_codes: Vec::new(),
    }
}

pub(super) fn change_to(subscription: &SubscriptionId, product: &str) -> ChargePlan {
    ChargePlan::PlanChange {
        subscription_id: subscription.clone(),
        product_id: ProductId::parse(product).unwrap(),
        quantity: 1,
        addons: Vec::new(),
        proration: ProrationMode::DifferenceImmediately,
        effective_at: EffectiveAt::Immediately,
    }
}
