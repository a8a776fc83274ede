//! What has to hold in every state of the world.

use upsell_core::{
    domain::{AttemptKind, AttemptState, OfferState},
    journal::states::is_live,
};

use super::world::{Net, Payment, Task, World};
use crate::report::Broken;

/// A promise. The numbers are those of the invariants in the architecture's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// I1.
    ChargedOnce,
    /// I2.
    OneLiveAttempt,
    /// I3.
    SentOnce,
    /// I4.
    MarkedBeforeSent,
    /// I5, once things have quieted down.
    MoneyIsOnRecord,
    /// I6.
    OpenMeansIdle,
    /// I7: nothing is collected after a refusal, and it is not shown again.
    RefusalStands,
    /// I12.
    FailedIsTrue,
    /// I13, once things have quieted down.
    NothingIsStuck,
}

impl Promise {
    pub(super) const ALL: [Self; 9] = [
        Self::ChargedOnce,
        Self::OneLiveAttempt,
        Self::SentOnce,
        Self::MarkedBeforeSent,
        Self::MoneyIsOnRecord,
        Self::OpenMeansIdle,
        Self::RefusalStands,
        Self::FailedIsTrue,
        Self::NothingIsStuck,
    ];

    /// What it means that it is broken.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::ChargedOnce => "I1: charged twice",
            Self::OneLiveAttempt => "I2: two live attempts",
            Self::SentOnce => "I3: one attempt sent twice",
            Self::MarkedBeforeSent => "I4: sent without a mark",
            Self::MoneyIsOnRecord => "I5: money that is not on record",
            Self::OpenMeansIdle => "I6: may be accepted while a payment is under way",
            Self::RefusalStands => "I7: charged or shown after a refusal",
            Self::FailedIsTrue => "I12: told \"failed\", and paid",
            Self::NothingIsStuck => "I13: undecided for good",
        }
    }

    /// How it counts on the closing line.
    pub(super) fn broken(self) -> Broken {
        match self {
            Self::MoneyIsOnRecord => Broken::Lost,
            Self::NothingIsStuck => Broken::Stuck,
            Self::FailedIsTrue => Broken::Lie,
            _ => Broken::Double,
        }
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// Some promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Promises(u16);

impl Promises {
    pub(super) fn add_if(&mut self, broken: bool, promise: Promise) {
        if broken {
            self.0 |= promise.bit();
        }
    }

    pub(super) fn add(&mut self, others: Self) {
        self.0 |= others.0;
    }

    pub(super) fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    pub(super) fn has(self, promise: Promise) -> bool {
        self.0 & promise.bit() != 0
    }

    pub(super) fn list(self) -> impl Iterator<Item = Promise> {
        Promise::ALL.into_iter().filter(move |promise| self.has(*promise))
    }
}

fn is_open(offer: OfferState) -> bool {
    matches!(offer, OfferState::Eligible | OfferState::Presented | OfferState::Failed)
}

/// What is broken in this state, whatever comes next.
pub(super) fn broken_now(world: &World) -> Promises {
    let mut broken = Promises::default();
    let made = world.made();
    let one_click = |kind| kind == AttemptKind::OneClick;
    let paid: u32 = made.iter().map(|attempt| u32::from(attempt.paid)).sum();
    broken.add_if(paid > 1, Promise::ChargedOnce);
    let live = made.iter().filter(|attempt| is_live(attempt.state) && !attempt.surplus).count();
    broken.add_if(live > 1, Promise::OneLiveAttempt);
    // A hosted page that nobody was sent to may be asked for as often as one likes.
    broken.add_if(made.iter().any(|a| one_click(a.kind) && a.posts > 1), Promise::SentOnce);
    let charging = made.iter().any(|a| one_click(a.kind) && a.net == Net::InFlight);
    let unmarked = made.iter().any(|a| {
        one_click(a.kind)
            && a.net == Net::InFlight
            && matches!(a.state, AttemptState::Claimed | AttemptState::Released)
    });
    broken.add_if(unmarked, Promise::MarkedBeforeSent);
    let under_way = charging
        || made.iter().any(|a| {
            (one_click(a.kind) && a.task == Task::Marked)
                || matches!(a.payment, Payment::Processing | Payment::NeedsBuyer | Payment::Succeeded)
                || a.page_is_open()
        });
    broken.add_if(is_open(world.offer) && under_way, Promise::OpenMeansIdle);
    let refused = world.declined && (paid > 0 || charging || is_open(world.offer));
    broken.add_if(refused, Promise::RefusalStands);
    broken.add_if(made.iter().any(|a| a.told_failed && a.paid > 0), Promise::FailedIsTrue);
    broken
}

/// What is broken once everything is at rest that could move by itself.
pub(super) fn broken_at_rest(world: &World) -> Promises {
    let mut broken = broken_now(world);
    let made = world.made();
    let unrecorded = made
        .iter()
        .any(|a| a.paid > 0 && (a.state != AttemptState::Succeeded || world.offer != OfferState::Charged));
    broken.add_if(unrecorded, Promise::MoneyIsOnRecord);
    let undecided = made.iter().any(|a| is_live(a.state));
    let waits_for_nothing =
        matches!(world.offer, OfferState::Accepting | OfferState::Pending | OfferState::Unknown)
            && !made.iter().any(|a| is_live(a.state));
    broken.add_if(undecided || waits_for_nothing, Promise::NothingIsStuck);
    broken
}
