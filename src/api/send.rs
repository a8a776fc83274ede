//! One HTTP exchange: headers, patience, abort, and what became of it.

use std::cell::Cell;
use std::rc::Rc;

use flow::ApiError;
use gloo_net::http::{Method, Request, RequestBuilder};
use gloo_timers::callback::Timeout;
use js_sys::Reflect;
use wasm_bindgen::JsValue;
use web_sys::{
    AbortController, ReferrerPolicy, RequestCache, RequestCredentials, RequestInit, RequestRedirect,
};
use wire::{BROWSER_HEADER, IdempotencyKey};

/// What to send.
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) url: String,
    /// Empty for none.
    pub(super) token: String,
    /// The secret of this browser. Sent with a token only: a backend without tokens need not know the header.
    pub(super) browser: String,
    pub(super) key: Option<IdempotencyKey>,
    /// JSON.
    pub(super) body: Option<String>,
    /// How long to wait for the whole answer, in milliseconds.
    pub(super) patience: u32,
    /// Whether it is sent even if the page goes away.
    pub(super) keepalive: bool,
}

/// Aborts the exchange when the future that waits for it is dropped, so that an unmounted widget leaves nothing running.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends it; the text of a 2xx, or what went wrong.
pub(super) async fn send(call: Call) -> Result<String, ApiError> {
    let controller = AbortController::new().map_err(|_| ApiError::Network)?;
    let request = build(&call, &controller).ok_or(ApiError::Network)?;

    let late = Rc::new(Cell::new(false));
    let _patience = Timeout::new(call.patience, {
        let (late, controller) = (late.clone(), controller.clone());
        move || {
            late.set(true);
            controller.abort();
        }
    });
    let _abort = AbortOnDrop(controller);

    let lost = |_| if late.get() { ApiError::Timeout } else { ApiError::Network };
    let response = request.send().await.map_err(lost)?;
    let text = response.text().await.map_err(lost)?;
    if response.ok() {
        return Ok(text);
    }
    Err(match serde_json::from_str(&text) {
        Ok(problem) => ApiError::Problem(Box::new(problem)),
        Err(_) => ApiError::Foreign { status: response.status() },
    })
}

/// `None` where the browser refuses to make such a request; nothing was sent then.
fn build(call: &Call, controller: &AbortController) -> Option<Request> {
    let (method, redirect) = match call.method {
        "GET" => (Method::GET, RequestRedirect::Follow),
        "DELETE" => (Method::DELETE, RequestRedirect::Error),
        // A redirect would send a charge a second time, to an address that nobody checked.
        _ => (Method::POST, RequestRedirect::Error),
    };
    let mut builder = RequestBuilder::new(&call.url)
        .method(method)
        .redirect(redirect)
        .cache(RequestCache::NoStore)
        .credentials(credentials(call))
        .referrer_policy(ReferrerPolicy::NoReferrer)
        .abort_signal(Some(&controller.signal()))
        .header("Accept", "application/json");
    if !call.token.is_empty() {
        builder = builder
            .header("Authorization", &["Bearer ", &call.token].concat())
            .header(BROWSER_HEADER, &call.browser);
    }
    if let Some(key) = &call.key {
        builder = builder.header("Idempotency-Key", key.as_str());
    }
    let request = match &call.body {
        Some(body) => builder.header("Content-Type", "application/json").body(body.as_str()).ok()?,
        None => builder.build().ok()?,
    };
    if call.keepalive { keepalive(request) } else { Some(request) }
}

/// A token says whose page it is. Without one, a backend on the page's own origin may know the buyer by a cookie; no other
/// origin ever gets one (docs/adr/2026-12-01_cookies-of-the-page-s-own-origin.md).
fn credentials(call: &Call) -> RequestCredentials {
    if call.token.is_empty() { RequestCredentials::SameOrigin } else { RequestCredentials::Omit }
}

/// The same request, with an option that the request builder does not offer. A request made from another one loses its
/// referrer policy, so that is said again.
fn keepalive(request: Request) -> Option<Request> {
    let init = RequestInit::new();
    init.set_referrer_policy(ReferrerPolicy::NoReferrer);
    Reflect::set(&init, &JsValue::from_str("keepalive"), &JsValue::TRUE).ok()?;
    let raw = web_sys::Request::from(request);
    web_sys::Request::new_with_request_and_init(&raw, &init).ok().map(Request::from)
}
