//! Whose card it is: what somebody gets who has paid under a stranger's e-mail address, and what a buyer has in two tabs, on
//! two devices and under two customer ids.

use dodo_client::ids::{CustomerId, PaymentId};
use dodo_sim::{NewPayment, NewPaymentMethod, NewSubscription};
use serde_json::{Value, json};

use crate::harness::{GOOD_CARD, MASTERCARD, MERCHANT_KEY, TestApp};

const ADDRESS: &str = "victim@shop.example";

fn card(id: &str, number: &str) -> NewPaymentMethod {
    NewPaymentMethod {
        payment_method_id: Some(id.into()),
        number: number.into(),
        ..NewPaymentMethod::default()
    }
}

/// A method that is not a card.
fn wallet(id: &str) -> NewPaymentMethod {
    NewPaymentMethod {
        payment_method_id: Some(id.into()),
        payment_method: "upi".into(),
        ..NewPaymentMethod::default()
    }
}

/// A customer with these methods saved, under this address.
fn customer(app: &TestApp, email: &str, methods: Vec<NewPaymentMethod>) -> CustomerId {
    let made = app.sim.control().customer(dodo_sim::NewCustomer {
        email: email.into(),
        name: "B. Uyer".into(),
        payment_methods: methods,
        billing: Some(json!({
            "country": "US", "state": "CA", "city": "SF", "street": "1 Market St", "zipcode": "94105",
        })),
        ..dodo_sim::NewCustomer::default()
    });
    CustomerId::parse(made["customer_id"].as_str().unwrap()).unwrap()
}

/// The course, paid with this method.
fn course(app: &TestApp, customer: &CustomerId, method: &str) -> PaymentId {
    let payment = app.sim.control().payment(NewPayment {
        customer_id: customer.to_string(),
        product_id: "prod_starter_course".into(),
        payment_method_id: Some(method.into()),
        ..NewPayment::default()
    });
    PaymentId::parse(payment.unwrap()["payment_id"].as_str().unwrap()).unwrap()
}

async fn token(app: &TestApp, customer: &CustomerId, payment: &PaymentId, signed_in: bool) -> String {
    app.mint(json!({
        "customer_id": customer, "payment_id": payment, "purpose": "offer", "signed_in": signed_in,
    }))
    .await
}

/// The last request to Dodo for a checkout.
async fn last_checkout(app: &TestApp) -> Value {
    let ledger = app.sim.get("/_sim/ledger").await.unwrap();
    let posts = ledger["posts"].as_array().unwrap();
    posts.iter().rfind(|post| post["path"] == "/checkouts").unwrap()["body"].clone()
}

/// Paying by another method under a stranger's address neither shows nor charges the stranger's card.
#[tokio::test]
async fn who_pays_otherwise_is_neither_shown_nor_charging_the_saved_card() {
    let app = TestApp::spawn().await;
    let victim = customer(&app, ADDRESS, vec![card("pm_master", MASTERCARD), wallet("pm_wallet")]);
    let payment = course(&app, &victim, "pm_wallet");
    // The same customer, signed in at the merchant's, has all of their cards.
    let other = course(&app, &victim, "pm_wallet");
    let shown = app.look(&token(&app, &victim, &other, true).await).await;
    assert_eq!(shown["payment_method"]["last4"], "4444", "{shown}");
    let stranger = token(&app, &victim, &payment, false).await;
    let shown = app.look(&stranger).await;
    assert_eq!(shown["product"]["id"], "prod_complete_bundle", "{shown}");
    assert_eq!(shown.get("payment_method"), None, "{shown}");
    assert!(!shown.to_string().contains("4444"), "{shown}");
    let attempt = app.accept(&stranger, &shown, "key-1").await.ok();
    assert_eq!(attempt["status"], "checkout_required", "{attempt}");
    let body = last_checkout(&app).await;
    assert_eq!(body["show_saved_payment_methods"], false, "{body}");
    assert_eq!((body.get("payment_method_id"), body.get("confirm")), (None, None), "{body}");
    let findings = proxy::doctor::examine(&app.settings).await.unwrap();
    let told = findings.iter().find(|finding| finding.what == "cards").unwrap();
    assert!(told.text.starts_with("1 offers went to a hosted checkout, 0 of them were paid"), "{told}");
}

