//! What each reply to a charging request proves, one table: at a backend that keeps the contract, and at a basic one.

use flow::ApiError;
use flow::charge::Standing;
use flow::offer::{AcceptState, Act, Closed, Effect, Notice, Ordered, View};
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
    Ordered(Ordered),
}

fn outcome(stage: &Stage) -> Outcome {
    match stage.view() {
        View::Done(_) => Outcome::Done,
        View::Leaving { .. } => Outcome::Leaving,
        View::Failed(_) => Outcome::Failed,
        View::Waiting(waiting) => Outcome::Waiting(waiting.standing),
        View::Closed(why) => Outcome::Closed(why),
        View::Ordered(ordered) => Outcome::Ordered(ordered),
        View::Ordering { .. } => panic!("no time has passed"),
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
    let unknown = || O::Ordered(Ordered::Unknown);
    let taken = || O::Ordered(Ordered::Taken);
    let not_taken = || O::Ordered(Ordered::NotTaken);
    let gone = || O::Closed(Closed::Gone);
    let session_over = || O::Closed(Closed::SessionOver);
    let foreign = |status| Err(ApiError::Foreign { status });
    let bad_url =
        |url: &str| Ok(Attempt { checkout_url: Some(url.to_owned()), ..attempt(S::CheckoutRequired) });
    let no_sum = {
        let mut quote = quote("q2", 6000);
        quote.total = 5999;
        quote
    };
    vec![
        // name, reply, ours, basic
        ("succeeded", status(S::Succeeded), O::Done, taken()),
        ("scheduled", status(S::Scheduled), O::Done, taken()),
        ("processing", status(S::Processing), O::Waiting(Standing::Processing), unknown()),
        ("action", status(S::RequiresCustomerAction), O::Waiting(Standing::ActionRequired), unknown()),
        ("in doubt", status(S::InDoubt), in_doubt(), unknown()),
        ("a word of tomorrow", status(S::Other), in_doubt(), unknown()),
        ("checkout", status(S::CheckoutRequired), O::Leaving, O::Leaving),
        ("checkout nowhere", bad_url(""), in_doubt(), unknown()),
        ("checkout in clear text", bad_url("http://checkout.test/"), in_doubt(), unknown()),
        ("checkout by script", bad_url("javascript:alert(1)"), in_doubt(), unknown()),
        ("failed", status(S::Failed), O::Failed, not_taken()),
        ("bare success", Ok(bare(true)), in_doubt(), taken()),
        ("bare failure", Ok(bare(false)), in_doubt(), not_taken()),
        ("offline", Err(ApiError::Network), O::Repeats, unknown()),
        ("time-out", Err(ApiError::Timeout), O::Repeats, unknown()),
        ("unreadable", Err(ApiError::BadBody), in_doubt(), unknown()),
        ("502", foreign(502), O::Repeats, unknown()),
        ("503", foreign(503), O::Repeats, unknown()),
        ("504", foreign(504), O::Repeats, unknown()),
        ("500", foreign(500), in_doubt(), unknown()),
        ("501", foreign(501), in_doubt(), unknown()),
        ("302", foreign(302), in_doubt(), unknown()),
        ("408", foreign(408), in_doubt(), unknown()),
        ("409", foreign(409), in_doubt(), unknown()),
        ("400", foreign(400), in_doubt(), not_taken()),
        ("401", foreign(401), in_doubt(), not_taken()),
        ("402", foreign(402), in_doubt(), not_taken()),
        ("403", foreign(403), in_doubt(), not_taken()),
        ("404", foreign(404), in_doubt(), not_taken()),
        ("410", foreign(410), in_doubt(), not_taken()),
        ("429", foreign(429), in_doubt(), not_taken()),
        ("invalid_request", Err(problem(400, E::InvalidRequest)), O::Failed, not_taken()),
        ("idempotency_key_missing", Err(problem(400, E::IdempotencyKeyMissing)), O::Failed, not_taken()),
        ("method_not_allowed", Err(problem(405, E::MethodNotAllowed)), O::Failed, not_taken()),
        ("payload_too_large", Err(problem(413, E::PayloadTooLarge)), O::Failed, not_taken()),
        ("unsupported_media_type", Err(problem(415, E::UnsupportedMediaType)), O::Failed, not_taken()),
        ("change_not_possible", Err(problem(422, E::ChangeNotPossible)), O::Failed, not_taken()),
        ("unauthorized", Err(problem(401, E::Unauthorized)), session_over(), not_taken()),
        ("bound_elsewhere", Err(problem(401, E::BoundElsewhere)), session_over(), not_taken()),
        ("origin", Err(problem(403, E::OriginNotAllowed)), session_over(), not_taken()),
        ("not_found", Err(problem(404, E::NotFound)), gone(), not_taken()),
        ("offer_gone", Err(problem(410, E::OfferGone)), gone(), not_taken()),
        ("rate_limited", Err(problem(429, E::RateLimited)), O::Busy, not_taken()),
        ("not_confirmed_yet", Err(problem(409, E::NotConfirmedYet)), O::Busy, unknown()),
        ("attempt_in_progress", Err(problem(409, E::AttemptInProgress)), in_doubt(), unknown()),
        ("key_in_progress", Err(problem(409, E::KeyInProgress)), in_doubt(), unknown()),
        ("key_reused", Err(problem(422, E::IdempotencyKeyReused)), in_doubt(), not_taken()),
        ("request_timeout", Err(problem(408, E::RequestTimeout)), O::Repeats, unknown()),
        ("unavailable", Err(problem(503, E::Unavailable)), O::Repeats, unknown()),
        ("internal", Err(problem(500, E::Internal)), in_doubt(), unknown()),
        ("a code of tomorrow, 4xx", Err(problem(418, E::Other)), in_doubt(), not_taken()),
        ("a code of tomorrow, 5xx", Err(problem(599, E::Other)), in_doubt(), unknown()),
        ("quote_expired", Err(problem(410, E::QuoteExpired)), O::FreshQuote, not_taken()),
        ("quote_changed", Err(quote_changed(quote("q2", 6000))), O::PriceChanged, unknown()),
        ("quote_changed without one", Err(problem(409, E::QuoteChanged)), O::FreshQuote, unknown()),
        ("quote_changed, lines wrong", Err(quote_changed(no_sum)), O::FreshQuote, unknown()),
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
fn each_reply_of_a_basic_backend() {
    for (name, reply, _, expected) in replies() {
        let mut stage = Stage::shown(basic_backend());
        stage.act(Act::Accept).accepted(reply);
        assert_eq!(outcome(&stage), expected, "{name}");
        let steps = |effect: &Effect| matches!(effect, Effect::Remember(_) | Effect::Accept { .. });
        let order: Vec<_> = stage.effects.iter().filter(|effect| steps(effect)).collect();
        assert!(
            matches!(order[..], [Effect::Remember(_), Effect::Accept { .. }]),
            "{name}: remembered before it is sent, once, whatever the answer: {order:?}"
        );
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
