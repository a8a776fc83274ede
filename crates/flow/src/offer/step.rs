//! The only place that decides in the offer flow.

use wire::{DeclineReason, DeclineRequest, ErrorCode, Money, SeenRequest};

use super::effect::Effect;
use super::event::{Act, Answer, Event};
use super::proposal::{self, Meaning, Proposal, Terms};
use super::state::{Freshness, Memory, Offered, Phase, State};
use super::view::{Closed, Notice};
use crate::announce::{About, Announcement, Trouble};
use crate::press::Doubt;
use crate::{ApiError, Dwell, OwnPage, Screen, Tag};

/// So many fresh quotes are fetched for a page that just lies open; then the buyer has to ask.
const MAX_REFRESHES: u8 = 12;

/// A quote is refreshed so many seconds before it expires, so that a press never races its end.
const REFRESH_MARGIN: u32 = 10;

/// What comes of an event. Total: an event that means nothing in a state leaves it as it is.
#[must_use]
pub fn step(state: State, event: Event) -> (State, Vec<Effect>) {
    let mut flow = Flow { memory: state.memory, effects: Vec::new() };
    let phase = flow.next(state.phase, event);
    (State { memory: flow.memory, phase }, flow.effects)
}

/// One step under way. `charging.rs` has the half that begins with a confirmation.
pub(super) struct Flow {
    pub(super) memory: Memory,
    pub(super) effects: Vec<Effect>,
}

impl Flow {
    fn next(&mut self, phase: Phase, event: Event) -> Phase {
        match (phase, event) {
            (Phase::Idle, Event::Start(Some(answer))) => self.first_answer(answer),
            (Phase::Idle, Event::Start(None)) => self.load(),
            (Phase::Idle, Event::StartUnreadable(field)) => self.nothing_to_show(Trouble::Unreadable(field)),
            (Phase::Loading(awaited), Event::Loaded(tag, reply)) if tag == awaited => match reply {
                Ok(answer) => self.first_answer(answer),
                Err(ApiError::BadField(field)) => self.nothing_to_show(Trouble::Unreadable(field)),
                Err(ApiError::BadBody) => self.nothing_to_show(Trouble::Unreadable("body")),
                Err(error) if ended(&error) == Some(Closed::SessionOver) => {
                    self.nothing_to_show(Trouble::Unauthorized)
                }
                Err(_) => self.nothing_to_show(Trouble::Load),
            },
            (Phase::Offered(offered), event) => self.offered(offered, event),
            (Phase::Charging(charging), event) => self.charging(charging, event),
            (Phase::Ordering(ordering), event) => self.ordering(ordering, event),
            (Phase::Failed(failed), Event::Act { act, press }) => self.failed(failed, act, press),
            (Phase::Declining(awaited), Event::Declined(tag, reply)) if tag == awaited => match reply {
                Ok(Some(answer)) if !self.memory.last_in_chain => {
                    self.memory.last_in_chain = true;
                    self.memory.another_way_taken = false;
                    self.first_answer(answer)
                }
                _ => Phase::Nothing,
            },
            (Phase::Leaving { due, url }, Event::Act { act: Act::Continue, .. }) => {
                self.effects.push(Effect::Navigate(url.clone()));
                Phase::Leaving { due, url }
            }
            (Phase::Altered(OwnPage::Elsewhere), Event::Act { act: Act::Continue, .. }) => {
                self.effects.push(Effect::OwnPage);
                Phase::Altered(OwnPage::Elsewhere)
            }
            (
                Phase::Done(_) | Phase::Ordered(_) | Phase::Closed(_) | Phase::Altered(_),
                Event::Act { act: Act::Dismiss, .. },
            ) => Phase::Nothing,
            (phase, _) => phase,
        }
    }

    /// Nothing is on the screen until the answer comes.
    pub(super) fn load(&mut self) -> Phase {
        let tag = self.memory.tags.fresh();
        self.effects.push(Effect::Load(tag));
        Phase::Loading(tag)
    }

    /// An answer while nothing is on the screen.
    fn first_answer(&mut self, answer: Answer) -> Phase {
        match proposal::read(*answer.response) {
            Meaning::Offered(proposal) if answer.refused_here || self.has_refused(&proposal) => {
                // The refusal did not reach the backend: it is told again, and the buyer sees nothing.
                self.decline_at_backend(&proposal, None);
                Phase::Nothing
            }
            Meaning::Offered(proposal) => {
                self.memory.told_shown = false;
                Phase::Offered(self.show(proposal, None, None, 0))
            }
            Meaning::Taken(attempt) => self.resume(*attempt),
            Meaning::Nothing(_) => Phase::Nothing,
            Meaning::Nonsense(field) => self.nothing_to_show(Trouble::Unreadable(field)),
        }
    }

