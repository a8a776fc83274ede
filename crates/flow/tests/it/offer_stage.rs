//! Drives the offer machine as a story: what happens, then what is to be seen. Keeps every effect, so that a reply finds
//! the request it belongs to.

use flow::announce::Announcement;
use flow::offer::{self, Act, Answer, Effect, Event, State, View};
use flow::{ApiError, Dwell, OwnPage, Press, Screen, Tag};
use wire::{Attempt, IdempotencyKey, UpsellResponse};

use crate::build::{answer, press};

pub(crate) struct Stage {
    state: State,
    pub(crate) effects: Vec<Effect>,
    keys: u32,
    latest: usize,
}

impl Stage {
    pub(crate) fn empty() -> Self {
        Self { state: State::default(), effects: vec![], keys: 0, latest: 0 }
    }

    /// The loader has handed this answer over.
    pub(crate) fn opened(response: UpsellResponse) -> Self {
        let mut stage = Self::empty();
        stage.happen(Event::Start(Some(answer(response))));
        stage
    }

    /// The same, and the buyer has had time to look.
    pub(crate) fn shown(response: UpsellResponse) -> Self {
        let mut stage = Self::opened(response);
        stage.look();
        stage
    }

    /// Nothing is known yet: the first answer is on its way.
    pub(crate) fn loading() -> Self {
        let mut stage = Self::empty();
        stage.happen(Event::Start(None));
        stage
    }

    /// Where in `effects` what the last event caused begins.
    pub(crate) fn unanswered(&self) -> usize {
        self.latest
    }

    pub(crate) fn happen(&mut self, event: Event) -> &mut Self {
        let (state, effects) = offer::step(std::mem::take(&mut self.state), event);
        self.state = state;
        self.latest = self.effects.len();
        self.effects.extend(effects);
        self
    }

    pub(crate) fn act(&mut self, act: Act) -> &mut Self {
        self.keys += 1;
        self.happen(Event::Act { act, press: press(self.keys) })
    }

    /// Accepts while the screen says something else.
    pub(crate) fn accept_altered(&mut self, own_page: OwnPage) -> &mut Self {
        self.keys += 1;
        let press = Press { screen: Screen::Altered(own_page), ..press(self.keys) };
        self.happen(Event::Act { act: Act::Accept, press })
    }

    pub(crate) fn look(&mut self) -> &mut Self {
        let watch = self.last(|effect| match effect {
            Effect::Watch(tag) => Some(*tag),
            _ => None,
        });
        self.happen(Event::Dwelled(watch, Dwell::Armed)).happen(Event::Dwelled(watch, Dwell::Seen))
    }

    pub(crate) fn accepted(&mut self, reply: Result<Attempt, ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::Accept { tag, .. } => Some(*tag),
            _ => None,
        });
        self.happen(Event::Accepted(tag, reply))
    }

    pub(crate) fn loaded(&mut self, reply: Result<Answer, ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::Load(tag) => Some(*tag),
            _ => None,
        });
        self.happen(Event::Loaded(tag, reply))
    }

    pub(crate) fn looked(&mut self, reply: Result<Attempt, ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::Ask(tag, _) => Some(*tag),
            _ => None,
        });
        self.happen(Event::Looked(tag, reply))
    }

    pub(crate) fn declined(&mut self, reply: Result<Option<Answer>, ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::Decline(tag, _) => Some(*tag),
            _ => None,
        });
        self.happen(Event::Declined(tag, reply))
    }

    /// The timer that was set last runs out.
    pub(crate) fn wait(&mut self) -> &mut Self {
        let (tag, _) = self.timer();
        self.happen(Event::Timer(tag))
    }

    /// The timer that was set with this delay runs out.
    pub(crate) fn wait_for(&mut self, delay: u32) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::Schedule(tag, after) if *after == delay => Some(*tag),
            _ => None,
        });
        self.happen(Event::Timer(tag))
    }

    pub(crate) fn timer(&self) -> (Tag, u32) {
        self.last(|effect| match effect {
            Effect::Schedule(tag, after) => Some((*tag, *after)),
            _ => None,
        })
    }

    fn last<T>(&self, pick: impl Fn(&Effect) -> Option<T>) -> T {
        self.effects.iter().rev().find_map(pick).expect("an effect that this reply belongs to")
    }

    pub(crate) fn view(&self) -> View {
        offer::view(&self.state)
    }

    pub(crate) fn card(&self) -> offer::OfferView {
        match self.view() {
            View::Offer(card) => *card,
            other => panic!("no offer on the screen but {other:?}"),
        }
    }

    /// Keys of all charging requests so far.
    pub(crate) fn sent(&self) -> Vec<IdempotencyKey> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Accept { intent, .. } => Some(intent.key.clone()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn announced(&self) -> Vec<&Announcement> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Announce(announcement) => Some(announcement),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn count(&self, pick: impl Fn(&Effect) -> bool) -> usize {
        self.effects.iter().filter(|effect| pick(effect)).count()
    }
}
