//! Promises that have to hold in every state of the world.

use upsell_core::{
    domain::{AttemptKind, AttemptState, OfferState, OrderState, PaymentStatus},
    journal::states::is_live,
};

use super::{
    book::{ACCEPTED, FAILED, GIVEN_BACK, NOT_PAID, ORDERED, Row, SUCCEEDED},
    world::{Attempt, Net, Payment, Task, World},
};
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
    /// I14: the merchant's system is notified of what is true, and once things have quieted down, of all of it.
    Notified,
    /// No payment is given back twice.
    GivenBackOnce,
    /// No payment is given back without an order.
    SaleIsKept,
    /// Once things have quieted down: what was collected beside the sale is ordered back, and no order waits.
    ExcessGoesBack,
}

impl Promise {
    pub(super) const ALL: [Self; 13] = [
        Self::ChargedOnce,
        Self::OneLiveAttempt,
        Self::SentOnce,
        Self::MarkedBeforeSent,
        Self::MoneyIsOnRecord,
        Self::OpenMeansIdle,
        Self::RefusalStands,
        Self::FailedIsTrue,
        Self::NothingIsStuck,
        Self::Notified,
        Self::GivenBackOnce,
        Self::SaleIsKept,
        Self::ExcessGoesBack,
    ];

    /// Names the promise by the fault that breaks it.
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
            Self::Notified => "I14: notified of what is not so, or not notified",
            Self::GivenBackOnce => "one payment given back twice",
            Self::SaleIsKept => "given back without an order",
            Self::ExcessGoesBack => "collected beside the sale, and kept",
        }
    }

    /// Returns the count of the closing line that a broken promise adds to.
    pub(super) fn broken(self) -> Broken {
        match self {
            Self::MoneyIsOnRecord | Self::Notified | Self::SaleIsKept => Broken::Lost,
            Self::NothingIsStuck | Self::ExcessGoesBack => Broken::Stuck,
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

/// Returns the promises that are broken in this state, whatever comes next.
pub(super) fn broken_now(world: &World) -> Promises {
    let mut broken = Promises::default();
    let any = |holds: fn(&Row, &Attempt) -> bool| world.each().any(|(row, attempt)| holds(row, attempt));
    broken.add_if(charges(world) > 1, Promise::ChargedOnce);
    let live = world.each().filter(|(row, _)| is_live(row.state) && !row.surplus).count();
    broken.add_if(live > 1, Promise::OneLiveAttempt);
    // A hosted page that nobody was sent to may be asked for as often as one likes.
    broken.add_if(any(|_, attempt| attempt.posts > 1), Promise::SentOnce);
    let charging = any(|row, attempt| is_one_click(row) && attempt.net == Net::InFlight);
    let unmarked = any(|row, attempt| {
        is_one_click(row)
            && attempt.net == Net::InFlight
            && matches!(row.state, AttemptState::Claimed | AttemptState::Released)
    });
    broken.add_if(unmarked, Promise::MarkedBeforeSent);
    let under_way = charging
        || any(|row, attempt| {
            let may_collect = |(_, payment): (_, &Payment)| payment.is_under_way() || payment.has_collected();
            (is_one_click(row) && attempt.task == Task::Marked)
                || attempt.begun().any(may_collect)
                || attempt.page_is_open()
        });
    let open = is_open(world.book.offer);
    broken.add_if(open && under_way, Promise::OpenMeansIdle);
    let paid = any(|_, attempt| attempt.collected() > 0);
    broken.add_if(world.book.declined && (paid || charging || open), Promise::RefusalStands);
    broken.add_if(any(|_, attempt| attempt.told_failed && attempt.collected() > 0), Promise::FailedIsTrue);
    broken.add_if(any(was_told_wrong), Promise::Notified);
    broken.add_if(
        any(|_, attempt| attempt.payments.iter().any(|payment| payment.refunds > 1)),
        Promise::GivenBackOnce,
    );
    let unordered = any(|row, attempt| {
        let both = row.payments.iter().zip(&attempt.payments);
        both.into_iter().any(|(row, payment)| payment.refunds > 0 && row.order.is_none())
    });
    broken.add_if(unordered, Promise::SaleIsKept);
    broken
}

fn is_one_click(row: &Row) -> bool {
    row.kind == AttemptKind::OneClick
}

/// Counts the payments collected for this offer; those that the buyer made again on Dodo's own page count once.
fn charges(world: &World) -> usize {
    let of = |(row, attempt): (&Row, &Attempt)| match row.kind {
        AttemptKind::Hosted => attempt.collected().min(1),
        _ => attempt.collected(),
    };
    world.each().map(of).sum()
}

fn was_told_wrong(row: &Row, attempt: &Attempt) -> bool {
    let paid = attempt.collected() > 0;
    (row.notified[SUCCEEDED] && !paid)
        || (row.notified[NOT_PAID] && paid)
        || row.payments.iter().any(|payment| payment.notified[ORDERED] && payment.order.is_none())
}

/// Returns the promises that are broken once everything is at rest that could move by itself.
pub(super) fn broken_at_rest(world: &World) -> Promises {
    let mut broken = broken_now(world);
    let any = |holds: fn(&Row, &Attempt) -> bool| world.each().any(|(row, attempt)| holds(row, attempt));
    let unrecorded = any(|row, attempt| {
        let of_each = || row.payments.iter().zip(&attempt.payments);
        attempt.collected() > 0
            && (row.state != AttemptState::Succeeded
                || of_each().any(|(row, payment)| {
                    payment.has_collected() && row.status != Some(PaymentStatus::Succeeded)
                }))
    });
    let paid = any(|_, attempt| attempt.collected() > 0);
    let unrecorded = unrecorded || (paid && world.book.offer != OfferState::Charged);
    broken.add_if(unrecorded, Promise::MoneyIsOnRecord);
    let undecided = any(|row, _| is_live(row.state));
    let waits_for_nothing = !undecided
        && matches!(world.book.offer, OfferState::Accepting | OfferState::Pending | OfferState::Unknown);
    broken.add_if(undecided || waits_for_nothing, Promise::NothingIsStuck);
    broken.add_if(any(was_not_told), Promise::Notified);
    broken.add_if(any(keeps_too_much), Promise::ExcessGoesBack);
    broken
}

fn was_not_told(row: &Row, _: &Attempt) -> bool {
    let was_sent = !matches!(row.state, AttemptState::Claimed | AttemptState::Released);
    let counts = usize::from(row.counts).checked_sub(1).and_then(|k| row.payments.get(k));
    let is_kept = counts.is_none_or(|payment| payment.order.is_none());
    (was_sent && !row.notified[ACCEPTED])
        || (row.state == FAILED && !row.notified[NOT_PAID])
        || ((row.state == AttemptState::Succeeded && is_kept) != row.notified[SUCCEEDED])
        || row.payments.iter().any(|payment| {
            (payment.order.is_some() && !payment.notified[ORDERED])
                || (payment.refunded && !payment.notified[GIVEN_BACK])
        })
}

fn keeps_too_much(row: &Row, attempt: &Attempt) -> bool {
    let payments = row.payments.iter().zip(&attempt.payments).enumerate();
    payments.filter(|(_, (_, payment))| payment.has_collected()).any(|(k, (on_record, payment))| {
        let is_the_sale = usize::from(row.counts) == k + 1;
        match on_record.order {
            None => !is_the_sale,
            Some((_, OrderState::Due)) => true,
            Some((_, state)) => payment.refunds > 0 && (state != OrderState::Done || !on_record.refunded),
        }
    })
}
