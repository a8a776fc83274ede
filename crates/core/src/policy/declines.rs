//! What a refusal means for later: which thing was refused, and whether it may be offered again.
//!
//! Pure. The ledger of refusals is append-only and lives in the store; here it is only read.

use dodo_client::ids::CustomerId;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use wire::{Money, ProductId, UnixSeconds};

use crate::{
    domain::{DeclineEntry, EquivalenceKey},
    rules::DeclinePolicy,
};

/// What is true now of the buyer and of the thing that was refused.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// What it costs; `None` when that is not known.
    pub price: Option<Money>,
    /// The plan that the buyer has, if any is known.
    pub plan: Option<&'a ProductId>,
    /// The time.
    pub now: UnixSeconds,
}

/// The key of a thing offered, the same whichever campaign offers it.
#[must_use]
pub fn equivalence(product_id: &ProductId) -> EquivalenceKey {
    EquivalenceKey(format!("product:{product_id}"))
}

/// Whether the thing stands refused, by the latest entry about it. In doubt it does (invariant I7): a price or a plan
/// that is not known is no reason to ask again.
#[must_use]
pub fn is_refused(
    policy: DeclinePolicy,
    ledger: &[DeclineEntry],
    thing: &EquivalenceKey,
    present: Present<'_>,
) -> bool {
    let Some(last) = ledger.iter().filter(|entry| entry.equivalence == *thing).max_by_key(|entry| entry.at)
    else {
        return false;
    };
    let lifted = match policy {
        DeclinePolicy::NeverAgain => false,
        DeclinePolicy::UntilPriceDrops { percent } => {
            matches!((last.price, present.price), (Some(then), Some(now)) if dropped(then, now, percent))
        }
        DeclinePolicy::CoolDown { days } => {
            let wait = i64::from(days).saturating_mul(86_400);
            present.now.0.saturating_sub(last.at.0) >= wait
        }
        DeclinePolicy::UntilPlanChanges => {
            matches!((&last.plan, present.plan), (Some(then), Some(now)) if then != now)
        }
    };
    !lifted
}

/// Whether `now` is at least `percent` below `then`: `now × 100 ≤ then × (100 − percent)`, in integers.
fn dropped(then: Money, now: Money, percent: u8) -> bool {
    let left = i128::from(then.amount).saturating_mul(i128::from(100_u8.saturating_sub(percent)));
    then.currency == now.currency && i128::from(now.amount).saturating_mul(100) <= left
}

