//! The closed lists of values that switches take. The text of each value is what `GET /_sim/policy` shows.

use super::{Choice, Choices};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Declares a closed choice that reads and writes as snake_case.
macro_rules! choices {
    ($($(#[$outer:meta])* $name:ident { $($(#[doc = $doc:literal])+ $variant:ident),+ $(,)? })+) => {
        $($(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[doc = $doc])+ $variant),+ }

        impl Choices for $name {
            fn choices() -> Vec<Choice> {
                vec![$(Choice { value: json!(Self::$variant), meaning: concat!($($doc),+).trim() }),+]
            }
        })+
    };
}

choices! {
    /// Which generation of Dodo's plan-change arithmetic runs.
    ProrationEngine {
        /// New minus old for the rest of the period; the billing date stays.
        Classic,
        /// A full new period less what is left of the old one; the billing date moves to today.
        Current,
    }
    /// What counts as used of a period.
    Granularity {
        /// Whole days, so that two looks on one day agree.
        Day,
        /// Seconds.
        Second,
    }
    /// How a fraction of a minor unit is rounded, line by line.
    Rounding {
        /// To the nearest, halves away from zero.
        HalfUp,
        /// Towards zero.
        Down,
    }
    /// What one month is.
    MonthStep {
        /// The same day next month, clamped to its end.
        Calendar,
        /// Thirty days.
        ThirtyDays,
    }
    /// Whose a credit is.
    CreditScope {
        /// The customer's wallet in that currency.
        Customer,
        /// The one subscription's.
        Subscription,
    }
    /// How a decline of an off-session charge shows in the reply.
    DeclineSurface {
        /// 200, and the payment is failed.
        Payment,
        /// An HTTP error whose code is the payment's error code.
        HttpError,
    }
    /// Which address a one-click charge must carry.
    OneClickBilling {
        /// All fields, or country and zipcode with `minimal_address`.
        Required,
        /// Nothing: the customer's last address is used when none is sent.
        ReuseCustomer,
    }
    /// What an off-session charge on a good card does first.
    ChargeOutcome {
        /// It is settled when the reply is sent.
        Settle,
        /// It is `processing` for `processing_seconds`, then succeeds.
        Processing,
        /// It waits in `requires_customer_action`.
        Challenge,
    }
    /// Order of a list.
    ListOrder {
        /// Newest first.
        NewestFirst,
        /// Oldest first.
        OldestFirst,
    }
    /// How many digits a card's expiry year has.
    YearWidth {
        /// "32".
        Two,
        /// "2032".
        Four,
    }
    /// What stands in `recurring_enabled` of a payment method.
    RecurringEnabled {
        /// What the method has.
        AsStored,
        /// Always null.
        Null,
        /// The field is left out.
        Omitted,
    }
    /// What `summary.total_amount` of a plan-change preview means.
    SummaryTotal {
        /// What is due after credit.
        PostCredit,
        /// The charge before credit is spent or granted; negative for a downgrade.
        PreCredit,
    }
    /// Which lines a plan-change preview lists.
    PreviewLines {
        /// The new plan's lines, and the old plan's with negative factors.
        Signed,
        /// Only the new plan's lines.
        NewPlanOnly,
    }
    /// A charge that is more than nothing and less than the gateway takes.
    BelowMinimum {
        /// Refused.
        Reject,
        /// The minimum is charged and the rest goes into the wallet.
        TopUp,
    }
    /// Allowed or not.
    Allowance {
        /// Refused.
        Reject,
        /// Allowed.
        Allow,
    }
    /// Shape of error bodies.
    ErrorShape {
        /// `{code, message}`.
        Flat,
        /// `{error: {code, message, details}}`, as one guide shows.
        Nested,
        /// Nothing.
        Empty,
    }
    /// Unit of integer tax rates.
    TaxRateUnit {
        /// 19 for 19 %.
        Percent,
        /// 1900 for 19 %.
        BasisPoints,
    }
    /// What a subscription becomes when a renewal cannot be collected.
    RenewalFailure {
        /// `on_hold`.
        OnHold,
        /// `past_due`.
        PastDue,
    }
    /// Which state of the object a webhook shows.
    WebhookPayload {
        /// As it is when the webhook is sent.
        Latest,
        /// As it was when the event happened.
        AtEvent,
    }
    /// How due webhooks go out.
    WebhookOrder {
        /// One after the other, in the order of their events.
        InOrder,
        /// All at once.
        Concurrent,
    }
    /// Which clock signs webhooks.
    WebhookClock {
        /// Real time, so that receivers with a real clock accept them.
        Wall,
        /// Virtual time.
        Virtual,
    }
    /// Rate limits of a business: per second and per minute.
    RateLimitTier {
        /// 40 and 240.
        Default,
        /// 100 and 1000.
        Tier1,
        /// 500 and 5000.
        Tier2,
        /// None.
        Off,
    }
    /// What a hosted payment does to the return address's fragment.
    Fragment {
        /// Kept, behind the query.
        Preserve,
        /// Dropped.
        Drop,
        /// Kept, with the query glued on behind it, so that there is none.
        Glue,
    }
    /// Answer to a list that hangs off an unknown customer.
    UnknownCustomer {
        /// 404.
        NotFound,
        /// 200 with no items.
        Empty,
    }
    /// What `POST /checkouts` with an expired card does.
    ExpiredCard {
        /// 422 `NO_ELIGIBLE_PAYMENT_METHODS`.
        HttpError,
        /// 200, and the payment fails with `EXPIRED_CARD`.
        PaymentFails,
    }
}
