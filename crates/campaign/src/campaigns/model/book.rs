//! The rows of one offer in the store, in as many bits as the decisions about it can tell apart.

use upsell_core::{
    domain::{AttemptKind, AttemptState, OfferState, OrderState, PaymentStatus, RefundCause},
    journal::notifications::NotificationKind,
};
use wire::FailureReason;

use super::bits::{Bits, place};

/// Attempts that fit.
pub(super) const MOST: usize = 4;
/// Payments of one attempt that fit: on a hosted checkout a second card may be tried.
pub(super) const PAYMENTS: usize = 2;

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
    /// The payment that counts, from 1; 0 where none is known, 3 where it is one that the buyer made without us.
    pub(super) counts: u8,
    /// Complete looks after the deadline that decided nothing.
    pub(super) clean_looks: u8,
    /// Payments on record.
    pub(super) payments: [PaymentRow; PAYMENTS],
    /// A payment that the buyer made without us is on record, and its status.
    pub(super) forged: Option<PaymentStatus>,
    /// Notifications that the merchant's system got: accepted, succeeded, failed.
    pub(super) notified: [bool; 3],
}

/// One payment on record, with its refund and its refund order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct PaymentRow {
    pub(super) status: Option<PaymentStatus>,
    pub(super) surplus: bool,
    /// Its refund is on record, and succeeded.
    pub(super) refunded: bool,
    /// Its refund order: the cause and the state.
    pub(super) order: Option<(RefundCause, OrderState)>,
    /// Notifications that the merchant's system got: ordered back, given back.
    pub(super) notified: [bool; 2],
}

/// The notifications whose coming is followed.
pub(super) const ACCEPTED: usize = 0;
pub(super) const SUCCEEDED: usize = 1;
pub(super) const NOT_PAID: usize = 2;
/// The notifications about one payment.
pub(super) const ORDERED: usize = 0;
pub(super) const GIVEN_BACK: usize = 1;
pub(super) const KINDS: [NotificationKind; 3] =
    [NotificationKind::OfferAccepted, NotificationKind::PaymentSucceeded, NotificationKind::PaymentFailed];

/// Why it failed makes no difference to what may happen next, so that one reason stands for all.
pub(super) const FAILED: AttemptState = AttemptState::Failed(FailureReason::Declined);

const STATES: [AttemptState; 12] = [
    AttemptState::Claimed,
    AttemptState::Released,
    AttemptState::Sent,
    AttemptState::Unknown,
    AttemptState::Pending { customer_action: false },
    AttemptState::Pending { customer_action: true },
    FAILED,
    AttemptState::Abandoned,
    AttemptState::NeedsReview,
    AttemptState::Scheduled,
    AttemptState::Underpaid,
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
            forged: None,
            notified: [false; 3],
        }
    }

    /// Says whether an id by which Dodo knows it is on record.
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
        bits.put(place(&STATUSES, &self.forged), 2);
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
        row.forged = STATUSES[bits.take(2) as usize];
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
            (0..=2_u8, 0..4_u8, prop::sample::select(&STATUSES)),
            [payment(), payment()],
            any::<[bool; 3]>(),
        )
            .prop_map(
                |([hosted, surplus, session], state, (counts, clean_looks, forged), payments, notified)| {
                    Row {
                        kind: if hosted { AttemptKind::Hosted } else { AttemptKind::OneClick },
                        state,
                        surplus,
                        session,
                        counts,
                        clean_looks,
                        payments,
                        forged,
                        notified,
                    }
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
    }
}
