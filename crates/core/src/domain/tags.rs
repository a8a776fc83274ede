//! The pairs that charges carry in their metadata: how an outcome is found again, and how an attempt is written anew after
//! the store has lost it.
//!
//! Buyers write metadata, too: a static payment link takes it from its address. So these pairs prove something only together
//! with a code over all of them ([`super::TagKeys`]). Each stands in clear, so that the merchant can read it at Dodo.

use dodo_client::{
    Mode,
    ids::{CustomerId, PaymentId, SubscriptionId},
    values::Metadata,
};
use wire::{AddonId, AttemptId, Currency, Money, OfferId, OfferKind, ProductId, QuoteId};

use super::{AttemptKind, ChargePlan, TagKeys};

const ATTEMPT: &str = "attempt_id";
const STORE: &str = "upsell_store";
const MODE: &str = "upsell_mode";
const QUOTE: &str = "quote_id";
const KIND: &str = "attempt_kind";
const PRODUCTS: &str = "upsell_products";
const ADDONS: &str = "upsell_addons";
const CUSTOMER: &str = "upsell_customer";
const SUBSCRIPTION: &str = "upsell_subscription";
const CURRENCY: &str = "upsell_currency";
const TOTAL: &str = "upsell_total";
const SOURCE: &str = "upsell_source";
const OFFER: &str = "offer_id";
const CAMPAIGN: &str = "campaign";
const PURCHASE_TYPE: &str = "purchase_type";
const ORIGINAL: &str = "original_payment_id";
const TRIGGER: &str = "trigger_ref";

/// The pair that holds the code over all others.
pub(super) const AUTH: &str = "upsell_auth";

/// Every pair that is read, in the order in which the code covers them.
pub(super) const COVERED: [&str; 17] = [
    STORE,
    MODE,
    ATTEMPT,
    KIND,
    QUOTE,
    PRODUCTS,
    ADDONS,
    SUBSCRIPTION,
    CUSTOMER,
    CURRENCY,
    TOTAL,
    SOURCE,
    OFFER,
    CAMPAIGN,
    PURCHASE_TYPE,
    TRIGGER,
    ORIGINAL,
];

const POST_PURCHASE: &str = "post_purchase";
const PLAN_PAGE: &str = "plan_page";

/// Most pairs that Dodo keeps with one object.
const MAX_PAIRS: usize = 50;
/// Most characters of one value.
const MAX_VALUE: usize = 500;

/// What is written into the metadata of a charge, so that its payment can be told to be ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// Name of the store that knows the attempt.
    pub store: String,
    /// The world that the charge belongs to.
    pub mode: Mode,
    /// The attempt: the one key by which outcomes are found.
    pub attempt: AttemptId,
    /// How it collects.
    pub kind: AttemptKind,
    /// The quote that is collected.
    pub quote: QuoteId,
    /// Products bought or changed to, each with its quantity.
    pub items: Vec<(ProductId, u32)>,
    /// Add-ons after a plan change, each with its quantity.
    pub addons: Vec<(AddonId, u32)>,
    /// The subscription that a plan change is about.
    pub subscription: Option<SubscriptionId>,
    /// The buyer.
    pub customer: CustomerId,
    /// The amount of the preview that was made just before sending, tax included.
    pub agreed: Money,
    /// The offer and its campaign.
    pub offer: Option<OfferTags>,
}

/// The part about the offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferTags {
    /// Its id.
    pub id: OfferId,
    /// Its campaign.
    pub campaign: String,
    /// Its kind.
    pub kind: OfferKind,
    /// The payment or event that set it off.
    pub trigger_ref: String,
    /// The purchase that it follows.
    pub original: Option<PaymentId>,
}

/// Why a charge cannot be tagged: Dodo would refuse the request, or cut its metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    /// More pairs than an object at Dodo can have.
    #[error("metadata of more than {MAX_PAIRS} pairs")]
    TooManyPairs,
    /// A value longer than Dodo keeps.
    #[error("the pair `{0}` has more than {MAX_VALUE} characters")]
    ValueTooLong(&'static str),
}

