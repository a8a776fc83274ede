//! What the store does, transaction by transaction. Decisions are production's (`policy::claims`, `policy::settle`);
//! conditions that production states in SQL are mirrored here, with the name of the function that has them.

use upsell_core::{
    domain::{AttemptKind, AttemptState, Observation, OfferState},
    journal::states::{abandon, is_live, join, may_decline, offer_after, open_for, reopened},
};

use super::{
    system::{System, Variant},
    world::{Attempt, FAILED, World},
};

/// `SqlStore::do_claim`, the unique index `one_attempt_per_offer` included.
pub(super) fn claim(system: &System, world: &mut World, kind: AttemptKind) -> bool {
    let pending_is_no_hindrance = system.variant == Variant::FallbackWhilePending
        && kind == AttemptKind::Hosted
        && world.offer == OfferState::Pending;
    let open = open_for(kind).contains(&world.offer) && !rival_exists(world, usize::MAX);
    if !(open || pending_is_no_hindrance) || world.over {
        return false;
    }
    world.offer = OfferState::Accepting;
    world.attempts[usize::from(world.latest)] = Attempt::claimed(kind);
    world.latest += 1;
    true
}

/// `SqlStore::do_mark_sent`. That the lease may have run out is played by recovery taking the attempt at any time.
pub(super) fn mark_sent(world: &mut World, n: usize) -> bool {
    let may = world.attempts[n].state == AttemptState::Claimed
        && world.offer == OfferState::Accepting
        && is_latest(world, n);
    if may {
        world.attempts[n].state = AttemptState::Sent;
    }
    may
}

/// `SqlStore::do_release`.
pub(super) fn release(world: &mut World, n: usize, from: AttemptState) -> bool {
    if world.attempts[n].state != from {
        return false;
    }
    world.attempts[n].state = AttemptState::Released;
    world.attempts[n].told_failed = true;
    let failed_before = world.made().iter().any(|attempt| attempt.state == FAILED);
    if is_latest(world, n) && world.offer == OfferState::Accepting {
        world.offer = reopened(failed_before);
    }
    true
}

/// `SqlStore::do_settle`.
pub(super) fn settle(system: &System, world: &mut World, n: usize, seen: Observation) {
    let before = world.attempts[n].state;
    let mut after = join(before, seen);
    if matches!(after, AttemptState::Failed(_)) {
        after = FAILED;
        world.attempts[n].told_failed = true;
    }
    let collected = |state| matches!(state, AttemptState::Succeeded | AttemptState::Scheduled);
    if collected(after) && !collected(before) && rival_exists(world, n) {
        world.attempts[n].surplus = true;
    }
    world.attempts[n].state = after;
    follow(system, world, n);
}

/// `SqlStore::do_abandon`.
pub(super) fn give_up(system: &System, world: &mut World, n: usize) -> bool {
    let before = world.attempts[n].state;
    world.attempts[n].state = abandon(before);
    if world.attempts[n].state == before {
        return false;
    }
    follow(system, world, n);
    true
}

/// `Offers::decline` of `SqlStore`.
pub(super) fn decline(world: &mut World) -> bool {
    let may = may_decline(world.offer);
    if may {
        world.offer = OfferState::Declined;
        world.declined = true;
    }
    may
}

/// `SqlStore::follow`.
fn follow(system: &System, world: &mut World, n: usize) {
    let current = is_latest(world, n) || system.variant == Variant::Unfenced;
    world.offer = offer_after(world.offer, world.attempts[n].state, current);
}

/// `SqlStore::rival_exists`, and what the index `one_attempt_per_offer` holds.
fn rival_exists(world: &World, n: usize) -> bool {
    world.made().iter().enumerate().any(|(other, attempt)| {
        other != n
            && !attempt.surplus
            && (is_live(attempt.state)
                || matches!(
                    attempt.state,
                    AttemptState::Abandoned | AttemptState::Scheduled | AttemptState::Succeeded
                ))
    })
}

fn is_latest(world: &World, n: usize) -> bool {
    usize::from(world.latest) == n + 1
}
