//! From Dodo's error codes to what a buyer may be told.
//!
//! Dodo calls some codes hard (the same card will never do) and the rest soft. What a buyer is told keeps that apart where
//! it may: `declined` is said of a card that the bank refuses, with another card as the way on, and every word that names
//! a passing obstacle is a soft one. Cards that are reported lost or stolen, and suspected fraud, read as a plain decline:
//! whoever holds the card must not learn more, so that a plain decline and these cannot be told apart, though Dodo counts
//! the one as soft and the others as hard. Codes that are not known here read the same. Dodo's messages are written for
//! the merchant and are never passed on.

use dodo_client::ChargeEvidence;
use wire::FailureReason;

/// Dodo does not say which of its conditions for a saved method is not met.
const INELIGIBLE: &str = "NO_ELIGIBLE_PAYMENT_METHODS";

/// Of a payment that failed (`error_code` of a payment). Without a code, as in listings, no reason is claimed.
#[must_use]
pub fn of_payment(error_code: Option<&str>) -> FailureReason {
    match error_code {
        Some(code) => documented(code).unwrap_or(FailureReason::Declined),
        None => FailureReason::Other,
    }
}

/// The codes that failed payments are documented with.
fn documented(error_code: &str) -> Option<FailureReason> {
    Some(match error_code {
        "INSUFFICIENT_FUNDS" => FailureReason::InsufficientFunds,
        "EXPIRED_CARD" => FailureReason::ExpiredCard,
        "AUTHENTICATION_FAILURE" | "AUTHENTICATION_REQUIRED" | "AUTHENTICATION_TIMEOUT" => {
            FailureReason::AuthenticationFailed
        }
        "LIMIT_EXCEEDED" | "CARD_VELOCITY_EXCEEDED" => FailureReason::LimitExceeded,
        "UNSUPPORTED_CURRENCY" => FailureReason::WrongCurrency,
        "MANDATE_INVALID"
        | "MANDATE_REQUIRED"
        | "MANDATE_REQUIRED_SYSTEM"
        | "REVOCATION_OF_AUTHORIZATION" => FailureReason::MethodNotReusable,
        // The details that are saved are not good, or not for this. The buyer cannot mend them here.
        "PAYMENT_METHOD_UNSUPPORTED"
        | "PROVIDER_UNSUPPORTED"
        | "INVALID_ACCOUNT"
        | "INVALID_CARD_NUMBER"
        | "INVALID_CARD_OWNER"
        | "INVALID_CVC"
        | "INVALID_EXPIRY_YEAR"
        | "INVALID_PIN"
        | "INVALID_UPI_ID"
        | "INCORRECT_CVC"
        | "INCORRECT_NUMBER"
        | "LIVE_MODE_TEST_CARD" => FailureReason::MethodNotUsable,
        "CUSTOMER_CANCELLED" => FailureReason::Cancelled,
        "NETWORK_ERROR"
        | "NETWORK_TIMEOUT"
        | "ORDER_CREATION_FAILED"
        | "PROCESSING_ERROR"
        | "TRY_AGAIN_LATER"
        | "REENTER_TRANSACTION"
        | "INVALID_AMOUNT"
        | "INVALID_REQUEST"
        | "UNKNOWN_ERROR" => FailureReason::ProcessingError,
        // What may be known of these is a refusal, and no more.
        "FRAUDULENT" | "LOST_CARD" | "PICKUP_CARD" | "STOLEN_CARD" => FailureReason::Declined,
        "CARD_DECLINED"
        | "CARD_NOT_ACTIVATED"
        | "DO_NOT_HONOR"
        | "GENERIC_DECLINE"
        | "PAYMENT_METHOD_PROVIDER_DECLINED"
        | "TRANSACTION_NOT_ALLOWED"
        | "TRANSACTION_NOT_APPROVED" => FailureReason::Declined,
        _ => return None,
    })
}

/// Of a request that Dodo refused before anything was charged (`code` of an error body).
///
/// What stays so with whatever card is [`FailureReason::NotPossible`]: no other way to pay is offered then.
#[must_use]
pub fn of_refusal(code: Option<&str>) -> FailureReason {
    match code {
        Some(INELIGIBLE) => FailureReason::MethodNotUsable,
        Some("UNSUPPORTED_CURRENCY") => FailureReason::WrongCurrency,
        Some(
            "PENDING_PLAN_CHANGE_EXISTS"
            | "SCHEDULED_PLAN_CHANGE_EXISTS"
            | "SCHEDULED_PLAN_CHANGE_NOT_FOUND"
            | "INACTIVE_SUBSCRIPTION_PLAN_CHANGE_NOT_SUPPORTED"
            | "ON_DEMAND_PLAN_CHANGE_NOT_SUPPORTED"
            | "PLAN_CHANGE_NOT_ALLOWED_FOR_SCHEDULED_CANCELLATION"
            | "INVALID_PRORATION_MODE_WITH_NEXT_BILLING_DATE"
            | "ADDONS_IN_USAGE_BASED_BILLING_NOT_SUPPORTED"
            | "CUSTOMER_HAS_EXISTING_SUBSCRIPTION"
            | "UNSUPPORTED_ACTION"
            | "UNSUPPORTED_COUNTRY"
            | "MERCHANT_NOT_LIVE"
            | "PRODUCT_IS_DELETED"
            | "PREVIOUS_PAYMENT_PENDING"
            | "CHECKOUT_SESSION_CONSUMED"
            | "REQUEST_AMOUNT_BELOW_MINIMUM"
            | "TOTAL_PAYMENT_AMOUNT_BELOW_MINIMUM_AMOUNT"
            | "INVALID_DISCOUNT_CODE"
            | "DISCOUNT_CODE_EXPIRED"
            | "DISCOUNT_NOT_YET_ACTIVE"
            | "DISCOUNT_CODE_USAGE_LIMIT_EXCEEDED"
            | "DISCOUNT_PER_CUSTOMER_USAGE_LIMIT_EXCEEDED"
            | "DISCOUNT_CUSTOMER_NOT_ELIGIBLE"
            | "DISCOUNT_MINIMUM_SUBTOTAL_NOT_MET"
            | "DISCOUNT_NOT_AVAILABLE_FOR_PRODUCT"
            | "DISCOUNT_NOT_APPLICABLE_TO_NEW_PRODUCT"
            | "DISCOUNT_ALREADY_USED_ON_SUBSCRIPTION",
        ) => FailureReason::NotPossible,
        // A bank's refusal may come as an error of the request, under the payment's code.
        Some(code) => documented(code).unwrap_or(FailureReason::ProcessingError),
        None => FailureReason::ProcessingError,
    }
}

/// The same where more is known of the method: what is left when Dodo finds it not eligible
/// ([`super::payment_method::why_not`]).
#[must_use]
pub fn sharpened<T>(
    reason: FailureReason,
    evidence: &ChargeEvidence<T>,
    if_ineligible: FailureReason,
) -> FailureReason {
    match evidence {
        ChargeEvidence::Refused(error) if error.code() == Some(INELIGIBLE) => if_ineligible,
        _ => reason,
    }
}

#[cfg(test)]
#[path = "failure_reason_tests.rs"]
mod tests;
