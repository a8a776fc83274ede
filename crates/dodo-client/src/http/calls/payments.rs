//! Payments, looked up and listed.

use money::UnixSeconds;
use serde_json::Value;

use crate::{
    Error,
    http::{
        Client,
        pages::{Items, PageRequest, Paged, PaymentPage},
        transport::Ask,
    },
    ids::PaymentId,
    types::payments::{LineItems, Payment, PaymentFilter},
};

impl Client {
    /// `GET /payments/{id}`. A read.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_payment(&self, id: &PaymentId) -> Result<Payment, Error> {
        self.transport.read(Ask::get(&["payments", id.as_str()])).await
    }

    /// `GET /payments/{id}/line-items`. A read.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_line_items(&self, id: &PaymentId) -> Result<LineItems, Error> {
        self.transport.read(Ask::get(&["payments", id.as_str(), "line-items"])).await
    }

    /// `GET /payments`, one page. A read. A row that cannot be read is told apart from those that can.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_payments(
        &self,
        filter: &PaymentFilter,
        page: PageRequest,
    ) -> Result<PaymentPage, Error> {
        let rows: Items<Value> =
            self.transport.read(Ask::get(&["payments"]).query(&Paged { filter, page })).await?;
        Ok(PaymentPage::new(rows, page))
    }

    /// `GET /payments` for a single payment of anybody: whether the key may do what looking up needs, and what Dodo's clock
    /// shows, where the answer says so.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read_clock(&self) -> Result<Option<UnixSeconds>, Error> {
        let one = Paged { filter: &PaymentFilter::default(), page: PageRequest::first(1) };
        self.transport.date(Ask::get(&["payments"]).query(&one)).await
    }
}
