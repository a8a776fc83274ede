//! Dodo's identifiers as types of their own.
//!
//! They are opaque: nothing is read out of them. They are checked all the same, because they end up in URL
//! paths. The same check runs on identifiers that Dodo sends, so that one that was received can always be used.

use money::id;
pub use money::{AddonId, IdError, ProductId};

id!(
    /// A buyer.
    CustomerId
);
id!(
    /// One payment, whatever became of it.
    PaymentId
);
id!(
    /// A saved way to pay. It never leaves the server.
    PaymentMethodId
);
id!(
    /// A subscription.
    SubscriptionId
);
id!(
    /// A checkout session.
    CheckoutSessionId
);
id!(
    /// A refund.
    RefundId
);
id!(
    /// An address that webhooks go to.
    WebhookEndpointId
);
id!(
    /// A dispute: a payment that its buyer had the bank call back.
    DisputeId
);
