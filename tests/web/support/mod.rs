//! A small harness: a scripted backend, a widget on the page, and the verbs of a visitor: see, click, press.

pub(crate) mod answers;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use serde::Deserialize;
use upsell_widget::config::Config;
use upsell_widget::{Handle, mount};
use wasm_bindgen::prelude::*;
use web_sys::{CustomEvent, Document, Element, HtmlElement, ShadowRoot, ShadowRootInit, ShadowRootMode};

#[wasm_bindgen(module = "/tests/web/support/backend.js")]
extern "C" {
    fn open_backend(origin: &str);
    fn add_reply(origin: &str, route: &str, status: i32, body: &str);
    fn calls_of(origin: &str) -> String;
    fn count_of(origin: &str) -> u32;
    fn begun_of(origin: &str, route: &str) -> usize;
    pub(crate) fn break_storage(broken: bool);
}

#[wasm_bindgen(module = "/tests/web/support/translator.js")]
extern "C" {
    pub(crate) fn translate(root: &web_sys::Node, nth: i32, rewrite: bool) -> bool;
    pub(crate) fn keep_translating(root: &web_sys::Node, rewrite: bool) -> Observer;

    pub(crate) type Observer;
    #[wasm_bindgen(method)]
    pub(crate) fn disconnect(this: &Observer);
}

/// One request that the scripted backend received.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: String,
    pub(crate) headers: std::collections::BTreeMap<String, String>,
    pub(crate) options: Vec<String>,
    pub(crate) aborted: bool,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// A backend at an origin of its own.
#[derive(Clone)]
pub(crate) struct Backend {
    origin: String,
}

/// No answer: the connection fails.
pub(crate) const LOST: i32 = 0;
/// No answer: the request hangs until it is aborted.
pub(crate) const HANGS: i32 = -1;

thread_local! {
    static SERIAL: Cell<u32> = const { Cell::new(0) };
}

impl Backend {
    pub(crate) fn new() -> Self {
        let serial = SERIAL.get() + 1;
        SERIAL.set(serial);
        let origin = format!("https://backend{serial}.test");
        open_backend(&origin);
        Self { origin }
    }

    /// Scripts one reply, for example to `POST /accept`; `GET ` is the base address itself.
    pub(crate) fn reply(self, route: &str, status: i32, body: impl Into<String>) -> Self {
        add_reply(&self.origin, route, status, &body.into());
        self
    }

    pub(crate) fn calls(&self) -> Vec<Received> {
        serde_json::from_str(&calls_of(&self.origin)).unwrap()
    }

    /// How many requests have come, without looking at them.
    pub(crate) fn count(&self) -> u32 {
        count_of(&self.origin)
    }

    /// How many requests of one kind have begun: also those whose bodies nobody has read yet.
    pub(crate) fn begun(&self, route: &str) -> usize {
        begun_of(&self.origin, route)
    }

    /// Requests of one kind, for example `POST /accept`.
    pub(crate) fn received(&self, route: &str) -> Vec<Received> {
        let (method, path) = route.split_once(' ').unwrap();
        let fits = |call: &Received| call.method == method && call.path.split('?').next() == Some(path);
        self.calls().into_iter().filter(fits).collect()
    }

    /// Waits until so many requests of one kind have come.
    pub(crate) async fn has_received(&self, route: &str, count: usize) {
        until(&format!("{count} × {route}"), || self.received(route).len() >= count).await;
    }
}

/// An event that the page heard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heard {
    pub(crate) name: String,
    pub(crate) detail: serde_json::Value,
}

/// A widget on the page. Dropping it takes everything off again.
pub(crate) struct Widget {
    pub(crate) host: HtmlElement,
    pub(crate) root: ShadowRoot,
    pub(crate) handle: Option<Handle>,
    heard: Rc<RefCell<Vec<Heard>>>,
    listeners: Vec<(String, Listener)>,
}

type Listener = Closure<dyn FnMut(CustomEvent)>;

const EVENTS: [&str; 8] = [
    "upsell-accept",
    "upsell-navigate",
    "upsell-shown",
    "upsell-accepted",
    "upsell-declined",
    "upsell-pending",
    "upsell-failed",
    "upsell-plan-changed",
];

