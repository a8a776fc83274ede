//! Every documented code, and some that are not.

use super::*;

/// Whether Dodo says that the same card will never do.
#[derive(Debug, PartialEq)]
enum Dodo {
    Hard,
    Soft,
}

/// The error codes of failed payments, as Dodo documents them.
const OF_PAYMENTS: [(&str, Dodo, FailureReason); 46] = [
    ("AUTHENTICATION_FAILURE", Dodo::Soft, FailureReason::AuthenticationFailed),
    ("AUTHENTICATION_REQUIRED", Dodo::Soft, FailureReason::AuthenticationFailed),
    ("AUTHENTICATION_TIMEOUT", Dodo::Soft, FailureReason::AuthenticationFailed),
    ("CARD_DECLINED", Dodo::Hard, FailureReason::Declined),
    ("CARD_NOT_ACTIVATED", Dodo::Soft, FailureReason::Declined),
    ("CARD_VELOCITY_EXCEEDED", Dodo::Soft, FailureReason::LimitExceeded),
    ("CUSTOMER_CANCELLED", Dodo::Soft, FailureReason::Cancelled),
    ("DO_NOT_HONOR", Dodo::Hard, FailureReason::Declined),
    ("EXPIRED_CARD", Dodo::Hard, FailureReason::ExpiredCard),
    ("FRAUDULENT", Dodo::Hard, FailureReason::Declined),
    ("GENERIC_DECLINE", Dodo::Soft, FailureReason::Declined),
    ("INCORRECT_CVC", Dodo::Soft, FailureReason::MethodNotUsable),
    ("INCORRECT_NUMBER", Dodo::Soft, FailureReason::MethodNotUsable),
    ("INSUFFICIENT_FUNDS", Dodo::Soft, FailureReason::InsufficientFunds),
    ("INVALID_ACCOUNT", Dodo::Hard, FailureReason::MethodNotUsable),
    ("INVALID_AMOUNT", Dodo::Soft, FailureReason::ProcessingError),
    ("INVALID_CARD_NUMBER", Dodo::Soft, FailureReason::MethodNotUsable),
    ("INVALID_CARD_OWNER", Dodo::Soft, FailureReason::MethodNotUsable),
    ("INVALID_CVC", Dodo::Soft, FailureReason::MethodNotUsable),
    ("INVALID_EXPIRY_YEAR", Dodo::Soft, FailureReason::MethodNotUsable),
    ("INVALID_PIN", Dodo::Soft, FailureReason::MethodNotUsable),
    ("INVALID_REQUEST", Dodo::Soft, FailureReason::ProcessingError),
    ("INVALID_UPI_ID", Dodo::Soft, FailureReason::MethodNotUsable),
    ("LIMIT_EXCEEDED", Dodo::Soft, FailureReason::LimitExceeded),
    ("LIVE_MODE_TEST_CARD", Dodo::Soft, FailureReason::MethodNotUsable),
    ("LOST_CARD", Dodo::Hard, FailureReason::Declined),
    ("MANDATE_INVALID", Dodo::Soft, FailureReason::MethodNotReusable),
    ("MANDATE_REQUIRED", Dodo::Soft, FailureReason::MethodNotReusable),
    ("MANDATE_REQUIRED_SYSTEM", Dodo::Hard, FailureReason::MethodNotReusable),
    ("NETWORK_ERROR", Dodo::Soft, FailureReason::ProcessingError),
    ("NETWORK_TIMEOUT", Dodo::Soft, FailureReason::ProcessingError),
    ("ORDER_CREATION_FAILED", Dodo::Soft, FailureReason::ProcessingError),
    ("PAYMENT_METHOD_PROVIDER_DECLINED", Dodo::Hard, FailureReason::Declined),
    ("PAYMENT_METHOD_UNSUPPORTED", Dodo::Hard, FailureReason::MethodNotUsable),
    ("PICKUP_CARD", Dodo::Hard, FailureReason::Declined),
    ("PROCESSING_ERROR", Dodo::Soft, FailureReason::ProcessingError),
    ("PROVIDER_UNSUPPORTED", Dodo::Hard, FailureReason::MethodNotUsable),
    ("REENTER_TRANSACTION", Dodo::Soft, FailureReason::ProcessingError),
    ("REVOCATION_OF_AUTHORIZATION", Dodo::Hard, FailureReason::MethodNotReusable),
    ("STOLEN_CARD", Dodo::Hard, FailureReason::Declined),
    ("TRANSACTION_NOT_ALLOWED", Dodo::Hard, FailureReason::Declined),
    ("TRANSACTION_NOT_APPROVED", Dodo::Hard, FailureReason::Declined),
    ("TRY_AGAIN_LATER", Dodo::Soft, FailureReason::ProcessingError),
    ("UNKNOWN_ERROR", Dodo::Soft, FailureReason::ProcessingError),
    // Documented for requests; a payment may come to it as well.
    ("UNSUPPORTED_CURRENCY", Dodo::Soft, FailureReason::WrongCurrency),
    ("CARD_STOLEN_OF_NEXT_YEAR", Dodo::Soft, FailureReason::Declined),
];

