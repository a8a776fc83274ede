//! The offer flow in the browser.

use std::rc::Rc;

use flow::announce::About;
use flow::charge::ends_intent;
use flow::offer::{self, AcceptState, Act, Answer, Effect, Event, PriceView, State, View};
use flow::{ApiError, Dwell, Press, Tag};
use wasm_bindgen_futures::spawn_local;
use wire::{Attempt, UpsellResponse};

use super::{Driver, Machine, Sale};
use crate::browser::{intents, page};
use crate::{api, declines};

/// The offer flow.
pub struct Offer;

impl Machine for Offer {
    type State = State;
    type Event = Event;
    type Effect = Effect;
    type Act = Act;
    type View = View;

    fn language(event: &Event) -> Option<&str> {
        match event {
            Event::Start(Some(answer))
            | Event::Loaded(_, Ok(answer))
            | Event::Declined(_, Ok(Some(answer))) => answer.response.language.as_deref(),
            _ => None,
        }
    }

    fn step(state: State, event: Event) -> (State, Vec<Effect>) {
        offer::step(state, event)
    }

    fn view(state: &State) -> View {
        offer::view(state)
    }

    fn start(first_answer: Option<&str>) -> Event {
        match first_answer.map(api::decode_offer) {
            // Something in between may have put a page of its own there: once more, without it.
            None | Some(Err("body")) => Event::Start(None),
            Some(Ok(response)) => Event::Start(Some(answer(response))),
            Some(Err(field)) => Event::StartUnreadable(field),
        }
    }

    fn act(act: Act, press: Press) -> Event {
        Event::Act { act, press }
    }

    fn dwelled(tag: Tag, dwell: Dwell) -> Event {
        Event::Dwelled(tag, dwell)
    }

    fn pays_for(view: &View, act: &Act) -> Option<Sale> {
        match (view, act) {
            (View::Offer(offer), Act::Accept) if offer.accept == AcceptState::Ready => Some(Sale {
                about: About {
                    product_id: Some(offer.product.id.clone()),
                    due: Some(offer.due),
                    ..About::default()
                },
                quote: match &offer.price {
                    PriceView::Quoted(quote) => Some(quote.id.clone()),
                    PriceView::ListPrice(_) => None,
                },
            }),
            // The last request for this quote was answered, so that this is an intention of its own.
            (View::Failed(failed), Act::PayAnotherWay) if failed.another_way && failed.due.is_some() => {
                Some(Sale { about: About { due: failed.due, ..About::default() }, quote: None })
            }
            _ => None,
        }
    }

    fn perform(driver: &Rc<Driver<Self>>, effect: Effect) {
        let client = driver.client.clone();
        match effect {
            Effect::Load(tag) => {
                driver.then(async move { Event::Loaded(tag, client.load_offer().await.map(answer)) });
            }
            Effect::Accept { tag, intent, body } => driver.then_surely(async move {
                let reply = client.accept(body, intent).await;
                forget_intent(&reply);
                Event::Accepted(tag, reply)
            }),
            Effect::Ask(tag, id) => {
                driver.then(async move { Event::Looked(tag, client.attempt(id).await) });
            }
            Effect::Decline(tag, request) => driver.then_surely(async move {
                let next = client.decline(request).await;
                Event::Declined(tag, next.map(|next| next.map(answer)))
            }),
            Effect::Seen(request) => spawn_local(async move {
                // Counting is best effort.
                _ = client.seen(request).await;
            }),
            Effect::Remember(key) => declines::remember(&key, page::now()),
            Effect::Watch(tag) => driver.watch(tag),
            Effect::Schedule(tag, after) => driver.schedule(after, Event::Timer(tag)),
            Effect::Navigate(url) => driver.navigate(&url),
            Effect::OwnPage => driver.go_to_own_page(),
            Effect::Announce(announcement) => driver.announce(announcement),
        }
    }
}

/// An answer with what this browser remembers about it.
fn answer(response: Box<UpsellResponse>) -> Answer {
    let refused_here =
        response.eligible && offer::decline_key(&response).is_some_and(|key| declines::contains(&key));
    Answer { response, refused_here }
}

/// An intention is over with an answer; without one it stays.
pub(super) fn forget_intent(reply: &Result<Attempt, ApiError>) {
    if ends_intent(reply) {
        intents::end();
    }
}