/// The most recent card is not charged where an older one has paid.
#[tokio::test]
async fn one_click_charges_the_card_that_paid() {
    let app = TestApp::spawn().await;
    let buyer = customer(&app, ADDRESS, vec![card("pm_visa", GOOD_CARD), card("pm_master", MASTERCARD)]);
    let last = course(&app, &buyer, "pm_master");
    let first = course(&app, &buyer, "pm_visa");
    for (payment, method, last4) in [(&last, "pm_master", "4444"), (&first, "pm_visa", "4242")] {
        let shown = app.look(&token(&app, &buyer, payment, false).await).await;
        assert_eq!(shown["payment_method"]["last4"], last4, "{shown}");
        if method == "pm_visa" {
            let token = token(&app, &buyer, payment, false).await;
            assert_eq!(app.accept(&token, &shown, "key-1").await.ok()["success"], true);
            assert_eq!(last_checkout(&app).await["payment_method_id"], "pm_visa");
        }
    }
}

/// What was shown to somebody signed in is worth nothing to somebody who only knows the purchase.
#[tokio::test]
async fn a_quote_of_the_signed_in_buyer_is_not_accepted_by_another_session() {
    let app = TestApp::spawn().await;
    let victim = customer(&app, ADDRESS, vec![card("pm_master", MASTERCARD), wallet("pm_wallet")]);
    let payment = course(&app, &victim, "pm_wallet");
    let (own, stranger) =
        (token(&app, &victim, &payment, true).await, token(&app, &victim, &payment, false).await);
    let shown = app.look(&own).await;
    let posts = app.sim.posts_to("/checkouts");
    assert_eq!(app.accept(&stranger, &shown, "key-1").await.code(), "quote_expired");
    assert_eq!(app.sim.posts_to("/checkouts"), posts);
    // Nor does the stranger learn with which card it was paid, or on which page it goes on.
    let attempt = app.accept(&own, &shown, "key-2").await.ok();
    assert_eq!(attempt["receipt"]["payment_method"]["last4"], "4444", "{attempt}");
    let seen = app.look(&stranger).await;
    assert_eq!(seen["reason"], "accepted", "{seen}");
    assert_eq!(seen["attempt"]["receipt"]["amount"], 12_900, "{seen}");
    assert!(!seen.to_string().contains("4444"), "{seen}");
}

#[tokio::test]
async fn the_page_that_a_signed_in_buyer_pays_on_is_nobody_elses() {
    let app = TestApp::spawn().await;
    let victim = customer(&app, ADDRESS, vec![card("pm_master", MASTERCARD), wallet("pm_wallet")]);
    let payment = course(&app, &victim, "pm_wallet");
    let (own, stranger) =
        (token(&app, &victim, &payment, true).await, token(&app, &victim, &payment, false).await);
    let shown = app.look(&own).await;
    let body = json!({
        "offer_id": shown["offer"]["id"], "quote_id": shown["quote"]["id"], "pay_with": "hosted_checkout",
    });
    let attempt = app.post_once(&own, "/v1/upsell/accept", "key-1", body).await.ok();
    assert!(attempt["checkout_url"].is_string(), "{attempt}");
    assert_eq!(last_checkout(&app).await["show_saved_payment_methods"], true);
    let path = format!("/v1/upsell/attempts/{}", attempt["attempt_id"].as_str().unwrap());
    for seen in [app.look(&stranger).await["attempt"].clone(), app.get(&stranger, &path).await.ok()] {
        assert_eq!((&seen["attempt_id"], seen.get("checkout_url")), (&attempt["attempt_id"], None), "{seen}");
    }
}

