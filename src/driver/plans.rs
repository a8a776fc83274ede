//! The plan-change flow in the browser.

use std::rc::Rc;

use flow::announce::About;
use flow::plans::{self, Act, ConfirmState, Dialog, Effect, Event, State, View};
use flow::{Dwell, Press, Tag};
use wasm_bindgen_futures::spawn_local;
use wire::DeclineRequest;

use super::offer::forget_intent;
use super::{Driver, Machine, Sale};
use crate::api;

/// The plan-change flow.
pub struct Plans;

impl Machine for Plans {
    type State = State;
    type Event = Event;
    type Effect = Effect;
    type Act = Act;
    type View = View;

    fn language(event: &Event) -> Option<&str> {
        match event {
            Event::Start(Some(plans)) | Event::Loaded(_, Ok(plans)) => plans.language.as_deref(),
            _ => None,
        }
    }

    fn step(state: State, event: Event) -> (State, Vec<Effect>) {
        plans::step(state, event)
    }

    fn view(state: &State) -> View {
        plans::view(state)
    }

    fn start(first_answer: Option<&str>) -> Event {
        match first_answer.map(api::decode) {
            None => Event::Start(None),
            Some(Ok(plans)) => Event::Start(Some(plans)),
            Some(Err(_)) => Event::StartUnanswered,
        }
    }

    fn act(act: Act, press: Press) -> Event {
        Event::Act { act, press }
    }

    fn dwelled(tag: Tag, dwell: Dwell) -> Event {
        Event::Dwelled(tag, dwell)
    }

    fn pays_for(view: &View, act: &Act) -> Option<Sale> {
        match (&view.dialog, act) {
            (Some(Dialog::Review(review)), Act::Confirm) if review.confirm == ConfirmState::Ready => {
                Some(Sale {
                    about: About { due: Some(review.due), ..About::default() },
                    quote: Some(review.quote.id.clone()),
                })
            }
            _ => None,
        }
    }

    fn perform(driver: &Rc<Driver<Self>>, effect: Effect) {
        let client = driver.client.clone();
        match effect {
            Effect::Load(tag) => {
                driver.then(async move { Event::Loaded(tag, client.load_plans().await) });
            }
            Effect::Preview(tag, request) => {
                driver.then(async move { Event::Previewed(tag, client.preview(request).await) });
            }
            Effect::Change { tag, intent, quote_id } => driver.then_surely(async move {
                let reply = client.change(quote_id, intent).await;
                forget_intent(&reply);
                Event::Changed(tag, reply)
            }),
            Effect::Ask(tag, id) => {
                driver.then(async move { Event::Looked(tag, client.attempt(id).await) });
            }
            Effect::CardLink(tag) => {
                driver.then(async move { Event::CardLink(tag, client.card_link().await) });
            }
            Effect::TakeBack(tag) => {
                driver.then(async move { Event::TakenBack(tag, client.take_back().await) });
            }
            Effect::StayOffer(tag, request) => {
                driver.then(async move { Event::StayOffered(tag, client.stay_offer(request).await) });
            }
            Effect::Decline(offer_id) => spawn_local(async move {
                // It was shown, and is not shown again, whether or not this arrives.
                _ = client.decline_stay_offer(DeclineRequest { offer_id, reason: None }).await;
            }),
            Effect::Cancel(tag) => {
                driver.then_surely(async move { Event::Cancelled(tag, client.cancel().await) });
            }
            Effect::KeepPlan(tag) => {
                driver.then_surely(async move { Event::Kept(tag, client.keep_plan().await) });
            }
            Effect::Schedule(tag, after) => driver.schedule(after, Event::Timer(tag)),
            Effect::Watch(tag) => driver.watch(tag),
            Effect::Navigate(url) => driver.navigate(&url),
            Effect::OwnPage => driver.go_to_own_page(),
            Effect::Announce(announcement) => driver.announce(announcement),
        }
    }
}
