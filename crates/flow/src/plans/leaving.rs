//! The half of the plan-change flow in which a buyer leaves their plan: what is proposed before, once, and cancelling.

use wire::{ChangeKind, StayOffer, StayOfferRequest, Trigger};

use super::effect::Effect;
use super::state::{Choice, Errand, Leaving, Open, Remark, Staying, Task, remark_on};
use super::step::Flow;
use crate::announce::{About, Announcement};
use crate::{ApiError, Tag};

impl Flow {
    /// A plan is picked. Where it is a cheaper one, the merchant may propose another first.
    pub(super) fn picked(&mut self, open: &mut Open, choice: Choice, kind: ChangeKind) {
        if kind == ChangeKind::Downgrade {
            self.leave(open, Leaving::Downgrade(choice), Trigger::DowngradeIntent);
        } else {
            self.go_on(open, Leaving::Downgrade(choice));
        }
    }

    /// The buyer wants to cancel.
    pub(super) fn wants_to_cancel(&mut self, open: &mut Open) {
        if open.can_cancel() {
            self.leave(open, Leaving::Cancel, Trigger::CancelIntent);
        }
    }

    /// Asks what is proposed, where something may be. It is asked once, and no answer is no reason to wait longer.
    fn leave(&mut self, open: &mut Open, on: Leaving, intent: Trigger) {
        open.remark = None;
        let Some(at) = open.plans.stay_offers.iter().position(|known| *known == intent) else {
            return self.go_on(open, on);
        };
        open.plans.stay_offers.remove(at);
        let product_id = match &on {
            Leaving::Downgrade(choice) => Some(choice.product_id.clone()),
            Leaving::Cancel => None,
        };
        let tag = self.tags.fresh();
        self.effects.push(Effect::StayOffer(tag, StayOfferRequest { intent, product_id }));
        open.task = Task::Asking { on, tag };
    }

    pub(super) fn stay_offered(
        &mut self,
        open: &mut Open,
        tag: Tag,
        reply: Result<Option<Box<StayOffer>>, ApiError>,
    ) {
        let Task::Asking { on, tag: awaited } = &open.task else { return };
        if *awaited != tag {
            return;
        }
        let on = on.clone();
        match reply {
            Ok(Some(offer)) => {
                self.announce(Announcement::Shown(about(&offer)));
                let staying = Staying { offer, on, asking: None, refused: false, failed: false };
                open.task = Task::Staying(Box::new(staying));
            }
            Ok(None) | Err(_) => self.go_on(open, on),
        }
    }

    /// What is proposed is wanted: it is previewed like any plan.
    pub(super) fn take_stay_offer(&mut self, open: &mut Open) {
        let Task::Staying(staying) = &mut open.task else { return };
        if staying.asking.is_some() || staying.refused {
            return;
        }
        open.proposed = Some(staying.offer.plan.clone());
        self.preview_from(staying, Choice::of(&staying.offer.plan.product_id));
    }

    /// It is refused, for good, and the buyer goes on with what they were about to do.
    pub(super) fn refuse_stay_offer(&mut self, open: &mut Open) {
        let Task::Staying(staying) = &mut open.task else { return };
        if staying.asking.is_some() {
            return;
        }
        if !staying.refused {
            staying.refused = true;
            self.effects.push(Effect::Decline(staying.offer.id.clone()));
            self.announce(Announcement::Declined(about(&staying.offer)));
        }
        match staying.on.clone() {
            Leaving::Downgrade(choice) => self.preview_from(staying, choice),
            Leaving::Cancel => open.task = Task::Cancelling { failed: false },
        }
    }

    fn preview_from(&mut self, staying: &mut Staying, choice: Choice) {
        let tag = self.ask_price(&choice);
        staying.asking = Some((choice, tag));
        staying.failed = false;
    }

    fn go_on(&mut self, open: &mut Open, on: Leaving) {
        match on {
            Leaving::Cancel => open.task = Task::Cancelling { failed: false },
            Leaving::Downgrade(choice) => {
                let tag = self.ask_price(&choice);
                open.task = Task::Previewing { choice, tag };
            }
        }
    }

    /// The buyer has read what cancelling means, and cancels.
    pub(super) fn cancel(&mut self, open: &mut Open) {
        if open.errand == Errand::None {
            self.run_errand(open, Effect::Cancel, Errand::Cancelling);
            open.task = Task::Cancelling { failed: false };
        }
    }

    pub(super) fn cancelled(&mut self, open: &mut Open, reply: Result<(), ApiError>) {
        open.errand = Errand::None;
        let error = match reply {
            Ok(()) => {
                self.announce(Announcement::CancellationChanged { cancelled: true });
                return self.end(open, Remark::Cancelled);
            }
            Err(error) => remark_on(&error),
        };
        match (&mut open.task, error) {
            (_, Remark::SessionOver | Remark::ChangeNotPossible) => self.end(open, error),
            (Task::Cancelling { failed }, _) => *failed = true,
            _ => open.remark = Some(Remark::CancelFailed),
        }
    }

    /// The buyer takes the cancellation back.
    pub(super) fn keep_plan(&mut self, open: &mut Open) {
        if open.is_idle() && open.plans.current.cancel_at_next_billing_date {
            self.run_errand(open, Effect::KeepPlan, Errand::Keeping);
            open.task = Task::Comparing;
        }
    }

    pub(super) fn kept(&mut self, open: &mut Open, reply: Result<(), ApiError>) {
        open.errand = Errand::None;
        if reply.is_ok() {
            self.announce(Announcement::CancellationChanged { cancelled: false });
        }
        open.remark = Some(if reply.is_ok() { Remark::Kept } else { Remark::KeepFailed });
        self.reload(open);
    }
}

fn about(offer: &StayOffer) -> About {
    let product_id = Some(offer.plan.product_id.clone());
    About { offer_id: Some(offer.id.clone()), kind: None, product_id, due: None }
}
