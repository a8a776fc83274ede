//! The offer machine against a backend that keeps the contract, over a network that loses, delays, repeats and
//! reorders. Everything follows from one seed; a failing run prints it.
//!
//! What must hold at the end of every run: at most one charge; the receipt is shown only for a charge, "not collected"
//! only without one; nothing is charged after a refusal; what was charged is what a button said.

use std::collections::{BTreeMap, BTreeSet};

use flow::charge::Next;
use flow::offer::{self, AcceptBody, AcceptState, Act, Effect, Event, State, View};
use flow::{ApiError, Dwell};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wire::{AttemptStatus, IdempotencyKey};

use crate::build::*;
use crate::simulation_backend::Backend;

/// A request on its way, as the backend will read it.
#[derive(Clone)]
enum Request {
    Load,
    Accept(IdempotencyKey, String),
    Ask,
    Decline,
}

enum Parcel {
    ToBackend(usize, Request),
    ToPage(usize, Event),
    Timer(Event),
    Buyer,
    Collect,
}

struct World {
    rng: ChaCha8Rng,
    now: u64,
    serial: u64,
    queue: BTreeMap<(u64, u64), Parcel>,
    backend: Backend,
    state: State,
    /// Requests whose answer the page still waits for; others were aborted.
    exchanges: Vec<(Effect, bool)>,
    promised: BTreeSet<i64>,
    refused: bool,
    keys: u32,
}

impl World {
    fn run(seed: u64) -> Self {
        let mut world = Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            now: 0,
            serial: 0,
            queue: BTreeMap::new(),
            backend: Backend::new(),
            state: State::default(),
            exchanges: vec![],
            promised: BTreeSet::new(),
            refused: false,
            keys: 0,
        };
        world.feed(Event::Start(None));
        for _ in 0..30 {
            let at = world.rng.random_range(0..400_000);
            world.post(at, Parcel::Buyer);
        }
        for _ in 0..40 {
            let at = world.rng.random_range(0..700_000);
            world.post(at, Parcel::Collect);
        }
        while let Some(((at, _), parcel)) = world.queue.pop_first() {
            world.now = at;
            if at > 1_200_000 {
                break;
            }
            world.deliver(parcel);
        }
        world
    }

    fn post(&mut self, after: u64, parcel: Parcel) {
        self.serial += 1;
        self.queue.insert((self.now + after, self.serial), parcel);
    }

    fn deliver(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::ToBackend(exchange, request) => {
                let Some(reply) = self.serve(exchange, request) else { return };
                // The answer may be lost, come late, or come twice.
                let copies = [0, 1, 1, 1, 1, 2][self.rng.random_range(0..6)];
                for _ in 0..copies {
                    let delay = self.delay();
                    self.post(delay, Parcel::ToPage(exchange, reply.clone()));
                }
            }
            Parcel::ToPage(exchange, event) => {
                // The second copy stands for a stale answer, which the machine must not mind.
                if let Some((_, waiting)) = self.exchanges.get_mut(exchange) {
                    *waiting = false;
                }
                self.feed(event);
            }
            Parcel::Timer(event) => {
                if let Event::Accepted(..) | Event::Loaded(..) | Event::Looked(..) | Event::Declined(..) =
                    event
                {
                    // The page's patience with a request is over, unless it was answered.
                    let waiting =
                        self.exchanges.iter().any(|(effect, waiting)| *waiting && answers(effect, &event));
                    if !waiting {
                        return;
                    }
                }
                self.feed(event);
            }
            Parcel::Buyer => self.buyer(),
            Parcel::Collect => {
                if self.rng.random_bool(0.2) {
                    self.backend.price += [500, -500, 0][self.rng.random_range(0..3)];
                }
                self.backend.collect(&mut self.rng);
            }
        }
    }

    fn delay(&mut self) -> u64 {
        if self.rng.random_bool(0.1) {
            self.rng.random_range(0..40_000)
        } else {
            self.rng.random_range(5..800)
        }
    }

    fn serve(&mut self, exchange: usize, request: Request) -> Option<Event> {
        let unavailable = self.rng.random_bool(0.05);
        let (effect, _) = self.exchanges.get(exchange)?.clone();
        Some(match (request, effect) {
            (Request::Load, Effect::Load(tag)) => {
                let reply = if unavailable {
                    Err(ApiError::Foreign { status: 503 })
                } else {
                    Ok(answer(self.backend.load()))
                };
                Event::Loaded(tag, reply)
            }
            (Request::Accept(key, quote), Effect::Accept { tag, .. }) => {
                let reply = self.backend.accept(&mut self.rng, key, &quote);
                // A gateway in between may answer in the backend's place, after the fact.
                let reply = if unavailable { Err(ApiError::Foreign { status: 504 }) } else { reply };
                Event::Accepted(tag, reply)
            }
            (Request::Ask, Effect::Ask(tag, _)) => {
                let status = self.backend.status.unwrap_or(AttemptStatus::InDoubt);
                Event::Looked(tag, Ok(self.backend.attempt(status)))
            }
            (Request::Decline, Effect::Decline(tag, _)) => Event::Declined(tag, self.backend.decline()),
            _ => return None,
        })
    }

    fn buyer(&mut self) {
        let act = match offer::view(&self.state) {
            View::Offer(card) => match (card.accept, self.rng.random_range(0..10)) {
                (_, 0) => Act::Decline(None),
                (AcceptState::Stale, _) => Act::Refresh,
                (accept, _) => {
                    if accept == AcceptState::Ready {
                        self.promised.insert(card.due.amount);
                    }
                    Act::Accept
                }
            },
            View::Failed(failed) if failed.another_way => Act::PayAnotherWay,
            View::Waiting(_) => Act::CheckAgain,
            _ => Act::Accept,
        };
        // Twice: buyers double-click.
        for _ in 0..2 {
            self.keys += 1;
            let press = press(self.keys);
            if act == Act::PayAnotherWay
                && let View::Failed(failed) = offer::view(&self.state)
            {
                self.promised.extend(failed.due.map(|due| due.amount));
            }
            self.refused |= matches!(act, Act::Decline(_));
            self.feed(Event::Act { act, press });
        }
    }

    fn feed(&mut self, event: Event) {
        let (state, effects) = offer::step(std::mem::take(&mut self.state), event);
        self.state = state;
        for effect in effects {
            let request = match &effect {
                Effect::Load(tag) => {
                    Some((Request::Load, 8_000, Event::Loaded(*tag, Err(ApiError::Timeout))))
                }
                Effect::Accept { tag, intent, body: AcceptBody::Offer { quote_id, .. } } => Some((
                    Request::Accept(intent.key.clone(), quote_id.as_str().to_owned()),
                    35_000,
                    Event::Accepted(*tag, Err(ApiError::Timeout)),
                )),
                Effect::Ask(tag, _) => {
                    Some((Request::Ask, 8_000, Event::Looked(*tag, Err(ApiError::Timeout))))
                }
                Effect::Decline(tag, _) => {
                    Some((Request::Decline, 8_000, Event::Declined(*tag, Err(ApiError::Timeout))))
                }
                Effect::Schedule(tag, after) => {
                    self.post(u64::from(*after), Parcel::Timer(Event::Timer(*tag)));
                    None
                }
                Effect::Watch(tag) => {
                    self.post(500, Parcel::Timer(Event::Dwelled(*tag, Dwell::Armed)));
                    None
                }
                _ => None,
            };
            if let Some((request, patience, too_late)) = request {
                let exchange = self.exchanges.len();
                self.exchanges.push((effect, true));
                let copies = [0, 1, 1, 1, 1, 1, 2][self.rng.random_range(0..7)];
                for _ in 0..copies {
                    let delay = self.delay();
                    self.post(delay, Parcel::ToBackend(exchange, request.clone()));
                }
                self.post(patience, Parcel::Timer(too_late));
            }
        }
    }
}

