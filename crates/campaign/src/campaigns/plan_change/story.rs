//! What a subscriber wants, what goes wrong, and what they were told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dodo_client::types::plan_changes::ProrationMode;
use rand::RngExt as _;
use serde_json::{Value, json};
use testkit::{EMPTY_CARD, GOOD_CARD, Subscriber, UNKNOWN_OUTCOMES};
use upsell_core::rules::Rules;
use wire::{AttemptId, EffectiveAt, PreviewRequest, ProductId, Quote, QuoteId};

use super::shop;
use crate::plan::rng;

/// The stories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scenario {
    /// Nothing goes wrong at Dodo.
    Changes,
    /// One of the ambiguous faults, and webhooks come.
    Spoiled,
    /// The same, and no webhook comes.
    SpoiledInSilence,
    /// The request is lost; after it has been given up the subscriber tries again.
    Lost,
    /// The request is lost and arrives after it has been given up.
    ComesLate,
    /// The card declines at first.
    Declines,
    /// The payment is processed for a while.
    Processes,
    /// The bank takes a day to approve the payment.
    ApprovedNextDay,
    /// The plan has become dearer by the time of the confirmation.
    PriceRises,
    /// Somebody else has added a seat and an add-on by then.
    ChangedElsewhere,
    /// Dodo has no room for the request.
    QuotaFull,
    /// Another change is previewed and confirmed in a second tab.
    TwoTabs,
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::Changes,
    Scenario::Spoiled,
    Scenario::SpoiledInSilence,
    Scenario::Lost,
    Scenario::ComesLate,
    Scenario::Declines,
    Scenario::Processes,
    Scenario::ApprovedNextDay,
    Scenario::PriceRises,
    Scenario::ChangedElsewhere,
    Scenario::QuotaFull,
    Scenario::TwoTabs,
];

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Loads the page in this tab and previews the change.
    Preview(usize),
    /// Confirms what this tab shows, with the key of this number.
    Confirm(usize, u32),
    /// Confirms in both tabs at once.
    ConfirmBoth(u32, u32),
    /// Dodo reports every payment of this subscriber, and the subscription.
    Webhooks,
    /// Webhooks that were kept but not applied are taken up.
    Leftovers,
    /// A request that was lost arrives at Dodo after all.
    ArriveLate,
    /// The plan that is wanted costs a tenth more.
    PriceRises,
    /// Somebody else adds a seat and an add-on.
    ChangeElsewhere,
    /// The card pays from now on.
    CardPays,
    /// Seconds pass, with the reconciler at work.
    Pass(i64),
    /// Hours pass, with the reconciler at work once in each.
    Hours(u32),
}

/// What came of a confirmation, as the subscriber was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// This attempt failed.
    Failed(AttemptId),
    /// This attempt changed the plan, or booked the change.
    Done(AttemptId),
    /// Nothing was done by this click.
    Refused,
    /// Anything that says "not known yet".
    Open,
}

