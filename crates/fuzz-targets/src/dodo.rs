//! What has to hold of Dodo's objects once they are read, beside the JSON that they were read from. Each judge returns the
//! word for what it was given.

use dodo_client::types::{
    catalogue::Product,
    checkouts::CheckoutPreview,
    customers::PaymentMethod,
    disputes::Dispute,
    payments::{Payment, PaymentSummary},
    plan_preview::PlanChangePreview,
    refunds::Refund,
    subscriptions::Subscription,
};
use proxy::gateway::{refund_as_seen, seen_dispute, seen_refund};
use serde_json::Value;
use upsell_core::{
    domain::{AttemptKind, Observation, PaymentFacts, PaymentStatus, TagKeys},
    policy::{
        catalogue, observe,
        pricing::{Priced, basis_hash, checkout, plan_change},
    },
};
use wire::{EffectiveAt, Interval, Money, Period, QuoteId, UnixSeconds};

use crate::round_trip;

const MONTHLY: Period = Period { interval: Interval::Month, count: 1 };

/// Whether an object is written as one, and so are those in it that are looked at here: the decoder takes a list of the
/// fields' values as well, which nobody sends.
pub(crate) fn is_plain(json: &Value) -> bool {
    let within = ["customer", "immediate_charge", "new_plan", "price"].map(|name| &json[name]);
    let summary = &json["immediate_charge"]["summary"];
    json.is_object() && !summary.is_array() && within.iter().all(|value| !value.is_array())
}

pub(crate) fn payment(payment: &Payment, json: &Value) -> &'static str {
    facts(&PaymentFacts::of(payment, &TagKeys::example()), json);
    round_trip(&payment.metadata);
    round_trip(&payment.billing);
    round_trip(&payment.status);
    payment.refunds.iter().for_each(seen);
    let error_code = payment.error_code.as_deref();
    for kind in [AttemptKind::OneClick, AttemptKind::Hosted, AttemptKind::PlanChange] {
        let observed = observe::payment(kind, payment.status.as_ref(), error_code);
        assert_eq!(observed == Observation::Succeeded, json["status"] == "succeeded", "{kind:?}");
        let over = matches!(observed, Observation::Failed(_));
        assert!(!over || kind != AttemptKind::Hosted, "a hosted page is not over with a failed card");
        assert!(!over || json["status"] == "failed" || json["status"] == "cancelled");
    }
    "payment"
}

pub(crate) fn summary(payment: &PaymentSummary, json: &Value) -> &'static str {
    facts(&PaymentFacts::listed(payment, &TagKeys::example()), json);
    "listed payment"
}

/// The facts are the JSON's, and what it says of an attempt is a name at most.
fn facts(facts: &PaymentFacts, json: &Value) {
    assert_eq!(Some(facts.payment_id.as_str()), json["payment_id"].as_str());
    assert_eq!(Some(facts.customer_id.as_str()), json["customer"]["customer_id"].as_str());
    assert_eq!(Some(facts.amount), money(&json["total_amount"], &json["currency"]));
    assert_eq!(facts.tax, json["tax"].as_i64().filter(|_| facts.tax.is_some()));
    if let Some(attempt) = facts.named.attempt() {
        assert_eq!(json["metadata"]["attempt_id"].as_str(), Some(attempt.as_str()));
    }
    assert_eq!(facts.named.tags(), None, "nobody who has not the key makes a code");
    let status = observe::payment_status(facts.status.as_ref());
    assert_eq!(status == PaymentStatus::Succeeded, json["status"] == "succeeded");
    assert!(status == PaymentStatus::Pending || !observe::is_under_way(facts.status.as_ref()));
}

fn money(amount: &Value, currency: &Value) -> Option<Money> {
    Some(Money::new(amount.as_i64()?, wire::Currency::parse(currency.as_str()?).ok()?))
}

/// The order of add-ons makes no other subscription.
pub(crate) fn subscription(subscription: &Subscription, json: &Value) -> &'static str {
    assert_eq!(Some(subscription.subscription_id.as_str()), json["subscription_id"].as_str());
    assert_eq!(Some(subscription.recurring_pre_tax_amount), json["recurring_pre_tax_amount"].as_i64());
    round_trip(&subscription.addons);
    round_trip(&subscription.metadata);
    round_trip(&subscription.status);
    let mut turned = subscription.clone();
    turned.addons.reverse();
    assert_eq!(basis_hash(&turned), basis_hash(subscription));
    turned.quantity = turned.quantity.wrapping_add(1);
    assert_ne!(basis_hash(&turned), basis_hash(subscription));
    "subscription"
}

