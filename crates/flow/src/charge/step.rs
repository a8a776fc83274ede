//! The charge's own step: send, repeat with the same key, look, settle.

use wire::{Attempt, Money};

use super::classify::{self, Class};
use super::schedule;
use super::state::{Awaits, Charge, Command, Input, Progress, Seen, Sending, Settled, Stage, Waiting, Watch};
use super::view::{Next, Standing, WaitingView};
use crate::{ApiError, Intent, Tag, Tags};

impl Charge {
    /// Starts a charge: one confirmation by the buyer, one intention.
    #[must_use]
    pub fn start(intent: Intent, tags: &mut Tags) -> (Self, Vec<Command>) {
        let (awaited, slow_timer) = (tags.fresh(), tags.fresh());
        let commands =
            vec![Command::Send(awaited, intent.clone()), Command::Schedule(slow_timer, schedule::SLOW_AFTER)];
        let sending = Sending { intent, awaited, slow_timer, slow: false, sends: 1 };
        (Self { stage: Stage::Sending(sending) }, commands)
    }

    /// Takes up a charge that an earlier page began, as the backend reports it. It is only asked about, never sent.
    #[must_use]
    pub fn resume(attempt: Attempt, tags: &mut Tags) -> Progress {
        match classify::attempt(attempt) {
            Class::Open { awaits, attempt } => watch(Waiting::new(awaits, attempt), tags),
            Class::Settled(settled) | Class::Refused(settled) => Progress::Settled(settled),
            Class::Unknown { .. } => watch(Waiting::new(Awaits::Evidence, None), tags),
        }
    }

    /// What comes of an input. Stale tags change nothing.
    #[must_use]
    pub fn step(self, input: Input, tags: &mut Tags) -> Progress {
        let (stage, commands) = match (self.stage, input) {
            (Stage::Sending(sending), Input::Replied(tag, reply)) if tag == sending.awaited => {
                return replied(sending, reply, tags);
            }
            (Stage::Waiting(waiting), Input::Looked(tag, look)) if waiting.watch == Watch::Asking(tag) => {
                return looked(waiting, look, tags);
            }
            (Stage::Waiting(waiting), Input::Timer(tag)) if waiting.watch == Watch::Timer(tag) => {
                return ask(waiting, tags);
            }
            (Stage::Waiting(waiting), Input::CheckAgain) if !matches!(waiting.watch, Watch::Asking(_)) => {
                return ask(waiting, tags);
            }
            (Stage::Sending(mut sending), Input::Timer(tag)) if tag == sending.slow_timer => {
                sending.slow = true;
                (Stage::Sending(sending), vec![])
            }
            (Stage::Sending(mut sending), Input::Timer(tag)) if tag == sending.awaited => {
                sending.awaited = tags.fresh();
                sending.sends = sending.sends.saturating_add(1);
                let commands = vec![Command::Send(sending.awaited, sending.intent.clone())];
                (Stage::Sending(sending), commands)
            }
            (stage, _) => (stage, vec![]),
        };
        Progress::On(Self { stage }, commands)
    }

    /// What the buyer sees of it; `None` while the pressed button itself shows that it is busy.
    #[must_use]
    pub fn view(&self, due: Option<Money>) -> Option<WaitingView> {
        match &self.stage {
            Stage::Sending(sending) if !sending.slow => None,
            Stage::Sending(_) => Some(WaitingView { standing: Standing::Confirming, due, next: Next::Wait }),
            Stage::Waiting(waiting) => {
                let next = match (&waiting.awaits, waiting.watch) {
                    (Awaits::Buyer { at: Some(_) }, _) => Next::Continue,
                    (_, Watch::Ended) => Next::CheckAgain,
                    (_, Watch::Timer(_) | Watch::Asking(_)) => Next::Wait,
                };
                Some(WaitingView { standing: waiting.awaits.standing(), due, next })
            }
        }
    }

    /// Where the buyer can complete the payment.
    #[must_use]
    pub fn continue_at(&self) -> Option<&str> {
        match &self.stage {
            Stage::Waiting(Waiting { awaits: Awaits::Buyer { at }, .. }) => at.as_deref(),
            Stage::Waiting(_) | Stage::Sending(_) => None,
        }
    }

    /// The look that is under way: only a reply with this tag says anything about the charge.
    #[must_use]
    pub fn asking(&self) -> Option<Tag> {
        match &self.stage {
            Stage::Waiting(Waiting { watch: Watch::Asking(tag), .. }) => Some(*tag),
            _ => None,
        }
    }

