//! What the buyer sees of the plan-change flow, in domain terms; `src/ui` and `src/text` turn it into words.

use wire::{Card, ChangeKind, CurrentPlan, EffectiveAt, Merchant, Money, Plan, ProductId, Quote};

use crate::charge::{DoneView, FailedView, WaitingView};

/// What is on the screen: the page, and the dialog over it when open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The page.
    pub page: Page,
    /// The dialog; shown as a modal while `Some`.
    pub dialog: Option<Dialog>,
}

/// The page under the dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// Waiting for the plans; ends by itself within the time that a load may take.
    #[default]
    Loading,
    /// The plans could not be had.
    Unavailable {
        /// Whether trying again (`Act::Reload`) makes sense; not when the session has ended.
        can_retry: bool,
    },
    /// The plans side by side.
    Comparison(Box<ComparisonView>),
}

/// The plans side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparisonView {
    /// The seller.
    pub merchant: Merchant,
    /// What the buyer has.
    pub current: CurrentPlan,
    /// All plans in the merchant's order, the current one among them.
    pub plans: Vec<Plan>,
    /// The card that would be charged.
    pub payment_method: Option<Card>,
    /// Whether a plan can be picked now.
    pub can_choose: bool,
    /// The plan whose preview is on its way; its button shows that.
    pub previewing: Option<ProductId>,
    /// Whether the booked change is being taken back.
    pub taking_back: bool,
    /// Whether the link for another card is on its way.
    pub fetching_card_link: bool,
    /// What the buyer should know.
    pub notice: Option<Notice>,
}

/// A message on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The preview could not be had; nothing was charged.
    PreviewFailed,
    /// This change is not possible at the moment; nothing was charged.
    ChangeNotPossible,
    /// The shop is busy; nothing was charged.
    Busy,
    /// The change never reached the shop; nothing was charged.
    NotReceived,
    /// The session has ended; nothing was charged.
    SessionOver,
    /// The booked change could not be taken back.
    TakeBackFailed,
    /// The booked change is taken back.
    TakenBack,
    /// The link for another card could not be had.
    CardLinkFailed,
    /// A charge is under way and its dialog is closed (`Act::OpenDialog` opens it again).
    Waiting(WaitingView),
    /// The change is made or booked; its dialog is closed.
    Done(Box<DoneView>),
    /// The charge was definitely not collected; its dialog is closed.
    Failed(FailedView),
}

/// State of the confirm button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmState {
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

/// What the dialog shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// The change before it is confirmed, and while the confirmation is on its way.
    Review(Box<ReviewView>),
    /// An unfinished charge.
    Waiting(WaitingView),
    /// The receipt.
    Done(Box<DoneView>),
    /// Not collected; `Act::UseAnotherCard` and `Act::CloseDialog` lead on.
    Failed(FailedView),
}

/// The preview to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewView {
    /// From which plan.
    pub from: String,
    /// To which plan.
    pub name: String,
    /// What it is to this buyer.
    pub kind: ChangeKind,
    /// Features that are lost.
    pub lost: Vec<String>,
    /// Add-ons that vanish.
    pub lost_addons: Vec<String>,
    /// Every line, tax, credit, total, renewal.
    pub quote: Quote,
    /// What confirming charges now; the figure inside the confirm button. Zero charges nothing.
    pub due: Money,
    /// The amount shown before, when it has changed since: both are shown and the buyer confirms again.
    pub changed_from: Option<Money>,
    /// When the change takes effect.
    pub effective_at: EffectiveAt,
    /// The card that will be charged.
    pub payment_method: Option<Card>,
    /// State of the confirm button.
    pub confirm: ConfirmState,
    /// Whether the link for another card is on its way.
    pub fetching_card_link: bool,
}
