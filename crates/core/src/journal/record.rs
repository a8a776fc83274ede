//! What a decision depends on: the rows that are loaded for it, and how they are named.

use dodo_client::ids::{CustomerId, PaymentId, RefundId, SubscriptionId};
use wire::{AttemptId, IdempotencyKey, OfferId, ProductId, UnixSeconds};

use super::states;
use crate::domain::{
    AttemptRow, BookingEnd, DeclineEntry, OfferRow, OfferState, PaymentOnRecord, PaymentStatus, Person,
    QuoteRow, RefundOrder, SeenDispute, SeenRefund,
};

/// What has to hold still while something is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Everything about this buyer.
    Buyer(CustomerId),
    /// Everything about this buyer, under this and every other customer id with the same e-mail address.
    Person(Person),
    /// Everything about the buyer of this attempt and the person of its offer; where there is no such attempt, nothing.
    BuyerOf(AttemptId),
    /// Everything about this payment: its refunds, disputes and refund orders.
    Payment(PaymentId),
}

impl Lock {
    /// Returns the customer whose rows are asked for, where the lock names one.
    #[must_use]
    pub fn customer(&self) -> Option<&CustomerId> {
        match self {
            Self::Buyer(customer) | Self::Person(Person { customer_id: customer, .. }) => Some(customer),
            Self::BuyerOf(_) | Self::Payment(_) => None,
        }
    }
}

/// The offer that a decision is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferKey {
    /// The one with this id, of the buyer that is locked.
    Id(OfferId),
    /// The one with this id, or else the one that was made for the same trigger by the same campaign since.
    Occasion(Box<OfferRow>),
    /// The one of the attempt that is asked about.
    OfAttempt,
}

/// What a decision depends on. Each field names rows that go into the [`Record`]; what is not named stays empty there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// What has to hold still.
    pub lock: Lock,
    /// Whether the store holds what this process has seen in it.
    pub watermark: bool,
    /// The attempt asked about.
    pub attempt: Option<AttemptId>,
    /// The attempt that this buyer made with this key.
    pub key: Option<IdempotencyKey>,
    /// The offer.
    pub offer: Option<OfferKey>,
    /// The other attempts of the offer, released ones left out.
    pub siblings: bool,
    /// What the person of the offer has otherwise taken, refused or bought of the same thing.
    pub same_thing: bool,
    /// The live attempts on this subscription.
    pub subscription: Option<SubscriptionId>,
    /// The quote of the attempt.
    pub quote: bool,
    /// This payment, as it is stored.
    pub payment: Option<PaymentId>,
    /// The attempt that the payment was recorded for becomes the attempt asked about.
    pub sale: bool,
    /// The refunds, disputes and refund orders of the payment.
    pub flags: bool,
    /// The payment of ours that began this subscription.
    pub began: Option<SubscriptionId>,
    /// Whether the payment is recorded as one that names an attempt and is none of its.
    pub foreign: bool,
    /// How the booking of the attempt ended.
    pub booking: bool,
}

impl Scope {
    /// Returns a scope that locks and loads nothing yet.
    #[must_use]
    pub fn under(lock: Lock) -> Self {
        Self {
            lock,
            watermark: false,
            attempt: None,
            key: None,
            offer: None,
            siblings: false,
            same_thing: false,
            subscription: None,
            quote: false,
            payment: None,
            sale: false,
            flags: false,
            began: None,
            foreign: false,
            booking: false,
        }
    }

    /// Returns the scope of something about one attempt.
    #[must_use]
    pub fn of_attempt(id: &AttemptId) -> Self {
        Self { attempt: Some(id.clone()), ..Self::under(Lock::BuyerOf(id.clone())) }
    }

    /// Returns the scope of something about a payment that may be a sale of ours.
    #[must_use]
    pub fn of_sale(id: &PaymentId) -> Self {
        Self {
            payment: Some(id.clone()),
            sale: true,
            flags: true,
            offer: Some(OfferKey::OfAttempt),
            quote: true,
            ..Self::under(Lock::Payment(id.clone()))
        }
    }
}

