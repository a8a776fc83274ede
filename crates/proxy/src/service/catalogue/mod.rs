//! What Dodo knows and seldom changes, kept at hand: products, add-ons, saved methods, subscriptions.
//!
//! Filled when a session is minted, by webhooks, and by [`Catalogue::keep_products_warm`], so that showing an offer
//! needs no call to Dodo. Nothing here is the truth about money: that is the quote, and a quote is re-made before it is
//! charged. `fresh_*` asks Dodo, whatever is kept; `recent_*` does unless it was asked seconds ago.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dodo_client::{
    Priority,
    http::turn::with_priority,
    ids::{AddonId, CustomerId, SubscriptionId},
    types::subscriptions::Subscription,
};
use moka::future::Cache;
use money::later;
use upsell_core::{
    domain::SavedMethod,
    policy::{
        catalogue::{self, CatalogueAddon, CatalogueProduct},
        dues,
        plan_comparison::PeriodPrice,
        plan_cost, plan_terms,
    },
};
use wire::{Money, ProductId, UnixSeconds};

use crate::gateway::Gateway;

/// How long a product may be shown as it was.
const PRODUCT_LIFE: Duration = Duration::from_secs(15 * 60);
/// How often products are fetched again, well before they are forgotten.
const PRODUCT_REFRESH: Duration = Duration::from_secs(5 * 60);
/// As long as a session lives, so that what was fetched at its minting serves all of it.
const BUYER_LIFE: Duration = Duration::from_secs(16 * 60);
/// For so long what Dodo has just said is not asked again, however often somebody reloads a page.
const RECENT: Duration = Duration::from_secs(5);
/// Seconds within which the renewal was that is still owed.
const DUES_WITHIN: i64 = 400 * 86_400;
/// Entries kept of each kind.
const CAPACITY: u64 = 50_000;

/// Why something could not be had.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Dodo did not answer, or knows no such thing.
    #[error(transparent)]
    Upstream(#[from] Arc<dodo_client::Error>),
    /// A product with a price of a kind that cannot be offered, or in no currency.
    #[error("product {0} has a price that cannot be offered")]
    NotOfferable(ProductId),
}

impl CatalogueError {
    /// Whether Dodo says that there is no such thing.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Upstream(error) if error.is_not_found())
    }

    /// Whether Dodo refuses to show it, or it cannot be offered: asking again changes nothing.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Upstream(error) => error.is_refusal(),
            Self::NotOfferable(_) => true,
        }
    }
}

impl From<dodo_client::Error> for CatalogueError {
    fn from(error: dodo_client::Error) -> Self {
        Self::Upstream(Arc::new(error))
    }
}

/// The caches. Cheap to clone; clones share what they hold.
#[derive(Clone)]
pub struct Catalogue {
    gateway: Gateway,
    products: Cache<ProductId, Arc<CatalogueProduct>>,
    addons: Cache<AddonId, Arc<CatalogueAddon>>,
    methods: Cache<CustomerId, Arc<[SavedMethod]>>,
    subscriptions: Cache<SubscriptionId, Arc<Subscription>>,
    recent_methods: Cache<CustomerId, Arc<[SavedMethod]>>,
    recent_subscriptions: Cache<SubscriptionId, Arc<Subscription>>,
    dues: Cache<SubscriptionId, Option<Money>>,
    /// Buyers who were sent to a page of Dodo's to give another method or pay what is owed.
    away: Cache<CustomerId, ()>,
}

impl Catalogue {
    /// Empty caches in front of Dodo.
    #[must_use]
    pub fn new(gateway: Gateway) -> Self {
        Self {
            gateway,
            products: cache(PRODUCT_LIFE),
            addons: cache(PRODUCT_LIFE),
            methods: cache(BUYER_LIFE),
            subscriptions: cache(BUYER_LIFE),
            recent_methods: cache(RECENT),
            recent_subscriptions: cache(RECENT),
            dues: cache(RECENT),
            away: cache(BUYER_LIFE),
        }
    }

    /// A product.
    ///
    /// # Errors
    /// When Dodo cannot be asked, or the product cannot be offered.
    pub async fn product(&self, id: &ProductId) -> Result<Arc<CatalogueProduct>, CatalogueError> {
        let fetched = self.products.try_get_with(id.clone(), self.fetch_product(id)).await;
        fetched.map_err(|error| (*error).clone())
    }