/// Returns the attempt that a payment names, whether or not it names the rest.
pub(super) fn attempt(metadata: &Metadata) -> Option<AttemptId> {
    AttemptId::parse(metadata.text(ATTEMPT)?).ok()
}

impl Tags {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            (STORE, self.store.clone()),
            (MODE, self.mode.as_str().to_owned()),
            (ATTEMPT, self.attempt.to_string()),
            (KIND, self.kind.as_str().to_owned()),
            (QUOTE, self.quote.to_string()),
            (PRODUCTS, list(&self.items)),
            (CUSTOMER, self.customer.to_string()),
            (CURRENCY, self.agreed.currency.as_str().to_owned()),
            (TOTAL, self.agreed.amount.to_string()),
        ];
        if !self.addons.is_empty() {
            pairs.push((ADDONS, list(&self.addons)));
        }
        pairs.extend(self.subscription.as_ref().map(|id| (SUBSCRIPTION, id.to_string())));
        match &self.offer {
            None => pairs.push((SOURCE, PLAN_PAGE.to_owned())),
            Some(offer) => {
                pairs.push((SOURCE, POST_PURCHASE.to_owned()));
                pairs.push((OFFER, offer.id.to_string()));
                pairs.push((CAMPAIGN, offer.campaign.clone()));
                pairs.push((PURCHASE_TYPE, purchase_type(offer.kind).to_owned()));
                pairs.push((TRIGGER, offer.trigger_ref.clone()));
                pairs.extend(offer.original.as_ref().map(|id| (ORIGINAL, id.to_string())));
            }
        }
        pairs
    }

    /// Returns these pairs and the code over them, on top of `existing` pairs. Pairs of ours that an earlier change left
    /// there are dropped.
    ///
    /// # Errors
    /// When that is more than Dodo keeps.
    pub fn signed_over(&self, existing: &Metadata, keys: &TagKeys) -> Result<Metadata, TagsError> {
        let mut all: Metadata = existing.without(|key| key == AUTH || COVERED.contains(&key));
        for (key, value) in self.pairs() {
            if value.chars().count() > MAX_VALUE {
                return Err(TagsError::ValueTooLong(key));
            }
            all.insert(key, value);
        }
        let code = keys.sign(&all);
        all.insert(AUTH, code);
        if all.len() > MAX_PAIRS {
            return Err(TagsError::TooManyPairs);
        }
        Ok(all)
    }

    /// Says whether a charge of this plan can be tagged beside `existing` pairs. For before it is quoted.
    ///
    /// # Errors
    /// When that is more than Dodo keeps.
    pub fn check(plan: &ChargePlan, existing: &Metadata) -> Result<(), TagsError> {
        let others = existing.without(|key| key == AUTH || COVERED.contains(&key)).len();
        if others.saturating_add(COVERED.len()).saturating_add(1) > MAX_PAIRS {
            return Err(TagsError::TooManyPairs);
        }
        match plan {
            ChargePlan::PlanChange { addons, .. } if list(addons).len() > MAX_VALUE => {
                Err(TagsError::ValueTooLong(ADDONS))
            }
            _ => Ok(()),
        }
    }

    /// Reads the pairs back. `None` where one is missing or is not what [`Tags::signed_over`] writes. It says nothing of
    /// who wrote them.
    pub(super) fn read(metadata: &Metadata) -> Option<Self> {
        let offer = match metadata.text(SOURCE)? {
            PLAN_PAGE => None,
            POST_PURCHASE => Some(OfferTags {
                id: OfferId::parse(metadata.text(OFFER)?).ok()?,
                campaign: metadata.text(CAMPAIGN)?.to_owned(),
                kind: offer_kind(metadata.text(PURCHASE_TYPE)?),
                trigger_ref: metadata.text(TRIGGER)?.to_owned(),
                original: optional(metadata, ORIGINAL, |id| PaymentId::parse(id).ok())?,
            }),
            _ => return None,
        };
        let currency = Currency::parse(metadata.text(CURRENCY)?).ok()?;
        Some(Self {
            store: metadata.text(STORE)?.to_owned(),
            mode: Mode::parse(metadata.text(MODE)?)?,
            attempt: attempt(metadata)?,
            kind: AttemptKind::parse(metadata.text(KIND)?)?,
            quote: QuoteId::parse(metadata.text(QUOTE)?).ok()?,
            items: read_list(metadata.text(PRODUCTS)?, |id| ProductId::parse(id).ok())?,
            addons: optional(metadata, ADDONS, |list| read_list(list, |id| AddonId::parse(id).ok()))?
                .unwrap_or_default(),
            subscription: optional(metadata, SUBSCRIPTION, |id| SubscriptionId::parse(id).ok())?,
            customer: CustomerId::parse(metadata.text(CUSTOMER)?).ok()?,
            agreed: Money::new(metadata.text(TOTAL)?.parse().ok()?, currency),
            offer,
        })
    }
}

