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
    evidence::{End, Seen, look_of},
    journal::{Cmd, Forgery, Journal},
    rows::PAGE,
    system::{System, Variant},
    world::{Attempt, Net, Status, Task, World},
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

/// Settles by a payment at Dodo; with what the reply said, where it has just come.
pub(super) fn settle_payment(
    journal: &Journal,
    world: &mut World,
    n: usize,
    k: usize,
    status: Status,
    replied: bool,
) {
    journal.execute(&mut world.book, Cmd::SettlePayment(n, k, status, replied));
    if world.book.rows[n].state == FAILED {
        world.attempts[n].told_failed = true;
    }
}

/// Settles by a payment that the buyer made without us.
pub(super) fn settle_forgery(journal: &Journal, world: &mut World, n: usize, forgery: Forgery) {
    journal.execute(&mut world.book, Cmd::SettleForgery(n, forgery));
    if world.book.rows[n].state == FAILED {
        world.attempts[n].told_failed = true;
    }
}

/// Gives an attempt up. Whether it was.
pub(super) fn abandon(journal: &Journal, world: &mut World, n: usize) -> bool {
    journal.execute(&mut world.book, Cmd::Abandon(n))
}

/// Ends waiting for an attempt as production decides. Whether that did anything.
pub(super) fn end_waiting(journal: &Journal, world: &mut World, n: usize, end: End) -> bool {
    match end {
        End::Waits => false,
        End::GivesUp => abandon(journal, world, n),
        End::Reviews => journal.execute(&mut world.book, Cmd::Review(n)),
        End::Closes => {
            settle(journal, world, n, Seen::only(Observation::Failed(FailureReason::Cancelled)));
            true
        }
    }
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
    if !hosted && !row.session {
        return look_at_listing(system, journal, world, n);
    }
    // A reply named it; else the checkout does, which knows the latest.
    let known = usize::from(row.counts).checked_sub(1).filter(|k| *k < attempt.payments.len());
    let named = match known {
        Some(known) if !hosted => Some(known),
        _ if row.session => attempt.named_by_checkout(),
        known => known,
    };
    let Some(k) = named else { return Look::Idle };
    let status = attempt.payments[k].status;
    settle_payment(journal, world, n, k, status, false);
    look_of(status)
}

/// No reply named what it made: all that listings show is looked at.
fn look_at_listing(system: &System, journal: &Journal, world: &mut World, n: usize) -> Look {
    let attempt = world.attempts[n];
    let mut seen = Look::Idle;
    let mut found = false;
    for (k, payment) in attempt.begun().filter(|(_, payment)| payment.listed) {
        settle_payment(journal, world, n, k, payment.status, false);
        seen = look_of(payment.status);
        found = true;
    }
    if !found && system.variant == Variant::NotListedIsFailed {
        settle(journal, world, n, Seen::only(Observation::Failed(FailureReason::Other)));
    }
    seen
}

/// `Reconciler::conclude` of a hosted page whose day is over. Whether it did anything.
pub(super) fn end_page(journal: &Journal, world: &mut World, n: usize, end: End) -> bool {
    let (row, attempt) = (world.book.rows[n], world.attempts[n]);
    let over = attempt.net == Net::Closed || (!row.is_known() && attempt.task == Task::Gone);
    if !over || !is_live(row.state) {
        return false;
    }
    end_waiting(journal, world, n, end)
}
