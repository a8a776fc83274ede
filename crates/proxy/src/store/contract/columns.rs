//! Every column is written and read back: rows in which no field is empty, and each that may change does.

use dodo_client::ids::{CheckoutSessionId, PaymentMethodId};
use upsell_core::{
    domain::{
        AttemptKind, ConsentRecord, DisputeStatus, Fingerprint, OrderState, PaymentOnRecord, PaymentStatus,
        Proof, RefundCause, RefundOrder, RefundStatus, SeenPayment,
    },
    journal::{
        Change, ForeignPayment, Record, StoredAttempt, StoredOrder, StoredPayment,
        fixtures::{dispute, refund, seen_payment, usd},
        record::OfferKey,
    },
    policy::evidence::Foreign,
};
use wire::{FailureReason, Receipt};

use super::*;

/// Loads what a scope names.
pub(super) async fn load(store: &SqlStore, scope: &Scope) -> Record {
    let mut loaded = Record::default();
    store
        .transact("load", scope, &mut |record| {
            loaded = record.clone();
            Changes::none()
        })
        .await
        .unwrap();
    loaded
}

async fn write_one(store: &SqlStore, change: Change) {
    write(store, &Changes::from_iter([change])).await.unwrap();
}

fn receipt() -> Receipt {
    Receipt {
        reference: "pay_1".into(),
        name: "Toolkit".into(),
        amount: 1900,
        currency: usd(0).currency,
        tax: 152,
        credit: -5,
        at: after(7),
        payment_method: None,
        renewal: None,
    }
}

#[tokio::test]
async fn an_attempt_reads_back_as_it_was_inserted_and_updated() {
    let (_place, store) = fresh().await;
    let offer = offered(&store, "of_1").await;
    let claim = claim_of(&offer, "at_1", "key-1").attempt;
    let inserted = StoredAttempt {
        row: AttemptRow {
            subscription_id: Some(subscription()),
            no: 3,
            kind: AttemptKind::PlanChange,
            fingerprint: Fingerprint([9; 32]),
            state: AttemptState::Pending { customer_action: true },
            replacement: Some(QuoteId::parse("qt_of_1").unwrap()),
            checkout_session_id: Some(CheckoutSessionId::parse("cks_1").unwrap()),
            checkout_url: Some("https://checkout.example/cks_1".into()),
            payment_id: Some(payment("pay_1")),
            receipt: Some(receipt()),
            consent: ConsentRecord { at: after(-9), ..claim.consent.clone() },
            checks: 4,
            clean_looks: 2,
            ..claim
        },
        surplus: true,
        lease_owner: Some(store.instance.clone()),
    };
    write_one(&store, Change::InsertAttempt(Box::new(inserted.clone()))).await;
    let scope = Scope::of_attempt(&inserted.row.id);
    assert_eq!(load(&store, &scope).await.attempt.as_ref(), Some(&inserted));
    assert_eq!(store.attempt_by_id(&inserted.row.id).await.unwrap().as_ref(), Some(&inserted.row));
    let updated = StoredAttempt {
        row: AttemptRow {
            key: None,
            state: AttemptState::Failed(FailureReason::ExpiredCard),
            replacement: None,
            checkout_session_id: Some(CheckoutSessionId::parse("cks_2").unwrap()),
            checkout_url: None,
            payment_id: Some(payment("pay_2")),
            receipt: None,
            lease_until: after(90),
            next_check_at: None,
            checks: 5,
            clean_looks: 3,
            ..inserted.row
        },
        surplus: false,
        ..inserted
    };
    write_one(&store, Change::UpdateAttempt(Box::new(updated.clone()))).await;
    assert_eq!(load(&store, &scope).await.attempt, Some(updated));
}

#[tokio::test]
async fn an_offer_and_a_quote_read_back() {
    let (_place, store) = fresh().await;
    let full = OfferRow {
        parent: Some(OfferId::parse("of_0").unwrap()),
        state: OfferState::Pending,
        attempt_no: 2,
        seen_at: Some(after(3)),
        ..offer("of_1")
    };
    let full_quote = QuoteRow {
        from_plan: Some(product("prod_basic")),
        basis_hash: "basis".into(),
        payment_method_id: Some(PaymentMethodId::parse("pm_1").unwrap()),
        withheld: true,
        signed_in: false,
        ..quote("qt_of_1", Some(&full))
    };
    let changes =
        [Change::InsertOffer(Box::new(full.clone())), Change::InsertQuote(Box::new(full_quote.clone()))];
    write(&store, &Changes::from_iter(changes)).await.unwrap();
    let scope = Scope {
        offer: Some(OfferKey::Id(full.id.clone())),
        ..Scope::under(Lock::Buyer(full.customer_id.clone()))
    };
    assert_eq!(load(&store, &scope).await.offer.as_ref(), Some(&full));
    let found = store.quote(&full.customer_id, &full_quote.quote.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&full_quote));
    // A quote is a promise: it stays as it is.
    let dearer = QuoteRow { name: "Other".into(), ..full_quote.clone() };
    write_one(&store, Change::InsertQuote(Box::new(dearer))).await;
    assert_eq!(store.quote(&full.customer_id, &full_quote.quote.id).await.unwrap(), Some(full_quote));
    let moved = Change::UpdateOffer { id: full.id.clone(), state: OfferState::Charged, attempt_no: 4 };
    write_one(&store, moved).await;
    let moved = OfferRow { state: OfferState::Charged, attempt_no: 4, ..full };
    assert_eq!(load(&store, &scope).await.offer, Some(moved));
}

