//! Production's journal over a book: rows are made of it, the command's scope is loaded from them, `decide` decides, and
//! its changes are written. There is no rule here.
//!
//! Books are few and steps are many, so that what was decided is kept.

use std::cell::RefCell;

use dodo_client::types::payments::IntentStatus;
use rustc_hash::FxHashMap;
use upsell_core::{
    domain::{
        AttemptKind, AttemptRow, Cart, Named, Observation, OfferRow, OrderState, PaymentFacts, PaymentStatus,
        QuoteRow, RefundCause, ReviewCause, Source,
    },
    journal::{
        Abandon, Claim, ClaimOutcome, Command, ConcludeRefund, Conclusion, Decline, DeclineOutcome, KeptKey,
        MarkRefundSent, MarkSent, RecordLook, RecordRefund, Release, Review, Settle, SettlePayment,
        Settlement, Unexecuted, decide,
        fixtures::{genuine, identity, product, seen_payment, usd},
    },
    rules::{AboveQuote, LateSuccess, MoneyRules, Surplus},
};
use wire::{AttemptId, UnixSeconds};

use super::{
    book::{Book, MOST, PackedBook},
    evidence::{Seen, intent},
    rows::{BEFORE, LATER, LEASE, Names, PAGE, SMALLEST},
    system::Variant,
    weakened,
    world::Status,
};

/// The merchant gives back all money that should not be there.
const MONEY: MoneyRules = MoneyRules {
    late_success: LateSuccess::Refund,
    surplus: Surplus::Refund,
    above_quote: AboveQuote::RefundDifference,
};

/// Production's commands. Attempts and payments are named by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Cmd {
    Claim(AttemptKind),
    MarkSent(usize),
    ReleaseClaimed(usize),
    ReleaseSent(usize),
    Settle(usize, Seen),
    /// Settles by a payment at Dodo, in this status; whether the reply that named it has just come.
    SettlePayment(usize, usize, Status, bool),
    /// The same by a payment that the buyer made without us.
    SettleForgery(usize, Forgery),
    Abandon(usize),
    Review(usize),
    /// A complete look after the deadline that decided nothing.
    CleanLook(usize),
    Decline,
    MarkRefundSent(usize, usize),
    /// Concludes an order, for a process that knows it to be in this state.
    Conclude(usize, usize, OrderState, Refunding),
    RecordRefund(usize, usize),
}

/// A payment that the buyer makes without us, with metadata that names an attempt. Its amount is the smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Forgery {
    /// It names the attempt. Names are on the buyer's page.
    Name,
    /// It has the code of another attempt.
    OtherTerms,
    /// It has everything that the attempt's own payment has, and buys something else.
    OtherCart,
    /// It has everything, and buys the same for less.
    Short,
    /// It has everything, and fails.
    Fails,
    /// It has everything, and is under way.
    Begins,
}

impl Forgery {
    pub(super) const ALL: [Self; 6] =
        [Self::Name, Self::OtherTerms, Self::OtherCart, Self::Short, Self::Fails, Self::Begins];

    /// Says whether it copies what has to be seen at Dodo first, and may change something.
    pub(super) fn is_a_copy(self) -> bool {
        matches!(self, Self::Short | Self::Fails | Self::Begins)
    }
}

/// Result of working on a refund order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Refunding {
    Done,
    Refused,
    DueAgain,
}

/// The journal of one system.
pub(super) struct Journal {
    variant: Variant,
    names: Names,
    decided: RefCell<FxHashMap<(PackedBook, Cmd), (PackedBook, bool)>>,
}

impl Journal {
    /// Returns the journal as `variant` has it.
    ///
    /// # Errors
    /// When rows cannot be named.
    pub(super) fn of(variant: Variant) -> anyhow::Result<Self> {
        Ok(Self { variant, names: Names::new()?, decided: RefCell::default() })
    }

    /// Carries out a command. Returns whether it did what it is there for.
    pub(super) fn execute(&self, book: &mut Book, cmd: Cmd) -> bool {
        let key = (book.pack(), cmd);
        let known = self.decided.borrow().get(&key).copied();
        if let Some((after, done)) = known {
            *book = Book::unpack(&after);
            return done;
        }
        let done = self.decide(book, cmd);
        self.decided.borrow_mut().insert(key, (book.pack(), done));
        done
    }

