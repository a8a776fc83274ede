//! A table of wallets.

use dodo_client::ids::PaymentMethodId;
use proptest::prelude::*;
use time::macros::datetime;

use super::*;

const NOW: i64 = datetime!(2026-11-21 12:00 UTC).unix_timestamp();

fn card(id: &str, expiry: Option<(u16, u8)>, used: Option<i64>, recurring: Option<bool>) -> SavedMethod {
    SavedMethod {
        id: PaymentMethodId::parse(id).unwrap(),
        is_card: true,
        card: Some(Card { brand: "visa".into(), last4: "4242".into() }),
        expiry: expiry.map(|(year, month)| ExpiryMonth { year, month }),
        last_used_at: used.map(UnixSeconds),
        recurring_enabled: recurring,
    }
}

fn good(id: &str, used: Option<i64>) -> SavedMethod {
    card(id, Some((2032, 6)), used, None)
}

fn chosen(methods: &[SavedMethod], purpose: Use) -> Option<String> {
    choose(methods, purpose, UnixSeconds(NOW)).map(|(method, _)| method.id.to_string())
}

/// Name, wallet, chosen for one charge, chosen for a subscription.
type Row = (&'static str, Vec<SavedMethod>, Option<&'static str>, Option<&'static str>);

#[test]
fn wallets() {
    let unshowable = SavedMethod { card: None, ..good("pm_a", None) };
    let other_kind = SavedMethod { is_card: false, ..good("pm_a", None) };
    let table: [Row; 17] = [
        ("empty", vec![], None, None),
        ("one good card", vec![good("pm_a", Some(1))], Some("pm_a"), Some("pm_a")),
        ("expired last year", vec![card("pm_a", Some((2025, 12)), None, None)], None, None),
        ("expired last month", vec![card("pm_a", Some((2026, 10)), None, None)], None, None),
        (
            "good to the end of this month",
            vec![card("pm_a", Some((2026, 11)), None, None)],
            Some("pm_a"),
            Some("pm_a"),
        ),
        ("good next month", vec![card("pm_a", Some((2026, 12)), None, None)], Some("pm_a"), Some("pm_a")),
        (
            "early month of a later year",
            vec![card("pm_a", Some((2027, 1)), None, None)],
            Some("pm_a"),
            Some("pm_a"),
        ),
        ("expiry not known", vec![card("pm_a", None, None, None)], Some("pm_a"), Some("pm_a")),
        ("not reusable", vec![card("pm_a", None, None, Some(false))], Some("pm_a"), None),
        ("reusable", vec![card("pm_a", None, None, Some(true))], Some("pm_a"), Some("pm_a")),
        ("used last", vec![good("pm_a", Some(1)), good("pm_b", Some(2))], Some("pm_b"), Some("pm_b")),
        ("never used loses", vec![good("pm_a", None), good("pm_b", Some(1))], Some("pm_b"), Some("pm_b")),
        (
            "expired one used last",
            vec![good("pm_a", Some(1)), card("pm_b", Some((2026, 1)), Some(2), None)],
            Some("pm_a"),
            Some("pm_a"),
        ),
        (
            "the reusable one for a subscription",
            vec![card("pm_a", None, Some(1), Some(true)), card("pm_b", None, Some(2), Some(false))],
            Some("pm_b"),
            Some("pm_a"),
        ),
        (
            "a tie goes to the smaller id",
            vec![good("pm_b", Some(1)), good("pm_a", Some(1))],
            Some("pm_a"),
            Some("pm_a"),
        ),
        ("a card that cannot be shown", vec![unshowable], None, None),
        ("something else than a card", vec![other_kind], None, None),
    ];
    for (name, methods, once, recurring) in table {
        assert_eq!(chosen(&methods, Use::Once).as_deref(), once, "{name}, once");
        assert_eq!(chosen(&methods, Use::Recurring).as_deref(), recurring, "{name}, recurring");
    }
}

#[test]
fn a_card_is_good_until_its_month_is_over_everywhere() {
    let wallet = [card("pm_a", Some((2026, 11)), None, None)];
    let at = |now: OffsetDateTime| choose(&wallet, Use::Once, UnixSeconds(now.unix_timestamp())).is_some();
    assert!(at(datetime!(2026-11-30 23:59:59 UTC)));
    assert!(at(datetime!(2026-12-01 11:59:59 UTC)));
    assert!(!at(datetime!(2026-12-01 12:00 UTC)));
}

/// Dodo answers one code for four conditions; what is claimed is what is left of them, or nothing.
#[test]
fn what_is_left_when_dodo_finds_a_method_not_eligible() {
    let now = UnixSeconds(NOW);
    let good = Some((2032, 6));
    let cards = |expiry, recurring| card("pm_a", expiry, None, recurring);
    for (name, method, purpose, reason) in [
        ("once", cards(good, None), Use::Once, FailureReason::WrongCurrency),
        ("once, not reusable", cards(good, Some(false)), Use::Once, FailureReason::WrongCurrency),
        ("reusable", cards(good, Some(true)), Use::Recurring, FailureReason::WrongCurrency),
        ("perhaps reusable", cards(good, None), Use::Recurring, FailureReason::MethodNotUsable),
        ("not reusable", cards(good, Some(false)), Use::Recurring, FailureReason::MethodNotReusable),
        ("unknown month", cards(None, Some(true)), Use::Once, FailureReason::MethodNotUsable),
        ("its last month", cards(Some((2026, 11)), None), Use::Once, FailureReason::WrongCurrency),
        ("past", cards(Some((2026, 10)), Some(true)), Use::Recurring, FailureReason::ExpiredCard),
    ] {
        assert_eq!(why_not(&method, purpose, now), reason, "{name}");
    }
    // For us it is November until noon of the next day, for Dodo it may be December already.
    let midnight = UnixSeconds(datetime!(2026-11-30 12:00 UTC).unix_timestamp());
    let november = cards(Some((2026, 11)), None);
    assert!(choose(std::slice::from_ref(&november), Use::Once, midnight).is_some());
    assert_eq!(why_not(&november, Use::Once, midnight), FailureReason::ExpiredCard);
}

proptest! {
    /// The order of the list never matters, and what is chosen is usable.
    #[test]
    fn order_does_not_matter(
        wallet in proptest::collection::vec((any::<Option<bool>>(), proptest::option::of(0_i64..4), 2025_u16..2028), 1..7),
        turn: prop::sample::Index,
    ) {
        let methods: Vec<_> = wallet
            .iter()
            .enumerate()
            .map(|(n, (recurring, used, year))| card(&format!("pm_{n}"), Some((*year, 11)), *used, *recurring))
            .collect();
        let mut turned = methods.clone();
        turned.rotate_left(turn.index(methods.len()));
        for purpose in [Use::Once, Use::Recurring] {
            let choice = chosen(&methods, purpose);
            prop_assert_eq!(&choice, &chosen(&turned, purpose));
            let usable = |m: &SavedMethod| {
                m.expiry.is_some_and(|e| e.year > 2025) && (purpose == Use::Once || m.recurring_enabled != Some(false))
            };
            prop_assert_eq!(choice.is_some(), methods.iter().any(usable));
        }
    }
}
