//! The half of the plan-change flow that begins with a confirmation.

use wire::{Attempt, FailureReason, PlansResponse};

use super::effect::Effect;
use super::event::{Act, Event};
use super::state::{Charging, Errand, Open, Remark, Review, Task};
use super::step::{ARM_AFTER, Flow};
use crate::announce::{About, Announcement, Trouble};
use crate::charge::{
    Charge, Command, DoneView, FailedView, Failure, Input, NotCharged, Progress, Seen, Settled, Standing,
};
use crate::press::Doubt;
use crate::{OwnPage, Press, Screen};

impl Flow {
    /// The buyer confirms exactly the quote in the dialog.
    pub(super) fn confirm(&mut self, open: &mut Open, press: Press) {
        let Task::Reviewing(review) = &open.task else { return };
        if !review.can_confirm() {
            return;
        }
        if let Screen::Altered(own_page) = press.screen {
            return self.altered(open, own_page);
        }
        open.doubt = Doubt::None;
        let (charge, commands) = Charge::start(press.intent, &mut self.tags);
        let review = Some(review.clone());
        let charging = Charging { charge, review, dialog: true, announced: false };
        open.remark = None;
        // A link that comes now would lead away in the middle of a charge.
        open.errand = Errand::None;
        self.goes_on(open, Box::new(charging), commands);
    }

    /// The buyer pressed while the screen said something else than what would be charged. Nothing is sent.
    fn altered(&mut self, open: &mut Open, own_page: OwnPage) {
        let Task::Reviewing(review) = &mut open.task else { return };
        match open.doubt {
            Doubt::None => {
                open.doubt = Doubt::Once;
                (review.drawing, review.arming) = (self.tags.fresh(), self.tags.fresh());
                (review.armed, review.altered) = (false, true);
                self.effects.push(Effect::Schedule(review.arming, ARM_AFTER));
            }
            Doubt::Once => {
                open.doubt = Doubt::None;
                let about = about(Some(review));
                self.announce(Announcement::Failed(about, Trouble::Altered));
                open.task = Task::Altered(own_page);
            }
        }
    }

    /// A charge that an earlier page began.
    pub(super) fn resume(&mut self, open: &mut Open, attempt: Attempt) {
        match Charge::resume(attempt, &mut self.tags) {
            Progress::On(charge, commands) => {
                let charging = Charging { charge, review: None, dialog: false, announced: false };
                self.goes_on(open, Box::new(charging), commands);
            }
            Progress::Settled(Settled::Checkout(url)) => {
                open.task = Task::Leaving { due: None, url, dialog: false };
            }
            // Old news: the plans on the page tell it.
            Progress::Settled(_) => {}
        }
    }

    pub(super) fn charge_event(&mut self, open: &mut Open, event: Event) {
        let charging = match (&open.task, &event) {
            (Task::Charging(charging), _) => charging.clone(),
            (Task::Leaving { url, .. }, Event::Act { act: Act::Continue, .. }) => {
                self.effects.push(Effect::Navigate(url.clone()));
                return;
            }
            (Task::Altered(OwnPage::Elsewhere), Event::Act { act: Act::Continue, .. }) => {
                self.effects.push(Effect::OwnPage);
                return;
            }
            _ => return,
        };
        let input = match event {
            Event::Changed(tag, reply) => Input::Replied(tag, reply),
            Event::Looked(tag, reply) => {
                Input::Looked(tag, reply.map(|attempt| Seen::Attempt(Box::new(attempt))))
            }
            Event::Loaded(tag, reply) if charging.charge.asking() == Some(tag) => {
                Input::Looked(tag, reply.map(|plans| look(open, &charging, *plans)))
            }
            Event::Timer(tag) => Input::Timer(tag),
            Event::Act { act: Act::CheckAgain, .. } => Input::CheckAgain,
            Event::Act { act: Act::Continue, .. } => {
                if let Some(url) = charging.charge.continue_at() {
                    self.effects.push(Effect::Navigate(url.to_owned()));
                }
                return;
            }
            _ => return,
        };
        let mut charging = charging;
        match charging.charge.clone().step(input, &mut self.tags) {
            Progress::On(charge, commands) => {
                charging.charge = charge;
                self.goes_on(open, charging, commands);
            }
            Progress::Settled(settled) => self.settled(open, *charging, settled),
        }
    }