    fn nothing_to_show(&mut self, why: Trouble) -> Phase {
        self.announce(Announcement::Failed(About::default(), why));
        Phase::Nothing
    }

    /// Puts a proposal on the screen. Whatever was armed before is not any more: the buyer has to see it first.
    pub(super) fn show(
        &mut self,
        proposal: Box<Proposal>,
        changed_from: Option<Money>,
        notice: Option<Notice>,
        refreshes: u8,
    ) -> Box<Offered> {
        let freshness = match &proposal.terms {
            Terms::ListPrice => Freshness::Lasting,
            Terms::Quoted { quote, .. } => {
                let timer = self.memory.tags.fresh();
                let seconds = quote.expires_in.saturating_sub(REFRESH_MARGIN).max(1);
                self.effects.push(Effect::Schedule(timer, seconds.saturating_mul(1000)));
                Freshness::Until(timer)
            }
        };
        let watch = self.memory.tags.fresh();
        self.effects.push(Effect::Watch(watch));
        Box::new(Offered {
            proposal,
            drawing: self.memory.tags.fresh(),
            watch,
            armed: false,
            seen: false,
            freshness,
            refreshes,
            changed_from,
            notice,
            not_charged: None,
        })
    }

    fn offered(&mut self, mut offered: Box<Offered>, event: Event) -> Phase {
        match event {
            Event::Act { act: Act::Accept, press } if offered.can_accept() => match press.screen {
                Screen::AsDrawn => {
                    self.memory.doubt = Doubt::None;
                    let Offered { proposal, drawing, .. } = *offered;
                    match proposal.terms {
                        Terms::Quoted { .. } => self.accept(proposal, press.intent, drawing, false),
                        Terms::ListPrice => self.order(proposal, press.intent, drawing),
                    }
                }
                Screen::Altered(own_page) => self.altered(offered, own_page),
            },
            Event::Act { act: Act::Decline(reason), .. } => self.decline(&offered.proposal, reason),
            Event::Act { act: Act::Refresh, .. } if offered.freshness == Freshness::Stale => {
                self.refresh(offered, 0)
            }
            Event::Timer(tag) if offered.freshness == Freshness::Until(tag) => {
                if offered.refreshes >= MAX_REFRESHES {
                    offered.freshness = Freshness::Stale;
                    return Phase::Offered(offered);
                }
                let refreshes = offered.refreshes.saturating_add(1);
                self.refresh(offered, refreshes)
            }
            Event::Loaded(tag, reply) if offered.freshness == Freshness::Refreshing(tag) => {
                self.refreshed(offered, reply)
            }
            Event::Dwelled(tag, dwell) if tag == offered.watch => {
                offered.armed = true;
                if dwell == Dwell::Seen && !offered.seen {
                    offered.seen = true;
                    if let Some(offer) = offered.proposal.offer() {
                        self.effects.push(Effect::Seen(SeenRequest { offer_id: offer.id.clone() }));
                    }
                    self.tell_shown(&offered.proposal);
                }
                Phase::Offered(offered)
            }
            _ => Phase::Offered(offered),
        }
    }

    /// The buyer pressed while the screen said something else than what would be charged. Nothing is sent.
    fn altered(&mut self, mut offered: Box<Offered>, own_page: OwnPage) -> Phase {
        match self.memory.doubt {
            Doubt::None => {
                self.memory.doubt = Doubt::Once;
                (offered.drawing, offered.watch) = (self.memory.tags.fresh(), self.memory.tags.fresh());
                self.effects.push(Effect::Watch(offered.watch));
                offered.armed = false;
                offered.notice = Some(Notice::Altered);
                Phase::Offered(offered)
            }
            Doubt::Once => {
                self.memory.doubt = Doubt::None;
                self.announce(Announcement::Failed(offered.proposal.about(), Trouble::Altered));
                Phase::Altered(match offered.proposal.terms {
                    Terms::Quoted { .. } => own_page,
                    Terms::ListPrice => OwnPage::None,
                })
            }
        }
    }

    /// Tells the page, once an offer, that the buyer has seen it: it was visible for long enough, or they have answered it.
    pub(super) fn tell_shown(&mut self, proposal: &Proposal) {
        if !self.memory.told_shown {
            self.memory.told_shown = true;
            self.announce(Announcement::Shown(proposal.about()));
        }
    }