    async fn fetch_product(&self, id: &ProductId) -> Result<Arc<CatalogueProduct>, CatalogueError> {
        let product = self.gateway.product(id).await?;
        let offerable = catalogue::offerable(product);
        offerable.map(Arc::new).ok_or_else(|| CatalogueError::NotOfferable(id.clone()))
    }

    /// Returns an add-on; by its id alone, without a price, when Dodo cannot be asked.
    pub async fn addon(&self, id: &AddonId) -> Arc<CatalogueAddon> {
        let fetch =
            async { Ok::<_, dodo_client::Error>(Arc::new(catalogue::addon(self.gateway.addon(id).await?))) };
        self.addons.try_get_with(id.clone(), fetch).await.unwrap_or_else(|error| {
            tracing::warn!(addon_id = %id, %error, "failed to look up an add-on");
            Arc::new(CatalogueAddon { name: id.to_string(), price: None })
        })
    }

    /// Returns add-ons by their ids, each once.
    pub async fn addons(
        &self,
        ids: impl Iterator<Item = &AddonId>,
    ) -> BTreeMap<AddonId, Arc<CatalogueAddon>> {
        let mut addons = BTreeMap::new();
        for id in ids {
            if !addons.contains_key(id) {
                addons.insert(id.clone(), self.addon(id).await);
            }
        }
        addons
    }

    /// Estimates what a renewal of the subscription would cost on `target`, with today's seats and the add-ons that the plan
    /// carries. `None` where only Dodo can say.
    pub async fn cost_on_plan(
        &self,
        subscription: &Subscription,
        target: &CatalogueProduct,
    ) -> Option<PeriodPrice> {
        let carried = plan_terms::carried(&subscription.addons, target);
        self.cost_with(subscription, target, plan_terms::seats(subscription), &carried).await
    }

    /// Estimates the same with these seats and add-ons.
    pub async fn cost_with(
        &self,
        subscription: &Subscription,
        target: &CatalogueProduct,
        seats: u32,
        addons: &[(AddonId, u32)],
    ) -> Option<PeriodPrice> {
        let known = self.addons(addons.iter().map(|(id, _)| id)).await;
        let price = |id: &AddonId| known.get(id)?.price;
        plan_cost::on_plan(subscription, target, seats, addons, &price)
    }

    /// The buyer's saved methods.
    ///
    /// # Errors
    /// When Dodo cannot be asked.
    pub async fn methods(&self, customer: &CustomerId) -> Result<Arc<[SavedMethod]>, CatalogueError> {
        if self.is_away(customer) {
            return self.fresh_methods(customer).await;
        }
        let fetched = self.methods.try_get_with(customer.clone(), self.fetch_methods(customer)).await;
        fetched.map_err(|error| (*error).clone())
    }

    /// The buyer's saved methods as they are now.
    ///
    /// # Errors
    /// When Dodo cannot be asked.
    pub async fn fresh_methods(&self, customer: &CustomerId) -> Result<Arc<[SavedMethod]>, CatalogueError> {
        let methods = self.fetch_methods(customer).await?;
        self.methods.insert(customer.clone(), Arc::clone(&methods)).await;
        Ok(methods)
    }

    /// The buyer's saved methods, as they were seconds ago at most.
    ///
    /// # Errors
    /// When Dodo cannot be asked.
    pub async fn recent_methods(&self, customer: &CustomerId) -> Result<Arc<[SavedMethod]>, CatalogueError> {
        if self.is_away(customer) {
            return self.fresh_methods(customer).await;
        }
        let fetched = self.recent_methods.try_get_with(customer.clone(), self.fresh_methods(customer)).await;
        fetched.map_err(|error| (*error).clone())
    }

    async fn fetch_methods(&self, customer: &CustomerId) -> Result<Arc<[SavedMethod]>, CatalogueError> {
        let methods = self.gateway.payment_methods(customer).await?;
        Ok(methods.iter().map(catalogue::saved_method).collect())
    }

    /// Something about the buyer's methods has changed: asks again, if they are kept at all.
    pub async fn refresh_methods(&self, customer: &CustomerId) {
        self.recent_methods.invalidate(customer).await;
        if self.methods.contains_key(customer)
            && with_priority(Priority::Refresh, self.fresh_methods(customer)).await.is_err()
        {
            self.methods.invalidate(customer).await;
        }
    }

