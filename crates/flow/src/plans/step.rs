//! The only place that decides in the plan-change flow.

use wire::{EffectiveAt, Money, Plan, PlansResponse, PreviewResponse, ProductId};

use super::dialog::{close_dialog, open_dialog};
use super::effect::Effect;
use super::event::{Act, Event, Field};
use super::state::{
    Adjusting, Choice, Errand, Freshness, Open, Phase, Remark, Review, State, Task, Terms, known_plan,
};
use super::trouble::remark_on;
use crate::announce::{About, Announcement, Trouble};
use crate::{ApiError, Dwell, Press, Tag, Tags, may_go_to};

/// So many fresh quotes are fetched for a dialog that just lies open; then the buyer has to ask.
const MAX_REFRESHES: u8 = 12;

/// Most seats, and most of an add-on, that are asked for.
pub const MAX_COUNT: u32 = 10_000;

/// A quote is refreshed so many seconds before it expires, so that a press never races its end.
const REFRESH_MARGIN: u32 = 10;

/// A quote must have been on the screen so long before it can be confirmed, in milliseconds: the second half of a
/// double click on the page must not land on the button of the dialog.
pub(super) const ARM_AFTER: u32 = 500;

/// What comes of an event. Total: an event that means nothing in a state leaves it as it is.
#[must_use]
pub fn step(state: State, event: Event) -> (State, Vec<Effect>) {
    let mut flow = Flow { tags: state.tags, effects: Vec::new() };
    let phase = flow.next(state.phase, event);
    (State { tags: flow.tags, phase }, flow.effects)
}

/// One step under way. `charging.rs` has the half that begins with a confirmation.
pub(super) struct Flow {
    pub(super) tags: Tags,
    pub(super) effects: Vec<Effect>,
}

impl Flow {
    fn next(&mut self, phase: Phase, event: Event) -> Phase {
        match (phase, event) {
            (Phase::Idle, Event::Start(Some(plans))) => self.open(*plans),
            (Phase::Idle, Event::Start(None))
            | (Phase::Unavailable { can_retry: true }, Event::Act { act: Act::Reload, .. }) => {
                let tag = self.tags.fresh();
                self.effects.push(Effect::Load(tag));
                Phase::Loading(tag)
            }
            (Phase::Idle, Event::StartUnanswered) => {
                self.announce(Announcement::Failed(About::default(), Trouble::Load));
                Phase::Unavailable { can_retry: true }
            }
            (Phase::Loading(awaited), Event::Loaded(tag, reply)) if tag == awaited => match reply {
                Ok(plans) => self.open(*plans),
                Err(error) if remark_on(&error) == Remark::SessionOver => {
                    self.announce_session_over();
                    Phase::Unavailable { can_retry: false }
                }
                Err(_) => {
                    self.announce(Announcement::Failed(About::default(), Trouble::Load));
                    Phase::Unavailable { can_retry: true }
                }
            },
            (Phase::Open(mut open), event) => {
                self.opened(&mut open, event);
                Phase::Open(open)
            }
            (phase, _) => phase,
        }
    }

    fn open(&mut self, mut plans: PlansResponse) -> Phase {
        let attempt = plans.attempt.take();
        let mut open = Open::new(plans);
        let watch = self.tags.fresh();
        self.effects.push(Effect::Watch(watch));
        open.watch = Some(watch);
        if let Some(attempt) = attempt {
            self.resume(&mut open, attempt);
        }
        Phase::Open(Box::new(open))
    }

    fn opened(&mut self, open: &mut Open, event: Event) {
        match event {
            Event::Act { act, press } => self.act(open, act, press),
            Event::Previewed(tag, reply) => self.previewed(open, tag, reply),
            Event::Loaded(tag, reply) if open.reload == Some(tag) => {
                open.reload = None;
                // Without an answer the old picture stays: it was true a moment ago.
                if let Ok(plans) = reply {
                    open.plans = *plans;
                }
            }
            Event::CardLink(tag, reply) if open.errand == Errand::CardLink(tag) => {
                open.errand = Errand::None;
                match reply {
                    Ok(link) if may_go_to(&link.url) => self.effects.push(Effect::Navigate(link.url)),
                    reply => {
                        match reply {
                            Err(error) => self.remark_or(open, &error, Remark::CardLinkFailed),
                            Ok(_) => open.remark = Some(Remark::CardLinkFailed),
                        }
                        // The message stands on the page: a dialog that only tells of a failure gives way to it.
                        if let Task::Failed { dialog, .. } = &mut open.task {
                            *dialog = false;
                        }
                    }
                }
            }
            Event::Dwelled(tag, Dwell::Seen) if open.watch == Some(tag) => {
                open.watch = None;
                self.announce(Announcement::Shown(About::default()));
            }
            Event::StayOffered(tag, reply) => self.stay_offered(open, tag, reply),
            Event::Cancelled(tag, reply) if open.errand == Errand::Cancelling(tag) => {
                self.cancelled(open, reply);
            }
            Event::Kept(tag, reply) if open.errand == Errand::Keeping(tag) => self.kept(open, reply),
            Event::TakenBack(tag, reply) if open.errand == Errand::TakingBack(tag) => {
                open.errand = Errand::None;
                match reply {
                    Ok(()) => open.remark = Some(Remark::TakenBack),
                    Err(error) => self.remark_or(open, &error, Remark::TakeBackFailed),
                }
                self.reload(open);
            }
            Event::Timer(tag) => {
                if let Task::Reviewing(review) = &mut open.task {
                    self.review_timer(review, tag);
                } else {
                    self.charge_event(open, Event::Timer(tag));
                }
            }
            event => self.charge_event(open, event),
        }
    }

