//! Rows, commands and evidence for tests of the journal, here and in the crates that carry its commands out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "for tests")]

use dodo_client::{
    Mode,
    ids::{CustomerId, DisputeId, PaymentId, RefundId, SubscriptionId},
    types::payments::{ChargeType, IntentStatus},
};
use wire::{
    AttemptId, Currency, DeclineReason, EffectiveAt, IdempotencyKey, LineKind, Money, OfferId, OfferKind,
    ProductId, Quote, QuoteId, QuoteLine, UnixSeconds,
};

use super::{
    Abandon, Claim, ClaimOutcome, Decline, KeptKey, MarkSent, RecordLook, Release, Review, Settle, Settled,
    Settlement, Unexecuted, memory::Memory, restore::Rebuilding,
};
use crate::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, Cart, ChargePlan, DisputeStatus, EmailHash, EquivalenceKey,
        Named, Observation, OfferRow, OfferState, PaymentFacts, PaymentStatus, Proof, QuoteRow, RefundStatus,
        ReviewCause, SeenDispute, SeenPayment, SeenRefund, Source, StoreIdentity, Tags,
    },
    policy::refunds::RefundRules,
};

/// Time at which tests begin.
pub const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// Rules by which late and duplicate payments go back.
pub const ALL_BACK: RefundRules = RefundRules { late: true, surplus: true, excess: None };

/// Returns [`NOW`] and so many seconds.
#[must_use]
pub fn after(seconds: i64) -> UnixSeconds {
    UnixSeconds(NOW.0 + seconds)
}

/// Returns a buyer's id.
#[must_use]
pub fn customer(id: &str) -> CustomerId {
    CustomerId::parse(id).unwrap()
}

/// Returns the keyed hash of the e-mail address under which every offer here was made.
#[must_use]
pub fn email() -> EmailHash {
    EmailHash("e0".repeat(32))
}

/// Returns a payment's id.
#[must_use]
pub fn payment(id: &str) -> PaymentId {
    PaymentId::parse(id).unwrap()
}

/// Returns a product's id.
#[must_use]
pub fn product(id: &str) -> ProductId {
    ProductId::parse(id).unwrap()
}

/// Returns an attempt's id.
#[must_use]
pub fn attempt_id(id: &str) -> AttemptId {
    AttemptId::parse(id).unwrap()
}

/// Returns the id of the subscription that plan changes are about.
#[must_use]
pub fn subscription() -> SubscriptionId {
    SubscriptionId::parse("sub_1").unwrap()
}

/// Returns an amount in dollars, in cents.
#[must_use]
pub fn usd(amount: i64) -> Money {
    Money::new(amount, Currency::parse("USD").unwrap())
}

/// Returns the plan of a purchase.
#[must_use]
pub fn purchase_plan() -> ChargePlan {
    ChargePlan::Checkout {
        product_id: product("prod_kit"),
        quantity: 1,
        billing: None,
        discount_codes: Vec::new(),
    }
}

/// Returns an offer of cus_1 that was shown and is open for a day.
#[must_use]
pub fn offer(id: &str) -> OfferRow {
    OfferRow {
        id: OfferId::parse(id).unwrap(),
        customer_id: customer("cus_1"),
        campaign: "toolkit".into(),
        trigger_ref: format!("pay_of_{id}"),
        purchase: Some(payment("pay_0")),
        email: Some(email()),
        parent: None,
        equivalence: EquivalenceKey("product:prod_kit".into()),
        kind: OfferKind::CrossSell,
        plan: purchase_plan(),
        state: OfferState::Presented,
        attempt_no: 0,
        created_at: NOW,
        seen_at: None,
        expires_at: after(86_400),
    }
}

/// Returns a quote of 19 dollars for the offer's buyer, or for cus_1.
#[must_use]
pub fn quote(id: &str, offer: Option<&OfferRow>) -> QuoteRow {
    QuoteRow {
        quote: Quote {
            id: QuoteId::parse(id).unwrap(),
            currency: Currency::parse("USD").unwrap(),
            lines: vec![QuoteLine {
                kind: LineKind::Product,
                name: "Toolkit".into(),
                quantity: 1,
                amount: 1900,
                prorated: false,
            }],
            tax: 0,
            tax_inclusive: false,
            credit: 0,
            total: 1900,
            settlement: None,
            renewal: None,
            effective_at: EffectiveAt::Immediately,
            expires_at: after(300),
            expires_in: 300,
        },
        offer_id: offer.map(|offer| offer.id.clone()),
        customer_id: offer.map_or_else(|| customer("cus_1"), |offer| offer.customer_id.clone()),
        plan: purchase_plan(),
        from_plan: None,
        name: "Toolkit".into(),
        basis_hash: String::new(),
        payment_method_id: None,
        card: None,
        withheld: false,
        signed_in: true,
    }
}

