//! Where the plan-change flow stands.

use wire::{
    Addon, AddonId, AddonQuantity, CurrentPlan, EffectiveAt, Money, Plan, PlansResponse, PreviewRequest,
    PreviewResponse, ProductId, StayOffer,
};

use super::event::Field;
use crate::charge::{Charge, DoneView, FailedView, NotCharged, says_the_same};
use crate::press::Doubt;
use crate::{OwnPage, Tag, Tags};

/// The state of the plan-change flow. Opaque: `step` moves it, `view` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub(crate) tags: Tags,
    pub(crate) phase: Phase,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not started.
    #[default]
    Idle,
    /// Waiting for the plans.
    Loading(Tag),
    /// The plans could not be had.
    Unavailable { can_retry: bool },
    /// The plans are on the screen.
    Open(Box<Open>),
}

/// The page with the plans. `task` is what the buyer is at; `errand` is a small request beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) plans: PlansResponse,
    /// A silent reload that is under way.
    pub(crate) reload: Option<Tag>,
    pub(crate) errand: Errand,
    pub(crate) remark: Option<Remark>,
    pub(crate) task: Task,
    /// A plan that was proposed and wanted, which need not be among those on the page.
    pub(crate) proposed: Option<Plan>,
    pub(crate) doubt: Doubt,
    /// The watch over whether the page is really visible, until it was.
    pub(crate) watch: Option<Tag>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    None,
    CardLink(Tag),
    TakingBack(Tag),
    Cancelling(Tag),
    Keeping(Tag),
}

/// A message on the page that does not follow from the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    PreviewFailed,
    ChangeNotPossible,
    /// With the proof that a confirmed change was not charged, where that was what was tried.
    Busy(Option<NotCharged>),
    NotReceived,
    PriceLapsed(NotCharged),
    SessionOver,
    TakeBackFailed,
    TakenBack,
    CardLinkFailed,
    Cancelled,
    CancelFailed,
    Kept,
    KeepFailed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Comparing.
    Comparing,
    /// A plan is picked and its preview is on its way; no dialog yet.
    Previewing { choice: Choice, tag: Tag },
    /// The buyer is about to leave the plan, and whether something is proposed instead is asked for; no dialog yet.
    Asking { on: Leaving, tag: Tag },
    /// The dialog proposes something instead.
    Staying(Box<Staying>),
    /// The dialog says what cancelling means.
    Cancelling { failed: bool },
    /// The dialog asks for seats and add-ons.
    Adjusting(Box<Adjusting>),
    /// The dialog shows what confirming charges.
    Reviewing(Box<Review>),
    /// Confirmed, here or on an earlier page.
    Charging(Box<Charging>),
    /// On the way to a page where the payment is completed.
    Leaving { due: Option<Money>, url: String, dialog: bool },
    /// Made or booked.
    Done { done: Box<DoneView>, dialog: bool },
    /// Definitely not collected.
    Failed { failed: FailedView, dialog: bool },
    /// Something else writes on the page: the dialog says that the change cannot be confirmed here. Nothing was sent.
    Altered(OwnPage),
}

/// What the buyer was about to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Take this cheaper plan.
    Downgrade(Choice),
    /// Cancel.
    Cancel,
}

/// A stay-offer on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Staying {
    pub(crate) offer: Box<StayOffer>,
    /// What the buyer was about to do.
    pub(crate) on: Leaving,
    /// The preview that is on its way, of what is proposed or of what was picked before.
    pub(crate) asking: Option<(Choice, Tag)>,
    /// Whether it is refused: it can be taken no longer.
    pub(crate) refused: bool,
    /// Whether the last preview could not be had.
    pub(crate) failed: bool,
}

/// What the buyer picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) product_id: ProductId,
    pub(crate) timing: EffectiveAt,
    /// Absent: seats and add-ons stay as they are; the backend knows them.
    pub(crate) terms: Option<Terms>,
}

/// Seats and add-ons. An add-on that is not wanted is not in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) seats: u32,
    pub(crate) addons: Vec<AddonQuantity>,
}