    fn act(&mut self, open: &mut Open, act: Act, press: Press) {
        match act {
            Act::Choose(id) => self.choose(open, &id),
            Act::Adjust(id) => adjust(open, &id),
            Act::Seats(seats) => {
                set_terms(open, Field::Seats, |plan, terms| {
                    if plan.seats && (1..=MAX_COUNT).contains(&seats) {
                        terms.seats = seats;
                    }
                });
            }
            Act::AddonCount(id, count) => {
                set_terms(open, Field::Addon(id.clone()), |plan, terms| {
                    if plan.addons.iter().any(|addon| addon.addon_id == id) && count <= MAX_COUNT {
                        terms.set(&id, count);
                    }
                });
            }
            Act::Unreadable(field, text) => open.unreadable(field, text),
            Act::ShowPrice => self.show_price(open),
            Act::Confirm if matches!(open.task, Task::Cancelling { .. }) => self.cancel(open),
            Act::Confirm => self.confirm(open, press),
            Act::Cancel => self.wants_to_cancel(open),
            Act::KeepPlan => self.keep_plan(open),
            Act::TakeStayOffer => self.take_stay_offer(open),
            Act::GoOn => self.refuse_stay_offer(open),
            Act::CloseDialog => close_dialog(open),
            Act::OpenDialog => open_dialog(open),
            Act::Timing(timing) => self.repick(open, timing),
            Act::Refresh => {
                if let Task::Reviewing(review) = &mut open.task
                    && review.freshness == Freshness::Stale
                {
                    review.refreshes = 0;
                    self.refresh(review);
                }
            }
            Act::UseAnotherCard => {
                let free = !matches!(open.task, Task::Charging(_) | Task::Leaving { .. });
                if free && open.errand == Errand::None {
                    self.run_errand(open, Effect::CardLink, Errand::CardLink);
                }
            }
            Act::TakeBackScheduled => {
                if open.is_idle() && open.plans.current.scheduled_change.is_some() {
                    self.run_errand(open, Effect::TakeBack, Errand::TakingBack);
                    open.task = Task::Comparing;
                }
            }
            Act::Reload => self.reload(open),
            Act::CheckAgain | Act::Continue => self.charge_event(open, Event::Act { act, press }),
        }
    }

    fn choose(&mut self, open: &mut Open, id: &ProductId) {
        let other = open.plan(id).filter(|plan| plan.product_id != open.plans.current.product_id);
        let Some(kind) = other.map(|plan| plan.kind).filter(|_| open.can_choose()) else { return };
        self.picked(open, Choice::of(id), kind);
    }

    fn show_price(&mut self, open: &mut Open) {
        let Task::Adjusting(adjusting) = &mut open.task else { return };
        if adjusting.can_ask(&open.plans.current) {
            adjusting.asking = Some(self.ask_price(&adjusting.choice()));
            adjusting.failed = false;
        }
    }

    fn repick(&mut self, open: &mut Open, timing: EffectiveAt) {
        if let Task::Reviewing(review) = &mut open.task
            && review.choice.timing != timing
            && timing != EffectiveAt::Other
        {
            review.choice.timing = timing;
            review.drawing = self.tags.fresh();
            (review.changed_from, review.not_charged) = (None, None);
            review.freshness = Freshness::Repicking(self.ask_price(&review.choice));
        }
    }

    pub(super) fn refresh(&mut self, review: &mut Review) {
        review.not_charged = None;
        review.freshness = Freshness::Refreshing(self.ask_price(&review.choice));
    }

    /// Asks what a choice would charge.
    pub(super) fn ask_price(&mut self, choice: &Choice) -> Tag {
        let tag = self.tags.fresh();
        self.effects.push(Effect::Preview(tag, choice.request()));
        tag
    }

    /// Begins a small request beside what the buyer is at. What was said before has been heard.
    pub(super) fn run_errand(
        &mut self,
        open: &mut Open,
        effect: fn(Tag) -> Effect,
        errand: fn(Tag) -> Errand,
    ) {
        let tag = self.tags.fresh();
        self.effects.push(effect(tag));
        open.errand = errand(tag);
        open.remark = None;
    }

    fn review_timer(&mut self, review: &mut Review, tag: Tag) {
        if tag == review.arming {
            review.armed = true;
        } else if review.freshness == Freshness::Until(tag) {
            if review.refreshes >= MAX_REFRESHES {
                review.freshness = Freshness::Stale;
            } else {
                review.refreshes = review.refreshes.saturating_add(1);
                self.refresh(review);
            }
        }
    }

