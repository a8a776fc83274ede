//! A small world around a store, for properties over random sequences: clicks, workers, Dodo, the reconciler, the merchant's
//! refunds, and a store that lost commits.
//!
//! In one file because each choice of the walk is read beside the others.

#![allow(clippy::unwrap_used, reason = "for tests")]

use std::collections::{BTreeMap, BTreeSet};

use dodo_client::{
    ids::{CheckoutSessionId, PaymentId, RefundId, SubscriptionId},
    types::plan_changes::ProrationMode,
};
use wire::{AttemptId, EffectiveAt, FailureReason, IdempotencyKey, OfferId, Receipt, UnixSeconds};

use super::{
    Abandon, Claim, Conclusion, Decline, KeptKey, MarkRefundSent, MarkSent, RecordDispute, RecordLook,
    RecordRefund, Release, Review, Settlement, Took, Unexecuted,
    any_command::{AnyCommand, Outcome},
    fixtures::{
        ALL_BACK, NOW, claim_of, customer, dispute, lost, offer, payment, product, quote, refund, refusal,
        seen_payment, usd,
    },
    memory::Memory,
};
use crate::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, ChargePlan, DisputeStatus, EquivalenceKey, Observation,
        OfferRow, PaymentStatus, QuoteRow, RefundOrder, RefundStatus, ReviewCause, Source,
    },
    policy::refunds::RefundRules,
};

/// One thing that happens.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time, in tests")]
pub enum Step {
    /// A command is carried out.
    Command(AnyCommand),
    /// The reconciler takes what is due at a time, under a lease until another.
    TakeDue(UnixSeconds, UnixSeconds),
    /// Refund orders are taken in the same way.
    TakeDueRefunds(UnixSeconds, UnixSeconds),
    /// Open offers are closed, because refusals may be lost.
    Hold(UnixSeconds),
    /// The process ends, and another opens the store.
    Restart,
}

/// Source of choices: each is drawn from the one number that a step was given.
struct Dice(u64);

impl Dice {
    fn pick(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.pick(sides) == 0
    }

    fn among<T: Clone>(&mut self, items: &[T]) -> Option<T> {
        if items.is_empty() { None } else { Some(items[self.pick(items.len())].clone()) }
    }
}

/// The world around a store. It remembers what no store knows: whose requests have left, and which of them were certainly
/// not executed.
#[derive(Clone, Debug)]
pub struct World {
    /// The time.
    pub now: UnixSeconds,
    /// Number of requests that have left, by attempt.
    pub requests: BTreeMap<AttemptId, u32>,
    /// Offers that a lost attempt was put back for.
    pub put_back: BTreeSet<OfferId>,
    /// Attempts that Dodo may have payments of.
    payable: BTreeSet<AttemptId>,
    names: u32,
    /// Evidence may also be about attempts that were never sent, and look-ups end whenever they like.
    is_wild: bool,
}

impl World {
    /// Returns a world in which only what can happen does.
    #[must_use]
    pub fn sane() -> Self {
        Self {
            now: NOW,
            requests: BTreeMap::new(),
            put_back: BTreeSet::new(),
            payable: BTreeSet::new(),
            names: 0,
            is_wild: false,
        }
    }

    /// Returns a world in which contradictions happen, too.
    #[must_use]
    pub fn wild() -> Self {
        Self { is_wild: true, ..Self::sane() }
    }

    /// Returns the offers that are there at the beginning: one thing to one person three times, twice under one customer
    /// id; another thing; and a change of plan, which comes last.
    #[must_use]
    pub fn offers() -> Vec<OfferRow> {
        let again = OfferRow { customer_id: customer("cus_2"), ..offer("of_4") };
        let other = OfferRow { equivalence: EquivalenceKey("product:prod_book".into()), ..offer("of_5") };
        let (equivalence, plan) = (EquivalenceKey("product:prod_pro".into()), plan_change("sub_1"));
        let change = OfferRow { equivalence, plan, ..offer("of_3") };
        vec![offer("of_1"), offer("of_2"), again, other, change]
    }

    /// Returns the quotes that are there at the beginning: one for each offer, and one for a change of plan without offer.
    #[must_use]
    pub fn quotes() -> Vec<QuoteRow> {
        let mut quotes: Vec<_> =
            Self::offers().iter().map(|row| quote(&format!("qt_{}", row.id), Some(row))).collect();
        quotes.last_mut().unwrap().plan = plan_change("sub_1");
        quotes.push(QuoteRow { plan: plan_change("sub_1"), ..quote("qt_of_change", None) });
        quotes
    }

