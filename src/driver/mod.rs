//! The impure twin of `flow`: holds a machine's state, feeds it events, and carries out the effects that it returns.
//! Nothing is decided here, and nothing else in the widget spawns.
//!
//! ```text
//! component ── act ──▶ Driver::act ─▶ step ─▶ state ─▶ view ─▶ signal ─▶ component
//!                          ▲            └──▶ effects ─▶ offer.rs, plans.rs ─▶ api, browser
//!                          └───────────────── event ◀────────┘
//! ```

mod offer;
mod plans;
mod tasks;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};

use flow::announce::{About, Announcement, Trouble};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;
use wire::{Consent, IdempotencyKey};

use crate::api::ProxyClient;
use crate::browser::visibility::Visibility;
use crate::browser::{consent, events, ids, page};
use crate::config::Config;
use crate::dispatch::Dispatch;

use self::tasks::Tasks;

pub use offer::Offer;
pub use plans::Plans;

/// One of the two flows, as the driver needs to know it.
pub trait Machine: Sized + 'static {
    /// Where it stands.
    type State: Default;
    /// What can happen.
    type Event: 'static;
    /// What it wants done.
    type Effect;
    /// What the buyer can do.
    type Act: 'static;
    /// What is shown.
    type View: Default + PartialEq + Send + Sync + 'static;

    /// The flow's step.
    fn step(state: Self::State, event: Self::Event) -> (Self::State, Vec<Self::Effect>);
    /// The flow's view.
    fn view(state: &Self::State) -> Self::View;
    /// The first event, with the loader's answer where there is one that can be read.
    fn start(first_answer: Option<&str>) -> Self::Event;
    /// The event for what the buyer does.
    fn act(act: Self::Act, key: IdempotencyKey) -> Self::Event;
    /// What this act would pay for, if it pays: the page is asked first.
    fn pays_for(view: &Self::View, act: &Self::Act) -> Option<About>;
    /// Does one thing.
    fn perform(driver: &Rc<Driver<Self>>, effect: Self::Effect);
}

/// Runs one machine for one mounted widget.
pub struct Driver<M: Machine> {
    state: RefCell<M::State>,
    view: RwSignal<M::View>,
    client: ProxyClient,
    config: Config,
    host: HtmlElement,
    /// What is on the screen is in here.
    screen: HtmlElement,
    watch: RefCell<Option<Visibility>>,
    tasks: Tasks,
}

impl<M: Machine> Driver<M> {
    /// A driver that lives as long as the current reactive owner: its view, and the way to it. It holds no owner itself,
    /// and neither do its tasks: an owner that is held is never cleaned up.
    #[must_use]
    pub fn start(
        config: Config,
        host: HtmlElement,
        screen: HtmlElement,
        first_answer: Option<String>,
    ) -> (Signal<M::View>, Dispatch<M::Act>) {
        let driver = Rc::new(Self {
            state: RefCell::default(),
            view: RwSignal::new(M::View::default()),
            client: ProxyClient::new(&config),
            host,
            screen,
            watch: RefCell::new(None),
            tasks: Tasks::default(),
            config,
        });
        let (view, trust_all) = (driver.view.into(), driver.config.trust_all_clicks);
        driver.handle(M::start(first_answer.as_deref()));
        // The dispatch owns the driver; timers, replies and watches only know it weakly.
        (view, Dispatch::new(move |act| driver.act(act), trust_all))
    }

    fn act(self: &Rc<Self>, act: M::Act) {
        let about = self.view.try_with_untracked(|view| M::pays_for(view, &act)).flatten();
        if about.is_some_and(|about| !events::may_accept(&self.host, self.config.kind, &about)) {
            return;
        }
        match ids::fresh_key() {
            Some(key) => self.handle(M::act(act, key)),
            None => page::warn("upsell-widget: this browser has no source of randomness"),
        }
    }

    /// Feeds one event to the machine. The screen first, then the effects.
    fn handle(self: &Rc<Self>, event: M::Event) {
        // No borrow is held while anything outside of this function runs.
        let (state, effects) = M::step(self.state.take(), event);
        let view = M::view(&state);
        self.state.replace(state);
        if self.view.try_with_untracked(|shown| *shown != view) == Some(true) {
            _ = self.view.try_set(view);
        }
        for effect in effects {
            M::perform(self, effect);
        }
    }

    /// Waits for something, then feeds what came of it. Given up when the widget is unmounted.
    fn then(self: &Rc<Self>, event: impl Future<Output = M::Event> + 'static) {
        self.tasks.spawn(Box::pin(feed(Rc::downgrade(self), Box::pin(event))));
    }

    /// The same for what must not be cut off half-way by unmounting: charges and refusals.
    fn then_surely(self: &Rc<Self>, event: impl Future<Output = M::Event> + 'static) {
        spawn_local(feed(Rc::downgrade(self), Box::pin(event)));
    }

    fn schedule(self: &Rc<Self>, after: u32, event: M::Event) {
        // What a browser takes as a delay is a signed 32-bit number of milliseconds.
        let after = after.min(i32::MAX.unsigned_abs());
        self.then(async move {
            TimeoutFuture::new(after).await;
            event
        });
    }

    fn announce(&self, announcement: Announcement) {
        if let Announcement::Failed(_, Trouble::Unreadable(field)) = announcement {
            page::warn(&["upsell-widget: the backend's answer has no usable ", field].concat());
        }
        events::announce(&self.host, self.config.kind, announcement);
    }

    fn navigate(&self, url: &str) {
        if events::may_navigate(&self.host, self.config.kind, url) {
            page::go_to(url);
        }
    }

    fn consent(&self) -> Consent {
        consent::of_screen(&self.screen, &self.config.locale)
    }
}

/// Boxed, because each kind of future that is spawned costs kilobytes of its own.
async fn feed<M: Machine>(driver: Weak<Driver<M>>, event: Pin<Box<dyn Future<Output = M::Event>>>) {
    let event = event.await;
    if let Some(driver) = driver.upgrade() {
        driver.handle(event);
    }
}