pub(crate) fn refund(refund: &Refund, json: &Value) -> &'static str {
    assert_eq!(Some(refund.payment_id.as_str()), json["payment_id"].as_str());
    let amount = seen_refund(refund).and_then(|seen| seen.amount);
    assert!(amount.is_none() || amount == money(&json["amount"], &json["currency"]));
    seen(refund);
    "refund"
}

/// For deciding whether money is on its way back, a refund of any status counts.
fn seen(refund: &Refund) {
    let seen = refund_as_seen(refund);
    assert_eq!((&seen.id, &seen.payment_id), (&refund.refund_id, &refund.payment_id));
}

pub(crate) fn dispute(dispute: &Dispute, json: &Value) -> &'static str {
    assert_eq!(Some(dispute.payment_id.as_str()), json["payment_id"].as_str());
    let known = seen_dispute(dispute).is_some();
    assert!(!known || json["dispute_status"].as_str() == Some(dispute.dispute_status.as_str()));
    "dispute"
}

/// A price that is shown is Dodo's own total, and its lines explain it to the minor unit.
pub(crate) fn checkout_preview(preview: &CheckoutPreview, json: &Value) -> &'static str {
    let line = preview.product_cart.first();
    let priced = line.and_then(|line| checkout(preview, &line.product_id, "fallback", Some(MONTHLY)).ok());
    let Some(priced) = priced else { return "checkout preview" };
    assert_eq!(Some(priced.total), json["total_price"].as_i64());
    explained(priced);
    "price of a checkout"
}

/// The same of a plan change.
pub(crate) fn plan_preview(preview: &PlanChangePreview, json: &Value) -> &'static str {
    let after = &preview.new_plan;
    subscription(after, &json["new_plan"]);
    let price =
        |target| plan_change(preview, &target, "fallback", Some(MONTHLY), EffectiveAt::Immediately, after);
    let Ok(priced) = price(after.product_id.clone()) else { return "plan preview" };
    let summary = &json["immediate_charge"]["summary"];
    let one_currency = summary["currency"] == summary["settlement_currency"];
    let total = &summary[if one_currency { "settlement_amount" } else { "total_amount" }];
    assert_eq!(Some(priced.total), total.as_i64());
    assert_eq!(priced.settlement.is_none(), one_currency);
    explained(priced);
    "price of a plan change"
}

fn explained(priced: Priced) {
    let Ok(id) = QuoteId::parse("qt_1") else { return };
    let quote = priced.into_quote(id, UnixSeconds(0), 300);
    assert!(quote.adds_up(), "{quote:?}");
    round_trip(&quote);
}

/// What can be offered has a price that is not negative, not above the list's, and per a period of some length.
pub(crate) fn product(product: &Product, json: &Value) -> &'static str {
    let Some(offered) = catalogue::offerable(product.clone()) else { return "product" };
    let price = &json["price"];
    let list = price["price"].as_i64().filter(|_| price["type"] != "usage_based_price");
    let list = list.or_else(|| price["fixed_price"].as_i64());
    let fits = list.is_some_and(|list| (0..=list).contains(&offered.price.amount));
    assert!(fits, "{:?} of {price}", offered.price);
    assert_eq!(price["currency"].as_str(), Some(offered.price.currency.as_str()));
    assert!(offered.price.period.is_none_or(|period| period.count > 0));
    assert!(!offered.name.is_empty());
    assert!(offered.image.is_none_or(|address| address.starts_with("https://")));
    "price of a product"
}

/// Of a card a page learns its network and four digits.
pub(crate) fn payment_method(method: &PaymentMethod, _: &Value) -> &'static str {
    let saved = catalogue::saved_method(method);
    let digits =
        |card: &wire::Card| card.last4.len() == 4 && card.last4.bytes().all(|byte| byte.is_ascii_digit());
    assert!(saved.card.as_ref().is_none_or(digits), "{:?}", saved.card);
    assert!(saved.expiry.is_none_or(|expiry| (1..=12).contains(&expiry.month)));
    "payment method"
}
