//! A payment that may be an attempt's own: judged under the lock, and merged where it is (I16 to I18).

use dodo_client::{
    ids::PaymentId,
    types::{payments::IntentStatus, subscriptions::Subscription},
};
use wire::{AttemptId, UnixSeconds};

use super::{
    Change, Changes, Command, Record, Scope, Settle, Settled, Settlement, StoredPayment, record::OfferKey,
};
use crate::{
    domain::{
        AttemptKind, AttemptRow, Observation, PaymentFacts, Proof, QuoteRow, SeenPayment, StoreIdentity,
    },
    policy::{
        evidence::{self, Amount, Case, Foreign, Missing, Verdict},
        observe, receipt, refunds,
    },
    rules::MoneyRules,
};

/// Settles an attempt by a payment, if that is its own. May be given by anybody, in any order, any number of times.
#[derive(Clone, Copy, Debug)]
pub struct SettlePayment<'a> {
    /// The attempt.
    pub attempt: &'a AttemptId,
    /// The payment as it was seen.
    pub payment: &'a PaymentFacts,
    /// The subscription that the payment names, where it was fetched.
    pub subscription: Option<&'a Subscription>,
    /// What is known beside the payment: who found out, when, and the page that it may be paid on.
    pub base: &'a Settlement,
    /// The merchant's rules about unexpected payments.
    pub money: MoneyRules,
    /// The store that the attempt is in.
    pub store: &'a StoreIdentity,
}

/// What a payment turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weighed {
    /// There is no such attempt, or its quote is gone.
    NoAttempt,
    /// It is the attempt's own.
    Settled {
        /// What settling did.
        settled: Box<Settled>,
        /// What makes it its own.
        proof: Proof,
        /// How what was collected relates to what was agreed; `AsAgreed` where nothing was collected yet.
        amount: Amount,
    },
    /// It is none of the attempt's, and nothing follows from it.
    Foreign {
        /// Why.
        why: Foreign,
        /// A person has to look, and has not been told of this payment before.
        is_news: bool,
    },
    /// Something has to be fetched before anything follows.
    Held(Missing),
}

impl Weighed {
    /// Returns what settling did, where the payment was the attempt's own.
    #[must_use]
    pub fn settled(self) -> Option<Settled> {
        match self {
            Self::Settled { settled, .. } => Some(*settled),
            Self::NoAttempt | Self::Foreign { .. } | Self::Held(_) => None,
        }
    }
}

/// A payment that names an attempt and is none of its, as the store keeps it: a person is told once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignPayment {
    /// The payment.
    pub payment_id: PaymentId,
    /// The attempt that it names.
    pub attempt: AttemptId,
    /// Why it is none of its.
    pub why: Foreign,
    /// When it was seen first.
    pub at: UnixSeconds,
}

