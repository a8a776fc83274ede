//! Every step that may come next. Buyers, processes, the network, Dodo and its webhooks, and the reconciler take turns in
//! any order; time is not measured, so that whatever may take long may take any length.
//!
//! In one file because what may happen is read as one list.

use upsell_core::{
    domain::{AttemptKind, AttemptState, Observation, OfferState},
    journal::{claims::Unexecuted, states::is_live},
    policy::reconcile_schedule::Look,
};
use wire::FailureReason;

use super::{
    acts::{self, end_page, end_waiting, look, release, settle, settle_payment, unexecuted},
    evidence::{End, Seen},
    journal::{Cmd, Forgery, Journal},
    step::Step,
    system::{System, Variant},
    world::{Attempt, Net, Status, Task, Verdict, World},
};

/// Times that a client library sends one request.
const CLIENT_SENDS: u8 = 2;

/// Collects what may come next of one state.
pub(super) struct Moves<'a> {
    pub(super) system: &'a System,
    pub(super) journal: &'a Journal,
    pub(super) found: Vec<(Step, World)>,
}

impl Moves<'_> {
    /// All steps from `world`, in `found`.
    pub(super) fn of(&mut self, world: &World) {
        self.found.clear();
        self.buyers(world);
        for n in 0..world.made() {
            self.process(world, n);
            self.network(world, n);
            self.dodo(world, n);
            if !self.is(Variant::GuideLike) {
                self.webhooks(world, n);
                self.forgeries(world, n);
                self.reconciler(world, n);
                self.refunds(world, n);
            }
        }
    }

    pub(super) fn is(&self, variant: Variant) -> bool {
        self.system.variant == variant
    }

    /// Notes a step that changes one attempt at most, outside the store.
    fn step(&mut self, world: &World, step: Step, n: usize, change: impl FnOnce(&mut Attempt)) {
        let mut next = *world;
        change(&mut next.attempts[n]);
        self.found.push((step, next));
    }

    /// Notes a step if it changes anything.
    pub(super) fn note(&mut self, world: &World, step: Step, next: World) {
        if next != *world {
            self.found.push((step, next));
        }
    }

    fn buyers(&mut self, world: &World) {
        let bounds = self.system.bounds;
        let n = world.made();
        let mut next = *world;
        if world.clicks < bounds.clicks {
            next.clicks += 1;
            if self.is(Variant::GuideLike) {
                self.click_without_a_journal(next);
            } else if acts::claim(self.journal, &mut next, AttemptKind::OneClick) {
                self.found.push((Step::Clicks(n), next));
            }
        }
        let mut next = *world;
        if world.pages < bounds.pages
            && !self.is(Variant::GuideLike)
            && acts::claim(self.journal, &mut next, AttemptKind::Hosted)
        {
            next.pages += 1;
            self.found.push((Step::AsksForPage(n), next));
        }
        let mut next = *world;
        if self.is(Variant::GuideLike) {
            next.book.declined = true;
            self.note(world, Step::Refuses, next);
        } else if self.journal.execute(&mut next.book, Cmd::Decline) {
            self.note(world, Step::Refuses, next);
        }
        let mut next = *world;
        next.book.over = true;
        self.note(world, Step::RunsOut, next);
    }

    /// The guide's handler: it sends what it is asked for, as long as the offer is in its map.
    fn click_without_a_journal(&mut self, mut next: World) {
        if next.book.offer != OfferState::Charged {
            let n = next.made();
            next.book.made += 1;
            next.book.rows[n].state = AttemptState::Sent;
            next.attempts[n] = Attempt { task: Task::Marked, ..Attempt::BLANK };
            self.found.push((Step::Clicks(n), next));
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
                let counted = u8::from(!world.is_hosted(n));
                self.step(world, Step::Sends(n), n, |a| {
                    (a.task, a.net) = (Task::Waiting, Net::InFlight);
                    a.posts += counted;
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
        release(self.journal, &mut next, n, Unexecuted::Claimed);
        self.found.push((Step::CallsOff(n), next));
        let mut marked = *world;
        if !self.journal.execute(&mut marked.book, Cmd::MarkSent(n)) {
            self.found.push((Step::MayNotMark(n), next));
            return;
        }
        marked.attempts[n].task = Task::Marked;
        self.found.push((Step::Marks(n), marked));
        for written in [false, true] {
            let mut next = idle;
            if written {
                self.journal.execute(&mut next.book, Cmd::MarkSent(n));
            }
            release(self.journal, &mut next, n, Unexecuted::Sent);
            release(self.journal, &mut next, n, Unexecuted::Claimed);
            self.found.push((Step::FailsToMark(n, written), next));
        }
    }

    fn waits(&mut self, world: &World, n: usize) {
        let attempt = world.attempts[n];
        let answers = self.answers_to(attempt.net);
        // The answer may be lost or spoiled, whatever it was, and the client waits for so long only.
        let mut doubtful = self.system.verdicts.doubtful.clone();
        if self.is(Variant::ThrottledIsNotSent) {
            doubtful.push(Verdict::NotSent);
        }
        self.conclude(world, n, &answers);
        self.conclude(world, n, &doubtful);
        let repeats = self.is(Variant::ClientRepeats) || self.is(Variant::GuideLike);
        if repeats && attempt.posts < CLIENT_SENDS && !world.is_hosted(n) && attempt.net != Net::InFlight {
            self.step(world, Step::Repeats(n), n, |a| {
                a.net = Net::InFlight;
                a.posts += 1;
            });
        }
    }

    /// Returns the verdicts that a clean answer to a request allows.
    pub(super) fn answers_to(&self, net: Net) -> Vec<Verdict> {
        let verdicts = &self.system.verdicts;
        match net {
            Net::Refused => verdicts.refused.clone(),
            Net::Executed | Net::Closed => verdicts.accepted.clone(),
            Net::Nothing | Net::InFlight | Net::Lost => Vec::new(),
        }
    }

    fn conclude(&mut self, world: &World, n: usize, verdicts: &[Verdict]) {
        for verdict in verdicts {
            self.step(world, Step::Concludes(n, *verdict), n, |a| a.task = Task::Knows(*verdict));
        }
    }

    /// `Charging::not_accepted`, `after_charge` and `open_hosted`.
    fn writes_down(&mut self, world: &World, n: usize, verdict: Verdict) {
        let (journal, hosted) = (self.journal, world.is_hosted(n));
        let mut idle = *world;
        idle.attempts[n].task = Task::Gone;
        let mut next = idle;
        if self.is(Variant::GuideLike) {
            let seen = match verdict {
                Verdict::Accepted => Observation::Succeeded,
                _ => Observation::Failed(FailureReason::Declined),
            };
            settle(journal, &mut next, n, Seen::only(seen));
            self.found.push((Step::WritesDown(n, None), next));
            return;
        }
        let taken_on = Observation::Pending { customer_action: false };
        match verdict {
            Verdict::Accepted if hosted => {
                settle(journal, &mut next, n, Seen { session: true, ..Seen::only(taken_on) });
                // An address that comes after the attempt was taken back is not handed out.
                next.attempts[n].shown = is_live(next.book.rows[n].state);
                self.found.push((Step::WritesDown(n, None), next));
            }
            // Until its address is handed out nobody can pay on a page: any failure to open it is harmless.
            _ if hosted => {
                release(journal, &mut next, n, Unexecuted::Sent);
                self.found.push((Step::WritesDown(n, None), next));
            }
            Verdict::NotSent => {
                release(journal, &mut next, n, Unexecuted::Sent);
                self.found.push((Step::WritesDown(n, None), next));
            }
            Verdict::Rejected => {
                settle(journal, &mut next, n, Seen::only(Observation::Failed(FailureReason::Declined)));
                self.found.push((Step::WritesDown(n, None), next));
            }
            Verdict::Unknown => {
                settle(journal, &mut next, n, Seen::only(Observation::Unknown));
                self.found.push((Step::WritesDown(n, None), next));
            }
            Verdict::Accepted => {
                let Some((k, payment)) = world.attempts[n].begun().last() else { return };
                // The look right after may fail, or be old by the time that it is written down.
                let reply = Seen { observation: taken_on, begun: Some(k), session: true };
                settle(journal, &mut next, n, reply);
                self.found.push((Step::WritesDown(n, None), next));
                for status in payment.history() {
                    let mut next = idle;
                    settle_payment(journal, &mut next, n, k, status, true);
                    self.found.push((Step::WritesDown(n, Some(status)), next));
                }
            }
        }
    }

    /// A request on the way: it may be lost, or arrive at any time.
    fn network(&mut self, world: &World, n: usize) {
        if world.attempts[n].net != Net::InFlight {
            return;
        }
        self.step(world, Step::Loses(n), n, |a| a.net = Net::Lost);
        self.step(world, Step::Refused(n), n, |a| a.net = Net::Refused);
        if world.is_hosted(n) {
            self.step(world, Step::OpensPage(n), n, |a| a.net = Net::Executed);
            return;
        }
        for status in [Status::Processing, Status::NeedsBuyer, Status::Failed, Status::Succeeded] {
            self.step(world, Step::Charges(n, status), n, |a| {
                a.net = Net::Executed;
                begin(a, status);
            });
        }
    }

    /// Steps of Dodo and of the buyer with payments.
    fn dodo(&mut self, world: &World, n: usize) {
        let attempt = world.attempts[n];
        for (k, _) in attempt.begun().filter(|(_, payment)| payment.is_under_way()) {
            for end in [Status::Failed, Status::Succeeded] {
                self.step(world, Step::Ends(n, end), n, |a| a.payments[k].status = end);
            }
        }
        if attempt.page_is_open() {
            self.step(world, Step::ClosesPage(n), n, |a| a.net = Net::Closed);
            // After a failure another card may be tried there; after a success the page may be open in a second tab.
            let is_free = !attempt.begun().any(|(_, payment)| payment.is_under_way());
            for status in [Status::Processing, Status::Failed, Status::Succeeded] {
                let mut next = *world;
                if is_free {
                    begin(&mut next.attempts[n], status);
                }
                self.note(world, Step::PaysOnPage(n, status), next);
            }
        }
    }

    /// Webhooks come late, twice, in any order or never: whatever a payment has been may be told at any time.
    fn webhooks(&mut self, world: &World, n: usize) {
        for (k, payment) in world.attempts[n].begun() {
            for status in payment.history() {
                let mut next = *world;
                settle_payment(self.journal, &mut next, n, k, status, false);
                self.note(world, Step::Hears(n, status), next);
            }
        }
    }

    /// The buyer writes metadata, too: payments of their own, with whatever was seen so far.
    fn forgeries(&mut self, world: &World, n: usize) {
        let was_seen = world.attempts[n].begun().next().is_some();
        for forgery in Forgery::ALL {
            let may_copy = was_seen && world.copies < self.system.bounds.copies;
            if may_copy || !forgery.is_a_copy() {
                let mut next = *world;
                acts::settle_forgery(self.journal, &mut next, n, forgery);
                if next != *world {
                    next.copies += u8::from(forgery.is_a_copy());
                    self.found.push((Step::HearsOfForgery(n, forgery), next));
                }
            }
        }
    }

    /// `service::reconciler`.
    fn reconciler(&mut self, world: &World, n: usize) {
        let row = world.book.rows[n];
        if !row.session && !world.is_hosted(n) {
            for (k, payment) in world.attempts[n].begun() {
                if !payment.listed {
                    self.step(world, Step::IsListed(n), n, |a| a.payments[k].listed = true);
                }
            }
        }
        let mut next = *world;
        match (unexecuted(&row), row.state) {
            (Some(from), _) => {
                release(self.journal, &mut next, n, from);
                self.found.push((Step::Releases(n), next));
            }
            (None, AttemptState::Sent) => {
                settle(self.journal, &mut next, n, Seen::only(Observation::Unknown));
                self.found.push((Step::TakesUp(n), next));
            }
            (
                None,
                AttemptState::Unknown
                | AttemptState::Pending { .. }
                | AttemptState::Underpaid
                | AttemptState::NeedsReview
                | AttemptState::Abandoned,
            ) => {
                let seen = look(self.system, self.journal, &mut next, n);
                self.note(world, Step::Looks(n, false), next);
                if world.is_hosted(n) {
                    self.ends_page(world, n, false, Look::Incomplete, *world);
                    self.ends_page(world, n, true, seen, next);
                } else {
                    self.ends_waiting(world, n, Look::Incomplete, *world);
                    self.ends_waiting(world, n, seen, next);
                }
            }
            _ => {}
        }
    }

    /// A charge was waited for; Dodo may not have answered just then.
    fn ends_waiting(&mut self, world: &World, n: usize, seen: Look, looked: World) {
        let row = looked.book.rows[n];
        let ends = match row.state {
            AttemptState::Abandoned => self.system.ends.given_up,
            state if is_live(state) => self.system.ends.charge,
            _ => return,
        };
        if is_live(row.state) && seen == Look::Idle && row.clean_looks < self.system.clean_looks {
            let mut next = looked;
            self.journal.execute(&mut next.book, Cmd::CleanLook(n));
            self.found.push((Step::Looks(n, true), next));
            return;
        }
        for end in ends.after(seen) {
            let mut next = looked;
            if end_waiting(self.journal, &mut next, n, end) {
                let step = if end == End::GivesUp { Step::GivesUp(n) } else { Step::AsksForReview(n) };
                self.note(world, step, next);
            }
        }
    }

    /// The day of a hosted page is over; Dodo may not have answered just then.
    fn ends_page(&mut self, world: &World, n: usize, answered: bool, seen: Look, looked: World) {
        for end in self.system.ends.page.after(seen) {
            let mut next = looked;
            if end_page(self.journal, &mut next, n, end) {
                self.note(world, Step::FindsPageClosed(n, answered), next);
            }
        }
    }
}

/// Begins a payment where there is room for one.
fn begin(attempt: &mut Attempt, status: Status) {
    if let Some(payment) = attempt.payments.iter_mut().find(|payment| payment.status == Status::None) {
        payment.begin(status);
    }
}