/// Returns a claim of an offer by one click.
#[must_use]
pub fn claim_of(offer: &OfferRow, attempt: &str, key: &str) -> Claim {
    let attempt = AttemptRow {
        id: attempt_id(attempt),
        offer_id: Some(offer.id.clone()),
        customer_id: offer.customer_id.clone(),
        quote_id: QuoteId::parse(format!("qt_{}", offer.id)).unwrap(),
        key: Some(IdempotencyKey::parse(key).unwrap()),
        created_at: NOW,
        lease_until: after(60),
        next_check_at: Some(after(60)),
        ..AttemptRow::example()
    };
    Claim { email: offer.email.clone(), ..Claim::of(attempt) }
}

/// Returns a claim of an offer by way of a hosted page, which may follow a card that was declined.
#[must_use]
pub fn hosted_claim_of(offer: &OfferRow, attempt: &str, key: &str) -> Claim {
    let mut claim = claim_of(offer, attempt, key);
    claim.attempt.kind = AttemptKind::Hosted;
    claim
}

/// Returns an observation, looked up.
#[must_use]
pub fn seen(observation: Observation) -> Settlement {
    Settlement::of(observation, Source::LookUp, NOW)
}

/// Returns the store that tests are in. Every attempt of theirs carries a code.
#[must_use]
pub fn identity() -> StoreIdentity {
    StoreIdentity { name: "st_1".into(), mode: Mode::Test, signed_since: UnixSeconds(0) }
}

/// Returns the tags that a proxy writes for an attempt of an offer of one toolkit for 19 dollars.
#[must_use]
pub fn tags_of(row: &AttemptRow) -> Tags {
    let is_change = row.kind == AttemptKind::PlanChange;
    Tags {
        store: identity().name,
        attempt: row.id.clone(),
        kind: row.kind,
        quote: row.quote_id.clone(),
        items: vec![(product(if is_change { "prod_pro" } else { "prod_kit" }), 1)],
        subscription: row.subscription_id.clone(),
        customer: row.customer_id.clone(),
        agreed: usd(row.agreed.unwrap_or(1900)),
        ..Tags::example()
    }
}

/// Returns a payment that collected what an attempt agreed on, named with a code and by nothing else.
#[must_use]
pub fn genuine(row: &AttemptRow, by: &str) -> PaymentFacts {
    let is_change = row.kind == AttemptKind::PlanChange;
    PaymentFacts {
        payment_id: payment(by),
        customer_id: row.customer_id.clone(),
        status: Some(IntentStatus::Succeeded),
        error_code: None,
        payment_link: None,
        amount: usd(row.agreed.unwrap_or(1900)),
        tax: Some(0),
        at: Some(NOW),
        created_at: Some(NOW),
        card: None,
        charge_type: is_change.then_some(ChargeType::PlanChange),
        cart: (!is_change).then(|| Cart(vec![(product("prod_kit"), 1)])),
        checkout_session_id: None,
        subscription_id: row.subscription_id.clone(),
        named: Named::Proven(Box::new(tags_of(row))),
        is_whole: false,
    }
}

impl PaymentFacts {
    /// Returns the same payment, begun at another time.
    #[must_use]
    pub fn began(self, created_at: UnixSeconds) -> Self {
        Self { at: Some(created_at), created_at: Some(created_at), ..self }
    }
}

/// Returns a payment of the buyer's, in cents.
#[must_use]
pub fn seen_payment(by: &str, status: PaymentStatus, amount: Option<i64>) -> SeenPayment {
    SeenPayment {
        id: payment(by),
        status,
        amount: amount.map(usd),
        proof: Proof::OurId,
        paid_by: None,
        subscription_id: None,
    }
}

/// Returns a success by this payment.
#[must_use]
pub fn paid(by: &str) -> Settlement {
    let payment = seen_payment(by, PaymentStatus::Succeeded, None);
    Settlement { payment: Some(payment), ..seen(Observation::Succeeded) }
}

/// Returns a success by this payment, with the amount that was collected.
#[must_use]
pub fn paid_in_full(by: &str) -> Settlement {
    let payment = seen_payment(by, PaymentStatus::Succeeded, Some(1900));
    Settlement { payment: Some(payment), ..seen(Observation::Succeeded) }
}

/// Returns a release after which the same request may be made again.
#[must_use]
pub fn back(attempt: &AttemptId, from: Unexecuted) -> Release {
    Release { attempt: attempt.clone(), from, replacement: None, key: KeptKey::Freed, at: NOW }
}