/// The codes of refused requests, as Dodo documents them.
const OF_REFUSALS: [(&str, FailureReason); 49] = [
    ("UNAUTHORIZED", FailureReason::ProcessingError),
    ("NOT_FOUND", FailureReason::ProcessingError),
    ("INVALID_REQUEST_BODY", FailureReason::ProcessingError),
    ("INVALID_REQUEST_PARAMETERS", FailureReason::ProcessingError),
    ("INVALID_QUERY_PARAMS", FailureReason::ProcessingError),
    ("TOO_MANY_REQUESTS", FailureReason::ProcessingError),
    ("INTERNAL_SERVER_ERROR", FailureReason::ProcessingError),
    ("MERCHANT_NOT_LIVE", FailureReason::NotPossible),
    ("UNSUPPORTED_ACTION", FailureReason::NotPossible),
    ("MAXIMUM_KEYS_REACHED", FailureReason::ProcessingError),
    ("CHECKOUT_SESSION_CONSUMED", FailureReason::NotPossible),
    ("NO_ELIGIBLE_PAYMENT_METHODS", FailureReason::MethodNotUsable),
    ("PREVIOUS_PAYMENT_PENDING", FailureReason::NotPossible),
    ("PRODUCT_CART_EMTPY", FailureReason::ProcessingError),
    ("PRODUCT_IS_DELETED", FailureReason::NotPossible),
    ("MISSING_PRODUCT_INFORMATION", FailureReason::ProcessingError),
    ("TOTAL_PAYMENT_AMOUNT_BELOW_MINIMUM_AMOUNT", FailureReason::NotPossible),
    ("REQUEST_AMOUNT_BELOW_MINIMUM", FailureReason::NotPossible),
    ("PAY_AS_YOU_WANT_AMOUNT_REQUIRED", FailureReason::ProcessingError),
    ("UNSUPPORTED_CURRENCY", FailureReason::WrongCurrency),
    ("UNSUPPORTED_COUNTRY", FailureReason::NotPossible),
    ("EXCHANGE_RATE_NOT_FOUND", FailureReason::ProcessingError),
    ("INVALID_TAX_ID", FailureReason::ProcessingError),
    ("BRAND_MISMATCH", FailureReason::ProcessingError),
    ("CUSTOMER_HAS_EXISTING_SUBSCRIPTION", FailureReason::NotPossible),
    ("PENDING_PLAN_CHANGE_EXISTS", FailureReason::NotPossible),
    ("SCHEDULED_PLAN_CHANGE_EXISTS", FailureReason::NotPossible),
    ("SCHEDULED_PLAN_CHANGE_NOT_FOUND", FailureReason::NotPossible),
    ("INACTIVE_SUBSCRIPTION_PLAN_CHANGE_NOT_SUPPORTED", FailureReason::NotPossible),
    ("ON_DEMAND_PLAN_CHANGE_NOT_SUPPORTED", FailureReason::NotPossible),
    ("PLAN_CHANGE_NOT_ALLOWED_FOR_SCHEDULED_CANCELLATION", FailureReason::NotPossible),
    ("INVALID_PRORATION_MODE_WITH_NEXT_BILLING_DATE", FailureReason::NotPossible),
    ("DUPLICATE_ADDON_IDS_IN_REQUEST", FailureReason::ProcessingError),
    ("MISSING_ADDON_IDS", FailureReason::ProcessingError),
    ("ADDONS_IN_USAGE_BASED_BILLING_NOT_SUPPORTED", FailureReason::NotPossible),
    ("INVALID_QUANTITY", FailureReason::ProcessingError),
    ("DISCOUNT_NOT_APPLICABLE_TO_NEW_PRODUCT", FailureReason::NotPossible),
    ("DISCOUNT_ALREADY_USED_ON_SUBSCRIPTION", FailureReason::NotPossible),
    ("INVALID_DISCOUNT_CODE", FailureReason::NotPossible),
    ("DISCOUNT_CODE_EXPIRED", FailureReason::NotPossible),
    ("DISCOUNT_NOT_YET_ACTIVE", FailureReason::NotPossible),
    ("DISCOUNT_CODE_USAGE_LIMIT_EXCEEDED", FailureReason::NotPossible),
    ("DISCOUNT_PER_CUSTOMER_USAGE_LIMIT_EXCEEDED", FailureReason::NotPossible),
    ("DISCOUNT_CUSTOMER_NOT_ELIGIBLE", FailureReason::NotPossible),
    ("DISCOUNT_MINIMUM_SUBTOTAL_NOT_MET", FailureReason::NotPossible),
    ("DISCOUNT_NOT_AVAILABLE_FOR_PRODUCT", FailureReason::NotPossible),
    ("DISCOUNT_CONCURRENT_REDEMPTION", FailureReason::ProcessingError),
    ("METHOD_NOT_ALLOWED", FailureReason::ProcessingError),
    ("A_CODE_OF_NEXT_YEAR", FailureReason::ProcessingError),
];

