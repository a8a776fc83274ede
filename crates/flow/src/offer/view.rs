//! What the buyer sees of the offer flow, in domain terms; `src/ui` and `src/text` turn it into words.

use wire::{Card, CompareTo, Merchant, Money, Product, Quote};

use crate::charge::{DoneView, FailedView, WaitingView};

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
    /// The buyer is on the way to a hosted checkout; `Act::Continue` goes there again.
    Leaving {
        /// What will be paid there.
        due: Money,
    },
    /// The receipt.
    Done(Box<DoneView>),
    /// Not collected, with a way on.
    Failed(FailedView),
    /// The end of an offer that was on the screen, for a reason that the buyer should hear.
    Closed(Closed),
}

/// Why an offer that was on the screen is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is not available any more; nothing was charged.
    Gone,
    /// The session has ended; nothing was charged.
    SessionOver,
    /// A merchant's smaller backend did not say whether it charged, and it will not be asked to charge again.
    Unknown,
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
    /// With the saved method of a backend that does not say which.
    SavedMethod,
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
    /// The shop is busy; nothing was charged.
    Busy,
    /// The last try never reached the shop; nothing was charged.
    NotReceived,
}

/// The offer card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferView {
    /// The merchant's headline; absent from a smaller backend.
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
}
