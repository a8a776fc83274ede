//! The store on a real file. What every store must do; another engine behind the port has to pass the same.

mod charging;
mod offers;
mod opening;
mod people;
mod statements;

use std::sync::Arc;

use dodo_client::{
    Mode,
    ids::{CustomerId, PaymentId, SubscriptionId},
};
use tempfile::TempDir;
use wire::{
    AttemptId, Currency, EffectiveAt, IdempotencyKey, LineKind, OfferId, OfferKind, ProductId, Quote,
    QuoteId, QuoteLine, UnixSeconds,
};

use super::SqliteStore;
use crate::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, ChargePlan, EquivalenceKey, Fingerprint, OfferRow, OfferState,
        QuoteRow, Tenant,
    },
    store::{Attempts, Claim, ClaimRequest, Offers, Quotes},
};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const OPEN: &[OfferState] = &[OfferState::Eligible, OfferState::Presented];

fn tenant(merchant: &str) -> Tenant {
    Tenant { merchant: merchant.into(), mode: Mode::Test }
}

async fn fresh() -> (TempDir, Arc<SqliteStore>) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("proxy.db"), &tenant("shop")).await.unwrap();
    (folder, Arc::new(store))
}

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
        name: "Toolkit".into(),
        basis_hash: String::new(),
        payment_method_id: None,
        card: None,
    }
}

/// An offer and its quote in the store.
async fn offered(store: &SqliteStore, id: &str) -> OfferRow {
    let row = store.insert_offer_if_absent(&offer(id)).await.unwrap().row();
    store.put_quote(&quote(&format!("qt_{id}"), Some(&row))).await.unwrap();
    row
}

fn claim_of(offer: &OfferRow, attempt: &str, key: &str) -> ClaimRequest {
    ClaimRequest {
        attempt: AttemptRow {
            id: AttemptId::parse(attempt).unwrap(),
            offer_id: Some(offer.id.clone()),
            subscription_id: None,
            no: 1,
            customer_id: offer.customer_id.clone(),
            quote_id: QuoteId::parse(format!("qt_{}", offer.id)).unwrap(),
            kind: AttemptKind::OneClick,
            key: Some(IdempotencyKey::parse(key).unwrap()),
            fingerprint: Fingerprint([7; 32]),
            state: AttemptState::Claimed,
            replacement: None,
            checkout_session_id: None,
            checkout_url: None,
            payment_id: None,
            receipt: None,
            consent: None,
            created_at: NOW,
            lease_until: UnixSeconds(NOW.0 + 60),
            next_check_at: Some(UnixSeconds(NOW.0 + 60)),
            checks: 0,
            clean_looks: 0,
        },
        from: OPEN,
    }
}

fn subscription() -> SubscriptionId {
    SubscriptionId::parse("sub_1").unwrap()
}

/// Claims and marks as sent.
async fn sent(store: &SqliteStore, request: &ClaimRequest) -> AttemptRow {
    let Claim::Claimed(row) = store.claim(request).await.unwrap() else { panic!("not claimed") };
    assert!(store.mark_sent(&row.id, NOW, UnixSeconds(NOW.0 + 45)).await.unwrap());
    row
}

async fn offer_state(store: &SqliteStore, offer: &OfferRow) -> OfferState {
    store.offer(&offer.customer_id, &offer.id).await.unwrap().unwrap().state
}
