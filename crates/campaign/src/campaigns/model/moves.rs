//! Every step that may come next. Buyers, processes, the network, Dodo and its webhooks, and the reconciler take turns in
//! any order; time is not measured, so that whatever may take long may take any length.
//!
//! In one file because what may happen is read as one list.

use upsell_core::{
    domain::{AttemptKind, AttemptState, Observation, OfferState},
    journal::states::is_live,
    policy::reconcile_schedule::Look,
};
use wire::FailureReason;

use super::{
    evidence::{PageEnd, look_of, of_payment},
    journal::{claim, decline, give_up, mark_sent, release, settle},
    step::Step,
    system::{System, Variant},
    world::{Attempt, Net, Payment, Task, Verdict, World},
};

/// Times that a client library sends one request.
const CLIENT_SENDS: u8 = 3;

/// Collects what may come next of one state.
pub(super) struct Moves<'a> {
    pub(super) system: &'a System,
    pub(super) found: Vec<(Step, World)>,
}

impl Moves<'_> {
    /// All steps from `world`, in `found`.
    pub(super) fn of(&mut self, world: &World) {
        self.found.clear();
        self.buyers(world);
        for n in 0..usize::from(world.latest) {
            self.process(world, n);
            self.network(world, n);
            self.dodo(world, n);
            self.webhooks(world, n);
            self.reconciler(world, n);
        }
    }

    fn is(&self, variant: Variant) -> bool {
        self.system.variant == variant
    }

    /// Notes a step that changes one attempt at most.
    fn step(&mut self, world: &World, step: Step, n: usize, change: impl FnOnce(&mut Attempt)) {
        let mut next = *world;
        change(&mut next.attempts[n]);
        self.found.push((step, next));
    }

    /// Notes a step if it changes anything.
    fn note(&mut self, world: &World, step: Step, next: World) {
        if next != *world {
            self.found.push((step, next));
        }
    }

    fn buyers(&mut self, world: &World) {
        let bounds = self.system.bounds;
        let n = usize::from(world.latest);
        let mut next = *world;
        if world.clicks < bounds.clicks {
            next.clicks += 1;
            if self.is(Variant::GuideLike) {
                self.click_without_a_journal(next);
            } else if claim(self.system, &mut next, AttemptKind::OneClick) {
                self.found.push((Step::Clicks(n), next));
            }
        }
        let mut next = *world;
        if world.pages < bounds.pages
            && !self.is(Variant::GuideLike)
            && claim(self.system, &mut next, AttemptKind::Hosted)
        {
            next.pages += 1;
            self.found.push((Step::AsksForPage(n), next));
        }
        let mut next = *world;
        if self.is(Variant::GuideLike) {
            next.declined = true;
            self.note(world, Step::Refuses, next);
        } else if decline(&mut next) {
            self.found.push((Step::Refuses, next));
        }
        self.note(world, Step::RunsOut, World { over: true, ..*world });
    }

    /// The guide's handler: it sends what it is asked for, as long as the offer is in its map.
    fn click_without_a_journal(&mut self, mut next: World) {
        if next.offer != OfferState::Charged {
            let sent = Attempt::claimed(AttemptKind::OneClick);
            next.attempts[usize::from(next.latest)] =
                Attempt { state: AttemptState::Sent, task: Task::Marked, ..sent };
            next.latest += 1;
            self.found.push((Step::Clicks(usize::from(next.latest) - 1), next));
        }
    }

    /// The task of an attempt, `service::charging::run`.
    fn process(&mut self, world: &World, n: usize) {
        let attempt = world.attempts[n];
        if attempt.task != Task::Gone && world.crashes < self.system.bounds.crashes {
            let mut next = *world;
            next.crashes += 1;
            next.attempts[n].task = Task::Gone;
            self.found.push((Step::Dies(n), next));
        }
        match attempt.task {
            Task::Gone => {}
            Task::Preparing => self.prepares(world, n),
            Task::Marked => {
                self.step(world, Step::Sends(n), n, |a| {
                    (a.task, a.net) = (Task::Waiting, Net::InFlight);
                    a.posts += 1;
                });
                self.conclude(world, n, &self.system.verdicts.unsent.clone());
            }
            Task::Waiting => self.waits(world, n),
            Task::Knows(verdict) => self.writes_down(world, n, verdict),
        }
    }

    fn prepares(&mut self, world: &World, n: usize) {
        let mut idle = *world;
        idle.attempts[n].task = Task::Gone;
        let mut next = idle;
        release(&mut next, n, AttemptState::Claimed);
        self.found.push((Step::CallsOff(n), next));
        let mut marked = *world;
        if !mark_sent(&mut marked, n) {
            self.found.push((Step::MayNotMark(n), next));
            return;
        }
        marked.attempts[n].task = Task::Marked;
        self.found.push((Step::Marks(n), marked));
        for written in [false, true] {
            let mut next = idle;
            if written {
                mark_sent(&mut next, n);
            }
            release(&mut next, n, AttemptState::Sent);
            release(&mut next, n, AttemptState::Claimed);
            self.found.push((Step::FailsToMark(n, written), next));
        }
    }

    fn waits(&mut self, world: &World, n: usize) {
        let attempt = world.attempts[n];
        let verdicts = &self.system.verdicts;
        let answers = match attempt.net {
            Net::Refused => verdicts.refused.clone(),
            Net::Throttled => verdicts.throttled.clone(),
            Net::Executed | Net::Closed => verdicts.accepted.clone(),
            Net::Nothing | Net::InFlight | Net::Lost => Vec::new(),
        };
        // The answer may be lost or spoiled, whatever it was, and the client waits for so long only.
        let doubtful = verdicts.doubtful.clone();
        self.conclude(world, n, &answers);
        self.conclude(world, n, &doubtful);
        let repeats = self.is(Variant::ClientRepeats) || self.is(Variant::GuideLike);
        if repeats && attempt.posts < CLIENT_SENDS && !attempt.is_hosted() && attempt.net != Net::InFlight {
            self.step(world, Step::Repeats(n), n, |a| {
                a.net = Net::InFlight;
                a.posts += 1;
            });
        }
    }

    fn conclude(&mut self, world: &World, n: usize, verdicts: &[Verdict]) {
        for verdict in verdicts {
            self.step(world, Step::Concludes(n, *verdict), n, |a| a.task = Task::Knows(*verdict));
        }
    }

    /// `Charging::not_accepted`, `after_charge` and `open_hosted`.
    fn writes_down(&mut self, world: &World, n: usize, verdict: Verdict) {
        let attempt = world.attempts[n];
        let mut idle = *world;
        idle.attempts[n].task = Task::Gone;
        let mut next = idle;
        if self.is(Variant::GuideLike) {
            let seen = match verdict {
                Verdict::Accepted => Observation::Succeeded,
                _ => Observation::Failed(FailureReason::Declined),
            };
            settle(self.system, &mut next, n, seen);
            self.found.push((Step::WritesDown(n, None), next));
            return;
        }
        match verdict {
            Verdict::Accepted if attempt.is_hosted() => {
                settle(self.system, &mut next, n, Observation::Pending { customer_action: false });
                // An address that comes after the attempt was taken back is not handed out.
                next.attempts[n].known = is_live(next.attempts[n].state);
                self.found.push((Step::WritesDown(n, None), next));
            }
            // Until its address is handed out nobody can pay on a page: any failure to open it is harmless.
            _ if attempt.is_hosted() => {
                release(&mut next, n, AttemptState::Sent);
                self.found.push((Step::WritesDown(n, None), next));
            }
            Verdict::NotSent | Verdict::NotExecuted => {
                release(&mut next, n, AttemptState::Sent);
                self.found.push((Step::WritesDown(n, None), next));
            }
            Verdict::Rejected => {
                settle(self.system, &mut next, n, Observation::Failed(FailureReason::Declined));
                self.found.push((Step::WritesDown(n, None), next));
            }
            Verdict::Unknown => {
                settle(self.system, &mut next, n, Observation::Unknown);
                self.found.push((Step::WritesDown(n, None), next));
            }
            Verdict::Accepted => {
                next.attempts[n].known = true;
                // The look right after may fail, or be old by the time that it is written down.
                let mut unseen = next;
                settle(self.system, &mut unseen, n, Observation::Pending { customer_action: false });
                self.found.push((Step::WritesDown(n, None), unseen));
                for seen in history(&attempt) {
                    if let Some(observation) = of_payment(attempt.kind, seen) {
                        let mut next = next;
                        settle(self.system, &mut next, n, observation);
                        self.found.push((Step::WritesDown(n, Some(seen)), next));
                    }
                }
            }
        }
    }

    /// A request on the way: it may be lost, or arrive at any time.
    fn network(&mut self, world: &World, n: usize) {
        let attempt = world.attempts[n];
        if attempt.net != Net::InFlight {
            return;
        }
        self.step(world, Step::Loses(n), n, |a| a.net = Net::Lost);
        self.step(world, Step::Refused(n), n, |a| a.net = Net::Refused);
        self.step(world, Step::Throttles(n), n, |a| a.net = Net::Throttled);
        if attempt.is_hosted() {
            self.step(world, Step::OpensPage(n), n, |a| a.net = Net::Executed);
            return;
        }
        for payment in [Payment::Processing, Payment::NeedsBuyer, Payment::Failed, Payment::Succeeded] {
            self.step(world, Step::Charges(n, payment), n, |a| {
                a.net = Net::Executed;
                begin(a, payment);
            });
        }
    }

    /// What Dodo and the buyer do with a payment.
    fn dodo(&mut self, world: &World, n: usize) {
        let attempt = world.attempts[n];
        if matches!(attempt.payment, Payment::Processing | Payment::NeedsBuyer) {
            for end in [Payment::Failed, Payment::Succeeded] {
                self.step(world, Step::Ends(n, end), n, |a| finish(a, end));
            }
        }
        if attempt.page_is_open() {
            self.step(world, Step::ClosesPage(n), n, |a| a.net = Net::Closed);
            // On a page that has not collected yet, another card may be tried.
            if matches!(attempt.payment, Payment::None | Payment::Failed) {
                for payment in [Payment::Processing, Payment::Failed, Payment::Succeeded] {
                    let mut next = *world;
                    begin(&mut next.attempts[n], payment);
                    self.note(world, Step::PaysOnPage(n, payment), next);
                }
            }
        }
    }

    /// Webhooks come late, twice, in any order or never: whatever the payment has been may be told at any time.
    fn webhooks(&mut self, world: &World, n: usize) {
        if self.is(Variant::GuideLike) {
            return;
        }
        let attempt = world.attempts[n];
        for status in history(&attempt) {
            if let Some(seen) = of_payment(attempt.kind, status) {
                let mut next = *world;
                settle(self.system, &mut next, n, seen);
                next.attempts[n].known = true;
                self.note(world, Step::Hears(n, status), next);
            }
        }
    }

    /// `service::reconciler`.
    fn reconciler(&mut self, world: &World, n: usize) {
        if self.is(Variant::GuideLike) {
            return;
        }
        let attempt = world.attempts[n];
        let waits_for_listing = attempt.payment != Payment::None && !attempt.known && !attempt.is_hosted();
        if waits_for_listing && !attempt.listed {
            self.step(world, Step::IsListed(n), n, |a| a.listed = true);
        }
        let mut next = *world;
        match attempt.state {
            AttemptState::Claimed => {
                release(&mut next, n, AttemptState::Claimed);
                self.found.push((Step::Releases(n), next));
            }
            AttemptState::Sent if never_reached_anybody(&attempt) => {
                release(&mut next, n, AttemptState::Sent);
                self.found.push((Step::Releases(n), next));
            }
            AttemptState::Sent => {
                settle(self.system, &mut next, n, Observation::Unknown);
                self.found.push((Step::TakesUp(n), next));
            }
            AttemptState::Unknown | AttemptState::Pending { .. } | AttemptState::Abandoned => {
                let seen = look(self.system, &mut next, n);
                self.note(world, Step::Looks(n, false), next);
                if attempt.is_hosted() {
                    self.ends_page(world, n, false, Look::Incomplete, *world);
                    self.ends_page(world, n, true, seen, next);
                } else if is_live(next.attempts[n].state) {
                    if next.attempts[n].clean_looks < self.system.clean_looks {
                        next.attempts[n].clean_looks += 1;
                        self.found.push((Step::Looks(n, true), next));
                    } else if give_up(self.system, &mut next, n) {
                        self.found.push((Step::GivesUp(n), next));
                    }
                }
            }
            _ => {}
        }
    }

    /// The day of a hosted page is over; Dodo may not have answered just then.
    fn ends_page(&mut self, world: &World, n: usize, answered: bool, seen: Look, looked: World) {
        for end in self.system.page_ends.after(seen) {
            let mut next = looked;
            if end_page(self.system, &mut next, n, end) {
                self.note(world, Step::FindsPageClosed(n, answered), next);
            }
        }
    }
}

