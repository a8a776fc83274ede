//! The commands that processes carry out on the store, and what follows from them outside it.

use upsell_core::{
    domain::{AttemptKind, AttemptRow, AttemptState, Observation},
    journal::{
        claims::{self, Unexecuted},
        states::is_live,
    },
    policy::reconcile_schedule::Look,
};
use wire::FailureReason;

use super::{
    book::{FAILED, Row},
    evidence::{PageEnd, Seen, look_of, of_payment},
    journal::{Cmd, Journal},
    rows::PAGE,
    system::{System, Variant},
    world::{Attempt, Net, Task, World},
};

/// Claims. Whether it was.
pub(super) fn claim(journal: &Journal, world: &mut World, kind: AttemptKind) -> bool {
    let n = world.made();
    let claimed = journal.execute(&mut world.book, Cmd::Claim(kind));
    if claimed {
        world.attempts[n] = Attempt::CLAIMED;
    }
    claimed
}

/// Takes an attempt back.
pub(super) fn release(journal: &Journal, world: &mut World, n: usize, from: Unexecuted) {
    let cmd = match from {
        Unexecuted::Claimed => Cmd::ReleaseClaimed(n),
        Unexecuted::Sent => Cmd::ReleaseSent(n),
    };
    if journal.execute(&mut world.book, cmd) {
        world.attempts[n].told_failed = true;
    }
}

/// Merges what was seen.
pub(super) fn settle(journal: &Journal, world: &mut World, n: usize, seen: Seen) {
    journal.execute(&mut world.book, Cmd::Settle(n, seen));
    if world.book.rows[n].state == FAILED {
        world.attempts[n].told_failed = true;
    }
}

/// Gives an attempt up. Whether it was.
pub(super) fn abandon(journal: &Journal, world: &mut World, n: usize) -> bool {
    journal.execute(&mut world.book, Cmd::Abandon(n))
}

/// Asks production about an attempt that no process works on any more.
pub(super) fn unexecuted(row: &Row) -> Option<Unexecuted> {
    let page = row.session && row.kind == AttemptKind::Hosted;
    let checkout_url = page.then(|| PAGE.to_owned());
    match row.state {
        AttemptState::Claimed | AttemptState::Sent => claims::unexecuted(&AttemptRow {
            kind: row.kind,
            state: row.state,
            checkout_url,
            ..AttemptRow::example()
        }),
        _ => None,
    }
}

/// `Reconciler::look_by_listing` and `Charging::look_at_checkout`.
pub(super) fn look(system: &System, journal: &Journal, world: &mut World, n: usize) -> Look {
    if system.variant == Variant::WebhooksOnly {
        return Look::Idle;
    }
    let (row, attempt) = (world.book.rows[n], world.attempts[n]);
    let hosted = row.kind == AttemptKind::Hosted;
    let named = match usize::from(row.counts).checked_sub(1) {
        Some(counts) if !hosted => Some(counts),
        _ if row.session => attempt.named_by_checkout(),
        counts => {
            counts.or_else(|| attempt.begun().find(|(_, payment)| payment.listed && !hosted).map(|(k, _)| k))
        }
    };
    match named {
        Some(k) => {
            let status = attempt.payments[k].status;
            settle(journal, world, n, of_payment(row.kind, k, status));
            look_of(status)
        }
        None if system.variant == Variant::NotListedIsFailed && !hosted => {
            settle(journal, world, n, Seen::only(Observation::Failed(FailureReason::Other)));
            Look::Idle
        }
        None => Look::Idle,
    }
}

/// `Reconciler::conclude` of a hosted page whose day is over. Whether it did anything.
pub(super) fn end_page(journal: &Journal, world: &mut World, n: usize, end: PageEnd) -> bool {
    let (row, attempt) = (world.book.rows[n], world.attempts[n]);
    let over = attempt.net == Net::Closed || (!row.is_known() && attempt.task == Task::Gone);
    if !over || !is_live(row.state) {
        return false;
    }
    match end {
        PageEnd::Waits => false,
        PageEnd::GivesUp => abandon(journal, world, n),
        PageEnd::Closes => {
            settle(journal, world, n, Seen::only(Observation::Failed(FailureReason::Cancelled)));
            true
        }
    }
}
