//! Customers and their saved payment methods.

use serde::Serialize;
use serde_json::Value;

use crate::{
    Error,
    http::{
        Client,
        pages::Items,
        transport::{Ask, json},
    },
    ids::CustomerId,
    lenient,
    types::customers::{Customer, PaymentMethod, PortalSession},
};

#[derive(Serialize)]
struct PortalQuery<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<&'a str>,
}

impl Client {
    /// `GET /customers/{id}`. A read.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_customer(&self, id: &CustomerId) -> Result<Customer, Error> {
        self.transport.read(Ask::get(&["customers", id.as_str()])).await
    }

    /// `GET /customers/{id}/payment-methods`. A read. Not paged. A method that cannot be read is left out: nothing is charged to it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_payment_methods(&self, id: &CustomerId) -> Result<Vec<PaymentMethod>, Error> {
        let list: Items<Value> =
            self.transport.read(Ask::get(&["customers", id.as_str(), "payment-methods"])).await?;
        Ok(lenient::rows(list.items).0)
    }

    /// `POST /customers/{id}/customer-portal/session`. A write: a link of which there may be many.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_portal_session(
        &self,
        id: &CustomerId,
        return_url: Option<&str>,
    ) -> Result<PortalSession, Error> {
        let path = ["customers", id.as_str(), "customer-portal", "session"];
        self.transport.write(Ask::post(&path).query(&PortalQuery { return_url }), json).await
    }
}
