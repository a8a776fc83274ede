//! What becomes of a world in which nobody does anything more: processes end, requests on the way are lost, listings
//! catch up, and the reconciler does its work. Asked of every state: whatever happened, the end has to be right.

use upsell_core::{
    domain::{AttemptState, Observation},
    journal::states::is_live,
};

use super::{
    journal::{give_up, release, settle},
    moves::{end_page, finish, look, never_reached_anybody},
    promise::{Promises, broken_at_rest},
    system::{System, Variant},
    world::{Net, Payment, Task, World},
};

/// What is broken once everything has come to rest: with payments under way staying so, and then with all of them
/// failing, or all of them collecting after all.
pub(super) fn broken_in_the_end(system: &System, world: &World) -> Promises {
    let mut quiet = *world;
    for attempt in quiet.attempts.iter_mut().take(usize::from(world.latest)) {
        attempt.task = Task::Gone;
        attempt.listed |= attempt.payment != Payment::None;
        if attempt.net == Net::InFlight {
            attempt.net = Net::Lost;
        }
        if attempt.is_hosted() && attempt.net == Net::Executed {
            attempt.net = Net::Closed;
        }
    }
    reconcile(system, &mut quiet);
    let mut broken = broken_at_rest(&quiet);
    for end in [Payment::Failed, Payment::Succeeded] {
        let mut ended = quiet;
        for attempt in ended.attempts.iter_mut().take(usize::from(world.latest)) {
            if matches!(attempt.payment, Payment::Processing | Payment::NeedsBuyer) {
                finish(attempt, end);
            }
        }
        if ended != quiet {
            reconcile(system, &mut ended);
            broken.add(broken_at_rest(&ended));
        }
    }
    broken
}

/// The reconciler's work on everything that it takes up, to its end.
fn reconcile(system: &System, world: &mut World) {
    if system.variant == Variant::GuideLike {
        return;
    }
    for n in 0..usize::from(world.latest) {
        release(world, n, AttemptState::Claimed);
        if never_reached_anybody(&world.attempts[n]) {
            release(world, n, AttemptState::Sent);
        }
        if world.attempts[n].state == AttemptState::Sent {
            settle(system, world, n, Observation::Unknown);
        }
        if is_live(world.attempts[n].state) || world.attempts[n].state == AttemptState::Abandoned {
            let seen = look(system, world, n);
            if world.attempts[n].is_hosted() {
                for end in system.page_ends.after(seen) {
                    end_page(system, world, n, end);
                }
            } else {
                give_up(system, world, n);
            }
        }
    }
}
