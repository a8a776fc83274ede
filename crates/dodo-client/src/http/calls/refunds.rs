//! Refunds and disputes.

use serde_json::Value;

use crate::{
    ChargeEvidence, Error,
    http::{
        Client,
        pages::{Items, Page, PageRequest, Paged},
        transport::{Ask, json},
    },
    types::{
        disputes::Dispute,
        refunds::{CreatedFilter, Refund, RefundRequest},
    },
};

impl Client {
    /// `POST /refunds`. Money moves the other way, and twice is as wrong: a charge.
    pub async fn refund(&self, request: &RefundRequest) -> ChargeEvidence<Refund> {
        self.transport.charge(Ask::post(&["refunds"]).json(request), json).await
    }

    /// `GET /refunds`, one page. A read. Returns the rows that can be read, and how many cannot.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_refunds(
        &self,
        filter: &CreatedFilter,
        page: PageRequest,
    ) -> Result<(Page<Refund>, usize), Error> {
        let rows: Items<Value> =
            self.transport.read(Ask::get(&["refunds"]).query(&Paged { filter, page })).await?;
        Ok(Page::readable(rows, page))
    }

    /// `GET /disputes`, one page. A read. Returns the rows that can be read, and how many cannot.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_disputes(
        &self,
        filter: &CreatedFilter,
        page: PageRequest,
    ) -> Result<(Page<Dispute>, usize), Error> {
        let rows: Items<Value> =
            self.transport.read(Ask::get(&["disputes"]).query(&Paged { filter, page })).await?;
        Ok(Page::readable(rows, page))
    }
}
