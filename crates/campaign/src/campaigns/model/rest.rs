//! The end of a world in which nobody does anything more: processes end, requests on the way are lost, listings
//! catch up, and the reconciler and the worker of refund orders do their work. Asked of every state: whatever happened, the
//! end has to be right.

use upsell_core::{
    domain::{AttemptState, Observation},
    journal::states::{is_live, is_watched},
};

use super::{
    acts::{end_page, end_waiting, look, release, settle, settle_payment, unexecuted},
    evidence::Seen,
    journal::Journal,
    promise::{Promises, broken_at_rest},
    refunding::work_off,
    system::{System, Variant},
    world::{Net, Status, Task, World},
};

/// Returns the promises that are broken once everything has come to rest: with payments under way staying so, and then with all of them
/// failing, or all of them collecting after all.
pub(super) fn broken_in_the_end(system: &System, journal: &Journal, world: &World) -> Promises {
    let mut quiet = *world;
    let made = world.made();
    for (n, attempt) in quiet.attempts.iter_mut().enumerate().take(made) {
        attempt.task = Task::Gone;
        if attempt.net == Net::InFlight {
            attempt.net = Net::Lost;
        }
        if world.is_hosted(n) && attempt.net == Net::Executed {
            attempt.net = Net::Closed;
        }
        for payment in &mut attempt.payments {
            payment.listed = payment.status != Status::None;
            payment.refund = Task::Gone;
            if payment.refund_net == Net::InFlight {
                payment.refund_net = Net::Lost;
            }
        }
    }
    reconcile(system, journal, &mut quiet);
    let mut broken = broken_at_rest(&quiet);
    for end in [Status::Failed, Status::Succeeded] {
        let mut ended = quiet;
        for attempt in ended.attempts.iter_mut().take(made) {
            for payment in attempt.payments.iter_mut().filter(|payment| payment.is_under_way()) {
                payment.status = end;
            }
        }
        if ended != quiet {
            reconcile(system, journal, &mut ended);
            broken.add(broken_at_rest(&ended));
        }
    }
    broken
}

/// The reconciler's and the worker's work on everything that they take up, to its end.
fn reconcile(system: &System, journal: &Journal, world: &mut World) {
    if system.variant == Variant::GuideLike {
        return;
    }
    for n in 0..world.made() {
        if let Some(from) = unexecuted(&world.book.rows[n]) {
            release(journal, world, n, from);
        }
        if world.book.rows[n].state == AttemptState::Sent {
            settle(journal, world, n, Seen::only(Observation::Unknown));
        }
        let state = world.book.rows[n].state;
        if is_live(state) || is_watched(state) {
            let seen = look(system, journal, world, n);
            if world.is_hosted(n) {
                for end in system.ends.page.after(seen) {
                    end_page(journal, world, n, end);
                }
            } else {
                for ends in [system.ends.charge, system.ends.given_up] {
                    for end in ends.after(seen) {
                        end_waiting(journal, world, n, end);
                    }
                }
            }
        }
        hear_of_what_a_page_collected(journal, world, n);
        work_off(journal, world, n);
    }
}

/// A page names one payment. Of a second one that collects there only its webhook tells, which Dodo repeats for long.
fn hear_of_what_a_page_collected(journal: &Journal, world: &mut World, n: usize) {
    if !world.is_hosted(n) || world.attempts[n].collected() < 2 {
        return;
    }
    for k in 0..world.attempts[n].payments.len() {
        settle_payment(journal, world, n, k, Status::Succeeded, false);
    }
}
