//! Sessions, nonces, purchases, events.

use dodo_client::ids::PaymentMethodId;
use secrecy::ExposeSecret;
use upsell_core::{
    domain::{Billing, Browser, Confirmation, Purchase, Session, TokenHash, TriggerEvent},
    journal::fixtures::email,
};
use wire::{FeatureUsage, Purpose, Trigger};

use super::*;
use crate::store::People;

fn session(byte: u8) -> Session {
    Session {
        token: TokenHash([byte; 32]),
        customer_id: customer("cus_1"),
        signed_in: true,
        purpose: Purpose::Plans,
        trigger: Trigger::NearPlanLimit,
        payment_id: Some(payment("pay_1")),
        newest: Some(payment("pay_0")),
        subscription_id: Some(subscription()),
        locale: Some("ja".into()),
        country: Some("JP".into()),
        usage: vec![FeatureUsage { feature: "lessons".into(), used: 9_007_199_254_740_991 }],
        browser: None,
        expires_at: UnixSeconds(NOW.0 + 900),
        confirmation: Confirmation::Confirmed,
    }
}

#[tokio::test]
async fn a_session_is_revoked_only_before_it_is_confirmed() {
    let (_folder, store) = fresh().await;
    let pending = |byte| Session { confirmation: Confirmation::Pending, ..session(byte) };
    for byte in [1, 2] {
        store.put_session(&pending(byte)).await.unwrap();
    }
    let [one, other] = [TokenHash([1; 32]), TokenHash([2; 32])];
    assert_eq!(store.session(one, NOW).await.unwrap(), Some(pending(1)));
    store.confirm_session(one).await.unwrap();
    store.revoke_session(one).await.unwrap();
    store.revoke_session(other).await.unwrap();
    assert_eq!(store.session(one, NOW).await.unwrap(), Some(session(1)));
    assert_eq!(store.session(other, NOW).await.unwrap(), None);
    // What is gone stays gone.
    store.confirm_session(other).await.unwrap();
    assert_eq!(store.session(other, NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_session_is_found_until_it_is_over() {
    let (_folder, store) = fresh().await;
    store.put_session(&session(1)).await.unwrap();
    let token = TokenHash([1; 32]);
    assert_eq!(store.session(token, NOW).await.unwrap(), Some(session(1)));
    assert_eq!(store.session(TokenHash([2; 32]), NOW).await.unwrap(), None);
    assert_eq!(store.session(token, UnixSeconds(NOW.0 + 900)).await.unwrap(), None);
    assert_eq!(purge(&store, Purge::Sessions, UnixSeconds(NOW.0 + 901)).await, 1);
    assert_eq!(store.session(token, NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_session_follows_one_purchase_for_good() {
    let (_folder, store) = fresh().await;
    let open = Session { payment_id: None, newest: None, signed_in: false, ..session(1) };
    store.put_session(&open).await.unwrap();
    for id in ["pay_1", "pay_2"] {
        store.follow_purchase(open.token, &payment(id)).await.unwrap();
        let found = store.session(open.token, NOW).await.unwrap();
        assert_eq!(found, Some(Session { newest: Some(payment("pay_1")), ..open.clone() }));
    }
}

fn browser(byte: u8) -> Browser {
    Browser { secret: TokenHash([byte; 32]), outlives_page: byte.is_multiple_of(2) }
}

/// I24: of browsers that use a token at the same time, one is bound, and a bound session stays so.
#[tokio::test]
async fn i24_a_session_is_bound_to_whoever_comes_first() {
    let (_folder, store) = fresh().await;
    store.put_session(&session(1)).await.unwrap();
    let token = TokenHash([1; 32]);
    let tries: Vec<_> = (0..8)
        .map(|byte| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                store.bind_session(token, &browser(byte)).await.unwrap().then_some(browser(byte))
            })
        })
        .collect();
    let mut bound = Vec::new();
    for attempt in tries {
        bound.extend(attempt.await.unwrap());
    }
    assert_eq!(bound.len(), 1, "{bound:?}");
    assert_eq!(store.session(token, NOW).await.unwrap().unwrap().browser, Some(bound[0]));
    assert!(!store.bind_session(token, &browser(9)).await.unwrap());
    assert!(!store.bind_session(TokenHash([2; 32]), &browser(9)).await.unwrap(), "there is no such session");
    for byte in [10, 11] {
        let named = Session { browser: Some(browser(byte)), ..session(byte) };
        store.put_session(&named).await.unwrap();
        assert!(!store.bind_session(named.token, &browser(9)).await.unwrap(), "bound when it was minted");
        assert_eq!(store.session(named.token, NOW).await.unwrap(), Some(named));
    }
}

#[tokio::test]
async fn a_one_time_code_is_taken_once() {
    let (_folder, store) = fresh().await;
    let parent = Session { browser: Some(browser(2)), ..session(1) };
    store.put_session(&parent).await.unwrap();
    let (earlier, code, until) = (TokenHash([5; 32]), TokenHash([6; 32]), UnixSeconds(NOW.0 + 120));
    store.put_handover(parent.token, earlier, until).await.unwrap();
    store.put_handover(parent.token, code, until).await.unwrap();
    assert_eq!(store.take_handover(earlier, NOW).await.unwrap(), None, "a later one is in its place");
    assert_eq!(store.take_handover(code, until).await.unwrap(), None, "over");
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.take_handover(code, NOW).await.unwrap() })
        })
        .collect();
    let mut taken = Vec::new();
    for attempt in tries {
        taken.extend(attempt.await.unwrap());
    }
    assert_eq!(taken, std::slice::from_ref(&parent));
    assert_eq!(store.take_handover(code, NOW).await.unwrap(), None);
}

