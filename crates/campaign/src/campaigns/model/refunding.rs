//! Steps of the worker of refund orders (`service::refunds`) and of its requests.

use upsell_core::domain::OrderState;

use super::{
    journal::{Cmd, Journal, Refunding},
    moves::Moves,
    step::Step,
    system::Variant,
    world::{Net, Payment, Task, Verdict, World},
};

/// Refunds of one payment that are told apart.
const MOST_REFUNDS: u8 = 3;

impl Moves<'_> {
    /// Everything about the refunds of one attempt's payments.
    pub(super) fn refunds(&mut self, world: &World, n: usize) {
        for (k, payment) in world.attempts[n].begun() {
            if payment.refunds > 0 {
                let mut next = *world;
                self.journal.execute(&mut next.book, Cmd::RecordRefund(n, k));
                self.note(world, Step::HearsOfRefund(n), next);
            }
            if let Some((_, state)) = world.book.rows[n].payments[k].order {
                self.order(world, n, k, state);
                self.refund_task(world, n, k, payment);
                self.refund_network(world, n, k, payment);
            }
        }
    }

    /// The worker takes an order that is due, or looks for what became of one that was sent.
    fn order(&mut self, world: &World, n: usize, k: usize, state: OrderState) {
        let mut next = *world;
        if world.attempts[n].payments[k].refunds > 0 {
            found_refunded(self.journal, &mut next, n, k, state);
            self.note(world, Step::FindsRefunded(n), next);
            if !self.is(Variant::RefundsRepeat) {
                return;
            }
        }
        let mut next = *world;
        if world.attempts[n].payments[k].refund == Task::Gone
            && self.journal.execute(&mut next.book, Cmd::MarkRefundSent(n, k))
        {
            next.attempts[n].payments[k].refund = Task::Marked;
            self.found.push((Step::MarksRefund(n), next));
        }
    }

    fn refund_task(&mut self, world: &World, n: usize, k: usize, payment: &Payment) {
        if payment.refund != Task::Gone && world.crashes < self.system.bounds.crashes {
            let mut next = *world;
            next.crashes += 1;
            next.attempts[n].payments[k].refund = Task::Gone;
            self.found.push((Step::Dies(n), next));
        }
        match payment.refund {
            Task::Gone | Task::Preparing => {}
            Task::Marked => {
                self.refund_step(world, Step::SendsRefund(n), n, k, |payment| {
                    (payment.refund, payment.refund_net) = (Task::Waiting, Net::InFlight);
                });
                self.refund_proves(world, n, k, &self.system.verdicts.unsent.clone());
            }
            Task::Waiting => {
                self.refund_proves(world, n, k, &self.answers_to(payment.refund_net));
                self.refund_proves(world, n, k, &self.system.verdicts.doubtful.clone());
            }
            Task::Knows(verdict) => {
                let mut next = *world;
                next.attempts[n].payments[k].refund = Task::Gone;
                let sent = OrderState::Sent;
                match verdict {
                    Verdict::Accepted => found_refunded(self.journal, &mut next, n, k, sent),
                    Verdict::NotSent => {
                        let due = Cmd::Conclude(n, k, sent, Refunding::DueAgain);
                        self.journal.execute(&mut next.book, due);
                    }
                    Verdict::Rejected => {
                        let refused = Cmd::Conclude(n, k, sent, Refunding::Refused);
                        self.journal.execute(&mut next.book, refused);
                    }
                    Verdict::Unknown => {}
                }
                self.found.push((Step::WritesDownRefund(n), next));
            }
        }
    }

    fn refund_proves(&mut self, world: &World, n: usize, k: usize, verdicts: &[Verdict]) {
        for verdict in verdicts {
            let step = Step::ConcludesRefund(n, *verdict);
            self.refund_step(world, step, n, k, |payment| payment.refund = Task::Knows(*verdict));
        }
    }

    fn refund_network(&mut self, world: &World, n: usize, k: usize, payment: &Payment) {
        if payment.refund_net != Net::InFlight {
            return;
        }
        for net in [Net::Lost, Net::Refused, Net::Executed] {
            self.refund_step(world, Step::RefundComesTo(n, net), n, k, |payment| {
                payment.refund_net = net;
                if net == Net::Executed {
                    give_back(payment);
                }
            });
        }
    }

    fn refund_step(
        &mut self,
        world: &World,
        step: Step,
        n: usize,
        k: usize,
        change: impl FnOnce(&mut Payment),
    ) {
        let mut next = *world;
        change(&mut next.attempts[n].payments[k]);
        self.found.push((step, next));
    }
}

/// Dodo gives a payment back.
fn give_back(payment: &mut Payment) {
    payment.refunds = (payment.refunds + 1).min(MOST_REFUNDS);
}

/// First the sale, then the order: the refund is there.
fn found_refunded(journal: &Journal, world: &mut World, n: usize, k: usize, state: OrderState) {
    journal.execute(&mut world.book, Cmd::RecordRefund(n, k));
    if matches!(state, OrderState::Due | OrderState::Sent) {
        journal.execute(&mut world.book, Cmd::Conclude(n, k, state, Refunding::Done));
    }
}

/// The worker's whole work on what is due or was sent, with nothing in its way.
pub(super) fn work_off(journal: &Journal, world: &mut World, n: usize) {
    for k in 0..world.attempts[n].payments.len() {
        let Some((_, state)) = world.book.rows[n].payments[k].order else { continue };
        if world.attempts[n].payments[k].refunds > 0 {
            found_refunded(journal, world, n, k, state);
        } else if journal.execute(&mut world.book, Cmd::MarkRefundSent(n, k)) {
            give_back(&mut world.attempts[n].payments[k]);
            found_refunded(journal, world, n, k, OrderState::Sent);
        }
    }
}