/// `never_reached_anybody` of the reconciler: only a page was opened, if anything, and nobody was shown it.
pub(super) fn never_reached_anybody(attempt: &Attempt) -> bool {
    attempt.is_hosted() && !attempt.known
}

/// `Reconciler::look_by_listing` and `Charging::look_at_checkout`.
pub(super) fn look(system: &System, world: &mut World, n: usize) -> Look {
    let attempt = world.attempts[n];
    if system.variant == Variant::WebhooksOnly {
        return Look::Idle;
    }
    let visible = attempt.known || (attempt.listed && !attempt.is_hosted());
    match of_payment(attempt.kind, attempt.payment).filter(|_| visible) {
        Some(seen) => {
            settle(system, world, n, seen);
            world.attempts[n].known = true;
            look_of(attempt.payment)
        }
        None if system.variant == Variant::NotListedIsFailed && !attempt.is_hosted() => {
            settle(system, world, n, Observation::Failed(FailureReason::Other));
            Look::Idle
        }
        None => Look::Idle,
    }
}

/// `Reconciler::conclude` of a hosted page whose day is over. Whether it did anything.
pub(super) fn end_page(system: &System, world: &mut World, n: usize, end: PageEnd) -> bool {
    let attempt = world.attempts[n];
    let over = attempt.net == Net::Closed || (!attempt.known && attempt.task == Task::Gone);
    if !over || !is_live(attempt.state) {
        return false;
    }
    match end {
        PageEnd::Waits => false,
        PageEnd::GivesUp => give_up(system, world, n),
        PageEnd::Closes => {
            settle(system, world, n, Observation::Failed(FailureReason::Cancelled));
            true
        }
    }
}

fn begin(attempt: &mut Attempt, payment: Payment) {
    attempt.payment = payment;
    if matches!(payment, Payment::Processing | Payment::NeedsBuyer) {
        attempt.began = payment;
    }
    collect(attempt, payment);
}

pub(super) fn finish(attempt: &mut Attempt, end: Payment) {
    attempt.payment = end;
    collect(attempt, end);
}

fn collect(attempt: &mut Attempt, payment: Payment) {
    if payment == Payment::Succeeded {
        attempt.paid = attempt.paid.saturating_add(1).min(3);
    }
}

/// What a payment is and has been.
fn history(attempt: &Attempt) -> impl Iterator<Item = Payment> + use<> {
    let [now, began] = [attempt.payment, attempt.began];
    [Some(now), Some(began).filter(|began| *began != now)]
        .into_iter()
        .flatten()
        .filter(|payment| *payment != Payment::None)
}
