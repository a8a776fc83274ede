//! An order at a merchant's own basic backend, as Dodo's guide teaches it: no quotes, no keys, nothing to ask afterwards.
//!
//! ```text
//! offered ── accept ──▶ ordering ─┬→ ordered(taken, not taken, unknown)
//!                                 └→ leaving       it names a page to pay on
//! ```
//!
//! The order is sent once and never again. What such a backend answers says whether it took the order, and never whether
//! money moved: `success` means that a checkout session was made, also for a card that is declined a moment later, and an
//! error may come after the charge, or because the buyer has paid in another tab. So nothing here claims anything about
//! money, and there is no state from which it could.

use wire::{Attempt, AttemptStatus};

use super::effect::{AcceptBody, Effect};
use super::event::Event;
use super::proposal::Proposal;
use super::state::Phase;
use super::step::Flow;
use crate::announce::{Announcement, Trouble};
use crate::charge::{SLOW_AFTER, Standing};
use crate::{ApiError, Intent, Tag, may_go_to};

/// An order that is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ordering {
    pub(crate) proposal: Box<Proposal>,
    /// The drawing on which it was confirmed.
    pub(crate) drawing: Tag,
    /// Reply that is waited for.
    pub(crate) awaited: Tag,
    /// Runs out when the buyer should get a calmer picture than a busy button.
    pub(crate) slow_timer: Tag,
    /// `true` once it ran out.
    pub(crate) slow: bool,
}

/// Knowledge of an order at a basic backend. None of it is about money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// The backend has taken it. Whether it is paid, the merchant will say.
    Taken,
    /// The backend has not taken it, perhaps because it has taken the same one before.
    NotTaken,
    /// There is no answer, or none that could be understood.
    Unknown,
}

impl Flow {
    /// The buyer confirms. The browser remembers before anything is sent, and for good: such a backend would charge again
    /// after a reload, and its refusal in one tab does not show that nothing is charged in another.
    pub(super) fn order(&mut self, proposal: Box<Proposal>, intent: Intent, drawing: Tag) -> Phase {
        self.tell_shown(&proposal);
        let (awaited, slow_timer) = (self.memory.tags.fresh(), self.memory.tags.fresh());
        self.effects.extend([
            Effect::Remember(proposal.decline_key.clone()),
            Effect::Accept { tag: awaited, intent, body: AcceptBody::ListPrice },
            Effect::Schedule(slow_timer, SLOW_AFTER),
        ]);
        Phase::Ordering(Box::new(Ordering { proposal, drawing, awaited, slow_timer, slow: false }))
    }

    pub(super) fn ordering(&mut self, mut ordering: Box<Ordering>, event: Event) -> Phase {
        match event {
            Event::Accepted(tag, reply) if tag == ordering.awaited => self.ordered(&ordering, reply),
            Event::Timer(tag) if tag == ordering.slow_timer => {
                ordering.slow = true;
                Phase::Ordering(ordering)
            }
            _ => Phase::Ordering(ordering),
        }
    }

    fn ordered(&mut self, ordering: &Ordering, reply: Result<Attempt, ApiError>) -> Phase {
        let about = ordering.proposal.about();
        if let Some(url) = payment_page(&reply) {
            self.announce(Announcement::Pending(about, Standing::ActionRequired));
            self.effects.push(Effect::Navigate(url.clone()));
            return Phase::Leaving { due: Some(ordering.proposal.due()), url };
        }
        let ordered = read(&reply);
        self.announce(match ordered {
            Ordered::Taken => Announcement::Ordered(about),
            Ordered::NotTaken => Announcement::Failed(about, Trouble::NotTaken),
            Ordered::Unknown => Announcement::Failed(about, Trouble::Unknown),
        });
        Phase::Ordered(ordered)
    }
}

fn payment_page(reply: &Result<Attempt, ApiError>) -> Option<String> {
    let attempt = reply.as_ref().ok()?;
    let url = attempt.checkout_url.clone()?;
    (attempt.status == Some(AttemptStatus::CheckoutRequired) && may_go_to(&url)).then_some(url)
}

fn read(reply: &Result<Attempt, ApiError>) -> Ordered {
    match reply {
        Ok(Attempt { success: true, .. }) => Ordered::Taken,
        Ok(Attempt { status: None | Some(AttemptStatus::Failed), .. }) => Ordered::NotTaken,
        Ok(_) | Err(ApiError::Network | ApiError::Timeout | ApiError::BadBody | ApiError::BadField(_)) => {
            Ordered::Unknown
        }
        Err(ApiError::Foreign { status }) => by_status(*status),
        Err(ApiError::Problem(problem)) => by_status(problem.status),
    }
}

/// A status tells at best that the order was turned away. Time-outs and conflicts may come after it was taken.
fn by_status(status: u16) -> Ordered {
    match status {
        408 | 409 => Ordered::Unknown,
        400..=499 => Ordered::NotTaken,
        _ => Ordered::Unknown,
    }
}
