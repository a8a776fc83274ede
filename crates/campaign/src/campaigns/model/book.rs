//! What the store holds of one offer, in as many bits as the decisions about it can tell apart, and the way from there to
//! production's rows and back.

use dodo_client::ids::{CheckoutSessionId, PaymentId, RefundId};
use upsell_core::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, OfferRow, OfferState, OrderState, PaymentOnRecord,
        PaymentStatus, QuoteRow, RefundCause, RefundOrder, RefundStatus, SeenPayment, SeenRefund,
    },
    journal::{
        StoredAttempt, StoredOrder, StoredPayment,
        memory::Memory,
        notifications::{Notification, NotificationKind},
    },
};
use wire::{AttemptId, FailureReason, UnixSeconds};

use super::bits::{Bits, place};

/// Attempts that fit.
pub(super) const MOST: usize = 4;
/// Payments of one attempt that fit: on a hosted checkout a second card may be tried.
pub(super) const PAYMENTS: usize = 2;

/// Time of everything that happens before the offer runs out, and of what happens after.
pub(super) const BEFORE: UnixSeconds = UnixSeconds(10);
pub(super) const END: UnixSeconds = UnixSeconds(20);
/// Leases last: that one may have run out is played by recovery taking the attempt at any time.
pub(super) const LEASE: UnixSeconds = UnixSeconds(1_000);
/// The opening of the store that everything is done by.
const INSTANCE: &str = "px_model";
/// Where a hosted checkout is.
pub(super) const PAGE: &str = "https://page";

/// Rows of one offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Book {
    /// State of the offer.
    pub(super) offer: OfferState,
    /// The offer's number is above that of every attempt here: the latest one is left out, being of no consequence.
    pub(super) ahead: bool,
    /// The offer has run out.
    pub(super) over: bool,
    /// The refusal is in the ledger.
    pub(super) declined: bool,
    /// Attempts.
    pub(super) made: u8,
    /// By number; those beyond `made` are blank.
    pub(super) rows: [Row; MOST],
}

/// One attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) kind: AttemptKind,
    pub(super) state: AttemptState,
    /// It collected beside another attempt.
    pub(super) surplus: bool,
    /// Its checkout session is known, and where it is hosted, its address.
    pub(super) session: bool,
    /// The payment that counts, from 1; 0 where none is known.
    pub(super) counts: u8,
    /// Complete looks after the deadline that decided nothing.
    pub(super) clean_looks: u8,
    /// Payments on record.
    pub(super) payments: [PaymentRow; PAYMENTS],
    /// What the merchant's system was notified of: accepted, succeeded, failed.
    pub(super) notified: [bool; 3],
}

/// One payment on record, with its refund and its refund order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct PaymentRow {
    pub(super) status: Option<PaymentStatus>,
    pub(super) surplus: bool,
    /// Its refund is on record, and succeeded.
    pub(super) refunded: bool,
    /// Why it is ordered back, and how that order stands.
    pub(super) order: Option<(RefundCause, OrderState)>,
    /// What the merchant's system was notified of: ordered back, given back.
    pub(super) notified: [bool; 2],
}

/// The notifications whose coming is followed.
pub(super) const ACCEPTED: usize = 0;
pub(super) const SUCCEEDED: usize = 1;
pub(super) const NOT_PAID: usize = 2;
/// The same of a payment.
pub(super) const ORDERED: usize = 0;
pub(super) const GIVEN_BACK: usize = 1;
const KINDS: [NotificationKind; 3] =
    [NotificationKind::OfferAccepted, NotificationKind::PaymentSucceeded, NotificationKind::PaymentFailed];

/// Why it failed makes no difference to what may happen next, so that one reason stands for all.
pub(super) const FAILED: AttemptState = AttemptState::Failed(FailureReason::Declined);

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
const STATUSES: [Option<PaymentStatus>; 4] =
    [None, Some(PaymentStatus::Pending), Some(PaymentStatus::Failed), Some(PaymentStatus::Succeeded)];