/// A session that knows one purchase sees, takes and refuses nothing that follows another.
#[tokio::test]
async fn a_session_reaches_what_follows_its_purchase_only() {
    let app = TestApp::spawn().await;
    let buyer = customer(&app, ADDRESS, vec![card("pm_visa", GOOD_CARD)]);
    let own = token(&app, &buyer, &course(&app, &buyer, "pm_visa"), false).await;
    let stranger = token(&app, &buyer, &course(&app, &buyer, "pm_visa"), false).await;
    let shown = app.look(&own).await;
    let offer = json!({"offer_id": shown["offer"]["id"]});
    assert_eq!(app.accept(&stranger, &shown, "key-1").await.code(), "not_found");
    assert_eq!(app.decline(&stranger, &shown).await.code(), "not_found");
    assert_eq!(app.post(&stranger, "/v1/upsell/seen", offer).await.code(), "not_found");
    let attempt = app.accept(&own, &shown, "key-1").await.ok();
    let path = format!("/v1/upsell/attempts/{}", attempt["attempt_id"].as_str().unwrap());
    assert_eq!(app.get(&stranger, &path).await.code(), "not_found");
    assert_eq!(app.get(&own, &path).await.ok()["success"], true);
}

/// A plan is changed on the method that paid, or by somebody who is signed in.
#[tokio::test]
async fn an_upgrade_is_offered_on_the_method_that_paid_only() {
    let app = TestApp::spawn().await;
    let buyer = customer(&app, ADDRESS, vec![card("pm_visa", GOOD_CARD), card("pm_master", MASTERCARD)]);
    let subscription = app.sim.start_subscription(NewSubscription {
        customer_id: buyer.to_string(),
        product_id: "prod_basic_plan".into(),
        payment_method_id: Some("pm_visa".into()),
        ..NewSubscription::default()
    });
    let subscription = subscription.unwrap();
    let payment = PaymentId::parse(app.sim.charges_of(buyer.as_str())[0].payment_id.as_str()).unwrap();
    let shown = app.look(&token(&app, &buyer, &payment, false).await).await;
    assert_eq!(
        (&shown["offer"]["kind"], &shown["payment_method"]["last4"]),
        (&json!("upgrade"), &json!("4242"))
    );
    // The customer gives the subscription another card.
    let path = format!("/subscriptions/{subscription}/update-payment-method");
    let body = json!({"type": "existing", "payment_method_id": "pm_master"});
    let moved = crate::harness::http_client()
        .post(format!("{}{path}", app.sim.url()))
        .bearer_auth(dodo_sim::DEFAULT_KEY)
        .json(&body);
    assert!(moved.send().await.unwrap().status().is_success());
    app.quiet().await;
    let token = token(&app, &buyer, &payment, false).await;
    let posts = app.sim.posts_to("/checkouts");
    assert_eq!(app.accept(&token, &shown, "key-1").await.code(), "offer_gone");
    let seen = app.look(&token).await;
    assert_eq!(seen["eligible"], false, "{seen}");
    assert!(!seen.to_string().contains("4444"), "{seen}");
    assert_eq!(app.sim.posts_to("/checkouts"), posts);
    let changed = app.sim.posts_to(&format!("/subscriptions/{subscription}/change-plan"));
    assert_eq!(changed, 0);
}

#[tokio::test]
async fn plans_and_other_triggers_are_for_signed_in_buyers() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    for more in [
        json!({"purpose": "plans", "subscription_id": buyer.subscription}),
        json!({"purpose": "offer", "trigger": "near_plan_limit"}),
        json!({"purpose": "offer", "trigger": "cancel_intent", "signed_in": false}),
    ] {
        let mut request = more;
        request["customer_id"] = json!(buyer.customer);
        let refused = app.post(MERCHANT_KEY, "/v1/sessions", request.clone()).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "sign_in_required"), "{request}");
        let title = refused.body["title"].as_str().unwrap();
        assert!(title.contains("are for signed-in buyers"), "{title}");
        request["signed_in"] = json!(true);
        assert_eq!(app.post(MERCHANT_KEY, "/v1/sessions", request).await.status, 201);
    }
}

