//! `/checkouts`.

use super::Json;
use crate::engine::checkout;
use crate::error::Outcome;
use crate::model::session::CheckoutRequest;
use crate::shared::Shared;
use crate::view;
use axum::extract::{Path, State};
use serde_json::Value;
use std::sync::Arc;

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    Json(request): Json<CheckoutRequest>,
) -> Outcome<Json<Value>> {
    shared.step(|world| {
        let created = checkout::create(world, request)?;
        Ok(Json(view::checkout::created(world, &created)))
    })
}

pub(super) async fn preview(
    State(shared): State<Arc<Shared>>,
    Json(request): Json<CheckoutRequest>,
) -> Outcome<Json<Value>> {
    shared.look(|world| {
        let (cart, country) = checkout::quote(world, &request)?;
        Ok(Json(view::checkout::preview(world, &request, &cart, &country)))
    })
}

pub(super) async fn retrieve(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Outcome<Json<Value>> {
    shared.look(|world| Ok(Json(view::checkout::status(world, world.session(&id)?))))
}
