//! Every error body: `application/problem+json` (RFC 9457) with a closed `code`.

use serde::{Deserialize, Serialize};

use crate::{Quote, words};

words!(
    /// What went wrong, for programs. The widget turns a code into words; nothing else of an error reaches a buyer.
    ErrorCode {
        /// 400: not JSON, too deep, a field missing or of the wrong type; `field` names it where known.
        InvalidRequest,
        /// 400: `Idempotency-Key` is missing or malformed.
        IdempotencyKeyMissing,
        /// 401: no, unknown, expired or revoked token or key. One code for all, so that nothing can be probed.
        Unauthorized,
        /// 401: the token is good, and belongs to another browser: the page was cached, copied or sent to somebody.
        BoundElsewhere,
        /// 403: the request comes from an origin that is not allowed.
        OriginNotAllowed,
        /// 404: no such thing for this buyer.
        NotFound,
        /// 405.
        MethodNotAllowed,
        /// 408: the body came too slowly.
        RequestTimeout,
        /// 409: another attempt for this offer or subscription is under way.
        AttemptInProgress,
        /// 409: the amount is no longer what was shown; nothing was charged; `quote` has the new one.
        QuoteChanged,
        /// 409: Dodo has not confirmed yet that what the token was made for is this buyer's. Nothing is shown or done before;
        /// `retry_after` says when to ask again.
        NotConfirmedYet,
        /// 409: the request with this key is still being worked on.
        KeyInProgress,
        /// 409: this attempt does not wait for a decision, or no longer; nothing was done.
        NotResolvable,
        /// 410: the quote's time has passed; load or preview again.
        QuoteExpired,
        /// 410: the offer was declined, accepted or has expired.
        OfferGone,
        /// 413.
        PayloadTooLarge,
        /// 415: not `application/json`.
        UnsupportedMediaType,
        /// 422: the key was used with another body.
        IdempotencyKeyReused,
        /// 422: Dodo does not allow this change in the subscription's state.
        ChangeNotPossible,
        /// 422: sessions for plans and for triggers other than a purchase are for signed-in buyers.
        SignInRequired,
        /// 429: too many requests; `retry_after` says when.
        RateLimited,
        /// 500.
        Internal,
        /// 503: Dodo or the store cannot be reached, the server is full, or Dodo's quota is kept for charges; nothing was
        /// charged.
        Unavailable,
    }
);

/// An error body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// What went wrong.
    pub code: ErrorCode,
    /// One line for developers; fixed text for each code, never upstream's words.
    pub title: String,
    /// Joins this answer to the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Path of the field at fault, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Seconds to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// With `quote_changed`: what it costs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Box<Quote>>,
}
