//! Everything that matters of one offer, at the proxy and at Dodo: small enough to visit every one of its states.

use upsell_core::domain::{AttemptKind, AttemptState, OfferState};
use wire::FailureReason;

/// Attempts that fit.
pub(super) const MOST: usize = 6;

/// One state of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct World {
    /// Row of the offer: its state,
    pub(super) offer: OfferState,
    /// and the number of its latest attempt.
    pub(super) latest: u8,
    /// The clock has passed the end of the offer.
    pub(super) over: bool,
    /// The refusal is in the ledger.
    pub(super) declined: bool,
    /// Clicks that were claimed, hosted pages that were, processes that died.
    pub(super) clicks: u8,
    pub(super) pages: u8,
    pub(super) crashes: u8,
    /// By number; those beyond `latest` are blank.
    pub(super) attempts: [Attempt; MOST],
}

/// One attempt: its row, the task that works on it, its request on the way, and its payment at Dodo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// The row.
    pub(super) kind: AttemptKind,
    pub(super) state: AttemptState,
    pub(super) surplus: bool,
    /// Its payment or checkout is known by id.
    pub(super) known: bool,
    /// Complete looks after the deadline that decided nothing.
    pub(super) clean_looks: u8,
    /// Whoever asked could have been told "failed".
    pub(super) told_failed: bool,
    /// The task.
    pub(super) task: Task,
    /// The latest request.
    pub(super) net: Net,
    /// Requests that have left.
    pub(super) posts: u8,
    /// The payment at Dodo as it is, and as it began where it did not end at once: webhooks may tell of either.
    pub(super) payment: Payment,
    pub(super) began: Payment,
    /// Listings show it.
    pub(super) listed: bool,
    /// Times that money was collected.
    pub(super) paid: u8,
}

/// What the process is about to do for an attempt.
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

/// What `policy::classify` makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    NotSent,
    NotExecuted,
    Rejected,
    Unknown,
    Accepted,
}

/// What became of a request on the way, and what Dodo answered.
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
    /// Dodo did not look at it: too many requests.
    Throttled,
    /// Dodo executed it: charged, or opened a hosted page.
    Executed,
    /// The hosted page has closed.
    Closed,
}

/// A payment at Dodo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payment {
    None,
    Processing,
    /// The bank wants something of the buyer.
    NeedsBuyer,
    Failed,
    Succeeded,
}

/// A world in as many bits as it needs.
pub(super) type Packed = [u32; MOST + 1];

impl Attempt {
    /// As it is claimed.
    pub(super) fn claimed(kind: AttemptKind) -> Self {
        Self { state: AttemptState::Claimed, task: Task::Preparing, ..Self::blank(kind) }
    }

    fn blank(kind: AttemptKind) -> Self {
        Self {
            kind,
            state: AttemptState::Released,
            surplus: false,
            known: false,
            clean_looks: 0,
            told_failed: false,
            task: Task::Gone,
            net: Net::Nothing,
            posts: 0,
            payment: Payment::None,
            began: Payment::None,
            listed: false,
            paid: 0,
        }
    }

    pub(super) fn is_hosted(&self) -> bool {
        self.kind == AttemptKind::Hosted
    }

    /// Whether a buyer can pay on its page: its address was written down, and handed out.
    pub(super) fn page_is_open(&self) -> bool {
        self.is_hosted() && self.known && self.net == Net::Executed
    }

    fn pack(&self) -> u32 {
        let mut bits = Bits::default();
        bits.put(u32::from(self.is_hosted()), 1);
        bits.put(state_code(self.state), 4);
        bits.put(task_code(self.task), 4);
        bits.put(self.net as u32, 3);
        bits.put(self.payment as u32, 3);
        bits.put(self.began as u32, 3);
        for flag in [self.surplus, self.known, self.told_failed, self.listed] {
            bits.put(u32::from(flag), 1);
        }
        for small in [self.clean_looks, self.posts, self.paid] {
            bits.put(u32::from(small), 2);
        }
        bits.0
    }

    fn unpack(packed: u32) -> Self {
        // Taken in the opposite order.
        let mut bits = Bits(packed);
        let paid = bits.take(2) as u8;
        let posts = bits.take(2) as u8;
        let clean_looks = bits.take(2) as u8;
        let [listed, told_failed, known, surplus] = [(); 4].map(|()| bits.take(1) == 1);
        let began = PAYMENTS[bits.take(3) as usize];
        let payment = PAYMENTS[bits.take(3) as usize];
        let net = NETS[bits.take(3) as usize];
        let task = TASKS[bits.take(4) as usize];
        let state = STATES[bits.take(4) as usize];
        let kind = if bits.take(1) == 1 { AttemptKind::Hosted } else { AttemptKind::OneClick };
        Self {
            kind,
            state,
            surplus,
            known,
            clean_looks,
            told_failed,
            task,
            net,
            posts,
            payment,
            began,
            listed,
            paid,
        }
    }
}

impl World {
    /// An offer on the screen; nobody has clicked.
    pub(super) fn start() -> Self {
        Self {
            offer: OfferState::Presented,
            latest: 0,
            over: false,
            declined: false,
            clicks: 0,
            pages: 0,
            crashes: 0,
            attempts: [Attempt::blank(AttemptKind::OneClick); MOST],
        }
    }

    /// The attempts that were made.
    pub(super) fn made(&self) -> &[Attempt] {
        &self.attempts[..usize::from(self.latest)]
    }

