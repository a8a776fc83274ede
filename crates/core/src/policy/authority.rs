//! What a session may see and charge. One whose buyer the merchant's server says is signed in may see and charge everything
//! of that customer. Every other session knows a purchase, and may see that purchase, the offers that follow it, and the
//! refusals, and charge the method that paid it: whoever pays under a stranger's e-mail address becomes that customer at
//! Dodo, with every card that the customer has saved.

use dodo_client::ids::PaymentMethodId;
use wire::{Purpose, Trigger};

use super::payment_method::{self, Use};
use crate::domain::{OfferRow, Purchase, QuoteRow, SavedMethod, Session};

/// The saved methods that one click may charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chargeable {
    /// All of them: the buyer is signed in.
    Any,
    /// The one that paid the purchase.
    Only(PaymentMethodId),
    /// None: Dodo does not say what paid the purchase, or the merchant's server does not say which purchase it is.
    Nothing,
}

impl Chargeable {
    /// Says whether one click may charge this method.
    #[must_use]
    pub fn allows(&self, method: &PaymentMethodId) -> bool {
        match self {
            Self::Any => true,
            Self::Only(paid) => paid == method,
            Self::Nothing => false,
        }
    }

    /// Says whether a plan may be changed on a subscription that is charged to this method, where that is known.
    #[must_use]
    pub fn allows_change(&self, method: Option<&PaymentMethodId>) -> bool {
        *self == Self::Any || method.is_some_and(|method| self.allows(method))
    }

    /// Says whether a quote was issued to somebody who may charge and see no more than this.
    #[must_use]
    pub fn allows_quote(&self, quote: &QuoteRow) -> bool {
        *self == Self::Any
            || (!quote.signed_in && quote.payment_method_id.as_ref().is_none_or(|method| self.allows(method)))
    }
}

/// What of an attempt may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The card that paid it.
    pub card: bool,
    /// The page on which it goes on.
    pub page: bool,
}

impl Chargeable {
    /// Returns what of an attempt with this quote may be told to a session that may charge this. Where a signed-in buyer goes
    /// on, every saved method is shown.
    #[must_use]
    pub fn sight(&self, quote: Option<&QuoteRow>) -> Sight {
        let page = *self == Self::Any || quote.is_some_and(|quote| self.allows_quote(quote));
        Sight { card: page && *self != Self::Nothing, page }
    }
}

/// How a quote is to be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayBy {
    /// The method to show and to charge; `None` means a hosted checkout.
    pub method: Option<SavedMethod>,
    /// Whether there is a method, and none that may be charged.
    pub withheld: bool,
    /// Whether it is chosen for a buyer who is signed in.
    pub signed_in: bool,
}

impl PayBy {
    /// Returns a method that was chosen for a buyer who is signed in.
    #[must_use]
    pub fn signed_in(method: Option<SavedMethod>) -> Self {
        Self { method, withheld: false, signed_in: true }
    }

    /// Returns a hosted checkout of what might not be charged otherwise, whatever the reason.
    #[must_use]
    pub fn hosted(who: &Chargeable) -> Self {
        Self { method: None, withheld: false, signed_in: *who == Chargeable::Any }
    }
}

/// Returns what a session that follows this purchase may charge. A purchase that the merchant's server did not name is a
/// guess: it may be the customer's own while a stranger stands at the page, whose payment failed.
#[must_use]
pub fn chargeable(session: &Session, purchase: Option<&Purchase>) -> Chargeable {
    if session.signed_in {
        return Chargeable::Any;
    }
    let followed = purchase.filter(|purchase| {
        session.payment_id.as_ref() == Some(&purchase.payment_id)
            && session.customer_id == purchase.customer_id
    });
    match followed.and_then(|purchase| purchase.payment_method_id.clone()) {
        Some(method) => Chargeable::Only(method),
        None => Chargeable::Nothing,
    }
}

/// Chooses among the customer's methods, as [`payment_method::choose`], the one that may be charged.
#[must_use]
pub fn choose(methods: &[SavedMethod], purpose: Use, now: wire::UnixSeconds, who: &Chargeable) -> PayBy {
    let usable = |methods: &[SavedMethod]| {
        payment_method::choose(methods, purpose, now).map(|(method, _)| method.clone())
    };
    let allowed: Vec<SavedMethod> = methods.iter().filter(|method| who.allows(&method.id)).cloned().collect();
    let method = usable(&allowed);
    let withheld = method.is_none() && usable(methods).is_some();
    PayBy { method, withheld, signed_in: *who == Chargeable::Any }
}

/// Says whether a session may see an offer and its attempts, take it and refuse it: it is the customer's, and follows the
/// purchase, or its buyer is signed in.
#[must_use]
pub fn may_see(session: &Session, offer: &OfferRow) -> bool {
    let follows = |offer: &OfferRow| offer.purchase.is_some() && offer.purchase.as_ref() == session.follows();
    session.customer_id == offer.customer_id && (session.signed_in || follows(offer))
}

/// Says whether a session of this kind is for buyers who are signed in.
#[must_use]
pub fn needs_sign_in(purpose: Purpose, trigger: Trigger) -> bool {
    purpose == Purpose::Plans || trigger != Trigger::Purchase
}

#[cfg(test)]
#[path = "authority_tests.rs"]
mod tests;
