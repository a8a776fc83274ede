//! `/disputes`: those that a test lets payments show. None begins by itself.

use super::list::ListQuery;
use super::{Json, Query};
use crate::error::Outcome;
use crate::shared::Shared;
use axum::extract::State;
use serde_json::Value;
use std::sync::Arc;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<ListQuery>,
) -> Outcome<Json<Value>> {
    shared.look(|world| {
        let shown: Vec<&Value> = world
            .payments
            .iter()
            .filter_map(|payment| payment.shown.get("disputes").and_then(Value::as_array))
            .flatten()
            .filter(|dispute| created_at(dispute).is_none_or(|at| query.created(at)))
            .collect();
        Ok(Json(query.page(world, shown.iter(), |_, dispute| (*dispute).clone())?))
    })
}

fn created_at(dispute: &Value) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(dispute.get("created_at")?.as_str()?, &Rfc3339).ok()
}
