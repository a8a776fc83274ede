//! Dodo's error body and the closed list of codes that the simulator answers with.
//!
//! The sources pair few codes with a status. Where they are silent 422 is used, and the switch
//! `error_status` changes any of them.

use std::fmt;

/// A code of Dodo's error catalogue, as far as the simulator can produce it. Variants are named as Dodo names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    AddonsInUsageBasedBillingNotSupported,
    CheckoutSessionConsumed,
    /// Not in Dodo's catalogue: it lists no code for a key without write access.
    Forbidden,
    CustomerHasExistingSubscription,
    DiscountCodeExpired,
    DuplicateAddonIdsInRequest,
    InactiveSubscriptionPlanChangeNotSupported,
    InvalidDiscount,
    InvalidProrationModeWithNextBillingDate,
    InvalidQueryParams,
    InvalidQuantity,
    InvalidRequestBody,
    InvalidRequestParameters,
    MalformedRequestBody,
    MaximumKeysReached,
    MethodNotAllowed,
    MissingAddonIds,
    NoEligiblePaymentMethods,
    NotFound,
    OnDemandPlanChangeNotSupported,
    PayAsYouWantAmountRequired,
    PayloadTooLarge,
    PendingPlanChangeExists,
    PlanChangeNotAllowedForScheduledCancellation,
    PreviousPaymentPending,
    ProductCartEmpty,
    ProductIsDeleted,
    RequestAmountBelowMinimum,
    ScheduledPlanChangeExists,
    ScheduledPlanChangeNotFound,
    TooManyRequests,
    TotalPaymentAmountBelowMinimumAmount,
    Unauthorized,
    UnsupportedAction,
    UnsupportedCurrency,
    /// A decline that surfaces as an HTTP error (switch `decline_surface`); the body carries the payment's own code.
    Declined,
}

impl Code {
    /// The text on the wire and the status it has unless a switch says otherwise.
    pub(crate) fn parts(self) -> (&'static str, u16) {
        match self {
            Self::AddonsInUsageBasedBillingNotSupported => {
                ("ADDONS_IN_USAGE_BASED_BILLING_NOT_SUPPORTED", 422)
            }
            Self::CheckoutSessionConsumed => ("CHECKOUT_SESSION_CONSUMED", 422),
            Self::Forbidden => ("FORBIDDEN", 403),
            Self::CustomerHasExistingSubscription => ("CUSTOMER_HAS_EXISTING_SUBSCRIPTION", 422),
            Self::DiscountCodeExpired => ("DISCOUNT_CODE_EXPIRED", 422),
            Self::DuplicateAddonIdsInRequest => ("DUPLICATE_ADDON_IDS_IN_REQUEST", 422),
            Self::InactiveSubscriptionPlanChangeNotSupported => {
                ("INACTIVE_SUBSCRIPTION_PLAN_CHANGE_NOT_SUPPORTED", 422)
            }
            Self::InvalidDiscount => ("INVALID_DISCOUNT_CODE", 422),
            Self::InvalidProrationModeWithNextBillingDate => {
                ("INVALID_PRORATION_MODE_WITH_NEXT_BILLING_DATE", 422)
            }
            Self::InvalidQueryParams => ("INVALID_QUERY_PARAMS", 422),
            Self::InvalidQuantity => ("INVALID_QUANTITY", 422),
            Self::InvalidRequestBody => ("INVALID_REQUEST_BODY", 422),
            Self::InvalidRequestParameters => ("INVALID_REQUEST_PARAMETERS", 422),
            Self::MalformedRequestBody => ("INVALID_REQUEST_BODY", 400),
            Self::MaximumKeysReached => ("MAXIMUM_KEYS_REACHED", 422),
            Self::MethodNotAllowed => ("METHOD_NOT_ALLOWED", 405),
            Self::MissingAddonIds => ("MISSING_ADDON_IDS", 422),
            Self::NoEligiblePaymentMethods => ("NO_ELIGIBLE_PAYMENT_METHODS", 422),
            Self::NotFound => ("NOT_FOUND", 404),
            Self::OnDemandPlanChangeNotSupported => ("ON_DEMAND_PLAN_CHANGE_NOT_SUPPORTED", 422),
            Self::PayAsYouWantAmountRequired => ("PAY_AS_YOU_WANT_AMOUNT_REQUIRED", 422),
            Self::PayloadTooLarge => ("PAYLOAD_TOO_LARGE", 413),
            Self::PendingPlanChangeExists => ("PENDING_PLAN_CHANGE_EXISTS", 409),
            Self::PlanChangeNotAllowedForScheduledCancellation => {
                ("PLAN_CHANGE_NOT_ALLOWED_FOR_SCHEDULED_CANCELLATION", 422)
            }
            Self::PreviousPaymentPending => ("PREVIOUS_PAYMENT_PENDING", 409),
            // Spelt as the live service spells it.
            Self::ProductCartEmpty => ("PRODUCT_CART_EMTPY", 422),
            Self::ProductIsDeleted => ("PRODUCT_IS_DELETED", 422),
            Self::RequestAmountBelowMinimum => ("REQUEST_AMOUNT_BELOW_MINIMUM", 422),
            Self::ScheduledPlanChangeExists => ("SCHEDULED_PLAN_CHANGE_EXISTS", 409),
            Self::ScheduledPlanChangeNotFound => ("SCHEDULED_PLAN_CHANGE_NOT_FOUND", 404),
            Self::TooManyRequests => ("TOO_MANY_REQUESTS", 429),
            Self::TotalPaymentAmountBelowMinimumAmount => ("TOTAL_PAYMENT_AMOUNT_BELOW_MINIMUM_AMOUNT", 422),
            Self::Unauthorized => ("UNAUTHORIZED", 401),
            Self::UnsupportedAction => ("UNSUPPORTED_ACTION", 422),
            Self::UnsupportedCurrency => ("UNSUPPORTED_CURRENCY", 422),
            Self::Declined => ("CARD_DECLINED", 422),
        }
    }
}

/// A refusal: the code and the words for a person.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// Over the code's usual text.
    pub(crate) text: Option<String>,
}

impl ApiError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), text: None }
    }

    /// An issuer's refusal, under the payment's error code.
    pub(crate) fn declined(error_code: &str) -> Self {
        Self {
            code: Code::Declined,
            message: "the payment was declined".to_owned(),
            text: Some(error_code.to_owned()),
        }
    }

    /// The code as it stands on the wire.
    pub(crate) fn code_text(&self) -> &str {
        self.text.as_deref().unwrap_or(self.code.parts().0)
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(Code::NotFound, format!("{what} {id} does not exist"))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequestParameters, message)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code_text(), self.message)
    }
}

/// What the engine's steps answer with.
pub(crate) type Outcome<T> = Result<T, ApiError>;
