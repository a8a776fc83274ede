//! A quote: the server's statement of what one click will charge.

use serde::{Deserialize, Serialize};

use crate::{Currency, Money, MoneyError, Period, QuoteId, UnixSeconds, words};

words!(
    /// What a line of a quote stands for.
    LineKind {
        /// A one-time product.
        Product,
        /// A plan, or what is given back for the unused part of one.
        Plan,
        /// An add-on of a plan.
        Addon,
        /// Metered usage.
        Meter,
        /// A discount, negative.
        Discount,
    }
);

/// One line of a quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuoteLine {
    /// What it stands for.
    pub kind: LineKind,
    /// The product's or add-on's name, as the merchant wrote it.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Minor units of the quote's currency, for the whole quantity; negative is given back to the buyer. Holds the tax
    /// when the quote's `tax_inclusive` is true.
    pub amount: i64,
    /// Whether the line covers only part of a period.
    #[serde(default)]
    pub prorated: bool,
}

words!(
    /// When a plan change takes effect (`effective_at` at Dodo).
    EffectiveAt {
        /// At once.
        Immediately,
        /// At the next billing date; nothing is charged now.
        NextBillingDate,
    }
);

/// What will be charged next, after today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Renewal {
    /// When.
    pub date: UnixSeconds,
    /// How much, in minor units of the quote's currency, before any credit that the buyer holds then.
    pub amount: i64,
    /// Whether tax is in `amount`; otherwise tax comes on top.
    pub tax_inclusive: bool,
    /// And then again every period.
    pub period: Period,
}

/// What one click will charge, exactly, or nothing.
///
/// `total = Σ lines + credit`, plus `tax` unless `tax_inclusive`; see [`Quote::adds_up`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quote {
    /// What the browser sends back to accept it.
    pub id: QuoteId,
    /// Currency of every amount here.
    pub currency: Currency,
    /// Every line, in the order in which to show them.
    pub lines: Vec<QuoteLine>,
    /// Tax in minor units.
    pub tax: i64,
    /// Whether `tax` is already inside the lines.
    pub tax_inclusive: bool,
    /// Buyer's credit: negative is spent on this charge, positive is granted for later renewals.
    pub credit: i64,
    /// What is collected now, in minor units; never negative.
    pub total: i64,
    /// The amount in the merchant's settlement currency, only where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Money>,
    /// The next charge after this one, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,
    /// When the change takes effect.
    #[serde(default = "immediately")]
    pub effective_at: EffectiveAt,
    /// After this the quote cannot be accepted.
    pub expires_at: UnixSeconds,
    /// Seconds left when the server answered; the browser counts these, since its clock may be wrong.
    pub expires_in: u32,
}

fn immediately() -> EffectiveAt {
    EffectiveAt::Immediately
}

impl Quote {
    /// The total with its currency.
    #[must_use]
    pub fn total_money(&self) -> Money {
        Money::new(self.total, self.currency)
    }

    /// Sum of the lines.
    ///
    /// # Errors
    /// On overflow.
    pub fn subtotal(&self) -> Result<i64, MoneyError> {
        self.lines
            .iter()
            .try_fold(0_i64, |sum, line| sum.checked_add(line.amount))
            .ok_or(MoneyError::Overflow)
    }

    /// Whether the lines explain the total to the minor unit. A quote that does not is never shown.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let tax = if self.tax_inclusive { 0 } else { self.tax };
        self.total >= 0
            && self.subtotal().ok().and_then(|s| s.checked_add(tax)).and_then(|s| s.checked_add(self.credit))
                == Some(self.total)
    }
}
