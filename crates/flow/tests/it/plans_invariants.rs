//! The plan-change flow's invariants (numbers as in the crate's documentation) under random events.

use flow::charge::Next;
use flow::plans::{self, Act, ConfirmState, Dialog, Effect, Event, Notice, Page, State, View};
use flow::{ApiError, Dwell, Intent, Screen, Tag};
use proptest::prelude::*;
use wire::{Attempt, AttemptStatus, EffectiveAt, ErrorCode, PaymentMethodLink, PlansResponse};

use crate::build::*;

pub(crate) type Choice = (u8, usize, usize);

pub(crate) struct Step {
    pub(crate) event: Event,
    pub(crate) before: View,
    pub(crate) effects: Vec<Effect>,
    pub(crate) after: View,
    pub(crate) changed: bool,
}

fn act(a: usize, b: usize) -> Act {
    match a % 15 {
        0 | 1 => Act::Choose(product_id(["pro", "mini", "basic"][b % 3])),
        2..=4 => Act::Confirm,
        5 | 12 => Act::CloseDialog,
        6 => Act::OpenDialog,
        7 => Act::Timing(if b.is_multiple_of(2) {
            EffectiveAt::Immediately
        } else {
            EffectiveAt::NextBillingDate
        }),
        8 => Act::Refresh,
        9 => Act::TakeBackScheduled,
        10 => Act::UseAnotherCard,
        13 if b.is_multiple_of(2) => Act::Adjust(product_id("basic")),
        13 if b % 4 == 1 => Act::ShowPrice,
        14 => [Act::Cancel, Act::KeepPlan, Act::GoOn, Act::TakeStayOffer][b % 4].clone(),
        13 => Act::Seats(u32::try_from(b % 5).unwrap()),
        _ => [Act::CheckAgain, Act::Continue, Act::Reload][b % 3].clone(),
    }
}

fn attempts(n: usize) -> Result<Attempt, ApiError> {
    use AttemptStatus as S;
    let statuses = [S::Succeeded, S::Scheduled, S::Processing, S::InDoubt, S::Failed, S::CheckoutRequired];
    match n % 18 {
        n @ 0..6 => Ok(attempt(statuses[n])),
        6 => Err(ApiError::Network),
        7 => Err(ApiError::Foreign { status: 504 }),
        8 => Err(ApiError::BadBody),
        9 | 15 => Err(quote_changed(quote(&format!("qc{n}"), 5000 + n as i64))),
        10 | 16 => Err(problem(410, ErrorCode::QuoteExpired)),
        11 => Err(problem(409, ErrorCode::AttemptInProgress)),
        12 => Err(ApiError::Foreign { status: [400, 401, 403, 404, 410, 429][n / 18 % 6] }),
        13 => Err(problem(429, ErrorCode::RateLimited)),
        14 => Err(problem(422, ErrorCode::ChangeNotPossible)),
        _ => Err(problem(401, ErrorCode::Unauthorized)),
    }
}

fn pages(n: usize) -> Result<Box<PlansResponse>, ApiError> {
    match n % 9 {
        0..3 => Ok(Box::new(plans())),
        7 => Ok(Box::new(plans_with_stay_offers())),
        8 => Ok(Box::new(plans_cancelled())),
        3 => Ok(Box::new(plans_on("pro"))),
        4 => Ok(Box::new(plans_booked("mini"))),
        5 => Ok(Box::new(PlansResponse { attempt: Some(attempt(AttemptStatus::Processing)), ..plans() })),
        _ => Err(ApiError::Timeout),
    }
}

fn done(n: usize) -> Result<(), ApiError> {
    if n.is_multiple_of(3) { Err(ApiError::Timeout) } else { Ok(()) }
}

