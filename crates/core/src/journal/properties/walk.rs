//! Sequences of steps, and what their checks ask about.

use std::collections::BTreeMap;

use proptest::{prelude::*, test_runner::TestCaseError};
use wire::{AttemptId, OfferId, UnixSeconds};

use crate::{
    domain::{AttemptState, OfferState, PaymentOnRecord, PaymentStatus},
    journal::{
        Changes, ClaimOutcome, Command, StoredAttempt,
        any_command::{AnyCommand, Outcome},
        decide,
        memory::Memory,
        states,
        world::{Step, World},
    },
};

pub(super) type Checked = Result<(), TestCaseError>;

/// A step that was taken: what it did, and how things stood before it.
pub(super) struct Taken<'a> {
    pub(super) command: Option<(&'a AnyCommand, &'a Outcome)>,
    pub(super) changes: &'a Changes,
    pub(super) offers: &'a BTreeMap<OfferId, OfferState>,
    pub(super) attempts: &'a BTreeMap<AttemptId, AttemptState>,
    pub(super) leases: &'a BTreeMap<AttemptId, (UnixSeconds, Option<String>)>,
}

/// The numbers of which each makes one step.
pub(super) fn choices() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(any::<u64>(), 1..60)
}

pub(super) fn offer_states(store: &Memory) -> BTreeMap<OfferId, OfferState> {
    store.offers.values().map(|offer| (offer.id.clone(), offer.state)).collect()
}

pub(super) fn attempt_states(store: &Memory) -> BTreeMap<AttemptId, AttemptState> {
    store.attempts.values().map(|attempt| (attempt.row.id.clone(), attempt.row.state)).collect()
}

fn leases(store: &Memory) -> BTreeMap<AttemptId, (UnixSeconds, Option<String>)> {
    let attempts = store.attempts.values();
    attempts.map(|a| (a.row.id.clone(), (a.row.lease_until, a.lease_owner.clone()))).collect()
}

/// Takes a step, and returns what a command decided.
pub(super) fn take(store: &mut Memory, world: &mut World, step: &Step) -> (Option<Outcome>, Changes) {
    match step {
        Step::Command(command) => {
            let (outcome, changes) = decide(&store.load(&command.scope()), command);
            assert!(store.apply(&changes), "a guarded change did not apply");
            world.observe(command, &outcome);
            return (Some(outcome), changes);
        }
        Step::TakeDue(now, until) => drop(store.take_due(*now, *until)),
        Step::TakeDueRefunds(now, until) => drop(store.take_due_refunds(*now, *until)),
        Step::Hold(until) => drop(store.hold_until(*until)),
        Step::Restart => store.instance.push('\''),
    }
    (None, Changes::none())
}

/// Goes through a sequence, and has every step checked.
pub(super) fn walk(
    choices: &[u64],
    mut check: impl FnMut(&Memory, &World, &Taken<'_>) -> Checked,
) -> Result<(Memory, World), TestCaseError> {
    let (mut store, mut world) = (Memory { has_no_net: true, ..World::store() }, World::sane());
    for choice in choices {
        let step = world.next(*choice, &store);
        let (offers, attempts) = (offer_states(&store), attempt_states(&store));
        let leases = leases(&store);
        let (outcome, changes) = take(&mut store, &mut world, &step);
        let command = match (&step, &outcome) {
            (Step::Command(command), Some(outcome)) => Some((command, outcome)),
            _ => None,
        };
        let taken =
            Taken { command, changes: &changes, offers: &offers, attempts: &attempts, leases: &leases };
        check(&store, &world, &taken)?;
    }
    Ok((store, world))
}

pub(super) fn of_offer<'a>(store: &'a Memory, offer: &'a OfferId) -> impl Iterator<Item = &'a StoredAttempt> {
    store.attempts.values().filter(move |attempt| attempt.row.offer_id.as_ref() == Some(offer))
}

pub(super) fn live(attempt: &&StoredAttempt) -> bool {
    states::is_live(attempt.row.state)
}

/// Succeeded payments of an attempt.
pub(super) fn collected<'a>(
    store: &'a Memory,
    attempt: &'a AttemptId,
) -> impl Iterator<Item = &'a PaymentOnRecord> {
    let payments = store.payments.values().filter(move |payment| payment.attempt_id == *attempt);
    payments.map(|p| &p.record).filter(|record| record.payment.status == PaymentStatus::Succeeded)
}

/// Offer of the attempt that a command claims or marks as sent, where it did.
pub(super) fn gone_on<'a>(store: &'a Memory, taken: &'a Taken<'_>) -> Option<&'a StoredAttempt> {
    match taken.command? {
        (AnyCommand::Claim(_), Outcome::Claim(ClaimOutcome::Claimed(row))) => store.attempts.get(&row.id),
        (AnyCommand::MarkSent(mark), Outcome::Flag(true)) => store.attempts.get(&mark.attempt),
        _ => None,
    }
}
