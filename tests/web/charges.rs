//! Money leaves once, for what was shown.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::answers::*;
use crate::support::*;

#[wasm_bindgen_test]
async fn one_click_one_charge_one_receipt() {
    fresh_browser();
    let backend = Backend::new().reply("POST /accept", 200, SUCCEEDED).reply("POST /seen", 204, "");
    let widget = Widget::mount("offer", &backend, Some(&offer("c1", "q1", 5000)));
    widget.sees("$50.00").await;
    widget.is_looked_at(&backend).await;
    let accept = widget.finds("[part=accept]").await;
    assert!(accept.text_content().unwrap().contains("$50.00"), "the amount is inside the button");
    // A double click, and a third for good measure.
    accept.click();
    accept.click();
    accept.click();
    widget.sees("pay_77").await;
    let sent = backend.received("POST /accept");
    assert_eq!(sent.len(), 1);
    let body: serde_json::Value = serde_json::from_str(&sent[0].body).unwrap();
    assert_eq!((body["offer_id"].as_str(), body["quote_id"].as_str()), (Some("c1"), Some("q1")));
    assert_eq!(body["consent"]["locale"], "en");
    assert_eq!(body["consent"]["text_hash"].as_str().unwrap().len(), 16);
    for word in ["amount", "price", "product", "payment_method", "tok_secret"] {
        assert!(!sent[0].body.contains(word), "{word} in {}", sent[0].body);
    }
    assert_eq!(
        backend.calls().len(),
        2,
        "seen and accept; the loader had asked already: {:?}",
        backend.calls()
    );
}

#[wasm_bindgen_test]
async fn a_click_before_the_offer_was_looked_at_buys_nothing() {
    fresh_browser();
    let backend = Backend::new().reply("POST /accept", 200, SUCCEEDED).reply("POST /seen", 204, "");
    let widget = Widget::mount("offer", &backend, Some(&offer("c2", "q1", 5000)));
    widget.click("[part=accept]").await;
    widget.is_looked_at(&backend).await;
    assert_eq!(backend.received("POST /accept").len(), 0);
}

#[wasm_bindgen_test]
async fn clicks_made_by_a_script_buy_nothing() {
    fresh_browser();
    let backend = Backend::new().reply("POST /accept", 200, SUCCEEDED).reply("POST /seen", 204, "");
    let widget = Widget::mount_with(config("offer", &backend), Some(&offer("c3", "q1", 5000)));
    widget.is_looked_at(&backend).await;
    widget.click("[part=accept]").await;
    widget.click("[part=decline]").await;
    widget.sees("$50.00").await;
    assert_eq!(backend.calls().len(), 1, "only seen: {:?}", backend.calls());
}

#[wasm_bindgen_test]
async fn a_lost_answer_is_asked_for_again_under_the_same_key() {
    fresh_browser();
    let backend = Backend::new()
        .reply("POST /accept", LOST, "")
        .reply("POST /accept", 502, "<html>Bad gateway</html>")
        .reply("POST /accept", 200, SUCCEEDED)
        .reply("POST /seen", 204, "");
    let widget = Widget::mount("offer", &backend, Some(&offer("c4", "q1", 5000)));
    widget.is_looked_at(&backend).await;
    widget.click("[part=accept]").await;
    widget.sees("pay_77").await;
    let keys: Vec<_> = backend
        .received("POST /accept")
        .iter()
        .map(|call| call.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0] && key.len() == 32), "{keys:?}");
    // Consent was made at the press: a repeat does not record the screen that says "Paying…".
    let bodies: Vec<_> = backend.received("POST /accept").into_iter().map(|call| call.body).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:#?}");
}

/// The page was loaded again before the answer came: confirming the same quote is the same intention.
#[wasm_bindgen_test]
async fn an_unanswered_intention_survives_a_reload() {
    fresh_browser();
    let backend = Backend::new().reply("POST /accept", HANGS, "").reply("POST /seen", 204, "");
    let first = Widget::mount("offer", &backend, Some(&offer("c5", "q5", 5000)));
    first.is_looked_at(&backend).await;
    first.click("[part=accept]").await;
    backend.has_received("POST /accept", 1).await;
    drop(first);
    let again = Backend::new().reply("POST /accept", 200, SUCCEEDED).reply("POST /seen", 204, "");
    let second = Widget::mount("offer", &again, Some(&offer("c5", "q5", 5000)));
    second.is_looked_at(&again).await;
    second.click("[part=accept]").await;
    second.sees("pay_77").await;
    let key =
        |backend: &Backend| backend.received("POST /accept")[0].header("idempotency-key").map(str::to_owned);
    assert_eq!(key(&backend), key(&again));
    let body = |backend: &Backend| backend.received("POST /accept")[0].body.clone();
    assert_eq!(body(&backend), body(&again));

    // Answered now: the next confirmation is another intention.
    let third = Widget::mount("offer", &again, Some(&offer("c5b", "q5", 5000)));
    again.has_received("POST /seen", 2).await;
    third.click("[part=accept]").await;
    again.has_received("POST /accept", 2).await;
    assert_ne!(again.received("POST /accept")[1].header("idempotency-key").map(str::to_owned), key(&again));
}

