//! F18 in the plan-change flow: as in `money_claims`.

use flow::{ApiError, plans};
use proptest::prelude::*;
use wire::{Attempt, AttemptStatus, ProductId};

use crate::build::*;
use crate::money_claims::{Claims, Moment, Sent, attempts, errors, of_plans, proves};
use crate::plans_invariants::{confirms, play, story};
use crate::plans_stage;

fn plans_go_on(
    mut stage: plans_stage::Stage,
    reply: &Result<Attempt, ApiError>,
    mut check: impl FnMut(Claims, &plans::View),
) {
    let first = stage.unanswered();
    for next in first..first + 60 {
        check(of_plans(&stage.view()), &stage.view());
        let Some(effect) = stage.effects.get(next).cloned() else { return };
        let loaded = || {
            reply.clone().map(|attempt| {
                Box::new(wire::PlansResponse { attempt: Some(attempt), ..crate::build::plans() })
            })
        };
        let nothing = || reply.clone().map(|_| ());
        stage.happen(match effect {
            plans::Effect::Change { tag, .. } => plans::Event::Changed(tag, reply.clone()),
            plans::Effect::Ask(tag, _) => plans::Event::Looked(tag, reply.clone()),
            plans::Effect::Load(tag) => plans::Event::Loaded(tag, loaded()),
            plans::Effect::Preview(tag, request) => plans::Event::Previewed(
                tag,
                reply.clone().map(|_| preview(request.product_id.as_str(), quote("q9", 5500))),
            ),
            plans::Effect::Cancel(tag) => plans::Event::Cancelled(tag, nothing()),
            plans::Effect::KeepPlan(tag) => plans::Event::Kept(tag, nothing()),
            plans::Effect::TakeBack(tag) => plans::Event::TakenBack(tag, nothing()),
            plans::Effect::StayOffer(tag, _) => plans::Event::StayOffered(tag, reply.clone().map(|_| None)),
            plans::Effect::Schedule(tag, after) if after < 200_000 => plans::Event::Timer(tag),
            _ => continue,
        });
    }
}

fn confirmed() -> plans_stage::Stage {
    let mut stage = plans_stage::Stage::reviewing();
    stage.act(plans::Act::Confirm);
    stage
}

fn acted(plans: wire::PlansResponse, acts: &[plans::Act]) -> plans_stage::Stage {
    let mut stage = plans_stage::Stage::opened(plans);
    for act in acts {
        stage.act(act.clone());
    }
    stage
}

fn basic_plan() -> ProductId {
    product_id("basic")
}

const PLAN_MOMENTS: [Moment<plans_stage::Stage>; 13] = [
    ("at the start", plans_stage::Stage::loading, Sent::Nothing),
    ("at a preview", || acted(plans(), &[plans::Act::Choose(product_id("pro"))]), Sent::Nothing),
    (
        "at a preview of seats",
        || acted(plans(), &[plans::Act::Adjust(basic_plan()), plans::Act::Seats(3), plans::Act::ShowPrice]),
        Sent::Nothing,
    ),
    (
        "before the plan is left",
        || acted(plans_with_stay_offers(), &[plans::Act::Choose(product_id("mini"))]),
        Sent::Nothing,
    ),
    ("at cancelling", || acted(plans(), &[plans::Act::Cancel, plans::Act::Confirm]), Sent::Nothing),
    ("at keeping the plan", || acted(plans_cancelled(), &[plans::Act::KeepPlan]), Sent::Nothing),
    (
        "at taking a change back",
        || acted(plans_booked("mini"), &[plans::Act::TakeBackScheduled]),
        Sent::Nothing,
    ),
    (
        "when a fresh quote is fetched",
        || {
            let mut stage = plans_stage::Stage::reviewing();
            stage.wait_for(290_000);
            stage
        },
        Sent::Nothing,
    ),
    ("at the first press", confirmed, Sent::First),
    (
        "at the first press, with the dialog closed",
        || {
            let mut stage = confirmed();
            stage.act(plans::Act::CloseDialog);
            stage
        },
        Sent::First,
    ),
    (
        "when the request is repeated",
        || {
            let mut stage = confirmed();
            stage.changed(Err(ApiError::Network)).wait_for(600);
            stage
        },
        Sent::Again,
    ),
    (
        "when the plans are loaded to see what became of it",
        || {
            let mut stage = confirmed();
            stage.changed(Err(ApiError::BadBody)).wait();
            stage
        },
        Sent::Nothing,
    ),
    (
        "when another page began it",
        || {
            plans_stage::Stage::opened(wire::PlansResponse {
                attempt: Some(attempt(AttemptStatus::Processing)),
                ..plans()
            })
        },
        Sent::Nothing,
    ),
];

#[test]
fn f18_plans_no_error_says_more_about_money_than_it_proves() {
    for (moment, stage, sent) in PLAN_MOMENTS {
        for error in errors() {
            let proved = sent != Sent::Nothing && proves(&error, sent == Sent::First);
            plans_go_on(stage(), &Err(error.clone()), |claims, view| {
                assert!(!claims.not_charged || proved, "{moment}, {error:?}: {view:?}");
                assert_eq!(claims.paid, None, "{moment}, {error:?}: {view:?}");
            });
        }
    }
}

#[test]
fn f18_plans_an_attempt_is_told_as_it_is() {
    for (moment, stage, _) in PLAN_MOMENTS {
        for attempt in attempts() {
            let failed = attempt.status == Some(AttemptStatus::Failed);
            plans_go_on(stage(), &Ok(attempt.clone()), |claims, view| {
                assert!(!claims.not_charged || failed, "{moment}, {attempt:?}: {view:?}");
                assert!(claims.paid.is_none() || attempt.receipt.is_some(), "{moment}, {attempt:?}");
            });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// F18: what is said about money was proved since the last press, or by an earlier page's attempt.
    #[test]
    fn f18_claims_about_money_are_proved(choices in story()) {
        let (mut not_charged, mut paid) = (false, false);
        for step in play(&choices) {
            if confirms(&step) {
                (not_charged, paid) = (false, false);
            }
            let attempt = match &step.event {
                plans::Event::Start(Some(plans)) | plans::Event::Loaded(_, Ok(plans)) => plans.attempt.as_ref(),
                plans::Event::Changed(_, Ok(attempt)) | plans::Event::Looked(_, Ok(attempt)) => Some(attempt),
                _ => None,
            };
            let refused = matches!(&step.event, plans::Event::Changed(_, Err(error)) if proves(error, true));
            not_charged |= step.changed && refused;
            if let Some(attempt) = attempt.filter(|_| step.changed) {
                not_charged |= attempt.status == Some(AttemptStatus::Failed);
                paid |= attempt.receipt.is_some();
            }
            let claims = of_plans(&step.after);
            prop_assert!(claims.within(not_charged, paid, true), "{:?} after {:?}", step.after, step.event);
        }
    }
}
