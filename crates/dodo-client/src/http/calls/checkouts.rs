//! Checkout sessions: priced, opened on Dodo's page, or charged at once.

use serde::Serialize;

use crate::{
    ChargeEvidence, Error,
    http::{
        Client,
        transport::{Ask, json},
    },
    ids::{CheckoutSessionId, CustomerId, PaymentMethodId},
    types::checkouts::{Buyer, Checkout, CheckoutPreview, CheckoutSession, CheckoutStatus},
};

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    checkout: &'a Checkout,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'a Buyer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method_id: Option<&'a PaymentMethodId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm: Option<bool>,
}

impl Client {
    /// `POST /checkouts/preview`. Creates nothing, so it is a read.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn preview_checkout(
        &self,
        customer: Option<&Buyer>,
        checkout: &Checkout,
    ) -> Result<CheckoutPreview, Error> {
        let body = Body { checkout, customer, payment_method_id: None, confirm: None };
        self.transport.read(Ask::post(&["checkouts", "preview"]).json(&body)).await
    }

    /// `POST /checkouts` without `confirm`: a session on Dodo's page, on which the buyer decides. A write.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_hosted_checkout(
        &self,
        customer: Option<&Buyer>,
        checkout: &Checkout,
    ) -> Result<CheckoutSession, Error> {
        let body = Body { checkout, customer, payment_method_id: None, confirm: None };
        self.transport.write(Ask::post(&["checkouts"]).json(&body), json).await
    }

    /// `POST /checkouts` with `confirm`: charges a saved method at once. A charge.
    pub async fn charge_checkout(
        &self,
        customer: &CustomerId,
        method: &PaymentMethodId,
        checkout: &Checkout,
    ) -> ChargeEvidence<CheckoutSession> {
        let customer = Buyer::Known { customer_id: customer.clone() };
        let body = Body {
            checkout,
            customer: Some(&customer),
            payment_method_id: Some(method),
            confirm: Some(true),
        };
        self.transport.charge(Ask::post(&["checkouts"]).json(&body), json).await
    }

    /// `GET /checkouts/{id}`. A read.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_checkout(&self, id: &CheckoutSessionId) -> Result<CheckoutStatus, Error> {
        self.transport.read(Ask::get(&["checkouts", id.as_str()])).await
    }
}