    pub(super) fn refresh(&mut self, mut offered: Box<Offered>, refreshes: u8) -> Phase {
        let tag = self.memory.tags.fresh();
        self.effects.push(Effect::Load(tag));
        offered.freshness = Freshness::Refreshing(tag);
        offered.refreshes = refreshes;
        (offered.notice, offered.not_charged) = (None, None);
        Phase::Offered(offered)
    }

    fn refreshed(&mut self, mut offered: Box<Offered>, reply: Result<Answer, ApiError>) -> Phase {
        let answer = match reply {
            Ok(answer) => answer,
            Err(error) => match ended(&error) {
                Some(why) => return self.close(why, offered.proposal.about()),
                None => {
                    offered.freshness = Freshness::Stale;
                    return Phase::Offered(offered);
                }
            },
        };
        match proposal::read(*answer.response) {
            Meaning::Offered(proposal) if answer.refused_here || self.has_refused(&proposal) => {
                self.decline_at_backend(&proposal, None);
                Phase::Nothing
            }
            Meaning::Offered(proposal) => {
                let changed_from = difference(&offered.proposal, &proposal);
                // The same thing at the same price needs no new look at it.
                let same = changed_from.is_none() && offered.proposal.same_thing(&proposal);
                let looks_alike = same && offered.proposal.costs_alike(&proposal);
                let mut shown = self.show(proposal, changed_from, None, offered.refreshes);
                if looks_alike {
                    shown.drawing = offered.drawing;
                }
                if same {
                    (shown.armed, shown.seen) = (offered.armed, offered.seen);
                    shown.changed_from = offered.changed_from;
                }
                shown.not_charged = offered.not_charged;
                Phase::Offered(shown)
            }
            Meaning::Taken(attempt) => self.resume(*attempt),
            Meaning::Nothing(_) => self.close(Closed::Gone, offered.proposal.about()),
            Meaning::Nonsense(_) => {
                offered.freshness = Freshness::Stale;
                Phase::Offered(offered)
            }
        }
    }

    pub(super) fn decline(&mut self, proposal: &Proposal, reason: Option<DeclineReason>) -> Phase {
        self.tell_shown(proposal);
        self.effects.push(Effect::Remember(proposal.decline_key.clone()));
        self.memory.refused.push(proposal.decline_key.clone());
        let sent = self.decline_at_backend(proposal, reason);
        self.announce(Announcement::Declined(proposal.about()));
        match sent {
            Some(tag) => Phase::Declining(tag),
            None => Phase::Nothing,
        }
    }

    fn has_refused(&self, proposal: &Proposal) -> bool {
        self.memory.refused.contains(&proposal.decline_key)
    }

    /// A basic backend has no ledger: the browser's own does the remembering.
    fn decline_at_backend(&mut self, proposal: &Proposal, reason: Option<DeclineReason>) -> Option<Tag> {
        let offer_id = proposal.offer()?.id.clone();
        let tag = self.memory.tags.fresh();
        self.effects.push(Effect::Decline(tag, DeclineRequest { offer_id, reason }));
        Some(tag)
    }

    pub(super) fn close(&mut self, why: Closed, about: About) -> Phase {
        let trouble = match why {
            Closed::SessionOver => Trouble::Unauthorized,
            Closed::Gone => Trouble::Ended,
        };
        self.announce(Announcement::Failed(about, trouble));
        Phase::Closed(why)
    }

    pub(super) fn announce(&mut self, announcement: Announcement) {
        self.effects.push(Effect::Announce(announcement));
    }
}

/// The amount shown before, where the new one differs.
pub(super) fn difference(old: &Proposal, new: &Proposal) -> Option<Money> {
    (old.due() != new.due()).then(|| old.due())
}

/// Whether an error on loading means that the offer cannot come back.
fn ended(error: &ApiError) -> Option<Closed> {
    match error {
        ApiError::Problem(problem) => match problem.code {
            ErrorCode::Unauthorized | ErrorCode::BoundElsewhere | ErrorCode::OriginNotAllowed => {
                Some(Closed::SessionOver)
            }
            ErrorCode::NotFound | ErrorCode::OfferGone => Some(Closed::Gone),
            _ => None,
        },
        ApiError::Foreign { status: 401 | 403 } => Some(Closed::SessionOver),
        ApiError::Foreign { status: 404 | 410 } => Some(Closed::Gone),
        _ => None,
    }
}
