//! From a book to production's rows and back.

use dodo_client::ids::{CheckoutSessionId, PaymentId, RefundId};
use upsell_core::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, OfferRow, OrderState, PaymentOnRecord, PaymentStatus, Proof,
        QuoteRow, RefundCause, RefundOrder, RefundStatus, SeenPayment, SeenRefund,
    },
    journal::{
        StoredAttempt, StoredOrder, StoredPayment,
        fixtures::seen_payment,
        memory::Memory,
        notifications::{Notification, NotificationKind},
    },
};
use wire::{AttemptId, UnixSeconds};

use super::book::{Book, FAILED, GIVEN_BACK, KINDS, MOST, ORDERED, PAYMENTS, PaymentRow, Row};

/// Time of everything that happens before the offer runs out, and of what happens after.
pub(super) const BEFORE: UnixSeconds = UnixSeconds(10);
pub(super) const END: UnixSeconds = UnixSeconds(20);
/// Time of what a buyer copies.
pub(super) const LATER: UnixSeconds = UnixSeconds(900);
/// Leases last: that one may have run out is played by recovery taking the attempt at any time.
pub(super) const LEASE: UnixSeconds = UnixSeconds(1_000);
/// The opening of the store that everything is done by.
const INSTANCE: &str = "px_model";
/// Amount of a payment that the buyer makes without us, in cents.
pub(super) const SMALLEST: i64 = 1;
/// Address of a hosted checkout.
pub(super) const PAGE: &str = "https://page";

/// The ids of production's rows for a book.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// Attempts by place.
    pub(super) attempts: Vec<AttemptId>,
    /// Their checkout sessions.
    pub(super) sessions: Vec<CheckoutSessionId>,
    /// Payments by attempt and place.
    pub(super) payments: Vec<Vec<PaymentId>>,
    /// Payments that the buyer made without us, by the attempt that they name.
    pub(super) forged: Vec<PaymentId>,
    /// Their one refund each.
    pub(super) refunds: Vec<Vec<RefundId>>,
}

impl Names {
    /// Makes them up.
    ///
    /// # Errors
    /// When an id is not one.
    pub(super) fn new() -> anyhow::Result<Self> {
        let mut names = Self {
            attempts: Vec::new(),
            sessions: Vec::new(),
            payments: Vec::new(),
            forged: Vec::new(),
            refunds: Vec::new(),
        };
        for n in 0..MOST {
            names.attempts.push(AttemptId::parse(format!("at_{n}"))?);
            names.sessions.push(CheckoutSessionId::parse(format!("cks_{n}"))?);
            names.forged.push(PaymentId::parse(format!("pay_{n}_x"))?);
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
            if let Some(status) = row.forged {
                self.add_forged(n, status, &mut memory);
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
                payment_id: counts.map(|k| self.payments[n].get(k).unwrap_or(&self.forged[n]).clone()),
                agreed: Some(QuoteRow::example().quote.total),
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
            let payment = seen_payment(id.as_str(), status, None);
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

    /// One that the buyer made without us is known by its name, and has fallen short where it collected.
    fn add_forged(&self, n: usize, status: PaymentStatus, memory: &mut Memory) {
        let id = self.forged[n].clone();
        let payment = SeenPayment { proof: Proof::Code, ..seen_payment(id.as_str(), status, Some(SMALLEST)) };
        let surplus = status == PaymentStatus::Succeeded;
        let record = PaymentOnRecord { payment, surplus, seen_at: BEFORE };
        let attempt_id = self.attempts[n].clone();
        memory.payments.insert(id, StoredPayment { attempt_id, record });
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
        let mut known = self.payments[n].iter().chain([&self.forged[n]]);
        let counts = known.position(|id| stored.payment_id.as_ref() == Some(id));
        let mut row = Row {
            state: match stored.state {
                AttemptState::Failed(_) => FAILED,
                state => state,
            },
            surplus: *surplus,
            session: stored.checkout_session_id.is_some(),
            counts: counts.map_or(0, |k| k as u8 + 1),
            clean_looks: stored.clean_looks.min(3) as u8,
            forged: memory.payments.get(&self.forged[n]).map(|forged| forged.record.payment.status),
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
mod tests {
    use proptest::prelude::*;

    use super::{super::book::tests::book, *};

    proptest! {
        /// What is decided over production's rows is decided over the book: the way there and back changes nothing.
        #[test]
        fn the_rows_of_production_say_what_the_book_says(book in book()) {
            let names = Names::new().unwrap();
            prop_assert_eq!(names.book(&names.rows(&book), &book), book);
        }
    }
}