/// The opaque key under which a browser remembers a refusal. It counts the refusals so far: when the policy lets the
/// thing be offered again, the key is a new one and the browser's memory of the old does not hide it.
#[must_use]
pub fn decline_key(
    secret: &SecretString,
    customer_id: &CustomerId,
    thing: &EquivalenceKey,
    ledger: &[DeclineEntry],
) -> String {
    let refusals = ledger.iter().filter(|entry| entry.equivalence == *thing).count();
    // HMAC takes keys of any length, so there is no error to meet; an empty key is what a failure would fall back to.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .unwrap_or_else(|_| Hmac::new(&Default::default()));
    for part in ["decline", customer_id.as_str(), thing.0.as_str(), &refusals.to_string()] {
        mac.update(part.as_bytes());
        mac.update(&[0]);
    }
    let mut key = String::with_capacity(24);
    for byte in mac.finalize().into_bytes().iter().take(12) {
        key.push_str(&format!("{byte:02x}"));
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wire::{Currency, OfferId};

    const DAY: i64 = 86_400;

    fn usd(amount: i64) -> Option<Money> {
        Some(Money::new(amount, Currency::parse("USD").unwrap()))
    }

    fn product(id: &str) -> ProductId {
        ProductId::parse(id).unwrap()
    }

    fn entry(at: i64, price: Option<Money>, plan: Option<&str>) -> DeclineEntry {
        DeclineEntry {
            equivalence: equivalence(&product("prod_x")),
            campaign: "any".to_owned(),
            price,
            plan: plan.map(product),
            at: UnixSeconds(at),
            reason: None,
            offer_id: OfferId::parse("of_1").unwrap(),
        }
    }

    fn refused(
        policy: DeclinePolicy,
        ledger: &[DeclineEntry],
        price: Option<Money>,
        plan: Option<&str>,
        now: i64,
    ) -> bool {
        let plan = plan.map(product);
        let present = Present { price, plan: plan.as_ref(), now: UnixSeconds(now) };
        is_refused(policy, ledger, &equivalence(&product("prod_x")), present)
    }

    #[test]
    fn what_was_never_refused_is_open() {
        assert!(!refused(DeclinePolicy::NeverAgain, &[], usd(1), None, 0));
        let mut other = entry(0, usd(1), None);
        other.equivalence = equivalence(&product("prod_y"));
        assert!(!refused(DeclinePolicy::NeverAgain, &[other], usd(1), None, 0));
    }

    #[test]
    fn a_price_must_drop_by_the_whole_share() {
        let policy = DeclinePolicy::UntilPriceDrops { percent: 20 };
        for (then, now, still) in [
            (usd(1000), usd(1000), true),
            (usd(1000), usd(801), true),
            (usd(1000), usd(800), false),
            (usd(999), usd(800), true),
            (usd(999), usd(799), false),
            (usd(1000), Some(Money::new(1, Currency::parse("JPY").unwrap())), true),
            (usd(1000), None, true),
            (None, usd(1), true),
            (usd(i64::MAX), usd(0), false),
        ] {
            assert_eq!(refused(policy, &[entry(0, then, None)], now, None, DAY), still, "{then:?} {now:?}");
        }
    }

    #[test]
    fn the_latest_refusal_counts() {
        let policy = DeclinePolicy::UntilPriceDrops { percent: 20 };
        let ledger = [entry(0, usd(1000), None), entry(10, usd(700), None)];
        assert!(refused(policy, &ledger, usd(700), None, 20));
        assert!(!refused(policy, &ledger, usd(560), None, 20));
        let ledger = [entry(10, usd(700), None), entry(0, usd(1000), None)];
        assert!(refused(policy, &ledger, usd(700), None, 20));
    }

    #[test]
    fn cooling_down_takes_whole_days() {
        let policy = DeclinePolicy::CoolDown { days: 30 };
        let ledger = [entry(1000, None, None)];
        assert!(refused(policy, &ledger, None, None, 1000 + 30 * DAY - 1));
        assert!(!refused(policy, &ledger, None, None, 1000 + 30 * DAY));
        // A clock that was put back does not bring the offer back.
        assert!(refused(policy, &ledger, None, None, -50 * DAY));
    }

    #[test]
    fn another_plan_is_needed_and_known() {
        let policy = DeclinePolicy::UntilPlanChanges;
        for (then, now, still) in [
            (Some("prod_a"), Some("prod_a"), true),
            (Some("prod_a"), Some("prod_b"), false),
            (Some("prod_a"), None, true),
            (None, Some("prod_b"), true),
        ] {
            assert_eq!(refused(policy, &[entry(0, None, then)], None, now, DAY), still, "{then:?} {now:?}");
        }
    }

    #[test]
    fn the_browsers_key_tells_buyers_things_and_rounds_apart() {
        let secret = SecretString::from("a merchant's secret key");
        let key = |customer: &str, thing: &str, ledger: &[DeclineEntry]| {
            decline_key(&secret, &CustomerId::parse(customer).unwrap(), &equivalence(&product(thing)), ledger)
        };
        let one = key("cus_1", "prod_x", &[]);
        assert_eq!(one, key("cus_1", "prod_x", &[]));
        assert_eq!(one.len(), 24);
        let others = [
            key("cus_2", "prod_x", &[]),
            key("cus_1", "prod_y", &[]),
            key("cus_1", "prod_x", &[entry(0, None, None)]),
        ];
        assert!(!others.contains(&one));
        // A refusal of something else changes nothing.
        assert_eq!(key("cus_1", "prod_y", &[entry(0, None, None)]), key("cus_1", "prod_y", &[]));
    }

    proptest! {
        /// Invariant I7, by default: whatever changes afterwards, a refused thing stays refused.
        #[test]
        fn never_again_is_never(at: i32, now: i32, then: Option<u32>, price: Option<u32>, moved: bool) {
            let ledger = [entry(at.into(), then.and_then(|n| usd(n.into())), Some("prod_a"))];
            let plan = if moved { "prod_b" } else { "prod_a" };
            let price = price.and_then(|n| usd(n.into()));
            prop_assert!(refused(DeclinePolicy::NeverAgain, &ledger, price, Some(plan), now.into()));
        }

        /// A price that did not fall never lifts a refusal.
        #[test]
        fn a_price_that_did_not_fall_lifts_nothing(then in 1_i64.., more in 0_i64..1_000_000, percent in 1_u8..=99) {
            let policy = DeclinePolicy::UntilPriceDrops { percent };
            let ledger = [entry(0, usd(then), None)];
            prop_assert!(refused(policy, &ledger, usd(then.saturating_add(more)), None, DAY));
        }
    }
}