impl Choice {
    /// A plan, at once, with the seats and add-ons that are there.
    pub(crate) fn of(product_id: &ProductId) -> Self {
        Self { product_id: product_id.clone(), timing: EffectiveAt::Immediately, terms: None }
    }

    pub(crate) fn request(&self) -> PreviewRequest {
        PreviewRequest {
            product_id: self.product_id.clone(),
            quantity: self.terms.as_ref().map(|terms| terms.seats),
            addons: self.terms.as_ref().map(|terms| terms.addons.clone()),
            effective_at: Some(self.timing),
        }
    }

    /// Whether the subscription is what was picked.
    pub(crate) fn is_reached(&self, current: &CurrentPlan) -> bool {
        current.product_id == self.product_id
            && self.terms.as_ref().is_none_or(|terms| terms.are_those_of(current))
    }
}

impl Terms {
    /// Those that a change to this plan keeps when nothing else is asked for.
    pub(crate) fn kept(plan: &Plan, current: &CurrentPlan) -> Self {
        let carried = plan.addons.iter().filter(|addon| addon.quantity > 0);
        Self { seats: current.quantity.max(1), addons: carried.map(asked).collect() }
    }

    pub(crate) fn count_of(&self, addon: &AddonId) -> u32 {
        self.addons.iter().find(|asked| asked.addon_id == *addon).map_or(0, |asked| asked.quantity)
    }

    pub(crate) fn set(&mut self, addon: &AddonId, quantity: u32) {
        self.addons.retain(|asked| asked.addon_id != *addon);
        if quantity > 0 {
            self.addons.push(AddonQuantity { addon_id: addon.clone(), quantity });
        }
    }

    fn are_those_of(&self, current: &CurrentPlan) -> bool {
        let same = |addon: &Addon| self.count_of(&addon.addon_id) == addon.quantity;
        self.seats == current.quantity
            && self.addons.len() == current.addons.len()
            && current.addons.iter().all(same)
    }
}

fn asked(addon: &Addon) -> AddonQuantity {
    AddonQuantity { addon_id: addon.addon_id.clone(), quantity: addon.quantity }
}

/// How many seats and add-ons, before what it costs is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Adjusting {
    pub(crate) product_id: ProductId,
    pub(crate) timing: EffectiveAt,
    pub(crate) terms: Terms,
    /// The preview that is on its way.
    pub(crate) asking: Option<Tag>,
    /// Whether the last one could not be had.
    pub(crate) failed: bool,
    /// What was typed into these and is not a number that can be chosen; the terms have the last one that was.
    pub(crate) unreadable: Vec<(Field, String)>,
}

impl Adjusting {
    /// A form in which nothing was typed yet.
    pub(crate) fn new(product_id: ProductId, timing: EffectiveAt, terms: Terms) -> Self {
        Self { product_id, timing, terms, asking: None, failed: false, unreadable: Vec::new() }
    }

    /// Whether a price can be asked for: every number can be read, and something differs from today.
    pub(crate) fn can_ask(&self, current: &CurrentPlan) -> bool {
        self.asking.is_none() && self.unreadable.is_empty() && !self.choice().is_reached(current)
    }

    /// Records that something was typed into a field: what was asked for before is not wanted any more. `unreadable` is the
    /// text, where it is not a number.
    pub(crate) fn typed(&mut self, field: Field, unreadable: Option<String>) {
        self.asking = None;
        self.failed = false;
        self.unreadable.retain(|(other, _)| *other != field);
        self.unreadable.extend(unreadable.map(|text| (field, text)));
    }

