//! What every store must do, on a real one. Compiled once for each engine, like the statements themselves; the engine
//! brings `fresh` (an empty store) and `opened` (the same store again, after a restart or for another tenant).

mod charging;
mod history;
mod notices;
mod offers;
mod outbox;
mod people;
mod plan_changes;
mod restart;
mod restore;
mod sales;
mod support;

use std::sync::Arc;

use dodo_client::{
    Mode,
    ids::{CustomerId, PaymentId, SubscriptionId},
};
use upsell_core::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, ChargePlan, EquivalenceKey, Observation, OfferRow, OfferState,
        PaymentStatus, QuoteRow, RefundOrder, SeenDispute, SeenPayment, SeenRefund, Source, Tenant,
    },
    journal::{
        Abandon, Claim, ClaimOutcome, ConcludeRefund, Conclusion, Decline, DeclineOutcome, KeptKey,
        MarkRefundSent, MarkSent, Rebuild, Rebuilding, RecordDispute, RecordLook, RecordRefund, Release,
        Settle, Settled, Settlement, Took, Unexecuted,
    },
};
use wire::{
    AttemptId, Currency, EffectiveAt, IdempotencyKey, LineKind, OfferId, OfferKind, ProductId, Quote,
    QuoteId, QuoteLine, UnixSeconds,
};

use super::{
    SHARED, SqlStore,
    fixture::{fresh, opened},
};
use crate::store::{Attempts, Execute, Life, Offers, Quotes, StoreError};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

fn customer(id: &str) -> CustomerId {
    CustomerId::parse(id).unwrap()
}

fn payment(id: &str) -> PaymentId {
    PaymentId::parse(id).unwrap()
}

fn product(id: &str) -> ProductId {
    ProductId::parse(id).unwrap()
}

fn purchase_plan() -> ChargePlan {
    ChargePlan::Checkout {
        product_id: product("prod_kit"),
        quantity: 1,
        billing: None,
        discount_codes: Vec::new(),
    }
}

fn offer(id: &str) -> OfferRow {
    OfferRow {
        id: OfferId::parse(id).unwrap(),
        customer_id: customer("cus_1"),
        campaign: "toolkit".into(),
        trigger_ref: format!("pay_of_{id}"),
        purchase: Some(payment("pay_0")),
        parent: None,
        equivalence: EquivalenceKey("product:prod_kit".into()),
        kind: OfferKind::CrossSell,
        plan: purchase_plan(),
        state: OfferState::Presented,
        attempt_no: 0,
        created_at: NOW,
        seen_at: None,
        expires_at: UnixSeconds(NOW.0 + 86_400),
    }
}

fn quote(id: &str, offer: Option<&OfferRow>) -> QuoteRow {
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
            expires_at: UnixSeconds(NOW.0 + 300),
            expires_in: 300,
        },
        offer_id: offer.map(|offer| offer.id.clone()),
        customer_id: customer("cus_1"),
        plan: purchase_plan(),
        from_plan: None,
        name: "Toolkit".into(),
        basis_hash: String::new(),
        payment_method_id: None,
        card: None,
    }
}

/// An offer and its quote in the store.
async fn offered(store: &SqlStore, id: &str) -> OfferRow {
    let row = store.insert_offer_if_absent(&offer(id)).await.unwrap().row();
    store.put_quote(&quote(&format!("qt_{id}"), Some(&row))).await.unwrap();
    row
}

fn claim_of(offer: &OfferRow, attempt: &str, key: &str) -> Claim {
    Claim {
        attempt: AttemptRow {
            id: AttemptId::parse(attempt).unwrap(),
            offer_id: Some(offer.id.clone()),
            customer_id: offer.customer_id.clone(),
            quote_id: QuoteId::parse(format!("qt_{}", offer.id)).unwrap(),
            key: Some(IdempotencyKey::parse(key).unwrap()),
            created_at: NOW,
            lease_until: UnixSeconds(NOW.0 + 60),
            next_check_at: Some(UnixSeconds(NOW.0 + 60)),
            ..AttemptRow::example()
        },
    }
}

