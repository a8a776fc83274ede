//! One request from arrival to answer: written down, struck by a fault if one is set, handed to the router.

use crate::faults::{Fault, FaultKind, When};
use crate::ledger::{LogEntry, Request as Logged};
use crate::shared::{Shared, lock};
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Bodies beyond this are refused.
const LARGEST_BODY: usize = 1024 * 1024;
/// How long half a body is left to arrive before the connection ends.
const FLUSH_TIME: Duration = Duration::from_millis(20);
const DRIP_PACE: Duration = Duration::from_millis(50);

pub(super) async fn answer(
    shared: Arc<Shared>,
    router: Router,
    reset: CancellationToken,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await.map(http_body_util::Collected::to_bytes)
    else {
        let error = crate::error::ApiError::new(crate::error::Code::PayloadTooLarge, "the body is too large");
        let body = json!({"code": error.code_text(), "message": error.message});
        return Ok((StatusCode::PAYLOAD_TOO_LARGE, axum::Json(body)).into_response());
    };
    let path = parts.uri.path().to_owned();
    if path.starts_with("/_sim/") {
        return route(router, Request::from_parts(parts, body)).await;
    }
    let target = parts.uri.path_and_query().map_or(path, ToString::to_string);
    let fault = lock(&shared.faults).strike(parts.method.as_str(), &target);
    let arrival = shared.step(|world| {
        let arrived = Logged {
            method: parts.method.to_string(),
            path: target,
            at: world.now,
            status_sent: None,
            fault: fault.as_ref().map(|fault| fault.name.clone()),
            body: readable(&body),
        };
        Arrival { generation: world.generation, entry: world.log.arrived(arrived) }
    });
    let request = Request::from_parts(parts, body);
    let Some(fault) = fault else {
        let response = route(router, request).await?;
        return Ok(sent(&shared, arrival, response));
    };
    if !matches!(fault.kind, FaultKind::SlowDrip) {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms.unwrap_or(0))).await;
    }
    let ordinary = match (fault.when, fault.kind) {
        (When::After, _) | (_, FaultKind::Delay) => route(router, request).await?,
        (When::Before, _) => axum::Json(json!({"simulated": true})).into_response(),
    };
    Ok(sent(&shared, arrival, strike(&fault, ordinary, &reset).await))
}

async fn route(router: Router, request: Request<Bytes>) -> Result<Response, Infallible> {
    router.oneshot(request.map(Body::from)).await
}

/// Where a request stands in the log.
#[derive(Clone, Copy)]
struct Arrival {
    generation: u64,
    entry: LogEntry,
}

fn sent(shared: &Shared, arrival: Arrival, response: Response) -> Response {
    let status = response.status().as_u16();
    shared.step(|world| {
        if world.generation == arrival.generation {
            world.log.answered(arrival.entry, status);
        }
    });
    response
}

/// JSON, or whatever text it is.
fn readable(body: &Bytes) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

/// Does to the ordinary answer what the fault says. Resets and hangs never come back.
async fn strike(fault: &Fault, ordinary: Response, reset: &CancellationToken) -> Response {
    match fault.kind {
        FaultKind::Reset => {
            reset.cancel();
            std::future::pending().await
        }
        FaultKind::Hang => std::future::pending().await,
        FaultKind::Delay | FaultKind::ConnectRefused => ordinary,
        FaultKind::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let usual = json!({"code": status_code(status), "message": "a simulated fault"});
            finish(fault, status, "application/json", usual.to_string())
        }
        FaultKind::NonJsonBody => {
            let page = "<!doctype html><title>Bad gateway</title><p>This is not JSON.";
            finish(fault, StatusCode::OK, "text/html", page.to_owned())
        }
        FaultKind::Empty200 => StatusCode::OK.into_response(),
        FaultKind::TruncatedBody => truncate(ordinary).await,
        FaultKind::SlowDrip => drip(ordinary, fault.delay_ms.map_or(DRIP_PACE, Duration::from_millis)).await,
    }
}

fn status_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHORIZED",
        404 => "NOT_FOUND",
        429 => "TOO_MANY_REQUESTS",
        400..=499 => "INVALID_REQUEST_PARAMETERS",
        _ => "INTERNAL_SERVER_ERROR",
    }
}

/// The fault's own body, unless the test brought one.
fn finish(fault: &Fault, status: StatusCode, content_type: &'static str, usual: String) -> Response {
    let body = match &fault.body {
        None => usual,
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(seconds) = fault.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The full length is promised, half of it comes, and the connection ends.
async fn truncate(ordinary: Response) -> Response {
    let (mut parts, whole) = take_apart(ordinary).await;
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = stream::iter([Ok(whole.slice(..whole.len() / 2))]);
    let end = stream::once(async {
        tokio::time::sleep(FLUSH_TIME).await;
        Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    Response::from_parts(parts, Body::from_stream(half.chain(end)))
}

async fn drip(ordinary: Response, pace: Duration) -> Response {
    let (mut parts, whole) = take_apart(ordinary).await;
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let drops = stream::iter(0..whole.len()).then(move |at| {
        let drop = whole.slice(at..=at);
        async move {
            tokio::time::sleep(pace).await;
            Ok::<_, Infallible>(drop)
        }
    });
    Response::from_parts(parts, Body::from_stream(drops))
}

async fn take_apart(response: Response) -> (http::response::Parts, Bytes) {
    let (parts, body) = response.into_parts();
    // The router's bodies are in memory and cannot fail.
    let whole = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    (parts, whole)
}