/// Who the subscriber is and what they want.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) currency: &'static str,
    pub(super) country: &'static str,
    pub(super) card: &'static str,
    pub(super) plan: &'static str,
    pub(super) seats: u32,
    pub(super) addons: BTreeMap<String, u32>,
    /// Days since the period began.
    pub(super) day: u32,
    /// The plan and the seats that each tab asks for.
    pub(super) wanted: [(&'static str, Option<u32>); 2],
    pub(super) effective_at: EffectiveAt,
    pub(super) mode: ProrationMode,
    /// Switches of the simulator.
    engine: Value,
}

impl Shape {
    fn new(seed: u64) -> Self {
        let mut rng = rng(seed ^ 0x91a45);
        let (currency, _) = shop::CURRENCIES[rng.random_range(0..shop::CURRENCIES.len())];
        let country = ["US", "DE", "JP"][rng.random_range(0..3)];
        let from = rng.random_range(0..shop::PLANS.len());
        let (plan, _, _, carried) = shop::PLANS[from];
        let seats = rng.random_range(1..=4);
        let mut addons = BTreeMap::new();
        for name in carried {
            let quantity = rng.random_range(0..=3);
            if quantity > 0 {
                addons.insert(shop::addon(name, currency), quantity);
            }
        }
        // Another plan, or the same for other seats.
        let first = rng.random_range(0..shop::PLANS.len());
        let second = first + rng.random_range(1..shop::PLANS.len());
        let wanted = [first, second].map(|other| {
            let (to, ..) = shop::PLANS[(from + other) % shop::PLANS.len()];
            let new_seats = (to == plan || rng.random_bool(0.3)).then(|| seats % 4 + 1);
            (to, new_seats)
        });
        let mode = [
            ProrationMode::ProratedImmediately,
            ProrationMode::DifferenceImmediately,
            ProrationMode::FullImmediately,
            ProrationMode::DoNotBill,
            ProrationMode::ProratedImmediatelyKeepCycle,
        ][rng.random_range(0..5)];
        let current = if rng.random_bool(0.5) { "current" } else { "classic" };
        Self {
            currency,
            country,
            card: if rng.random_bool(0.1) { EMPTY_CARD } else { GOOD_CARD },
            plan,
            seats,
            addons,
            day: rng.random_range(0..27),
            wanted,
            effective_at: match rng.random_bool(0.15) {
                true => EffectiveAt::NextBillingDate,
                false => EffectiveAt::Immediately,
            },
            mode,
            engine: json!({"proration_engine": current, "classic_resets_cycle": rng.random_bool(0.3)}),
        }
    }

    pub(super) fn product(&self) -> String {
        shop::product(self.plan, self.currency)
    }

    /// The product that a tab asks for.
    pub(super) fn target(&self, tab: usize) -> String {
        shop::product(self.wanted[tab].0, self.currency)
    }
}

/// A confirmation.
#[derive(Clone, Debug)]
pub(super) struct Click {
    pub(super) key: u32,
    pub(super) told: Told,
}

/// One subscriber's story, as far as it has gone.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) scenario: Scenario,
    pub(super) seed: u64,
    pub(super) shape: Shape,
    pub(super) rules: Option<Arc<Rules>>,
    /// Set once there is a subscription.
    pub(super) who: Option<Subscriber>,
    /// What each tab shows.
    pub(super) tabs: [Option<QuoteId>; 2],
    /// Everything that was ever on a screen.
    pub(super) shown: BTreeMap<QuoteId, Quote>,
    /// The quote that each key was first sent with: a repeated request is the same request.
    pub(super) keys: BTreeMap<u32, QuoteId>,
    pub(super) clicks: Vec<Click>,
    /// Seats and add-ons that somebody else has made of it.
    pub(super) elsewhere: Option<(u32, BTreeMap<String, u32>)>,
    /// Attempts whose requests were lost and came late.
    pub(super) late: BTreeSet<String>,
    /// Reports of the subscription so far.
    pub(super) reports: u32,
}

impl Story {
    pub(super) fn new(scenario: Scenario, seed: u64) -> Self {
        let shape = Shape::new(seed);
        Self {
            scenario,
            seed,
            rules: shop::rules(shape.mode).ok(),
            shape,
            who: None,
            tabs: [None, None],
            shown: BTreeMap::new(),
            keys: BTreeMap::new(),
            clicks: Vec::new(),
            elsewhere: None,
            late: BTreeSet::new(),
            reports: 0,
        }
    }

    /// What goes wrong at Dodo at the first request to change the plan.
    pub(super) fn fault(&self) -> Option<Value> {
        match self.scenario {
            Scenario::Spoiled | Scenario::SpoiledInSilence => {
                let at = rng(self.seed ^ 0xfa17).random_range(0..UNKNOWN_OUTCOMES.len());
                Some(json!(UNKNOWN_OUTCOMES[at]))
            }
            Scenario::Lost | Scenario::ComesLate => Some(json!("reset_before")),
            Scenario::QuotaFull => Some(json!("status_429_before")),
            _ => None,
        }
    }

    /// The simulator's switches for this story.
    pub(super) fn switches(&self) -> Value {
        let mut switches = self.shape.engine.clone();
        let processing = matches!(self.scenario, Scenario::Processes | Scenario::ApprovedNextDay);
        let takes = if self.scenario == Scenario::ApprovedNextDay { 86_400 } else { 30 };
        let declines = (self.scenario == Scenario::Declines).then_some("INSUFFICIENT_FUNDS");
        switches["plan_change_outcome"] = json!(if processing { "processing" } else { "settle" });
        switches["processing_seconds"] = json!(takes);
        switches["decline_off_session_with"] = json!(declines);
        switches
    }

