//! Every call, walked against the simulator, which was written from Dodo's reference by itself: the two share
//! no types, so a misreading on one side shows here.

use std::{collections::BTreeSet, time::Duration};

use dodo_client::{
    ApiKey, ChargeEvidence, Client, Config, DecodeError, Error, Mode, TimeLimits, TransportError,
    http::pages::PageRequest,
    ids::{CustomerId, PaymentId, PaymentMethodId, ProductId, SubscriptionId},
    types::{
        catalogue::{Price, TimeInterval},
        checkouts::{AddonQuantity, Buyer, CartItem, Checkout},
        payments::{BillingAddress, ChargeType, IntentStatus, Payment, PaymentFilter, RefundExtent},
        plan_changes::{EffectiveAt, OnPaymentFailure, PlanChange, ProrationMode},
        refunds::{RefundRequest, RefundStatus},
        subscriptions::{SubscriptionFilter, SubscriptionStatus},
    },
    values::{ExpiryMonth, Metadata},
    webhook::{Event, EventObject},
};
use dodo_sim::{NewCustomer, NewFault, NewPaymentMethod, NewSubscription, Sim, SimConfig};

use crate::stub::{Stub, answer};

/// A simulator and a client for it.
struct World {
    sim: Sim,
    client: Client,
}

impl World {
    async fn start() -> Self {
        let sim = Sim::start(SimConfig::default()).await.unwrap();
        let client = client(&sim, dodo_sim::DEFAULT_KEY);
        Self { sim, client }
    }

    fn fault(&self, path: &str, kind: &str) {
        let fault =
            NewFault { path: Some(path.into()), kind: kind.into(), times: Some(1), ..NewFault::default() };
        self.sim.control().fault(fault).unwrap();
    }

    /// How many requests that are not GETs arrived at this path.
    fn posts(&self, path: &str) -> usize {
        self.sim.control().ledger().posts.iter().filter(|post| post.path == path).count()
    }

    /// How often money moved.
    fn charges(&self) -> usize {
        self.sim.control().ledger().charges.len()
    }

    /// A buyer with a card that pays.
    async fn buyer(&self) -> (CustomerId, PaymentMethodId) {
        let card = NewPaymentMethod {
            number: "4242424242424242".into(),
            expiry_month: 6,
            expiry_year: 2032,
            ..NewPaymentMethod::default()
        };
        let customer = self.sim.control().customer(NewCustomer {
            email: "a@example.com".into(),
            name: "A".into(),
            payment_methods: vec![card],
            ..NewCustomer::default()
        });
        let id = CustomerId::parse(customer["customer_id"].as_str().unwrap()).unwrap();
        let methods = self.client.list_payment_methods(&id).await.unwrap();
        (id, methods[0].payment_method_id.clone())
    }

    async fn subscriber(&self) -> (SubscriptionId, PaymentMethodId) {
        let (customer, method) = self.buyer().await;
        let subscription = self.sim.control().subscription(NewSubscription {
            customer_id: customer.to_string(),
            product_id: "prod_basic_plan".into(),
            started_days_ago: 15,
            ..NewSubscription::default()
        });
        let id = subscription.unwrap()["subscription_id"].as_str().unwrap().to_owned();
        (SubscriptionId::parse(id).unwrap(), method)
    }

    async fn payment(&self, id: &PaymentId) -> Payment {
        self.client.get_payment(id).await.unwrap()
    }
}

pub(crate) fn client(sim: &Sim, key: &str) -> Client {
    client_with(sim, key, TimeLimits::default())
}

fn client_with(sim: &Sim, key: &str, limits: TimeLimits) -> Client {
    let key = ApiKey::parse(key).unwrap();
    Client::new(&Config::new(Mode::Test, key).with_base_url(sim.base_url()).with_limits(limits)).unwrap()
}

fn product(id: &str) -> ProductId {
    ProductId::parse(id).unwrap()
}

fn course(attempt: &str) -> Checkout {
    Checkout {
        product_cart: vec![CartItem {
            product_id: product("prod_complete_bundle"),
            quantity: 1,
            addons: Vec::new(),
        }],
        billing_address: Some(BillingAddress {
            country: "US".into(),
            state: Some("CA".into()),
            city: Some("SF".into()),
            street: Some("1 Market St".into()),
            zipcode: Some("94105".into()),
        }),
        metadata: Metadata::from_iter([("attempt", attempt)]),
        return_url: Some("https://shop.example/thanks".into()),
        ..Checkout::default()
    }
}

