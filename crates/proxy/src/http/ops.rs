//! The operations listener: is the process alive, can it do its work, and how much of it was done.

use std::sync::Arc;

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::{StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;

use super::App;

/// `/healthz`, `/readyz` and, where the process records any, `/metrics`.
pub fn router(app: App, metrics: Option<PrometheusHandle>) -> Router {
    let upstream = Arc::clone(&app.upstream);
    let router = Router::new()
        .route("/healthz", get(|| async { StatusCode::OK }))
        .route("/readyz", get(ready))
        .with_state(app);
    match metrics {
        None => router,
        Some(handle) => router.route(
            "/metrics",
            get(move || {
                upstream.publish();
                let text = handle.render();
                async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text) }
            }),
        ),
    }
}

/// Ready once the store is known to hold what Dodo knows and attempts left over from the last run have been looked at, and
/// while the store answers.
async fn ready(State(app): State<App>) -> impl IntoResponse {
    if app.is_ready().await { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
