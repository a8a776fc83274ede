//! The names that charges carry in their metadata: how an outcome is found again, and how an attempt is written anew
//! after the store has lost it.

use dodo_client::{ids::PaymentId, values::Metadata};
use wire::{AttemptId, OfferId, OfferKind, ProductId, QuoteId};

use super::AttemptKind;

const ATTEMPT: &str = "attempt_id";
const STORE: &str = "upsell_store";
const QUOTE: &str = "quote_id";
const KIND: &str = "attempt_kind";
const PRODUCT: &str = "upsell_product";
const QUANTITY: &str = "upsell_quantity";
const SOURCE: &str = "upsell_source";
const OFFER: &str = "offer_id";
const CAMPAIGN: &str = "campaign";
const PURCHASE_TYPE: &str = "purchase_type";
const ORIGINAL: &str = "original_payment_id";
const TRIGGER: &str = "trigger_ref";

const POST_PURCHASE: &str = "post_purchase";
const PLAN_PAGE: &str = "plan_page";

/// What is written into the metadata of a charge, so that its payment can be told to be ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// The attempt: the one key by which outcomes are found.
    pub attempt: AttemptId,
    /// Name of the store that knows it.
    pub store: String,
    /// What was quoted.
    pub quote: QuoteId,
    /// How it collects.
    pub kind: AttemptKind,
    /// What is bought, or changed to.
    pub product: ProductId,
    /// How many.
    pub quantity: u32,
    /// The offer and its campaign.
    pub offer: Option<OfferTags>,
}

/// The part about the offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferTags {
    /// Which.
    pub id: OfferId,
    /// Its campaign.
    pub campaign: String,
    /// Its kind.
    pub kind: OfferKind,
    /// What set it off.
    pub trigger_ref: String,
    /// The purchase that it follows.
    pub original: Option<PaymentId>,
}

/// The attempt that a payment names, whether or not it names the rest.
pub(super) fn attempt(metadata: &Metadata) -> Option<AttemptId> {
    AttemptId::parse(metadata.text(ATTEMPT)?).ok()
}

impl Tags {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            (ATTEMPT, self.attempt.to_string()),
            (STORE, self.store.clone()),
            (QUOTE, self.quote.to_string()),
            (KIND, self.kind.as_str().to_owned()),
            (PRODUCT, self.product.to_string()),
            (QUANTITY, self.quantity.to_string()),
        ];
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

    /// Returns these pairs on top of `existing` ones.
    #[must_use]
    pub fn over(&self, existing: &Metadata) -> Metadata {
        let mut all = existing.clone();
        for (key, value) in self.pairs() {
            all.insert(key, value);
        }
        all
    }

    /// Reads them back. `None` when one is missing or makes no sense.
    pub(crate) fn read(metadata: &Metadata) -> Option<Self> {
        let offer = match metadata.text(SOURCE)? {
            // A subscription keeps the names of an offer that changed it earlier.
            PLAN_PAGE => None,
            POST_PURCHASE => Some(OfferTags {
                id: OfferId::parse(metadata.text(OFFER)?).ok()?,
                campaign: metadata.text(CAMPAIGN)?.to_owned(),
                kind: offer_kind(metadata.text(PURCHASE_TYPE)?),
                trigger_ref: metadata.text(TRIGGER)?.to_owned(),
                original: metadata.text(ORIGINAL).and_then(|id| PaymentId::parse(id).ok()),
            }),
            _ => return None,
        };
        Some(Self {
            attempt: attempt(metadata)?,
            store: metadata.text(STORE)?.to_owned(),
            quote: QuoteId::parse(metadata.text(QUOTE)?).ok()?,
            kind: AttemptKind::parse(metadata.text(KIND)?)?,
            product: ProductId::parse(metadata.text(PRODUCT)?).ok()?,
            quantity: metadata.text(QUANTITY)?.parse().ok()?,
            offer,
        })
    }
}

#[cfg(any(test, feature = "fixtures"))]
#[allow(clippy::unwrap_used, reason = "for tests")]
impl Tags {
    /// Returns tags for tests to change.
    #[must_use]
    pub fn example() -> Self {
        Self {
            attempt: AttemptId::parse("at_1").unwrap(),
            store: "st_1".into(),
            quote: QuoteId::parse("qt_1").unwrap(),
            kind: AttemptKind::OneClick,
            product: ProductId::parse("prod_kit").unwrap(),
            quantity: 2,
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
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for kind in [AttemptKind::OneClick, AttemptKind::Hosted, AttemptKind::PlanChange] {
            for offer in [None, Tags::example().offer] {
                let tags = Tags { kind, offer, ..Tags::example() };
                assert_eq!(Tags::read(&tags.over(&Metadata::default())), Some(tags));
            }
        }
    }

    /// A change from the plan page of a subscription that an offer changed before is none of that offer's.
    #[test]
    fn names_of_an_earlier_offer_are_passed_over() {
        let earlier = Tags::example().over(&Metadata::default());
        let page = Tags { offer: None, kind: AttemptKind::PlanChange, ..Tags::example() };
        assert_eq!(Tags::read(&page.over(&earlier)), Some(page));
    }

    #[test]
    fn half_the_names_are_none() {
        let whole = Tags::example();
        for (missing, _) in whole.pairs().into_iter().filter(|(key, _)| *key != ORIGINAL) {
            let rest: Metadata = whole.pairs().into_iter().filter(|(key, _)| *key != missing).collect();
            assert_eq!(Tags::read(&rest), None, "without {missing}");
        }
    }
}
