//! `upsell-proxy attempts`: what became of attempts, in sentences for people who answer buyers.
//!
//! It reads beside a running proxy and changes nothing. What it prints is for the merchant's own staff: it holds Dodo's
//! ids, so that a payment can be found in Dodo's dashboard, and nothing else of a buyer.

use std::fmt::Write as _;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use upsell_core::domain::{
    AttemptKind, AttemptRow, AttemptState, AttemptWord, DisputeStatus, HistoryEntry, OrderState,
    PaymentOnRecord, PaymentStatus, QuoteRow, RefundCause, RefundOrder, Sale, Source,
};
use wire::{AttemptId, Currency, Money, UnixSeconds};

use crate::store::{AttemptFilter, Store, StoreError};

/// One line an attempt, the newest first.
///
/// # Errors
/// When the store fails.
pub async fn list(store: &dyn Store, filter: &AttemptFilter) -> Result<String, StoreError> {
    let mut text = String::new();
    for row in store.list_attempts(filter).await? {
        let (at, id, amount) =
            (time(row.created_at), &row.id, amount(row.consent.amount, row.consent.currency));
        let _ = writeln!(text, "{at}  {id}  {}  {amount}  {}", kind(row.kind), state(row.state));
    }
    if text.is_empty() {
        text.push_str("no such attempts\n");
    }
    Ok(text)
}

/// A payment, with what happened to it afterwards.
struct Collected {
    payment: PaymentOnRecord,
    sale: Option<Sale>,
    order: Option<RefundOrder>,
}

/// The whole story of one attempt. `None`: no such attempt.
///
/// # Errors
/// When the store fails.
pub async fn explain(store: &dyn Store, id: &AttemptId) -> Result<Option<String>, StoreError> {
    let Some(row) = store.attempt_by_id(id).await? else { return Ok(None) };
    let quote = store.quote(&row.customer_id, &row.quote_id).await?;
    let mut payments = Vec::new();
    for payment in store.payments_of(id).await? {
        let (sale, order) =
            (store.sale(&payment.payment.id).await?, store.refund_order(&payment.payment.id).await?);
        payments.push(Collected { payment, sale, order });
    }
    let history = store.history(id).await?;
    Ok(Some(story(&row, quote.as_ref(), &payments, &history)))
}

fn story(
    row: &AttemptRow,
    quote: Option<&QuoteRow>,
    payments: &[Collected],
    history: &[HistoryEntry],
) -> String {
    let mut lines = vec![
        format!("Attempt {}: {}.", row.id, state(row.state)),
        format!("Made by {} on {}.", kind(row.kind), time(row.created_at)),
        format!("Buyer at Dodo: {}.", row.customer_id),
    ];
    if let Some(offer) = &row.offer_id {
        lines.push(format!("Offer {offer}, try number {}.", row.no));
    }
    if let Some(subscription) = &row.subscription_id {
        lines.push(format!("Subscription at Dodo: {subscription}."));
    }
    let agreed = amount(row.consent.amount, row.consent.currency);
    lines.push(format!("The buyer agreed to {agreed} on {}.", time(row.consent.at)));
    match &row.consent.shown {
        Some(shown) => lines.push(format!(
            "On the screen: language {}, widget {}, hash of the words {}.",
            shown.locale, shown.version, shown.text_hash
        )),
        None => lines.push("The page did not report which words it showed.".to_owned()),
    }
    if let Some(QuoteRow { quote, .. }) = quote {
        lines.push(format!("Quote {}: {}, of which", quote.id, amount(quote.total, quote.currency)));
        for line in &quote.lines {
            let amount = amount(line.amount, quote.currency);
            lines.push(format!("  {} x {}: {amount}", line.quantity, line.name));
        }
        lines.push(format!("  tax: {}", amount(quote.tax, quote.currency)));
    }
    if let Some(session) = &row.checkout_session_id {
        lines.push(format!("Checkout session at Dodo: {session}."));
    }
    lines.extend(payments.iter().flat_map(collected));
    if payments.is_empty() {
        lines.push("No payment of it was seen.".to_owned());
    }
    lines.push("What happened:".to_owned());
    lines.extend(history.iter().map(|entry| format!("  {}  {}", time(entry.at), sentence(entry))));
    lines.join("\n") + "\n"
}

fn collected(Collected { payment: seen, sale, order }: &Collected) -> Vec<String> {
    let mut lines = vec![payment(seen, order.is_some())];
    let currency = seen.payment.amount.map(|seen| seen.currency);
    let minor = |minor: i64| {
        currency.map_or_else(|| format!("{minor} minor units"), |currency| amount(minor, currency))
    };
    if let Some(order) = order {
        let wanted = order.amount.map_or_else(|| "all of it".to_owned(), minor);
        let (cause, state) = (cause(order.cause), order_state(order.state));
        lines.push(format!("  By your rules {wanted} goes back, since {cause}: {state}."));
    }
    if let Some(sale) = sale.as_ref().filter(|sale| sale.refunded > 0) {
        lines.push(format!("  Given back so far: {}.", minor(sale.refunded)));
    }
    if let Some(status) = sale.as_ref().and_then(|sale| sale.dispute) {
        lines.push(format!("  The buyer contests it at the bank: {}.", dispute(status)));
    }
    lines
}

fn cause(cause: RefundCause) -> &'static str {
    match cause {
        RefundCause::Late => "it was collected after it had been given up",
        RefundCause::Surplus => "it was collected beside another payment",
        RefundCause::AboveQuote => "it is more than the buyer was shown",
        RefundCause::Underpaid => "it is less than was agreed, and it was decided so",
    }
}