    fn decide(&self, book: &mut Book, cmd: Cmd) -> bool {
        let attempt = |n: usize| self.names.attempts[n].clone();
        match cmd {
            Cmd::Claim(kind) => self.claim(book, kind),
            Cmd::MarkSent(n) => {
                let mark = MarkSent {
                    attempt: attempt(n),
                    now: BEFORE,
                    next_check_at: LEASE,
                    agreed: QuoteRow::example().quote.total,
                };
                self.run(book, &mark)
            }
            Cmd::ReleaseClaimed(n) => self.run(book, &release(attempt(n), Unexecuted::Claimed)),
            Cmd::ReleaseSent(n) => self.run(book, &release(attempt(n), Unexecuted::Sent)),
            Cmd::Settle(n, seen) => {
                let settlement = self.settlement(book, n, seen);
                self.run(book, &Settle { attempt: &attempt(n), settlement: &settlement }).is_some()
            }
            Cmd::SettlePayment(n, k, status, replied) => {
                let facts = self.payment(book, n, k, status);
                let reply = Seen {
                    begun: replied.then_some(k),
                    session: replied,
                    ..Seen::only(Observation::Pending { customer_action: false })
                };
                self.weigh(book, n, &facts, reply)
            }
            Cmd::SettleForgery(n, forgery) => {
                let facts = weakened::forged(self.variant, self.forgery(book, n, forgery));
                self.weigh(book, n, &facts, Seen::only(Observation::Unknown))
            }
            Cmd::Abandon(n) => {
                self.run(book, &Abandon { attempt: attempt(n), at: BEFORE, next_check_at: LEASE })
            }
            Cmd::Review(n) => {
                let cause = ReviewCause::StillPending;
                self.run(book, &Review { attempt: attempt(n), cause, at: BEFORE, next_check_at: None })
            }
            Cmd::CleanLook(n) => {
                let (at, next_check_at) = (BEFORE, Some(LEASE));
                let look = RecordLook { attempt: attempt(n), at, clean_after_deadline: true, next_check_at };
                self.run(book, &look);
                true
            }
            Cmd::Decline => {
                let offer = OfferRow::example();
                let (price, plan, reason) = (None, None, None);
                let OfferRow { id: offer_id, customer_id, email, .. } = offer;
                let decline = Decline { offer_id, customer_id, email, price, plan, reason, at: BEFORE };
                matches!(self.run(book, &decline), DeclineOutcome::Declined(_))
            }
            Cmd::MarkRefundSent(n, k) => {
                let payment_id = self.names.payments[n][k].clone();
                let Some(cause) = cause(book, n, k) else { return false };
                let mark = MarkRefundSent { payment_id, cause, now: BEFORE, next_check_at: LEASE };
                self.run(book, &mark)
            }
            Cmd::Conclude(n, k, state, refunding) => {
                let Some(cause) = cause(book, n, k) else { return false };
                let order = self.names.order(n, k, cause, state);
                let conclusion = match refunding {
                    Refunding::Done => Conclusion::Done(self.names.refunds[n][k].clone()),
                    Refunding::Refused => Conclusion::Refused(None),
                    Refunding::DueAgain => Conclusion::Due(LEASE),
                };
                self.run(book, &ConcludeRefund { order: &order, conclusion: &conclusion, now: BEFORE })
            }
            Cmd::RecordRefund(n, k) => {
                self.run(book, &RecordRefund { refund: self.names.refund(n, k), at: BEFORE })
            }
        }
    }

    fn claim(&self, book: &mut Book, kind: AttemptKind) -> bool {
        let place = usize::from(book.made);
        if place == MOST {
            return false;
        }
        let offer = OfferRow::example();
        let attempt = AttemptRow {
            id: self.names.attempts[place].clone(),
            offer_id: Some(offer.id),
            customer_id: offer.customer_id,
            kind,
            key: None,
            created_at: BEFORE,
            lease_until: LEASE,
            ..AttemptRow::example()
        };
        matches!(self.run(book, &Claim::of(attempt)), ClaimOutcome::Claimed(_))
    }