/// An attempt with what only the journal needs to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAttempt {
    /// The attempt.
    pub row: AttemptRow,
    /// It brought money in beside another attempt of its offer, and keeps nobody from anything.
    pub surplus: bool,
    /// Opening of the store that claimed it or took it up.
    pub lease_owner: Option<String>,
}

/// A payment with the attempt that it was recorded for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPayment {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// The payment.
    pub record: PaymentOnRecord,
}

/// A refund order with what only the journal needs to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOrder {
    /// The order.
    pub row: RefundOrder,
    /// Time at which the lease ends.
    pub lease_until: UnixSeconds,
    /// Opening of the store that took it.
    pub lease_owner: Option<String>,
    /// How often it was worked on.
    pub checks: u32,
}

/// Line of history that a database server writes on. A standby that is promoted begins a new one, with a higher number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// System identifier of the cluster: equal on a primary and its standbys, different after a restore from a dump.
    pub cluster: i64,
    /// Number of the timeline within the cluster.
    pub number: u32,
}

impl Timeline {
    /// Says whether `self` was over when `other` began: the server that writes on it was replaced by a standby.
    #[must_use]
    pub fn is_before(self, other: Self) -> bool {
        self.cluster == other.cluster && self.number < other.number
    }
}

/// Why nothing may be claimed or sent on the word of a store (I22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// The server was replaced by another that this process knows of, or follows another: what it holds may be old, and
    /// what it is told may be thrown away.
    Superseded,
    /// The store holds less than this process has seen in it.
    LostCommits,
    /// Another server took over. Whether it received everything is not known before the store has been compared.
    NewTimeline,
}

/// What a process remembers of its store, and what it finds there now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// Timeline on which the store was last compared or opened. `None` on engines that cannot fail over.
    pub compared: Option<Timeline>,
    /// Timeline that the server writes on now. `None` where it writes none, because it follows another server.
    pub writes: Option<Timeline>,
    /// Heartbeat that this process last wrote or read.
    pub remembered: Option<UnixSeconds>,
    /// Heartbeat in the store.
    pub found: Option<UnixSeconds>,
    /// Whether the attempt that this process last marked as sent is there, and is marked.
    pub has_last_sent: bool,
}

impl Default for Watermark {
    fn default() -> Self {
        Self { compared: None, writes: None, remembered: None, found: None, has_last_sent: true }
    }
}

impl Watermark {
    /// Returns why nothing may be claimed or sent on the word of this store, if so. What a superseded server holds says
    /// nothing, so that is asked first.
    #[must_use]
    pub fn staleness(&self) -> Option<Stale> {
        let on_another = match (self.compared, self.writes) {
            (None, _) => None,
            (Some(_), None) => Some(Stale::Superseded),
            (Some(compared), Some(writes)) if writes.is_before(compared) => Some(Stale::Superseded),
            (Some(compared), Some(writes)) => (writes != compared).then_some(Stale::NewTimeline),
        };
        match on_another {
            Some(Stale::Superseded) => on_another,
            _ if self.has_lost_commits() => Some(Stale::LostCommits),
            _ => on_another,
        }
    }

    /// Says whether the store holds less than this process has seen in it: a backup was put in its place, or a standby
    /// took over that had not received everything.
    #[must_use]
    pub fn has_lost_commits(&self) -> bool {
        let rolled_back = match (self.remembered, self.found) {
            (Some(remembered), Some(found)) => found < remembered,
            (Some(_), None) => true,
            (None, _) => false,
        };
        rolled_back || !self.has_last_sent
    }
}

