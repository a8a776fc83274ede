//! Which webhooks exist, when each is tried next, and what came of it. Times are virtual.

use crate::engine::event::{EventType, Subject};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use time::{Duration, OffsetDateTime};

/// Waits before the first and each further attempt; after the eighth it is given up.
const SCHEDULE: [Duration; 8] = [
    Duration::ZERO,
    Duration::seconds(5),
    Duration::minutes(5),
    Duration::minutes(30),
    Duration::hours(2),
    Duration::hours(5),
    Duration::hours(10),
    Duration::hours(10),
];

/// What is done to webhooks on their way, as a test asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookPolicy {
    /// Virtual milliseconds before the first attempt.
    pub delay_ms: u32,
    /// Further deliveries after the one that was accepted, with the same id.
    pub duplicate: u32,
    /// Types that are never sent.
    pub drop_types: Vec<String>,
    /// How many of the next webhooks are never sent.
    pub drop_next: u32,
    /// Whether a batch that is due together goes out newest first.
    pub reorder: bool,
    /// Whether nothing is sent until a flush.
    pub paused: bool,
}

/// One try.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// Virtual time.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The receiver's answer, if it gave one.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// One event and its deliveries.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: EventType,
    pub(crate) subject: Subject,
    #[serde(skip)]
    pub(crate) snapshot: Value,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    pub(crate) attempts: Vec<Attempt>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) next_attempt_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) delivered_at: Option<OffsetDateTime>,
    pub(crate) dropped: bool,
    copies_left: u32,
}

/// Place of a webhook in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(usize);

#[derive(Debug, Default, Serialize)]
pub(crate) struct Outbox {
    pub(crate) policy: WebhookPolicy,
    /// In the order of their events.
    pub(crate) webhooks: Vec<Webhook>,
    /// What has a next attempt, by its time; events of one moment in the order in which they happened.
    #[serde(skip)]
    waiting: BTreeSet<(OffsetDateTime, Place)>,
}

/// Which webhooks a round of deliveries takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Round {
    /// By itself: what is due, unless paused.
    Due,
    /// A flush: what is due, paused or not.
    Flush,
    /// A flush of everything that still waits.
    FlushAll,
}

impl Outbox {
    pub(crate) fn add(
        &mut self,
        id: String,
        kind: EventType,
        subject: Subject,
        snapshot: Value,
        now: OffsetDateTime,
    ) {
        let by_count = self.policy.drop_next > 0;
        self.policy.drop_next = self.policy.drop_next.saturating_sub(1);
        let dropped = by_count || self.policy.drop_types.iter().any(|dropped| dropped == kind.as_str());
        let first = now + Duration::milliseconds(i64::from(self.policy.delay_ms)) + SCHEDULE[0];
        if !dropped {
            self.waiting.insert((first, Place(self.webhooks.len())));
        }
        self.webhooks.push(Webhook {
            id,
            kind,
            subject,
            snapshot,
            created_at: now,
            attempts: Vec::new(),
            next_attempt_at: (!dropped).then_some(first),
            delivered_at: None,
            dropped,
            copies_left: self.policy.duplicate,
        });
    }

    /// What this round sends, in the order of sending.
    pub(crate) fn take(&self, round: Round, now: OffsetDateTime) -> Vec<Place> {
        if round == Round::Due && self.policy.paused {
            return Vec::new();
        }
        let goes = |at: OffsetDateTime| round == Round::FlushAll || at <= now;
        let mut due: Vec<Place> =
            self.waiting.iter().take_while(|(at, _)| goes(*at)).map(|(_, place)| *place).collect();
        if self.policy.reorder {
            due.reverse();
        }
        due
    }

    pub(crate) fn get(&self, place: Place) -> Option<&Webhook> {
        self.webhooks.get(place.0)
    }

    /// When the next one is due by itself.
    pub(crate) fn next_due(&self) -> Option<OffsetDateTime> {
        if self.policy.paused {
            return None;
        }
        self.waiting.first().map(|(at, _)| *at)
    }

