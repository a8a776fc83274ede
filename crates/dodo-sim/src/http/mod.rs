//! The API's routes: one file per resource; each handler is extract, one step of the engine, one view.

mod auth;
mod catalogue;
mod checkouts;
mod customers;
mod disputes;
mod extract;
mod list;
mod payments;
pub(crate) mod rate_limit;
mod refunds;
mod subscriptions;
mod webhooks;

use crate::error::{ApiError, Code};
use crate::policy::ErrorShape;
use crate::shared::Shared;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state, map_response_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;

pub(crate) use extract::{Json, Query};

/// Everything: the API behind keys, the hosted pages and the control plane without.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    api(&shared)
        .merge(crate::hosted::router())
        .merge(crate::control::routes::router())
        .layer(map_response_with_state(Arc::clone(&shared), render_error))
        .with_state(shared)
}

fn api(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    Router::new()
        .route("/checkouts", post(checkouts::create))
        .route("/checkouts/preview", post(checkouts::preview))
        .route("/checkouts/{id}", get(checkouts::retrieve))
        .route("/payments", get(payments::list))
        .route("/payments/{id}", get(payments::retrieve))
        .route("/payments/{id}/line-items", get(payments::line_items))
        .route("/refunds", get(refunds::list).post(refunds::create))
        .route("/refunds/{id}", get(refunds::retrieve))
        .route("/disputes", get(disputes::list))
        .route("/subscriptions", get(subscriptions::list))
        .route("/subscriptions/{id}", get(subscriptions::retrieve).patch(subscriptions::update))
        .route("/subscriptions/{id}/change-plan", post(subscriptions::change_plan))
        .route("/subscriptions/{id}/change-plan/preview", post(subscriptions::preview_change_plan))
        .route("/subscriptions/{id}/change-plan/scheduled", delete(subscriptions::cancel_scheduled))
        .route("/subscriptions/{id}/update-payment-method", post(subscriptions::update_payment_method))
        .route("/customers", get(customers::list).post(customers::create))
        .route("/customers/{id}", get(customers::retrieve))
        .route("/customers/{id}/payment-methods", get(customers::payment_methods))
        .route("/customers/{id}/payment-methods/{method}", delete(customers::remove_payment_method))
        .route("/customers/{id}/wallets", get(customers::wallets))
        .route("/customers/{id}/customer-portal/session", post(customers::portal_session))
        .route("/products", get(catalogue::products))
        .route("/products/{id}", get(catalogue::product))
        .route("/addons", get(catalogue::addons))
        .route("/addons/{id}", get(catalogue::addon))
        .route("/webhooks", get(webhooks::list))
        .route("/webhooks/{id}/secret", get(webhooks::secret))
        .route("/discounts/code/{code}", get(catalogue::discount_by_code))
        .fallback(async || ApiError::new(Code::NotFound, "no such route"))
        .method_not_allowed_fallback(async || ApiError::new(Code::MethodNotAllowed, "not with this method"))
        .layer(from_fn_with_state(Arc::clone(shared), guard))
}

/// Key, write access and rate limit, in this order; the limit's headers go on every answer behind a good key.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if let Err(refusal) = auth::check(&shared, &request) {
        return refusal.into_response();
    }
    let tier = shared.look(|world| world.policy.rate_limit);
    let allowance = crate::shared::lock(&shared.limiter).take(tier, tokio::time::Instant::now());
    let mut response = if allowance.as_ref().is_some_and(|allowance| allowance.exceeded) {
        ApiError::new(Code::TooManyRequests, "too many requests").into_response()
    } else {
        next.run(request).await
    };
    if let Some(allowance) = allowance {
        allowance.write(response.headers_mut());
    }
    response
}

impl IntoResponse for ApiError {
    /// The status alone; the body's shape is a switch and is written by [`render_error`].
    fn into_response(self) -> Response {
        let mut response = StatusCode::UNPROCESSABLE_ENTITY.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

async fn render_error(State(shared): State<Arc<Shared>>, mut response: Response) -> Response {
    let Some(error) = response.extensions_mut().remove::<ApiError>() else { return response };
    let (shape, status) = shared.look(|world| {
        let usual = error.code.parts().1;
        (world.policy.error_shape, world.policy.error_status.get(error.code_text()).copied().unwrap_or(usual))
    });
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    let (code, message) = (error.code_text(), &error.message);
    let body = match shape {
        ErrorShape::Empty => return response,
        ErrorShape::Flat => json!({"code": code, "message": message}),
        ErrorShape::Nested => json!({"error": {"code": code, "message": message, "details": null}}),
    };
    let (parts, _) = response.into_parts();
    let mut rendered = axum::Json(body).into_response();
    *rendered.status_mut() = parts.status;
    for (name, value) in &parts.headers {
        if name != http::header::CONTENT_LENGTH {
            rendered.headers_mut().insert(name, value.clone());
        }
    }
    rendered
}