/// What the store holds of a [`Scope`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Record {
    /// Name of the process's opening of the store, as it stands in leases.
    pub instance: String,
    /// Whether the store holds what this process has seen in it.
    pub watermark: Watermark,
    /// The attempt asked about.
    pub attempt: Option<StoredAttempt>,
    /// The attempt that this buyer made with the key.
    pub by_key: Option<AttemptRow>,
    /// The offer.
    pub offer: Option<OfferRow>,
    /// The other attempts of the offer, released ones left out.
    pub siblings: Vec<StoredAttempt>,
    /// The person's other offers of the same thing.
    pub same_thing: Vec<OfferRow>,
    /// The person's refusals of the same thing, through whichever offer.
    pub refusals: Vec<DeclineEntry>,
    /// What the person has bought in the shop.
    pub bought: Vec<ProductId>,
    /// The live attempts on the subscription.
    pub on_subscription: Vec<StoredAttempt>,
    /// The quote of the attempt.
    pub quote: Option<QuoteRow>,
    /// The payment asked about.
    pub payment: Option<StoredPayment>,
    /// Refunds of the payment.
    pub refunds: Vec<SeenRefund>,
    /// Disputes of the payment.
    pub disputes: Vec<SeenDispute>,
    /// Refund orders of the payment.
    pub orders: Vec<StoredOrder>,
    /// The payment was one of an attempt or a buyer that the store has let go of: nothing of it is written again (I21).
    pub is_let_go: bool,
    /// The payment of ours that began the subscription.
    pub began_by: Option<PaymentId>,
    /// The payment is recorded as one that names an attempt and is none of its.
    pub is_known_as_foreign: bool,
    /// How the booking of the attempt ended, if it has.
    pub booking_end: Option<BookingEnd>,
}

impl Record {
    /// Returns what there is of something that the store does not hold.
    #[must_use]
    pub fn empty(instance: &str) -> Self {
        Self { instance: instance.to_owned(), ..Self::default() }
    }

    /// Says whether another attempt of the offer keeps this one from being made, or from being the sale (I1, I2).
    pub(super) fn has_rival(&self) -> bool {
        self.siblings.iter().any(|other| !other.surplus && states::excludes_others(other.row.state))
    }

    /// Says whether another attempt of the offer has collected. One that may yet do so does not count: the later of two is
    /// one too many, and it is not known which that will be.
    pub(super) fn rival_has_collected(&self) -> bool {
        self.siblings.iter().any(|other| states::is_collected(other.row.state))
    }

    /// Returns the state of another offer of the same thing by which the person has it, or may be getting it (I15). A plan
    /// that was taken may have been left again: that is told by the subscription alone. Of several states the one that
    /// says most.
    pub(super) fn taken_elsewhere(&self) -> Option<OfferState> {
        let taken =
            self.same_thing.iter().filter(|other| states::keeps_from_others(other)).map(|other| other.state);
        taken.max_by_key(|state| *state == OfferState::Charged)
    }

    /// Says whether the person has bought in the shop what the offer proposes to buy.
    pub(super) fn is_owned(&self, offer: &OfferRow) -> bool {
        offer.plan.subscription_id().is_none() && self.bought.contains(offer.plan.product_id())
    }

    /// Says whether an attempt on the subscription is live (I2).
    pub(super) fn subscription_is_busy(&self) -> bool {
        self.on_subscription.iter().any(|other| !other.surplus && states::is_live(other.row.state))
    }

    /// Returns the attempt that the payment collected for, and its quote, where it has collected.
    pub(super) fn sale(&self) -> Option<(&AttemptRow, &QuoteRow)> {
        let payment = self.payment.as_ref()?;
        let collected = payment.record.payment.status == PaymentStatus::Succeeded;
        let attempt =
            self.attempt.as_ref().filter(|attempt| collected && attempt.row.id == payment.attempt_id)?;
        Some((&attempt.row, self.quote.as_ref()?))
    }

    /// Returns the refund with this id.
    pub(super) fn refund(&self, id: &RefundId) -> Option<&SeenRefund> {
        self.refunds.iter().find(|refund| refund.id == *id)
    }
}