    /// Returns a store with what is there at the beginning.
    #[must_use]
    pub fn store() -> Memory {
        let mut store = Memory::fresh();
        store.offers = Self::offers().into_iter().map(|row| (row.id.clone(), row)).collect();
        store.quotes = Self::quotes().into_iter().map(|row| (row.quote.id.clone(), row)).collect();
        store
    }

    /// Chooses what happens next in a store that stands like this.
    pub fn next(&mut self, choice: u64, store: &Memory) -> Step {
        let dice = &mut Dice(choice);
        self.now.0 += [0, 1, 1, 20, 70][dice.pick(5)];
        let now = self.now;
        let soon = UnixSeconds(now.0 + 60);
        let attempts: Vec<_> = store.attempts.values().map(|attempt| &attempt.row).collect();
        let orders: Vec<_> = store.orders.values().map(|order| order.row.clone()).collect();
        // Refunds are rare; where there is one, something happens to it.
        let what = if !orders.is_empty() && dice.one_in(4) { 30 + dice.pick(6) } else { dice.pick(40) };
        let command = match what {
            0..6 => self.claim(dice),
            6..12 => dice.among(&attempts).map(|row| {
                AnyCommand::MarkSent(MarkSent {
                    attempt: row.id.clone(),
                    now,
                    next_check_at: UnixSeconds(now.0 + 45),
                    agreed: 1900,
                })
            }),
            12..14 => dice.among(&attempts).map(|row| AnyCommand::Release(release(dice, row, now))),
            14..23 => self.settle(dice, &attempts),
            23 => dice.among(&attempts).map(|row| {
                AnyCommand::Review(Review {
                    attempt: row.id.clone(),
                    cause: dice.among(ReviewCause::ALL).unwrap(),
                    at: now,
                    next_check_at: None,
                })
            }),
            24 => dice.among(&attempts).map(|row| {
                AnyCommand::Abandon(Abandon {
                    attempt: row.id.clone(),
                    at: now,
                    next_check_at: UnixSeconds(now.0 + 3600),
                })
            }),
            25 => dice.among(&attempts).map(|row| AnyCommand::RecordLook(self.look(dice, row))),
            26 => dice.among(&Self::offers()).map(|row| {
                let asked = refusal(&row);
                let customer_id = if dice.one_in(8) { customer("cus_3") } else { asked.customer_id.clone() };
                AnyCommand::Decline(Decline { customer_id, at: now, ..asked })
            }),
            27 | 28 => dice.among(&attempts).map(|row| {
                let id = format!("ref_{}_{}", row.id, dice.pick(2));
                let status =
                    dice.among(&[RefundStatus::Pending, RefundStatus::Failed, RefundStatus::Succeeded]);
                let amount = dice.among(&[None, Some(900), Some(1900)]).unwrap();
                let refund = refund(&id, payment_of(row, 0).as_str(), status.unwrap(), amount);
                AnyCommand::RecordRefund(RecordRefund { refund, at: now })
            }),
            29 => dice.among(&attempts).map(|row| {
                let status = dice.among(&[DisputeStatus::Opened, DisputeStatus::Won, DisputeStatus::Lost]);
                let id = format!("dsp_{}", row.id);
                let dispute = dispute(&id, payment_of(row, 0).as_str(), status.unwrap());
                AnyCommand::RecordDispute(RecordDispute { dispute, at: now })
            }),
            30 | 31 => return Step::TakeDueRefunds(now, soon),
            32 | 33 => dice.among(&orders).map(|RefundOrder { payment_id, cause, .. }| {
                AnyCommand::MarkRefundSent(MarkRefundSent { payment_id, cause, now, next_check_at: soon })
            }),
            34 | 35 => dice.among(&orders).map(|order| {
                let conclusion = conclusion(dice, &order, now);
                AnyCommand::ConcludeRefund(order, conclusion, now)
            }),
            36 => self.rebuild(dice, &attempts),
            37 => return Step::TakeDue(now, soon),
            38 if dice.one_in(8) => return Step::Hold(now),
            _ if dice.one_in(4) => return Step::Restart,
            _ => self.claim(dice),
        };
        // What there is nothing for yet begins with a click.
        Step::Command(command.or_else(|| self.claim(dice)).unwrap())
    }

