use dodo_client::ids::{CustomerId, PaymentId};
use proptest::prelude::*;
use wire::{AttemptId, Currency, FailureReason, Product, ProductId, Purpose, Receipt, Trigger};

use super::*;
use crate::domain::Confirmation;

fn browser(secret: u8, outlives_page: bool) -> Browser {
    Browser { secret: TokenHash([secret; 32]), outlives_page }
}

fn session(browser: Option<Browser>) -> Session {
    Session {
        token: TokenHash([0; 32]),
        customer_id: CustomerId::parse("cus_1").unwrap(),
        signed_in: true,
        purpose: Purpose::Offer,
        trigger: Trigger::NearPlanLimit,
        payment_id: PaymentId::parse("pay_1").ok(),
        newest: None,
        subscription_id: None,
        locale: Some("ja".into()),
        country: Some("JP".into()),
        usage: Vec::new(),
        browser,
        expires_at: UnixSeconds(1000),
        confirmation: Confirmation::Confirmed,
    }
}

#[test]
fn a_session_answers_to_one_browser() {
    let (kept, other, page, reloaded) =
        (browser(1, true), browser(2, true), browser(3, false), browser(4, false));
    let cases = [
        (None, None, Access::Unnamed),
        (None, Some(kept), Access::Bind(kept)),
        (None, Some(page), Access::Bind(page)),
        (Some(kept), None, Access::Unnamed),
        (Some(kept), Some(kept), Access::Everything),
        (Some(kept), Some(other), Access::BoundElsewhere),
        // Whoever says that they keep nothing learns nothing of a browser that does.
        (Some(kept), Some(page), Access::BoundElsewhere),
        (Some(page), None, Access::Unnamed),
        (Some(page), Some(page), Access::Everything),
        (Some(page), Some(reloaded), Access::ChargeState),
        (Some(page), Some(other), Access::BoundElsewhere),
    ];
    for (bound, caller, expected) in cases {
        assert_eq!(access(bound, caller), expected, "{bound:?} {caller:?}");
    }
}

#[test]
fn the_state_of_a_charge_says_nothing_of_the_buyer() {
    let attempt = Attempt {
        success: false,
        status: Some(AttemptStatus::RequiresCustomerAction),
        attempt_id: AttemptId::parse("at_1").ok(),
        receipt: Some(Receipt {
            reference: "pay_2".into(),
            name: "Toolkit".into(),
            amount: 1900,
            currency: Currency::parse("USD").unwrap(),
            tax: 0,
            credit: 0,
            at: UnixSeconds(0),
            payment_method: None,
            renewal: None,
        }),
        failure: Some(FailureReason::InsufficientFunds),
        hosted_checkout_offered: true,
        checkout_url: Some("https://checkout.example/s".into()),
    };
    let answer = |reason, attempt| UpsellResponse { attempt, ..UpsellResponse::ineligible(reason) };
    let said = charge_state_of(&answer(IneligibleReason::InProgress, Some(attempt.clone()))).unwrap();
    let said = serde_json::to_value(said).unwrap();
    assert_eq!(
        said,
        serde_json::json!({
            "eligible": false, "reason": "in_progress",
            "attempt": {
                "success": false, "status": "requires_customer_action", "attempt_id": "at_1",
                "hosted_checkout_offered": false,
            },
        })
    );
    let unpaid = Attempt { status: Some(AttemptStatus::CheckoutRequired), ..attempt.clone() };
    for (reason, attempt) in [
        (IneligibleReason::Declined, Some(attempt)),
        (IneligibleReason::InProgress, Some(unpaid)),
        (IneligibleReason::Accepted, None),
    ] {
        assert_eq!(charge_state_of(&answer(reason, attempt)), None, "{reason:?}");
    }
    let offer = UpsellResponse {
        eligible: true,
        reason: None,
        product: Some(Product {
            id: ProductId::parse("prod_1").unwrap(),
            name: "Toolkit".into(),
            price: 1900,
            currency: Currency::parse("USD").unwrap(),
            period: None,
            description: None,
            image: None,
        }),
        ..UpsellResponse::ineligible(IneligibleReason::Accepted)
    };
    assert_eq!(charge_state_of(&offer), None);
}

#[test]
fn a_page_of_another_origin_gets_a_session_of_its_own() {
    let parent = session(Some(browser(1, true)));
    let child = handed_over(&parent, TokenHash([9; 32]), browser(2, true));
    assert_eq!(
        child,
        Session { token: TokenHash([9; 32]), browser: Some(browser(2, true)), ..parent.clone() }
    );
    assert_eq!(access(child.browser, parent.browser), Access::BoundElsewhere, "one binding each");
    assert_eq!(access(parent.browser, child.browser), Access::BoundElsewhere, "one binding each");
    assert_eq!(handover_until(&parent, UnixSeconds(500)), UnixSeconds(500 + HANDOVER_LIFE));
    assert_eq!(handover_until(&parent, UnixSeconds(990)), UnixSeconds(1000), "no longer than its session");
}

/// A deed of somebody with the token of one session.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Reads the session, so as to decide later.
    Read(u8),
    /// Decides over what was read, writes the binding where it is still free, and decides again if it was not.
    Decide(u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let caller = 0_u8..6;
    let act = prop_oneof![caller.clone().prop_map(Act::Read), caller.prop_map(Act::Decide)];
    prop::collection::vec(act, 1..40)
}

/// Callers 0 to 4 are browsers, of which 3 and 4 keep nothing; 5 has no secret.
fn named(caller: u8) -> Option<Browser> {
    (caller < 5).then(|| browser(caller, caller < 3))
}

proptest! {
    /// I24: in every order, with reads that are out of date by the time of the write, at most one browser ever has everything,
    /// nobody without a secret has anything, and a state is told only where neither side keeps anything.
    #[test]
    fn i24_at_most_one_browser_has_everything(at_minting in prop::option::of(0_u8..5), acts in acts()) {
        let mut bound = at_minting.and_then(named);
        let minted = bound;
        let mut read = [bound; 6];
        let mut served = std::collections::BTreeSet::new();
        for act in acts {
            match act {
                Act::Read(caller) => read[usize::from(caller)] = bound,
                Act::Decide(caller) => {
                    let me = named(caller);
                    let mut found = read[usize::from(caller)];
                    if let Access::Bind(browser) = access(found, me) {
                        // The guarded update.
                        if bound.is_none() {
                            bound = Some(browser);
                        }
                        found = bound;
                    }
                    match access(found, me) {
                        Access::Everything => {
                            served.insert(caller);
                        }
                        Access::ChargeState => prop_assert!(
                            !found.unwrap().outlives_page && !me.unwrap().outlives_page
                        ),
                        Access::BoundElsewhere => prop_assert!(me.is_some() && found != me),
                        Access::Unnamed => prop_assert_eq!(caller, 5),
                        Access::Bind(_) => prop_assert!(false, "bound by now"),
                    }
                }
            }
        }
        prop_assert!(served.len() <= 1, "{:?}", served);
        prop_assert!(!served.contains(&5));
        if let Some(minted) = minted {
            prop_assert!(served.iter().all(|caller| named(*caller) == Some(minted)));
        }
    }
}
