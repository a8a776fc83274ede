use proptest::prelude::*;
use serde_json::json;
use wire::{Currency, Money};

use super::*;
use crate::domain::Named;

const NOW: UnixSeconds = UnixSeconds(1_000_000);

fn live(version: i64, until: i64) -> KeptLink {
    let link = LiveLink { url: format!("https://dodo.example/{version}"), payment_id: None };
    KeptLink { version, link: Some(link), until: UnixSeconds(until) }
}

fn lease(version: i64, until: i64) -> KeptLink {
    KeptLink { version, link: None, until: UnixSeconds(until) }
}

#[test]
fn a_link_is_handed_out_as_long_as_dodo_may_keep_it() {
    let hands_out = |kept: &KeptLink| matches!(next(Some(kept), NOW), Next::HandOut(_));
    assert!(hands_out(&live(3, NOW.0 + 1)));
    assert!(hands_out(&live(3, NOW.0 - 59)), "our clock may be ahead of Dodo's");
    assert_eq!(next(Some(&live(3, NOW.0 - 60)), NOW), Next::Ask(lease(4, NOW.0 + LEASE)));
    assert_eq!(next(None, NOW), Next::Ask(lease(1, NOW.0 + LEASE)));
}

#[test]
fn one_asks_and_the_others_wait_until_the_lease_ends() {
    assert_eq!(next(Some(&lease(1, NOW.0 + 1)), NOW), Next::Wait);
    assert_eq!(next(Some(&lease(1, NOW.0)), NOW), Next::Ask(lease(2, NOW.0 + LEASE)));
}

#[test]
fn an_answer_becomes_a_link_for_as_long_as_dodo_says() {
    let answer = |value| -> PaymentLink { serde_json::from_value(value).unwrap() };
    let link = answer(json!({"payment_link": "https://dodo.example/a", "payment_id": "pay_1",
        "expires_on": "2026-01-01T00:00:00Z"}));
    let kept = answered(&lease(4, 0), Some(&link), NOW);
    assert_eq!((kept.version, kept.until.0), (5, 1_767_225_600));
    assert_eq!(kept.link.unwrap().payment_id.unwrap().as_str(), "pay_1");
    let silent = answer(json!({"payment_link": "https://dodo.example/a"}));
    assert_eq!(answered(&lease(4, 0), Some(&silent), NOW).until.0, NOW.0 + ASSUMED_LIFE);
    for nothing in [None, Some(&PaymentLink::default())] {
        let kept = answered(&lease(4, 0), nothing, NOW);
        assert_eq!(next(Some(&kept), NOW), Next::Ask(lease(6, NOW.0 + LEASE)), "{nothing:?}");
    }
}

#[test]
fn what_is_paid_is_not_charged_by_another_link() {
    let facts = |status: Option<IntentStatus>, at: i64| PaymentFacts {
        payment_id: PaymentId::parse("pay_1").unwrap(),
        customer_id: dodo_client::ids::CustomerId::parse("cus_1").unwrap(),
        status,
        error_code: None,
        payment_link: None,
        amount: Money::new(3000, Currency::parse("USD").unwrap()),
        tax: None,
        at: Some(UnixSeconds(at)),
        created_at: Some(UnixSeconds(at)),
        card: None,
        charge_type: None,
        checkout_session_id: None,
        subscription_id: None,
        cart: None,
        named: Named::Nobody,
        is_whole: true,
    };
    for (status, at, of, expected) in [
        (None, NOW.0, LinkUse::PayDues, LinkPayment::Open),
        (Some(IntentStatus::RequiresPaymentMethod), NOW.0, LinkUse::PayDues, LinkPayment::Open),
        (Some(IntentStatus::Failed), NOW.0, LinkUse::PayDues, LinkPayment::Open),
        (Some(IntentStatus::Processing), 0, LinkUse::PayDues, LinkPayment::Open),
        (Some(IntentStatus::Succeeded), NOW.0 - 599, LinkUse::PayDues, LinkPayment::JustPaid),
        (Some(IntentStatus::Succeeded), NOW.0 - 600, LinkUse::PayDues, LinkPayment::Used),
        (Some(IntentStatus::Succeeded), NOW.0, LinkUse::ReplaceMethod, LinkPayment::Used),
        (Some(IntentStatus::Cancelled), NOW.0, LinkUse::PayDues, LinkPayment::Used),
    ] {
        assert_eq!(is_used(&facts(status.clone(), at), of, NOW), expected, "{status:?} {of:?}");
    }
}

/// What one of several processes does next.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// Reads what is kept, and takes the lease if it may.
    Click(usize),
    /// Gets Dodo's answer, if it had asked.
    Answer(usize),
    /// The same, but the answer is lost.
    Lose(usize),
    /// Time passes.
    Sleep(i64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (0..4_usize).prop_map(Move::Click),
        (0..4_usize).prop_map(Move::Answer),
        (0..4_usize).prop_map(Move::Lose),
        (1..200_i64).prop_map(Move::Sleep),
    ];
    prop::collection::vec(one, 1..60)
}

proptest! {
    /// Whatever the order, never are two links in buyers' hands that Dodo keeps at the same time.
    #[test]
    fn one_link_is_alive_at_a_time(moves in moves()) {
        let (mut kept, mut now, mut made): (Option<KeptLink>, i64, i64) = (None, NOW.0, 0);
        let mut asked: [Option<KeptLink>; 4] = Default::default();
        // Links in buyers' hands, with the end of their lives.
        let mut held: Vec<(String, i64)> = Vec::new();
        for one in moves {
            match one {
                Move::Sleep(seconds) => now += seconds,
                Move::Click(who) => match next(kept.as_ref(), UnixSeconds(now)) {
                    Next::HandOut(link) => {
                        let until = kept.as_ref().unwrap().until.0;
                        if !held.iter().any(|(url, _)| *url == link.url) {
                            held.push((link.url, until));
                        }
                    }
                    Next::Ask(lease) => {
                        kept = Some(lease.clone());
                        asked[who] = Some(lease);
                    }
                    Next::Wait => {}
                },
                Move::Answer(who) | Move::Lose(who) => {
                    let Some(lease) = asked[who].take() else { continue };
                    made += 1;
                    let link = PaymentLink {
                        payment_link: Some(format!("https://dodo.example/{made}")),
                        payment_id: None,
                        expires_on: Some(UnixSeconds(now + 300)),
                    };
                    let answer = matches!(one, Move::Answer(_)).then_some(&link);
                    let new = answered(&lease, answer, UnixSeconds(now));
                    // Written only over what was written before asking.
                    if kept.as_ref() == Some(&lease) {
                        kept = Some(new);
                    }
                }
            }
            let alive = held.iter().filter(|(_, until)| *until > now).count();
            prop_assert!(alive <= 1, "{held:?} at {now}");
        }
    }
}