/// A session from before the field existed opens nothing that is for signed-in buyers.
#[tokio::test]
async fn sessions_from_before_are_of_nobody_signed_in() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.subscriber_of("prod_basic_plan").unwrap();
    let event = json!({"customer_id": buyer.customer, "trigger": "near_plan_limit"});
    assert_eq!(app.post(MERCHANT_KEY, "/v1/events", event.clone()).await.status, 202);
    let plans = app.plans_token(&buyer).await;
    let mut request = event;
    (request["purpose"], request["signed_in"]) = (json!("offer"), json!(true));
    let offers = app.mint(request).await;
    assert_eq!(app.get(&plans, "/v1/plans").await.status, 200);
    assert_eq!(app.look(&offers).await["eligible"], true);
    let url = format!("sqlite://{}", app.database().display());
    let store = sqlx::SqlitePool::connect(&url).await.unwrap();
    // What the migration makes of rows that are there.
    let old = sqlx::query("UPDATE sessions SET signed_in = 0").execute(&store).await.unwrap();
    assert_eq!(old.rows_affected(), 2);
    assert_eq!(app.get(&plans, "/v1/plans").await.code(), "unauthorized");
    assert_eq!(app.look(&offers).await, json!({"eligible": false, "reason": "no_event"}));
}

/// Whoever breaks a checkout off under a stranger's address stands at a page that follows the stranger's own purchase.
#[tokio::test]
async fn a_purchase_that_nobody_named_charges_nothing() {
    let app = TestApp::spawn().await;
    let victim = customer(&app, ADDRESS, vec![card("pm_master", MASTERCARD)]);
    let payment = course(&app, &victim, "pm_master");
    let own = token(&app, &victim, &payment, false).await;
    let shown = app.look(&own).await;
    assert_eq!(shown["payment_method"]["last4"], "4444", "{shown}");
    let stranger = app.mint(json!({"customer_id": victim, "purpose": "offer"})).await;
    let seen = app.look(&stranger).await;
    assert_eq!((&seen["eligible"], seen.get("payment_method")), (&json!(true), None), "{seen}");
    let posts = app.sim.posts_to("/checkouts");
    assert_eq!(app.accept(&stranger, &shown, "key-1").await.code(), "quote_expired");
    assert_eq!(app.sim.posts_to("/checkouts"), posts);
    // What its buyer pays for is not told with the card either.
    assert_eq!(app.accept(&own, &shown, "key-2").await.ok()["success"], true);
    let seen = app.look(&stranger).await;
    assert_eq!(seen["reason"], "accepted", "{seen}");
    assert!(!seen.to_string().contains("4444"), "{seen}");
}

/// The newest purchase is followed, also when its webhook is late and an older one is known.
#[tokio::test]
async fn a_late_webhook_does_not_lead_back_to_an_older_purchase() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of("prod_single_license", Some(GOOD_CARD)).unwrap();
    app.offer_token(&buyer).await;
    app.quiet().await;
    app.sim.deliver_to("http://127.0.0.1:1").unwrap();
    app.sim.purchase(&buyer.customer, "prod_starter_course").unwrap();
    let token = app.mint(json!({"customer_id": buyer.customer, "purpose": "offer"})).await;
    assert_eq!(app.look(&token).await["product"]["id"], "prod_complete_bundle");
    // It stays with that purchase, whatever is bought later.
    app.sim.purchase(&buyer.customer, "prod_single_license").unwrap();
    assert_eq!(app.look(&token).await["product"]["id"], "prod_complete_bundle");
}

