//! Facts that are told by webhook.

use super::world::World;
use serde::{Serialize, Serializer};

/// The event types that the simulator sends, of the 48 that Dodo has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventType {
    PaymentSucceeded,
    PaymentFailed,
    PaymentProcessing,
    PaymentCancelled,
    RefundSucceeded,
    RefundFailed,
    SubscriptionActive,
    SubscriptionRenewed,
    SubscriptionOnHold,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionUnpaused,
    SubscriptionCancelled,
    SubscriptionExpired,
    SubscriptionPlanChanged,
    SubscriptionUpdated,
    SubscriptionUpdatePaymentMethod,
}

impl EventType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PaymentSucceeded => "payment.succeeded",
            Self::PaymentFailed => "payment.failed",
            Self::PaymentProcessing => "payment.processing",
            Self::PaymentCancelled => "payment.cancelled",
            Self::RefundSucceeded => "refund.succeeded",
            Self::RefundFailed => "refund.failed",
            Self::SubscriptionActive => "subscription.active",
            Self::SubscriptionRenewed => "subscription.renewed",
            Self::SubscriptionOnHold => "subscription.on_hold",
            Self::SubscriptionPastDue => "subscription.past_due",
            Self::SubscriptionPaused => "subscription.paused",
            Self::SubscriptionUnpaused => "subscription.unpaused",
            Self::SubscriptionCancelled => "subscription.cancelled",
            Self::SubscriptionExpired => "subscription.expired",
            Self::SubscriptionPlanChanged => "subscription.plan_changed",
            Self::SubscriptionUpdated => "subscription.updated",
            Self::SubscriptionUpdatePaymentMethod => "subscription.update_payment_method",
        }
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What the event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub(crate) enum Subject {
    Payment { payment_id: String },
    Subscription { subscription_id: String },
    Refund { refund_id: String },
}

impl World {
    pub(crate) fn tell_payment(&mut self, kind: EventType, payment_id: &str) {
        self.tell(kind, Subject::Payment { payment_id: payment_id.to_owned() });
    }

    /// Tells these events in order, and `subscription.updated` after them unless that is switched off.
    pub(crate) fn tell_subscription(&mut self, kinds: &[EventType], subscription_id: &str) {
        let updated = self.policy.emit_subscription_updated.then_some(&EventType::SubscriptionUpdated);
        for kind in kinds.iter().chain(updated) {
            self.tell(*kind, Subject::Subscription { subscription_id: subscription_id.to_owned() });
        }
    }

    pub(crate) fn tell(&mut self, kind: EventType, subject: Subject) {
        let snapshot = crate::view::event::data(self, kind, &subject);
        let id = self.ids.next("msg");
        self.outbox.add(id, kind, subject, snapshot, self.now);
    }
}
