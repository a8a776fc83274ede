//! Subscriptions, looked up and listed, and what pays for them.

use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

use crate::{
    ChargeEvidence, Error,
    http::{
        Client,
        pages::{Items, Page, PageRequest, Paged},
        transport::{Ask, json, nothing},
    },
    ids::{PaymentMethodId, SubscriptionId},
    types::subscriptions::{PaymentLink, Subscription, SubscriptionFilter, SubscriptionSummary},
};

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum MethodUpdate<'a> {
    New {
        #[serde(skip_serializing_if = "Option::is_none")]
        return_url: Option<&'a str>,
    },
    Existing {
        payment_method_id: &'a PaymentMethodId,
    },
}

impl Client {
    /// `PATCH /subscriptions/{id}`: whether it ends at the next billing date. A write; saying the same twice changes nothing.
    ///
    /// # Errors
    /// See [`Error`]; 422 when it has ended.
    pub async fn set_cancel_at_next_billing_date(
        &self,
        id: &SubscriptionId,
        cancel: bool,
    ) -> Result<(), Error> {
        #[derive(Serialize)]
        struct Body {
            cancel_at_next_billing_date: bool,
        }
        let path = ["subscriptions", id.as_str()];
        let body = Body { cancel_at_next_billing_date: cancel };
        self.transport.write(Ask::new(Method::PATCH, &path).json(&body), nothing).await
    }

    /// `GET /subscriptions/{id}`. A read.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_subscription(&self, id: &SubscriptionId) -> Result<Subscription, Error> {
        self.transport.read(Ask::get(&["subscriptions", id.as_str()])).await
    }

    /// `GET /subscriptions`, one page. A read. Returns the rows that can be read, and how many cannot.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_subscriptions(
        &self,
        filter: &SubscriptionFilter,
        page: PageRequest,
    ) -> Result<(Page<SubscriptionSummary>, usize), Error> {
        let rows: Items<Value> =
            self.transport.read(Ask::get(&["subscriptions"]).query(&Paged { filter, page })).await?;
        Ok(Page::readable(rows, page))
    }

    /// `POST /subscriptions/{id}/update-payment-method` with a new method: a page on which the buyer gives
    /// it, and settles open dues. Without the buyer nothing is charged, so it is a write.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn collect_payment_method(
        &self,
        id: &SubscriptionId,
        return_url: Option<&str>,
    ) -> Result<PaymentLink, Error> {
        let path = ["subscriptions", id.as_str(), "update-payment-method"];
        self.transport.write(Ask::post(&path).json(&MethodUpdate::New { return_url }), json).await
    }

    /// The same call with a saved method. On a subscription that is on hold it charges the open dues at
    /// once, so it is a charge.
    pub async fn switch_payment_method(
        &self,
        id: &SubscriptionId,
        method: &PaymentMethodId,
    ) -> ChargeEvidence<PaymentLink> {
        let path = ["subscriptions", id.as_str(), "update-payment-method"];
        let body = MethodUpdate::Existing { payment_method_id: method };
        self.transport.charge(Ask::post(&path).json(&body), json).await
    }
}
