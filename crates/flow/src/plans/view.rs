//! What the buyer sees of the plan-change flow, in domain terms; `src/ui` and `src/text` turn it into words.
//! One file because it is one picture.

use wire::{
    Addon, Card, ChangeKind, CurrentPlan, EffectiveAt, Merchant, Money, Period, Plan, PlanLimit, ProductId,
    Quote, StayOffer, UnixSeconds,
};

use super::event::Field;
use super::state::{
    Adjusting, Charging, Errand, Freshness, Leaving, Open, Phase, Remark, Review, State, Staying, Task,
};
use super::step::is_adjustable;
use crate::charge::{DoneView, FailedView, Next, NotCharged, Standing, WaitingView};
use crate::{OwnPage, Tag};

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
    /// Whether what is booked, or the cancellation, is being taken back.
    pub taking_back: bool,
    /// Whether what is booked, or the cancellation, can be taken back now (`Act::TakeBackScheduled`, `Act::KeepPlan`).
    pub can_take_back: bool,
    /// Whether the link for another card is on its way.
    pub fetching_card_link: bool,
    /// Whether the buyer can begin to cancel now (`Act::Cancel`).
    pub can_cancel: bool,
    /// Whether the subscription is being cancelled.
    pub cancelling: bool,
    /// What the buyer should know.
    pub notice: Option<Notice>,
}

/// A message on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The preview could not be had.
    PreviewFailed,
    /// This change is not possible at the moment.
    ChangeNotPossible,
    /// The shop is busy. With the proof that a confirmed change was not charged, where that was what was tried.
    Busy(Option<NotCharged>),
    /// The shop knows of no confirmation; confirming again cannot charge twice.
    NotReceived,
    /// The price that was confirmed no longer stands, and it was not charged.
    PriceLapsed(NotCharged),
    /// The session has ended.
    SessionOver,
    /// The booked change could not be taken back.
    TakeBackFailed,
    /// The booked change is taken back.
    TakenBack,
    /// The link for another card could not be had.
    CardLinkFailed,
    /// The subscription is cancelled for the next billing date.
    Cancelled,
    /// It could not be cancelled.
    CancelFailed,
    /// The cancellation is taken back.
    Kept,
    /// The cancellation could not be taken back.
    KeepFailed,
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
    /// The quote has expired and no fresh one is fetched: the button becomes "show the current price" (`Act::Refresh`).
    Stale,
    /// Pressed; the charge is under way.
    Sending,
}

/// What the dialog shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// How many seats and add-ons.
    Adjust(Box<AdjustView>),
    /// What is proposed instead of leaving the plan.
    Stay(Box<StayView>),
    /// What cancelling means.
    Cancel(CancelView),
    /// The change before it is confirmed, and while the confirmation is on its way.
    Review(Box<ReviewView>),
    /// An unfinished charge.
    Waiting(WaitingView),
    /// The receipt.
    Done(Box<DoneView>),
    /// Something else writes on the page. `Act::Continue` goes to the backend's own page, where there is one.
    Altered(OwnPage),
    /// Not collected; `Act::UseAnotherCard` leads on where another card helps, and `Act::CloseDialog` back.
    Failed(FailedView),
}

/// Seats and add-ons to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustView {
    /// The plan.
    pub product_id: ProductId,
    /// Its name.
    pub name: String,
    /// How many seats; absent where they cannot be chosen.
    pub seats: Option<u32>,
    /// Each add-on that can be had, with how many.
    pub addons: Vec<Addon>,
    /// Fields with what was typed into them, where that is not a number that can be chosen: the buyer is told so.
    pub unreadable: Vec<(Field, String)>,
    /// Whether `Act::ShowPrice` asks: every number can be read, and something differs from today.
    pub can_ask: bool,
    /// Whether the price is on its way.
    pub asking: bool,
    /// Whether it could not be had.
    pub failed: bool,
}

/// Another plan, proposed before the buyer goes on to what they picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StayView {
    /// The merchant's words, and the plan next to today's.
    pub offer: StayOffer,
    /// What going on means: the plan that was picked, by name; absent where it is cancelling.
    pub on_to: Option<String>,
    /// Whether it can be taken (`Act::TakeStayOffer`): not once it was refused.
    pub can_take: bool,
    /// Whether a price is on its way.
    pub asking: bool,
    /// Whether it could not be had.
    pub failed: bool,
}

/// Cancelling, before it is done (`Act::Confirm`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelView {
    /// The plan.
    pub name: String,
    /// Until when it goes on.
    pub ends_at: UnixSeconds,
    /// Whether it is on its way.
    pub sending: bool,
    /// Whether it could not be done.
    pub failed: bool,
}

