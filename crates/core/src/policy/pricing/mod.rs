//! From Dodo's previews to what the buyer is shown: lines, tax, credit, total, next renewal. Pure.
//!
//! Dodo computes; we explain. The total is Dodo's, always. Lines that do not add up to it to the minor unit are not
//! shown: one line with the right amount takes their place, or there is no quote.

mod checkout;
mod plan_change;

pub use checkout::checkout;
pub use plan_change::{basis_hash, plan_change};

use wire::{Currency, EffectiveAt, Money, ProductId, QuoteId, QuoteLine, Renewal, UnixSeconds};

/// What something costs, before it has become a quote with an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// What is bought, for the receipt.
    pub name: String,
    /// Currency of every amount here.
    pub currency: Currency,
    /// In the order in which to show them.
    pub lines: Vec<QuoteLine>,
    /// Minor units.
    pub tax: i64,
    /// Whether `tax` is inside the lines.
    pub tax_inclusive: bool,
    /// Negative is spent, positive is granted.
    pub credit: i64,
    /// Collected now.
    pub total: i64,
    /// Where it differs in currency: what the merchant receives.
    pub settlement: Option<Money>,
    /// What comes next.
    pub renewal: Option<Renewal>,
    /// When it takes effect.
    pub effective_at: EffectiveAt,
    /// Hash of what it was based on.
    pub basis_hash: String,
    /// For a plan change: the plan that it was based on.
    pub from_plan: Option<ProductId>,
}

impl Priced {
    /// As the browser sees it.
    #[must_use]
    pub fn into_quote(self, id: QuoteId, expires_at: UnixSeconds, expires_in: u32) -> wire::Quote {
        wire::Quote {
            id,
            currency: self.currency,
            lines: self.lines,
            tax: self.tax,
            tax_inclusive: self.tax_inclusive,
            credit: self.credit,
            total: self.total,
            settlement: self.settlement,
            renewal: self.renewal,
            effective_at: self.effective_at,
            expires_at,
            expires_in,
        }
    }
}

/// Why a preview cannot be turned into a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// Its parts do not explain its total.
    #[error("the preview does not add up")]
    DoesNotAddUp,
    /// Less than nothing would be collected.
    #[error("the preview's total is negative")]
    Negative,
    /// An amount, a count or a currency is out of range.
    #[error("the preview holds a value out of range")]
    OutOfRange,
    /// It is of a plan, and does not say when the plan renews or for how much; or in another currency.
    #[error("the preview does not say how the plan renews")]
    RenewalUnknown,
    /// It prices something else than was asked for.
    #[error("the preview is about something else")]
    OtherProduct,
}

fn quantity(upstream: i64) -> Result<u32, PricingError> {
    u32::try_from(upstream).map_err(|_| PricingError::OutOfRange)
}