    /// The key of this number, as it is sent.
    pub(super) fn word(&self, key: u32) -> String {
        format!("key-{}-{key}", self.seed)
    }

    /// What a tab asks for.
    pub(super) fn request(&self, tab: usize) -> anyhow::Result<PreviewRequest> {
        Ok(PreviewRequest {
            product_id: ProductId::parse(self.shape.target(tab))?,
            quantity: self.shape.wanted[tab].1,
            addons: None,
            effective_at: Some(self.shape.effective_at),
        })
    }

    pub(super) fn steps(&self) -> &'static [Step] {
        use Step::{
            ArriveLate, CardPays, ChangeElsewhere, Confirm, ConfirmBoth, Hours, Leftovers, Pass, Preview,
            PriceRises, Webhooks,
        };
        match self.scenario {
            Scenario::Changes => &[
                Preview(0),
                Confirm(0, 1),
                Webhooks,
                Confirm(0, 1),
                Confirm(0, 2),
                Pass(60),
                Leftovers,
                Confirm(0, 1),
            ],
            Scenario::Spoiled => &[
                Preview(0),
                Confirm(0, 1),
                Webhooks,
                Confirm(0, 1),
                Preview(1),
                Confirm(1, 2),
                Pass(60),
                Webhooks,
                Leftovers,
                Confirm(0, 1),
            ],
            Scenario::SpoiledInSilence => &[
                Preview(0),
                Confirm(0, 1),
                Pass(30),
                Confirm(0, 1),
                Preview(1),
                Confirm(1, 2),
                Pass(300),
                Confirm(0, 1),
            ],
            Scenario::Lost => &[
                Preview(0),
                Confirm(0, 1),
                Pass(30),
                Preview(0),
                Confirm(0, 2),
                Pass(1700),
                Preview(0),
                Confirm(0, 3),
                Webhooks,
                Pass(4000),
            ],
            Scenario::ComesLate => &[
                Preview(0),
                Confirm(0, 1),
                Pass(1700),
                ArriveLate,
                Webhooks,
                Pass(90),
                Preview(0),
                Confirm(0, 2),
                Pass(4000),
            ],
            Scenario::Declines => &[
                Preview(0),
                Confirm(0, 1),
                Webhooks,
                Confirm(0, 1),
                CardPays,
                Preview(0),
                Confirm(0, 2),
                Webhooks,
                Pass(60),
            ],
            Scenario::Processes => &[
                Preview(0),
                Preview(1),
                Confirm(0, 1),
                Confirm(1, 2),
                Preview(1),
                Webhooks,
                Pass(60),
                Webhooks,
                Confirm(0, 1),
                Preview(1),
                Confirm(1, 3),
            ],
            Scenario::ApprovedNextDay => &[
                Preview(0),
                Confirm(0, 1),
                Webhooks,
                Pass(1800),
                Preview(1),
                Confirm(1, 2),
                Hours(25),
                Confirm(0, 1),
                Webhooks,
                Pass(60),
            ],
            Scenario::PriceRises => {
                &[Preview(0), PriceRises, Confirm(0, 1), Confirm(0, 1), Confirm(0, 2), Webhooks, Pass(60)]
            }
            Scenario::ChangedElsewhere => &[
                Preview(0),
                ChangeElsewhere,
                Confirm(0, 1),
                Confirm(0, 1),
                Preview(0),
                Confirm(0, 2),
                Webhooks,
                Pass(60),
            ],
            Scenario::QuotaFull => {
                &[Preview(0), Confirm(0, 1), Confirm(0, 1), Confirm(0, 2), Webhooks, Pass(60)]
            }
            Scenario::TwoTabs => &[
                Preview(0),
                Preview(1),
                ConfirmBoth(1, 2),
                Webhooks,
                Preview(1),
                Confirm(1, 3),
                Preview(0),
                Confirm(0, 4),
                Pass(60),
                Webhooks,
            ],
        }
    }
}
