//! HTTP: from requests to services and back. Handlers parse, call one service, and answer; they hold no rule and no SQL.
//!
//! | module | what |
//! |---|---|
//! | [`merchant`] | `POST /v1/sessions`, `POST /v1/events`: the merchant's server |
//! | [`upsell`] | `/v1/upsell`: the post-purchase offer |
//! | [`plans`] | `/v1/plans`: the upgrade page |
//! | [`static_shop`] | `POST /v1/checkouts`, `POST /v1/upsell/redeem`: shops without a server |
//! | [`webhooks`] | `POST /webhooks/dodo` |
//! | [`files`] | the widget's files and the upgrade page |
//! | [`ops`] | health and metrics, on a listener of their own |
//! | [`auth`], [`json`], [`origin`] | what is checked before a handler runs |
//! | [`error`], [`observe`] | what is answered and logged when something is wrong |
//! | [`openapi`] | the description of all this, generated |

pub mod auth;
pub mod error;
pub mod files;
pub mod json;
pub mod merchant;
pub mod observe;
pub mod openapi;
pub mod ops;
pub mod origin;
pub mod plans;
pub mod static_shop;
pub mod upsell;
pub mod webhooks;

use std::{any::Any, sync::Arc};

use axum::{
    Router, middleware,
    response::{IntoResponse, Response},
    routing::any,
};
use http::{HeaderValue, header};
use tower::ServiceBuilder;
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer};
use utoipa_axum::router::OpenApiRouter;
use wire::ErrorCode;

use self::{error::ApiError, files::Files, origin::AllowedOrigins};
use crate::service::Services;

/// What handlers are given.
pub type App = Arc<Services>;

/// Everything that is served to browsers, the merchant's server and Dodo.
pub fn router(app: App, origins: AllowedOrigins, widget: Files, upgrade_page: Files) -> Router {
    let (api, _) = api().split_for_parts();
    let api = api
        .with_state(app)
        // Before the layers, so that they wrap it: a preflight is an OPTIONS request, which no route takes.
        .method_not_allowed_fallback(|| async { ApiError::new(ErrorCode::MethodNotAllowed) })
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .layer(origins.cors())
        .layer(middleware::from_fn_with_state(origins, origin::guard));
    let mut router = api;
    if !upgrade_page.is_empty() {
        let page = any(files::upgrade_page).with_state(upgrade_page);
        router = router
            .route("/upgrade", page.clone())
            .route("/upgrade/", page.clone())
            .route("/upgrade/{*path}", page);
    }
    router.fallback_service(any(files::widget).with_state(widget)).layer(
        // From the outside in.
        ServiceBuilder::new()
            .layer(middleware::from_fn(observe::observe))
            .layer(middleware::from_fn(security_headers))
            .layer(CatchPanicLayer::custom(panicked)),
    )
}

/// The API with its description. The description names every route and the router serves no other.
fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::frame())
        .merge(merchant::routes())
        .merge(upsell::routes())
        .merge(plans::routes())
        .merge(static_shop::routes())
        .merge(webhooks::routes())
}

async fn security_headers(request: axum::extract::Request, next: middleware::Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// A bug. The client learns that and nothing else; the log has the message.
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(message, "a handler panicked");
    ApiError::new(ErrorCode::Internal).into_response()
}