    /// Takes note of what a command did outside of the store.
    pub fn observe(&mut self, command: &AnyCommand, outcome: &Outcome) {
        match (command, outcome) {
            (AnyCommand::MarkSent(MarkSent { attempt, .. }), Outcome::Flag(true)) => {
                *self.requests.entry(attempt.clone()).or_default() += 1;
                self.payable.insert(attempt.clone());
            }
            (AnyCommand::Release(Release { attempt, .. }), Outcome::Flag(true)) => {
                self.payable.remove(attempt);
            }
            (AnyCommand::Rebuild(..), Outcome::Took(Took::New(row))) => {
                self.payable.insert(row.id.clone());
                self.put_back.extend(row.offer_id.clone());
            }
            (AnyCommand::Rebuild(..), Outcome::Took(Took::Known(row))) => {
                self.payable.insert(row.id.clone());
            }
            _ => {}
        }
    }

    /// Says whether evidence of an attempt may come in.
    fn may_be_seen(&self, row: &AttemptRow) -> bool {
        self.is_wild || self.payable.contains(&row.id)
    }

    fn name(&mut self, of: &str) -> String {
        self.names += 1;
        format!("{of}_{:03}", self.names)
    }

    fn claim(&mut self, dice: &mut Dice) -> Option<AnyCommand> {
        // Changes of plan can be made in most ways.
        let mut row = dice.among(&Self::offers())?;
        if dice.one_in(4) {
            row = Self::offers().pop()?;
        }
        let bare = dice.one_in(8);
        if bare {
            row.id = OfferId::parse("of_change").unwrap();
        }
        let Claim { mut attempt, email, lifting } = claim_of(&row, &self.name("at"), "key");
        attempt.key = Some(IdempotencyKey::parse(format!("key-{}", dice.pick(12))).unwrap());
        attempt.kind = match row.id.as_str() {
            "of_3" | "of_change" => AttemptKind::PlanChange,
            _ if dice.one_in(2) => AttemptKind::OneClick,
            _ => AttemptKind::Hosted,
        };
        attempt.offer_id = attempt.offer_id.filter(|_| !bare);
        if attempt.kind == AttemptKind::PlanChange {
            let other = bare && dice.one_in(3);
            attempt.subscription_id = SubscriptionId::parse(if other { "sub_2" } else { "sub_1" }).ok();
        }
        let soon = UnixSeconds(self.now.0 + 60);
        (attempt.created_at, attempt.lease_until, attempt.next_check_at) = (self.now, soon, Some(soon));
        Some(AnyCommand::Claim(Claim { attempt, email, lifting }))
    }

    fn settle(&self, dice: &mut Dice, attempts: &[&AttemptRow]) -> Option<AnyCommand> {
        let seen: Vec<_> = attempts.iter().copied().filter(|row| self.may_be_seen(row)).collect();
        let row = dice.among(&seen)?;
        let by = usize::from(dice.one_in(4));
        let mut settlement = evidence(dice, row, by, self.now);
        if dice.one_in(2) {
            settlement.refund = RefundRules { late: row.kind == AttemptKind::OneClick, ..ALL_BACK };
        } else if dice.one_in(6) {
            settlement.refund.excess = Some(5);
        }
        Some(AnyCommand::Settle(row.id.clone(), Box::new(settlement)))
    }

    /// A look; looking for what is undecided does not end.
    fn look(&self, dice: &mut Dice, row: &AttemptRow) -> RecordLook {
        let may_end =
            self.is_wild || matches!(row.state, AttemptState::Abandoned | AttemptState::NeedsReview);
        let next_check_at = (!may_end || dice.one_in(2)).then_some(UnixSeconds(self.now.0 + 30));
        let clean_after_deadline = dice.one_in(2);
        RecordLook { attempt: row.id.clone(), at: self.now, clean_after_deadline, next_check_at }
    }

    /// Puts back an attempt that is there, or one that only Dodo knows.
    fn rebuild(&mut self, dice: &mut Dice, attempts: &[&AttemptRow]) -> Option<AnyCommand> {
        let known = dice.among(attempts).filter(|row| row.state != AttemptState::Released && dice.one_in(2));
        let mut row = dice.among(&Self::offers())?;
        let mut rebuilding = lost(&row, &self.name("lost"));
        rebuilding.attempt.payment_id = Some(payment_of(&rebuilding.attempt, 0));
        if row.id.as_str() == "of_3" {
            rebuilding.attempt.kind = AttemptKind::PlanChange;
            rebuilding.attempt.subscription_id = SubscriptionId::parse("sub_1").ok();
            rebuilding.quote.plan = plan_change("sub_1");
        }
        if let Some(known) = known {
            rebuilding.attempt.id = known.id.clone();
        } else if dice.one_in(2) {
            row.id = OfferId::parse(self.name("of")).unwrap();
            if dice.one_in(2) {
                row.trigger_ref = format!("pay_of_{}", row.id);
            }
            rebuilding.attempt.offer_id = Some(row.id.clone());
            rebuilding.quote.offer_id = Some(row.id.clone());
            rebuilding.offer = Some(row);
        }
        rebuilding.attempt.next_check_at = Some(self.now);
        Some(AnyCommand::Rebuild(Box::new(rebuilding), self.now))
    }
}

