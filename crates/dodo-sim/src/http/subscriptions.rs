//! `/subscriptions`.

use super::list::{ListQuery, fits};
use super::{Json, Query};
use crate::engine::payment_method::{self, Update};
use crate::engine::plan_change;
use crate::engine::plan_target::{ChangeRequest, Intent, target};
use crate::engine::subscription::{self, Patch};
use crate::error::Outcome;
use crate::model::subscription::Subscription;
use crate::shared::Shared;
use crate::view;
use axum::extract::{Path, State};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<ListQuery>,
) -> Outcome<Json<Value>> {
    shared.look(|world| {
        let status = |subscription: &Subscription| {
            query.status.as_ref().is_none_or(|wanted| json!(subscription.status) == json!(wanted))
        };
        let rows = world.subscriptions.iter().filter(|subscription| {
            status(subscription)
                && query.created(subscription.created_at)
                && fits(query.customer_id.as_ref(), &subscription.customer_id)
                && fits(query.product_id.as_ref(), &subscription.plan.product_id)
                && fits(query.brand_id.as_ref(), &world.business_id)
                && query
                    .cancel_at_next_billing_date
                    .is_none_or(|wanted| wanted == subscription.cancel_at_next_billing_date)
        });
        Ok(Json(query.page(world, rows, view::subscription::subscription_item)?))
    })
}

pub(super) async fn retrieve(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Outcome<Json<Value>> {
    shared.look(|world| Ok(Json(view::subscription::subscription(world, world.subscription(&id)?))))
}

pub(super) async fn update(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Json(patch): Json<Patch>,
) -> Outcome<Json<Value>> {
    shared.step(|world| {
        subscription::patch(world, &id, patch)?;
        Ok(Json(view::subscription::subscription(world, world.subscription(&id)?)))
    })
}

pub(super) async fn preview_change_plan(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Json(request): Json<ChangeRequest>,
) -> Outcome<Json<Value>> {
    shared.look(|world| {
        let target = target(world, &id, &request, Intent::Preview)?;
        Ok(Json(view::plan_change::preview(world, world.subscription(&id)?, &target)))
    })
}

pub(super) async fn change_plan(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Json(request): Json<ChangeRequest>,
) -> Outcome<Json<Value>> {
    shared.step(|world| {
        let started = plan_change::change(world, &id, &request)?;
        Ok(Json(view::plan_change::started(world, &started)))
    })
}

pub(super) async fn cancel_scheduled(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Outcome<StatusCode> {
    shared.step(|world| plan_change::cancel_scheduled(world, &id))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn update_payment_method(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Json(update): Json<Update>,
) -> Outcome<Json<Value>> {
    shared.step(|world| {
        let done = payment_method::update(world, &id, update)?;
        let answer =
            view::plan_change::link_answer(world, done.payment_id.as_deref(), done.payment_link.as_deref());
        Ok(Json(answer))
    })
}