/// A gateway's 503 says nothing of the charge: a press after a reload is the same intention, and so is its repeat.
#[wasm_bindgen_test]
async fn an_intention_outlasts_an_answer_that_says_nothing() {
    fresh_browser();
    let backend = Backend::new().reply("POST /accept", 503, "").reply("POST /seen", 204, "");
    let first = Widget::mount("offer", &backend, Some(&offer("c9", "q9", 5000)));
    first.is_looked_at(&backend).await;
    first.click("[part=accept]").await;
    backend.has_received("POST /accept", 1).await;
    settled().await;
    drop(first);
    let again = Backend::new().reply("POST /accept", 503, "").reply("POST /accept", 200, SUCCEEDED).reply(
        "POST /seen",
        204,
        "",
    );
    let second = Widget::mount("offer", &again, Some(&offer("c9", "q9", 5000)));
    second.is_looked_at(&again).await;
    second.click("[part=accept]").await;
    second.sees("pay_77").await;
    let all: Vec<_> = [backend.received("POST /accept"), again.received("POST /accept")].concat();
    let sent = |call: &Received| (call.header("idempotency-key").map(str::to_owned), call.body.clone());
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|call| sent(call) == sent(&all[0])), "{all:#?}");
}

#[wasm_bindgen_test]
async fn pending_is_polled_and_ends_in_a_receipt() {
    fresh_browser();
    let backend = Backend::new()
        .reply("POST /accept", 200, PROCESSING)
        .reply("GET /attempts/att_1", 200, PROCESSING)
        .reply("GET /attempts/att_1", 200, SUCCEEDED)
        .reply("POST /seen", 204, "");
    let widget = Widget::mount("offer", &backend, Some(&offer("c6", "q1", 5000)));
    widget.is_looked_at(&backend).await;
    widget.click("[part=accept]").await;
    widget.hears("upsell-pending").await;
    widget.sees("pay_77").await;
    assert_eq!(backend.received("POST /accept").len(), 1);
    assert_eq!(backend.received("GET /attempts/att_1").len(), 2);
}

#[wasm_bindgen_test]
async fn a_changed_price_is_shown_before_anything_is_paid() {
    fresh_browser();
    let backend = Backend::new()
        .reply("POST /accept", 409, quote_changed("q2", 6200))
        .reply("POST /accept", 200, SUCCEEDED)
        .reply("POST /seen", 204, "");
    let widget = Widget::mount("offer", &backend, Some(&offer("c7", "q1", 5000)));
    widget.is_looked_at(&backend).await;
    widget.click("[part=accept]").await;
    widget.sees("$62.00").await;
    assert!(widget.text().contains("$50.00"), "old and new: {}", widget.text());
    backend.has_received("POST /seen", 2).await;
    widget.click("[part=accept]").await;
    widget.sees("pay_77").await;
    let quotes: Vec<_> = backend
        .received("POST /accept")
        .iter()
        .map(|call| serde_json::from_str::<serde_json::Value>(&call.body).unwrap()["quote_id"].clone())
        .collect();
    assert_eq!(quotes, ["q1", "q2"]);
}

#[wasm_bindgen_test]
async fn a_declined_card_leads_to_the_hosted_checkout() {
    fresh_browser();
    let backend = Backend::new()
        .reply("POST /accept", 200, CARD_DECLINED)
        .reply("POST /accept", 200, CHECKOUT)
        .reply("POST /seen", 204, "");
    let widget = Widget::mount("offer", &backend, Some(&offer("c8", "q1", 5000)));
    widget.is_looked_at(&backend).await;
    widget.click("[part=accept]").await;
    let failed = widget.hears("upsell-failed").await;
    assert_eq!(failed.detail["code"], "declined");
    assert_eq!(backend.received("POST /accept").len(), 1, "no silent second try");
    widget.click("[part=accept]").await;
    let leaving = widget.hears("upsell-navigate").await;
    assert_eq!(leaving.detail["url"], "https://checkout.test/s/1");
    let second: serde_json::Value = serde_json::from_str(&backend.received("POST /accept")[1].body).unwrap();
    assert_eq!(second["pay_with"], "hosted_checkout");
}
