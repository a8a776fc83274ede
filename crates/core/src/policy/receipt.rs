//! What a buyer is told of a payment that collected. Pure.

use wire::{Receipt, UnixSeconds};

use crate::domain::{AttemptRow, PaymentFacts, QuoteRow};

/// The receipt of a payment that collected, seen at `seen_at`.
#[must_use]
pub fn of_payment(quote: &QuoteRow, payment: &PaymentFacts, seen_at: UnixSeconds) -> Receipt {
    let collected = payment.amount;
    let as_quoted = collected == quote.quote.total_money();
    Receipt {
        reference: payment.payment_id.to_string(),
        name: quote.name.clone(),
        amount: collected.amount,
        currency: collected.currency,
        // A listing does not tell the tax; the quote's holds when its total was collected.
        tax: payment.tax.or(as_quoted.then_some(quote.quote.tax)).unwrap_or(0),
        credit: quote.quote.credit,
        at: payment.at.unwrap_or(seen_at),
        payment_method: payment.card.clone().or_else(|| quote.card.clone()),
        renewal: quote.quote.renewal,
    }
}

/// The receipt of a change for which nothing was due.
#[must_use]
pub fn without_payment(quote: &QuoteRow, row: &AttemptRow, at: UnixSeconds) -> Receipt {
    Receipt {
        reference: row.id.to_string(),
        name: quote.name.clone(),
        amount: 0,
        currency: quote.quote.currency,
        tax: 0,
        credit: quote.quote.credit,
        at,
        payment_method: None,
        renewal: quote.quote.renewal,
    }
}
