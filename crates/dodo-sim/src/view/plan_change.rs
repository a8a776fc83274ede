//! The preview of a plan change, and the answer to the change.

use super::{ratio_number, tax_rate_decimal};
use crate::billing::proration::{ChangeLine, ChangePrice, LineKind};
use crate::engine::plan_change::Started;
use crate::engine::plan_target::Target;
use crate::engine::world::World;
use crate::model::rfc3339;
use crate::model::subscription::Subscription;
use crate::policy::{PreviewLines, SummaryTotal};
use serde_json::{Value, json};
use time::Duration;

/// `POST /subscriptions/{id}/change-plan/preview`.
pub(crate) fn preview(world: &World, current: &Subscription, target: &Target) -> Value {
    let mut after = current.clone();
    target.change.apply_to(&mut after);
    after.scheduled_change = None;
    after.pending_change = None;
    let currency = target.change.plan.currency;
    let bps = world.tax_bps(&current.billing.country);
    let effective_at = if target.price.is_some() { world.now } else { current.next_billing_date };
    let (lines, summary) = match &target.price {
        None => (Vec::new(), Summary::default()),
        Some(price) => (shown_lines(world, price, currency.as_str(), bps), summary(world, price)),
    };
    json!({
        "immediate_charge": {
            "effective_at": rfc3339(effective_at),
            "line_items": lines,
            "summary": {
                "currency": currency,
                "total_amount": summary.total,
                "tax": summary.tax,
                "customer_credits": summary.credits,
                "customer_credits_currency": currency,
                "settlement_amount": summary.due,
                "settlement_currency": currency,
                "settlement_tax": summary.tax,
            },
        },
        "new_plan": super::subscription::subscription(world, &after),
    })
}

#[derive(Default)]
struct Summary {
    total: i64,
    tax: i64,
    credits: i64,
    due: i64,
}

/// Credits are signed: negative when existing credit is spent, positive when credit is granted.
fn summary(world: &World, price: &ChangePrice) -> Summary {
    let credits = price.credit_granted - price.credit_spent;
    Summary {
        total: match world.policy.summary_total {
            SummaryTotal::PostCredit => price.due,
            SummaryTotal::PreCredit => price.due - credits,
        },
        tax: price.tax,
        credits,
        due: price.due,
    }
}

fn shown_lines(world: &World, price: &ChangePrice, currency: &str, bps: i64) -> Vec<Value> {
    let all = world.policy.preview_lines == PreviewLines::Signed;
    price
        .lines
        .iter()
        .enumerate()
        .filter(|(_, line)| all || !line.factor.is_negative())
        .map(|(at, line)| shown_line(world, at, line, currency, bps))
        .collect()
}

fn shown_line(world: &World, at: usize, line: &ChangeLine, currency: &str, bps: i64) -> Value {
    // Previews make nothing, so their lines are numbered rather than given ids that use up the generator.
    let id = format!("line_{}", at + 1);
    match &line.kind {
        LineKind::Subscription { product_id } => {
            let product = world.products.get(product_id);
            json!({
                "type": "subscription",
                "id": id,
                "product_id": product_id,
                "name": product.map(|product| &product.name),
                "description": product.and_then(|product| product.description.as_ref()),
                "unit_price": line.unit_price,
                "quantity": line.quantity,
                "proration_factor": ratio_number(line.factor),
                "currency": currency,
                "tax_inclusive": line.tax_inclusive,
                "tax": line.full_tax,
                "tax_rate": tax_rate_decimal(world, bps),
            })
        }
        LineKind::Addon { addon_id, name, tax_category } => json!({
            "type": "addon",
            "id": addon_id,
            "name": name,
            "description": world.addons.get(addon_id).and_then(|addon| addon.description.as_ref()),
            "unit_price": line.unit_price,
            "quantity": line.quantity,
            "proration_factor": ratio_number(line.factor),
            "currency": currency,
            "tax_category": tax_category,
            "tax_inclusive": line.tax_inclusive,
            "tax": line.full_tax,
            "tax_rate": tax_rate_decimal(world, bps),
        }),
    }
}

/// The four fields that change-plan and update-payment-method answer with.
pub(crate) fn started(world: &World, started: &Started) -> Value {
    link_answer(world, started.payment_id.as_deref(), started.payment_link.as_deref())
}

/// `{payment_id?, payment_link?, client_secret?, expires_on?}`; the last two come with a link only.
pub(crate) fn link_answer(world: &World, payment_id: Option<&str>, link: Option<&str>) -> Value {
    let payment = payment_id.and_then(|id| world.payments.get(id)).filter(|_| link.is_some());
    json!({
        "payment_id": payment_id,
        "payment_link": link,
        "client_secret": payment.map(|payment| &payment.client_secret),
        "expires_on": payment.map(|payment| rfc3339(payment.created_at + Duration::hours(24))),
    })
}
