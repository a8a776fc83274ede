//! A click, on a good day and on ordinary bad ones.

use dodo_sim::ProductPatch;
use proxy::{service::charging::ChargeError, store::Execute};
use serde_json::json;
use upsell_core::{
    domain::OfferState,
    journal::{Decline, DeclineOutcome},
};
use wire::{AttemptStatus, FailureReason, PayWith};

use super::rig::{GOOD, KIT, KIT_PRICE, NO_FUNDS, Rig};
use crate::harness::http_client;

/// I1, I3, I8, I9 on the good path.
#[tokio::test]
async fn one_click_is_one_charge_of_the_amount_shown() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let before = rig.dodo.requests_to("GET", "/");
    let attempt = rig.accept(&shown, "key-1").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::Succeeded));
    let receipt = attempt.receipt.unwrap();
    assert_eq!((receipt.amount, receipt.currency.as_str()), (KIT_PRICE, "USD"));
    assert_eq!(receipt.payment_method.unwrap().last4, "4242");
    let charges = rig.dodo.payments_of(shown.offer.customer_id.as_str());
    assert_eq!(charges.len(), 1);
    assert_eq!(charges[0].amount, shown.quote.quote.total);
    assert_eq!(charges[0].payment_id, receipt.reference);
    let metadata = json!(charges[0].metadata);
    assert_eq!(metadata["attempt_id"], json!(attempt.attempt_id));
    assert_eq!(metadata["offer_id"], json!(shown.offer.id));
    assert_eq!(metadata["upsell_source"], "post_purchase");
    assert_eq!(metadata["purchase_type"], "cross_sell");
    assert_eq!(metadata["original_payment_id"], "pay_original");
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
    assert_eq!(rig.dodo.requests_to("GET", "/") - before, 2, "methods before, payment after");
    assert_eq!(rig.offer_state(&shown).await, OfferState::Charged);
    rig.check(&shown).await;
}

/// I2, I3: two tabs, eight clicks, eight keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_clicks_are_one_charge() {
    let rig = std::sync::Arc::new(Rig::start().await);
    let shown = std::sync::Arc::new(rig.shown(Some(GOOD)).await);
    let clicks: Vec<_> = (0..8)
        .map(|click| {
            let (rig, shown) = (rig.clone(), shown.clone());
            tokio::spawn(async move { rig.accept(&shown, &format!("key-{click}")).await })
        })
        .collect();
    let mut succeeded = 0;
    for click in clicks {
        match click.await.unwrap() {
            Ok(attempt) if attempt.status == Some(AttemptStatus::Succeeded) => succeeded += 1,
            Err(ChargeError::AttemptInProgress) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(succeeded >= 1);
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
    assert_eq!(rig.dodo.payments_of(shown.offer.customer_id.as_str()).len(), 1);
}

/// I11.
#[tokio::test]
async fn a_repeated_key_is_answered_alike_and_another_body_refused() {
    let rig = Rig::start().await;
    let mut shown = rig.shown(Some(GOOD)).await;
    let first = rig.accept(&shown, "key-1").await.unwrap();
    // Even after the quote's time the same request gets the same answer.
    rig.pass(400).await;
    assert_eq!(rig.accept(&shown, "key-1").await.unwrap(), first);
    // Another tab, another key: the offer is charged, and that is the answer.
    assert_eq!(rig.accept(&shown, "key-2").await.unwrap(), first);
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
    let other = upsell_core::domain::Fingerprint([9; 32]);
    let request = wire::AcceptRequest {
        offer_id: shown.offer.id.clone(),
        quote_id: shown.quote.quote.id.clone(),
        quantity: None,
        pay_with: None,
        consent: None,
    };
    let key = wire::IdempotencyKey::parse("key-1").unwrap();
    let reused = rig.accept_request(&shown.session, request, key, other).await;
    assert!(matches!(reused, Err(ChargeError::KeyReused)), "{reused:?}");
    // The key of one buyer means nothing to another.
    shown.session.customer_id = rig.dodo.customer(Some(GOOD)).unwrap();
    let foreign = rig.accept(&shown, "key-1").await;
    assert!(matches!(foreign, Err(ChargeError::NotFound)), "{foreign:?}");
}

#[tokio::test]
async fn a_declined_card_is_a_clear_no_and_no_second_try() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(NO_FUNDS)).await;
    let attempt = rig.accept(&shown, "key-1").await.unwrap();
    assert_eq!(attempt.status, Some(AttemptStatus::Failed));
    assert_eq!(attempt.failure, Some(FailureReason::InsufficientFunds));
    assert!(attempt.hosted_checkout_offered);
    assert_eq!(rig.offer_state(&shown).await, OfferState::Failed);
    // Clicking again answers the same; the card is not tried again.
    let again = rig.accept(&shown, "key-2").await.unwrap();
    assert_eq!((again.attempt_id, again.status), (attempt.attempt_id, attempt.status));
    rig.pass(3600).await;
    assert_eq!(rig.dodo.posts_to("/checkouts"), 1);
    assert!(rig.dodo.payments_of(shown.offer.customer_id.as_str()).is_empty());
}

