//! Every point where Dodo's documentation is silent or contradicts itself, as a switch.
//!
//! One declaration per switch: its meaning here is what `GET /_sim/policy` shows, so the two cannot drift apart.

mod choices;

pub use choices::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is told of a switch.
#[derive(Debug, Clone, Serialize)]
pub struct Switch {
    /// As in a change of the policy.
    pub name: &'static str,
    /// What it decides.
    pub meaning: &'static str,
    /// Its values, when they are a closed list.
    pub choices: Vec<Choice>,
}

/// One value of a switch.
#[derive(Debug, Clone, Serialize)]
pub struct Choice {
    /// As in a change of the policy.
    pub value: Value,
    /// What it does.
    pub meaning: &'static str,
}

/// The closed list of values that a switch takes; empty for numbers, texts, yes and no.
trait Choices {
    fn choices() -> Vec<Choice> {
        Vec::new()
    }
}

impl Choices for bool {}
impl Choices for u32 {}
impl Choices for Option<String> {}
impl Choices for BTreeMap<String, u16> {}

/// Declares the struct, its defaults and the texts in one place.
macro_rules! switches {
    ($($(#[doc = $meaning:literal])+ $name:ident: $kind:ty = $default:expr;)+) => {
        /// The switches and their values.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Policy {
            $($(#[doc = $meaning])+ pub $name: $kind,)+
        }

        impl Default for Policy {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Policy {
            /// Every switch, in the order of declaration.
            #[must_use]
            pub fn switches() -> Vec<Switch> {
                vec![$(Switch {
                    name: stringify!($name),
                    meaning: concat!($($meaning),+).trim(),
                    choices: <$kind as Choices>::choices(),
                },)+]
            }
        }
    };
}

switches! {
    /// Answer to an off-session decline: a failed payment behind a 200, or an HTTP error.
    decline_surface: DeclineSurface = DeclineSurface::Payment;
    /// Address that a one-click charge must carry.
    one_click_billing: OneClickBilling = OneClickBilling::Required;
    /// What a one-click charge on a good card does first.
    one_click_outcome: ChargeOutcome = ChargeOutcome::Settle;
    /// What a plan-change charge on a good card does first.
    plan_change_outcome: ChargeOutcome = ChargeOutcome::Settle;
    /// Virtual seconds that a processing charge takes; 0 waits for POST /_sim/payments/{id}/resolve.
    processing_seconds: u32 = 30;
    /// Whether a payment that needs the buyer shows a payment_link on which the challenge can be answered.
    challenge_payment_link: bool = false;
    /// Every off-session charge declines with this error code while set.
    decline_off_session_with: Option<String> = None;
    /// Whether card 4000000000000341 also fails at a one-click charge, not only at subscription charges.
    card_0341_fails_one_click: bool = true;
    /// Expired card at a one-click charge.
    expired_card: ExpiredCard = ExpiredCard::HttpError;
    /// HTTP status for a code, over the default of 422.
    error_status: BTreeMap<String, u16> = BTreeMap::new();
    /// Shape of error bodies.
    error_shape: ErrorShape = ErrorShape::Flat;
    /// Generation of plan-change arithmetic.
    proration_engine: ProrationEngine = ProrationEngine::Classic;
    /// Whether `classic` prorated and difference changes move the billing date to today (docs of mid-2026).
    classic_resets_cycle: bool = false;
    /// What counts as used of a period.
    proration_granularity: Granularity = Granularity::Day;
    /// Rounding per line.
    rounding: Rounding = Rounding::HalfUp;
    /// Length of one month.
    month_step: MonthStep = MonthStep::Calendar;
    /// Whose a credit is.
    credit_scope: CreditScope = CreditScope::Customer;
    /// Whether a downgrade's credit gives back the tax that was paid on it.
    credit_includes_tax: bool = true;
    /// Lines of a plan-change preview.
    preview_lines: PreviewLines = PreviewLines::Signed;
    /// Meaning of summary.total_amount in a plan-change preview.
    summary_total: SummaryTotal = SummaryTotal::PostCredit;
    /// Charge below the gateway's minimum.
    below_minimum: BelowMinimum = BelowMinimum::Reject;
    /// What happens on a failed plan-change charge when on_payment_failure is not sent: true keeps the old plan.
    prevent_change_by_default: bool = false;
    /// Whether change-plan tells the payment_id of the charge on the stored method.
    plan_change_returns_payment_id: bool = false;
    /// Whether subscription.active is sent after an applied plan change.
    plan_change_emits_active: bool = false;
    /// Whether payment.processing is sent before a plan change's payment.succeeded.
    plan_change_emits_processing: bool = false;
    /// Whether subscription.updated is sent next to every other subscription event.
    emit_subscription_updated: bool = true;
    /// Plan changes from or to usage-based prices.
    usage_based_plan_change: Allowance = Allowance::Reject;
    /// Plan change on a payment link (a capability of the business).
    plan_change_via_payment_link: Allowance = Allowance::Allow;
    /// More than one live subscription per customer.
    multiple_subscriptions: Allowance = Allowance::Allow;
    /// What a subscription becomes when a renewal cannot be collected.
    renewal_failure: RenewalFailure = RenewalFailure::OnHold;
    /// Whether a subscription names the payment method that it is charged to.
    subscription_names_method: bool = true;
    /// Order of a customer's payment methods, by creation.
    payment_method_order: ListOrder = ListOrder::OldestFirst;
    /// Digits of card.expiry_year.
    expiry_year_width: YearWidth = YearWidth::Two;
    /// What stands in recurring_enabled.
    recurring_enabled: RecurringEnabled = RecurringEnabled::AsStored;
    /// Order of list endpoints, by creation.
    list_order: ListOrder = ListOrder::NewestFirst;
    /// Virtual seconds before a new payment shows in GET /payments.
    payments_list_lag_seconds: u32 = 0;
    /// Payment methods and wallets of an unknown customer.
    unknown_customer: UnknownCustomer = UnknownCustomer::NotFound;
    /// Unit of tax_rate.
    tax_rate_unit: TaxRateUnit = TaxRateUnit::Percent;
    /// Whether a key without write access may ask for previews (they are POSTs that create nothing).
    read_only_may_preview: bool = false;
    /// Rate limits, counted in real time.
    rate_limit: RateLimitTier = RateLimitTier::Default;
    /// Whether a refund waits in pending until POST /_sim/refunds/{id}/resolve.
    refunds_pending: bool = false;
    /// Fragment of the return address after a hosted payment.
    return_url_fragment: Fragment = Fragment::Preserve;
    /// Whether the hosted page shows a success page first unless redirect_immediately is sent.
    hosted_success_page: bool = false;
    /// State of the object in a webhook.
    webhook_payload: WebhookPayload = WebhookPayload::Latest;
    /// How due webhooks go out.
    webhook_order: WebhookOrder = WebhookOrder::InOrder;
    /// Clock of webhook-timestamp.
    webhook_clock: WebhookClock = WebhookClock::Wall;
}

impl Policy {
    /// The policy with some switches changed.
    ///
    /// # Errors
    /// An unknown switch or a value of the wrong kind, in words that name it.
    pub fn with(&self, changes: &Map<String, Value>) -> Result<Self, String> {
        let mut all = match serde_json::to_value(self) {
            Ok(Value::Object(all)) => all,
            Ok(_) | Err(_) => return Err("the policy is not an object".to_owned()),
        };
        all.extend(changes.iter().map(|(name, value)| (name.clone(), value.clone())));
        serde_path_to_error::deserialize(Value::Object(all)).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_name_a_switch_and_fit_it() {
        let change = |value: serde_json::Value| Policy::default().with(value.as_object().unwrap());
        let changed = change(json!({"proration_engine": "current"})).unwrap();
        assert_eq!(changed.proration_engine, ProrationEngine::Current);
        assert!(change(json!({"no_such_switch": 1})).unwrap_err().contains("no_such_switch"));
        assert!(change(json!({"proration_engine": "newest"})).unwrap_err().contains("proration_engine"));
    }

    #[test]
    fn the_readme_lists_every_switch_with_its_default_and_choices() {
        let defaults = serde_json::to_value(Policy::default()).unwrap();
        let cell = |value: &Value| format!("`{}`", value.to_string().replace('"', ""));
        let table: String = Policy::switches()
            .iter()
            .map(|switch| {
                let choices: Vec<String> = switch
                    .choices
                    .iter()
                    .map(|choice| format!("{} {}", cell(&choice.value), choice.meaning))
                    .collect();
                let meaning = [vec![switch.meaning.to_owned()], choices].concat().join(" ");
                format!("| `{}` | {} | {meaning} |\n", switch.name, cell(&defaults[switch.name]))
            })
            .collect();
        let readme = include_str!("../../README.md");
        assert!(readme.ends_with(&table), "the README's last table should be:\n{table}");
    }
}
