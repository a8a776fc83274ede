//! One simulator's shared state: the world behind a lock, and what must not be behind it.

use crate::clock::Clock;
use crate::config::{ApiKey, SimConfig};
use crate::engine::world::World;
use crate::faults::Faults;
use crate::fixtures::{self, Fixtures};
use crate::http::rate_limit::RateLimiter;
use crate::webhooks::deliver::Courier;
use crate::webhooks::sign::Secret;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// Where webhooks go.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: http::Uri,
    pub(crate) secret: Secret,
}

#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) limiter: Mutex<RateLimiter>,
    pub(crate) endpoint: Mutex<Option<Endpoint>>,
    pub(crate) keys: Vec<ApiKey>,
    pub(crate) courier: Courier,
    /// Rings when there may be something to do before the worker's next alarm.
    pub(crate) wake: Notify,
    /// While set and in the future, nothing listens.
    pub(crate) refuse_until: watch::Sender<Option<Instant>>,
    config: SimConfig,
    fixtures: Fixtures,
}

/// A panic elsewhere must not hide what the simulator knows.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(
        config: SimConfig,
        fixtures: Fixtures,
        base_url: String,
        endpoint: Option<Endpoint>,
    ) -> Self {
        let world = build_world(&config, &fixtures, base_url);
        Self {
            world: Mutex::new(world),
            faults: Mutex::default(),
            limiter: Mutex::default(),
            endpoint: Mutex::new(endpoint),
            keys: config.api_keys.clone(),
            courier: Courier::new(),
            wake: Notify::new(),
            refuse_until: watch::Sender::new(None),
            config,
            fixtures,
        }
    }

    /// One step of the world, at the time that its clock shows.
    pub(crate) fn step<R>(&self, act: impl FnOnce(&mut World) -> R) -> R {
        let mut world = lock(&self.world);
        world.catch_up();
        let result = act(&mut world);
        // What was set into the past (a subscription that began last month) happens within the same step.
        world.catch_up();
        drop(world);
        self.wake.notify_one();
        result
    }

    /// A look that changes nothing but what time itself changes.
    pub(crate) fn look<R>(&self, see: impl FnOnce(&World) -> R) -> R {
        let mut world = lock(&self.world);
        world.catch_up();
        see(&world)
    }

    /// Everything as it was at the start: data, clock, policy, faults, ledger. The webhook endpoint stays.
    pub(crate) fn reset(&self) {
        {
            let mut world = lock(&self.world);
            let mut fresh = build_world(&self.config, &self.fixtures, world.base_url.clone());
            fresh.generation = world.generation + 1;
            *world = fresh;
        }
        lock(&self.faults).clear();
        *lock(&self.limiter) = RateLimiter::default();
        self.refuse_until.send_replace(None);
        self.wake.notify_one();
    }
}

fn build_world(config: &SimConfig, fixtures: &Fixtures, base_url: String) -> World {
    let start = config.clock_start.unwrap_or_else(time::OffsetDateTime::now_utc);
    let clock = Clock::new(start, config.clock_speed);
    let mut world = World::new(clock, config.seed, config.policy.clone(), base_url);
    fixtures::load(&mut world, fixtures);
    world
}