/// The preview to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewView {
    /// Names this drawing. Another one is drawn anew from nothing, never put over this one.
    pub drawing: Tag,
    /// From which plan.
    pub from: String,
    /// To which plan.
    pub name: String,
    /// What it is to this buyer.
    pub kind: ChangeKind,
    /// What the subscription costs today, before tax.
    pub today: Money,
    /// Whether the change ends a trial.
    pub ends_trial: bool,
    /// And per what.
    pub period: Period,
    /// The plan's limits next to today's.
    pub limits: Vec<PlanLimit>,
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
    /// Whether the screen said something else at the last press; nothing was charged.
    pub altered: bool,
    /// What proves that the last confirmation was not charged, where there was one.
    pub not_charged: Option<NotCharged>,
    /// The plan, where its seats or add-ons can be chosen (`Act::Adjust`).
    pub adjustable: Option<ProductId>,
    /// When the change takes effect.
    pub effective_at: EffectiveAt,
    /// The card that will be charged.
    pub payment_method: Option<Card>,
    /// State of the confirm button.
    pub confirm: ConfirmState,
    /// Whether the link for another card is on its way.
    pub fetching_card_link: bool,
    /// Whether that link could not be had.
    pub card_link_failed: bool,
}

/// What the buyer sees in this state.
#[must_use]
pub fn view(state: &State) -> View {
    match &state.phase {
        Phase::Idle | Phase::Loading(_) => View { page: Page::Loading, dialog: None },
        Phase::Unavailable { can_retry } => {
            View { page: Page::Unavailable { can_retry: *can_retry }, dialog: None }
        }
        Phase::Open(open) => {
            View { page: Page::Comparison(Box::new(comparison(open))), dialog: dialog(open) }
        }
    }
}

fn comparison(open: &Open) -> ComparisonView {
    let plans = &open.plans;
    ComparisonView {
        merchant: plans.merchant.clone(),
        current: plans.current.clone(),
        plans: plans.plans.clone(),
        payment_method: plans.payment_method.clone(),
        can_choose: open.can_choose(),
        previewing: match &open.task {
            Task::Previewing { choice, .. } | Task::Asking { on: Leaving::Downgrade(choice), .. } => {
                Some(choice.product_id.clone())
            }
            _ => None,
        },
        can_cancel: open.can_cancel() && !matches!(open.task, Task::Asking { on: Leaving::Cancel, .. }),
        cancelling: matches!(open.errand, Errand::Cancelling(_)),
        taking_back: matches!(open.errand, Errand::TakingBack(_) | Errand::Keeping(_)),
        can_take_back: open.is_idle(),
        fetching_card_link: matches!(open.errand, Errand::CardLink(_)),
        notice: notice(open),
    }
}

/// What matters most: an undecided charge whose dialog is closed, then the latest remark, then how a charge ended.
fn notice(open: &Open) -> Option<Notice> {
    match &open.task {
        Task::Charging(charging) if !charging.dialog => return Some(Notice::Waiting(waiting(charging))),
        Task::Leaving { due, dialog: false, .. } => return Some(Notice::Waiting(leaving(*due))),
        _ => {}
    }
    match (open.remark, &open.task) {
        (Some(remark), _) => Some(match remark {
            Remark::PreviewFailed => Notice::PreviewFailed,
            Remark::ChangeNotPossible => Notice::ChangeNotPossible,
            Remark::Busy(not_charged) => Notice::Busy(not_charged),
            Remark::NotReceived => Notice::NotReceived,
            Remark::PriceLapsed(not_charged) => Notice::PriceLapsed(not_charged),
            Remark::SessionOver => Notice::SessionOver,
            Remark::TakeBackFailed => Notice::TakeBackFailed,
            Remark::TakenBack => Notice::TakenBack,
            Remark::CardLinkFailed => Notice::CardLinkFailed,
            Remark::Cancelled => Notice::Cancelled,
            Remark::CancelFailed => Notice::CancelFailed,
            Remark::Kept => Notice::Kept,
            Remark::KeepFailed => Notice::KeepFailed,
        }),
        (None, Task::Done { done, dialog: false }) => Some(Notice::Done(done.clone())),
        (None, Task::Failed { failed, dialog: false }) => Some(Notice::Failed(failed.clone())),
        (None, _) => None,
    }
}