    pub(super) fn pack(&self) -> Packed {
        let mut head = Bits::default();
        head.put(OFFERS.iter().position(|state| *state == self.offer).unwrap_or_default() as u32, 4);
        head.put(u32::from(self.over), 1);
        head.put(u32::from(self.declined), 1);
        for small in [self.latest, self.clicks, self.pages, self.crashes] {
            head.put(u32::from(small), 4);
        }
        let mut packed = [0; MOST + 1];
        for (place, attempt) in packed.iter_mut().zip(self.made()) {
            *place = attempt.pack();
        }
        packed[MOST] = head.0;
        packed
    }

    pub(super) fn unpack(packed: &Packed) -> Self {
        let mut head = Bits(packed[MOST]);
        let [crashes, pages, clicks, latest] = [(); 4].map(|()| head.take(4) as u8);
        let declined = head.take(1) == 1;
        let over = head.take(1) == 1;
        let offer = OFFERS[head.take(4) as usize];
        let mut world = Self { offer, latest, over, declined, clicks, pages, crashes, ..Self::start() };
        for (attempt, packed) in world.attempts.iter_mut().zip(packed).take(usize::from(latest)) {
            *attempt = Attempt::unpack(*packed);
        }
        world
    }
}

/// Why it failed makes no difference to what may happen next, so that one reason stands for all.
pub(super) const FAILED: AttemptState = AttemptState::Failed(FailureReason::Declined);

const OFFERS: [OfferState; 10] = [
    OfferState::Eligible,
    OfferState::Presented,
    OfferState::Accepting,
    OfferState::Pending,
    OfferState::Unknown,
    OfferState::Failed,
    OfferState::Charged,
    OfferState::Declined,
    OfferState::Expired,
    OfferState::Abandoned,
];
const STATES: [AttemptState; 10] = [
    AttemptState::Claimed,
    AttemptState::Released,
    AttemptState::Sent,
    AttemptState::Unknown,
    AttemptState::Pending { customer_action: false },
    AttemptState::Pending { customer_action: true },
    FAILED,
    AttemptState::Abandoned,
    AttemptState::Scheduled,
    AttemptState::Succeeded,
];
const TASKS: [Task; 9] = [
    Task::Gone,
    Task::Preparing,
    Task::Marked,
    Task::Waiting,
    Task::Knows(Verdict::NotSent),
    Task::Knows(Verdict::NotExecuted),
    Task::Knows(Verdict::Rejected),
    Task::Knows(Verdict::Unknown),
    Task::Knows(Verdict::Accepted),
];
const NETS: [Net; 7] =
    [Net::Nothing, Net::InFlight, Net::Lost, Net::Refused, Net::Throttled, Net::Executed, Net::Closed];
const PAYMENTS: [Payment; 5] =
    [Payment::None, Payment::Processing, Payment::NeedsBuyer, Payment::Failed, Payment::Succeeded];

fn state_code(state: AttemptState) -> u32 {
    match state {
        AttemptState::Claimed => 0,
        AttemptState::Released => 1,
        AttemptState::Sent => 2,
        AttemptState::Unknown => 3,
        AttemptState::Pending { customer_action } => 4 + u32::from(customer_action),
        AttemptState::Failed(_) => 6,
        AttemptState::Abandoned => 7,
        AttemptState::Scheduled => 8,
        AttemptState::Succeeded => 9,
    }
}

fn task_code(task: Task) -> u32 {
    match task {
        Task::Gone => 0,
        Task::Preparing => 1,
        Task::Marked => 2,
        Task::Waiting => 3,
        Task::Knows(verdict) => 4 + verdict as u32,
    }
}

/// A word filled from below; what was put last is taken first.
#[derive(Default)]
struct Bits(u32);

impl Bits {
    fn put(&mut self, value: u32, width: u32) {
        debug_assert!(value < 1 << width, "{value} does not fit into {width} bits");
        self.0 = self.0 << width | value;
    }

    fn take(&mut self, width: u32) -> u32 {
        let value = self.0 & ((1 << width) - 1);
        self.0 >>= width;
        value
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attempt() -> impl Strategy<Value = Attempt> {
        let of = |all: &'static [Payment]| prop::sample::select(all);
        (
            (any::<bool>(), prop::sample::select(&STATES), prop::sample::select(&TASKS)),
            (prop::sample::select(&NETS), of(&PAYMENTS), of(&PAYMENTS)),
            (any::<[bool; 4]>(), [0..4_u8, 0..4, 0..4]),
        )
            .prop_map(|((hosted, state, task), (net, payment, began), (flags, counts))| Attempt {
                kind: if hosted { AttemptKind::Hosted } else { AttemptKind::OneClick },
                state,
                surplus: flags[0],
                known: flags[1],
                clean_looks: counts[0],
                told_failed: flags[2],
                task,
                net,
                posts: counts[1],
                payment,
                began,
                listed: flags[3],
                paid: counts[2],
            })
    }

    proptest! {
        #[test]
        fn packing_loses_nothing(
            offer in prop::sample::select(&OFFERS),
            latest in 0..=MOST,
            flags: [bool; 2],
            counts in [0..7_u8, 0..7, 0..7],
            attempts in prop::collection::vec(attempt(), MOST),
        ) {
            let mut world = World {
                offer,
                latest: u8::try_from(latest).unwrap(),
                over: flags[0],
                declined: flags[1],
                clicks: counts[0],
                pages: counts[1],
                crashes: counts[2],
                ..World::start()
            };
            world.attempts[..latest].copy_from_slice(&attempts[..latest]);
            prop_assert_eq!(World::unpack(&world.pack()), world);
        }
    }
}
