//! The offer flow in the browser.

use std::rc::Rc;

use flow::ApiError;
use flow::announce::About;
use flow::offer::{self, AcceptBody, AcceptState, Act, Answer, Effect, Event, State, View};
use wasm_bindgen_futures::spawn_local;
use wire::{Attempt, IdempotencyKey, UpsellResponse};

use super::{Driver, Machine};
use crate::browser::visibility::Visibility;
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

    fn act(act: Act, key: IdempotencyKey) -> Event {
        Event::Act { act, key }
    }

    fn pays_for(view: &View, act: &Act) -> Option<About> {
        match (view, act) {
            (View::Offer(offer), Act::Accept) if offer.accept == AcceptState::Ready => Some(About {
                product_id: Some(offer.product.id.clone()),
                due: Some(offer.due),
                ..About::default()
            }),
            (View::Failed(failed), Act::PayAnotherWay) if failed.another_way && failed.due.is_some() => {
                Some(About { due: failed.due, ..About::default() })
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
            Effect::Accept { tag, key, body } => {
                let key = match &body {
                    AcceptBody::Offer { quote_id, .. } => intents::begin(quote_id, key),
                    AcceptBody::ListPrice => key,
                };
                let consent = driver.consent();
                driver.then_surely(async move {
                    let reply = client.accept(body, key, consent).await;
                    forget_intent(&reply);
                    Event::Accepted(tag, reply)
                });
            }
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
            Effect::Watch(tag) => {
                let weak = Rc::downgrade(driver);
                let watch = Visibility::watch(&driver.screen, move |dwell| {
                    // Not from within the watch: what comes of it may end the watch.
                    let weak = weak.clone();
                    spawn_local(async move {
                        if let Some(driver) = weak.upgrade() {
                            driver.handle(Event::Dwelled(tag, dwell));
                        }
                    });
                });
                driver.watch.replace(watch);
            }
            Effect::Schedule(tag, after) => driver.schedule(after, Event::Timer(tag)),
            Effect::Navigate(url) => driver.navigate(&url),
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

/// An intention is over with the first answer of any kind; without one it stays.
pub(super) fn forget_intent(reply: &Result<Attempt, ApiError>) {
    if !matches!(reply, Err(ApiError::Network | ApiError::Timeout)) {
        intents::end();
    }
}
