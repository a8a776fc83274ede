//! `/payments`.

use super::list::{ListQuery, fits};
use super::{Json, Query};
use crate::error::Outcome;
use crate::shared::Shared;
use crate::view;
use axum::extract::{Path, State};
use serde_json::Value;
use std::sync::Arc;
use time::Duration;

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<ListQuery>,
) -> Outcome<Json<Value>> {
    shared.look(|world| {
        let lag = Duration::seconds(i64::from(world.policy.payments_list_lag_seconds));
        let rows = world.payments.iter().filter(|payment| {
            payment.created_at + lag <= world.now
                && query.created(payment.created_at)
                && fits(query.customer_id.as_ref(), &payment.customer_id)
                && fits(query.status.as_ref(), payment.status.as_str())
                && fits(query.currency.as_ref(), payment.currency.as_str())
                && fits(query.brand_id.as_ref(), &world.business_id)
                && query.subscription_id.as_ref().is_none_or(|id| payment.subscription_ids.contains(id))
                && query.product_id.as_ref().is_none_or(|id| payment.product_ids.contains(id))
        });
        Ok(Json(query.page(world, rows, view::payment::payment_item)?))
    })
}

pub(super) async fn retrieve(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Outcome<Json<Value>> {
    shared.look(|world| Ok(Json(view::payment::payment(world, world.payment(&id)?))))
}

pub(super) async fn line_items(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Outcome<Json<Value>> {
    shared.look(|world| Ok(Json(view::payment::line_items(world.payment(&id)?))))
}