    /// Drops what is kept of a buyer's methods.
    pub async fn forget(&self, customer: &CustomerId) {
        self.recent_methods.invalidate(customer).await;
        self.methods.invalidate(customer).await;
    }

    /// A subscription.
    ///
    /// # Errors
    /// When Dodo cannot be asked.
    pub async fn subscription(&self, id: &SubscriptionId) -> Result<Arc<Subscription>, CatalogueError> {
        let fetched = self.subscriptions.try_get_with(id.clone(), self.fetch_subscription(id)).await;
        fetched.map_err(|error| (*error).clone())
    }

    /// A subscription as it is now.
    ///
    /// # Errors
    /// When Dodo cannot be asked.
    pub async fn fresh_subscription(&self, id: &SubscriptionId) -> Result<Arc<Subscription>, CatalogueError> {
        let subscription = self.fetch_subscription(id).await?;
        self.subscriptions.insert(id.clone(), Arc::clone(&subscription)).await;
        Ok(subscription)
    }

    /// A subscription of this buyer, for a page of theirs.
    ///
    /// # Errors
    /// When Dodo cannot be asked.
    pub async fn subscription_of(
        &self,
        customer: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Arc<Subscription>, CatalogueError> {
        match self.is_away(customer) {
            true => self.fresh_subscription(id).await,
            false => self.subscription(id).await,
        }
    }

    /// A subscription of this buyer as it was seconds ago at most.
    ///
    /// # Errors
    /// When Dodo cannot be asked.
    pub async fn recent_subscription(
        &self,
        customer: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Arc<Subscription>, CatalogueError> {
        if self.is_away(customer) {
            return self.fresh_subscription(id).await;
        }
        let fetched = self.recent_subscriptions.try_get_with(id.clone(), self.fresh_subscription(id)).await;
        fetched.map_err(|error| (*error).clone())
    }

    /// Notes that a buyer was sent to a page of Dodo's. What they change there is not heard of before a webhook comes, and
    /// they may be back before it: nothing of theirs is taken from before any more.
    pub async fn note_away(&self, customer: &CustomerId) {
        self.away.insert(customer.clone(), ()).await;
    }

    fn is_away(&self, customer: &CustomerId) -> bool {
        self.away.contains_key(customer)
    }

    /// What a subscription of this buyer owes, as it was seconds ago at most; `None` where it owes nothing or that is not
    /// known.
    pub async fn dues(&self, customer: &CustomerId, id: &SubscriptionId, now: UnixSeconds) -> Option<Money> {
        let fetch = self.fetch_dues(id, later(now, -DUES_WITHIN));
        match self.is_away(customer) {
            true => fetch.await,
            false => self.dues.get_with(id.clone(), fetch).await,
        }
    }

    async fn fetch_dues(&self, id: &SubscriptionId, since: UnixSeconds) -> Option<Money> {
        match self.gateway.payments_of(id, since).await {
            Ok(listed) => dues::owed(&listed.payments),
            Err(error) => {
                tracing::warn!(%error, "failed to look up what a subscription owes");
                None
            }
        }
    }

    async fn fetch_subscription(&self, id: &SubscriptionId) -> Result<Arc<Subscription>, CatalogueError> {
        Ok(Arc::new(self.gateway.subscription(id).await?))
    }

    /// Something about a subscription has changed: asks again, if it is kept at all. What a webhook carries is not kept
    /// instead, since webhooks come late and out of order.
    pub async fn refresh_subscription(&self, id: &SubscriptionId) {
        self.recent_subscriptions.invalidate(id).await;
        self.dues.invalidate(id).await;
        if self.subscriptions.contains_key(id)
            && with_priority(Priority::Refresh, self.fresh_subscription(id)).await.is_err()
        {
            self.subscriptions.invalidate(id).await;
        }
    }

    /// Fetches these products again and again, so that no buyer waits for one. Ends when it is dropped.
    pub async fn keep_products_warm(&self, ids: Vec<ProductId>) {
        loop {
            for id in &ids {
                match with_priority(Priority::Refresh, self.fetch_product(id)).await {
                    Ok(product) => self.products.insert(id.clone(), product).await,
                    Err(error) => {
                        tracing::warn!(product_id = %id, %error, "a product of the rules cannot be had")
                    }
                }
            }
            tokio::time::sleep(PRODUCT_REFRESH).await;
        }
    }
}

fn cache<K, V>(life: Duration) -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder().max_capacity(CAPACITY).time_to_live(life).build()
}
