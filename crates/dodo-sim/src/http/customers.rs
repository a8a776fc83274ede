//! `/customers`.

use super::list::{ListQuery, fits};
use super::{Json, Query};
use crate::engine::{checkout, payment_method};
use crate::error::{ApiError, Outcome};
use crate::model::Metadata;
use crate::policy::UnknownCustomer;
use crate::shared::Shared;
use crate::view;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Body of `POST /customers`.
#[derive(Debug, Deserialize)]
pub(super) struct NewCustomer {
    email: String,
    name: String,
    #[serde(default)]
    phone_number: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    Json(new): Json<NewCustomer>,
) -> Outcome<Json<Value>> {
    if !new.email.contains('@') {
        return Err(ApiError::invalid("email is not an e-mail address"));
    }
    shared.step(|world| {
        crate::engine::cart::check_metadata(&new.metadata)?;
        let id = checkout::add_customer(world, None, new.email, new.name, new.phone_number);
        if let Some(customer) = world.customers.get_mut(&id) {
            customer.metadata = new.metadata;
        }
        Ok(Json(view::customer::customer(world, world.customer(&id)?)))
    })
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<ListQuery>,
) -> Outcome<Json<Value>> {
    shared.look(|world| {
        let rows = world.customers.iter().filter(|customer| {
            query.created(customer.created_at)
                && fits(query.email.as_ref(), &customer.email)
                && fits(query.name.as_ref(), &customer.name)
        });
        Ok(Json(query.page(world, rows, view::customer::customer)?))
    })
}

pub(super) async fn retrieve(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Outcome<Json<Value>> {
    shared.look(|world| Ok(Json(view::customer::customer(world, world.customer(&id)?))))
}

pub(super) async fn payment_methods(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Outcome<Json<Value>> {
    shared.look(|world| match (world.customer(&id), world.policy.unknown_customer) {
        (Ok(customer), _) => Ok(Json(view::customer::payment_methods(world, customer))),
        (Err(_), UnknownCustomer::Empty) => Ok(Json(json!({"items": []}))),
        (Err(error), UnknownCustomer::NotFound) => Err(error),
    })
}

pub(super) async fn remove_payment_method(
    State(shared): State<Arc<Shared>>,
    Path((id, method)): Path<(String, String)>,
) -> Outcome<StatusCode> {
    shared.step(|world| payment_method::remove(world, &id, &method))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn wallets(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Outcome<Json<Value>> {
    shared.look(|world| match (world.customer(&id), world.policy.unknown_customer) {
        (Ok(customer), _) => Ok(Json(view::customer::wallets(customer))),
        (Err(_), UnknownCustomer::Empty) => Ok(Json(json!({"items": [], "total_balance_usd": 0}))),
        (Err(error), UnknownCustomer::NotFound) => Err(error),
    })
}

/// Parameters of a portal session come in the query; there is no body.
#[derive(Debug, Deserialize)]
pub(super) struct PortalQuery {
    #[serde(default)]
    return_url: Option<url::Url>,
}

pub(super) async fn portal_session(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(query): Query<PortalQuery>,
) -> Outcome<Json<Value>> {
    shared.step(|world| {
        let customer_id = world.customer(&id)?.customer_id.clone();
        let portal = crate::hosted::open_portal(world, customer_id, query.return_url);
        Ok(Json(json!({ "link": format!("{}/portal/{portal}", world.base_url) })))
    })
}