pub(crate) fn play(choices: &[Choice]) -> Vec<Step> {
    let mut state = State::default();
    let mut steps = vec![];
    let mut requests: Vec<Effect> = vec![];
    for (serial, &(kind, a, b)) in choices.iter().enumerate() {
        let id = format!("q{serial}");
        // Mostly the latest, sometimes any.
        let pick = |fitting: Vec<&Effect>| -> Option<Effect> {
            let at =
                if a.is_multiple_of(4) { b % fitting.len().max(1) } else { fitting.len().saturating_sub(1) };
            fitting.get(at).map(|effect| (*effect).clone())
        };
        let of = |fits: fn(&Effect) -> bool| pick(requests.iter().filter(|effect| fits(effect)).collect());
        let answered = match kind {
            _ if serial == 0 => None,
            5 | 6 => of(|effect| matches!(effect, Effect::Preview(..))),
            7..=9 => of(|effect| matches!(effect, Effect::Change { .. })),
            10 => of(|effect| matches!(effect, Effect::Load(_))),
            11 => of(|effect| matches!(effect, Effect::Ask(..))),
            12 => {
                of(|effect| matches!(effect, Effect::CardLink(_) | Effect::TakeBack(_) | Effect::Cancel(_)))
            }
            13..=15 => of(|effect| matches!(effect, Effect::Schedule(..))),
            // Things take their course: what was asked for last comes.
            _ => requests.last().cloned(),
        };
        let event = match (kind, answered) {
            _ if serial == 0 => Event::Start(pages(a).ok().filter(|_| !b.is_multiple_of(4))),
            (0..=3, _) => Event::Act { act: act(a, b), press: press(serial as u32) },
            (4, _) => Event::Act { act: Act::Confirm, press: press_on_altered(serial as u32) },
            (_, Some(Effect::Preview(tag, request))) => {
                let reply = match b % 6 {
                    0 => Err(ApiError::Network),
                    1 => Err(problem(422, ErrorCode::ChangeNotPossible)),
                    n => Ok(preview(request.product_id.as_str(), quote(&id, 4000 + n as i64 / 2 * 500))),
                };
                Event::Previewed(tag, reply)
            }
            (_, Some(Effect::Change { tag, .. })) => Event::Changed(tag, attempts(b)),
            (_, Some(Effect::Load(tag))) => Event::Loaded(tag, pages(b)),
            (_, Some(Effect::Ask(tag, _))) => Event::Looked(tag, attempts(b)),
            (_, Some(Effect::CardLink(tag))) => {
                Event::CardLink(tag, Ok(PaymentMethodLink { url: "https://card.test/".to_owned() }))
            }
            (_, Some(Effect::TakeBack(tag))) => Event::TakenBack(tag, Ok(())),
            (_, Some(Effect::StayOffer(tag, _))) => Event::StayOffered(tag, Ok(Some(stay_offer()))),
            (_, Some(Effect::Cancel(tag))) => Event::Cancelled(tag, done(b)),
            (_, Some(Effect::KeepPlan(tag))) => Event::Kept(tag, done(b)),
            (_, Some(Effect::Schedule(tag, _))) => Event::Timer(tag),
            (_, Some(Effect::Watch(tag))) => Event::Dwelled(tag, Dwell::Seen),
            (
                _,
                Some(Effect::Navigate(_) | Effect::OwnPage | Effect::Announce(_) | Effect::Decline(_)) | None,
            ) => continue,
        };
        let (old, before) = (state.clone(), plans::view(&state));
        let (next, effects) = plans::step(state, event.clone());
        state = next;
        requests.extend(effects.iter().cloned());
        let changed = old != state || !effects.is_empty();
        steps.push(Step { event, before, effects, after: plans::view(&state), changed });
    }
    steps
}

pub(crate) fn sends(step: &Step) -> impl Iterator<Item = (&Intent, &wire::QuoteId)> {
    step.effects.iter().filter_map(|effect| match effect {
        Effect::Change { intent, quote_id, .. } => Some((intent, quote_id)),
        _ => None,
    })
}

pub(crate) fn confirms(step: &Step) -> bool {
    matches!(&step.event, Event::Act { act: Act::Confirm, press } if press.screen == Screen::AsDrawn)
        && matches!(&step.before.dialog, Some(Dialog::Review(review)) if review.confirm == ConfirmState::Ready)
}

/// Whether a charge is under way and not decided, as the buyer sees it.
fn undecided(view: &View) -> bool {
    let in_dialog = match &view.dialog {
        Some(Dialog::Waiting(_)) => true,
        Some(Dialog::Review(review)) => review.confirm == ConfirmState::Sending,
        _ => false,
    };
    in_dialog
        || matches!(&view.page, Page::Comparison(page) if matches!(page.notice, Some(Notice::Waiting(_))))
}

