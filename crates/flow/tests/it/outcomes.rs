//! Every way in which a charge can fail to be collected, in both flows: its state, and the one way on.

use flow::ApiError;
use flow::charge::{Failure, SoftDecline, Standing};
use flow::offer::{self, Act, View};
use flow::plans::{self, Dialog};
use wire::{Attempt, AttemptStatus, FailureReason};

use crate::build::*;

/// Reason, state, and whether another card would help.
const FAILURES: [(FailureReason, Failure, bool); 12] = [
    (FailureReason::InsufficientFunds, Failure::SoftDecline(SoftDecline::InsufficientFunds), true),
    (FailureReason::LimitExceeded, Failure::SoftDecline(SoftDecline::LimitExceeded), true),
    (FailureReason::ProcessingError, Failure::SoftDecline(SoftDecline::NotReached), false),
    (FailureReason::Declined, Failure::HardDecline, true),
    (FailureReason::ExpiredCard, Failure::ExpiredCard, true),
    (FailureReason::AuthenticationFailed, Failure::NotAuthenticated, true),
    (FailureReason::WrongCurrency, Failure::WrongCurrency, true),
    (FailureReason::MethodNotReusable, Failure::NotReusable, true),
    (FailureReason::MethodNotUsable, Failure::NotUsable, true),
    (FailureReason::Cancelled, Failure::CalledOff, false),
    (FailureReason::NotPossible, Failure::NotPossible, false),
    (FailureReason::Other, Failure::Unexplained, true),
];

/// The states of an unfinished charge.
const OPEN: [(AttemptStatus, Standing); 5] = [
    (AttemptStatus::Processing, Standing::Processing),
    (AttemptStatus::RequiresCustomerAction, Standing::ActionRequired),
    (AttemptStatus::InDoubt, Standing::InDoubt),
    (AttemptStatus::Other, Standing::InDoubt),
    (AttemptStatus::NeedsReview, Standing::InReview),
];

fn accepted(reply: Attempt) -> crate::offer_stage::Stage {
    let mut stage = crate::offer_stage::Stage::shown(offered("o1", quote("q1", 5000)));
    stage.act(Act::Accept).accepted(Ok(reply));
    stage
}

fn confirmed(reply: Attempt) -> crate::plans_stage::Stage {
    let mut stage = crate::plans_stage::Stage::reviewing();
    stage.act(plans::Act::Confirm).changed(Ok(reply));
    stage
}

#[test]
fn each_failure_of_an_offer_leads_to_the_hosted_checkout_or_nowhere() {
    for (reason, failure, _) in FAILURES {
        for offered in [true, false] {
            let mut stage = accepted(Attempt { hosted_checkout_offered: offered, ..failed_by(reason) });
            let View::Failed(failed) = stage.view() else { panic!("{reason:?}") };
            assert_eq!((failed.failure, failed.another_way), (failure, offered), "{reason:?}");
            stage.act(Act::Accept);
            assert_eq!(stage.sent().len(), 1, "{reason:?}: never a second try on the same card");
            stage.act(Act::PayAnotherWay);
            assert_eq!(stage.sent().len(), if offered { 2 } else { 1 }, "{reason:?}");
        }
    }
}

#[test]
fn each_failure_of_a_plan_change_leads_to_another_card_where_that_helps() {
    for (reason, failure, another_card) in FAILURES {
        let stage = confirmed(failed_by(reason));
        let Some(Dialog::Failed(failed)) = stage.view().dialog else { panic!("{reason:?}") };
        assert_eq!((failed.failure, failed.another_way), (failure, another_card), "{reason:?}");
    }
}

/// Whatever address or offer comes along: while a charge is undecided there is nothing to begin anew.
#[test]
fn each_unfinished_charge_is_waited_for() {
    for (status, standing) in OPEN {
        let reply = Attempt { hosted_checkout_offered: true, ..at_a_page(status) };
        let mut stage = accepted(reply.clone());
        let View::Waiting(waiting) = stage.view() else { panic!("{status:?}") };
        assert_eq!(waiting.standing, standing);
        for act in [Act::Accept, Act::PayAnotherWay, Act::Decline(None), Act::Dismiss] {
            stage.act(act);
        }
        assert_eq!((stage.sent().len(), stage.view()), (1, View::Waiting(waiting)), "{status:?}");
        let goes = stage.count(|effect| matches!(effect, offer::Effect::Navigate(_)));
        stage.act(Act::Continue);
        let went = stage.count(|effect| matches!(effect, offer::Effect::Navigate(_))) - goes;
        assert_eq!(went, usize::from(standing == Standing::ActionRequired), "{status:?}");

        let stage = confirmed(reply);
        let Some(Dialog::Waiting(waiting)) = stage.view().dialog else { panic!("{status:?}") };
        assert_eq!(waiting.standing, standing);
    }
}

/// A page that only took a charge up has no quote to pay another way: the offer comes back first.
#[test]
fn what_an_earlier_page_began_and_failed_brings_the_offer_back() {
    let mut stage = crate::offer_stage::Stage::opened(taken(attempt(AttemptStatus::InDoubt)));
    stage.wait().looked(Ok(failed_by(FailureReason::ExpiredCard)));
    let View::Failed(failed) = stage.view() else { panic!() };
    assert!(failed.another_way);
    stage.act(Act::PayAnotherWay);
    assert_eq!(stage.view(), View::Nothing);
    let hosted = wire::UpsellResponse { payment_method: None, ..offered("o1", quote("q2", 5000)) };
    stage.loaded(Ok(answer(hosted))).look();
    assert_eq!(stage.card().pay_by, offer::PayBy::HostedCheckout);
    assert_eq!(stage.sent().len(), 0, "nothing is paid but by a press on what is shown");
}

/// An order whose answer is lost ends in doubt, and from there only in what is seen of it.
#[test]
fn doubt_is_never_called_failure() {
    let mut stage = crate::offer_stage::Stage::shown(offered("o1", quote("q1", 5000)));
    stage.act(Act::Accept).accepted(Err(ApiError::BadBody));
    for look in [Err(ApiError::Network), Err(ApiError::Timeout), Err(ApiError::Foreign { status: 500 })] {
        let View::Waiting(waiting) = stage.view() else { panic!() };
        assert_eq!(waiting.standing, Standing::InDoubt);
        stage.wait().loaded(look);
    }
    stage.wait().loaded(Ok(answer(taken(failed_by(FailureReason::ExpiredCard)))));
    assert!(matches!(stage.view(), View::Failed(failed) if failed.failure == Failure::ExpiredCard));
}
