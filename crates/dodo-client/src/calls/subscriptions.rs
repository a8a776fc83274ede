//! Subscriptions, looked up, and what pays for them.

use std::fmt;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    catalogue::TimeInterval,
    checkouts::AddonQuantity,
    pages::{Items, Page, PageRequest, Paged},
    payments::{BillingAddress, CustomerRef},
};
use crate::{
    ChargeEvidence, Client, Error,
    ids::{CustomerId, PaymentId, PaymentMethodId, ProductId, SubscriptionId},
    lenient::{null_as_default, open_enum},
    transport::{Ask, json, nothing},
    values::{Currency, Metadata},
};

open_enum! {
    /// How a subscription stands. Only an active one can change its plan.
    SubscriptionStatus {
        /// Not yet paid for the first time.
        Pending = "pending",
        /// Running.
        Active = "active",
        /// A charge failed; the dues are open.
        OnHold = "on_hold",
        /// Stopped for a while.
        Paused = "paused",
        /// Ended by somebody.
        Cancelled = "cancelled",
        /// Never came about.
        Failed = "failed",
        /// Ended by itself.
        Expired = "expired",
        /// A renewal failed and is being tried again.
        PastDue = "past_due",
    }
}

/// A subscription with all that is known of it. The plan's name and list price stand at its product.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Subscription {
    /// Which.
    pub subscription_id: SubscriptionId,
    /// The plan.
    pub product_id: ProductId,
    /// How many of it.
    pub quantity: i64,
    /// How it stands.
    pub status: SubscriptionStatus,
    /// Of `recurring_pre_tax_amount`.
    pub currency: Currency,
    /// A renewal, in minor units, before tax.
    pub recurring_pre_tax_amount: i64,
    /// Whether tax is within the amount.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tax_inclusive: bool,
    /// Who pays.
    pub customer: CustomerRef,
    /// Where it is billed to.
    #[serde(default)]
    pub billing: Option<BillingAddress>,
    /// What was added to the plan. A plan change that does not name them removes them.
    #[serde(default, deserialize_with = "null_as_default")]
    pub addons: Vec<AddonQuantity>,
    /// The merchant's own pairs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// When the current period began.
    #[serde(with = "time::serde::rfc3339")]
    pub previous_billing_date: OffsetDateTime,
    /// When it ends.
    #[serde(with = "time::serde::rfc3339")]
    pub next_billing_date: OffsetDateTime,
    /// With the interval: how long a period is.
    pub payment_frequency_count: i64,
    /// See `payment_frequency_count`.
    pub payment_frequency_interval: TimeInterval,
    /// Days before the first charge.
    #[serde(default, deserialize_with = "null_as_default")]
    pub trial_period_days: i64,
    /// When it came about.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub created_at: Option<OffsetDateTime>,
    /// Charged when the merchant asks, not by the calendar; its plan cannot change.
    #[serde(default, deserialize_with = "null_as_default")]
    pub on_demand: bool,
    /// Ends with the period; its plan cannot change.
    #[serde(default, deserialize_with = "null_as_default")]
    pub cancel_at_next_billing_date: bool,
    /// What pays. For the server only.
    #[serde(default)]
    pub payment_method_id: Option<PaymentMethodId>,
    /// A change that waits for the next renewal.
    #[serde(default)]
    pub scheduled_change: Option<ScheduledChange>,
}

/// A plan change that waits for the next renewal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ScheduledChange {
    /// The plan to come.
    pub product_id: ProductId,
    /// Its name.
    #[serde(default)]
    pub product_name: Option<String>,
    /// How many of it.
    pub quantity: i64,
    /// What will be added to it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub addons: Vec<AddonQuantity>,
    /// When it takes effect, as known when it was scheduled: a pause moves the renewal and not this.
    #[serde(with = "time::serde::rfc3339")]
    pub effective_at: OffsetDateTime,
}

/// A subscription as lists show it. Add-ons are not among what lists say: look it up before changing it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SubscriptionSummary {
    /// Which.
    pub subscription_id: SubscriptionId,
    /// The plan.
    pub product_id: ProductId,
    /// Its name.
    #[serde(default)]
    pub product_name: Option<String>,
    /// How many of it.
    pub quantity: i64,
    /// How it stands.
    pub status: SubscriptionStatus,
    /// Of `recurring_pre_tax_amount`.
    pub currency: Currency,
    /// A renewal, in minor units, before tax.
    pub recurring_pre_tax_amount: i64,
    /// Who pays.
    pub customer: CustomerRef,
    /// When the current period ends.
    #[serde(with = "time::serde::rfc3339")]
    pub next_billing_date: OffsetDateTime,
}

/// Which subscriptions to list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SubscriptionFilter {
    /// Of this buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// On this plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<SubscriptionStatus>,
}

/// The answer of calls that may need the buyer at a page of Dodo's. Everything is absent when they do not.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PaymentLink {
    /// The payment that was begun.
    pub payment_id: Option<PaymentId>,
    /// Where the buyer goes on.
    pub payment_link: Option<String>,
    /// Until when the link is good.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_on: Option<OffsetDateTime>,
}

impl fmt::Debug for PaymentLink {
    // The link lets whoever holds it into the payment: it stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentLink")
            .field("payment_id", &self.payment_id)
            .field("has_payment_link", &self.payment_link.is_some())
            .field("expires_on", &self.expires_on)
            .finish()
    }
}

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

    /// `GET /subscriptions`, one page. A read.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_subscriptions(
        &self,
        filter: &SubscriptionFilter,
        page: PageRequest,
    ) -> Result<Page<SubscriptionSummary>, Error> {
        let items: Items<SubscriptionSummary> =
            self.transport.read(Ask::get(&["subscriptions"]).query(&Paged { filter, page })).await?;
        Ok(Page::new(items, page))
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
