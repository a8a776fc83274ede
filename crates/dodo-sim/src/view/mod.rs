//! The wire's JSON, one file per resource. Every field that the API promises is written out, null when there is
//! nothing: strict clients fail on a missing one.

pub(crate) mod catalogue;
pub(crate) mod checkout;
pub(crate) mod customer;
pub(crate) mod event;
pub(crate) mod payment;
pub(crate) mod plan_change;
pub(crate) mod subscription;

use crate::billing::ratio::Ratio;
use crate::engine::world::World;
use crate::model::rfc3339;
use crate::policy::TaxRateUnit;
use serde_json::{Number, Value, json};
use time::OffsetDateTime;

/// A timestamp or null.
fn optional_time(at: Option<OffsetDateTime>) -> Value {
    at.map_or(Value::Null, |at| Value::String(rfc3339(at)))
}

/// The short form of a customer inside other objects.
fn customer_limited(world: &World, customer_id: &str) -> Value {
    match world.customers.get(customer_id) {
        Some(customer) => json!({
            "customer_id": customer.customer_id,
            "email": customer.email,
            "name": customer.name,
            "metadata": customer.metadata,
            "phone_number": customer.phone_number,
        }),
        None => {
            json!({"customer_id": customer_id, "email": "", "name": "", "metadata": {}, "phone_number": null})
        }
    }
}

/// A fraction as a JSON number with up to six decimals.
fn ratio_number(ratio: Ratio) -> Number {
    decimal_number(&ratio.decimal())
}

/// A tax rate as an integer.
fn tax_rate(world: &World, bps: i64) -> i64 {
    match world.policy.tax_rate_unit {
        TaxRateUnit::Percent => bps / 100,
        TaxRateUnit::BasisPoints => bps,
    }
}

/// A tax rate where the API has a decimal.
fn tax_rate_decimal(world: &World, bps: i64) -> Number {
    match world.policy.tax_rate_unit {
        TaxRateUnit::Percent => ratio_number(Ratio::new(bps, 100)),
        TaxRateUnit::BasisPoints => Number::from(bps),
    }
}

/// Decimal text becomes a number without passing through arithmetic.
fn decimal_number(text: &str) -> Number {
    text.parse().unwrap_or_else(|_| Number::from(0))
}