    /// Notes an attempt and decides about the next.
    pub(crate) fn attempted(&mut self, place: Place, attempt: Attempt) {
        let Some(webhook) = self.webhooks.get_mut(place.0) else { return };
        let at = attempt.at;
        let accepted = attempt.status.is_some_and(|status| (200..300).contains(&status));
        webhook.attempts.push(attempt);
        if let Some(was) = webhook.next_attempt_at {
            self.waiting.remove(&(was, place));
        }
        webhook.next_attempt_at = if accepted {
            webhook.delivered_at = webhook.delivered_at.or(Some(at));
            let again = webhook.copies_left > 0;
            webhook.copies_left = webhook.copies_left.saturating_sub(1);
            again.then_some(at)
        } else if webhook.delivered_at.is_some() {
            // A copy that was refused is not tried again: the event has arrived.
            None
        } else {
            SCHEDULE.get(webhook.attempts.len()).map(|wait| at + *wait)
        };
        if let Some(next) = webhook.next_attempt_at {
            self.waiting.insert((next, place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const START: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

    fn outbox(policy: WebhookPolicy, kinds: &[EventType]) -> Outbox {
        let mut outbox = Outbox { policy, ..Outbox::default() };
        for (number, kind) in kinds.iter().enumerate() {
            let subject = Subject::Payment { payment_id: "pay_1".into() };
            outbox.add(format!("msg_{number}"), *kind, subject, Value::Null, START);
        }
        outbox
    }

    fn answer(at: OffsetDateTime, status: u16) -> Attempt {
        Attempt { at, status: Some(status), error: None }
    }

    #[test]
    fn refusals_follow_the_documented_schedule_to_the_eighth_attempt() {
        let mut outbox = outbox(WebhookPolicy::default(), &[EventType::PaymentSucceeded]);
        let mut waits = Vec::new();
        while let Some(at) = outbox.next_due() {
            waits.push((at - START).whole_seconds());
            outbox.attempted(Place(0), answer(at, 500));
        }
        let hours = 3600;
        let sum = 5 + 300 + 1800;
        let expected =
            [0, 5, 305, 2105, sum + 2 * hours, sum + 7 * hours, sum + 17 * hours, sum + 27 * hours];
        assert_eq!(waits, expected);
        assert!(outbox.webhooks[0].delivered_at.is_none());
    }

    #[test]
    fn accepted_ones_are_sent_again_only_when_asked_for() {
        let mut outbox = outbox(
            WebhookPolicy { duplicate: 1, ..WebhookPolicy::default() },
            &[EventType::PaymentSucceeded],
        );
        outbox.attempted(Place(0), answer(START, 204));
        assert_eq!(outbox.next_due(), Some(START));
        outbox.attempted(Place(0), answer(START, 204));
        assert_eq!(outbox.next_due(), None);
        assert_eq!(outbox.webhooks[0].attempts.len(), 2);
    }

    #[test]
    fn delayed_dropped_reordered_paused() {
        let kinds =
            [EventType::PaymentSucceeded, EventType::SubscriptionActive, EventType::SubscriptionUpdated];
        let delayed = outbox(WebhookPolicy { delay_ms: 1500, ..WebhookPolicy::default() }, &kinds);
        assert!(delayed.take(Round::Flush, START).is_empty());
        assert_eq!(delayed.take(Round::FlushAll, START).len(), 3);
        assert_eq!(delayed.take(Round::Due, START + Duration::seconds(2)).len(), 3);

        let policy = WebhookPolicy {
            drop_types: vec!["subscription.active".into()],
            drop_next: 1,
            ..WebhookPolicy::default()
        };
        assert_eq!(outbox(policy, &kinds).take(Round::Due, START), [Place(2)]);

        let reordered = outbox(WebhookPolicy { reorder: true, ..WebhookPolicy::default() }, &kinds);
        assert_eq!(reordered.take(Round::Due, START), [Place(2), Place(1), Place(0)]);

        let paused = outbox(WebhookPolicy { paused: true, ..WebhookPolicy::default() }, &kinds);
        assert!(paused.take(Round::Due, START).is_empty() && paused.next_due().is_none());
        assert_eq!(paused.take(Round::Flush, START).len(), 3);
    }
}