const ORDERS: [Option<(RefundCause, OrderState)>; 9] = [
    None,
    Some((RefundCause::Late, OrderState::Due)),
    Some((RefundCause::Late, OrderState::Sent)),
    Some((RefundCause::Late, OrderState::Done)),
    Some((RefundCause::Late, OrderState::Refused)),
    Some((RefundCause::Surplus, OrderState::Due)),
    Some((RefundCause::Surplus, OrderState::Sent)),
    Some((RefundCause::Surplus, OrderState::Done)),
    Some((RefundCause::Surplus, OrderState::Refused)),
];

impl Row {
    pub(super) fn blank(kind: AttemptKind) -> Self {
        Self {
            kind,
            state: AttemptState::Released,
            surplus: false,
            session: false,
            counts: 0,
            clean_looks: 0,
            payments: [PaymentRow::default(); PAYMENTS],
            notified: [false; 3],
        }
    }

    /// Whether Dodo knows it by an id that is on record.
    pub(super) fn is_known(&self) -> bool {
        self.session || self.counts != 0
    }

    fn put(&self, bits: &mut Bits) {
        bits.put(u64::from(self.kind == AttemptKind::Hosted), 1);
        bits.put(place(&STATES, &self.state), 4);
        for flag in [self.surplus, self.session].into_iter().chain(self.notified) {
            bits.put(u64::from(flag), 1);
        }
        bits.put(self.counts.into(), 2);
        bits.put(self.clean_looks.into(), 2);
        for payment in &self.payments {
            bits.put(place(&STATUSES, &payment.status), 2);
            bits.put(u64::from(payment.surplus), 1);
            bits.put(u64::from(payment.refunded), 1);
            bits.put(place(&ORDERS, &payment.order), 4);
            for flag in payment.notified {
                bits.put(u64::from(flag), 1);
            }
        }
    }

    fn take(bits: &mut Bits) -> Self {
        let mut row = Self::blank(AttemptKind::OneClick);
        for payment in row.payments.iter_mut().rev() {
            for flag in payment.notified.iter_mut().rev() {
                *flag = bits.take(1) == 1;
            }
            payment.order = ORDERS[bits.take(4) as usize];
            payment.refunded = bits.take(1) == 1;
            payment.surplus = bits.take(1) == 1;
            payment.status = STATUSES[bits.take(2) as usize];
        }
        row.clean_looks = bits.take(2) as u8;
        row.counts = bits.take(2) as u8;
        for flag in row.notified.iter_mut().rev() {
            *flag = bits.take(1) == 1;
        }
        row.session = bits.take(1) == 1;
        row.surplus = bits.take(1) == 1;
        row.state = STATES[bits.take(4) as usize];
        if bits.take(1) == 1 {
            row.kind = AttemptKind::Hosted;
        }
        row
    }

    pub(super) fn pack(&self) -> u64 {
        let mut bits = Bits::default();
        self.put(&mut bits);
        bits.0
    }

    pub(super) fn unpack(packed: u64) -> Self {
        Self::take(&mut Bits(packed))
    }
}

/// A book in as many bits as it needs: its rows, and what else there is.
pub(super) type PackedBook = [u64; MOST + 1];

impl Book {
    /// An offer on the screen; nobody has clicked.
    pub(super) fn start() -> Self {
        Self {
            offer: OfferState::Presented,
            ahead: false,
            over: false,
            declined: false,
            made: 0,
            rows: [Row::blank(AttemptKind::OneClick); MOST],
        }
    }

    /// The attempts that were made.
    pub(super) fn made(&self) -> &[Row] {
        &self.rows[..usize::from(self.made)]
    }

