//! Everything that one simulator remembers, and the timers that change it as time passes.

use super::{charge, renewal};
use crate::clock::Clock;
use crate::error::{ApiError, Outcome};
use crate::ids::Ids;
use crate::ledger::RequestLog;
use crate::model::catalogue::{Addon, Discount, Product};
use crate::model::customer::Customer;
use crate::model::payment::{Payment, Refund};
use crate::model::session::{Portal, Session};
use crate::model::subscription::Subscription;
use crate::model::table::Table;
use crate::policy::Policy;
use crate::webhooks::outbox::Outbox;
use serde::Serialize;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// What happens by itself.
#[derive(Debug, Clone)]
enum Timer {
    /// A processing payment succeeds.
    Settle { payment_id: String },
    /// A subscription reaches its next billing date.
    Renew { subscription_id: String },
}

#[derive(Debug, Serialize)]
pub(crate) struct World {
    /// Virtual time of the step that is being taken.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) now: OffsetDateTime,
    /// Counts resets: what was begun before one must not be noted after it.
    #[serde(skip)]
    pub(crate) generation: u64,
    #[serde(skip)]
    pub(crate) clock: Clock,
    #[serde(skip)]
    pub(crate) ids: Ids,
    pub(crate) policy: Policy,
    pub(crate) base_url: String,
    pub(crate) business_id: String,
    /// Basis points by country; a country that is not listed has none.
    pub(crate) tax_bps: BTreeMap<String, i64>,
    pub(crate) products: Table<Product>,
    pub(crate) addons: Table<Addon>,
    pub(crate) discounts: Table<Discount>,
    pub(crate) customers: Table<Customer>,
    pub(crate) sessions: Table<Session>,
    pub(crate) portals: Table<Portal>,
    pub(crate) payments: Table<Payment>,
    pub(crate) subscriptions: Table<Subscription>,
    pub(crate) refunds: Table<Refund>,
    pub(crate) outbox: Outbox,
    #[serde(skip)]
    pub(crate) log: RequestLog,
    #[serde(skip)]
    timers: BTreeMap<(OffsetDateTime, u64), Timer>,
    #[serde(skip)]
    timers_set: u64,
}

impl World {
    pub(crate) fn new(clock: Clock, seed: u64, policy: Policy, base_url: String) -> Self {
        Self {
            now: clock.now(),
            generation: 0,
            clock,
            ids: Ids::seeded(seed),
            policy,
            base_url,
            business_id: String::new(),
            tax_bps: BTreeMap::new(),
            products: Table::default(),
            addons: Table::default(),
            discounts: Table::default(),
            customers: Table::default(),
            sessions: Table::default(),
            portals: Table::default(),
            payments: Table::default(),
            subscriptions: Table::default(),
            refunds: Table::default(),
            outbox: Outbox::default(),
            log: RequestLog::default(),
            timers: BTreeMap::new(),
            timers_set: 0,
        }
    }

    /// Brings the world up to its clock: every timer fires at its own moment, in order.
    pub(crate) fn catch_up(&mut self) {
        let now = self.clock.now();
        while let Some(entry) = self.timers.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((at, _), timer) = entry.remove_entry();
            self.now = at;
            match timer {
                Timer::Settle { payment_id } => charge::settle(self, &payment_id, charge::End::Succeeded),
                Timer::Renew { subscription_id } => renewal::due(self, &subscription_id),
            }
        }
        self.now = now;
    }

    /// When something will next happen by itself.
    pub(crate) fn next_timer(&self) -> Option<OffsetDateTime> {
        self.timers.keys().next().map(|(at, _)| *at)
    }

    pub(crate) fn settle_at(&mut self, at: OffsetDateTime, payment_id: &str) {
        self.set_timer(at, Timer::Settle { payment_id: payment_id.to_owned() });
    }

    /// To be called whenever a next billing date is set; a timer that no longer fits is ignored when it fires.
    pub(crate) fn renew_at(&mut self, at: OffsetDateTime, subscription_id: &str) {
        self.set_timer(at, Timer::Renew { subscription_id: subscription_id.to_owned() });
    }

    fn set_timer(&mut self, at: OffsetDateTime, timer: Timer) {
        self.timers_set += 1;
        self.timers.insert((at, self.timers_set), timer);
    }

    pub(crate) fn customer(&self, id: &str) -> Outcome<&Customer> {
        self.customers.get(id).ok_or_else(|| ApiError::not_found("customer", id))
    }

    pub(crate) fn payment(&self, id: &str) -> Outcome<&Payment> {
        self.payments.get(id).ok_or_else(|| ApiError::not_found("payment", id))
    }

    pub(crate) fn subscription(&self, id: &str) -> Outcome<&Subscription> {
        self.subscriptions.get(id).ok_or_else(|| ApiError::not_found("subscription", id))
    }

    pub(crate) fn product(&self, id: &str) -> Outcome<&Product> {
        self.products.get(id).ok_or_else(|| ApiError::not_found("product", id))
    }

    pub(crate) fn session(&self, id: &str) -> Outcome<&Session> {
        self.sessions.get(id).ok_or_else(|| ApiError::not_found("checkout session", id))
    }

    pub(crate) fn tax_bps(&self, country: &str) -> i64 {
        self.tax_bps.get(country).copied().unwrap_or(0)
    }
}
