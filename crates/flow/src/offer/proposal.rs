//! An answer that can be shown: everything a proposal needs is there, and its figures add up.

use wire::{
    Attempt, Card, CompareTo, IneligibleReason, Merchant, Money, Offer, OfferKind, PayWith, Product, Quote,
    UpsellResponse,
};

use super::effect::AcceptBody;
use super::view::{PayBy, PriceView};
use crate::announce::About;
use crate::charge::{Seen, says_the_same};

/// What is proposed, and how it would be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) terms: Terms,
    pub(crate) product: Product,
    pub(crate) compare_to: Option<CompareTo>,
    pub(crate) payment_method: Option<Card>,
    pub(crate) merchant: Option<Merchant>,
    pub(crate) decline_key: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Terms {
    Quoted {
        offer: Offer,
        quote: Box<Quote>,
    },
    /// From a basic backend: one piece at the product's list price.
    ListPrice,
}

/// What an answer means.
pub(crate) enum Meaning {
    Offered(Box<Proposal>),
    /// The buyer has accepted before; this is how it stands.
    Taken(Box<Attempt>),
    /// There is nothing for this buyer.
    Nothing(Option<IneligibleReason>),
    /// It cannot be shown truthfully, because of this field.
    Nonsense(&'static str),
}

pub(crate) fn read(response: UpsellResponse) -> Meaning {
    if !response.eligible {
        return match (response.reason, response.attempt) {
            (Some(IneligibleReason::Accepted | IneligibleReason::InProgress), Some(attempt)) => {
                Meaning::Taken(Box::new(attempt))
            }
            (reason, _) => Meaning::Nothing(reason),
        };
    }
    let decline_key = super::decline_key(&response);
    let (Some(product), Some(decline_key)) = (response.product, decline_key) else {
        return Meaning::Nonsense("product");
    };
    let terms = match (response.offer, response.quote) {
        (Some(offer), Some(quote)) if offer.quantity > 0 && quote.adds_up() => {
            Terms::Quoted { offer, quote: Box::new(quote) }
        }
        (None, None) if product.name.is_empty() => return Meaning::Nonsense("product.name"),
        (None, None) if product.price >= 0 => Terms::ListPrice,
        (None, None) => return Meaning::Nonsense("product.price"),
        (None, Some(_)) => return Meaning::Nonsense("offer"),
        (Some(offer), Some(_)) if offer.quantity == 0 => return Meaning::Nonsense("offer.quantity"),
        (Some(_), _) => return Meaning::Nonsense("quote"),
    };
    Meaning::Offered(Box::new(Proposal {
        terms,
        product,
        compare_to: response.compare_to,
        payment_method: response.payment_method,
        merchant: response.merchant,
        decline_key,
    }))
}

/// What an answer shows of a charge that is not decided.
pub(crate) fn seen(meaning: &Meaning) -> Seen {
    match meaning {
        Meaning::Offered(_) => Seen::Untouched,
        Meaning::Taken(attempt) => Seen::Attempt(attempt.clone()),
        Meaning::Nothing(Some(IneligibleReason::Declined | IneligibleReason::Expired)) => Seen::Gone,
        Meaning::Nothing(_) | Meaning::Nonsense(_) => Seen::Unclear,
    }
}

impl Proposal {
    /// What one click charges.
    pub(crate) fn due(&self) -> Money {
        match &self.terms {
            Terms::Quoted { quote, .. } => quote.total_money(),
            Terms::ListPrice => Money::new(self.product.price, self.product.currency),
        }
    }

    pub(crate) fn offer(&self) -> Option<&Offer> {
        match &self.terms {
            Terms::Quoted { offer, .. } => Some(offer),
            Terms::ListPrice => None,
        }
    }

    /// The same at another quote.
    pub(crate) fn at_quote(&self, new: Box<Quote>) -> Self {
        let mut changed = self.clone();
        if let Terms::Quoted { quote, .. } = &mut changed.terms {
            *quote = new;
        }
        changed
    }

    /// Whether the other is the same offer of the same thing, whatever it costs.
    pub(crate) fn same_thing(&self, other: &Self) -> bool {
        self.product.id == other.product.id
            && self.offer().map(|offer| (&offer.id, offer.quantity))
                == other.offer().map(|offer| (&offer.id, offer.quantity))
            && self.payment_method == other.payment_method
    }

    /// Whether every amount and date of the other is the same.
    pub(crate) fn costs_alike(&self, other: &Self) -> bool {
        self.compare_to == other.compare_to
            && match (&self.terms, &other.terms) {
                (Terms::Quoted { quote, .. }, Terms::Quoted { quote: other, .. }) => {
                    says_the_same(quote, other)
                }
                (Terms::ListPrice, Terms::ListPrice) => self.due() == other.due(),
                _ => false,
            }
    }

    pub(crate) fn price(&self) -> PriceView {
        match &self.terms {
            Terms::Quoted { quote, .. } => PriceView::Quoted(quote.clone()),
            Terms::ListPrice => PriceView::ListPrice(self.due()),
        }
    }

    pub(crate) fn pay_by(&self) -> PayBy {
        match (&self.payment_method, &self.terms) {
            (Some(card), _) => PayBy::Card(card.clone()),
            (None, Terms::Quoted { offer, .. }) if changes_plan(offer) => PayBy::Unnamed,
            (None, Terms::Quoted { .. }) => PayBy::HostedCheckout,
            (None, Terms::ListPrice) => PayBy::Unnamed,
        }
    }

    /// What accepting sends. Where no card was shown for a purchase, none may be charged, even if one has turned up since. A
    /// change of plan is always charged to the subscription's own method, named or not.
    pub(crate) fn accept_body(&self, another_way: bool) -> AcceptBody {
        match &self.terms {
            Terms::Quoted { offer, quote } => AcceptBody::Offer {
                offer_id: offer.id.clone(),
                quote_id: quote.id.clone(),
                quantity: offer.quantity,
                pay_with: (another_way || self.pay_by() == PayBy::HostedCheckout)
                    .then_some(PayWith::HostedCheckout),
            },
            Terms::ListPrice => AcceptBody::ListPrice,
        }
    }

    pub(crate) fn about(&self) -> About {
        About {
            offer_id: self.offer().map(|offer| offer.id.clone()),
            kind: self.offer().map(|offer| offer.kind),
            product_id: Some(self.product.id.clone()),
            due: Some(self.due()),
        }
    }
}

/// Whether accepting changes the plan of a subscription.
fn changes_plan(offer: &Offer) -> bool {
    matches!(offer.kind, OfferKind::Upgrade | OfferKind::Downgrade)
}
