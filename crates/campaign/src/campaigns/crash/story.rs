//! What a buyer does, step by step, and what they were told.

use serde_json::{Value, json};
use testkit::{EMPTY_CARD, GOOD_CARD, Shown};
use wire::AttemptId;

/// What the product costs at first.
pub(super) const PRICE: i64 = 1900;

/// The stories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scenario {
    /// One click on a good card.
    Accepts,
    /// The card has no funds; the buyer goes on to the hosted page.
    PaysAnotherWay,
    /// Refuses, and clicks all the same.
    Refuses,
    /// The answer to the charge is lost after it was executed; its webhook comes.
    AnswerLost,
    /// The same, and the webhook does not come.
    AnswerAndWebhookLost,
    /// The request is lost before it is executed: nothing is ever found.
    RequestLost,
    /// It costs more by the time of the click.
    PriceChanged,
    /// Dodo has no room for the request; the buyer clicks again.
    QuotaFull,
    /// The request arrives after it was given up; what it collected goes back.
    ComesLate,
    /// The same, and the answer to the refund is lost after it was executed.
    ComesLateAnswerLost,
    /// The same, and the refund is lost before it is executed: nothing ever goes back, and nothing is sent again.
    ComesLateRefundLost,
    /// The bank takes a day to approve.
    ApprovedNextDay,
    /// An approval that takes a day, of a charge whose answer is lost.
    ApprovedNextDayAnswerLost,
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::Accepts,
    Scenario::PaysAnotherWay,
    Scenario::Refuses,
    Scenario::AnswerLost,
    Scenario::AnswerAndWebhookLost,
    Scenario::RequestLost,
    Scenario::PriceChanged,
    Scenario::QuotaFull,
    Scenario::ComesLate,
    Scenario::ComesLateAnswerLost,
    Scenario::ComesLateRefundLost,
    Scenario::ApprovedNextDay,
    Scenario::ApprovedNextDayAnswerLost,
];

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Clicks, with the key of this number.
    Accept { key: u32, hosted: bool },
    /// Says no.
    Decline,
    /// Dodo reports every payment of this buyer.
    Webhooks,
    /// Webhooks that were kept but not applied are taken up.
    Leftovers,
    /// A request that was lost arrives at Dodo after all.
    ArriveLate,
    /// The product costs this now.
    Price(i64),
    /// Seconds pass, with the reconciler at work.
    Pass(i64),
    /// Hours pass, with the reconciler at work once in each.
    Hours(u32),
}

/// What came of a click, as the buyer was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// This attempt failed.
    Failed(AttemptId),
    /// Nothing was charged by this click.
    Refused,
    /// Anything that says "not known yet", or that it is paid.
    Open,
}

/// One buyer's story, as far as it has gone.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) scenario: Scenario,
    pub(super) seed: u64,
    /// Set once the page is on the screen.
    pub(super) shown: Option<Shown>,
    /// What was told, with the number of the key.
    pub(super) told: Vec<(u32, Told)>,
    /// Whether the refusal was confirmed.
    pub(super) declined: bool,
    /// Charging requests that had left when it was.
    pub(super) posts_when_declined: usize,
}

impl Story {
    pub(super) fn new(scenario: Scenario, seed: u64) -> Self {
        Self { scenario, seed, shown: None, told: Vec::new(), declined: false, posts_when_declined: 0 }
    }

    pub(super) fn card(&self) -> &'static str {
        if self.scenario == Scenario::PaysAnotherWay { EMPTY_CARD } else { GOOD_CARD }
    }

    /// What goes wrong at Dodo at the first charge.
    pub(super) fn fault(&self) -> Option<Value> {
        match self.scenario {
            Scenario::AnswerLost | Scenario::AnswerAndWebhookLost | Scenario::ApprovedNextDayAnswerLost => {
                Some(json!("reset_after"))
            }
            Scenario::RequestLost
            | Scenario::ComesLate
            | Scenario::ComesLateAnswerLost
            | Scenario::ComesLateRefundLost => Some(json!("reset_before")),
            Scenario::QuotaFull => Some(json!("status_429_before")),
            _ => None,
        }
    }

    /// Says whether the bank takes a day to approve.
    pub(super) fn takes_a_day(&self) -> bool {
        matches!(self.scenario, Scenario::ApprovedNextDay | Scenario::ApprovedNextDayAnswerLost)
    }

    /// Behaviour of a charge on a good card at first.
    pub(super) fn outcome(&self) -> Value {
        match self.takes_a_day() {
            true => json!({"one_click_outcome": "processing", "processing_seconds": 86_400}),
            false => json!({"one_click_outcome": "settle"}),
        }
    }

    /// What goes wrong at Dodo at the first refund.
    pub(super) fn refund_fault(&self) -> Option<Value> {
        match self.scenario {
            Scenario::ComesLateAnswerLost => Some(json!("reset_after")),
            Scenario::ComesLateRefundLost => Some(json!("reset_before")),
            _ => None,
        }
    }

    pub(super) fn steps(&self) -> &'static [Step] {
        use Step::{Accept, ArriveLate, Decline, Hours, Leftovers, Pass, Price, Webhooks};
        const ONE_CLICK: Step = Accept { key: 1, hosted: false };
        const AGAIN: Step = Accept { key: 2, hosted: false };
        match self.scenario {
            Scenario::Accepts => &[ONE_CLICK, Webhooks, AGAIN, Pass(60), Leftovers],
            Scenario::PaysAnotherWay => &[
                ONE_CLICK,
                Webhooks,
                Accept { key: 2, hosted: true },
                Pass(90),
                Accept { key: 3, hosted: true },
            ],
            Scenario::Refuses => &[Decline, ONE_CLICK, Decline, Pass(30), AGAIN],
            Scenario::AnswerLost => &[ONE_CLICK, Webhooks, ONE_CLICK, AGAIN, Pass(60), Leftovers],
            Scenario::AnswerAndWebhookLost => &[ONE_CLICK, Pass(30), AGAIN, Pass(300), ONE_CLICK],
            Scenario::RequestLost => &[ONE_CLICK, Pass(30), AGAIN, Pass(1500), AGAIN, Pass(3600)],
            Scenario::PriceChanged => {
                &[Price(PRICE + 500), ONE_CLICK, ONE_CLICK, Pass(60), Price(PRICE), AGAIN]
            }
            Scenario::ComesLate | Scenario::ComesLateAnswerLost | Scenario::ComesLateRefundLost => {
                &[ONE_CLICK, Pass(1700), ArriveLate, Webhooks, Pass(90), AGAIN, Webhooks, Pass(60)]
            }
            Scenario::ApprovedNextDay => {
                &[ONE_CLICK, Webhooks, AGAIN, Pass(1800), Hours(25), AGAIN, Pass(60)]
            }
            Scenario::ApprovedNextDayAnswerLost => {
                &[ONE_CLICK, Pass(30), AGAIN, Pass(1800), Hours(25), ONE_CLICK, Pass(60)]
            }
            Scenario::QuotaFull => &[ONE_CLICK, ONE_CLICK, AGAIN, Webhooks, Pass(60)],
        }
    }
}
