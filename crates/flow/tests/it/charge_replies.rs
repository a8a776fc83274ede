//! What each reply to a charging request proves: one table, run against our backend and a smaller one.

use flow::ApiError;
use flow::charge::Standing;
use flow::offer::{AcceptState, Act, Closed, Effect, Notice, View};
use wire::{Attempt, AttemptStatus, ErrorCode};

use crate::build::*;
use crate::offer_stage::Stage;

/// What the buyer is shown, in a word.
#[derive(Debug, PartialEq)]
enum Outcome {
    Done,
    Leaving,
    Failed,
    Waiting(Standing),
    /// Still the busy button: the request will be repeated.
    Repeats,
    PriceChanged,
    FreshQuote,
    Busy,
    Closed(Closed),
}

fn outcome(stage: &Stage) -> Outcome {
    match stage.view() {
        View::Done(_) => Outcome::Done,
        View::Leaving { .. } => Outcome::Leaving,
        View::Failed(_) => Outcome::Failed,
        View::Waiting(waiting) => Outcome::Waiting(waiting.standing),
        View::Closed(why) => Outcome::Closed(why),
        View::Offer(card) => match (card.accept, card.changed_from, card.notice) {
            (AcceptState::Sending, ..) => Outcome::Repeats,
            (AcceptState::Refreshing, ..) => Outcome::FreshQuote,
            (_, Some(_), _) => Outcome::PriceChanged,
            (_, _, Some(Notice::Busy)) => Outcome::Busy,
            other => panic!("{other:?}"),
        },
        View::Nothing | View::Altered(_) => panic!("the offer vanished"),
    }
}

fn replies() -> Vec<(&'static str, Result<Attempt, ApiError>, Outcome, Outcome)> {
    use AttemptStatus as S;
    use ErrorCode as E;
    use Outcome as O;
    let status = |status| Ok(attempt(status));
    let in_doubt = || O::Waiting(Standing::InDoubt);
    let unknown = || O::Closed(Closed::Unknown);
    let bad_url =
        |url: &str| Ok(Attempt { checkout_url: Some(url.to_owned()), ..attempt(S::CheckoutRequired) });
    let no_sum = {
        let mut quote = quote("q2", 6000);
        quote.total = 5999;
        quote
    };
    vec![
        // name, reply, ours, smaller
        ("succeeded", status(S::Succeeded), O::Done, O::Done),
        ("scheduled", status(S::Scheduled), O::Done, O::Done),
        ("processing", status(S::Processing), O::Waiting(Standing::Processing), unknown()),
        ("action", status(S::RequiresCustomerAction), O::Waiting(Standing::ActionRequired), unknown()),
        ("in doubt", status(S::InDoubt), in_doubt(), unknown()),
        ("a word of tomorrow", status(S::Other), in_doubt(), unknown()),
        ("checkout", status(S::CheckoutRequired), O::Leaving, O::Leaving),
        ("checkout nowhere", bad_url(""), in_doubt(), unknown()),
        ("checkout in clear text", bad_url("http://checkout.test/"), in_doubt(), unknown()),
        ("checkout by script", bad_url("javascript:alert(1)"), in_doubt(), unknown()),
        ("failed", status(S::Failed), O::Failed, O::Failed),
        ("bare success", Ok(bare(true)), O::Done, O::Done),
        ("bare failure", Ok(bare(false)), O::Failed, O::Failed),
        ("offline", Err(ApiError::Network), O::Repeats, unknown()),
        ("time-out", Err(ApiError::Timeout), O::Repeats, unknown()),
        ("unreadable", Err(ApiError::BadBody), in_doubt(), unknown()),
        ("502", Err(ApiError::Foreign { status: 502 }), O::Repeats, unknown()),
        ("503", Err(ApiError::Foreign { status: 503 }), O::Repeats, unknown()),
        ("504", Err(ApiError::Foreign { status: 504 }), O::Repeats, unknown()),
        ("500", Err(ApiError::Foreign { status: 500 }), in_doubt(), unknown()),
        ("501", Err(ApiError::Foreign { status: 501 }), in_doubt(), unknown()),
        ("302", Err(ApiError::Foreign { status: 302 }), in_doubt(), unknown()),
        ("408", Err(ApiError::Foreign { status: 408 }), in_doubt(), unknown()),
        ("409", Err(ApiError::Foreign { status: 409 }), in_doubt(), unknown()),
        ("400", Err(ApiError::Foreign { status: 400 }), O::Failed, O::Failed),
        ("402", Err(ApiError::Foreign { status: 402 }), O::Failed, O::Failed),
        (
            "401",
            Err(ApiError::Foreign { status: 401 }),
            O::Closed(Closed::SessionOver),
            O::Closed(Closed::SessionOver),
        ),
        (
            "403",
            Err(ApiError::Foreign { status: 403 }),
            O::Closed(Closed::SessionOver),
            O::Closed(Closed::SessionOver),
        ),
        ("404", Err(ApiError::Foreign { status: 404 }), O::Closed(Closed::Gone), O::Closed(Closed::Gone)),
        ("410", Err(ApiError::Foreign { status: 410 }), O::Closed(Closed::Gone), O::Closed(Closed::Gone)),
        ("429", Err(ApiError::Foreign { status: 429 }), O::Busy, O::Busy),
        ("invalid_request", Err(problem(400, E::InvalidRequest)), O::Failed, O::Failed),
        ("idempotency_key_missing", Err(problem(400, E::IdempotencyKeyMissing)), O::Failed, O::Failed),
        ("method_not_allowed", Err(problem(405, E::MethodNotAllowed)), O::Failed, O::Failed),
        ("payload_too_large", Err(problem(413, E::PayloadTooLarge)), O::Failed, O::Failed),
        ("unsupported_media_type", Err(problem(415, E::UnsupportedMediaType)), O::Failed, O::Failed),
        ("change_not_possible", Err(problem(422, E::ChangeNotPossible)), O::Failed, O::Failed),
        (
            "unauthorized",
            Err(problem(401, E::Unauthorized)),
            O::Closed(Closed::SessionOver),
            O::Closed(Closed::SessionOver),
        ),
        (
            "bound_elsewhere",
            Err(problem(401, E::BoundElsewhere)),
            O::Closed(Closed::SessionOver),
            O::Closed(Closed::SessionOver),
        ),
        (
            "origin",
            Err(problem(403, E::OriginNotAllowed)),
            O::Closed(Closed::SessionOver),
            O::Closed(Closed::SessionOver),
        ),
        ("not_found", Err(problem(404, E::NotFound)), O::Closed(Closed::Gone), O::Closed(Closed::Gone)),
        ("offer_gone", Err(problem(410, E::OfferGone)), O::Closed(Closed::Gone), O::Closed(Closed::Gone)),
        ("rate_limited", Err(problem(429, E::RateLimited)), O::Busy, O::Busy),
        ("attempt_in_progress", Err(problem(409, E::AttemptInProgress)), in_doubt(), unknown()),
        ("key_in_progress", Err(problem(409, E::KeyInProgress)), in_doubt(), unknown()),
        ("key_reused", Err(problem(422, E::IdempotencyKeyReused)), in_doubt(), unknown()),
        ("request_timeout", Err(problem(408, E::RequestTimeout)), O::Repeats, unknown()),
        ("unavailable", Err(problem(503, E::Unavailable)), O::Repeats, unknown()),
        ("internal", Err(problem(500, E::Internal)), in_doubt(), unknown()),
        ("a code of tomorrow, 4xx", Err(problem(418, E::Other)), O::Failed, O::Failed),
        ("a code of tomorrow, 5xx", Err(problem(599, E::Other)), in_doubt(), unknown()),
        ("quote_expired", Err(problem(410, E::QuoteExpired)), O::FreshQuote, O::FreshQuote),
        ("quote_changed", Err(quote_changed(quote("q2", 6000))), O::PriceChanged, O::PriceChanged),
        ("quote_changed without one", Err(problem(409, E::QuoteChanged)), O::FreshQuote, O::FreshQuote),
        ("quote_changed, lines wrong", Err(quote_changed(no_sum)), O::FreshQuote, O::FreshQuote),
    ]
}