    /// What it waits for, once nothing is sent any more and the page only asks.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        match &self.stage {
            Stage::Waiting(waiting) => Some(waiting.awaits.standing()),
            Stage::Sending(_) => None,
        }
    }
}

fn replied(mut sending: Sending, reply: Result<Attempt, ApiError>, tags: &mut Tags) -> Progress {
    let first = sending.sends == 1;
    let class = match reply {
        Ok(attempt) => classify::attempt(attempt),
        Err(error) => classify::error(&error),
    };
    let waiting = match class {
        Class::Settled(settled) => return Progress::Settled(settled),
        Class::Refused(settled) if first => return Progress::Settled(settled),
        Class::Unknown { repeat: true } => match schedule::resend_after(sending.sends) {
            Some(pause) => {
                sending.awaited = tags.fresh();
                let commands = vec![Command::Schedule(sending.awaited, pause)];
                return Progress::On(Charge { stage: Stage::Sending(sending) }, commands);
            }
            None => Waiting::new(Awaits::Evidence, None),
        },
        // A refusal of the repetition says nothing about the first request.
        Class::Refused(_) | Class::Unknown { repeat: false } => Waiting::new(Awaits::Evidence, None),
        Class::Open { awaits, attempt } => Waiting::new(awaits, attempt),
    };
    watch(waiting, tags)
}

fn looked(mut waiting: Waiting, look: Result<Seen, ApiError>, tags: &mut Tags) -> Progress {
    let untouched = match look {
        Ok(Seen::Attempt(attempt)) => match classify::attempt(*attempt) {
            Class::Settled(settled) => return Progress::Settled(settled),
            Class::Open { awaits, attempt } => {
                waiting = Waiting { awaits, attempt: attempt.or(waiting.attempt), ..waiting };
                None
            }
            Class::Refused(_) | Class::Unknown { .. } => None,
        },
        Ok(Seen::Untouched) => Some(Settled::NotReceived),
        Ok(Seen::Gone) => Some(Settled::Gone),
        Ok(Seen::Reached { scheduled }) => {
            return Progress::Settled(Settled::Succeeded { scheduled, receipt: None });
        }
        Ok(Seen::Unclear) => None,
        // Nobody will answer any more. What happened is still unknown, and the buyer is told so.
        Err(error) if ends_the_watch(&error) => return still(waiting, Watch::Ended, vec![]),
        // An unreachable backend proves nothing either way.
        Err(_) => return watch(waiting, tags),
    };
    match untouched {
        Some(settled) => {
            waiting.untouched = waiting.untouched.saturating_add(1);
            if waiting.untouched >= schedule::UNTOUCHED_ENOUGH {
                return Progress::Settled(settled);
            }
        }
        None => waiting.untouched = 0,
    }
    watch(waiting, tags)
}

/// Waits for the next question, or ends the watch.
fn watch(waiting: Waiting, tags: &mut Tags) -> Progress {
    match schedule::ask_after(waiting.asked) {
        Some(pause) => {
            let timer = tags.fresh();
            still(waiting, Watch::Timer(timer), vec![Command::Schedule(timer, pause)])
        }
        None => still(waiting, Watch::Ended, vec![]),
    }
}

fn ask(mut waiting: Waiting, tags: &mut Tags) -> Progress {
    let tag = tags.fresh();
    waiting.asked = waiting.asked.saturating_add(1);
    let commands = vec![Command::Ask(tag, waiting.attempt.clone())];
    still(waiting, Watch::Asking(tag), commands)
}

fn still(waiting: Waiting, watch: Watch, commands: Vec<Command>) -> Progress {
    Progress::On(Charge { stage: Stage::Waiting(Waiting { watch, ..waiting }) }, commands)
}

/// Whether a failed look means that no later one can succeed.
fn ends_the_watch(error: &ApiError) -> bool {
    use wire::ErrorCode::{BoundElsewhere, NotFound, OriginNotAllowed, Unauthorized};
    match error {
        ApiError::Problem(problem) => {
            matches!(problem.code, Unauthorized | BoundElsewhere | OriginNotAllowed | NotFound)
        }
        ApiError::Foreign { status } => matches!(status, 401 | 403 | 404 | 405),
        ApiError::Network | ApiError::Timeout | ApiError::BadBody | ApiError::BadField(_) => false,
    }
}
