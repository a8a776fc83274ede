//! The control plane over HTTP, under `/_sim`. No key is needed: the simulator listens on this machine only.

use super::seed::{NewCustomer, NewPayment, NewSubscription, ProductPatch};
use super::{Control, ControlError};
use crate::error::ApiError;
use crate::faults::NewFault;
use crate::http::Json;
use crate::model::payment::IntentStatus;
use crate::policy::Policy;
use crate::shared::Shared;
use crate::webhooks::outbox::WebhookPolicy;
use axum::Router;
use axum::extract::{FromRef, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

impl FromRef<Arc<Shared>> for Control {
    fn from_ref(shared: &Arc<Shared>) -> Self {
        Self::new(Arc::clone(shared))
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        ApiError::invalid(self.0).into_response()
    }
}

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sim/ledger", get(async |State(control): State<Control>| Json(control.ledger())))
        .route("/_sim/state", get(async |State(control): State<Control>| Json(control.state())))
        .route("/_sim/reset", post(reset))
        .route("/_sim/customers", post(customer))
        .route("/_sim/subscriptions", post(subscription))
        .route("/_sim/payments", post(payment))
        .route("/_sim/payments/{id}/resolve", post(resolve_payment))
        .route("/_sim/payments/{id}/show", post(show_payment))
        .route("/_sim/subscriptions/{id}/renew", post(renew))
        .route("/_sim/refunds/{id}/resolve", post(resolve_refund))
        .route("/_sim/products/{id}", patch(product))
        .route("/_sim/faults", get(faults).post(set_fault).delete(clear_faults))
        .route("/_sim/clock", get(clock).post(move_clock))
        .route("/_sim/policy", get(policy).post(set_policy))
        .route("/_sim/webhooks/policy", post(webhook_policy))
        .route("/_sim/webhooks/flush", post(flush))
        .route("/_sim/webhooks/endpoint", post(endpoint))
}

type Answer = Result<Json<Value>, ControlError>;

/// Every answer of the control plane is JSON, so that a test can read them all alike.
async fn reset(State(control): State<Control>) -> Json<Value> {
    control.reset();
    Json(json!({}))
}

async fn customer(State(control): State<Control>, Json(new): Json<NewCustomer>) -> Json<Value> {
    Json(control.customer(new))
}

async fn subscription(State(control): State<Control>, Json(new): Json<NewSubscription>) -> Answer {
    control.subscription(new).map(Json)
}

async fn payment(State(control): State<Control>, Json(new): Json<NewPayment>) -> Answer {
    control.payment(new).map(Json)
}

async fn show_payment(
    State(control): State<Control>,
    Path(id): Path<String>,
    Json(shown): Json<Map<String, Value>>,
) -> Answer {
    control.show_payment(&id, shown).map(Json)
}

async fn renew(State(control): State<Control>, Path(id): Path<String>) -> Answer {
    control.renew(&id).map(Json)
}

async fn product(
    State(control): State<Control>,
    Path(id): Path<String>,
    Json(patch): Json<ProductPatch>,
) -> Answer {
    control.product(&id, patch).map(Json)
}

#[derive(Debug, Deserialize)]
struct Resolution {
    status: IntentStatus,
    #[serde(default)]
    error_code: Option<String>,
}

async fn resolve_payment(
    State(control): State<Control>,
    Path(id): Path<String>,
    Json(resolution): Json<Resolution>,
) -> Answer {
    control.resolve_payment(&id, resolution.status, resolution.error_code).map(Json)
}

async fn resolve_refund(
    State(control): State<Control>,
    Path(id): Path<String>,
    Json(resolution): Json<Resolution>,
) -> Answer {
    control.resolve_refund(&id, resolution.status == IntentStatus::Succeeded)?;
    Ok(Json(json!({})))
}

async fn faults(State(control): State<Control>) -> Json<Value> {
    Json(json!({"faults": control.faults()}))
}

async fn set_fault(State(control): State<Control>, Json(new): Json<NewFault>) -> Answer {
    Ok(Json(json!(control.fault(new)?)))
}

async fn clear_faults(State(control): State<Control>) -> Json<Value> {
    control.clear_faults();
    faults(State(control)).await
}

async fn clock(State(control): State<Control>) -> Json<Value> {
    Json(json!(control.clock()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockMove {
    #[serde(default)]
    advance_seconds: u64,
    #[serde(default)]
    speed: Option<u32>,
}

async fn move_clock(State(control): State<Control>, Json(wanted): Json<ClockMove>) -> Json<Value> {
    if let Some(speed) = wanted.speed {
        control.set_speed(speed);
    }
    control.advance(Duration::from_secs(wanted.advance_seconds));
    Json(json!(control.clock()))
}

async fn policy(State(control): State<Control>) -> Json<Value> {
    let (values, defaults) = (json!(control.policy()), json!(Policy::default()));
    let switches: Map<String, Value> = Policy::switches()
        .into_iter()
        .map(|switch| {
            let (value, default) = (&values[switch.name], &defaults[switch.name]);
            let choices: Map<String, Value> = switch
                .choices
                .iter()
                .filter_map(|choice| Some((choice.value.as_str()?.to_owned(), json!(choice.meaning))))
                .collect();
            let entry =
                json!({"value": value, "default": default, "meaning": switch.meaning, "choices": choices});
            (switch.name.to_owned(), entry)
        })
        .collect();
    Json(Value::Object(switches))
}

async fn set_policy(State(control): State<Control>, Json(changes): Json<Map<String, Value>>) -> Answer {
    Ok(Json(json!(control.set_policy(&changes)?)))
}

async fn webhook_policy(
    State(control): State<Control>,
    Json(policy): Json<WebhookPolicy>,
) -> Json<WebhookPolicy> {
    control.set_webhook_policy(policy.clone());
    Json(policy)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Flush {
    all: bool,
}

async fn flush(State(control): State<Control>, body: bytes::Bytes) -> Json<Value> {
    // The body is optional: nothing, or {"all": true}.
    let flush: Flush = serde_json::from_slice(&body).unwrap_or_default();
    Json(json!({"attempts": control.flush_webhooks(flush.all).await}))
}

#[derive(Debug, Deserialize)]
struct NewEndpoint {
    url: String,
    secret: String,
}

async fn endpoint(State(control): State<Control>, Json(new): Json<NewEndpoint>) -> Answer {
    control.set_webhook_endpoint(&new.url, &new.secret)?;
    Ok(Json(json!({"url": new.url})))
}
