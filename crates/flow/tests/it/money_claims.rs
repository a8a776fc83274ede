//! F18: what is said about money follows from an attempt, or from a refusal that is proof by the contract. Every status,
//! every code and every attempt, at every moment of both flows.

use flow::announce::{Announcement, Trouble};
use flow::offer::{self, Act, Effect, Ordered, View};
use flow::plans::{self, Dialog, Notice, Page};
use flow::{ApiError, charge};
use wire::{Attempt, AttemptStatus, ErrorCode, Money};

use crate::build::*;
use crate::offer_stage;

/// What a view claims.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Claims {
    /// That nothing was charged, or that a payment did not go through.
    pub(crate) not_charged: bool,
    /// That this much was paid.
    pub(crate) paid: Option<Money>,
    /// That nothing is charged twice.
    pub(crate) once: bool,
}

impl Claims {
    /// Whether it claims no more than this.
    pub(crate) fn within(self, not_charged: bool, paid: bool, once: bool) -> bool {
        (not_charged || !self.not_charged) && (paid || self.paid.is_none()) && (once || !self.once)
    }
}

fn of_receipt(done: &charge::DoneView) -> Claims {
    let paid = done.receipt.as_ref().map(|receipt| Money::new(receipt.amount, receipt.currency));
    Claims { paid, ..Claims::default() }
}

const NONE: Claims = Claims { not_charged: false, paid: None, once: false };
const NOT_CHARGED: Claims = Claims { not_charged: true, ..NONE };
const ONCE: Claims = Claims { once: true, ..NONE };

pub(crate) fn of_offer(view: &View) -> Claims {
    match view {
        View::Nothing
        | View::Leaving { .. }
        | View::Closed(offer::Closed::Gone | offer::Closed::SessionOver)
        | View::Ordering { .. }
        | View::Altered(_)
        | View::Ordered(Ordered::Taken | Ordered::NotTaken | Ordered::Unknown) => NONE,
        View::Offer(card) => Claims {
            not_charged: card.not_charged.is_some(),
            once: card.notice == Some(offer::Notice::NotReceived),
            paid: None,
        },
        View::Waiting(_) => ONCE,
        View::Done(done) => of_receipt(done),
        View::Failed(_) => NOT_CHARGED,
    }
}

pub(crate) fn of_plans(view: &plans::View) -> Claims {
    let page = match &view.page {
        Page::Loading | Page::Unavailable { .. } => NONE,
        Page::Comparison(page) => match &page.notice {
            None => NONE,
            Some(notice) => match notice {
                Notice::PreviewFailed
                | Notice::ChangeNotPossible
                | Notice::Busy(None)
                | Notice::SessionOver
                | Notice::TakeBackFailed
                | Notice::TakenBack
                | Notice::CardLinkFailed
                | Notice::Cancelled
                | Notice::CancelFailed
                | Notice::Kept
                | Notice::KeepFailed => NONE,
                Notice::Busy(Some(_)) | Notice::PriceLapsed(_) | Notice::Failed(_) => NOT_CHARGED,
                Notice::NotReceived | Notice::Waiting(_) => ONCE,
                Notice::Done(done) => of_receipt(done),
            },
        },
    };
    let dialog = match &view.dialog {
        None | Some(Dialog::Adjust(_) | Dialog::Stay(_) | Dialog::Cancel(_) | Dialog::Altered(_)) => NONE,
        Some(Dialog::Review(review)) => Claims { not_charged: review.not_charged.is_some(), ..NONE },
        Some(Dialog::Waiting(_)) => ONCE,
        Some(Dialog::Done(done)) => of_receipt(done),
        Some(Dialog::Failed(_)) => NOT_CHARGED,
    };
    Claims {
        not_charged: page.not_charged || dialog.not_charged,
        paid: page.paid.or(dialog.paid),
        once: page.once || dialog.once,
    }
}

/// Codes that the proxy gives only before anything is collected (`docs/API.md`), also to a repeated request.
const CONCLUSIVE: [ErrorCode; 3] =
    [ErrorCode::QuoteChanged, ErrorCode::QuoteExpired, ErrorCode::ChangeNotPossible];

