//! `[recommendation]`: which changes are counted. Plans are marked by hand or by count, not by both.

use super::{Check, Flaw, RulesError, file};
use crate::rules::{MOST_CHANGES, Recommendation};

/// Days that are counted when the file does not say.
const DEFAULT_WINDOW: u32 = 90;
/// Changes that it takes when the file does not say.
const DEFAULT_AT_LEAST: u32 = 30;
/// From fewer than this somebody's own change could be read off the share.
const LOWEST_AT_LEAST: u32 = 10;

impl Check<'_> {
    pub(super) fn recommendation(
        &self,
        counted: Option<&file::Recommendation>,
        plans: &[file::Plan],
    ) -> Result<Option<Recommendation>, RulesError> {
        let Some(counted) = counted else { return Ok(None) };
        for (index, plan) in plans.iter().enumerate() {
            if let Some(mark) = plan.recommended.as_ref().filter(|mark| *mark.get_ref()) {
                return self.refuse(mark, format!("plan[{index}].recommended"), Flaw::NotWithRecommendation);
            }
        }
        let bounded = |value, default, bounds, name| {
            self.bounded(value, default, bounds, &format!("recommendation.{name}"))
        };
        Ok(Some(Recommendation {
            window_days: bounded(counted.window_days.as_ref(), DEFAULT_WINDOW, (1, 365), "window_days")?,
            at_least: bounded(
                counted.at_least.as_ref(),
                DEFAULT_AT_LEAST,
                (LOWEST_AT_LEAST, MOST_CHANGES),
                "at_least",
            )?,
        }))
    }
}