impl Widget {
    /// Mounts `offer` or `plans`. Clicks made by the test count, and the page is never left.
    pub(crate) fn mount(kind: &str, backend: &Backend, first_answer: Option<&str>) -> Self {
        let mut config = config(kind, backend);
        config.trust_all_clicks = true;
        Self::mount_with(config, first_answer)
    }

    pub(crate) fn mount_with(config: Config, first_answer: Option<&str>) -> Self {
        let host = document().create_element("upsell-test").unwrap().unchecked_into::<HtmlElement>();
        // Fixed, so that no test scrolls the widget of another out of view.
        host.set_attribute("style", "position: fixed; top: 0; left: 0; width: 600px").unwrap();
        document().body().unwrap().append_child(&host).unwrap();
        let root = host.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Open)).unwrap();
        let mut widget = Self {
            host: host.clone(),
            root: root.clone(),
            handle: None,
            heard: Rc::default(),
            listeners: vec![],
        };
        for name in EVENTS {
            let heard = widget.heard.clone();
            widget.on(name, move |event| {
                let text = js_sys::JSON::stringify(&event.detail()).unwrap();
                let detail = serde_json::from_str(&String::from(text)).unwrap();
                heard.borrow_mut().push(Heard { name: event.type_(), detail });
                if event.type_() == "upsell-navigate" {
                    event.prevent_default();
                }
            });
        }
        widget.handle = Some(mount(host, &root, config, first_answer.map(str::to_owned)));
        widget
    }

    pub(crate) fn on(&mut self, name: &str, listener: impl FnMut(CustomEvent) + 'static) {
        let listener = Listener::new(listener);
        self.host.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref()).unwrap();
        self.listeners.push((name.to_owned(), listener));
    }

    /// Names of the events that the page heard so far.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.borrow().iter().map(|event| event.name.clone()).collect()
    }

    pub(crate) async fn hears(&self, name: &str) -> Heard {
        until(name, || self.heard.borrow().iter().any(|event| event.name == name)).await;
        self.heard.borrow().iter().rev().find(|event| event.name == name).cloned().unwrap()
    }

    /// All text on the screen.
    pub(crate) fn text(&self) -> String {
        self.root.text_content().unwrap_or_default()
    }

    pub(crate) async fn sees(&self, text: &str) {
        until(&format!("{text:?} in {:?}", self.text()), || self.text().contains(text)).await;
    }

    pub(crate) async fn sees_nothing(&self) {
        until("an empty screen", || self.find("button").is_none() && self.find("[part=message]").is_none())
            .await;
    }

    pub(crate) fn find(&self, selector: &str) -> Option<HtmlElement> {
        self.root.query_selector(selector).unwrap().map(Element::unchecked_into)
    }

    pub(crate) async fn finds(&self, selector: &str) -> HtmlElement {
        until(selector, || self.find(selector).is_some()).await;
        self.find(selector).unwrap()
    }

    pub(crate) async fn click(&self, selector: &str) {
        self.finds(selector).await.click();
        settled().await;
    }

    /// Waits until the offer was looked at for long enough that its button counts.
    pub(crate) async fn is_looked_at(&self, backend: &Backend) {
        backend.has_received("POST /seen", 1).await;
        settled().await;
    }
}

impl Drop for Widget {
    fn drop(&mut self) {
        self.handle.take();
        for (name, listener) in self.listeners.drain(..) {
            _ = self.host.remove_event_listener_with_callback(&name, listener.as_ref().unchecked_ref());
        }
        self.host.remove();
    }
}

pub(crate) fn config(kind: &str, backend: &Backend) -> Config {
    let config = Config::parse(kind, &format!("{}/v1", backend.origin), "tok_secret", "en").unwrap();
    Config { browser: "a-browser-keeps-this-in-its-storage".to_owned(), ..config }
}

pub(crate) fn document() -> Document {
    web_sys::window().unwrap().document().unwrap()
}

/// Waits for what is queued to be drawn.
pub(crate) async fn settled() {
    leptos::task::tick().await;
    leptos::task::tick().await;
}

/// Waits for a condition, and fails with its name after five seconds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        TimeoutFuture::new(10).await;
    }
    panic!("waited in vain for {what}");
}

/// Forgets what earlier tests left in the browser.
pub(crate) fn fresh_browser() {
    break_storage(false);
    let window = web_sys::window().unwrap();
    window.local_storage().unwrap().unwrap().clear().unwrap();
    window.session_storage().unwrap().unwrap().clear().unwrap();
}