/// The same, where no request went before that may yet be worked on.
const AT_FIRST: [ErrorCode; 7] = [
    ErrorCode::RateLimited,
    ErrorCode::NotConfirmedYet,
    ErrorCode::InvalidRequest,
    ErrorCode::IdempotencyKeyMissing,
    ErrorCode::MethodNotAllowed,
    ErrorCode::PayloadTooLarge,
    ErrorCode::UnsupportedMediaType,
];

/// Whether an error reply to a charging request proves that nothing was charged.
pub(crate) fn proves(error: &ApiError, first: bool) -> bool {
    match error {
        ApiError::Problem(problem) => {
            CONCLUSIVE.contains(&problem.code) || first && AT_FIRST.contains(&problem.code)
        }
        _ => false,
    }
}

/// Every status without a body of ours, every code under many statuses, and no answer.
pub(crate) fn errors() -> Vec<ApiError> {
    let statuses = [200, 400, 401, 402, 403, 404, 408, 409, 410, 422, 429, 500, 502, 503, 504];
    let coded = ErrorCode::ALL.iter().flat_map(|code| statuses.map(|status| problem(status, *code)));
    let mut all: Vec<ApiError> = (100..600).map(|status| ApiError::Foreign { status }).collect();
    all.extend(coded);
    all.extend([
        ApiError::Network,
        ApiError::Timeout,
        ApiError::BadBody,
        ApiError::BadField("product"),
        quote_changed(quote("q2", 6000)),
    ]);
    all
}

/// Every status and none, with and without `success`, a receipt and an address.
pub(crate) fn attempts() -> Vec<Attempt> {
    let statuses = AttemptStatus::ALL.iter().copied().map(Some).chain([None]);
    statuses
        .flat_map(|status| {
            [0, 1, 2, 3, 4, 5, 6, 7].map(|bits| Attempt {
                status,
                receipt: (bits & 2 > 0).then(|| receipt(5000)),
                checkout_url: (bits & 4 > 0).then(|| CHECKOUT.to_owned()),
                ..bare(bits & 1 > 0)
            })
        })
        .collect()
}

/// From here on everything that is asked is answered like this, and every timer runs out.
fn offer_goes_on(
    mut stage: offer_stage::Stage,
    reply: &Result<Attempt, ApiError>,
    mut check: impl FnMut(Claims, &View),
) {
    let first = stage.unanswered();
    for next in first..first + 60 {
        check(of_offer(&stage.view()), &stage.view());
        let Some(effect) = stage.effects.get(next).cloned() else { return };
        let loaded = || reply.clone().map(|attempt| answer(taken(attempt)));
        stage.happen(match effect {
            Effect::Accept { tag, .. } => offer::Event::Accepted(tag, reply.clone()),
            Effect::Ask(tag, _) => offer::Event::Looked(tag, reply.clone()),
            Effect::Load(tag) => offer::Event::Loaded(tag, loaded()),
            Effect::Schedule(tag, after) if after < 200_000 => offer::Event::Timer(tag),
            _ => continue,
        });
    }
}

pub(crate) type Moment<S> = (&'static str, fn() -> S, Sent);

/// What may be proved at a moment.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Sent {
    /// Nothing: no charging request is on its way.
    Nothing,
    /// The request is the first.
    First,
    /// One before it was not answered.
    Again,
}

fn pressed() -> offer_stage::Stage {
    let mut stage = offer_stage::Stage::shown(offered("o1", quote("q1", 5000)));
    stage.act(Act::Accept);
    stage
}

