//! What a change that was booked for the next billing date has come to.

use dodo_client::ids::SubscriptionId;
use upsell_core::journal::EndBooking;

use super::{ChargeError, Charging};
use crate::{service::quoting::QuoteError, store::Execute};

impl Charging {
    /// Records how bookings on a subscription have ended, and has the merchant's system notified of it. Asks Dodo only where
    /// one is open: what a webhook carries may be older than the booking.
    ///
    /// # Errors
    /// When the store fails or Dodo does not answer.
    pub async fn observe_bookings(&self, id: &SubscriptionId) -> Result<(), ChargeError> {
        let open = self.store.open_bookings(id).await?;
        if open.is_empty() {
            return Ok(());
        }
        let subscription = Box::new(self.gateway.subscription(id).await.map_err(QuoteError::from)?);
        for booked in open {
            let at = self.clock.now();
            let end = EndBooking { attempt: booked.id, subscription: subscription.clone(), at };
            self.store.execute(&end).await?;
        }
        Ok(())
    }
}
