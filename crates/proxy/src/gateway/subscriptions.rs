//! What the upgrade page does to a subscription besides changing its plan. Nothing here moves money.

use dodo_client::{
    Error,
    ids::{CustomerId, SubscriptionId},
};

use super::Gateway;

impl Gateway {
    /// Says whether the subscription ends at the next billing date. Saying the same twice changes nothing.
    ///
    /// # Errors
    /// When Dodo does not answer, or the subscription has ended.
    pub async fn set_cancel_at_next_billing_date(
        &self,
        id: &SubscriptionId,
        cancel: bool,
    ) -> Result<(), Error> {
        self.dodo.set_cancel_at_next_billing_date(id, cancel).await
    }

    /// Takes a scheduled plan change back.
    ///
    /// # Errors
    /// When Dodo does not answer; not found when nothing is scheduled.
    pub async fn cancel_scheduled_change(&self, id: &SubscriptionId) -> Result<(), Error> {
        self.dodo.cancel_scheduled_change(id).await
    }

    /// Returns where the buyer gives another payment method: for the subscription, or else in Dodo's customer portal.
    ///
    /// # Errors
    /// When Dodo gives no link.
    pub async fn payment_method_page(
        &self,
        subscription: &SubscriptionId,
        customer: &CustomerId,
    ) -> Result<String, Error> {
        let return_url = self.return_url.as_deref();
        match self.dodo.collect_payment_method(subscription, return_url).await?.payment_link {
            Some(url) => Ok(url),
            None => Ok(self.dodo.create_portal_session(customer, return_url).await?.link),
        }
    }
}
