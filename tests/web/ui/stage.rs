//! A place to show a view: an element with a shadow root and the widget's styles, and what was pressed in it.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::task::tick;
use upsell_widget::browser::stylesheet;
use upsell_widget::dispatch::Dispatch;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, ShadowRoot, ShadowRootInit, ShadowRootMode};

/// Lets the browser draw three times: what waits for the frame after the next has happened then.
pub(super) async fn drawn() {
    for _ in 0..3 {
        let frame = js_sys::Promise::new(&mut |resolve, _| {
            web_sys::window().unwrap().request_animation_frame(&resolve).unwrap();
        });
        wasm_bindgen_futures::JsFuture::from(frame).await.unwrap();
    }
}

/// One component on the page. Dropping it takes it away.
pub(super) struct Stage<V: Clone + PartialEq + Send + Sync + 'static, A: Clone + 'static> {
    host: HtmlElement,
    pub(super) root: ShadowRoot,
    view: RwSignal<V>,
    acts: Rc<RefCell<Vec<A>>>,
    unmount: Option<Box<dyn FnOnce()>>,
}

impl<V: Clone + PartialEq + Send + Sync + 'static, A: Clone + 'static> Stage<V, A> {
    /// Shows `view` through `component`, as wide as `width`; takes clicks that a script makes if `trust_all`.
    pub(super) async fn new<C, N>(width: u32, view: V, trust_all: bool, component: C) -> Self
    where
        C: FnOnce(Signal<V>, Dispatch<A>) -> N + 'static,
        N: IntoView + 'static,
    {
        let document = web_sys::window().unwrap().document().unwrap();
        let host: HtmlElement = document.create_element("div").unwrap().unchecked_into();
        // Fixed, so that giving something the focus does not scroll the page that all tests share.
        host.set_attribute("style", &format!("position: fixed; top: 0; left: 0; width: {width}px")).unwrap();
        document.body().unwrap().append_child(&host).unwrap();
        let root = host.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Open)).unwrap();
        stylesheet::adopt(&root, &host);
        let screen: HtmlElement = document.create_element("div").unwrap().unchecked_into();
        root.append_child(&screen).unwrap();

        let view = RwSignal::new(view);
        let acts = Rc::new(RefCell::new(Vec::new()));
        let heard = Rc::clone(&acts);
        let handle = mount_to(screen, move || {
            component(view.into(), Dispatch::new(move |act| heard.borrow_mut().push(act), trust_all))
        });
        tick().await;
        Self { host, root, view, acts, unmount: Some(Box::new(move || drop(handle))) }
    }

    /// Shows another view in the same place.
    pub(super) async fn show(&self, view: V) {
        self.view.set(view);
        tick().await;
    }

    /// What was pressed since the last time.
    pub(super) fn acts(&self) -> Vec<A> {
        self.acts.borrow_mut().drain(..).collect()
    }

    /// The elements of a part, in document order.
    pub(super) fn parts(&self, part: &str) -> Vec<HtmlElement> {
        self.all(&format!("[part~={part}]"))
    }

    /// The one element of a part.
    pub(super) fn part(&self, part: &str) -> HtmlElement {
        let mut found = self.parts(part);
        assert_eq!(found.len(), 1, "elements of the part {part}");
        found.remove(0)
    }

    /// The elements that fit a selector.
    pub(super) fn all(&self, selector: &str) -> Vec<HtmlElement> {
        let list = self.root.query_selector_all(selector).unwrap();
        (0..list.length()).map(|i| list.get(i).unwrap().unchecked_into()).collect()
    }

    /// Everything that can be read.
    pub(super) fn text(&self) -> String {
        self.root.text_content().unwrap()
    }

    /// What has the focus inside.
    pub(super) fn focused(&self) -> Option<Element> {
        self.root.active_element()
    }

    /// How high the widget is.
    pub(super) fn height(&self) -> i32 {
        self.host.offset_height()
    }
}

impl<V: Clone + PartialEq + Send + Sync + 'static, A: Clone + 'static> Drop for Stage<V, A> {
    fn drop(&mut self) {
        if let Some(unmount) = self.unmount.take() {
            unmount();
        }
        self.host.remove();
    }
}
