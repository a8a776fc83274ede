//! What this crate writes, it has always written: every type that crosses the network has at least one file, and comes
//! out of it unchanged.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::golden;

fn again<T: DeserializeOwned + Serialize>(text: &str) -> Value {
    serde_json::to_value(serde_json::from_str::<T>(text).unwrap()).unwrap()
}

type Again = fn(&str) -> Value;

/// File, and the type that it is of.
const FILES: [(&str, Again); 45] = [
    ("upsell_offered.json", again::<wire::UpsellResponse>),
    ("upsell_without_card.json", again::<wire::UpsellResponse>),
    ("upsell_ineligible.json", again::<wire::UpsellResponse>),
    ("upsell_accepted_before.json", again::<wire::UpsellResponse>),
    ("accept_request.json", again::<wire::AcceptRequest>),
    ("accept_request_hosted.json", again::<wire::AcceptRequest>),
    ("attempt_succeeded.json", again::<wire::Attempt>),
    ("attempt_scheduled.json", again::<wire::Attempt>),
    ("attempt_processing.json", again::<wire::Attempt>),
    ("attempt_failed.json", again::<wire::Attempt>),
    ("attempt_failed_wrong_currency.json", again::<wire::Attempt>),
    ("attempt_failed_method_not_reusable.json", again::<wire::Attempt>),
    ("attempt_requires_customer_action.json", again::<wire::Attempt>),
    ("attempt_checkout_required.json", again::<wire::Attempt>),
    ("decline_request.json", again::<wire::DeclineRequest>),
    ("decline_response_downsell.json", again::<wire::DeclineResponse>),
    ("decline_response_nothing.json", again::<wire::DeclineResponse>),
    ("seen_request.json", again::<wire::SeenRequest>),
    ("plans.json", again::<wire::PlansResponse>),
    ("plans_usage.json", again::<wire::PlansResponse>),
    ("plans_leaving.json", again::<wire::PlansResponse>),
    ("stay_offer_request.json", again::<wire::StayOfferRequest>),
    ("stay_offer_response.json", again::<wire::StayOfferResponse>),
    ("stay_offer_response_nothing.json", again::<wire::StayOfferResponse>),
    ("plans_share.json", again::<wire::PlansResponse>),
    ("preview_request.json", again::<wire::PreviewRequest>),
    ("preview_response.json", again::<wire::PreviewResponse>),
    ("change_request.json", again::<wire::ChangeRequest>),
    ("payment_method_link.json", again::<wire::PaymentMethodLink>),
    ("problem_quote_changed.json", again::<wire::Problem>),
    ("problem_sign_in_required.json", again::<wire::Problem>),
    ("problem_rate_limited.json", again::<wire::Problem>),
    ("session_request.json", again::<wire::SessionRequest>),
    ("session_request_usage.json", again::<wire::SessionRequest>),
    ("session_request_signed_in.json", again::<wire::SessionRequest>),
    ("session_request_browser.json", again::<wire::SessionRequest>),
    ("session_response.json", again::<wire::SessionResponse>),
    ("handover_response.json", again::<wire::HandoverResponse>),
    ("take_over_request.json", again::<wire::TakeOverRequest>),
    ("event_request.json", again::<wire::EventRequest>),
    ("checkout_request.json", again::<wire::CheckoutRequest>),
    ("checkout_request_browser.json", again::<wire::CheckoutRequest>),
    ("checkout_response.json", again::<wire::CheckoutResponse>),
    ("redeem_request.json", again::<wire::RedeemRequest>),
    ("redeem_request_browser.json", again::<wire::RedeemRequest>),
];

#[test]
fn every_file_comes_out_as_it_went_in() {
    for (name, again) in FILES {
        let text = golden(name);
        let original: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(again(&text), original, "{name}");
    }
}

#[test]
fn every_file_is_tested() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let present: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    let tested: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(present, tested);
}

#[test]
fn every_quote_adds_up() {
    let quotes = [
        serde_json::from_str::<wire::UpsellResponse>(&golden("upsell_offered.json")).unwrap().quote.unwrap(),
        serde_json::from_str::<wire::PreviewResponse>(&golden("preview_response.json")).unwrap().quote,
        *serde_json::from_str::<wire::Problem>(&golden("problem_quote_changed.json")).unwrap().quote.unwrap(),
    ];
    for quote in quotes {
        assert!(quote.adds_up(), "{quote:?}");
        let mut wrong = quote.clone();
        wrong.total += 1;
        assert!(!wrong.adds_up());
        let mut wrong = quote;
        wrong.lines.pop();
        assert!(!wrong.adds_up());
    }
}

#[test]
fn tokens_and_nonces_do_not_print() {
    let session: wire::SessionResponse = serde_json::from_str(&golden("session_response.json")).unwrap();
    let redeem: wire::RedeemRequest = serde_json::from_str(&golden("redeem_request_browser.json")).unwrap();
    let checkout: wire::CheckoutRequest =
        serde_json::from_str(&golden("checkout_request_browser.json")).unwrap();
    let handed: wire::HandoverResponse = serde_json::from_str(&golden("handover_response.json")).unwrap();
    let taken: wire::TakeOverRequest = serde_json::from_str(&golden("take_over_request.json")).unwrap();
    let minted: wire::SessionRequest = serde_json::from_str(&golden("session_request_browser.json")).unwrap();
    assert!(!format!("{session:?}").contains(&session.token));
    let printed = format!("{redeem:?} {checkout:?} {handed:?} {taken:?} {minted:?}");
    let secrets = [
        Some(redeem.nonce),
        redeem.browser,
        checkout.browser,
        Some(handed.code),
        Some(taken.code),
        Some(taken.browser),
        minted.browser,
    ];
    assert!(secrets.into_iter().flatten().all(|secret| !printed.contains(&secret)), "{printed}");
}