fn subscription() -> SubscriptionId {
    SubscriptionId::parse("sub_1").unwrap()
}

/// Claims and marks as sent.
async fn sent(store: &SqlStore, request: &Claim) -> AttemptRow {
    let ClaimOutcome::Claimed(row) = store.claim(request).await.unwrap() else { panic!("not claimed") };
    assert!(store.mark_sent(&row, NOW, UnixSeconds(NOW.0 + 45)).await.unwrap());
    row
}

async fn offer_state(store: &SqlStore, offer: &OfferRow) -> OfferState {
    store.offer(&offer.customer_id, &offer.id).await.unwrap().unwrap().state
}

/// An observation, by whoever.
fn seen(observation: Observation) -> Settlement {
    Settlement::of(observation, Source::LookUp, NOW)
}

/// A success by this payment.
fn paid(by: &str) -> Settlement {
    let payment = SeenPayment { id: payment(by), status: PaymentStatus::Succeeded, amount: None };
    Settlement { payment: Some(payment), ..seen(Observation::Succeeded) }
}

/// Taking an attempt back, so that the same request may be made again. The verb says which.
fn back(from: Unexecuted) -> Release {
    let attempt = AttemptId::parse("at_0").unwrap();
    Release { attempt, from, replacement: None, key: KeptKey::Freed, at: NOW }
}

/// The journal's commands as verbs.
impl SqlStore {
    async fn claim(&self, claim: &Claim) -> Result<ClaimOutcome, StoreError> {
        self.execute(claim).await
    }

    async fn mark_sent(
        &self,
        attempt: &AttemptRow,
        now: UnixSeconds,
        next_check_at: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.execute(&MarkSent { attempt: attempt.id.clone(), now, next_check_at }).await
    }

    async fn release(&self, id: &AttemptId, release: &Release) -> Result<bool, StoreError> {
        self.execute(&Release { attempt: id.clone(), ..release.clone() }).await
    }

    async fn settle(&self, id: &AttemptId, settlement: &Settlement) -> Result<Option<Settled>, StoreError> {
        self.execute(&Settle { attempt: id, settlement }).await
    }

    async fn abandon(
        &self,
        id: &AttemptId,
        at: UnixSeconds,
        next_check_at: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.execute(&Abandon { attempt: id.clone(), at, next_check_at }).await
    }

    async fn note_look(
        &self,
        id: &AttemptId,
        at: UnixSeconds,
        clean_after_deadline: bool,
        next_check_at: Option<UnixSeconds>,
    ) -> Result<(), StoreError> {
        self.execute(&RecordLook { attempt: id.clone(), at, clean_after_deadline, next_check_at }).await
    }

    async fn decline(&self, decline: &Decline) -> Result<DeclineOutcome, StoreError> {
        self.execute(decline).await
    }

    async fn record_refund(&self, refund: &SeenRefund, at: UnixSeconds) -> Result<bool, StoreError> {
        self.execute(&RecordRefund { refund: refund.clone(), at }).await
    }

    async fn record_dispute(&self, dispute: &SeenDispute, at: UnixSeconds) -> Result<bool, StoreError> {
        self.execute(&RecordDispute { dispute: dispute.clone(), at }).await
    }

    async fn mark_refund_sent(
        &self,
        order: &RefundOrder,
        now: UnixSeconds,
        next_check_at: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let RefundOrder { payment_id, cause, .. } = order.clone();
        self.execute(&MarkRefundSent { payment_id, cause, now, next_check_at }).await
    }

    async fn conclude_refund(
        &self,
        order: &RefundOrder,
        conclusion: &Conclusion,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.execute(&ConcludeRefund { order, conclusion, now }).await
    }

    async fn rebuild(&self, rebuilding: &Rebuilding, at: UnixSeconds) -> Result<Took, StoreError> {
        self.execute(&Rebuild { rebuilding, at }).await
    }
}