    pub(super) fn put_head(&self, bits: &mut Bits) {
        bits.put(place(OfferState::ALL, &self.offer), 4);
        for flag in [self.ahead, self.over, self.declined] {
            bits.put(u64::from(flag), 1);
        }
        bits.put(self.made.into(), 3);
    }

    pub(super) fn take_head(bits: &mut Bits) -> Self {
        let made = bits.take(3) as u8;
        let [declined, over, ahead] = [(); 3].map(|()| bits.take(1) == 1);
        let offer = OfferState::ALL[bits.take(4) as usize];
        Self { offer, ahead, over, declined, made, ..Self::start() }
    }

    pub(super) fn pack(&self) -> PackedBook {
        let mut packed = [0; MOST + 1];
        for (place, row) in packed.iter_mut().zip(self.made()) {
            *place = row.pack();
        }
        let mut head = Bits::default();
        self.put_head(&mut head);
        packed[MOST] = head.0;
        packed
    }

    pub(super) fn unpack(packed: &PackedBook) -> Self {
        let mut book = Self::take_head(&mut Bits(packed[MOST]));
        for (row, packed) in book.rows.iter_mut().zip(packed).take(usize::from(book.made)) {
            *row = Row::unpack(*packed);
        }
        book
    }
}

/// How production's rows are named for a book.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// Attempts by place.
    pub(super) attempts: Vec<AttemptId>,
    /// Their checkout sessions.
    pub(super) sessions: Vec<CheckoutSessionId>,
    /// Payments by attempt and place.
    pub(super) payments: Vec<Vec<PaymentId>>,
    /// Their one refund each.
    pub(super) refunds: Vec<Vec<RefundId>>,
}

impl Names {
    /// Makes them up.
    ///
    /// # Errors
    /// When an id is not one.
    pub(super) fn new() -> anyhow::Result<Self> {
        let mut names =
            Self { attempts: Vec::new(), sessions: Vec::new(), payments: Vec::new(), refunds: Vec::new() };
        for n in 0..MOST {
            names.attempts.push(AttemptId::parse(format!("at_{n}"))?);
            names.sessions.push(CheckoutSessionId::parse(format!("cks_{n}"))?);
            let (mut payments, mut refunds) = (Vec::new(), Vec::new());
            for k in 0..PAYMENTS {
                payments.push(PaymentId::parse(format!("pay_{n}_{k}"))?);
                refunds.push(RefundId::parse(format!("ref_{n}_{k}"))?);
            }
            names.payments.push(payments);
            names.refunds.push(refunds);
        }
        Ok(names)
    }

    /// Returns production's rows.
    pub(super) fn rows(&self, book: &Book) -> Memory {
        let mut memory = Memory::opened_as(INSTANCE);
        let offer = OfferRow {
            state: book.offer,
            attempt_no: u32::from(book.made) + u32::from(book.ahead),
            expires_at: if book.over { BEFORE } else { END },
            ..OfferRow::example()
        };
        let quote = QuoteRow { offer_id: Some(offer.id.clone()), ..QuoteRow::example() };
        memory.quotes.insert(quote.quote.id.clone(), quote);
        for (n, row) in book.made().iter().enumerate() {
            let attempt = self.attempt(n, row, &offer);
            let about = attempt.row.id.as_str();
            for kind in KINDS.into_iter().zip(row.notified).filter_map(|(kind, told)| told.then_some(kind)) {
                notified(&mut memory, about, kind);
            }
            for (k, payment) in row.payments.iter().enumerate() {
                self.add_payment(n, k, payment, &mut memory);
            }
            memory.attempts.insert(attempt.row.id.clone(), attempt);
        }
        memory.offers.insert(offer.id.clone(), offer);
        memory
    }