/// The key is made with the store and stays, so that hashes of e-mail addresses do.
#[tokio::test]
async fn the_key_of_e_mail_addresses_stays() {
    let (place, store) = fresh().await;
    let key = store.email_key().expose_secret().to_owned();
    assert!(key.len() >= 43, "256 bits");
    store.close().await;
    drop(store);
    let again = opened(&place, &place.tenant).await;
    assert_eq!(again.email_key().expose_secret(), key);
    let other = Tenant { merchant: format!("{}-other", place.tenant.merchant), ..place.tenant.clone() };
    again.close().await;
    drop(again);
    let other = opened(&place, &other).await;
    assert_ne!(other.email_key().expose_secret(), key, "another tenant");
}

#[tokio::test]
async fn a_nonce_is_redeemed_once_by_whoever_comes_first() {
    let (_folder, store) = fresh().await;
    let nonce = TokenHash([9; 32]);
    let checkout = dodo_client::ids::CheckoutSessionId::parse("cks_1").unwrap();
    let browser = TokenHash([7; 32]);
    store.put_nonce(nonce, browser, &checkout, UnixSeconds(NOW.0 + 900)).await.unwrap();
    assert_eq!(store.redeem_nonce(nonce, browser, UnixSeconds(NOW.0 + 900)).await.unwrap(), None, "over");
    assert_eq!(store.nonce(nonce, browser, NOW).await.unwrap(), Some(checkout.clone()));
    let other = TokenHash([8; 32]);
    assert_eq!(store.nonce(nonce, other, NOW).await.unwrap(), None, "another browser");
    assert_eq!(store.redeem_nonce(nonce, other, NOW).await.unwrap(), None, "another browser");
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.redeem_nonce(nonce, browser, NOW).await.unwrap() })
        })
        .collect();
    let mut redeemed = Vec::new();
    for attempt in tries {
        redeemed.extend(attempt.await.unwrap());
    }
    assert_eq!(redeemed, std::slice::from_ref(&checkout));
    assert_eq!(store.nonce(nonce, browser, NOW).await.unwrap(), None);
    store.put_nonce(TokenHash([8; 32]), browser, &checkout, NOW).await.unwrap();
    assert_eq!(purge(&store, Purge::Nonces, NOW).await, 0, "not over yet");
    assert_eq!(purge(&store, Purge::Nonces, after(1)).await, 1);
}

fn bought(product_ids: Vec<ProductId>, billing: Option<Billing>) -> Purchase {
    Purchase {
        payment_id: payment("pay_1"),
        customer_id: customer("cus_1"),
        email: billing.is_some().then(email),
        payment_method_id: billing.is_some().then(|| PaymentMethodId::parse("pm_1").unwrap()),
        product_ids,
        subscription_id: None,
        billing,
        paid_at: NOW,
    }
}

#[tokio::test]
async fn a_later_report_of_a_purchase_adds_and_never_wipes_out() {
    let (_folder, store) = fresh().await;
    let billing = Billing { country: "DE".into(), state: None, zipcode: None };
    let full = bought(vec![product("prod_a")], Some(billing));
    store.upsert_purchase(&bought(Vec::new(), None)).await.unwrap();
    store.upsert_purchase(&full).await.unwrap();
    store.upsert_purchase(&bought(Vec::new(), None)).await.unwrap();
    let found = store.purchase(&customer("cus_1"), &payment("pay_1")).await.unwrap();
    assert_eq!(found.as_ref(), Some(&full));
    assert_eq!(store.latest_purchase(&customer("cus_1")).await.unwrap(), Some(full));
    assert_eq!(store.purchase(&customer("cus_2"), &payment("pay_1")).await.unwrap(), None, "another buyer");
}

#[tokio::test]
async fn the_latest_purchase_is_by_time_of_payment() {
    let (_folder, store) = fresh().await;
    for (id, at) in [("pay_old", 10), ("pay_new", 30), ("pay_mid", 20)] {
        let purchase = Purchase {
            payment_id: payment(id),
            paid_at: UnixSeconds(at),
            ..bought(vec![product("prod_a")], None)
        };
        store.upsert_purchase(&purchase).await.unwrap();
    }
    let latest = store.latest_purchase(&customer("cus_1")).await.unwrap().unwrap();
    assert_eq!(latest.payment_id, payment("pay_new"));
    let all = store.purchases_of(&customer("cus_1")).await.unwrap();
    let times: Vec<_> = all.iter().map(|purchase| purchase.paid_at.0).collect();
    assert_eq!(times, [30, 20, 10]);
}

#[tokio::test]
async fn the_latest_event_of_each_kind_is_found() {
    let (_folder, store) = fresh().await;
    let event = |id: &str, trigger, at| TriggerEvent {
        id: id.into(),
        customer_id: customer("cus_1"),
        trigger,
        subscription_id: None,
        at: UnixSeconds(at),
    };
    for event in [
        event("ev_1", Trigger::NearPlanLimit, 1),
        event("ev_2", Trigger::NearPlanLimit, 2),
        event("ev_3", Trigger::OnboardingDone, 3),
    ] {
        store.put_trigger(&event).await.unwrap();
    }
    let latest = |trigger| {
        let store = Arc::clone(&store);
        async move { store.latest_trigger(&customer("cus_1"), trigger).await.unwrap().map(|event| event.id) }
    };
    assert_eq!(latest(Trigger::NearPlanLimit).await.as_deref(), Some("ev_2"));
    assert_eq!(latest(Trigger::OnboardingDone).await.as_deref(), Some("ev_3"));
    assert_eq!(latest(Trigger::UsageMilestone).await, None);
}
