//! Everything that matters of one offer, at the proxy and at Dodo: small enough to visit every one of its states.

use upsell_core::domain::AttemptKind;

use super::{
    bits::{Bits, place},
    book::{Book, MOST, PAYMENTS, Row},
};

/// One state of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct World {
    /// The rows in the store.
    pub(super) book: Book,
    /// Clicks that were claimed, hosted pages that were, processes that died.
    pub(super) clicks: u8,
    pub(super) pages: u8,
    pub(super) crashes: u8,
    /// Payments that the buyer made with copied metadata.
    pub(super) copies: u8,
    /// By place, as in the book; those beyond `book.made` are blank.
    pub(super) attempts: [Attempt; MOST],
}

/// The part of an attempt outside the store: the task that works on it, its request on the way, its payments at Dodo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// The task.
    pub(super) task: Task,
    /// The latest request.
    pub(super) net: Net,
    /// Requests for a charge that have left.
    pub(super) posts: u8,
    /// Whoever asked could have been told "failed".
    pub(super) told_failed: bool,
    /// The address of the hosted page was handed out.
    pub(super) shown: bool,
    /// Payments at Dodo, in the order in which they began.
    pub(super) payments: [Payment; PAYMENTS],
}

/// One payment at Dodo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Payment {
    /// As it is,
    pub(super) status: Status,
    /// and as it began where it did not end at once: webhooks may tell of either.
    pub(super) began: Status,
    /// Listings show it.
    pub(super) listed: bool,
    /// The worker's task for its refund order, and its request on the way.
    pub(super) refund: Task,
    pub(super) refund_net: Net,
    /// Refunds made.
    pub(super) refunds: u8,
}

/// The next step of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Nothing: finished, or dead.
    Gone,
    /// Claimed; asks the price again.
    Preparing,
    /// Marked as sent; the request has not left yet.
    Marked,
    /// Waits for an answer.
    Waiting,
    /// Knows what the answer proves; has not written it down yet.
    Knows(Verdict),
}

/// Verdict of `policy::classify` on an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    NotSent,
    Rejected,
    Unknown,
    Accepted,
}

/// Fate of a request on the way, with Dodo's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Net {
    /// None has left.
    Nothing,
    /// It is on the way, and may arrive at any time, however late.
    InFlight,
    /// It never arrived.
    Lost,
    /// Dodo refused it.
    Refused,
    /// Dodo executed it: charged, gave back, or opened a hosted page.
    Executed,
    /// The hosted page has closed.
    Closed,
}

/// Status of a payment at Dodo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Status {
    /// It has not begun.
    None,
    Processing,
    /// The bank wants something of the buyer.
    NeedsBuyer,
    Failed,
    Succeeded,
}

impl Payment {
    const NONE: Self = Self {
        status: Status::None,
        began: Status::None,
        listed: false,
        refund: Task::Gone,
        refund_net: Net::Nothing,
        refunds: 0,
    };

    pub(super) fn begin(&mut self, status: Status) {
        self.status = status;
        if self.is_under_way() {
            self.began = status;
        }
    }

    pub(super) fn is_under_way(&self) -> bool {
        matches!(self.status, Status::Processing | Status::NeedsBuyer)
    }

    pub(super) fn has_collected(&self) -> bool {
        self.status == Status::Succeeded
    }

    /// Returns its statuses, the present one first.
    pub(super) fn history(&self) -> impl Iterator<Item = Status> + use<> {
        let [now, began] = [self.status, self.began];
        [Some(now), Some(began).filter(|began| *began != now)]
            .into_iter()
            .flatten()
            .filter(|status| *status != Status::None)
    }
}

impl Attempt {
    pub(super) const BLANK: Self = Self {
        task: Task::Gone,
        net: Net::Nothing,
        posts: 0,
        told_failed: false,
        shown: false,
        payments: [Payment::NONE; PAYMENTS],
    };

    /// As it is claimed.
    pub(super) const CLAIMED: Self = Self { task: Task::Preparing, ..Self::BLANK };

    /// Says whether a buyer can pay on its page.
    pub(super) fn page_is_open(&self) -> bool {
        self.shown && self.net == Net::Executed
    }

    /// The payments that have begun, by place.
    pub(super) fn begun(&self) -> impl Iterator<Item = (usize, &Payment)> {
        self.payments.iter().enumerate().filter(|(_, payment)| payment.status != Status::None)
    }

    /// Payments that have collected.
    pub(super) fn collected(&self) -> usize {
        self.payments.iter().filter(|payment| payment.has_collected()).count()
    }

    /// The payment that a checkout names: one that has collected where there is one, or else the latest.
    pub(super) fn named_by_checkout(&self) -> Option<usize> {
        let collected = self.begun().find(|(_, payment)| payment.has_collected());
        collected.or_else(|| self.begun().last()).map(|(k, _)| k)
    }

    pub(super) fn pack(&self) -> u64 {
        let mut bits = Bits::default();
        bits.put(place(&TASKS, &self.task), 4);
        bits.put(place(&NETS, &self.net), 3);
        bits.put(self.posts.into(), 2);
        bits.put(u64::from(self.told_failed), 1);
        bits.put(u64::from(self.shown), 1);
        for payment in &self.payments {
            bits.put(place(&STATUSES, &payment.status), 3);
            bits.put(place(&STATUSES, &payment.began), 3);
            bits.put(u64::from(payment.listed), 1);
            bits.put(place(&TASKS, &payment.refund), 4);
            bits.put(place(&NETS, &payment.refund_net), 3);
            bits.put(payment.refunds.into(), 2);
        }
        bits.0
    }

