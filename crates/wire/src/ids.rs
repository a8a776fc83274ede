//! Identifiers of what the proxy makes: offers, quotes, attempts, and the browser's keys.

use money::id;

id!(
    /// One offer to one buyer.
    OfferId
);
id!(
    /// One quote. The only thing about money that the browser sends back.
    QuoteId
);
id!(
    /// One try to collect one quote.
    AttemptId
);
id!(
    /// The browser's name for one intention to pay; the same key never pays twice. Sent in the `Idempotency-Key`
    /// header (draft-ietf-httpapi-idempotency-key-header), quoted or bare.
    IdempotencyKey
);