fn answers(effect: &Effect, event: &Event) -> bool {
    match (effect, event) {
        (Effect::Load(a), Event::Loaded(b, _))
        | (Effect::Accept { tag: a, .. }, Event::Accepted(b, _))
        | (Effect::Ask(a, _), Event::Looked(b, _))
        | (Effect::Decline(a, _), Event::Declined(b, _)) => a == b,
        _ => false,
    }
}

#[test]
fn two_thousand_bad_networks() {
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..2_000 {
        let world = World::run(seed);
        let charges = &world.backend.charges;
        assert!(charges.len() <= 1, "seed {seed}: charged {charges:?}");
        assert!(!world.backend.charged_after_refusal, "seed {seed}");
        for charge in charges {
            assert!(
                world.promised.iter().any(|promised| charge <= promised),
                "seed {seed}: charged {charge}, promised {:?}",
                world.promised
            );
        }
        let end = match offer::view(&world.state) {
            View::Done(_) => {
                assert_eq!(charges.len(), 1, "seed {seed}: a receipt without a charge");
                "done"
            }
            View::Failed(_) => {
                assert_eq!(charges.len(), 0, "seed {seed}: told failed, and charged");
                "failed"
            }
            View::Waiting(waiting) => {
                assert_ne!(waiting.next, Next::Wait, "seed {seed}: still asking after 20 minutes");
                "in doubt"
            }
            View::Nothing => {
                assert!(charges.is_empty() || !world.refused, "seed {seed}: refused, and charged");
                "nothing"
            }
            View::Offer(_) => "offered",
            View::Closed(_) => "closed",
            View::Altered(_) => panic!("seed {seed}: nobody else writes on this page"),
            View::Leaving { .. } => "leaving",
            View::Ordering { .. } | View::Ordered(_) => panic!("seed {seed}: not a basic backend"),
        };
        *ends.entry(end).or_default() += 1;
    }
    // The runs must be about something.
    for end in ["done", "failed", "nothing"] {
        assert!(ends.get(end).copied().unwrap_or_default() > 50, "{ends:?}");
    }
}