fn to_pro(effective_at: EffectiveAt, mode: ProrationMode) -> PlanChange {
    PlanChange {
        product_id: product("prod_pro_plan"),
        quantity: 1,
        proration_billing_mode: mode,
        addons: vec![AddonQuantity { addon_id: "adn_seats".parse().unwrap(), quantity: 2 }],
        effective_at,
        on_payment_failure: OnPaymentFailure::PreventChange,
        discount_codes: None,
        metadata: Some(Metadata::from_iter([("attempt", "at_1")])),
    }
}

#[tokio::test]
async fn buyers_and_catalogue() {
    let world = World::start().await;
    let (customer, method) = world.buyer().await;
    assert_eq!(world.client.get_customer(&customer).await.unwrap().email, "a@example.com");
    let methods = world.client.list_payment_methods(&customer).await.unwrap();
    assert_eq!((methods.len(), &methods[0].payment_method_id), (1, &method));
    let card = methods[0].card.as_ref().unwrap();
    assert_eq!(card.expiry(), Some(ExpiryMonth { year: 2032, month: 6 }));
    assert_eq!(card.last4_digits.as_deref(), Some("4242"));

    let pro = world.client.get_product(&product("prod_pro_plan")).await.unwrap();
    let Price::Recurring(price) = &pro.price else { panic!("{pro:?}") };
    assert_eq!((price.price, price.currency.as_str()), (8000, "USD"));
    assert_eq!((price.payment_frequency_count, &price.payment_frequency_interval), (1, &TimeInterval::Month));
    let addon = world.client.get_addon(&pro.addons[0]).await.unwrap();
    assert_eq!((addon.price, addon.currency.as_str()), (1000, "USD"));
    let japanese = world.client.get_product(&product("prod_course_jp")).await.unwrap();
    assert!(
        matches!(japanese.price, Price::OneTime(price) if price.currency.as_str() == "JPY" && price.price == 4900)
    );

    let portal = world.client.create_portal_session(&customer, Some("https://shop.example/")).await.unwrap();
    assert!(portal.link.starts_with("http"));
}

#[tokio::test]
async fn a_one_click_charge_takes_what_the_preview_said() {
    let world = World::start().await;
    let (customer, method) = world.buyer().await;
    let buyer = Buyer::Known { customer_id: customer.clone() };
    let preview = world.client.preview_checkout(Some(&buyer), &course("at_1")).await.unwrap();
    assert_eq!(preview.current_breakup.subtotal, 12900);

    let evidence = world.client.charge_checkout(&customer, &method, &course("at_1")).await;
    let ChargeEvidence::Accepted { reply, .. } = evidence else { panic!("{evidence:?}") };
    assert_eq!(reply.checkout_url, None);
    let payment = world.payment(&reply.payment_id.unwrap()).await;
    assert_eq!(payment.status, Some(IntentStatus::Succeeded));
    assert_eq!((payment.total_amount, payment.currency), (preview.total_price, preview.currency));
    assert_eq!(payment.metadata.text("attempt"), Some("at_1"));
    let status = world.client.get_checkout(&reply.session_id).await.unwrap();
    assert_eq!(
        (status.payment_id, status.payment_status),
        (Some(payment.payment_id.clone()), payment.status.clone())
    );

    let filter = PaymentFilter { customer_id: Some(customer), ..PaymentFilter::default() };
    let page = world.client.list_payments(&filter, PageRequest::first(100)).await.unwrap();
    let [listed] = page.items.as_slice() else { panic!("{page:?}") };
    assert_eq!((&listed.payment_id, listed.metadata.text("attempt")), (&payment.payment_id, Some("at_1")));
    assert_eq!(world.posts("/checkouts"), 1);

    let request = RefundRequest { payment_id: payment.payment_id.clone(), items: Vec::new(), reason: None };
    let evidence = world.client.refund(&request).await;
    let ChargeEvidence::Accepted { reply, .. } = evidence else { panic!("{evidence:?}") };
    assert_eq!((reply.status, reply.amount), (RefundStatus::Succeeded, Some(payment.total_amount)));
    assert_eq!(world.payment(&payment.payment_id).await.refund_status, Some(RefundExtent::Full));
}

#[tokio::test]
async fn a_hosted_checkout_has_a_page_and_no_payment() {
    let world = World::start().await;
    let session = world.client.create_hosted_checkout(None, &course("at_1")).await.unwrap();
    assert!(session.checkout_url.is_some());
    let status = world.client.get_checkout(&session.session_id).await.unwrap();
    assert_eq!((status.payment_id, status.payment_status), (None, None));
}

