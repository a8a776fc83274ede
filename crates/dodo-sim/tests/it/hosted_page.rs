//! The page that a buyer pays on.

use crate::harness::{DECLINED, GOOD, World};
use serde_json::{Value, json};

async fn session(world: &World, body: Value) -> (String, String) {
    let created = world.post("/checkouts", body).await.ok();
    let text = |field: &str| created[field].as_str().unwrap().to_owned();
    (text("session_id"), text("checkout_url"))
}

fn course() -> Value {
    json!({
        "product_cart": [{"product_id": "prod_starter_course", "quantity": 1}],
        "return_url": "https://shop.example/thanks?order=7#top",
        "metadata": {"order": "7"},
    })
}

fn card(number: &str) -> Vec<(&'static str, String)> {
    [
        ("email", "new@example.com"),
        ("name", "N. Ew"),
        ("number", number),
        ("expiry", "12/34"),
        ("cvc", "123"),
        ("country", "US"),
        ("zipcode", "94105"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

#[tokio::test]
async fn a_browser_that_asks_for_an_icon_is_not_refused() {
    let world = World::start().await;
    let icon = world.send(world.http.get(world.url("/favicon.ico"))).await;
    assert_eq!((icon.status.as_u16(), icon.text.as_str()), (204, ""));
}

#[tokio::test]
async fn shows_the_total_takes_the_money_saves_the_card_and_returns() {
    let world = World::start().await;
    let (id, page) = session(&world, course()).await;
    let shown = world.send(world.http.get(&page)).await;
    assert!(shown.text.contains("Starter course") && shown.text.contains("Pay USD 49.00"));
    assert_eq!(shown.headers["x-frame-options"], "DENY");
    assert_eq!(shown.headers["content-security-policy"], "frame-ancestors 'none'");

    let paid = world.send(world.http.post(&page).form(&card(GOOD))).await;
    assert_eq!(paid.status, 303);
    let session = world.get(&format!("/checkouts/{id}")).await.ok();
    let payment_id = session["payment_id"].as_str().unwrap();
    let location = paid.headers["location"].to_str().unwrap();
    let expected =
        format!("https://shop.example/thanks?order=7&payment_id={payment_id}&status=succeeded#top");
    assert_eq!(location, expected);
    assert_eq!(session["customer_email"], "new@example.com");

    let payment = world.get(&format!("/payments/{payment_id}")).await.ok();
    assert_eq!(payment["metadata"], json!({"order": "7"}));
    assert_eq!(
        payment["billing"],
        json!({
            "country": "US", "zipcode": "94105", "city": null, "state": null, "street": null
        })
    );
    let customer = payment["customer"]["customer_id"].as_str().unwrap();
    let methods = world.get(&format!("/customers/{customer}/payment-methods")).await.ok();
    assert_eq!(methods["items"][0]["card"]["last4_digits"], "4242");
    assert_eq!(methods["items"][0]["payment_method_id"], payment["payment_method_id"]);

    let again = world.send(world.http.post(&page).form(&card(GOOD))).await;
    assert_eq!(again.status, 422, "a paid session takes no second payment");
    assert_eq!(world.collected(), [(4900, "hosted".to_owned())]);
}

#[tokio::test]
async fn a_decline_leaves_the_page_open_for_another_card() {
    let world = World::start().await;
    let (id, page) = session(&world, course()).await;
    let declined = world.send(world.http.post(&page).form(&card(DECLINED))).await;
    assert_eq!(declined.status, 422);
    assert!(
        declined.text.contains("declined. Try another card") && declined.text.contains("new@example.com")
    );
    assert_eq!(world.get(&format!("/checkouts/{id}")).await.ok()["payment_status"], "failed");
    let paid = world.send(world.http.post(&page).form(&card(GOOD))).await;
    assert_eq!(paid.status, 303);
    assert_eq!(world.told(), ["payment.failed", "payment.succeeded"]);
    assert_eq!(world.collected().len(), 1);
}

#[tokio::test]
async fn what_is_typed_wrong_is_said_and_charges_nothing() {
    let world = World::start().await;
    let (_, page) = session(&world, course()).await;
    for (field, value, words) in [
        ("expiry", "13/34", "MM/YY"),
        ("expiry", "01/20", "expired"),
        ("number", "four", "digits"),
        ("number", "4111111111111111", "test cards"),
        ("cvc", "1", "security code"),
        ("email", "nobody", "e-mail"),
        ("country", "Mars", "country"),
    ] {
        let mut form = card(GOOD);
        form.iter_mut().find(|(name, _)| *name == field).unwrap().1 = value.to_owned();
        let answer = world.send(world.http.post(&page).form(&form)).await;
        assert!(answer.status == 422 && answer.text.contains(words), "{field}={value}: {}", answer.text);
    }
    assert!(world.collected().is_empty());
}

#[tokio::test]
async fn nobody_pays_a_tax_that_was_not_shown() {
    let world = World::start().await;
    let (_, page) = session(&world, course()).await;
    assert!(world.send(world.http.get(format!("{page}?country=DE"))).await.text.contains("Pay USD 58.31"));
    let mut form = card(GOOD);
    form.iter_mut().find(|(name, _)| *name == "country").unwrap().1 = "DE".to_owned();
    form.push(("priced_for", "US".to_owned()));
    let asked = world.send(world.http.post(&page).form(&form)).await;
    assert!(asked.text.contains("Pay USD 58.31") && world.collected().is_empty());
    form.last_mut().unwrap().1 = "DE".to_owned();
    assert_eq!(world.send(world.http.post(&page).form(&form)).await.status, 303);
    assert_eq!(world.collected(), [(5831, "hosted".to_owned())]);
}

#[tokio::test]
async fn a_known_buyer_chooses_a_saved_card_or_another() {
    let world = World::start().await;
    let (customer, method) = world.buyer(GOOD).await;
    let mut body = course();
    body["customer"] = json!({"customer_id": customer});
    let (_, page) = session(&world, body.clone()).await;
    assert!(!world.send(world.http.get(&page)).await.text.contains("•••• 4242"), "only when it is asked for");
    body["show_saved_payment_methods"] = json!(true);
    let (_, page) = session(&world, body).await;
    assert!(world.send(world.http.get(&page)).await.text.contains("Visa •••• 4242, 12/34"));
    let form = [("method", method.as_str()), ("country", "US"), ("email", "a@example.com")];
    assert_eq!(world.send(world.http.post(&page).form(&form)).await.status, 303);
    let methods = world.get(&format!("/customers/{customer}/payment-methods")).await.ok();
    assert_eq!(methods["items"].as_array().unwrap().len(), 1);
    assert_eq!(methods["items"][0]["last_used_at"], "2026-04-01T00:00:00Z");
}

#[tokio::test]
async fn sessions_run_out_after_a_day() {
    let world = World::start().await;
    let (_, page) = session(&world, course()).await;
    world.advance_days(1).await;
    assert!(world.send(world.http.post(&page).form(&card(GOOD))).await.text.contains("expired"));
    assert_eq!(world.send(world.http.get(world.url("/session/cks_none"))).await.status, 404);
    assert!(world.collected().is_empty());
}

#[tokio::test]
async fn markup_in_what_buyers_send_stays_text() {
    let world = World::start().await;
    let (_, page) = session(&world, course()).await;
    let mut form = card(DECLINED);
    form[1].1 = "\"><script>alert(1)</script>".to_owned();
    let answer = world.send(world.http.post(&page).form(&form)).await;
    assert!(!answer.text.contains("<script>alert") && answer.text.contains("&lt;script&gt;alert"));
}

#[tokio::test]
async fn the_portal_shows_what_a_customer_has() {
    let world = World::start().await;
    let (customer, _) = world.subscriber("prod_pro_plan", GOOD).await;
    let path =
        format!("/customers/{customer}/customer-portal/session?return_url=https%3A%2F%2Fshop.example%2F");
    let link = world.send(world.request(reqwest::Method::POST, &path)).await.ok();
    let page = world.send(world.http.get(link["link"].as_str().unwrap())).await;
    assert!(
        page.text.contains("Pro")
            && page.text.contains("4242")
            && page.text.contains("https://shop.example/")
    );
    world.advance_days(1).await;
    assert_eq!(world.send(world.http.get(link["link"].as_str().unwrap())).await.status, 404);
}