/// I8: the price went up between quote and click.
#[tokio::test]
async fn a_dearer_price_charges_nothing_and_shows_the_new_one() {
    let rig = Rig::start().await;
    let mut shown = rig.shown(Some(GOOD)).await;
    rig.dodo.control().product(KIT, price(KIT_PRICE + 100)).unwrap();
    let Err(ChargeError::QuoteChanged(new)) = rig.accept(&shown, "key-1").await else { panic!("charged") };
    assert_eq!(new.total, KIT_PRICE + 100);
    assert_eq!(rig.dodo.posts_to("/checkouts"), 0);
    assert_eq!(rig.offer_state(&shown).await, OfferState::Presented);
    // The same request gets the same answer; the new quote can be accepted.
    let Err(ChargeError::QuoteChanged(again)) = rig.accept(&shown, "key-1").await else { panic!("charged") };
    assert_eq!(again.id, new.id);
    shown.quote.quote = *new;
    let attempt = rig.accept(&shown, "key-2").await.unwrap();
    assert_eq!(attempt.receipt.unwrap().amount, KIT_PRICE + 100);
}

#[tokio::test]
async fn a_cheaper_price_is_collected_as_it_is() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    rig.dodo.control().product(KIT, price(KIT_PRICE - 100)).unwrap();
    let attempt = rig.accept(&shown, "key-1").await.unwrap();
    assert_eq!(attempt.receipt.unwrap().amount, KIT_PRICE - 100);
    assert_eq!(rig.dodo.payments_of(shown.offer.customer_id.as_str())[0].amount, KIT_PRICE - 100);
}

fn price(amount: i64) -> ProductPatch {
    serde_json::from_value(json!({"price": amount})).unwrap()
}

/// The card that was shown is the one that is charged, or none.
#[tokio::test]
async fn a_card_that_is_gone_is_not_replaced_silently() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let method = rig.stored_quote(&shown).await.payment_method_id.unwrap();
    let url = format!("{}/customers/{}/payment-methods/{method}", rig.dodo.url(), shown.offer.customer_id);
    let deleted = http_client().delete(url).bearer_auth("dodo_test_sim_key").send().await.unwrap();
    assert!(deleted.status().is_success(), "{deleted:?}");
    let Err(ChargeError::QuoteChanged(_)) = rig.accept(&shown, "key-1").await else { panic!("charged") };
    assert_eq!(rig.dodo.posts_to("/checkouts"), 0);
}

#[tokio::test]
async fn an_old_quote_is_refused() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    rig.clock.advance(300);
    let late = rig.accept(&shown, "key-1").await;
    assert!(matches!(late, Err(ChargeError::QuoteExpired)), "{late:?}");
    assert_eq!(rig.dodo.posts_to("/checkouts"), 0);
}

#[tokio::test]
async fn quotes_and_offers_are_their_buyers_own() {
    let rig = Rig::start().await;
    let (mut mine, other) = (rig.shown(Some(GOOD)).await, rig.shown(Some(GOOD)).await);
    mine.quote = other.quote;
    let foreign = rig.accept(&mine, "key-1").await;
    assert!(matches!(foreign, Err(ChargeError::NotFound)), "{foreign:?}");
    let second =
        rig.shown_to(mine.offer.customer_id.clone(), super::rig::purchase_of("prod_mini_bundle")).await;
    mine.quote = second.quote;
    // The buyer's own quote, for another product.
    let swapped = rig.accept(&mine, "key-2").await;
    assert!(matches!(swapped, Err(ChargeError::NotFound)), "{swapped:?}");
    assert_eq!(rig.dodo.posts_to("/checkouts"), 0);
}

/// I7.
#[tokio::test]
async fn a_declined_offer_is_not_charged() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let refusal = Decline {
        offer_id: shown.offer.id.clone(),
        customer_id: shown.offer.customer_id.clone(),
        email: None,
        price: None,
        plan: None,
        reason: None,
        at: shown.offer.created_at,
    };
    assert!(matches!(rig.store.execute(&refusal).await.unwrap(), DeclineOutcome::Declined(_)));
    for pay_with in [None, Some(PayWith::HostedCheckout)] {
        let refused = rig.accept_with(&shown, "key-1", pay_with).await;
        assert!(matches!(refused, Err(ChargeError::OfferGone)), "{refused:?}");
    }
    assert_eq!(rig.dodo.posts_to("/checkouts"), 0);
}

#[tokio::test]
async fn what_was_not_quoted_is_refused() {
    let rig = Rig::start().await;
    let shown = rig.shown(Some(GOOD)).await;
    let unknown = rig.accept_with(&shown, "key-1", Some(PayWith::Other)).await;
    assert!(matches!(unknown, Err(ChargeError::Invalid("pay_with"))), "{unknown:?}");
    let request = wire::AcceptRequest {
        offer_id: shown.offer.id.clone(),
        quote_id: shown.quote.quote.id.clone(),
        quantity: Some(2),
        pay_with: None,
        consent: None,
    };
    let key = wire::IdempotencyKey::parse("key-2").unwrap();
    let other =
        rig.accept_request(&shown.session, request, key, upsell_core::domain::Fingerprint([1; 32])).await;
    assert!(matches!(other, Err(ChargeError::Invalid("quantity"))), "{other:?}");
    assert_eq!(rig.dodo.posts_to("/checkouts"), 0);
    assert_eq!(rig.offer_state(&shown).await, OfferState::Presented);
}
