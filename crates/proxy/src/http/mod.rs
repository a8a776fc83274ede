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
//! | [`gate`], [`auth`], [`json`], [`origin`] | what is checked before a handler runs |
//! | [`error`], [`observe`] | what is answered and logged when something is wrong |
//! | [`openapi`] | the description of all this, generated |

pub mod auth;
pub mod error;
pub mod files;
pub mod gate;
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

use std::{any::Any, ops::Deref, sync::Arc};

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

use self::{error::ApiError, files::Files, gate::Gate, origin::AllowedOrigins};
use crate::service::Services;

/// What handlers are given: the services, and the gate that their callers came through.
#[derive(Clone)]
pub struct App {
    services: Arc<Services>,
    /// Counts who comes how often.
    pub gate: Arc<Gate>,
}

impl App {
    /// Services behind a gate.
    #[must_use]
    pub fn new(services: Arc<Services>, gate: Arc<Gate>) -> Self {
        Self { services, gate }
    }
}

impl Deref for App {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

/// Everything that is served to browsers, the merchant's server and Dodo.
pub fn router(app: App, origins: AllowedOrigins, widget: Files, upgrade_page: Files) -> Router {
    let admit = middleware::from_fn_with_state(app.clone(), gate::admit);
    let (asked, _) = asked().split_for_parts();
    let (webhooks, _) = webhooks::routes().split_for_parts();
    // Before the layers, so that they wrap it: a preflight is an OPTIONS request, which no route takes.
    let not_allowed = || async { ApiError::new(ErrorCode::MethodNotAllowed) };
    let api = asked
        .method_not_allowed_fallback(not_allowed)
        .layer(admit)
        .merge(webhooks.method_not_allowed_fallback(not_allowed))
        .with_state(app.clone())
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .layer(origins.cors())
        .layer(middleware::from_fn_with_state(origins, origin::guard))
        // What caches by address alone, against `no-store`, must not show one buyer's answer to the next.
        .layer(SetResponseHeaderLayer::appending(
            header::VARY,
            HeaderValue::from_static("authorization, origin"),
        ));
    let mut files = Router::new();
    if !upgrade_page.is_empty() {
        let page = any(files::upgrade_page).with_state(upgrade_page);
        files = files
            .route("/upgrade", page.clone())
            .route("/upgrade/", page.clone())
            .route("/upgrade/{*path}", page);
    }
    let files = files
        .fallback_service(any(files::widget).with_state(widget))
        .layer(middleware::from_fn_with_state(app, gate::admit_to_files));
    api.merge(files).layer(
        // From the outside in.
        ServiceBuilder::new()
            .layer(middleware::from_fn(observe::observe))
            .layer(middleware::from_fn(security_headers))
            .layer(CatchPanicLayer::custom(panicked)),
    )
}

/// The API with its description. The description names every route and the router serves no other.
fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::frame()).merge(asked()).merge(webhooks::routes())
}

/// Everything but webhooks.
fn asked() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(merchant::routes())
        .merge(upsell::routes())
        .merge(plans::routes())
        .merge(static_shop::routes())
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