/// Returns what Dodo may say of an attempt, by one of its payments, in the choice that a number makes.
#[must_use]
pub fn evidence_of(choice: u64, row: &AttemptRow, now: UnixSeconds) -> Settlement {
    evidence(&mut Dice(choice), row, 0, now)
}

fn evidence(dice: &mut Dice, row: &AttemptRow, by: usize, now: UnixSeconds) -> Settlement {
    let is_change = row.kind == AttemptKind::PlanChange;
    let customer_action = dice.one_in(2);
    let failed = Observation::Failed(dice.among(FailureReason::ALL).unwrap());
    let (observation, status) = match dice.pick(8) {
        0 => (Observation::Unknown, None),
        1 | 2 => (Observation::Pending { customer_action }, Some(PaymentStatus::Pending)),
        // Another payment may follow on the same page.
        3 | 4 if row.kind == AttemptKind::Hosted => {
            (Observation::Pending { customer_action: false }, Some(PaymentStatus::Failed))
        }
        3 => (failed, Some(PaymentStatus::Failed)),
        4 => (failed, None),
        5 if is_change => (Observation::Scheduled, None),
        6 if is_change => (Observation::Succeeded, None),
        _ => (Observation::Succeeded, Some(PaymentStatus::Succeeded)),
    };
    let payment = status.map(|status| {
        let amount = (!dice.one_in(4)).then_some(1900);
        seen_payment(payment_of(row, by).as_str(), status, amount)
    });
    let is_final = matches!(observation, Observation::Succeeded | Observation::Scheduled);
    let with_page = row.kind == AttemptKind::Hosted && dice.one_in(2);
    Settlement {
        payment,
        checkout_session_id: with_page.then(|| CheckoutSessionId::parse(format!("cks_{}", row.id)).unwrap()),
        checkout_url: with_page.then(|| format!("https://checkout.example/{}", row.id)),
        receipt: is_final.then(|| receipt(row)),
        next_check_at: dice.one_in(2).then_some(UnixSeconds(now.0 + 30)),
        ..Settlement::of(
            observation,
            dice.among(&[Source::Reply, Source::Webhook, Source::LookUp]).unwrap(),
            now,
        )
    }
}

fn receipt(row: &AttemptRow) -> Receipt {
    Receipt {
        reference: row.id.to_string(),
        name: "Toolkit".into(),
        amount: 1900,
        currency: usd(0).currency,
        tax: 0,
        credit: 0,
        at: row.created_at,
        payment_method: None,
        renewal: None,
    }
}

fn release(dice: &mut Dice, row: &AttemptRow, at: UnixSeconds) -> Release {
    let is_changed = dice.one_in(4);
    Release {
        attempt: row.id.clone(),
        from: if row.state == AttemptState::Sent { Unexecuted::Sent } else { Unexecuted::Claimed },
        replacement: is_changed.then(|| row.quote_id.clone()),
        key: if is_changed { KeptKey::Kept } else { KeptKey::Freed },
        at,
    }
}

fn conclusion(dice: &mut Dice, order: &RefundOrder, now: UnixSeconds) -> Conclusion {
    let later = UnixSeconds(now.0 + 30);
    let id = RefundId::parse(order.payment_id.as_str().replacen("pay_", "ref_", 1)).unwrap();
    match dice.pick(6) {
        0 => Conclusion::Done(id),
        1 => Conclusion::Underway(id, later),
        2 => Conclusion::Refused(dice.one_in(2).then_some(id)),
        3 => Conclusion::Due(later),
        _ => Conclusion::Later(Some(later)),
    }
}

/// The payment of an attempt with this number. Its refunds have its name with another prefix.
fn payment_of(row: &AttemptRow, no: usize) -> PaymentId {
    payment(&format!("pay_{}_{no}", row.id))
}

fn plan_change(subscription: &str) -> ChargePlan {
    ChargePlan::PlanChange {
        subscription_id: SubscriptionId::parse(subscription).unwrap(),
        product_id: product("prod_pro"),
        quantity: 1,
        addons: Vec::new(),
        proration: ProrationMode::DifferenceImmediately,
        effective_at: EffectiveAt::Immediately,
    }
}