fn order_state(state: OrderState) -> &'static str {
    match state {
        OrderState::Due => "not requested yet",
        OrderState::Sent => {
            "requested once, and not seen at Dodo yet; look there before you give it back by hand"
        }
        OrderState::Done => "Dodo has it",
        OrderState::Refused => "it came to nothing; give it back by hand",
    }
}

fn dispute(status: DisputeStatus) -> &'static str {
    match status {
        DisputeStatus::Opened => "answer at Dodo, there is a date for it",
        DisputeStatus::Challenged => "answered, not decided",
        DisputeStatus::Cancelled => "taken back by the buyer",
        DisputeStatus::Won => "decided for you",
        DisputeStatus::Accepted => "you gave in",
        DisputeStatus::Expired => "not answered in time",
        DisputeStatus::Lost => "decided for the buyer",
    }
}

fn payment(seen: &PaymentOnRecord, goes_back: bool) -> String {
    let amount = seen.payment.amount.map_or_else(
        || "an amount not known yet".to_owned(),
        |Money { amount: minor, currency }| amount(minor, currency),
    );
    let status = match seen.payment.status {
        PaymentStatus::Pending => "is not settled",
        PaymentStatus::Failed => "failed; nothing was collected by it",
        PaymentStatus::Succeeded => "was collected",
    };
    let beside = match (seen.surplus, goes_back) {
        (false, _) => "",
        (true, false) => " BESIDE another payment: refund one of them",
        (true, true) => " beside another payment",
    };
    format!("Payment at Dodo {}: {amount}, {status}{beside}.", seen.payment.id)
}

fn sentence(entry: &HistoryEntry) -> String {
    let by = match entry.source {
        None => "",
        Some(Source::Reply) => ", as Dodo's reply said",
        Some(Source::Webhook) => ", as a webhook of Dodo's said",
        Some(Source::LookUp) => ", as looking it up at Dodo showed",
        Some(Source::Restore) => ", as Dodo's records showed after a restore",
        Some(Source::Deadline) => ", because the time for it ran out",
    };
    let detail = entry.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let what = match (AttemptWord::parse(&entry.event), entry.event.as_str()) {
        (Some(AttemptWord::Claimed), _) => "The click arrived and was written down; nothing was sent yet",
        (Some(AttemptWord::Released), _) => "It was called off: nothing was executed at Dodo",
        (Some(AttemptWord::Sent), _) => "From here on the one request to Dodo may have left",
        (Some(AttemptWord::Unknown), _) => "What came of it was not known, so it was looked up from then on",
        (Some(AttemptWord::Pending), _) => "Dodo took it on; the payment was not settled yet",
        (Some(AttemptWord::Failed), _) => "It failed: nothing was collected",
        (Some(AttemptWord::Abandoned), _) => "Nothing was found until the deadline; it is never sent again",
        (Some(AttemptWord::NeedsReview), _) => {
            "Waiting for it ended without an outcome; it is never sent again, counts all the same should it turn up, and \
             a person may resolve it"
        }
        (Some(AttemptWord::Scheduled), _) => "The change was booked for the next billing date",
        (Some(AttemptWord::Underpaid), _) => "Less came in than was agreed; a person has to decide",
        (Some(AttemptWord::Dismissed), _) => "It was decided that what came in does not buy it",
        (Some(AttemptWord::Succeeded), _) => "It was collected, or the change was made",
        (None, "offer") => "The offer came to another state",
        (None, "resolved") => "A person decided about what came in",
        (None, "refund_ordered") => "Money that should not be there was ordered to go back",
        (None, "looked") => "It was looked up at Dodo",
        (None, other) => other,
    };
    format!("{what}{by}{detail}.")
}

fn state(state: AttemptState) -> String {
    match state {
        AttemptState::Claimed => "written down, not sent yet".to_owned(),
        AttemptState::Released => "called off, nothing was charged".to_owned(),
        AttemptState::Sent => "sent, being worked on".to_owned(),
        AttemptState::Unknown => "outcome not known yet, being looked up; never sent again".to_owned(),
        AttemptState::Pending { customer_action: false } => "taken on by Dodo, not settled".to_owned(),
        AttemptState::Pending { customer_action: true } => "waiting for the buyer at the bank".to_owned(),
        AttemptState::Failed(reason) => {
            let reason = serde_json::to_value(reason).ok();
            let reason = reason.as_ref().and_then(serde_json::Value::as_str).unwrap_or("no reason known");
            format!("failed ({reason}), nothing was charged")
        }
        AttemptState::Abandoned => "given up waiting; counts all the same should it turn up".to_owned(),
        AttemptState::NeedsReview => {
            "no outcome within the time for it; look at Dodo, then resolve it; counts all the same should it turn up"
                .to_owned()
        }
        AttemptState::Scheduled => "booked for the next billing date".to_owned(),
        AttemptState::Underpaid => {
            "less came in than was agreed; waiting for a person to resolve it".to_owned()
        }
        AttemptState::Dismissed => "resolved: what came in does not buy it".to_owned(),
        AttemptState::Succeeded => "collected".to_owned(),
    }
}

fn kind(kind: AttemptKind) -> &'static str {
    match kind {
        AttemptKind::OneClick => "one click on the saved card",
        AttemptKind::Hosted => "Dodo's hosted page",
        AttemptKind::PlanChange => "a plan change",
    }
}

fn amount(minor: i64, currency: Currency) -> String {
    format!("{minor} {currency} (minor units)")
}

fn time(at: UnixSeconds) -> String {
    let text = OffsetDateTime::from_unix_timestamp(at.0).ok().and_then(|at| at.format(&Rfc3339).ok());
    text.unwrap_or_else(|| at.0.to_string())
}
