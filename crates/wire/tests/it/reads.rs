//! What other peers may send: a merchant's own basic backend, and versions of tomorrow.

use serde::de::DeserializeOwned;
use wire::{
    Attempt, AttemptStatus, ErrorCode, FailureReason, IneligibleReason, LineKind, OfferKind, Problem,
    UpsellResponse,
};

use crate::golden;

fn read<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&golden(&format!("read/{name}"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_basic_backend_offers_in_either_spelling() {
    for name in ["smaller_offer_camel_case.json", "smaller_offer_snake_case.json"] {
        let response: UpsellResponse = read(name);
        assert!(response.eligible && response.offer.is_none() && response.quote.is_none(), "{name}");
        assert!(response.payment_method.is_none(), "an id of a payment method is not a card: {name}");
        let product = response.product.unwrap();
        assert_eq!((product.price, product.currency.as_str()), (4900, "USD"), "{name}");
    }
}

#[test]
fn a_basic_backend_may_have_reasons_of_its_own() {
    let response: UpsellResponse = read("smaller_not_eligible.json");
    assert_eq!((response.eligible, response.reason), (false, Some(IneligibleReason::Other)));
}

#[test]
fn a_basic_backend_accepts_in_either_spelling() {
    for name in ["smaller_accepted_camel_case.json", "smaller_accepted_snake_case.json"] {
        let attempt: Attempt = read(name);
        assert_eq!((attempt.success, attempt.status), (true, None), "{name}");
    }
}

#[test]
fn an_error_of_a_basic_backend_is_not_a_problem_of_ours() {
    assert!(serde_json::from_str::<Problem>(&golden("read/smaller_error.json")).is_err());
}

#[test]
fn tomorrow_s_fields_are_ignored_and_its_words_are_other() {
    let response: UpsellResponse = read("offer_of_tomorrow.json");
    assert_eq!(response.offer.unwrap().kind, OfferKind::Other);
    assert_eq!(response.quote.unwrap().lines.first().unwrap().kind, LineKind::Other);
    let attempt: Attempt = read("attempt_of_tomorrow.json");
    assert_eq!((attempt.status, attempt.failure), (Some(AttemptStatus::Other), Some(FailureReason::Other)));
    let problem: Problem = read("problem_of_tomorrow.json");
    assert_eq!(problem.code, ErrorCode::Other);
}

/// What must never be read: an amount that is no integer, a currency that is none, an id that could leave its path.
#[test]
fn nonsense_is_refused() {
    let good = golden("upsell_offered.json");
    for (what, with) in [
        ("\"price\": 8000", "\"price\": 80.5"),
        ("\"price\": 8000", "\"price\": \"8000\""),
        ("\"price\": 8000", "\"price\": 9223372036854775808"),
        ("\"currency\": \"USD\"", "\"currency\": \"usd\""),
        ("\"currency\": \"USD\"", "\"currency\": \"US\""),
        ("\"id\": \"prod_pro_plan\"", "\"id\": \"../secrets\""),
        ("\"id\": \"prod_pro_plan\"", "\"id\": \"\""),
        ("\"quantity\": 1", "\"quantity\": -1"),
        ("\"expires_in\": 300", "\"expires_in\": -300"),
        ("\"eligible\": true", "\"eligible\": \"true\""),
    ] {
        assert!(good.contains(what), "{what} is not in the file");
        assert!(serde_json::from_str::<UpsellResponse>(&good.replace(what, with)).is_err(), "{with}");
    }
}
