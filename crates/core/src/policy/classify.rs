//! What the evidence of a charging request proves. Pure and total: there is a class for everything that can come back.
//!
//! The question is never "did it fail" but "is it certain that nothing was collected". Where it is not, the class is
//! [`Class::Unknown`], and the outcome is found out by looking.

use dodo_client::{ApiError, ChargeEvidence, ErrorBody};
use wire::FailureReason;

use super::failure_reason;

/// What is certain about one charging request.
#[derive(Debug, PartialEq, Eq)]
pub enum Class<'a, T> {
    /// Not a byte left this machine. The offer may be opened again.
    NotSent,
    /// Dodo refused it. Nothing was collected and nothing will be.
    Rejected(FailureReason),
    /// It may have been executed. Never send it again.
    Unknown,
    /// Dodo took it on. It does not mean "paid".
    Accepted(&'a T),
}

/// Classifies what was seen of a charging request.
#[must_use]
pub fn classify<T>(evidence: &ChargeEvidence<T>) -> Class<'_, T> {
    match evidence {
        ChargeEvidence::Unsent(_) => Class::NotSent,
        ChargeEvidence::Accepted { status: 200..=299, reply } => Class::Accepted(reply),
        ChargeEvidence::Refused(error) => refused(error),
        ChargeEvidence::Accepted { .. }
        | ChargeEvidence::Undecodable { .. }
        | ChargeEvidence::Broken { .. } => Class::Unknown,
    }
}

fn refused<'a, T>(error: &ApiError) -> Class<'a, T> {
    // Only Dodo itself answers with a code or message of this form. A bare status may come from anything in between,
    // and says nothing about what Dodo did.
    if !matches!(error.body, ErrorBody::Parsed { .. }) {
        return Class::Unknown;
    }
    match error.status {
        400 | 401 | 403 | 404 | 405 | 413 | 415 | 422 => {
            Class::Rejected(failure_reason::of_refusal(error.code()))
        }
        // 408 and 409 may follow an execution: a slow one, an earlier one. So may 429: nobody has promised that a rate
        // limit acts before anything is executed. 3xx is not Dodo's.
        _ => Class::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use dodo_client::{RateLimit, TransportError, Unsent, error::DecodeError};
    use proptest::prelude::*;

    use super::*;

    fn refusal(status: u16, body: ErrorBody) -> ChargeEvidence<()> {
        ChargeEvidence::Refused(Box::new(ApiError {
            status,
            body,
            retry_after: None,
            rate_limit: RateLimit::default(),
        }))
    }

    fn dodo(code: &str) -> ErrorBody {
        ErrorBody::Parsed { code: Some(code.to_owned()), message: None }
    }

    #[test]
    fn before_the_first_byte_nothing_was_sent() {
        for why in [Unsent::Request, Unsent::Dns, Unsent::Connect, Unsent::Tls, Unsent::ConnectTimeout] {
            assert_eq!(classify::<()>(&ChargeEvidence::Unsent(why)), Class::NotSent, "{why:?}");
        }
    }

    #[test]
    fn everything_after_the_first_byte_is_unknown() {
        for cause in [
            TransportError::Timeout,
            TransportError::Reset,
            TransportError::Truncated,
            TransportError::TooLong,
            TransportError::Protocol,
        ] {
            for status in [None, Some(200), Some(422)] {
                let evidence = ChargeEvidence::<()>::Broken { status, cause };
                assert_eq!(classify(&evidence), Class::Unknown, "{evidence:?}");
            }
        }
        let garbled = ChargeEvidence::<()>::Undecodable { status: 200, reason: DecodeError::NotJson };
        assert_eq!(classify(&garbled), Class::Unknown);
    }

    #[test]
    fn dodos_own_refusals_are_definite() {
        for status in [400, 401, 403, 404, 405, 413, 415, 422] {
            let evidence = refusal(status, dodo("INVALID_REQUEST_BODY"));
            assert_eq!(classify(&evidence), Class::Rejected(FailureReason::ProcessingError), "{status}");
        }
    }

    /// Were it taken for a refusal and had been executed, the next click would charge a second time.
    #[test]
    fn a_rate_limit_proves_nothing() {
        assert_eq!(classify(&refusal(429, dodo("TOO_MANY_REQUESTS"))), Class::Unknown);
    }

    #[test]
    fn a_refusal_that_is_not_dodos_proves_nothing() {
        for body in [ErrorBody::Empty, ErrorBody::Text("<html>403</html>".into())] {
            for status in [400, 401, 403, 404, 422, 429] {
                assert_eq!(classify(&refusal(status, body.clone())), Class::Unknown, "{status} {body:?}");
            }
        }
    }

    #[test]
    fn a_conflict_is_never_a_refusal() {
        for code in ["PENDING_PLAN_CHANGE_EXISTS", "SCHEDULED_PLAN_CHANGE_EXISTS", "ANYTHING"] {
            assert_eq!(classify(&refusal(409, dodo(code))), Class::Unknown, "{code}");
        }
    }

    proptest! {
        /// I3: outside a short list of statuses nothing is taken for definite.
        #[test]
        fn no_other_status_is_definite(status in 100_u16..=999, parsed: bool) {
            let body = if parsed { dodo("X") } else { ErrorBody::Empty };
            let evidence = refusal(status, body);
            let definite = !matches!(classify(&evidence), Class::Unknown);
            let listed = [400, 401, 403, 404, 405, 413, 415, 422].contains(&status);
            prop_assert_eq!(definite, parsed && listed);
        }

        #[test]
        fn only_a_complete_2xx_is_accepted(status in 100_u16..=999) {
            let evidence = ChargeEvidence::Accepted { status, reply: () };
            let accepted = matches!(classify(&evidence), Class::Accepted(()));
            prop_assert_eq!(accepted, (200..300).contains(&status));
        }
    }
}
