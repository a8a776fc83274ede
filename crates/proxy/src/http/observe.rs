//! Around every request: an id, one line in the log, counters, and the body of errors.
//!
//! The log line holds method, route, status, duration, request id and cause. It never holds a path with ids, a query, a
//! header or a body: those may carry tokens and names.

use std::time::Instant;

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::{HeaderValue, header};
use uuid::Uuid;
use wire::{ErrorCode, Problem};

use super::error::Cause;

/// The middleware. Outermost, so that nothing leaves without it.
pub async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = Uuid::now_v7().simple().to_string();
    let method = request.method().clone();
    // The pattern, not the path: few different values, and no ids.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>();
    let code = problem.as_ref().and_then(|problem| word(problem.code));
    if let Some(problem) = problem {
        write_problem(&mut response, Problem { request_id: Some(id.clone()), ..problem });
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    let cause = response.extensions().get::<Cause>();
    let cause = cause.map(|Cause(error)| chain(error.as_ref()));
    let (code, cause) = (code.as_deref(), cause.as_deref());
    let duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::error!(request_id = id, %method, route, status, duration_us, code, cause, "request failed");
    } else {
        tracing::info!(request_id = id, %method, route, status, duration_us, code, cause, "request");
    }
    let labels = [("route", route), ("status", status.to_string())];
    metrics::counter!("upsell_http_requests_total", &labels).increment(1);
    metrics::histogram!("upsell_http_request_seconds", &labels).record(elapsed);
    response
}

fn write_problem(response: &mut Response, problem: Problem) {
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    // A flat struct of text and numbers always serialises.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    *response.body_mut() = Body::from(body);
}

/// A code as it stands in the answer.
fn word(code: ErrorCode) -> Option<String> {
    serde_json::to_value(code).ok()?.as_str().map(str::to_owned)
}

/// An error with its sources, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
