//! Periods for which rows are kept: settings, and the bounds that they are checked against.

use super::{DAY, REFUNDABLE_DAYS};

/// Periods in days, as the merchant says them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// Purchases.
    pub purchases: u32,
    /// Postal codes of purchases, offers and quotes.
    pub addresses: u32,
    /// Events that the merchant reported.
    pub events: u32,
    /// Offers that were not taken.
    pub offers: u32,
    /// Charges: attempts with everything about them.
    pub charges: u32,
    /// Refunds, disputes and payments that turned out to be none of ours.
    pub reports: u32,
    /// Quotes that nobody tried to collect, after their end.
    pub quotes: u32,
    /// Webhooks that are not tried again, and links for another payment method after their end.
    pub webhooks: u32,
    /// Notifications that were delivered or given up.
    pub notifications: u32,
    /// Notifications as long as there is no receiver: one that is configured within that time misses nothing.
    pub unwanted_notifications: u32,
}

impl Days {
    /// As when nothing is said.
    pub const DEFAULT: Self = Self {
        purchases: 400,
        addresses: 30,
        events: 90,
        offers: 400,
        charges: 730,
        reports: 90,
        quotes: 7,
        webhooks: 35,
        notifications: 35,
        unwanted_notifications: 7,
    };
    /// The least that works: below, something that may still be needed would go.
    pub const LEAST: Self = Self {
        purchases: 30,
        addresses: 1,
        events: 7,
        offers: 30,
        // A purchase's own margin beside the window of refunds.
        charges: REFUNDABLE_DAYS,
        reports: 35,
        // The day on which a buyer may still ask what was shown.
        quotes: 1,
        // Longer than Dodo repeats a webhook.
        webhooks: 7,
        notifications: 1,
        unwanted_notifications: 1,
    };

    /// Returns the periods in seconds.
    ///
    /// # Errors
    /// When one is shorter than the least that works, or addresses are to be kept for longer than what they belong to.
    pub fn check(self) -> Result<Periods, PeriodError> {
        let least = Self::LEAST;
        let all = [
            ("purchases", self.purchases, least.purchases),
            ("addresses", self.addresses, least.addresses),
            ("events", self.events, least.events),
            ("offers", self.offers, least.offers),
            ("charges", self.charges, least.charges),
            ("reports", self.reports, least.reports),
            ("quotes", self.quotes, least.quotes),
            ("webhooks", self.webhooks, least.webhooks),
            ("notifications", self.notifications, least.notifications),
            ("unwanted notifications", self.unwanted_notifications, least.unwanted_notifications),
        ];
        if let Some((what, days, least)) = all.into_iter().find(|(_, days, least)| days < least) {
            return Err(PeriodError::TooShort { what, days, least });
        }
        if self.addresses > self.purchases {
            return Err(PeriodError::AddressesOutlivePurchases);
        }
        Ok(self.seconds())
    }

    fn seconds(self) -> Periods {
        let seconds = |days: u32| i64::from(days).saturating_mul(DAY);
        Periods {
            purchases: seconds(self.purchases),
            addresses: seconds(self.addresses),
            events: seconds(self.events),
            offers: seconds(self.offers),
            charges: seconds(self.charges),
            reports: seconds(self.reports),
            quotes: seconds(self.quotes),
            webhooks: seconds(self.webhooks),
            notifications: seconds(self.notifications),
            unwanted_notifications: seconds(self.unwanted_notifications),
        }
    }
}

/// Error checking periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Something would go that may still be needed.
    #[error("{what} are kept for {days} days and must be kept for at least {least}")]
    TooShort {
        /// Of what.
        what: &'static str,
        /// Days asked for.
        days: u32,
        /// Days needed.
        least: u32,
    },
    /// An address cannot outlive its purchase.
    #[error("addresses are kept for longer than purchases")]
    AddressesOutlivePurchases,
}

/// Checked periods, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// See [`Days::purchases`].
    pub purchases: i64,
    /// See [`Days::addresses`].
    pub addresses: i64,
    /// See [`Days::events`].
    pub events: i64,
    /// See [`Days::offers`].
    pub offers: i64,
    /// See [`Days::charges`].
    pub charges: i64,
    /// See [`Days::reports`].
    pub reports: i64,
    /// See [`Days::quotes`].
    pub quotes: i64,
    /// See [`Days::webhooks`].
    pub webhooks: i64,
    /// See [`Days::notifications`].
    pub notifications: i64,
    /// See [`Days::unwanted_notifications`].
    pub unwanted_notifications: i64,
}

impl Default for Periods {
    fn default() -> Self {
        Days::DEFAULT.seconds()
    }
}
