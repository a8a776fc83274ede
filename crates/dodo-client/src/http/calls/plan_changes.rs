//! Plan changes: priced, made, and a scheduled one taken back.

use reqwest::Method;

use crate::{
    ChargeEvidence, Error,
    http::{
        Client,
        transport::{Ask, json_or_default, nothing},
    },
    ids::SubscriptionId,
    types::{plan_changes::PlanChange, plan_preview::PlanChangePreview, subscriptions::PaymentLink},
};

impl Client {
    /// `POST /subscriptions/{id}/change-plan/preview`. Creates nothing, so it is a read. It binds nobody: the
    /// price may have moved by the time of the change.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn preview_plan_change(
        &self,
        id: &SubscriptionId,
        change: &PlanChange,
    ) -> Result<PlanChangePreview, Error> {
        let path = ["subscriptions", id.as_str(), "change-plan", "preview"];
        self.transport.read(Ask::post(&path).json(change)).await
    }

    /// `POST /subscriptions/{id}/change-plan`. A charge. An answer means that it was begun; all fields are
    /// absent when the stored method is charged, and older servers send an empty body.
    pub async fn change_plan(&self, id: &SubscriptionId, change: &PlanChange) -> ChargeEvidence<PaymentLink> {
        let path = ["subscriptions", id.as_str(), "change-plan"];
        self.transport.charge(Ask::post(&path).json(change), json_or_default).await
    }

    /// `DELETE /subscriptions/{id}/change-plan/scheduled`. A write. Takes back a change that waits for the
    /// renewal, not one that waits for its payment.
    ///
    /// # Errors
    /// See [`Error`]; 404 when nothing is scheduled.
    pub async fn cancel_scheduled_change(&self, id: &SubscriptionId) -> Result<(), Error> {
        let path = ["subscriptions", id.as_str(), "change-plan", "scheduled"];
        self.transport.write(Ask::new(Method::DELETE, &path), nothing).await
    }
}
