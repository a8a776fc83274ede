//! Requests that charge nothing and failed: what the buyer and the page are told.

use wire::ErrorCode;

use super::state::{Open, Remark};
use super::step::Flow;
use crate::ApiError;
use crate::announce::{About, Announcement, Trouble};

impl Flow {
    /// Tells of a failed request: that the session is over where that is why, and the page with it; else `otherwise`.
    pub(super) fn remark_or(&mut self, open: &mut Open, error: &ApiError, otherwise: Remark) {
        let is_over = remark_on(error) == Remark::SessionOver;
        if is_over {
            self.announce_session_over();
        }
        open.remark = Some(if is_over { Remark::SessionOver } else { otherwise });
    }

    /// Tells the page that the token is not good any more.
    pub(super) fn announce_session_over(&mut self) {
        self.announce(Announcement::Failed(About::default(), Trouble::Unauthorized));
    }
}

/// Returns what to tell the buyer about a failed request that charges nothing.
pub(super) fn remark_on(error: &ApiError) -> Remark {
    match error {
        ApiError::Problem(problem) => match problem.code {
            ErrorCode::Unauthorized | ErrorCode::BoundElsewhere | ErrorCode::OriginNotAllowed => {
                Remark::SessionOver
            }
            ErrorCode::ChangeNotPossible | ErrorCode::AttemptInProgress => Remark::ChangeNotPossible,
            ErrorCode::RateLimited => Remark::Busy(None),
            _ => Remark::PreviewFailed,
        },
        ApiError::Foreign { status: 401 | 403 } => Remark::SessionOver,
        ApiError::Foreign { status: 429 } => Remark::Busy(None),
        _ => Remark::PreviewFailed,
    }
}