const OFFER_MOMENTS: [Moment<offer_stage::Stage>; 9] = [
    ("at the start", offer_stage::Stage::loading, Sent::Nothing),
    (
        "when a fresh quote is fetched",
        || {
            let mut stage = offer_stage::Stage::shown(offered("o1", quote("q1", 5000)));
            stage.wait_for(290_000);
            stage
        },
        Sent::Nothing,
    ),
    ("at the first press", pressed, Sent::First),
    (
        "when the request is repeated",
        || {
            let mut stage = pressed();
            stage.accepted(Err(ApiError::Network)).wait_for(600);
            stage
        },
        Sent::Again,
    ),
    (
        "when an attempt is asked about",
        || {
            let mut stage = pressed();
            stage.accepted(Ok(attempt(AttemptStatus::Processing))).wait();
            stage
        },
        Sent::Nothing,
    ),
    (
        "when the offer is loaded to see what became of it",
        || {
            let mut stage = pressed();
            stage.accepted(Err(ApiError::BadBody)).wait();
            stage
        },
        Sent::Nothing,
    ),
    (
        "when another page began it",
        || offer_stage::Stage::opened(taken(attempt(AttemptStatus::Processing))),
        Sent::Nothing,
    ),
    (
        "at another way to pay, after a failure",
        || {
            let mut stage = pressed();
            stage.accepted(Ok(attempt(AttemptStatus::Failed))).act(Act::PayAnotherWay);
            stage
        },
        Sent::First,
    ),
    (
        "at a press after a changed quote",
        || {
            let mut stage = pressed();
            stage.accepted(Err(quote_changed(quote("q2", 6000)))).look().act(Act::Accept);
            stage
        },
        Sent::First,
    ),
];

#[test]
fn f18_offer_no_error_says_more_about_money_than_it_proves() {
    for (moment, stage, sent) in OFFER_MOMENTS {
        for error in errors() {
            let proved = sent != Sent::Nothing && proves(&error, sent == Sent::First);
            offer_goes_on(stage(), &Err(error.clone()), |claims, view| {
                assert!(!claims.not_charged || proved, "{moment}, {error:?}: {view:?}");
                assert_eq!(claims.paid, None, "{moment}, {error:?}: {view:?}");
            });
        }
    }
}

#[test]
fn f18_offer_an_attempt_is_told_as_it_is() {
    for (moment, stage, _) in OFFER_MOMENTS {
        for attempt in attempts() {
            let (failed, collected) = (
                attempt.status == Some(AttemptStatus::Failed),
                matches!(attempt.status, Some(AttemptStatus::Succeeded | AttemptStatus::Scheduled)),
            );
            let paid = attempt.receipt.as_ref().filter(|_| collected);
            let paid = paid.map(|receipt| Money::new(receipt.amount, receipt.currency));
            offer_goes_on(stage(), &Ok(attempt.clone()), |claims, view| {
                assert!(!claims.not_charged || failed, "{moment}, {attempt:?}: {view:?}");
                assert!(claims.paid.is_none() || claims.paid == paid, "{moment}, {attempt:?}: {view:?}");
            });
        }
    }
}

/// The proof is told, too: otherwise silence would pass for truth.
#[test]
fn f18_what_is_proved_is_said() {
    for code in CONCLUSIVE.into_iter().chain(AT_FIRST) {
        let mut stage = pressed();
        stage.accepted(Err(match code {
            ErrorCode::QuoteChanged => quote_changed(quote("q2", 6000)),
            _ => problem(400, code),
        }));
        assert!(of_offer(&stage.view()).not_charged, "{code:?}: {:?}", stage.view());
    }
}

/// A basic backend knows nothing of money, so neither do we: whatever it answers, and however long it takes.
#[test]
fn f18_a_basic_backend_s_answer_says_nothing_about_money() {
    let mut seen = vec![];
    let replies = errors().into_iter().map(Err).chain(attempts().into_iter().map(Ok));
    for reply in replies {
        let mut stage = offer_stage::Stage::shown(basic_backend());
        stage.act(Act::Accept);
        for late in [false, true] {
            let mut stage = offer_stage::Stage::shown(basic_backend());
            stage.act(Act::Accept);
            if late {
                stage.wait_for(6_000);
                assert_eq!(stage.view(), View::Ordering { due: dollars(5000) });
            }
            offer_goes_on(stage, &reply, |claims, view| {
                assert_eq!(claims, NONE, "{reply:?}: {view:?}");
            });
        }
        stage.accepted(reply.clone());
        for announcement in stage.announced() {
            assert!(
                !matches!(
                    announcement,
                    Announcement::Accepted(_) | Announcement::Failed(_, Trouble::Charge(_))
                ),
                "{reply:?}: {announcement:?}"
            );
        }
        match stage.view() {
            View::Ordered(ordered) if !seen.contains(&ordered) => seen.push(ordered),
            View::Ordered(_) | View::Leaving { .. } => {}
            other => panic!("{reply:?}: {other:?}"),
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}