#[test]
fn every_code_of_a_failed_payment() {
    for (code, _, reason) in &OF_PAYMENTS {
        assert_eq!(of_payment(Some(code)), *reason, "{code}");
    }
    assert_eq!(of_payment(None), FailureReason::Other, "no reason is made up");
    assert_eq!(of_payment(Some("")), FailureReason::Declined);
    assert_eq!(of_payment(Some("insufficient_funds")), FailureReason::Declined, "no code of Dodo's");
}

#[test]
fn every_code_of_a_refused_request() {
    for (code, reason) in &OF_REFUSALS {
        assert_eq!(of_refusal(Some(code)), *reason, "{code}");
    }
    assert_eq!(of_refusal(None), FailureReason::ProcessingError);
}

/// A bank's refusal reads the same, whether it comes as a failed payment or as an error of the request.
#[test]
fn a_decline_may_come_as_an_error() {
    for (code, _, reason) in &OF_PAYMENTS {
        let unknown = *code == "CARD_STOLEN_OF_NEXT_YEAR";
        let expected = if unknown { FailureReason::ProcessingError } else { *reason };
        assert_eq!(of_refusal(Some(code)), expected, "{code}");
    }
}

#[test]
fn a_thief_learns_nothing() {
    let plain = of_payment(Some("GENERIC_DECLINE"));
    for code in ["FRAUDULENT", "LOST_CARD", "STOLEN_CARD", "PICKUP_CARD"] {
        assert_eq!(of_payment(Some(code)), plain, "{code}");
        assert_eq!(of_refusal(Some(code)), plain, "{code}");
    }
}

/// "It may work later" is said of nothing that Dodo calls hard.
#[test]
fn nothing_hard_is_called_passing() {
    let passing =
        [FailureReason::InsufficientFunds, FailureReason::LimitExceeded, FailureReason::ProcessingError];
    for (code, dodo, reason) in &OF_PAYMENTS {
        assert!(*dodo == Dodo::Soft || !passing.contains(reason), "{code}");
    }
}
