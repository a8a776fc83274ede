//! The half of the offer flow that begins with a confirmation.

use wire::Attempt;

use super::effect::{AcceptBody, Effect};
use super::event::{Act, Answer, Event};
use super::proposal::{self, Meaning, Proposal};
use super::state::{Charging, Failed, Phase};
use super::step::{Flow, difference};
use super::view::{Closed, Notice};
use crate::announce::{About, Announcement, Trouble};
use crate::charge::{Charge, Command, DoneView, Input, NotCharged, Progress, Seen, Settled, Standing};
use crate::{ApiError, Intent, Press, Screen, Tag};

impl Flow {
    /// The buyer confirms exactly what the proposal shows.
    pub(super) fn accept(
        &mut self,
        proposal: Box<Proposal>,
        intent: Intent,
        drawing: Tag,
        another_way: bool,
    ) -> Phase {
        self.memory.another_way_taken |= another_way;
        self.tell_shown(&proposal);
        let (charge, commands) = Charge::start(intent, &mut self.memory.tags);
        let charging = Charging {
            charge,
            proposal: Some(proposal),
            drawing,
            another_way,
            latest: None,
            announced: false,
        };
        self.goes_on(Box::new(charging), commands)
    }

    /// A charge that an earlier page began.
    pub(super) fn resume(&mut self, attempt: Attempt) -> Phase {
        match Charge::resume(attempt, &mut self.memory.tags) {
            Progress::On(charge, commands) => {
                let charging = Charging {
                    charge,
                    proposal: None,
                    drawing: self.memory.tags.fresh(),
                    another_way: false,
                    latest: None,
                    announced: false,
                };
                self.goes_on(Box::new(charging), commands)
            }
            // Old news: shown, but not announced.
            Progress::Settled(Settled::Succeeded { scheduled, receipt }) => {
                let receipt = receipt.map(|receipt| *receipt);
                Phase::Done(Box::new(DoneView { scheduled, name: None, receipt }))
            }
            Progress::Settled(Settled::Checkout(url)) => Phase::Leaving { due: None, url },
            Progress::Settled(Settled::Failed { reason, hosted_offered, not_charged }) => {
                Phase::Failed(Box::new(Failed {
                    proposal: None,
                    failure: reason.into(),
                    not_charged,
                    another_way: hosted_offered,
                }))
            }
            Progress::Settled(_) => Phase::Nothing,
        }
    }

    pub(super) fn charging(&mut self, mut charging: Box<Charging>, event: Event) -> Phase {
        let input = match event {
            Event::Accepted(tag, reply) => Input::Replied(tag, reply),
            Event::Looked(tag, reply) => {
                Input::Looked(tag, reply.map(|attempt| Seen::Attempt(Box::new(attempt))))
            }
            Event::Loaded(tag, reply) if charging.charge.asking() == Some(tag) => {
                Input::Looked(tag, charging.look(reply, &self.memory.refused))
            }
            Event::Timer(tag) => Input::Timer(tag),
            Event::Act { act: Act::CheckAgain, .. } => Input::CheckAgain,
            Event::Act { act: Act::Continue, .. } => {
                if let Some(url) = charging.charge.continue_at() {
                    self.effects.push(Effect::Navigate(url.to_owned()));
                }
                return Phase::Charging(charging);
            }
            // In particular no decline, and no second accept, while a charge is undecided.
            _ => return Phase::Charging(charging),
        };
        match charging.charge.clone().step(input, &mut self.memory.tags) {
            Progress::On(charge, commands) => {
                charging.charge = charge;
                self.goes_on(charging, commands)
            }
            Progress::Settled(settled) => self.settled(*charging, settled),
        }
    }

    fn goes_on(&mut self, mut charging: Box<Charging>, commands: Vec<Command>) -> Phase {
        for command in commands {
            match command {
                // Only what this page confirmed is sent; a charge taken up from an earlier page is only asked about.
                Command::Send(tag, intent) => {
                    if let Some(body) = charging.body() {
                        self.effects.push(Effect::Accept { tag, intent, body });
                    }
                }
                Command::Ask(tag, Some(attempt)) => self.effects.push(Effect::Ask(tag, attempt)),
                Command::Ask(tag, None) => self.effects.push(Effect::Load(tag)),
                Command::Schedule(tag, after) => self.effects.push(Effect::Schedule(tag, after)),
            }
        }
        if let Some(standing) = charging.charge.standing()
            && !charging.announced
        {
            charging.announced = true;
            self.announce(Announcement::Pending(charging.about(), standing));
        }
        Phase::Charging(charging)
    }