    fn attempt(&self, n: usize, row: &Row, offer: &OfferRow) -> StoredAttempt {
        let page = row.session && row.kind == AttemptKind::Hosted;
        let counts = usize::from(row.counts).checked_sub(1);
        StoredAttempt {
            row: AttemptRow {
                id: self.attempts[n].clone(),
                offer_id: Some(offer.id.clone()),
                no: n as u32 + 1,
                key: None,
                kind: row.kind,
                state: row.state,
                checkout_session_id: row.session.then(|| self.sessions[n].clone()),
                checkout_url: page.then(|| PAGE.to_owned()),
                payment_id: counts.map(|k| self.payments[n][k].clone()),
                lease_until: LEASE,
                next_check_at: Some(LEASE),
                clean_looks: row.clean_looks.into(),
                created_at: BEFORE,
                ..AttemptRow::example()
            },
            surplus: row.surplus,
            lease_owner: Some(INSTANCE.to_owned()),
        }
    }

    fn add_payment(&self, n: usize, k: usize, row: &PaymentRow, memory: &mut Memory) {
        let (id, refund) = (&self.payments[n][k], self.refund(n, k));
        if row.notified[ORDERED] {
            notified(memory, id.as_str(), NotificationKind::PaymentRefundOrdered);
        }
        if row.notified[GIVEN_BACK] {
            notified(memory, refund.id.as_str(), NotificationKind::PaymentRefunded);
        }
        if let Some(status) = row.status {
            let payment = SeenPayment { id: id.clone(), status, amount: None };
            let record = PaymentOnRecord { payment, surplus: row.surplus, seen_at: BEFORE };
            let attempt_id = self.attempts[n].clone();
            memory.payments.insert(id.clone(), StoredPayment { attempt_id, record });
        }
        if let Some((cause, state)) = row.order {
            let order = self.order(n, k, cause, state);
            let lease_owner = Some(INSTANCE.to_owned());
            let order = StoredOrder { row: order, lease_until: LEASE, lease_owner, checks: 0 };
            memory.orders.insert((id.clone(), cause.as_str()), order);
        }
        if row.refunded {
            memory.refunds.insert(refund.id.clone(), refund);
        }
    }

    /// Returns a refund order as it is stored.
    pub(super) fn order(&self, n: usize, k: usize, cause: RefundCause, state: OrderState) -> RefundOrder {
        RefundOrder {
            payment_id: self.payments[n][k].clone(),
            cause,
            amount: None,
            state,
            refund_id: (state == OrderState::Done).then(|| self.refunds[n][k].clone()),
            created_at: BEFORE,
            sent_at: None,
            next_check_at: None,
        }
    }

    /// Returns the refund of a payment, made.
    pub(super) fn refund(&self, n: usize, k: usize) -> SeenRefund {
        SeenRefund {
            id: self.refunds[n][k].clone(),
            payment_id: self.payments[n][k].clone(),
            status: RefundStatus::Succeeded,
            amount: None,
        }
    }

    /// Returns the book that says what these rows say; what rows do not hold is as it was before.
    pub(super) fn book(&self, memory: &Memory, before: &Book) -> Book {
        let made = memory.attempts.len().min(MOST);
        let mut book = Book {
            declined: before.declined || !memory.declines.is_empty(),
            made: made as u8,
            rows: Book::start().rows,
            ..*before
        };
        let latest = memory.attempts.values().map(|attempt| attempt.row.no).max().unwrap_or_default();
        if let Some(offer) = memory.offers.values().next() {
            book.offer = offer.state;
            book.ahead = offer.attempt_no > latest;
        }
        for (n, row) in book.rows.iter_mut().enumerate().take(made) {
            if let Some(attempt) = memory.attempts.get(&self.attempts[n]) {
                *row = self.row(n, attempt, memory);
            }
        }
        book
    }

