//! `[waiting]`: how long pending payments are waited for.

use super::{Check, RulesError, file};
use crate::rules::WaitingRules;

/// Bounds of every limit, in days. What was given up is watched for two days, so that nothing pending ends before; Dodo's
/// slowest methods take less than a month.
const BOUNDS: (u32, u32) = (2, 60);

impl Check<'_> {
    pub(super) fn waiting(&self, waiting: &file::Waiting) -> Result<WaitingRules, RulesError> {
        let usual = WaitingRules::default();
        let days = |value, default, name| self.bounded(value, default, BOUNDS, &format!("waiting.{name}"));
        Ok(WaitingRules {
            bank_approval_days: days(
                waiting.bank_approval_days.as_ref(),
                usual.bank_approval_days,
                "bank_approval_days",
            )?,
            slow_method_days: days(
                waiting.slow_method_days.as_ref(),
                usual.slow_method_days,
                "slow_method_days",
            )?,
        })
    }
}
