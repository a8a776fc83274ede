//! From Dodo's error codes to what a buyer may be told.
//!
//! Cards that are reported lost or stolen, and suspected fraud, read as a plain decline: whoever holds the card must not
//! learn more. Dodo's messages are written for the merchant and are never passed on.

use wire::FailureReason;

/// Of a payment that failed (`error_code` of a payment).
#[must_use]
pub fn of_payment(error_code: Option<&str>) -> FailureReason {
    match error_code {
        Some("INSUFFICIENT_FUNDS") => FailureReason::InsufficientFunds,
        Some("EXPIRED_CARD" | "INVALID_EXPIRY_YEAR") => FailureReason::ExpiredCard,
        Some("AUTHENTICATION_FAILURE" | "AUTHENTICATION_REQUIRED" | "AUTHENTICATION_TIMEOUT") => {
            FailureReason::AuthenticationFailed
        }
        Some("LIMIT_EXCEEDED" | "CARD_VELOCITY_EXCEEDED") => FailureReason::LimitExceeded,
        Some(
            "PAYMENT_METHOD_UNSUPPORTED"
            | "PROVIDER_UNSUPPORTED"
            | "MANDATE_INVALID"
            | "MANDATE_REQUIRED"
            | "MANDATE_REQUIRED_SYSTEM"
            | "REVOCATION_OF_AUTHORIZATION",
        ) => FailureReason::MethodNotUsable,
        Some("CUSTOMER_CANCELLED") => FailureReason::Cancelled,
        Some(
            "NETWORK_ERROR"
            | "NETWORK_TIMEOUT"
            | "ORDER_CREATION_FAILED"
            | "PROCESSING_ERROR"
            | "TRY_AGAIN_LATER"
            | "REENTER_TRANSACTION",
        ) => FailureReason::ProcessingError,
        Some(_) | None => FailureReason::Declined,
    }
}

/// Of a request that Dodo refused before anything was charged (`code` of an error body).
#[must_use]
pub fn of_refusal(code: Option<&str>) -> FailureReason {
    match code {
        Some("NO_ELIGIBLE_PAYMENT_METHODS" | "UNSUPPORTED_CURRENCY" | "UNSUPPORTED_COUNTRY") => {
            FailureReason::MethodNotUsable
        }
        Some(
            "PENDING_PLAN_CHANGE_EXISTS"
            | "SCHEDULED_PLAN_CHANGE_EXISTS"
            | "INACTIVE_SUBSCRIPTION_PLAN_CHANGE_NOT_SUPPORTED"
            | "ON_DEMAND_PLAN_CHANGE_NOT_SUPPORTED"
            | "PLAN_CHANGE_NOT_ALLOWED_FOR_SCHEDULED_CANCELLATION"
            | "INVALID_PRORATION_MODE_WITH_NEXT_BILLING_DATE"
            | "CUSTOMER_HAS_EXISTING_SUBSCRIPTION"
            | "UNSUPPORTED_ACTION"
            | "PRODUCT_IS_DELETED"
            | "PREVIOUS_PAYMENT_PENDING",
        ) => FailureReason::NotPossible,
        // Some card declines are documented with the payment's codes; they may come as a refusal as well.
        Some(
            "CARD_DECLINED"
            | "DO_NOT_HONOR"
            | "GENERIC_DECLINE"
            | "FRAUDULENT"
            | "LOST_CARD"
            | "STOLEN_CARD"
            | "PICKUP_CARD"
            | "TRANSACTION_NOT_ALLOWED"
            | "TRANSACTION_NOT_APPROVED",
        ) => FailureReason::Declined,
        Some(
            code @ ("INSUFFICIENT_FUNDS" | "EXPIRED_CARD" | "LIMIT_EXCEEDED" | "AUTHENTICATION_REQUIRED"),
        ) => of_payment(Some(code)),
        Some(_) | None => FailureReason::ProcessingError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thief_learns_nothing() {
        for code in ["FRAUDULENT", "LOST_CARD", "STOLEN_CARD", "PICKUP_CARD"] {
            assert_eq!(of_payment(Some(code)), FailureReason::Declined, "{code}");
            assert_eq!(of_refusal(Some(code)), FailureReason::Declined, "{code}");
        }
    }

    #[test]
    fn what_a_buyer_can_act_on_is_told_apart() {
        for (code, reason) in [
            ("INSUFFICIENT_FUNDS", FailureReason::InsufficientFunds),
            ("EXPIRED_CARD", FailureReason::ExpiredCard),
            ("AUTHENTICATION_REQUIRED", FailureReason::AuthenticationFailed),
            ("LIMIT_EXCEEDED", FailureReason::LimitExceeded),
            ("MANDATE_REQUIRED", FailureReason::MethodNotUsable),
            ("CUSTOMER_CANCELLED", FailureReason::Cancelled),
            ("NETWORK_TIMEOUT", FailureReason::ProcessingError),
            ("GENERIC_DECLINE", FailureReason::Declined),
            ("A_CODE_OF_NEXT_YEAR", FailureReason::Declined),
        ] {
            assert_eq!(of_payment(Some(code)), reason, "{code}");
        }
        assert_eq!(of_payment(None), FailureReason::Declined);
        assert_eq!(of_refusal(Some("NO_ELIGIBLE_PAYMENT_METHODS")), FailureReason::MethodNotUsable);
        assert_eq!(of_refusal(Some("ON_DEMAND_PLAN_CHANGE_NOT_SUPPORTED")), FailureReason::NotPossible);
        assert_eq!(of_refusal(None), FailureReason::ProcessingError);
    }
}