    fn previewed(&mut self, open: &mut Open, tag: Tag, reply: Result<Box<PreviewResponse>, ApiError>) {
        let (choice, before, refreshes) = match &open.task {
            Task::Previewing { choice, tag: awaited } if *awaited == tag => (choice.clone(), None, 0),
            Task::Adjusting(adjusting) if adjusting.asking == Some(tag) => (adjusting.choice(), None, 0),
            Task::Staying(staying) => match &staying.asking {
                Some((choice, awaited)) if *awaited == tag => (choice.clone(), None, 0),
                _ => return,
            },
            Task::Reviewing(review) => match review.freshness {
                Freshness::Refreshing(awaited) if awaited == tag => {
                    (review.choice.clone(), Some(review.due()), review.refreshes)
                }
                Freshness::Repicking(awaited) if awaited == tag => {
                    (review.choice.clone(), None, review.refreshes)
                }
                _ => return,
            },
            _ => return,
        };
        match reply {
            Ok(preview) if preview.quote.adds_up() && preview.product_id == choice.product_id => {
                let changed_from = before.filter(|before| *before != preview.quote.total_money());
                let mut review = self.review(choice, preview, changed_from, refreshes);
                if let Task::Reviewing(before) = &open.task {
                    review.not_charged = before.not_charged;
                    if matches!(before.freshness, Freshness::Refreshing(_)) && before.looks_alike(&review) {
                        review.drawing = before.drawing;
                    }
                }
                open.task = Task::Reviewing(review);
            }
            Ok(_) => self.preview_failed(open, Remark::PreviewFailed),
            Err(error) => self.preview_failed(open, remark_on(&error)),
        }
    }

    /// Puts a quote on the screen. Whatever was armed before is not any more: the buyer has to see it first.
    pub(super) fn review(
        &mut self,
        choice: Choice,
        preview: Box<PreviewResponse>,
        changed_from: Option<Money>,
        refreshes: u8,
    ) -> Box<Review> {
        let (arming, expiry) = (self.tags.fresh(), self.tags.fresh());
        let seconds = preview.quote.expires_in.saturating_sub(REFRESH_MARGIN).max(1);
        self.effects.push(Effect::Schedule(arming, ARM_AFTER));
        self.effects.push(Effect::Schedule(expiry, seconds.saturating_mul(1000)));
        let freshness = Freshness::Until(expiry);
        Box::new(Review {
            drawing: self.tags.fresh(),
            choice,
            preview,
            arming,
            armed: false,
            altered: false,
            freshness,
            refreshes,
            changed_from,
            not_charged: None,
        })
    }

    fn preview_failed(&mut self, open: &mut Open, remark: Remark) {
        match &mut open.task {
            // The dialog is open: it stays, and the buyer may ask again.
            Task::Reviewing(review) if matches!(remark, Remark::PreviewFailed | Remark::Busy(_)) => {
                review.freshness = Freshness::Stale;
            }
            Task::Adjusting(adjusting) if matches!(remark, Remark::PreviewFailed | Remark::Busy(_)) => {
                adjusting.asking = None;
                adjusting.failed = true;
            }
            Task::Staying(staying) if matches!(remark, Remark::PreviewFailed | Remark::Busy(_)) => {
                staying.asking = None;
                staying.failed = true;
            }
            _ => {
                open.task = Task::Comparing;
                open.remark = Some(remark);
                match remark {
                    Remark::ChangeNotPossible => self.reload(open),
                    Remark::SessionOver => self.announce_session_over(),
                    _ => {}
                }
            }
        }
    }

    pub(super) fn reload(&mut self, open: &mut Open) {
        let tag = self.tags.fresh();
        self.effects.push(Effect::Load(tag));
        open.reload = Some(tag);
    }

    pub(super) fn announce(&mut self, announcement: Announcement) {
        self.effects.push(Effect::Announce(announcement));
    }
}

/// Opens the form for seats and add-ons, from the page or from the review of the same plan.
fn adjust(open: &mut Open, id: &ProductId) {
    let Some(plan) = open.plan(id).filter(|plan| is_adjustable(plan)) else { return };
    let kept = Terms::kept(plan, &open.plans.current);
    let (timing, terms) = match &open.task {
        Task::Reviewing(review) if review.choice.product_id == *id => {
            (review.choice.timing, review.choice.terms.clone().unwrap_or(kept))
        }
        _ if open.can_choose() => (EffectiveAt::Immediately, kept),
        _ => return,
    };
    open.remark = None;
    open.task = Task::Adjusting(Box::new(Adjusting::new(id.clone(), timing, terms)));
}

fn set_terms(open: &mut Open, field: Field, set: impl FnOnce(&Plan, &mut Terms)) {
    let Task::Adjusting(adjusting) = &mut open.task else { return };
    if let Some(plan) = known_plan(&open.plans, open.proposed.as_ref(), &adjusting.product_id) {
        set(plan, &mut adjusting.terms);
        adjusting.typed(field, None);
    }
}

/// Whether the buyer can choose seats or add-ons of this plan (`Act::Adjust`).
#[must_use]
pub fn is_adjustable(plan: &Plan) -> bool {
    plan.seats || !plan.addons.is_empty()
}
