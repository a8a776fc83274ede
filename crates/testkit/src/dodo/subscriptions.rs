//! Subscriptions at the simulator, and changes of their plans.

use std::collections::BTreeMap;

use anyhow::Context as _;
use dodo_client::ids::{CustomerId, SubscriptionId};
use dodo_sim::{Charge, NewSubscription, Request, Source};
use serde_json::{Value, json};

use super::Dodo;
use crate::Subscriber;

impl Dodo {
    /// Starts a subscription so many days ago.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn subscribe(
        &self,
        customer: &CustomerId,
        product: &str,
        seats: u32,
        addons: &BTreeMap<String, u32>,
        days_ago: u32,
    ) -> anyhow::Result<Subscriber> {
        let subscription = self.start_subscription(NewSubscription {
            customer_id: customer.to_string(),
            product_id: product.to_owned(),
            quantity: Some(i64::from(seats)),
            addons: listed(addons),
            started_days_ago: days_ago,
            ..NewSubscription::default()
        })?;
        Ok(Subscriber { customer: customer.clone(), subscription })
    }

    /// Starts a subscription, with its first payment made.
    ///
    /// # Errors
    /// When the simulator refuses it.
    pub fn start_subscription(&self, new: NewSubscription) -> anyhow::Result<SubscriptionId> {
        let begun = self.control().subscription(new)?;
        let id = begun["subscription_id"].as_str().context("a subscription without an id")?;
        Ok(SubscriptionId::parse(id)?)
    }

    /// Returns a subscription as the API describes it.
    ///
    /// # Errors
    /// When there is none.
    pub fn subscription(&self, id: &SubscriptionId) -> anyhow::Result<Value> {
        Ok(self.control().subscription_now(id.as_str())?)
    }

    /// Changes seats and add-ons without charge, as somebody else does: the merchant, or the buyer in Dodo's own portal.
    ///
    /// # Errors
    /// When it cannot be changed.
    pub fn change_elsewhere(
        &self,
        id: &SubscriptionId,
        seats: u32,
        addons: &BTreeMap<String, u32>,
    ) -> anyhow::Result<()> {
        let product = self.subscription(id)?["product_id"].clone();
        let body = json!({
            "product_id": product, "quantity": seats, "addons": listed(addons),
            "proration_billing_mode": "do_not_bill",
        });
        self.control().change_plan(id.as_str(), body)?;
        Ok(())
    }

    /// Returns requests to change this subscription's plan, in the order in which they arrived.
    #[must_use]
    pub fn change_requests_of(&self, id: &SubscriptionId) -> Vec<Request> {
        let path = format!("/subscriptions/{id}/change-plan");
        let mut posts = self.charging_requests();
        posts.retain(|post| post.path == path);
        posts
    }

    /// Returns charges that were collected for changes of this subscription's plan.
    #[must_use]
    pub fn collected_for_changes_of(&self, id: &SubscriptionId) -> Vec<Charge> {
        let ledger = self.control().ledger();
        let ours = |charge: &&Charge| {
            charge.source == Source::PlanChange && charge.subscription_id.as_deref() == Some(id.as_str())
        };
        ledger.succeeded().filter(ours).cloned().collect()
    }

    /// Executes the last request to change this subscription's plan, if it was lost on its way: it arrives after all.
    /// Returns whether it did.
    ///
    /// # Errors
    /// When Dodo does not take it any more.
    pub fn change_arrives_late(&self, id: &SubscriptionId) -> anyhow::Result<bool> {
        let last = self.change_requests_of(id).pop();
        let Some(last) = last.filter(is_lost) else { return Ok(false) };
        self.control().change_plan(id.as_str(), last.body)?;
        Ok(true)
    }

    /// Returns the credit of this buyer, in minor units.
    ///
    /// # Errors
    /// When the API does not tell.
    pub fn credit_of(&self, customer: &CustomerId) -> anyhow::Result<i64> {
        let wallets = self.control().wallets(customer.as_str())?;
        let items = wallets["items"].as_array().map_or(&[][..], Vec::as_slice);
        Ok(items.iter().filter_map(|wallet| wallet["balance"].as_i64()).sum())
    }
}

/// Returns whether a fault kept a request from having any effect.
#[must_use]
pub fn is_lost(post: &Request) -> bool {
    post.fault.as_ref().is_some_and(|fault| fault.ends_with("_before"))
}

fn listed(addons: &BTreeMap<String, u32>) -> Vec<Value> {
    addons.iter().map(|(id, quantity)| json!({"addon_id": id, "quantity": quantity})).collect()
}