    pub(crate) fn choice(&self) -> Choice {
        Choice { product_id: self.product_id.clone(), timing: self.timing, terms: Some(self.terms.clone()) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Review {
    /// Names what is drawn. Other amounts, or another timing, are another drawing.
    pub(crate) drawing: Tag,
    pub(crate) choice: Choice,
    pub(crate) preview: Box<PreviewResponse>,
    /// Runs out when this very quote has been on the screen long enough to be confirmed.
    pub(crate) arming: Tag,
    pub(crate) armed: bool,
    /// Whether it was drawn anew because the screen said something else at the last press.
    pub(crate) altered: bool,
    pub(crate) freshness: Freshness,
    /// How many times a fresh quote was fetched without the buyer asking.
    pub(crate) refreshes: u8,
    pub(crate) changed_from: Option<Money>,
    /// The proof that the last confirmation was not charged, until a quote is fetched for another reason.
    pub(crate) not_charged: Option<NotCharged>,
}

/// Whether the quote on the screen can still be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Until this timer runs out.
    Until(Tag),
    /// A fresh one is on its way, because the old one ended.
    Refreshing(Tag),
    /// Another one is on its way, because the buyer asked for other terms.
    Repicking(Tag),
    /// It expired and the page waits for the buyer to ask.
    Stale,
}

impl Review {
    pub(crate) fn due(&self) -> Money {
        self.preview.quote.total_money()
    }

    pub(crate) fn can_confirm(&self) -> bool {
        self.armed && matches!(self.freshness, Freshness::Until(_))
    }

    /// Whether the other says the same at the same amounts and dates.
    pub(crate) fn looks_alike(&self, other: &Self) -> bool {
        self.choice.timing == other.choice.timing
            && self.changed_from == other.changed_from
            && says_the_same(&self.preview.quote, &other.preview.quote)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Charging {
    pub(crate) charge: Charge,
    /// What was confirmed; absent when an earlier page began it.
    pub(crate) review: Option<Box<Review>>,
    /// Whether the dialog is open.
    pub(crate) dialog: bool,
    /// Whether the page was told that it is pending.
    pub(crate) announced: bool,
}

impl Open {
    /// Records that what was typed into a field is not a number that can be chosen.
    pub(crate) fn unreadable(&mut self, field: Field, text: String) {
        if let Task::Adjusting(adjusting) = &mut self.task {
            adjusting.typed(field, Some(text));
        }
    }

    /// The page as it is first shown.
    pub(crate) fn new(plans: PlansResponse) -> Self {
        let task = Task::Comparing;
        Self {
            plans,
            reload: None,
            errand: Errand::None,
            remark: None,
            task,
            proposed: None,
            doubt: Doubt::None,
            watch: None,
        }
    }

    pub(crate) fn plan(&self, id: &ProductId) -> Option<&Plan> {
        known_plan(&self.plans, self.proposed.as_ref(), id)
    }

    /// Whether nothing is under way, so that what is booked can be taken back.
    pub(crate) fn is_idle(&self) -> bool {
        let idle = match &self.task {
            Task::Comparing => true,
            Task::Done { dialog, .. } | Task::Failed { dialog, .. } => !dialog,
            _ => false,
        };
        idle && self.errand == Errand::None && !self.is_over()
    }

    /// Whether the buyer can begin to cancel now.
    pub(crate) fn can_cancel(&self) -> bool {
        self.plans.current.can_cancel && self.can_choose()
    }

    /// Whether a plan can be picked now.
    pub(crate) fn can_choose(&self) -> bool {
        let free = match &self.task {
            Task::Comparing | Task::Previewing { .. } | Task::Asking { .. } => true,
            Task::Done { dialog, .. } | Task::Failed { dialog, .. } => !dialog,
            Task::Staying(_)
            | Task::Cancelling { .. }
            | Task::Adjusting(_)
            | Task::Reviewing(_)
            | Task::Charging(_)
            | Task::Leaving { .. }
            | Task::Altered(_) => false,
        };
        let settled = matches!(self.errand, Errand::None | Errand::CardLink(_));
        free && settled && self.plans.current.can_change && !self.is_over()
    }

    /// Whether the session is over, so that nothing that the buyer could press would come of anything.
    fn is_over(&self) -> bool {
        self.remark == Some(Remark::SessionOver)
    }
}

/// A plan on the page, or the one that was proposed.
pub(crate) fn known_plan<'a>(
    plans: &'a PlansResponse,
    proposed: Option<&'a Plan>,
    id: &ProductId,
) -> Option<&'a Plan> {
    plans.plans.iter().chain(proposed).find(|plan| plan.product_id == *id)
}