/// Reads a pair that may be absent. `None` where it is there and makes no sense.
fn optional<T>(metadata: &Metadata, key: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    match metadata.text(key) {
        None => Some(None),
        Some(text) => read(text).map(Some),
    }
}

/// Writes `id:quantity,id:quantity`. Ids have neither colons nor commas.
fn list<Id: std::fmt::Display>(items: &[(Id, u32)]) -> String {
    let items: Vec<String> = items.iter().map(|(id, quantity)| format!("{id}:{quantity}")).collect();
    items.join(",")
}

fn read_list<Id>(text: &str, id: impl Fn(&str) -> Option<Id>) -> Option<Vec<(Id, u32)>> {
    let item = |item: &str| {
        let (name, quantity) = item.split_once(':')?;
        Some((id(name)?, quantity.parse().ok()?))
    };
    text.split(',').map(item).collect()
}

#[cfg(any(test, feature = "fixtures"))]
#[allow(clippy::unwrap_used, reason = "for tests")]
impl Tags {
    /// Returns tags for tests to change.
    #[must_use]
    pub fn example() -> Self {
        Self {
            store: "st_1".into(),
            mode: Mode::Test,
            attempt: AttemptId::parse("at_1").unwrap(),
            kind: AttemptKind::OneClick,
            quote: QuoteId::parse("qt_1").unwrap(),
            items: vec![(ProductId::parse("prod_kit").unwrap(), 2)],
            addons: Vec::new(),
            subscription: None,
            customer: CustomerId::parse("cus_1").unwrap(),
            agreed: Money::new(1900, Currency::parse("USD").unwrap()),
            offer: Some(OfferTags {
                id: OfferId::parse("of_1").unwrap(),
                campaign: "toolkit".into(),
                kind: OfferKind::CrossSell,
                trigger_ref: "pay_1".into(),
                original: Some(PaymentId::parse("pay_1").unwrap()),
            }),
        }
    }
}

fn purchase_type(kind: OfferKind) -> &'static str {
    match kind {
        OfferKind::Upsell => "upsell",
        OfferKind::CrossSell => "cross_sell",
        OfferKind::Downsell => "downsell",
        OfferKind::Upgrade => "upgrade",
        OfferKind::Downgrade => "downgrade",
        OfferKind::Other => "other",
    }
}

fn offer_kind(word: &str) -> OfferKind {
    [OfferKind::Upsell, OfferKind::CrossSell, OfferKind::Downsell, OfferKind::Upgrade, OfferKind::Downgrade]
        .into_iter()
        .find(|kind| purchase_type(*kind) == word)
        .unwrap_or(OfferKind::Other)
}

#[cfg(test)]
#[path = "tags_tests.rs"]
mod tests;