#[tokio::test]
async fn a_charge_whose_answer_is_lost_is_found_by_looking() {
    let world = World::start().await;
    let (customer, method) = world.buyer().await;
    world.fault("/checkouts", "reset_after");
    let evidence = world.client.charge_checkout(&customer, &method, &course("at_lost")).await;
    assert_eq!(evidence, ChargeEvidence::Broken { status: None, cause: TransportError::Reset });
    let filter = PaymentFilter { customer_id: Some(customer), ..PaymentFilter::default() };
    let page = world.client.list_payments(&filter, PageRequest::first(100)).await.unwrap();
    let [listed] = page.items.as_slice() else { panic!("{page:?}") };
    assert_eq!(
        (listed.metadata.text("attempt"), &listed.status),
        (Some("at_lost"), &Some(IntentStatus::Succeeded))
    );
    assert_eq!(world.posts("/checkouts"), 1);
}

#[tokio::test]
async fn a_plan_change_takes_what_the_preview_said() {
    let world = World::start().await;
    let (id, _) = world.subscriber().await;
    let before = world.client.get_subscription(&id).await.unwrap();
    assert_eq!(
        (before.status.clone(), before.product_id.as_str()),
        (SubscriptionStatus::Active, "prod_basic_plan")
    );

    let change = to_pro(EffectiveAt::Immediately, ProrationMode::DifferenceImmediately);
    let preview = world.client.preview_plan_change(&id, &change).await.unwrap();
    let summary = preview.immediate_charge.summary;
    // 8000 and two seats of 1000 against 3000.
    assert_eq!((summary.settlement_amount, summary.currency.as_str()), (7000, "USD"));
    assert!(!preview.immediate_charge.line_items.is_empty());
    assert_eq!(preview.new_plan.product_id, change.product_id);

    let evidence = world.client.change_plan(&id, &change).await;
    assert!(matches!(evidence, ChargeEvidence::Accepted { .. }), "{evidence:?}");
    let after = world.client.get_subscription(&id).await.unwrap();
    assert_eq!((&after.product_id, &after.addons), (&change.product_id, &change.addons));
    assert_eq!(after.next_billing_date, preview.new_plan.next_billing_date);
    let filter = PaymentFilter { subscription_id: Some(id.clone()), ..PaymentFilter::default() };
    let page = world.client.list_payments(&filter, PageRequest::first(100)).await.unwrap();
    let paid = page.items.iter().find(|payment| payment.charge_type == Some(ChargeType::PlanChange)).unwrap();
    assert_eq!((paid.total_amount, paid.metadata.text("attempt")), (summary.settlement_amount, Some("at_1")));

    let filter =
        SubscriptionFilter { customer_id: Some(after.customer.customer_id), ..SubscriptionFilter::default() };
    let (page, _) = world.client.list_subscriptions(&filter, PageRequest::first(10)).await.unwrap();
    assert_eq!((page.items.len(), &page.items[0].subscription_id), (1, &id));
}