impl Command for SettlePayment<'_> {
    const NAME: &'static str = "settle_payment";
    type Outcome = Weighed;

    fn scope(&self) -> Scope {
        Scope {
            offer: Some(OfferKey::OfAttempt),
            siblings: true,
            quote: true,
            payment: Some(self.payment.payment_id.clone()),
            flags: true,
            began: self.payment.subscription_id.clone(),
            foreign: true,
            ..Scope::of_attempt(self.attempt)
        }
    }

    fn decide(&self, record: &Record) -> (Weighed, Changes) {
        let (Some(stored), Some(quote)) = (&record.attempt, &record.quote) else {
            return (Weighed::NoAttempt, Changes::none());
        };
        // Ids that the reply to our own request has just named are ours.
        let replied = self.base.payment.as_ref().map(|payment| &payment.id);
        let row = AttemptRow {
            payment_id: replied.or(stored.row.payment_id.as_ref()).cloned(),
            checkout_session_id: self
                .base
                .checkout_session_id
                .clone()
                .or_else(|| stored.row.checkout_session_id.clone()),
            ..stored.row.clone()
        };
        let is_known = |known: &&StoredPayment| known.attempt_id == row.id;
        let known = record.payment.as_ref().filter(is_known).map(|known| known.record.payment.proof);
        let is_replied = replied == Some(&self.payment.payment_id);
        let case = Case {
            row: &row,
            quote,
            payment: self.payment,
            subscription: self.subscription,
            on_record: if is_replied { Some(Proof::OurId) } else { known },
            began_by: record.began_by.as_ref(),
            store: self.store,
        };
        match evidence::judge(&case) {
            Verdict::Held(missing) => (Weighed::Held(missing), Changes::none()),
            Verdict::Foreign(why) => self.refuse(why, record),
            Verdict::Own(proof, amount) => {
                let settlement = self.settlement(&stored.row, quote, proof, amount);
                let settle = Settle { attempt: self.attempt, settlement: &settlement };
                let (settled, changes) = settle.decide(record);
                let amount = if self.is_collected() { amount } else { Amount::AsAgreed };
                match settled {
                    Some(settled) => {
                        (Weighed::Settled { settled: Box::new(settled), proof, amount }, changes)
                    }
                    None => (Weighed::NoAttempt, changes),
                }
            }
        }
    }
}

impl SettlePayment<'_> {
    fn is_collected(&self) -> bool {
        self.payment.status == Some(IntentStatus::Succeeded)
    }

    fn refuse(&self, why: Foreign, record: &Record) -> (Weighed, Changes) {
        let is_news = why.is_suspicious() && self.is_collected() && !record.is_known_as_foreign;
        let mut changes = Changes::none();
        if is_news {
            changes.push(Change::RecordForeign(ForeignPayment {
                payment_id: self.payment.payment_id.clone(),
                attempt: self.attempt.clone(),
                why,
                at: self.base.at,
            }));
        }
        (Weighed::Foreign { why, is_news }, changes)
    }

    /// What the payment means for the attempt.
    fn settlement(&self, row: &AttemptRow, quote: &QuoteRow, proof: Proof, amount: Amount) -> Settlement {
        let payment = self.payment;
        let seen = observe::payment(row.kind, payment.status.as_ref(), payment.error_code.as_deref());
        let observation = match (seen, proof, amount) {
            // A name says who wrote it, not that this is the payment it was written for: short of what was agreed, a
            // person decides.
            (Observation::Succeeded, Proof::Code, Amount::Less)
            | (Observation::Succeeded, Proof::OldName, Amount::Less | Amount::More) => Observation::Underpaid,
            (Observation::Failed(_), _, _) if !evidence::may_fail(row, payment, proof) => {
                Observation::Unknown
            }
            _ => seen,
        };
        // The bank wants to see the buyer: that payment's own page leads on, and no other while it is undecided.
        let own_page = payment.payment_link.clone().filter(|_| {
            row.kind != AttemptKind::Hosted && observation == Observation::Pending { customer_action: true }
        });
        let begins = payment.subscription_id.clone().filter(|_| row.kind != AttemptKind::PlanChange);
        Settlement {
            observation,
            payment: Some(SeenPayment {
                id: payment.payment_id.clone(),
                status: observe::payment_status(payment.status.as_ref()),
                amount: Some(payment.amount),
                proof,
                paid_by: (payment.customer_id != row.customer_id).then(|| payment.customer_id.clone()),
                subscription_id: begins,
            }),
            checkout_url: own_page.or_else(|| self.base.checkout_url.clone()),
            receipt: (observation == Observation::Succeeded)
                .then(|| receipt::of_payment(quote, payment, self.base.at)),
            refund: refunds::rules(
                self.money,
                row.kind,
                quote,
                payment,
                evidence::may_go_back(row, payment, proof),
            ),
            ..self.base.clone()
        }
    }
}

#[cfg(test)]
#[path = "evidence_tests.rs"]
mod tests;