#[test]
fn each_reply_of_our_backend() {
    for (name, reply, expected, _) in replies() {
        let mut stage = Stage::shown(offered("o1", quote("q1", 5000)));
        stage.act(Act::Accept).accepted(reply);
        assert_eq!(outcome(&stage), expected, "{name}");
        assert_eq!(stage.sent().len(), 1, "{name}: nothing is repeated without a pause");
    }
}

#[test]
fn each_reply_of_a_smaller_backend() {
    for (name, reply, _, expected) in replies() {
        // It knows no quotes, so these replies cannot come from it.
        if matches!(expected, Outcome::FreshQuote | Outcome::PriceChanged) {
            continue;
        }
        let mut stage = Stage::shown(small_backend());
        stage.act(Act::Accept).accepted(reply);
        assert_eq!(outcome(&stage), expected, "{name}");
        let remembered = stage.count(|effect| matches!(effect, Effect::Remember(_)));
        let forgotten = stage.count(|effect| matches!(effect, Effect::Forget(_)));
        assert_eq!(remembered, 1, "{name}: remembered before it was sent");
        let may_have_charged =
            matches!(expected, Outcome::Done | Outcome::Leaving | Outcome::Closed(Closed::Unknown));
        assert_eq!(forgotten, usize::from(!may_have_charged), "{name}");
    }
}

/// After an unanswered request the refusal of its repetition proves nothing about the first.
#[test]
fn a_refused_repetition_leaves_the_first_request_in_doubt() {
    for (name, reply, expected, _) in replies() {
        let mut stage = Stage::shown(offered("o1", quote("q1", 5000)));
        stage.act(Act::Accept).accepted(Err(ApiError::Network)).wait_for(600);
        assert_eq!(stage.sent().len(), 2, "{name}");
        stage.accepted(reply.clone());
        let conclusive = match &reply {
            Ok(_) => true,
            Err(ApiError::Problem(problem)) => matches!(
                problem.code,
                ErrorCode::OfferGone
                    | ErrorCode::QuoteExpired
                    | ErrorCode::QuoteChanged
                    | ErrorCode::ChangeNotPossible
            ),
            Err(_) => false,
        };
        let expected = match expected {
            Outcome::Repeats => Outcome::Repeats,
            outcome if conclusive => outcome,
            _ => Outcome::Waiting(Standing::InDoubt),
        };
        assert_eq!(outcome(&stage), expected, "{name}");
    }
}
