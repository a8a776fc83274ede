//! `/refunds`.

use super::list::{ListQuery, fits};
use super::{Json, Query};
use crate::engine::refund::{self, RefundRequest};
use crate::engine::world::World;
use crate::error::{ApiError, Outcome};
use crate::model::payment::RefundStatus;
use crate::shared::Shared;
use crate::view;
use axum::extract::{Path, State};
use serde_json::Value;
use std::sync::Arc;

fn found(world: &World, id: &str) -> Outcome<Json<Value>> {
    let refund = world.refunds.get(id).ok_or_else(|| ApiError::not_found("refund", id))?;
    Ok(Json(view::payment::refund(world, refund)))
}

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    Json(request): Json<RefundRequest>,
) -> Outcome<Json<Value>> {
    shared.step(|world| {
        let id = refund::create(world, request)?;
        found(world, &id)
    })
}

pub(super) async fn retrieve(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Outcome<Json<Value>> {
    shared.look(|world| found(world, &id))
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<ListQuery>,
) -> Outcome<Json<Value>> {
    shared.look(|world| {
        let rows = world.refunds.iter().filter(|refund| {
            let status = match refund.status {
                RefundStatus::Succeeded => "succeeded",
                RefundStatus::Failed => "failed",
                RefundStatus::Pending => "pending",
                RefundStatus::Review => "review",
            };
            let payment = world.payments.get(&refund.payment_id);
            query.created(refund.created_at)
                && fits(query.customer_id.as_ref(), &refund.customer_id)
                && fits(query.status.as_ref(), status)
                && query
                    .subscription_id
                    .as_ref()
                    .is_none_or(|id| payment.is_some_and(|payment| payment.subscription_ids.contains(id)))
        });
        Ok(Json(query.page(world, rows, view::payment::refund_item)?))
    })
}
