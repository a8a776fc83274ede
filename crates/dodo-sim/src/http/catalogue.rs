//! `/products`, `/addons`, `/discounts`.

use super::list::ListQuery;
use super::{Json, Query};
use crate::error::{ApiError, Outcome};
use crate::shared::Shared;
use crate::view;
use axum::extract::{Path, State};
use serde_json::Value;
use std::sync::Arc;

pub(super) async fn products(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<ListQuery>,
) -> Outcome<Json<Value>> {
    shared.look(|world| {
        let rows = world.products.iter().filter(|product| {
            product.archived == query.archived.unwrap_or(false)
                && query.recurring.is_none_or(|wanted| wanted == product.price.cycle().is_some())
        });
        Ok(Json(query.page(world, rows, view::catalogue::product_item)?))
    })
}

pub(super) async fn product(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Outcome<Json<Value>> {
    shared.look(|world| Ok(Json(view::catalogue::product(world, world.product(&id)?))))
}

pub(super) async fn addons(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<ListQuery>,
) -> Outcome<Json<Value>> {
    shared.look(|world| Ok(Json(query.page(world, world.addons.iter(), view::catalogue::addon)?)))
}

pub(super) async fn addon(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Outcome<Json<Value>> {
    shared.look(|world| {
        let addon = world.addons.get(&id).ok_or_else(|| ApiError::not_found("add-on", &id))?;
        Ok(Json(view::catalogue::addon(world, addon)))
    })
}

pub(super) async fn discount_by_code(
    State(shared): State<Arc<Shared>>,
    Path(code): Path<String>,
) -> Outcome<Json<Value>> {
    shared.look(|world| {
        let codes = [code];
        let found = crate::engine::cart::discounts(world, &codes).map_err(|error| match error.code {
            crate::error::Code::InvalidDiscount => ApiError::not_found("discount", &codes[0]),
            _ => error,
        })?;
        found
            .first()
            .map(|discount| Json(view::catalogue::discount(world, discount)))
            .ok_or_else(|| ApiError::not_found("discount", &codes[0]))
    })
}