    fn goes_on(&mut self, open: &mut Open, mut charging: Box<Charging>, commands: Vec<Command>) {
        for command in commands {
            match command {
                // Only what this page confirmed is sent; a charge taken up from an earlier page is only asked about.
                Command::Send(tag, intent) => {
                    if let Some(review) = &charging.review {
                        let quote_id = review.preview.quote.id.clone();
                        self.effects.push(Effect::Change { tag, intent, quote_id });
                    }
                }
                Command::Ask(tag, Some(attempt)) => self.effects.push(Effect::Ask(tag, attempt)),
                Command::Ask(tag, None) => self.effects.push(Effect::Load(tag)),
                Command::Schedule(tag, after) => self.effects.push(Effect::Schedule(tag, after)),
            }
        }
        if let Some(standing) = charging.charge.standing()
            && !charging.announced
        {
            charging.announced = true;
            self.announce(Announcement::Pending(about(charging.review.as_deref()), standing));
        }
        open.task = Task::Charging(charging);
    }

    fn settled(&mut self, open: &mut Open, charging: Charging, settled: Settled) {
        let Charging { review, dialog, .. } = charging;
        let about = about(review.as_deref());
        let name = review.as_ref().map(|review| review.preview.name.clone());
        let due = about.due;
        match settled {
            Settled::Succeeded { scheduled, receipt } => {
                self.announce(Announcement::PlanChanged { about, scheduled });
                let receipt = receipt.map(|receipt| *receipt);
                let done = Box::new(DoneView { scheduled, name, receipt });
                open.task = Task::Done { done, dialog };
                self.reload(open);
            }
            Settled::Checkout(url) => {
                self.announce(Announcement::Pending(about, Standing::ActionRequired));
                self.effects.push(Effect::Navigate(url.clone()));
                open.task = Task::Leaving { due, url, dialog };
            }
            Settled::Failed { reason, not_charged, .. } => {
                self.announce(Announcement::Failed(about, Trouble::Charge(reason)));
                let failed = failed(reason, not_charged, name, due);
                open.task = Task::Failed { failed, dialog };
                self.reload(open);
            }
            Settled::QuoteChanged(quote, not_charged) => match review {
                Some(review) if dialog => {
                    let before = review.due();
                    let mut preview = review.preview;
                    preview.quote = *quote;
                    let changed_from = (before != preview.quote.total_money()).then_some(before);
                    let mut review = self.review(review.choice, preview, changed_from, 0);
                    review.not_charged = Some(not_charged);
                    open.task = Task::Reviewing(review);
                }
                _ => self.end(open, Remark::PriceLapsed(not_charged)),
            },
            Settled::QuoteExpired(not_charged) => match review {
                Some(mut review) if dialog => {
                    self.refresh(&mut review);
                    review.not_charged = Some(not_charged);
                    open.task = Task::Reviewing(review);
                    // What it rests on may be another: what is had and lost is told anew as well.
                    self.reload(open);
                }
                _ => self.end(open, Remark::PriceLapsed(not_charged)),
            },
            Settled::Busy(not_charged) => self.end(open, Remark::Busy(Some(not_charged))),
            Settled::NotReceived => self.end(open, Remark::NotReceived),
            Settled::SessionOver => {
                self.announce(Announcement::Failed(about, Trouble::Unauthorized));
                self.end(open, Remark::SessionOver);
            }
            Settled::Gone => {
                self.announce(Announcement::Failed(about, Trouble::Ended));
                self.end(open, Remark::ChangeNotPossible);
            }
        }
    }

    /// Back to the comparison, with a word on why.
    pub(super) fn end(&mut self, open: &mut Open, remark: Remark) {
        open.task = Task::Comparing;
        open.remark = Some(remark);
        self.reload(open);
    }
}

/// What loading anew shows of this charge. The page gets the new picture too.
fn look(open: &mut Open, charging: &Charging, mut plans: PlansResponse) -> Seen {
    let attempt = plans.attempt.take();
    let before = core::mem::replace(&mut open.plans, plans).current;
    if let Some(attempt) = attempt {
        return Seen::Attempt(Box::new(attempt));
    }
    let Some(choice) = charging.review.as_ref().map(|review| &review.choice) else {
        return Seen::Untouched;
    };
    let current = &open.plans.current;
    if choice.is_reached(current) && !choice.is_reached(&before) {
        return Seen::Reached { scheduled: false };
    }
    if current.scheduled_change.as_ref().is_some_and(|change| change.product_id == choice.product_id) {
        return Seen::Reached { scheduled: true };
    }
    Seen::Untouched
}

fn about(review: Option<&Review>) -> About {
    About {
        offer_id: None,
        kind: None,
        product_id: review.map(|review| review.choice.product_id.clone()),
        due: review.map(Review::due),
    }
}

/// A plan change has no other way to pay than another card on the subscription.
fn failed(
    reason: FailureReason,
    not_charged: NotCharged,
    name: Option<String>,
    due: Option<wire::Money>,
) -> FailedView {
    let failure = Failure::from(reason);
    FailedView { failure, not_charged, name, due, another_way: failure.is_of_the_card() }
}