    fn row(&self, n: usize, attempt: &StoredAttempt, memory: &Memory) -> Row {
        let StoredAttempt { row: stored, surplus, .. } = attempt;
        let counts = self.payments[n].iter().position(|id| stored.payment_id.as_ref() == Some(id));
        let mut row = Row {
            state: match stored.state {
                AttemptState::Failed(_) => FAILED,
                state => state,
            },
            surplus: *surplus,
            session: stored.checkout_session_id.is_some(),
            counts: counts.map_or(0, |k| k as u8 + 1),
            clean_looks: stored.clean_looks.min(3) as u8,
            notified: KINDS.map(|kind| was_notified(memory, stored.id.as_str(), kind)),
            ..Row::blank(stored.kind)
        };
        for (k, payment) in row.payments.iter_mut().enumerate() {
            *payment = self.payment(n, k, memory);
        }
        row
    }

    fn payment(&self, n: usize, k: usize, memory: &Memory) -> PaymentRow {
        let (id, refund) = (&self.payments[n][k], &self.refunds[n][k]);
        let stored = memory.payments.get(id);
        let order = memory.orders.values().find(|order| order.row.payment_id == *id);
        PaymentRow {
            status: stored.map(|stored| stored.record.payment.status),
            surplus: stored.is_some_and(|stored| stored.record.surplus),
            refunded: memory.refunds.contains_key(refund),
            order: order.map(|order| (order.row.cause, order.row.state)),
            notified: [
                was_notified(memory, id.as_str(), NotificationKind::PaymentRefundOrdered),
                was_notified(memory, refund.as_str(), NotificationKind::PaymentRefunded),
            ],
        }
    }
}

fn notified(memory: &mut Memory, about: &str, kind: NotificationKind) {
    let id = notification_id(about, kind);
    memory.notifications.insert(id.clone(), Notification { id, kind, body: serde_json::Value::Null });
}

fn was_notified(memory: &Memory, about: &str, kind: NotificationKind) -> bool {
    memory.notifications.contains_key(&notification_id(about, kind))
}

fn notification_id(about: &str, kind: NotificationKind) -> String {
    format!("evt_{about}_{}", kind.word().replace('.', "_"))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn payment() -> impl Strategy<Value = PaymentRow> {
        (prop::sample::select(&STATUSES), any::<[bool; 4]>(), prop::sample::select(&ORDERS)).prop_map(
            |(status, [surplus, refunded, ordered, given_back], order)| PaymentRow {
                status,
                surplus: surplus && status.is_some(),
                refunded,
                order,
                notified: [ordered, given_back],
            },
        )
    }

    pub(in super::super) fn row() -> impl Strategy<Value = Row> {
        (
            any::<[bool; 3]>(),
            prop::sample::select(&STATES),
            (0..=2_u8, 0..4_u8),
            [payment(), payment()],
            any::<[bool; 3]>(),
        )
            .prop_map(
                |([hosted, surplus, session], state, (counts, clean_looks), payments, notified)| Row {
                    kind: if hosted { AttemptKind::Hosted } else { AttemptKind::OneClick },
                    state,
                    surplus,
                    session,
                    counts,
                    clean_looks,
                    payments,
                    notified,
                },
            )
    }

    pub(in super::super) fn book() -> impl Strategy<Value = Book> {
        let offer = prop::sample::select(OfferState::ALL);
        (offer, any::<[bool; 3]>(), 0..=MOST, prop::collection::vec(row(), MOST)).prop_map(
            |(offer, [ahead, over, declined], made, rows)| {
                let mut book = Book { offer, ahead, over, declined, ..Book::start() };
                book.made = u8::try_from(made).unwrap();
                book.rows[..made].copy_from_slice(&rows[..made]);
                book
            },
        )
    }

    proptest! {
        #[test]
        fn packing_loses_nothing(book in book()) {
            prop_assert_eq!(Book::unpack(&book.pack()), book);
        }

        /// What is decided over production's rows is decided over the book: the way there and back changes nothing.
        #[test]
        fn the_rows_of_production_say_what_the_book_says(book in book()) {
            let names = Names::new().unwrap();
            prop_assert_eq!(names.book(&names.rows(&book), &book), book);
        }
    }
}
