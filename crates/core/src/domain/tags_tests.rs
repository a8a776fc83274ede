use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use secrecy::SecretString;

use super::*;
use crate::domain::{KeysError, KnownKey, Named, TagKeyError};

fn key(id: &str, byte: u8) -> String {
    format!("{id}:{}", STANDARD.encode([byte; 32]))
}

fn keys(text: &str) -> TagKeys {
    TagKeys::parse(&SecretString::from(text.to_owned())).unwrap()
}

fn signed(tags: &Tags, by: &TagKeys) -> Metadata {
    tags.signed_over(&Metadata::default(), by).unwrap()
}

fn change() -> Tags {
    Tags {
        kind: AttemptKind::PlanChange,
        addons: vec![(AddonId::parse("adn_seats").unwrap(), 3), (AddonId::parse("adn_b").unwrap(), 1)],
        subscription: Some(SubscriptionId::parse("sub_1").unwrap()),
        offer: None,
        ..Tags::example()
    }
}

#[test]
fn what_is_written_is_read_back_as_proven() {
    let by = TagKeys::example();
    for kind in [AttemptKind::OneClick, AttemptKind::Hosted, AttemptKind::PlanChange] {
        for tags in [Tags { kind, ..Tags::example() }, Tags { kind, ..change() }] {
            assert_eq!(Named::read(&signed(&tags, &by), &by), Named::Proven(Box::new(tags)));
        }
    }
}

/// The pairs that an earlier change left on a subscription are none of a later one's.
#[test]
fn pairs_of_an_earlier_charge_are_dropped() {
    let by = TagKeys::example();
    let earlier = signed(&Tags::example(), &by);
    let mut others = earlier.clone();
    others.insert("crm", "42");
    let later = change().signed_over(&others, &by).unwrap();
    assert_eq!(later.text("crm"), Some("42"));
    assert_eq!(Named::read(&later, &by), Named::Proven(Box::new(change())));
}

/// I16: each pair that is read is covered. Changed, dropped, added or moved, it is worth no more than a name.
#[test]
fn no_pair_can_be_changed() {
    let by = TagKeys::example();
    for tags in [Tags::example(), change()] {
        let whole = signed(&tags, &by);
        for key in COVERED {
            for value in [None, Some(""), Some("x"), Some("1"), Some("prod_other:1"), whole.text(ATTEMPT)] {
                if whole.text(key) == value {
                    continue;
                }
                let mut forged = whole.without(|other| other == key);
                if let Some(value) = value {
                    forged.insert(key, value);
                }
                assert!(!matches!(Named::read(&forged, &by), Named::Proven(_)), "{key} as {value:?}");
            }
        }
    }
}

#[test]
fn only_known_keys_verify_and_the_first_signs() {
    let (old, new) = (key("k1", 1), key("k2", 2));
    let before = signed(&Tags::example(), &keys(&old));
    let after = signed(&Tags::example(), &keys(&format!("{new} {old}")));
    let proven = |metadata: &Metadata, by: &str| matches!(Named::read(metadata, &keys(by)), Named::Proven(_));
    assert!(proven(&before, &format!("{new},{old}")), "an old code stays good while its key is given");
    assert!(proven(&after, &new));
    assert!(!proven(&before, &new), "taken out");
    assert!(!proven(&after, &old));
    assert!(!proven(&before, &key("k1", 2)), "another key of the same id");
}

#[test]
fn keys_that_anybody_could_have_are_refused() {
    let refused = |text: &str| TagKeys::parse(&SecretString::from(text.to_owned())).err();
    assert_eq!(refused(""), Some(TagKeyError::Empty));
    assert_eq!(refused(" , "), Some(TagKeyError::Empty));
    assert_eq!(refused("k1:AAAA"), Some(TagKeyError::TooShort(3)));
    for form in ["k1", "AAAA", ":AAAA", "K1:AAAA", "k.1:AAAA", "k1:!!", "a-very-long-identifier:AAAA"] {
        assert_eq!(refused(form), Some(TagKeyError::Form), "{form}");
    }
    assert_eq!(refused(&format!("{} {}", key("k1", 1), key("k1", 2))), Some(TagKeyError::SameId));
    assert_eq!(format!("{:?}", keys(&key("k1", 1))).matches("AQEB").count(), 0);
}

/// A start without a key that charges were signed with is refused, until somebody says that it may be missing.
#[test]
fn a_key_that_was_seen_has_to_be_given() {
    let (old, new) = (keys(&key("k1", 1)), keys(&format!("{} {}", key("k2", 2), key("k1", 1))));
    let seen = |retired_at| KnownKey {
        key: old.all().next().unwrap().fingerprinted(),
        seen_at: wire::UnixSeconds(1),
        retired_at,
    };
    assert_eq!(new.check(&[seen(None)]), Ok(()));
    assert_eq!(keys(&key("k2", 2)).check(&[seen(None)]), Err(KeysError::Missing("k1".into())));
    assert_eq!(keys(&key("k2", 2)).check(&[seen(Some(wire::UnixSeconds(2)))]), Ok(()));
    assert_eq!(keys(&key("k1", 3)).check(&[seen(None)]), Err(KeysError::Changed("k1".into())));
}

#[test]
fn more_than_dodo_keeps_is_refused_before_it_is_sent() {
    let by = TagKeys::example();
    let many: Metadata = (0..40).map(|n| (format!("crm_{n}"), "x")).collect();
    assert_eq!(Tags::example().signed_over(&many, &by), Err(TagsError::TooManyPairs));
    let plan = |addons: usize| ChargePlan::PlanChange {
        subscription_id: SubscriptionId::parse("sub_1").unwrap(),
        product_id: ProductId::parse("prod_pro").unwrap(),
        quantity: 1,
        addons: (0..addons).map(|n| (AddonId::parse(format!("adn_{n:060}")).unwrap(), 1)).collect(),
        proration: dodo_client::types::plan_changes::ProrationMode::DifferenceImmediately,
        effective_at: wire::EffectiveAt::Immediately,
    };
    assert_eq!(Tags::check(&plan(1), &many), Err(TagsError::TooManyPairs));
    assert_eq!(Tags::check(&plan(1), &Metadata::default()), Ok(()));
    assert_eq!(Tags::check(&plan(8), &Metadata::default()), Err(TagsError::ValueTooLong(ADDONS)));
}

proptest! {
    /// I16: whatever a buyer writes, in any combination with what was signed for something else, is a name and no proof.
    #[test]
    fn what_a_buyer_writes_is_never_proof(
        picks in prop::collection::vec((0_usize..COVERED.len() + 1, 0_usize..4, "[a-z0-9_:,.]{0,12}"), 0..20),
    ) {
        let by = TagKeys::example();
        let seen = [signed(&Tags::example(), &by), signed(&change(), &by)];
        let mut forged = Metadata::default();
        for (key, from, text) in picks {
            let key = COVERED.get(key).copied().unwrap_or(AUTH);
            match from {
                0 | 1 => if let Some(value) = seen[from].text(key) { forged.insert(key, value) },
                2 => forged.insert(key, text),
                _ => forged = forged.without(|other| other == key),
            }
        }
        let is_copy = |of: &Metadata| COVERED.iter().chain([&AUTH]).all(|key| forged.text(key) == of.text(key));
        if !seen.iter().any(is_copy) {
            prop_assert!(!matches!(Named::read(&forged, &by), Named::Proven(_)));
        }
    }
}