/// Returns a refusal of an offer, with everything that may be known of it.
#[must_use]
pub fn refusal(offer: &OfferRow) -> Decline {
    Decline {
        offer_id: offer.id.clone(),
        customer_id: offer.customer_id.clone(),
        email: offer.email.clone(),
        price: Some(usd(1900)),
        plan: Some(product("prod_basic")),
        reason: Some(DeclineReason::TooExpensive),
        at: NOW,
    }
}

/// Returns a refund of a payment.
#[must_use]
pub fn refund(id: &str, by: &str, status: RefundStatus, amount: Option<i64>) -> SeenRefund {
    SeenRefund { id: RefundId::parse(id).unwrap(), payment_id: payment(by), status, amount: amount.map(usd) }
}

/// Returns a dispute of a payment.
#[must_use]
pub fn dispute(id: &str, by: &str, status: DisputeStatus) -> SeenDispute {
    SeenDispute { id: DisputeId::parse(id).unwrap(), payment_id: payment(by), status }
}

/// Returns what Dodo knows of a charge of cus_1 for an offer.
#[must_use]
pub fn lost(offer: &OfferRow, attempt: &str) -> Rebuilding {
    Rebuilding {
        offer: Some(offer.clone()),
        quote: quote(&format!("qt_{}", offer.id), Some(offer)),
        attempt: AttemptRow { state: AttemptState::Sent, key: None, ..claim_of(offer, attempt, "k").attempt },
    }
}

/// Returns every order of these.
#[must_use]
pub fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = items.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for shorter in permutations(rest) {
        for at in 0..=shorter.len() {
            let mut longer = shorter.clone();
            longer.insert(at, first.clone());
            all.push(longer);
        }
    }
    all
}

/// The commands that most tests need, as verbs.
impl Memory {
    /// Returns an empty store that this process has opened.
    #[must_use]
    pub fn fresh() -> Self {
        Self::opened_as("proxy-1")
    }

    /// Puts an offer and its quote into the store.
    pub fn offered(&mut self, id: &str) -> OfferRow {
        let row = offer(id);
        let quote = quote(&format!("qt_{id}"), Some(&row));
        self.quotes.insert(quote.quote.id.clone(), quote);
        self.offers.insert(row.id.clone(), row.clone());
        row
    }

    /// Claims, which has to succeed.
    pub fn claimed(&mut self, request: &Claim) -> AttemptRow {
        match self.execute(request) {
            ClaimOutcome::Claimed(row) => row,
            other => panic!("not claimed: {other:?}"),
        }
    }

    /// Claims and marks as sent, both of which have to succeed.
    pub fn sent(&mut self, request: &Claim) -> AttemptRow {
        let row = self.claimed(request);
        assert!(self.mark_sent(&row.id, NOW));
        row
    }

    /// Marks an attempt as sent, to be looked at 45 seconds later.
    pub fn mark_sent(&mut self, attempt: &AttemptId, now: UnixSeconds) -> bool {
        let next_check_at = UnixSeconds(now.0 + 45);
        self.execute(&MarkSent { attempt: attempt.clone(), now, next_check_at, agreed: 1900 })
    }

    /// Settles an attempt that is there.
    pub fn settle(&mut self, attempt: &AttemptId, settlement: &Settlement) -> Settled {
        self.execute(&Settle { attempt, settlement }).unwrap()
    }

    /// Gives an attempt up, to be looked at an hour later.
    pub fn abandon(&mut self, attempt: &AttemptId) -> bool {
        self.execute(&Abandon { attempt: attempt.clone(), at: NOW, next_check_at: after(3600) })
    }

    /// Ends waiting for an attempt for good.
    pub fn review(&mut self, attempt: &AttemptId) -> bool {
        let cause = ReviewCause::StillPending;
        self.execute(&Review { attempt: attempt.clone(), cause, at: NOW, next_check_at: None })
    }

    /// Records a look at an attempt.
    pub fn look(&mut self, attempt: &AttemptId, clean_after_deadline: bool, next: Option<UnixSeconds>) {
        let attempt = attempt.clone();
        self.execute(&RecordLook { attempt, at: NOW, clean_after_deadline, next_check_at: next });
    }

    /// Returns the state of an offer that is there.
    #[must_use]
    pub fn offer_state(&self, offer: &OfferRow) -> OfferState {
        self.offers[&offer.id].state
    }

    /// Returns the state of an attempt that is there.
    #[must_use]
    pub fn state(&self, attempt: &AttemptId) -> AttemptState {
        self.attempts[attempt].row.state
    }

    /// Returns the ids of all notifications, in their order.
    #[must_use]
    pub fn notified(&self) -> Vec<&str> {
        self.notifications.keys().map(String::as_str).collect()
    }
}