fn dialog(open: &Open) -> Option<Dialog> {
    match &open.task {
        Task::Comparing | Task::Previewing { .. } | Task::Asking { .. } => None,
        Task::Staying(staying) => Some(Dialog::Stay(Box::new(stay(open, staying)))),
        Task::Cancelling { failed } => Some(Dialog::Cancel(CancelView {
            name: open.plans.current.name.clone(),
            ends_at: open.plans.current.next_billing_date,
            sending: matches!(open.errand, Errand::Cancelling(_)),
            failed: *failed,
        })),
        Task::Adjusting(adjusting) => Some(Dialog::Adjust(Box::new(adjusted(open, adjusting)))),
        Task::Reviewing(review) => {
            let confirm = match review.freshness {
                Freshness::Refreshing(_) | Freshness::Repicking(_) => ConfirmState::Refreshing,
                Freshness::Stale => ConfirmState::Stale,
                Freshness::Until(_) if !review.armed => ConfirmState::Arming,
                Freshness::Until(_) => ConfirmState::Ready,
            };
            Some(Dialog::Review(Box::new(reviewed(open, review, confirm))))
        }
        Task::Charging(charging) if charging.dialog => {
            let due = charging.review.as_ref().map(|review| review.due());
            match (charging.charge.view(due), &charging.review) {
                (Some(waiting), _) => Some(Dialog::Waiting(waiting)),
                (None, Some(review)) => {
                    Some(Dialog::Review(Box::new(reviewed(open, review, ConfirmState::Sending))))
                }
                (None, None) => None,
            }
        }
        Task::Leaving { due, dialog: true, .. } => Some(Dialog::Waiting(leaving(*due))),
        Task::Done { done, dialog: true } => Some(Dialog::Done(done.clone())),
        Task::Failed { failed, dialog: true } => Some(Dialog::Failed(failed.clone())),
        Task::Altered(own_page) => Some(Dialog::Altered(*own_page)),
        Task::Charging(_) | Task::Leaving { .. } | Task::Done { .. } | Task::Failed { .. } => None,
    }
}

fn waiting(charging: &Charging) -> WaitingView {
    let due = charging.review.as_ref().map(|review| review.due());
    // With the dialog closed there is no button to look busy: it is "confirming" from the first moment.
    charging.charge.view(due).unwrap_or(WaitingView { standing: Standing::Confirming, due, next: Next::Wait })
}

fn leaving(due: Option<Money>) -> WaitingView {
    WaitingView { standing: Standing::ActionRequired, due, next: Next::Continue }
}

fn stay(open: &Open, staying: &Staying) -> StayView {
    StayView {
        offer: (*staying.offer).clone(),
        on_to: match &staying.on {
            Leaving::Downgrade(choice) => open.plan(&choice.product_id).map(|plan| plan.name.clone()),
            Leaving::Cancel => None,
        },
        can_take: !staying.refused,
        asking: staying.asking.is_some(),
        failed: staying.failed,
    }
}

fn adjusted(open: &Open, adjusting: &Adjusting) -> AdjustView {
    let plan = open.plan(&adjusting.product_id);
    let terms = &adjusting.terms;
    let count = |addon: &Addon| Addon { quantity: terms.count_of(&addon.addon_id), ..addon.clone() };
    AdjustView {
        product_id: adjusting.product_id.clone(),
        name: plan.map(|plan| plan.name.clone()).unwrap_or_default(),
        seats: plan.is_some_and(|plan| plan.seats).then_some(terms.seats),
        addons: plan.map(|plan| plan.addons.iter().map(count).collect()).unwrap_or_default(),
        unreadable: adjusting.unreadable.clone(),
        can_ask: adjusting.can_ask(&open.plans.current),
        asking: adjusting.asking.is_some(),
        failed: adjusting.failed,
    }
}

fn reviewed(open: &Open, review: &Review, confirm: ConfirmState) -> ReviewView {
    let plan = open.plan(&review.choice.product_id);
    ReviewView {
        drawing: review.drawing,
        from: open.plans.current.name.clone(),
        name: review.preview.name.clone(),
        kind: plan.map_or(ChangeKind::Other, |plan| plan.kind),
        today: Money::new(open.plans.current.recurring_amount, open.plans.current.currency),
        period: open.plans.current.period,
        ends_trial: open.plans.current.trial_ends_at.is_some()
            && review.choice.timing == EffectiveAt::Immediately,
        limits: plan.map(|plan| plan.limits.clone()).unwrap_or_default(),
        lost: plan.map(|plan| plan.lost.clone()).unwrap_or_default(),
        lost_addons: review.preview.lost_addons.clone(),
        quote: review.preview.quote.clone(),
        due: review.due(),
        changed_from: review.changed_from,
        altered: review.altered,
        not_charged: review.not_charged,
        adjustable: plan.filter(|plan| is_adjustable(plan)).map(|plan| plan.product_id.clone()),
        effective_at: review.choice.timing,
        payment_method: review.preview.payment_method.clone(),
        confirm,
        fetching_card_link: matches!(open.errand, Errand::CardLink(_)),
        card_link_failed: open.remark == Some(Remark::CardLinkFailed),
    }
}
