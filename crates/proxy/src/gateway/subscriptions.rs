//! What the upgrade page does to a subscription besides changing its plan. Nothing here moves money by itself.

use dodo_client::{
    Error,
    ids::{CustomerId, SubscriptionId},
    types::subscriptions::PaymentLink,
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

    /// Asks for a link on which the buyer gives another payment method for the subscription. On hold, using it charges what is
    /// owed.
    ///
    /// # Errors
    /// When Dodo does not answer, or the subscription has ended.
    pub async fn payment_method_link(&self, subscription: &SubscriptionId) -> Result<PaymentLink, Error> {
        self.dodo.collect_payment_method(subscription, self.return_url.as_deref()).await
    }

    /// Returns a link to Dodo's customer portal.
    ///
    /// # Errors
    /// When Dodo does not answer.
    pub async fn portal(&self, customer: &CustomerId) -> Result<String, Error> {
        Ok(self.dodo.create_portal_session(customer, self.return_url.as_deref()).await?.link)
    }
}