/// Loads everything about the payment.
async fn known(store: &SqlStore) -> Record {
    load(store, &Scope::of_sale(&payment("pay_1"))).await
}

#[tokio::test]
async fn a_payment_and_what_became_of_it_read_back() {
    let (_place, store) = fresh().await;
    let offer = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&offer, "at_1", "key-1")).await;
    let stored = |status, amount: Option<i64>, surplus, seen_at| StoredPayment {
        attempt_id: attempt.id.clone(),
        record: PaymentOnRecord {
            payment: SeenPayment {
                id: payment("pay_1"),
                status,
                amount: amount.map(usd),
                proof: if surplus { Proof::OurId } else { Proof::Code },
                paid_by: surplus.then(|| customer("cus_2")),
                subscription_id: surplus.then(subscription),
            },
            surplus,
            seen_at,
        },
    };
    for payment in [
        stored(PaymentStatus::Pending, None, false, NOW),
        stored(PaymentStatus::Succeeded, Some(1900), true, after(5)),
    ] {
        write_one(&store, Change::WritePayment(payment.clone())).await;
        let known = known(&store).await;
        assert_eq!(known.payment, Some(payment));
        assert_eq!(known.offer.map(|offer| offer.id), Some(offer.id.clone()));
        assert_eq!(known.attempt.map(|attempt| attempt.row.id), Some(attempt.id.clone()));
        assert_eq!(known.quote.map(|quote| quote.quote.id), Some(attempt.quote_id.clone()));
    }
    for seen in [
        refund("ref_1", "pay_1", RefundStatus::Pending, None),
        refund("ref_1", "pay_1", RefundStatus::Succeeded, Some(900)),
    ] {
        write_one(&store, Change::WriteRefund { refund: seen.clone(), at: NOW }).await;
        assert_eq!(known(&store).await.refunds, [seen]);
    }
    for seen in
        [dispute("dsp_1", "pay_1", DisputeStatus::Opened), dispute("dsp_1", "pay_1", DisputeStatus::Lost)]
    {
        write_one(&store, Change::WriteDispute { dispute: seen.clone(), at: NOW }).await;
        assert_eq!(known(&store).await.disputes, [seen]);
    }
    // Of which payment a refund or a dispute is stays as it was first reported.
    let refund = refund("ref_1", "pay_2", RefundStatus::Succeeded, Some(900));
    write_one(&store, Change::WriteRefund { refund, at: NOW }).await;
    let dispute = dispute("dsp_1", "pay_2", DisputeStatus::Lost);
    write_one(&store, Change::WriteDispute { dispute, at: NOW }).await;
    assert_eq!((known(&store).await.refunds.len(), known(&store).await.disputes.len()), (1, 1));
}

#[tokio::test]
async fn a_refund_order_reads_back() {
    let (_place, store) = fresh().await;
    let due = StoredOrder {
        row: RefundOrder {
            payment_id: payment("pay_1"),
            cause: RefundCause::AboveQuote,
            amount: Some(5),
            state: OrderState::Due,
            refund_id: None,
            created_at: NOW,
            sent_at: None,
            next_check_at: Some(after(1)),
        },
        lease_until: UnixSeconds(0),
        lease_owner: None,
        checks: 0,
    };
    write_one(&store, Change::InsertOrder(due.clone())).await;
    // One for the same payment and cause stays as it is.
    let again = StoredOrder { row: RefundOrder { amount: None, ..due.row.clone() }, ..due.clone() };
    write_one(&store, Change::InsertOrder(again)).await;
    assert_eq!(known(&store).await.orders, std::slice::from_ref(&due));
    let done = StoredOrder {
        row: RefundOrder {
            state: OrderState::Done,
            refund_id: Some(dodo_client::ids::RefundId::parse("ref_1").unwrap()),
            next_check_at: None,
            ..due.row
        },
        lease_until: after(60),
        checks: 3,
        ..due
    };
    write_one(&store, Change::UpdateOrder(done.clone())).await;
    assert_eq!(known(&store).await.orders, [done]);
}

#[tokio::test]
async fn what_began_a_subscription_and_what_is_foreign_read_back() {
    let (_place, store) = fresh().await;
    let offer = offered(&store, "of_1").await;
    let attempt = sent(&store, &claim_of(&offer, "at_1", "key-1")).await;
    let scope = Scope {
        began: Some(subscription()),
        foreign: true,
        payment: Some(payment("pay_2")),
        ..Scope::of_attempt(&attempt.id)
    };
    let before = load(&store, &scope).await;
    assert_eq!((before.began_by, before.is_known_as_foreign), (None, false));
    let began = SeenPayment {
        subscription_id: Some(subscription()),
        ..seen_payment("pay_1", PaymentStatus::Succeeded, Some(1900))
    };
    let record = PaymentOnRecord { payment: began, surplus: false, seen_at: NOW };
    let stored = StoredPayment { attempt_id: attempt.id.clone(), record };
    write_one(&store, Change::WritePayment(stored)).await;
    for why in [Foreign::Unproven, Foreign::OtherCart] {
        let (payment_id, attempt) = (payment("pay_2"), attempt.id.clone());
        write_one(&store, Change::RecordForeign(ForeignPayment { payment_id, attempt, why, at: NOW })).await;
    }
    let known = load(&store, &scope).await;
    assert_eq!((known.began_by, known.is_known_as_foreign), (Some(payment("pay_1")), true));
}
