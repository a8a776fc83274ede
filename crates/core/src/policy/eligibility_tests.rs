//! The shipped rules, and buyers of every kind.

use proptest::prelude::*;
use wire::{Currency, OfferId};

use super::*;
use crate::{policy::declines::equivalence, rules::DeclinePolicy};

fn rules() -> Rules {
    Rules::parse(include_str!("../../../proxy/upsell.toml")).unwrap()
}

fn product(id: &str) -> ProductId {
    ProductId::parse(id).unwrap()
}

fn refusal(of: &str, at: i64) -> DeclineEntry {
    DeclineEntry {
        offer_id: OfferId::parse("of_1").unwrap(),
        equivalence: equivalence(&product(of)),
        campaign: "another campaign".into(),
        price: usd(10_000),
        plan: Some(product("prod_basic_plan")),
        reason: None,
        at: UnixSeconds(at),
    }
}

fn usd(amount: i64) -> Option<Money> {
    Some(Money::new(amount, Currency::parse("USD").unwrap()))
}

#[derive(Default)]
struct Buyer {
    bought: Vec<ProductId>,
    plan: Option<ProductId>,
    /// On hold, about to end, or with a change booked.
    stuck: bool,
    owned: BTreeSet<ProductId>,
    ledger: Vec<DeclineEntry>,
}

impl Buyer {
    fn of(bought: &str) -> Self {
        Self { bought: vec![product(bought)], ..Self::default() }
    }

    fn facts<'a>(
        &'a self,
        trigger: Trigger,
        price: &'a dyn Fn(&ProductId) -> Option<Money>,
        now: i64,
    ) -> Facts<'a> {
        Facts {
            trigger,
            bought: &self.bought,
            plan: self.plan.as_ref(),
            plan_can_change: self.plan.is_some() && !self.stuck,
            owned: &self.owned,
            ledger: &self.ledger,
            price,
            direction: &|_| ChangeKind::Switch,
            now: UnixSeconds(now),
        }
    }

    fn offered(&self, trigger: Trigger) -> Result<String, IneligibleReason> {
        let rules = rules();
        choose(&rules, self.facts(trigger, &|_| usd(10_000), 1000)).map(|campaign| campaign.name.clone())
    }
}

#[test]
fn purchases_lead_to_their_offers() {
    for (bought, campaign) in [
        ("prod_starter_course", "starter-to-bundle"),
        ("prod_single_license", "single-to-team"),
        ("prod_complete_bundle", "toolkit"),
        ("prod_course_jp", "toolkit"),
    ] {
        assert_eq!(Buyer::of(bought).offered(Trigger::Purchase), Ok(campaign.into()), "{bought}");
    }
    assert_eq!(Buyer::of("prod_toolkit").offered(Trigger::Purchase), Err(IneligibleReason::NoCampaign));
    assert_eq!(Buyer::default().offered(Trigger::Purchase), Err(IneligibleReason::NoCampaign));
}

#[test]
fn a_plan_is_upgraded_only_where_there_is_a_subscription() {
    let mut buyer = Buyer::of("prod_basic_plan");
    assert_eq!(buyer.offered(Trigger::Purchase), Err(IneligibleReason::NoCampaign));
    buyer.plan = Some(product("prod_basic_plan"));
    assert_eq!(buyer.offered(Trigger::Purchase), Ok("basic-to-pro".into()));
    assert_eq!(buyer.offered(Trigger::NearPlanLimit), Ok("near-limit-to-pro".into()));
    assert_eq!(buyer.offered(Trigger::OnboardingDone), Err(IneligibleReason::NoCampaign));
    buyer.stuck = true;
    assert_eq!(buyer.offered(Trigger::Purchase), Err(IneligibleReason::NoCampaign));
    buyer.stuck = false;
    buyer.plan = Some(product("prod_pro_plan"));
    assert_eq!(buyer.offered(Trigger::Purchase), Err(IneligibleReason::AlreadyOwned));
}

#[test]
fn an_upgrade_that_would_cost_less_than_what_is_paid_is_not_offered() {
    let rules = rules();
    let buyer = Buyer { plan: Some(product("prod_basic_plan")), ..Buyer::of("prod_basic_plan") };
    for (direction, offered) in [
        (ChangeKind::Upgrade, true),
        (ChangeKind::Switch, true),
        (ChangeKind::Other, true),
        (ChangeKind::Downgrade, false),
    ] {
        let direction = |_: &ProductId| direction;
        let price = |_: &ProductId| usd(10_000);
        let facts = Facts { direction: &direction, ..buyer.facts(Trigger::Purchase, &price, 1000) };
        assert_eq!(choose(&rules, facts).is_ok(), offered);
    }
}

#[test]
fn what_was_refused_is_not_offered_whichever_campaign_would() {
    let mut buyer = Buyer::of("prod_starter_course");
    buyer.ledger.push(refusal("prod_complete_bundle", 0));
    assert_eq!(buyer.offered(Trigger::Purchase), Err(IneligibleReason::Declined));
}

