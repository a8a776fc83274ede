//! `POST /v1/upsell/accept`, `POST /v1/plans/change` and `GET …/attempts/{id}`: one try to collect one quote.

use serde::{Deserialize, Serialize};

use crate::{AttemptId, Card, Currency, OfferId, QuoteId, Renewal, UnixSeconds, words};

words!(
    /// How the buyer pays.
    PayWith {
        /// The saved card that the offer named: one click.
        SavedMethod,
        /// An ordinary hosted checkout at Dodo.
        HostedCheckout,
    }
);

/// What the buyer had in front of them when they clicked; kept with the charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Consent {
    /// Language of the words shown, for example `ja`.
    pub locale: String,
    /// Version of the widget.
    pub version: String,
    /// Hash of the words shown, made by the widget.
    pub text_hash: String,
}

/// `POST /v1/upsell/accept`, with an `Idempotency-Key` header. Holds no amount, product or payment method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AcceptRequest {
    /// Which offer.
    pub offer_id: OfferId,
    /// Which quote was on the screen.
    pub quote_id: QuoteId,
    /// Must equal the offered quantity when given; other quantities need a quote of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// Absent means the saved card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_with: Option<PayWith>,
    /// What was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
}

words!(
    /// How an attempt stands.
    AttemptStatus {
        /// Collected, or nothing was due and the change is made. Final.
        Succeeded,
        /// The plan change is booked for the next billing date. Final.
        Scheduled,
        /// Being collected: ask again.
        Processing,
        /// The bank wants something of the buyer: ask again.
        RequiresCustomerAction,
        /// Not known yet whether it was collected; it is being looked up and will not be charged twice. Ask again.
        InDoubt,
        /// Not known after all the time that it may take; the merchant looks into it. It will not be charged twice.
        NeedsReview,
        /// The buyer pays at `checkout_url`.
        CheckoutRequired,
        /// Definitely not collected. Final for this attempt.
        Failed,
    }
);

words!(
    /// Why it was not collected, in the grain that a buyer may know.
    FailureReason {
        /// The bank refused the card, without a reason that may be passed on.
        Declined,
        /// Not enough money on it now.
        InsufficientFunds,
        /// The card has expired.
        ExpiredCard,
        /// The buyer was not authenticated.
        AuthenticationFailed,
        /// Over the card's limit now.
        LimitExceeded,
        /// The saved method cannot pay in this currency.
        WrongCurrency,
        /// The saved method may not be charged again, or not without the buyer.
        MethodNotReusable,
        /// The saved method cannot pay for this, for another reason or one that is not known.
        MethodNotUsable,
        /// Something in between failed, or the bank could not answer now.
        ProcessingError,
        /// Called off.
        Cancelled,
        /// The change is not possible at the moment.
        NotPossible,
    }
);

/// What was collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// What the buyer quotes to the merchant: Dodo's `payment_id`, or the attempt's id when nothing was due.
    pub reference: String,
    /// Name of what was bought or changed to.
    pub name: String,
    /// Collected, in minor units, as Dodo reports it.
    pub amount: i64,
    /// Currency of every amount here.
    pub currency: Currency,
    /// Tax within `amount`.
    #[serde(default)]
    pub tax: i64,
    /// Credit granted (positive) or spent (negative).
    #[serde(default)]
    pub credit: i64,
    /// When.
    pub at: UnixSeconds,
    /// The card charged, when one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<Card>,
    /// What comes next, for plans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,
}

/// How an attempt stands. A merchant's own basic backend answers `{success}` only, which says
/// that it has taken the order, not that it is paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// Whether it is collected or booked.
    pub success: bool,
    /// How it stands; always there from this proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AttemptStatus>,
    /// What to ask again with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_id: Option<AttemptId>,
    /// With `succeeded` and `scheduled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// With `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureReason>,
    /// With `failed`: whether accepting again with `pay_with: hosted_checkout` opens another way to pay.
    #[serde(default)]
    pub hosted_checkout_offered: bool,
    /// With `checkout_required`: where to pay, https. With `requires_customer_action`: where the buyer completes this very
    /// payment, when Dodo has such a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout_url: Option<String>,
}
