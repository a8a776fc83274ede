//! A change of plan that was booked for the next billing date: it was made, or it will not be.

use wire::{AttemptId, UnixSeconds};

use super::{Change, Changes, Command, Record, Scope, notifications, record::OfferKey};
use crate::{
    domain::{AttemptState, BookingEnd},
    policy::observe::booking_end,
};

/// Ends a booking by what the subscription shows. May be given by anybody, any number of times: it ends once.
#[derive(Clone, Debug)]
pub struct EndBooking {
    /// The attempt that booked the change.
    pub attempt: AttemptId,
    /// The subscription as Dodo describes it now.
    pub subscription: Box<dodo_client::types::subscriptions::Subscription>,
    /// The time.
    pub at: UnixSeconds,
}

impl Command for EndBooking {
    const NAME: &'static str = "end_booking";
    type Outcome = Option<BookingEnd>;

    fn scope(&self) -> Scope {
        Scope {
            quote: true,
            offer: Some(OfferKey::OfAttempt),
            booking: true,
            ..Scope::of_attempt(&self.attempt)
        }
    }

    fn decide(&self, record: &Record) -> (Option<BookingEnd>, Changes) {
        let nothing = (None, Changes::none());
        let (Some(attempt), Some(quote)) = (&record.attempt, &record.quote) else { return nothing };
        if attempt.row.state != AttemptState::Scheduled || record.booking_end.is_some() {
            return nothing;
        }
        let Some(end) = booking_end(quote, &self.subscription, self.at) else { return nothing };
        let mut changes = Changes::none();
        changes.push(Change::EndBooking { attempt: attempt.row.id.clone(), end, at: self.at });
        let told = notifications::of_booking(end, &attempt.row, quote, record.offer.as_ref(), self.at);
        changes.notify(told, self.at);
        (Some(end), changes)
    }
}

#[cfg(test)]
mod tests {
    use dodo_client::types::plan_changes::ProrationMode;
    use serde_json::json;
    use wire::{EffectiveAt, Interval, Period, ProductId, Renewal};

    use super::*;
    use crate::{
        domain::{AttemptKind, AttemptRow, ChargePlan, Observation, QuoteRow},
        journal::{Claim, fixtures::*, memory::Memory},
    };

    /// A change to Pro, booked for [`NOW`] and a month.
    fn booked() -> Memory {
        let mut store = Memory::fresh();
        let plan = ChargePlan::PlanChange {
            subscription_id: subscription(),
            product_id: ProductId::parse("prod_pro").unwrap(),
            quantity: 1,
            addons: Vec::new(),
            proration: ProrationMode::FullImmediately,
            effective_at: EffectiveAt::NextBillingDate,
        };
        let mut quote = QuoteRow { plan, ..quote("qt_1", None) };
        let period = Period { interval: Interval::Month, count: 1 };
        quote.quote.renewal = Some(Renewal { date: after(0), amount: 8000, tax_inclusive: false, period });
        store.quotes.insert(quote.quote.id.clone(), quote.clone());
        let attempt = AttemptRow {
            subscription_id: Some(subscription()),
            quote_id: quote.quote.id.clone(),
            kind: AttemptKind::PlanChange,
            lease_until: after(1000),
            ..AttemptRow::example()
        };
        let attempt = store.sent(&Claim::of(attempt));
        store.settle(&attempt.id, &seen(Observation::Scheduled));
        store
    }

    fn end(store: &mut Memory, patch: serde_json::Value, days: i64) -> Option<BookingEnd> {
        let mut value = json!({
            "subscription_id": subscription(), "product_id": "prod_basic", "quantity": 1, "status": "active",
            "currency": "USD", "recurring_pre_tax_amount": 3000, "customer": {"customer_id": "cus_1"},
            "previous_billing_date": "2026-01-01T00:00:00Z", "next_billing_date": "2026-02-01T00:00:00Z",
            "payment_frequency_count": 1, "payment_frequency_interval": "Month",
        });
        value.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        let attempt = store.attempts.keys().next().unwrap().clone();
        let subscription = Box::new(serde_json::from_value(value).unwrap());
        store.execute(&EndBooking { attempt, subscription, at: after(days * 86_400) })
    }

    fn told(store: &Memory) -> Vec<String> {
        store.notifications.values().map(|told| told.body["type"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_booking_ends_once_and_is_told_once() {
        let there = json!({"scheduled_change": {
            "product_id": "prod_pro", "quantity": 1, "effective_at": "2026-02-01T00:00:00Z",
        }});
        for (patch, ended, word) in [
            (json!({}), BookingEnd::Cancelled, "plan.change_cancelled"),
            (json!({"status": "cancelled"}), BookingEnd::Cancelled, "plan.change_cancelled"),
            (json!({"product_id": "prod_pro"}), BookingEnd::Made, "plan.changed"),
        ] {
            let mut store = booked();
            assert_eq!(end(&mut store, there.clone(), 0), None, "it is still there");
            assert_eq!(end(&mut store, patch.clone(), 0), Some(ended), "{patch}");
            let mut words = vec!["plan.change_scheduled", word];
            words.sort_unstable();
            let mut found = told(&store);
            found.sort_unstable();
            assert_eq!(found, words);
            // What the subscription becomes later is another matter.
            for later in [json!({}), json!({"product_id": "prod_pro"}), json!({"product_id": "prod_max"})] {
                assert_eq!(end(&mut store, later, 1), None);
            }
            assert_eq!(told(&store).len(), 2);
        }
    }

    #[test]
    fn a_booking_of_long_ago_is_left_alone() {
        let mut store = booked();
        assert_eq!(end(&mut store, json!({"product_id": "prod_max"}), 36), None);
    }

    #[test]
    fn what_was_not_booked_does_not_end() {
        let mut store = booked();
        let id = store.attempts.keys().next().unwrap().clone();
        store.attempts.get_mut(&id).unwrap().row.state = AttemptState::Succeeded;
        assert_eq!(end(&mut store, json!({}), 0), None);
    }
}