/// Two pages that offer the same thing, pressed at once: one charge, whichever customer id each goes by.
#[tokio::test]
async fn one_thing_on_two_pages_is_charged_once() {
    let app = TestApp::spawn().await;
    for round in 0..6 {
        let address = format!("twice-{round}@shop.example");
        let visa = |id: &str| card(&format!("pm_{id}_{round}"), GOOD_CARD);
        let one = customer(&app, &address, vec![visa("one")]);
        let two = if round % 2 == 0 { one.clone() } else { customer(&app, &address, vec![visa("two")]) };
        let method = |customer: &CustomerId| if *customer == one { "one" } else { "two" };
        let (first, second) = (
            course(&app, &one, &format!("pm_{}_{round}", method(&one))),
            course(&app, &two, &format!("pm_{}_{round}", method(&two))),
        );
        let (a, b) = (token(&app, &one, &first, false).await, token(&app, &two, &second, false).await);
        let (on_a, on_b) = (app.look(&a).await, app.look(&b).await);
        assert_eq!(
            (&on_a["product"]["id"], &on_b["product"]["id"]),
            (&json!("prod_complete_bundle"), &json!("prod_complete_bundle"))
        );
        let posts = app.sim.posts_to("/checkouts");
        let (one, two) = tokio::join!(app.accept(&a, &on_a, "key-a"), app.accept(&b, &on_b, "key-b"));
        assert_eq!(app.sim.posts_to("/checkouts"), posts + 1, "round {round}: {} {}", one.body, two.body);
        let (won, lost) = if one.status == 200 { (one, two) } else { (two, one) };
        assert_eq!((won.ok()["success"].clone(), lost.code().as_str()), (json!(true), "offer_gone"));
    }
}

/// Refused on one page and taken on the other at once: one of the two is answered with success.
#[tokio::test]
async fn one_thing_is_not_refused_here_and_taken_there() {
    let app = TestApp::spawn().await;
    for round in 0..6 {
        let buyer = customer(
            &app,
            &format!("both-{round}@shop.example"),
            vec![card(&format!("pm_both_{round}"), GOOD_CARD)],
        );
        let pay = || course(&app, &buyer, &format!("pm_both_{round}"));
        let (a, b) = (token(&app, &buyer, &pay(), false).await, token(&app, &buyer, &pay(), false).await);
        let (on_a, on_b) = (app.look(&a).await, app.look(&b).await);
        let posts = app.sim.posts_to("/checkouts");
        let (taken, refused) = tokio::join!(app.accept(&a, &on_a, "key-a"), app.decline(&b, &on_b));
        let charged = app.sim.posts_to("/checkouts") - posts;
        assert_eq!(charged == 1, taken.status == 200, "{}", taken.body);
        assert_ne!(taken.status == 200, refused.status == 200, "{} {}", taken.body, refused.body);
    }
}

/// A refusal binds on every device, and under every customer id of the person.
#[tokio::test]
async fn a_second_customer_id_does_not_bring_a_refused_offer_back() {
    let app = TestApp::spawn().await;
    let one = customer(&app, "Ann@Shop.Example", vec![card("pm_one", GOOD_CARD)]);
    let two = customer(&app, " ann@shop.example", vec![card("pm_two", GOOD_CARD)]);
    let other = customer(&app, "ann+2@shop.example", vec![card("pm_other", GOOD_CARD)]);
    // Shown before the refusal, pressed after it.
    let early = token(&app, &two, &course(&app, &two, "pm_two"), false).await;
    let shown = app.look(&early).await;
    let mine = token(&app, &one, &course(&app, &one, "pm_one"), false).await;
    app.decline(&mine, &app.look(&mine).await).await.ok();
    let posts = app.sim.posts_to("/checkouts");
    assert_eq!(app.accept(&early, &shown, "key-1").await.code(), "offer_gone");
    assert_eq!(app.sim.posts_to("/checkouts"), posts);
    for signed_in in [false, true] {
        let again = token(&app, &two, &course(&app, &two, "pm_two"), signed_in).await;
        let seen = app.look(&again).await;
        assert_ne!(seen["product"]["id"], "prod_complete_bundle", "{seen}");
    }
    let somebody = token(&app, &other, &course(&app, &other, "pm_other"), false).await;
    assert_eq!(app.look(&somebody).await["product"]["id"], "prod_complete_bundle");
}
