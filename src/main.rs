//! The standalone upgrade page: the same widget, filling a page of the proxy's own.
//!
//! What opens it comes in the fragment of the address, which is never sent to a server: a session token (`#token=…`) from the
//! merchant's server, or the one-time code of an element (`#code=…`), which is exchanged for a token of this page's own. `upgrade.js`
//! takes it out of the address before this program is loaded, so that it is neither shared nor kept in the history, and keeps it for
//! the tab, so that a reload shows how things stand. `?view=offer` or `?view=plans` (the default) says which widget, `?locale=ja`
//! which language; without one that is a language the browser's own is
//! taken, else English.
//!
//! A page that has no token, or has nothing to show, says so. It says nothing about money, of which it knows nothing then.

use flow::ApiError;
use upsell_widget::api::{self, ProxyClient};
use upsell_widget::browser::storage::{self, Area};
use upsell_widget::browser::{page, secret};
use upsell_widget::config::{Config, ConfigError, Kind, first_language};
use upsell_widget::text::{Language, PagePhrases};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, ShadowRoot, ShadowRootInit, ShadowRootMode, UrlSearchParams, Window};
use wire::{ErrorCode, TakeOverRequest};

/// Attribute of the host in which `upgrade.js` leaves what stood in the fragment, or is kept of it.
const ARRIVED: &str = "data-arrived";

fn main() {
    if let Some(window) = web_sys::window() {
        spawn_local(async move {
            if let Some(Err(error)) = open(&window).await {
                page::warn(error.message());
            }
        });
    }
}

/// `None` where the page is not the one that this program was written for.
async fn open(window: &Window) -> Option<Result<(), ConfigError>> {
    let location = window.location();
    let params = UrlSearchParams::new_with_str(&location.search().ok()?).ok()?;
    let (asked, browsers) = (params.get("locale"), window.navigator().language());
    let locale = first_language([asked.as_deref(), browsers.as_deref()].into_iter().flatten());
    if asked.is_some_and(|asked| first_language([asked.as_str(), "und"]) == "und") {
        page::warn("upsell-widget: locale is not a language tag");
    }
    let is_offer = params.get("view").is_some_and(|view| view == "offer");
    let (view, path) = if is_offer { ("offer", "/v1/upsell") } else { ("plans", "/v1/plans") };
    let origin = location.origin().ok()?;
    let endpoint = [origin.as_str(), path].concat();

    let document = window.document()?;
    let host = document.get_element_by_id("app")?.dyn_into::<HtmlElement>().ok()?;
    let arrived = host.get_attribute(ARRIVED).unwrap_or_default();
    host.remove_attribute(ARRIVED).ok()?;
    let config = match Config::parse(view, &endpoint, "", &locale) {
        Ok(config) => config,
        Err(error) => return Some(Err(error)),
    };
    if let Some(page) = document.document_element() {
        _ = page.set_attribute("lang", &config.locale);
    }
    let words = Language::of_tag(&config.locale).page_phrases();
    let root = host.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Open)).ok()?;

    let browser = secret::of_browser()?;
    let token = match token(&origin, &config, &arrived, &browser).await {
        Ok(token) => token,
        Err(trouble) => {
            upsell_widget::say(&root, trouble.words(words));
            return Some(Ok(()));
        }
    };
    let config = match Config::parse(view, &endpoint, &token, &locale) {
        Ok(config) => Config { browser, ..config },
        Err(error) => {
            upsell_widget::say(&root, words.reopen);
            return Some(Err(error));
        }
    };
    show(host, &root, config, words).await;
    Some(Ok(()))
}

/// Shows the widget. An offer is asked for before, so that a page without one does not stay empty.
async fn show(host: HtmlElement, root: &ShadowRoot, config: Config, words: &'static PagePhrases) {
    match config.kind {
        Kind::Plans => upsell_widget::mount_plans(host, root, config, None).forget(),
        Kind::Offer => match ProxyClient::new(&config).first_answer().await {
            Ok(answer) => {
                upsell_widget::mount_offer_page(host, root, config, answer, words.nothing).forget();
            }
            Err(error) => upsell_widget::say(root, Trouble::of(&error).words(words)),
        },
    }
}

/// Why the widget cannot be shown.
enum Trouble {
    /// There is no token.
    NoToken,
    /// There was one, and it is not good here, or not any more.
    SessionOver,
    /// It may be only for now.
    Unreachable,
}

impl Trouble {
    fn of(error: &ApiError) -> Self {
        match error {
            ApiError::Problem(problem) => match problem.code {
                ErrorCode::Unauthorized | ErrorCode::BoundElsewhere | ErrorCode::NotFound => {
                    Self::SessionOver
                }
                _ => Self::Unreachable,
            },
            ApiError::Network
            | ApiError::Timeout
            | ApiError::BadBody
            | ApiError::BadField(_)
            | ApiError::Foreign { .. } => Self::Unreachable,
        }
    }

    fn words(&self, words: &PagePhrases) -> &'static str {
        match self {
            Self::NoToken => words.reopen,
            Self::SessionOver => words.session_ended,
            Self::Unreachable => words.unreachable,
        }
    }
}

/// Returns the session token that `arrived` holds, or that its code is exchanged for. A token is kept for the tab, in place of the
/// code, which is good once.
async fn token(origin: &str, config: &Config, arrived: &str, browser: &str) -> Result<String, Trouble> {
    let arrived = UrlSearchParams::new_with_str(arrived).map_err(|_| Trouble::NoToken)?;
    if let Some(token) = arrived.get("token").filter(|token| !token.is_empty()) {
        return Ok(token);
    }
    let code = arrived.get("code").ok_or(Trouble::NoToken)?;
    let request = TakeOverRequest { code, browser: browser.to_owned() };
    let session = api::take_over(origin, &request).await.map_err(|error| Trouble::of(&error))?;
    let item = ["upsell-widget:arrived:", config.kind.as_str()].concat();
    storage::set(Area::Session, &item, &["token=", &session.token].concat());
    Ok(session.token)
}
