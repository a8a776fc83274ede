//! Charging without the HTTP around it: one store, one simulator, one clock.

use std::{ops::Deref, time::Duration};

use dodo_client::{
    ids::{CustomerId, PaymentId, SubscriptionId},
    types::plan_changes::ProrationMode,
};
use dodo_sim::{NewSubscription, SimConfig};
use proxy::service::{accepting::AcceptError, charging::ChargeError};
use serde_json::Value;
use testkit::{Database, Dodo, InProcessServices, rules_with, standing_clock};
use upsell_core::{
    domain::{ChargePlan, Fingerprint, OfferState, QuoteRow, Session},
    policy::authority::PayBy,
    rules::MoneyRules,
};
use wire::{
    AcceptRequest, Attempt, AttemptStatus, ChangeRequest, EffectiveAt, IdempotencyKey, PayWith, ProductId,
    Purpose,
};

pub(super) use testkit::{GOOD_CARD as GOOD, Shown, session};
pub(super) const NO_FUNDS: &str = "4000000000009995";
pub(super) const KIT: &str = "prod_toolkit";
/// What one kit costs in the simulator's fixtures.
pub(super) const KIT_PRICE: i64 = 1900;

pub(super) struct Rig {
    pub(super) dodo: Dodo,
    services: InProcessServices,
    _database: Database,
}

impl Deref for Rig {
    type Target = InProcessServices;

    fn deref(&self) -> &InProcessServices {
        &self.services
    }
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
        Self::over(config, money, Database::sqlite().unwrap()).await
    }

    /// On this database.
    pub(super) async fn start_on(database: Database) -> Self {
        Self::over(SimConfig::default(), MoneyRules::default(), database).await
    }

    async fn over(config: SimConfig, money: MoneyRules, database: Database) -> Self {
        let dodo = Dodo::start_with(config).await.unwrap();
        let rules = rules_with(money).unwrap();
        let services =
            InProcessServices::start_under(&dodo, &database, &standing_clock(), rules).await.unwrap();
        Self { dodo, services, _database: database }
    }

    /// A buyer with this card and a kit on the screen.
    pub(super) async fn shown(&self, card: Option<&str>) -> Shown {
        self.services.show(&self.dodo, card, KIT).await.unwrap()
    }

    pub(super) async fn shown_to(&self, customer: CustomerId, plan: ChargePlan) -> Shown {
        self.services.show_to(customer, plan).await.unwrap()
    }

    pub(super) async fn accept(&self, shown: &Shown, key: &str) -> Result<Attempt, ChargeError> {
        self.services.accept(shown, key, None).await.map_err(refusal)
    }

    pub(super) async fn accept_with(
        &self,
        shown: &Shown,
        key: &str,
        pay_with: Option<PayWith>,
    ) -> Result<Attempt, ChargeError> {
        self.services.accept(shown, key, pay_with).await.map_err(refusal)
    }

    /// Accepts with a request of the test's own.
    pub(super) async fn accept_request(
        &self,
        session: &Session,
        request: AcceptRequest,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<Attempt, ChargeError> {
        self.accepting.accept(session, request, key, fingerprint).await.map_err(refusal)
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
        let customer = self.dodo.customer(Some(card)).unwrap();
        let new = NewSubscription {
            customer_id: customer.to_string(),
            product_id: product.to_owned(),
            addons,
            ..NewSubscription::default()
        };
        let id = self.dodo.start_subscription(new).unwrap();
        (session(customer, Purpose::Plans, Some(id.clone())), id)
    }

    /// A plan change previewed on the upgrade page.
    pub(super) async fn previewed(&self, session: &Session, plan: &ChargePlan) -> QuoteRow {
        let priced = self.quoting.price(plan, &session.customer_id).await.unwrap();
        self.quoting.issue(&priced, plan, &session.customer_id, None, &PayBy::signed_in(None)).await.unwrap()
    }

    pub(super) async fn change(
        &self,
        session: &Session,
        quote: &QuoteRow,
        key: &str,
    ) -> Result<Attempt, ChargeError> {
        let request = ChangeRequest { quote_id: quote.quote.id.clone(), consent: None };
        let key = IdempotencyKey::parse(key).unwrap();
        self.accepting.change(session, request, key, Fingerprint([2; 32])).await.map_err(refusal)
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
        self.services.pass(&self.dodo, seconds).await.unwrap();
    }

    /// The same for hours, with the workers at work once in each.
    pub(super) async fn pass_hours(&self, hours: u32) {
        self.services.pass_hours(&self.dodo, hours).await.unwrap();
    }

    /// Checks what must hold of an offer in any scenario once it is decided.
    pub(super) async fn check(&self, shown: &Shown) {
        let found = testkit::check::offer(&self.dodo, &*self.store, shown).await.unwrap();
        assert_eq!(found, []);
    }

    /// Waits until something is true at the simulator.
    pub(super) async fn until(&self, reached: impl Fn() -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while !reached() {
            assert!(tokio::time::Instant::now() < deadline, "it did not come to that");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Returns the refusal of a charge. No offer is over in these tests before it is claimed.
fn refusal(error: AcceptError) -> ChargeError {
    match error {
        AcceptError::Charge(error) => error,
        AcceptError::Offer(error) => panic!("{error}"),
    }
}

pub(super) fn purchase_of(product: &str) -> ChargePlan {
    testkit::purchase_of(product).unwrap()
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