pub(crate) fn story() -> impl Strategy<Value = Vec<Choice>> {
    prop::collection::vec((0_u8..22, 0_usize..1000, 0_usize..1000), 1..90)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// F1, F8: a change leaves only on a press of a button that worked, for exactly the quote in the dialog.
    #[test]
    fn f1_f8_what_is_charged_is_what_was_confirmed(choices in story()) {
        for step in play(&choices) {
            if let (Event::Act { .. }, Some((_, quote_id))) = (&step.event, sends(&step).next()) {
                prop_assert!(confirms(&step), "{:?}", step.event);
                let Some(Dialog::Review(review)) = &step.before.dialog else { panic!() };
                prop_assert_eq!(quote_id, &review.quote.id);
                prop_assert_eq!(review.due, review.quote.total_money());
            }
        }
    }

    /// F2, F3, F11: between two confirmations there is one key for one quote, sent at most three times, and only while
    /// unanswered.
    #[test]
    fn f2_f3_f11_one_confirmation_is_one_intention(choices in story()) {
        let mut intention: Option<(Intent, wire::QuoteId, u32)> = None;
        let mut unanswered = false;
        for step in play(&choices) {
            if confirms(&step) {
                prop_assert_eq!(sends(&step).count(), 1);
                intention = None;
            } else if sends(&step).next().is_some() {
                prop_assert!(unanswered);
            }
            for (intent, quote_id) in sends(&step) {
                let (first, of, count) = intention.get_or_insert((intent.clone(), quote_id.clone(), 0));
                prop_assert_eq!((&*first, &*of), (intent, quote_id));
                *count += 1;
                prop_assert!(*count <= 3);
            }
            if let (Event::Changed(_, reply), true) = (&step.event, step.changed) {
                unanswered = matches!(reply, Err(ApiError::Network | ApiError::Foreign { status: 504 }));
            }
        }
    }

    /// F4: what nobody waits for changes nothing. Every reply and every timer is played a second time.
    #[test]
    fn f4_stale_replies_change_nothing(choices in story()) {
        let mut state = State::default();
        for step in play(&choices) {
            state = plans::step(state, step.event.clone()).0;
            if matches!(step.event, Event::Act { .. } | Event::Start(_)) {
                continue;
            }
            let again = plans::step(state.clone(), step.event.clone());
            prop_assert_eq!(&again.0, &state);
            prop_assert_eq!(again.1, vec![]);
        }
    }

    /// F5: a quote that is being replaced, or has expired, is never confirmed.
    #[test]
    fn f5_an_expired_quote_is_never_sent(choices in story()) {
        let mut ended: Vec<String> = vec![];
        for step in play(&choices) {
            if let Some(Dialog::Review(review)) = &step.after.dialog
                && matches!(review.confirm, ConfirmState::Refreshing | ConfirmState::Stale)
            {
                ended.push(review.quote.id.as_str().to_owned());
            }
            if let (true, Some((_, quote_id))) = (confirms(&step), sends(&step).next()) {
                prop_assert!(!ended.contains(&quote_id.as_str().to_owned()));
            }
        }
    }

    /// F6: closing the dialog never ends a charge, and its outcome is told.
    #[test]
    fn f6_a_closed_dialog_loses_nothing(choices in story()) {
        for step in play(&choices) {
            if matches!(step.event, Event::Act { act: Act::CloseDialog, .. }) {
                prop_assert_eq!(step.after.dialog.as_ref(), None);
                prop_assert_eq!(undecided(&step.before), undecided(&step.after));
                prop_assert_eq!(&step.effects, &vec![]);
            }
            if let (Event::Changed(_, Ok(attempt)), true) = (&step.event, step.changed) {
                let told = matches!(&step.after.dialog, Some(Dialog::Done(_) | Dialog::Failed(_) | Dialog::Waiting(_)))
                    || matches!(&step.after.page, Page::Comparison(page) if matches!(
                        page.notice, Some(Notice::Done(_) | Notice::Failed(_) | Notice::Waiting(_))));
                prop_assert!(told, "{:?}", attempt.status);
            }
        }
    }

    /// F7: every state is settled, waits for something that is under way, or has a button that works.
    #[test]
    fn f7_there_is_always_a_way_on(choices in story()) {
        let mut open: Vec<Tag> = vec![];
        for step in play(&choices) {
            open.extend(step.effects.iter().filter_map(|effect| match effect {
                Effect::Ask(tag, _) | Effect::Load(tag) | Effect::Schedule(tag, _) | Effect::Change { tag, .. } => Some(*tag),
                _ => None,
            }));
            if let Event::Looked(tag, _) | Event::Changed(tag, _) | Event::Timer(tag) | Event::Loaded(tag, _) = &step.event {
                open.retain(|waited_for| waited_for != tag);
            }
            match &step.after.dialog {
                Some(Dialog::Waiting(waiting)) => prop_assert!(waiting.next != Next::Wait || !open.is_empty()),
                Some(_) => {}
                None => {
                    if let Page::Comparison(page) = &step.after.page {
                        prop_assert!(
                            page.can_choose
                                || page.cancelling
                                || page.taking_back
                                || page.notice.is_some()
                                || !page.current.can_change,
                            "{page:?}"
                        );
                    }
                }
            }
        }
    }

    /// F9, F11: while a charge is undecided nothing else is started.
    #[test]
    fn f9_f11_nothing_else_while_undecided(choices in story()) {
        for step in play(&choices) {
            if undecided(&step.before) && matches!(step.event, Event::Act { .. }) {
                for effect in &step.effects {
                    prop_assert!(
                        matches!(effect, Effect::Ask(..) | Effect::Load(_) | Effect::Navigate(_)),
                        "{effect:?}"
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// F15. Cancelling, too, is sent only from the dialog that says what it means.
    #[test]
    fn f15_a_stay_offer_is_asked_for_once_and_gone_once_refused(choices in story()) {
        let mut asked = vec![];
        let mut refused = false;
        for step in play(&choices) {
            match step.event {
                Event::Start(_) => asked.clear(),
                Event::Loaded(..) if step.changed => asked.clear(),
                Event::StayOffered(..) if step.changed => refused = false,
                _ => {}
            }
            for effect in &step.effects {
                match effect {
                    Effect::StayOffer(_, request) => {
                        prop_assert!(!asked.contains(&request.intent));
                        asked.push(request.intent);
                    }
                    Effect::Decline(_) => refused = true,
                    Effect::Preview(_, request) if request.product_id == product_id("lite") => {
                        prop_assert!(!refused);
                    }
                    Effect::Cancel(_) => prop_assert!(matches!(step.before.dialog, Some(Dialog::Cancel(_)))),
                    _ => {}
                }
            }
        }
    }
}

/// The random stories reach every part; otherwise the properties above would prove nothing.
#[test]
fn random_stories_go_everywhere() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..6_000 {
        let choices = story().new_tree(&mut runner).unwrap().current();
        for step in play(&choices) {
            seen.insert(match step.after.dialog {
                None => "closed",
                Some(Dialog::Adjust(_)) => "adjusting",
                Some(Dialog::Stay(_)) => "staying",
                Some(Dialog::Cancel(_)) => "cancelling",
                Some(Dialog::Review(review)) => match review.confirm {
                    ConfirmState::Arming => "arming",
                    ConfirmState::Ready => "ready",
                    ConfirmState::Refreshing => "refreshing",
                    ConfirmState::Stale => "stale",
                    ConfirmState::Sending => "sending",
                },
                Some(Dialog::Waiting(_)) => "waiting",
                Some(Dialog::Done(_)) => "done",
                Some(Dialog::Failed(_)) => "failed",
                Some(Dialog::Altered(_)) => "altered",
            });
            if let Page::Comparison(page) = step.after.page {
                seen.insert(match page.notice {
                    Some(Notice::Waiting(_)) => "waiting, closed",
                    Some(Notice::Done(_)) => "done, closed",
                    Some(Notice::Failed(_)) => "failed, closed",
                    Some(Notice::PriceLapsed(_)) => "price lapsed",
                    Some(Notice::TakenBack) => "taken back",
                    Some(Notice::Cancelled) => "cancelled",
                    Some(Notice::Kept) => "kept",
                    _ => continue,
                });
            }
        }
    }
    assert_eq!(seen.len(), 20, "{seen:?}");
}
