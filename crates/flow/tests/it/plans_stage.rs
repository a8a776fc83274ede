//! Drives the plan-change machine as a story.

use flow::announce::Announcement;
use flow::plans::{self, Act, Effect, Event, State, View};
use flow::{ApiError, Dwell, OwnPage, Press, Screen, Tag};
use wire::{Attempt, IdempotencyKey, PaymentMethodLink, PlansResponse, PreviewResponse, StayOffer};

use crate::build::{press, preview, product_id, quote};

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

    /// The loader has handed the plans over, and the buyer has looked at them.
    pub(crate) fn opened(plans: PlansResponse) -> Self {
        let mut stage = Self::empty();
        stage.happen(Event::Start(Some(Box::new(plans)))).look();
        stage
    }

    /// The dialog shows the change to Pro for $50.00, and has been looked at.
    pub(crate) fn reviewing() -> Self {
        let mut stage = Self::opened(crate::build::plans());
        stage.choose("pro").previewed(Ok(preview("pro", quote("q1", 5000)))).arm();
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
        let (state, effects) = plans::step(std::mem::take(&mut self.state), event);
        self.state = state;
        self.latest = self.effects.len();
        self.effects.extend(effects);
        self
    }

    pub(crate) fn act(&mut self, act: Act) -> &mut Self {
        self.keys += 1;
        self.happen(Event::Act { act, press: press(self.keys) })
    }

    /// Confirms while the screen says something else.
    pub(crate) fn confirm_altered(&mut self, own_page: OwnPage) -> &mut Self {
        self.keys += 1;
        let press = Press { screen: Screen::Altered(own_page), ..press(self.keys) };
        self.happen(Event::Act { act: Act::Confirm, press })
    }

    /// The page has been visible for a second.
    pub(crate) fn look(&mut self) -> &mut Self {
        let watch = self.last(|effect| match effect {
            Effect::Watch(tag) => Some(*tag),
            _ => None,
        });
        self.happen(Event::Dwelled(watch, Dwell::Armed)).happen(Event::Dwelled(watch, Dwell::Seen))
    }

    pub(crate) fn choose(&mut self, id: &str) -> &mut Self {
        self.act(Act::Choose(product_id(id)))
    }

    /// The quote has been in the dialog for half a second.
    pub(crate) fn arm(&mut self) -> &mut Self {
        self.wait_for(500)
    }

    pub(crate) fn previewed(&mut self, reply: Result<Box<PreviewResponse>, ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::Preview(tag, _) => Some(*tag),
            _ => None,
        });
        self.happen(Event::Previewed(tag, reply))
    }

    pub(crate) fn changed(&mut self, reply: Result<Attempt, ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::Change { tag, .. } => Some(*tag),
            _ => None,
        });
        self.happen(Event::Changed(tag, reply))
    }

    pub(crate) fn loaded(&mut self, reply: Result<PlansResponse, ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::Load(tag) => Some(*tag),
            _ => None,
        });
        self.happen(Event::Loaded(tag, reply.map(Box::new)))
    }

    pub(crate) fn looked(&mut self, reply: Result<Attempt, ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::Ask(tag, _) => Some(*tag),
            _ => None,
        });
        self.happen(Event::Looked(tag, reply))
    }

    pub(crate) fn card_link(&mut self, reply: Result<&str, ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::CardLink(tag) => Some(*tag),
            _ => None,
        });
        self.happen(Event::CardLink(tag, reply.map(|url| PaymentMethodLink { url: url.to_owned() })))
    }

    pub(crate) fn taken_back(&mut self, reply: Result<(), ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::TakeBack(tag) => Some(*tag),
            _ => None,
        });
        self.happen(Event::TakenBack(tag, reply))
    }

    pub(crate) fn stay_offered(&mut self, reply: Result<Option<Box<StayOffer>>, ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::StayOffer(tag, _) => Some(*tag),
            _ => None,
        });
        self.happen(Event::StayOffered(tag, reply))
    }

    pub(crate) fn cancelled(&mut self, reply: Result<(), ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::Cancel(tag) => Some(*tag),
            _ => None,
        });
        self.happen(Event::Cancelled(tag, reply))
    }

    pub(crate) fn kept(&mut self, reply: Result<(), ApiError>) -> &mut Self {
        let tag = self.last(|effect| match effect {
            Effect::KeepPlan(tag) => Some(*tag),
            _ => None,
        });
        self.happen(Event::Kept(tag, reply))
    }

    /// The plans that were previewed, in order.
    pub(crate) fn previews(&self) -> Vec<&str> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Preview(_, request) => Some(request.product_id.as_str()),
                _ => None,
            })
            .collect()
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

    fn timer(&self) -> (Tag, u32) {
        self.last(|effect| match effect {
            Effect::Schedule(tag, after) => Some((*tag, *after)),
            _ => None,
        })
    }

    fn last<T>(&self, pick: impl Fn(&Effect) -> Option<T>) -> T {
        self.effects.iter().rev().find_map(pick).expect("an effect that this reply belongs to")
    }

    pub(crate) fn view(&self) -> View {
        plans::view(&self.state)
    }

    pub(crate) fn page(&self) -> plans::ComparisonView {
        match self.view().page {
            plans::Page::Comparison(page) => *page,
            other => panic!("no plans on the screen but {other:?}"),
        }
    }

    pub(crate) fn review(&self) -> plans::ReviewView {
        match self.view().dialog {
            Some(plans::Dialog::Review(review)) => *review,
            other => panic!("no review in the dialog but {other:?}"),
        }
    }

    /// Key and quote of all charging requests so far.
    pub(crate) fn sent(&self) -> Vec<(IdempotencyKey, String)> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Change { intent, quote_id, .. } => {
                    Some((intent.key.clone(), quote_id.as_str().to_owned()))
                }
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