    fn unpack(packed: u64) -> Self {
        let mut bits = Bits(packed);
        let mut attempt = Self::BLANK;
        // Taken in the opposite order.
        for payment in attempt.payments.iter_mut().rev() {
            payment.refunds = bits.take(2) as u8;
            payment.refund_net = NETS[bits.take(3) as usize];
            payment.refund = TASKS[bits.take(4) as usize];
            payment.listed = bits.take(1) == 1;
            payment.began = STATUSES[bits.take(3) as usize];
            payment.status = STATUSES[bits.take(3) as usize];
        }
        attempt.shown = bits.take(1) == 1;
        attempt.told_failed = bits.take(1) == 1;
        attempt.posts = bits.take(2) as u8;
        attempt.net = NETS[bits.take(3) as usize];
        attempt.task = TASKS[bits.take(4) as usize];
        attempt
    }
}

/// A world in as many bits as it needs: the rows, what there is of each attempt outside the store, and what else there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Packed {
    rows: [u64; MOST],
    attempts: [u64; MOST],
    head: u32,
}

impl World {
    /// An offer on the screen; nobody has clicked.
    pub(super) fn start() -> Self {
        Self {
            book: Book::start(),
            clicks: 0,
            pages: 0,
            crashes: 0,
            copies: 0,
            attempts: [Attempt::BLANK; MOST],
        }
    }

    pub(super) fn made(&self) -> usize {
        self.book.made.into()
    }

    /// The attempts that were made: their rows, and what there is of them outside the store.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Row, &Attempt)> {
        self.book.made().iter().zip(&self.attempts)
    }

    pub(super) fn is_hosted(&self, n: usize) -> bool {
        self.book.rows[n].kind == AttemptKind::Hosted
    }

    pub(super) fn pack(&self) -> Packed {
        let mut head = Bits::default();
        for small in [self.clicks, self.pages, self.crashes, self.copies] {
            head.put(small.into(), 3);
        }
        self.book.put_head(&mut head);
        let mut packed = Packed { rows: [0; MOST], attempts: [0; MOST], head: head.0 as u32 };
        for (n, (row, attempt)) in self.each().enumerate() {
            (packed.rows[n], packed.attempts[n]) = (row.pack(), attempt.pack());
        }
        packed
    }

    pub(super) fn unpack(packed: &Packed) -> Self {
        let mut head = Bits(packed.head.into());
        let book = Book::take_head(&mut head);
        let [copies, crashes, pages, clicks] = [(); 4].map(|()| head.take(3) as u8);
        let mut world = Self { book, clicks, pages, crashes, copies, ..Self::start() };
        for n in 0..world.made() {
            world.book.rows[n] = Row::unpack(packed.rows[n]);
            world.attempts[n] = Attempt::unpack(packed.attempts[n]);
        }
        world
    }
}

const TASKS: [Task; 8] = [
    Task::Gone,
    Task::Preparing,
    Task::Marked,
    Task::Waiting,
    Task::Knows(Verdict::NotSent),
    Task::Knows(Verdict::Rejected),
    Task::Knows(Verdict::Unknown),
    Task::Knows(Verdict::Accepted),
];
const NETS: [Net; 6] = [Net::Nothing, Net::InFlight, Net::Lost, Net::Refused, Net::Executed, Net::Closed];
const STATUSES: [Status; 5] =
    [Status::None, Status::Processing, Status::NeedsBuyer, Status::Failed, Status::Succeeded];

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::{super::book::tests::book, *};

    fn payment() -> impl Strategy<Value = Payment> {
        let status = || prop::sample::select(&STATUSES);
        let (task, net) = (prop::sample::select(&TASKS), prop::sample::select(&NETS));
        (status(), status(), any::<bool>(), task, net, 0..4_u8).prop_map(
            |(status, began, listed, refund, refund_net, refunds)| Payment {
                status,
                began,
                listed,
                refund,
                refund_net,
                refunds,
            },
        )
    }

    fn attempt() -> impl Strategy<Value = Attempt> {
        let (task, net) = (prop::sample::select(&TASKS), prop::sample::select(&NETS));
        (task, net, 0..4_u8, any::<[bool; 2]>(), [payment(), payment()]).prop_map(
            |(task, net, posts, [told_failed, shown], payments)| Attempt {
                task,
                net,
                posts,
                told_failed,
                shown,
                payments,
            },
        )
    }

    pub(in super::super) fn world() -> impl Strategy<Value = World> {
        (book(), [0..8_u8, 0..8, 0..8, 0..8], prop::collection::vec(attempt(), MOST)).prop_map(
            |(book, [clicks, pages, crashes, copies], attempts)| {
                let mut world = World { book, clicks, pages, crashes, copies, ..World::start() };
                let made = world.made();
                world.attempts[..made].copy_from_slice(&attempts[..made]);
                world
            },
        )
    }

    proptest! {
        #[test]
        fn packing_loses_nothing(world in world()) {
            prop_assert_eq!(World::unpack(&world.pack()), world);
        }
    }
}
