//! `/webhooks`: where they go. The simulator knows one address; it is set by its control plane.

use super::Json;
use crate::error::{ApiError, Outcome};
use crate::shared::{Shared, lock};
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::sync::Arc;

const ONLY: &str = "ep_sim";

/// Unlike every other list: `data`, `iterator` and `done`.
pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let endpoint = lock(&shared.endpoint);
    let data: Vec<Value> = endpoint
        .iter()
        .map(|endpoint| {
            json!({
                "id": ONLY, "url": endpoint.url.to_string(), "description": "", "disabled": false,
                "filter_types": null, "metadata": {}, "rate_limit": null,
                "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
            })
        })
        .collect();
    Json(json!({"data": data, "done": true, "iterator": null, "prev_iterator": null}))
}

pub(super) async fn secret(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Outcome<Json<Value>> {
    let endpoint = lock(&shared.endpoint);
    let endpoint =
        endpoint.as_ref().filter(|_| id == ONLY).ok_or_else(|| ApiError::not_found("webhook", &id))?;
    Ok(Json(json!({"secret": endpoint.secret.encoded()})))
}