    fn settled(&mut self, charging: Charging, settled: Settled) -> Phase {
        let about = charging.about();
        let Charging { proposal, latest, another_way, .. } = charging;
        match settled {
            Settled::Succeeded { scheduled, receipt } => {
                let name = proposal.as_ref().map(|proposal| proposal.product.name.clone());
                let done = DoneView { scheduled, name, receipt: receipt.map(|receipt| *receipt) };
                self.announce(Announcement::Accepted(about));
                Phase::Done(Box::new(done))
            }
            Settled::Checkout(url) => {
                let due = about.due;
                self.announce(Announcement::Pending(about, Standing::ActionRequired));
                self.effects.push(Effect::Navigate(url.clone()));
                Phase::Leaving { due, url }
            }
            Settled::Failed { reason, hosted_offered, not_charged } => {
                self.announce(Announcement::Failed(about, Trouble::Charge(reason)));
                let another_way = hosted_offered && !another_way && !self.memory.another_way_taken;
                let failure = reason.into();
                Phase::Failed(Box::new(Failed { proposal, failure, not_charged, another_way }))
            }
            Settled::Gone => self.close(Closed::Gone, about),
            Settled::SessionOver => self.close(Closed::SessionOver, about),
            Settled::QuoteChanged(quote, not_charged) => match proposal {
                Some(old) => {
                    let new = old.at_quote(quote);
                    let changed_from = difference(&old, &new);
                    let mut shown = self.show(Box::new(new), changed_from, None, 0);
                    shown.not_charged = Some(not_charged);
                    Phase::Offered(shown)
                }
                None => self.close(Closed::Gone, about),
            },
            Settled::QuoteExpired(not_charged) => match proposal {
                Some(proposal) => {
                    let offered = self.show(proposal, None, None, 0);
                    let mut phase = self.refresh(offered, 0);
                    if let Phase::Offered(offered) = &mut phase {
                        offered.not_charged = Some(not_charged);
                    }
                    phase
                }
                None => self.close(Closed::Gone, about),
            },
            Settled::Busy(proof) => self.try_again(proposal, None, Notice::Busy, Some(proof), about),
            Settled::NotReceived => self.try_again(proposal, latest, Notice::NotReceived, None, about),
        }
    }

    /// The offer is back on the screen, as fresh as the backend last told it.
    fn try_again(
        &mut self,
        confirmed: Option<Box<Proposal>>,
        latest: Option<Box<Proposal>>,
        notice: Notice,
        not_charged: Option<NotCharged>,
        about: About,
    ) -> Phase {
        let changed_from = match (&confirmed, &latest) {
            (Some(old), Some(new)) => difference(old, new),
            _ => None,
        };
        match latest.or(confirmed) {
            Some(proposal) => {
                let mut shown = self.show(proposal, changed_from, Some(notice), 0);
                shown.not_charged = not_charged;
                Phase::Offered(shown)
            }
            None => self.close(Closed::Gone, about),
        }
    }

    pub(super) fn failed(&mut self, failed: Box<Failed>, act: Act, press: Press) -> Phase {
        match (act, failed.proposal.clone()) {
            (Act::PayAnotherWay, Some(proposal)) if failed.another_way && press.screen == Screen::AsDrawn => {
                let drawing = self.memory.tags.fresh();
                self.accept(proposal, press.intent, drawing, true)
            }
            // An earlier page began it: the offer comes back, to be paid on the hosted checkout that its button leads to.
            (Act::PayAnotherWay, None) if failed.another_way => self.load(),
            (Act::Decline(reason), Some(proposal)) => self.decline(&proposal, reason),
            (Act::Dismiss, _) => Phase::Nothing,
            _ => Phase::Failed(failed),
        }
    }
}

impl Charging {
    fn about(&self) -> About {
        self.proposal.as_ref().map(|proposal| proposal.about()).unwrap_or_default()
    }

    fn body(&self) -> Option<AcceptBody> {
        self.proposal.as_ref().map(|proposal| proposal.accept_body(self.another_way))
    }

    /// What loading anew shows of this charge. Keeps what is offered, for the case that nothing was charged.
    fn look(&mut self, reply: Result<Answer, ApiError>, refused: &[String]) -> Result<Seen, ApiError> {
        let answer = reply?;
        let meaning = proposal::read(*answer.response);
        let seen = proposal::seen(&meaning);
        self.latest = None;
        match meaning {
            // Refused in another tab meanwhile, or before what is being charged was offered.
            Meaning::Offered(proposal) if answer.refused_here || refused.contains(&proposal.decline_key) => {
                return Ok(Seen::Gone);
            }
            Meaning::Offered(proposal) => self.latest = Some(proposal),
            _ => {}
        }
        Ok(seen)
    }
}