#[test]
fn what_the_buyer_has_is_not_offered() {
    let mut buyer = Buyer::of("prod_starter_course");
    buyer.owned.insert(product("prod_complete_bundle"));
    assert_eq!(buyer.offered(Trigger::Purchase), Err(IneligibleReason::AlreadyOwned));
    buyer.owned.clear();
    buyer.bought.push(product("prod_complete_bundle"));
    // Bought together: the bundle is no offer any more, but it leads to the toolkit.
    assert_eq!(buyer.offered(Trigger::Purchase), Ok("toolkit".into()));
}

#[test]
fn a_closed_campaign_gives_way_to_the_next_that_applies() {
    let mut buyer = Buyer::of("prod_starter_course");
    buyer.bought.push(product("prod_single_license"));
    assert_eq!(buyer.offered(Trigger::Purchase), Ok("starter-to-bundle".into()));
    buyer.ledger.push(refusal("prod_complete_bundle", 0));
    assert_eq!(buyer.offered(Trigger::Purchase), Ok("single-to-team".into()));
    buyer.owned.insert(product("prod_team_license"));
    assert_eq!(buyer.offered(Trigger::Purchase), Err(IneligibleReason::Declined));
}

#[test]
fn the_campaigns_own_policy_may_lift_a_refusal() {
    let rules = rules();
    let mut buyer = Buyer::of("prod_complete_bundle");
    buyer.ledger.push(refusal("prod_toolkit", 0));
    for (price, offered) in [(10_000, false), (7501, false), (7500, true)] {
        let price = move |_: &ProductId| usd(price);
        assert_eq!(choose(&rules, buyer.facts(Trigger::Purchase, &price, 1000)).is_ok(), offered);
    }
}

#[test]
fn one_downsell_and_then_nothing() {
    let rules = rules();
    let mut buyer = Buyer::of("prod_starter_course");
    buyer.ledger.push(refusal("prod_complete_bundle", 0));
    let next = |buyer: &Buyer, campaign: &str, chained| {
        downsell(&rules, campaign, chained, buyer.facts(Trigger::Purchase, &|_| None, 1000))
            .map(|c| c.name.clone())
    };
    assert_eq!(next(&buyer, "starter-to-bundle", false), Some("mini-bundle".into()));
    assert_eq!(next(&buyer, "starter-to-bundle", true), None);
    assert_eq!(next(&buyer, "mini-bundle", true), None);
    assert_eq!(next(&buyer, "single-to-team", false), None);
    assert_eq!(next(&buyer, "removed from the file", false), None);
    buyer.ledger.push(refusal("prod_mini_bundle", 0));
    assert_eq!(next(&buyer, "starter-to-bundle", false), None);
    buyer.ledger.pop();
    buyer.owned.insert(product("prod_mini_bundle"));
    assert_eq!(next(&buyer, "starter-to-bundle", false), None);
}

#[test]
fn a_downsell_is_never_a_first_offer() {
    for trigger in
        [Trigger::Purchase, Trigger::NearPlanLimit, Trigger::UsageMilestone, Trigger::OnboardingDone]
    {
        let mut buyer = Buyer::of("prod_starter_course");
        buyer.ledger.push(refusal("prod_complete_bundle", 0));
        assert!(!matches!(buyer.offered(trigger), Ok(name) if name == "mini-bundle"));
    }
}

proptest! {
    /// Invariant I7 across campaigns: what is chosen was not refused for good and is not owned.
    #[test]
    fn nothing_refused_or_owned_is_chosen(
        bought in proptest::collection::vec(0_usize..7, 0..3),
        refused in proptest::collection::vec(0_usize..7, 0..4),
        owned in proptest::collection::vec(0_usize..7, 0..3),
    ) {
        const ALL: [&str; 7] = [
            "prod_basic_plan", "prod_pro_plan", "prod_starter_course", "prod_complete_bundle", "prod_single_license",
            "prod_team_license", "prod_toolkit",
        ];
        let pick = |n: &usize| product(ALL[*n]);
        let buyer = Buyer {
            bought: bought.iter().map(pick).collect(),
            plan: bought.contains(&0).then(|| product("prod_basic_plan")),
            stuck: false,
            owned: owned.iter().map(pick).collect(),
            ledger: refused.iter().map(|n| refusal(ALL[*n], 0)).collect(),
        };
        let rules = rules();
        if let Ok(campaign) = choose(&rules, buyer.facts(Trigger::Purchase, &|_| usd(10_000), 1000)) {
            prop_assert!(changes_plan(campaign) || !buyer.owned.contains(&campaign.product_id));
            prop_assert_ne!(buyer.plan.as_ref(), Some(&campaign.product_id));
            let thing = equivalence(&campaign.product_id);
            let refused = buyer.ledger.iter().any(|entry| entry.equivalence == thing);
            prop_assert!(!refused || campaign.after_decline != DeclinePolicy::NeverAgain);
        }
    }
}