    fn settlement(&self, book: &Book, n: usize, seen: Seen) -> Settlement {
        let hosted = book.rows[n].kind == AttemptKind::Hosted;
        let begun = |k: usize| seen_payment(self.names.payments[n][k].as_str(), PaymentStatus::Pending, None);
        Settlement {
            checkout_session_id: seen.session.then(|| self.names.sessions[n].clone()),
            checkout_url: (seen.session && hosted).then(|| PAGE.to_owned()),
            payment: seen.begun.map(begun),
            ..Settlement::of(seen.observation, Source::LookUp, BEFORE)
        }
    }

    /// Settles by a payment, if that is the attempt's own.
    fn weigh(&self, book: &mut Book, n: usize, payment: &PaymentFacts, reply: Seen) -> bool {
        let (base, store) = (self.settlement(book, n, reply), identity());
        let settle = SettlePayment {
            attempt: &self.names.attempts[n],
            payment,
            subscription: None,
            base: &base,
            money: MONEY,
            store: &store,
        };
        self.run(book, &settle).settled().is_some()
    }

    /// A payment that an attempt's own request began, as webhooks and look-ups tell of it.
    fn payment(&self, book: &Book, n: usize, k: usize, status: Status) -> PaymentFacts {
        let hosted = book.rows[n].kind == AttemptKind::Hosted;
        let row = AttemptRow { id: self.names.attempts[n].clone(), kind: book.rows[n].kind, ..sent() };
        PaymentFacts {
            status: intent(status),
            checkout_session_id: hosted.then(|| self.names.sessions[n].clone()),
            ..genuine(&row, self.names.payments[n][k].as_str())
        }
        .began(BEFORE)
    }

    /// A payment that the buyer makes without us.
    fn forgery(&self, book: &Book, n: usize, forgery: Forgery) -> PaymentFacts {
        let row = AttemptRow { id: self.names.attempts[n].clone(), kind: book.rows[n].kind, ..sent() };
        let copy = PaymentFacts { amount: usd(SMALLEST), ..genuine(&row, self.names.forged[n].as_str()) };
        let other = AttemptRow { id: self.names.attempts[(n + 1) % MOST].clone(), ..row.clone() };
        let facts = match forgery {
            Forgery::Name => PaymentFacts { named: Named::Attempt(row.id), ..copy },
            Forgery::OtherTerms => PaymentFacts { named: genuine(&other, "pay_x").named, ..copy },
            Forgery::OtherCart => PaymentFacts { cart: Some(Cart(vec![(product("prod_cheap"), 1)])), ..copy },
            Forgery::Short => copy,
            Forgery::Fails => PaymentFacts { status: Some(IntentStatus::Failed), ..copy },
            Forgery::Begins => PaymentFacts { status: Some(IntentStatus::Processing), ..copy },
        };
        // A name has to be seen before it can be copied.
        facts.began(LATER)
    }

    /// Loads, decides and writes.
    fn run<C: Command>(&self, book: &mut Book, command: &C) -> C::Outcome {
        let mut memory = self.names.rows(book);
        // What decisions that are wrong on purpose come to, no net stops.
        memory.has_no_net = self.variant != Variant::Protocol;
        let mut record = memory.load(&command.scope());
        weakened::before(self.variant, C::NAME, &mut record);
        let (outcome, changes) = decide(&record, command);
        let changes = weakened::after(self.variant, C::NAME, &memory, changes);
        let applied = memory.apply(&changes);
        debug_assert!(applied, "a guarded change of `{}` did not apply", C::NAME);
        *book = self.names.book(&memory, book);
        outcome
    }
}

/// An attempt as it was sent, but for its id and its kind.
fn sent() -> AttemptRow {
    AttemptRow { agreed: Some(QuoteRow::example().quote.total), ..AttemptRow::example() }
}

fn cause(book: &Book, n: usize, k: usize) -> Option<RefundCause> {
    book.rows[n].payments[k].order.map(|(cause, _)| cause)
}

fn release(attempt: AttemptId, from: Unexecuted) -> Release {
    Release { attempt, from, replacement: None, key: KeptKey::Freed, at: UnixSeconds(0) }
}
