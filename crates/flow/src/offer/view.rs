//! What the buyer sees of the offer flow, in domain terms; `src/ui` and `src/text` turn it into words.

use wire::{Card, CompareTo, Merchant, Money, Product, Quote};

use super::basic::Ordered;
use super::proposal::{Proposal, Terms};
use super::state::{Charging, Freshness, Offered, Phase, State};
use crate::charge::{DoneView, FailedView, NotCharged, WaitingView};
use crate::{OwnPage, Tag};

/// What is on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Nothing; no space is taken.
    #[default]
    Nothing,
    /// The offer.
    Offer(Box<OfferView>),
    /// An unfinished charge, in place of the offer.
    Waiting(WaitingView),
    /// An order that a basic backend has not answered for a while, in place of the offer.
    Ordering {
        /// The list price of what was ordered.
        due: Money,
    },
    /// What a basic backend has made of the order.
    Ordered(Ordered),
    /// The buyer is on the way to a hosted checkout; `Act::Continue` goes there again.
    Leaving {
        /// What will be paid there; unknown when an earlier page began it.
        due: Option<Money>,
    },
    /// The receipt.
    Done(Box<DoneView>),
    /// Not collected, with a way on.
    Failed(FailedView),
    /// The end of an offer that was on the screen, for a reason that the buyer should hear.
    Closed(Closed),
    /// Something else writes on the page, so that the offer cannot be accepted on it. `Act::Continue` goes to the backend's
    /// own page, where there is one.
    Altered(OwnPage),
}

/// Why an offer that was on the screen is gone. Says nothing about money: it may have been paid on another page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is not available any more.
    Gone,
    /// The session has ended.
    SessionOver,
}

/// The price of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceView {
    /// What one click charges, line by line.
    Quoted(Box<Quote>),
    /// The list price of a backend without quotes: the confirm step must say so.
    ListPrice(Money),
}

/// How the buyer will pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayBy {
    /// With this saved card, in one click.
    Card(Card),
    /// With a method that the backend does not name.
    Unnamed,
    /// On a hosted checkout, where the buyer gives a card: "continue to checkout".
    HostedCheckout,
}

/// State of the accept button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptState {
    /// On the screen too briefly to be pressed yet. Looks like `Ready`; presses are ignored.
    Arming,
    /// May be pressed.
    Ready,
    /// A fresh quote is being fetched.
    Refreshing,
    /// The quote has expired and the page stopped fetching fresh ones: the button becomes "show the current price"
    /// (`Act::Refresh`).
    Stale,
    /// Pressed; the charge is under way.
    Sending,
}

/// What the buyer should know before trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The shop is busy.
    Busy,
    /// The shop knows of no order; trying again cannot charge twice.
    NotReceived,
    /// Another amount than the offer's stood on the screen when the button was pressed; nothing was sent.
    Altered,
}

/// The offer card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferView {
    /// Names this drawing. Another one is drawn anew from nothing, never put over this one.
    pub drawing: Tag,
    /// The merchant's headline; absent from a basic backend.
    pub headline: Option<String>,
    /// What one gets over today, a line each.
    pub benefits: Vec<String>,
    /// One line of true social proof.
    pub social_proof: Option<String>,
    /// The thing offered.
    pub product: Product,
    /// How many.
    pub quantity: u32,
    /// What the buyer has today.
    pub compare_to: Option<CompareTo>,
    /// The seller.
    pub merchant: Option<Merchant>,
    /// What it costs.
    pub price: PriceView,
    /// What one click charges now; the figure inside the accept button.
    pub due: Money,
    /// The amount shown before, when it has changed since: both are shown and the buyer confirms again.
    pub changed_from: Option<Money>,
    /// How it is paid.
    pub pay_by: PayBy,
    /// State of the accept button.
    pub accept: AcceptState,
    /// Whether the decline button works.
    pub can_decline: bool,
    /// What the buyer should know before trying again.
    pub notice: Option<Notice>,
    /// What proves that the buyer's last press was not charged, where there was one.
    pub not_charged: Option<NotCharged>,
}

/// What the buyer sees in this state.
#[must_use]
pub fn view(state: &State) -> View {
    match &state.phase {
        Phase::Idle | Phase::Loading(_) | Phase::Nothing | Phase::Declining(_) => View::Nothing,
        Phase::Offered(offered) => View::Offer(Box::new(offer(offered))),
        Phase::Charging(charging) => waiting(charging),
        Phase::Ordering(ordering) if ordering.slow => View::Ordering { due: ordering.proposal.due() },
        Phase::Ordering(ordering) => {
            View::Offer(Box::new(card(&ordering.proposal, ordering.drawing, AcceptState::Sending)))
        }
        Phase::Ordered(ordered) => View::Ordered(*ordered),
        Phase::Leaving { due, .. } => View::Leaving { due: *due },
        Phase::Failed(failed) => View::Failed(FailedView {
            failure: failed.failure,
            not_charged: failed.not_charged,
            name: failed.proposal.as_ref().map(|proposal| proposal.product.name.clone()),
            due: failed.proposal.as_ref().map(|proposal| proposal.due()),
            another_way: failed.another_way,
        }),
        Phase::Done(done) => View::Done(done.clone()),
        Phase::Closed(why) => View::Closed(*why),
        Phase::Altered(own_page) => View::Altered(*own_page),
    }
}

fn offer(offered: &Offered) -> OfferView {
    let accept = match offered.freshness {
        Freshness::Refreshing(_) => AcceptState::Refreshing,
        Freshness::Stale => AcceptState::Stale,
        Freshness::Lasting | Freshness::Until(_) if !offered.armed => AcceptState::Arming,
        Freshness::Lasting | Freshness::Until(_) => AcceptState::Ready,
    };
    let card = card(&offered.proposal, offered.drawing, accept);
    OfferView {
        changed_from: offered.changed_from,
        can_decline: true,
        notice: offered.notice,
        not_charged: offered.not_charged,
        ..card
    }
}

/// The card stays where it is with a busy button, until that would take too long.
fn waiting(charging: &Charging) -> View {
    let due = charging.proposal.as_ref().map(|proposal| proposal.due());
    match (charging.charge.view(due), &charging.proposal) {
        (Some(waiting), _) => View::Waiting(waiting),
        (None, Some(proposal)) => {
            View::Offer(Box::new(card(proposal, charging.drawing, AcceptState::Sending)))
        }
        (None, None) => View::Nothing,
    }
}

fn card(proposal: &Proposal, drawing: Tag, accept: AcceptState) -> OfferView {
    let (headline, benefits, social_proof, quantity) = match &proposal.terms {
        Terms::Quoted { offer, .. } => {
            (Some(offer.headline.clone()), offer.benefits.clone(), offer.social_proof.clone(), offer.quantity)
        }
        Terms::ListPrice => (None, vec![], None, 1),
    };
    OfferView {
        drawing,
        headline,
        benefits,
        social_proof,
        product: proposal.product.clone(),
        quantity,
        compare_to: proposal.compare_to.clone(),
        merchant: proposal.merchant.clone(),
        price: proposal.price(),
        due: proposal.due(),
        changed_from: None,
        pay_by: proposal.pay_by(),
        accept,
        can_decline: false,
        notice: None,
        not_charged: None,
    }
}
