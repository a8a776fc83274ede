//! Sending webhooks: one HTTP request per attempt, 15 seconds for an answer.

use super::outbox::{Attempt, Place, Round};
use crate::engine::world::World;
use crate::policy::{WebhookClock, WebhookOrder, WebhookPayload};
use crate::shared::{Endpoint, Shared, lock};
use crate::view;
use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(15);

/// Sends; one round at a time, so that a flush and the worker never send the same attempt twice.
#[derive(Debug)]
pub(crate) struct Courier {
    client: Client<HttpConnector, Full<Bytes>>,
    round: Mutex<()>,
}

/// One attempt, ready to go.
struct Parcel {
    id: String,
    timestamp: i64,
    body: Bytes,
}

impl Courier {
    pub(crate) fn new() -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), round: Mutex::new(()) }
    }
}

/// Sends everything that the round takes; returns how many attempts were made.
pub(crate) async fn round(shared: &Shared, round: Round) -> usize {
    let _one_at_a_time = shared.courier.round.lock().await;
    let Some(endpoint) = lock(&shared.endpoint).clone() else { return 0 };
    let mut made = 0;
    loop {
        let due = shared.look(|world| world.outbox.take(round, world.now));
        if due.is_empty() {
            return made;
        }
        made += due.len();
        let order = shared.look(|world| world.policy.webhook_order);
        match order {
            WebhookOrder::InOrder => {
                for place in due {
                    attempt(shared, &endpoint, place).await;
                }
            }
            WebhookOrder::Concurrent => {
                join_all(due.into_iter().map(|place| attempt(shared, &endpoint, place))).await;
            }
        }
        if round == Round::FlushAll {
            // Whatever still waits has just been refused: once is what was asked for.
            return made;
        }
    }
}

async fn attempt(shared: &Shared, endpoint: &Endpoint, place: Place) {
    let (generation, parcel) = shared.look(|world| (world.generation, parcel(world, place)));
    let Some(parcel) = parcel else { return };
    let (status, error) = match send(&shared.courier, endpoint, parcel).await {
        Ok(status) => (Some(status), None),
        Err(error) => (None, Some(error)),
    };
    shared.step(|world| {
        if world.generation != generation {
            return;
        }
        let at = world.now;
        world.outbox.attempted(place, Attempt { at, status, error });
    });
}

fn parcel(world: &World, place: Place) -> Option<Parcel> {
    let webhook = world.outbox.get(place)?;
    let data = match world.policy.webhook_payload {
        WebhookPayload::AtEvent => webhook.snapshot.clone(),
        WebhookPayload::Latest => view::event::data(world, webhook.kind, &webhook.subject),
    };
    let body = view::event::envelope(world, webhook.kind, webhook.created_at, &data);
    let timestamp = match world.policy.webhook_clock {
        WebhookClock::Wall => time::OffsetDateTime::now_utc(),
        WebhookClock::Virtual => world.now,
    };
    Some(Parcel {
        id: webhook.id.clone(),
        timestamp: timestamp.unix_timestamp(),
        body: Bytes::from(body.to_string()),
    })
}

async fn send(courier: &Courier, endpoint: &Endpoint, parcel: Parcel) -> Result<u16, String> {
    let signature = endpoint.secret.sign(&parcel.id, parcel.timestamp, &parcel.body);
    let request = http::Request::post(endpoint.url.clone())
        .header("content-type", "application/json")
        .header("user-agent", "dodo-sim")
        .header("webhook-id", parcel.id)
        .header("webhook-timestamp", parcel.timestamp)
        .header("webhook-signature", signature)
        .body(Full::new(parcel.body))
        .map_err(|error| error.to_string())?;
    match tokio::time::timeout(PATIENCE, courier.client.request(request)).await {
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(response)) => Ok(response.status().as_u16()),
    }
}

/// Keeps the world moving while nobody calls: timers fire and due webhooks go out.
pub(crate) async fn work(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let wait = shared.look(|world| {
            let alarms = [world.next_timer(), world.outbox.next_due()];
            alarms.into_iter().flatten().min().and_then(|at| world.clock.real_wait(at))
        });
        // Without an endpoint a due webhook waits, and must not keep this loop spinning.
        let idle = lock(&shared.endpoint).is_none() && wait == Some(Duration::ZERO);
        let alarm = async {
            match wait.filter(|_| !idle) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = alarm => {}
            () = shared.wake.notified() => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            _ = round(&shared, Round::Due) => {}
        }
    }
}