#[tokio::test]
async fn a_scheduled_change_can_be_taken_back_once() {
    let world = World::start().await;
    let (id, _) = world.subscriber().await;
    let change = to_pro(EffectiveAt::NextBillingDate, ProrationMode::FullImmediately);
    let evidence = world.client.change_plan(&id, &change).await;
    assert!(matches!(evidence, ChargeEvidence::Accepted { .. }), "{evidence:?}");
    let scheduled = world.client.get_subscription(&id).await.unwrap().scheduled_change.unwrap();
    assert_eq!((&scheduled.product_id, &scheduled.addons), (&change.product_id, &change.addons));
    let again = world.client.change_plan(&id, &change).await;
    let ChargeEvidence::Refused(error) = again else { panic!("{again:?}") };
    assert_eq!((error.status, error.code()), (409, Some("SCHEDULED_PLAN_CHANGE_EXISTS")));
    world.client.cancel_scheduled_change(&id).await.unwrap();
    assert_eq!(world.client.get_subscription(&id).await.unwrap().scheduled_change, None);
    assert!(world.client.cancel_scheduled_change(&id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn ways_to_pay_for_a_subscription() {
    let world = World::start().await;
    let (id, method) = world.subscriber().await;
    let link = world.client.collect_payment_method(&id, Some("https://shop.example/plans")).await.unwrap();
    assert!(link.payment_link.is_some());
    let evidence = world.client.switch_payment_method(&id, &method).await;
    assert!(matches!(evidence, ChargeEvidence::Accepted { .. }), "{evidence:?}");
    assert_eq!(world.client.get_subscription(&id).await.unwrap().payment_method_id, Some(method));
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let world = World::start().await;
    let error = world.client.get_product(&product("prod_nowhere")).await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    let error =
        client(&world.sim, "dodo_test_wrong").get_product(&product("prod_pro_plan")).await.unwrap_err();
    assert!(
        matches!(&error, Error::Api(error) if error.status == 401 && error.code() == Some("UNAUTHORIZED")),
        "{error:?}"
    );
    let (customer, method) = world.buyer().await;
    let read_only = client(&world.sim, dodo_sim::DEFAULT_READ_ONLY_KEY);
    let evidence = read_only.charge_checkout(&customer, &method, &course("at_1")).await;
    assert!(matches!(&evidence, ChargeEvidence::Refused(error) if error.status == 403), "{evidence:?}");
}

/// Each kind of fault once before and once after the charge took place. The evidence may not depend on which of
/// the two it was: from here nobody can tell.
#[tokio::test]
async fn a_fault_looks_the_same_whether_the_money_moved_or_not() {
    let limits = TimeLimits { request: Duration::from_millis(1500), ..TimeLimits::default() };
    for kind in
        ["reset", "hang", "status_500", "status_502", "status_504", "status_408", "status_409", "status_429"]
    {
        let mut seen = Vec::new();
        for (when, charges) in [("before", 0), ("after", 1)] {
            let world = World::start().await;
            let (customer, method) = world.buyer().await;
            world.fault("/checkouts", &format!("{kind}_{when}"));
            let client = client_with(&world.sim, dodo_sim::DEFAULT_KEY, limits);
            seen.push(client.charge_checkout(&customer, &method, &course("at_1")).await);
            assert_eq!((world.posts("/checkouts"), world.charges()), (1, charges), "{kind} {when}");
        }
        assert_eq!(seen[0], seen[1], "{kind}");
        assert!(
            matches!(seen[0], ChargeEvidence::Refused(_) | ChargeEvidence::Broken { .. }),
            "{kind}: {seen:?}"
        );
    }
}

#[tokio::test]
async fn answers_that_are_spoilt_on_their_way_are_not_taken_for_success() {
    for kind in ["truncated_body", "non_json_body", "empty_200"] {
        let world = World::start().await;
        let (customer, method) = world.buyer().await;
        world.fault("/checkouts", kind);
        let evidence = world.client.charge_checkout(&customer, &method, &course("at_1")).await;
        assert!(
            matches!(
                evidence,
                ChargeEvidence::Undecodable { status: 200, reason: DecodeError::NotJson }
                    | ChargeEvidence::Broken { status: Some(200), cause: TransportError::Truncated }
            ),
            "{kind}: {evidence:?}"
        );
        assert_eq!(world.posts("/checkouts"), 1, "{kind}");
    }
}

#[tokio::test]
async fn lookups_get_past_a_passing_fault() {
    let world = World::start().await;
    let (customer, _) = world.buyer().await;
    for kind in ["status_503", "reset_before", "truncated_body", "status_429"] {
        world.fault("/customers/*", kind);
        world.client.get_customer(&customer).await.unwrap();
    }
}

#[tokio::test]
async fn every_webhook_is_read() {
    let world = World::start().await;
    let receiver = Stub::start([answer(200, "")]).await;
    world.sim.control().set_webhook_endpoint(&receiver.address, dodo_sim::DEFAULT_WEBHOOK_SECRET).unwrap();
    let (subscription, method) = world.subscriber().await;
    let customer = world.client.get_subscription(&subscription).await.unwrap().customer.customer_id;
    let change = to_pro(EffectiveAt::Immediately, ProrationMode::DifferenceImmediately);
    let evidence = world.client.change_plan(&subscription, &change).await;
    assert!(matches!(evidence, ChargeEvidence::Accepted { .. }), "{evidence:?}");
    let evidence = world.client.charge_checkout(&customer, &method, &course("at_1")).await;
    let ChargeEvidence::Accepted { reply, .. } = evidence else { panic!("{evidence:?}") };
    let payment_id = reply.payment_id.unwrap();
    let refund = world
        .client
        .refund(&RefundRequest { payment_id: payment_id.clone(), items: Vec::new(), reason: None })
        .await;
    assert!(matches!(refund, ChargeEvidence::Accepted { .. }), "{refund:?}");
    world.sim.control().flush_webhooks(true).await;

    let mut kinds = BTreeSet::new();
    let mut attempts = BTreeSet::new();
    for webhook in receiver.seen() {
        let event = Event::read(webhook.body.to_string().as_bytes()).unwrap();
        match event.object {
            EventObject::Payment(payment) => {
                attempts.extend(payment.metadata.text("attempt").map(str::to_owned))
            }
            EventObject::Subscription(read) => assert_eq!(read.subscription_id, subscription),
            EventObject::Refund(refund) => assert_eq!(refund.payment_id, payment_id),
            EventObject::Dispute(dispute) => panic!("nobody disputed anything: {dispute:?}"),
            EventObject::Other => panic!("{} was not read", event.kind),
        }
        kinds.insert(event.kind);
    }
    for kind in ["payment.succeeded", "subscription.active", "subscription.plan_changed", "refund.succeeded"]
    {
        assert!(kinds.contains(kind), "{kind} is missing in {kinds:?}");
    }
    assert!(attempts.contains("at_1"));
}
