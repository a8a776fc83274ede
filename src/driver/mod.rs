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
use flow::{Dwell, Intent, OwnPage, Press, Screen, Tag};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;
use wire::QuoteId;

use crate::api::ProxyClient;
use crate::browser::screen::{self, Meant};
use crate::browser::visibility::Visibility;
use crate::browser::{consent, events, ids, intents, page};
use crate::config::Config;
use crate::dispatch::Dispatch;
use crate::ui::Locale;

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

    /// The language of the merchant's words that this event brings, where it brings any.
    fn language(event: &Self::Event) -> Option<&str>;
    /// The flow's step.
    fn step(state: Self::State, event: Self::Event) -> (Self::State, Vec<Self::Effect>);
    /// The flow's view.
    fn view(state: &Self::State) -> Self::View;
    /// The first event, with the loader's answer where there is one that can be read.
    fn start(first_answer: Option<&str>) -> Self::Event;
    /// The event for what the buyer does.
    fn act(act: Self::Act, press: Press) -> Self::Event;
    /// The event for how long the screen was really visible.
    fn dwelled(tag: Tag, dwell: Dwell) -> Self::Event;
    /// What this act would pay for, if it pays: the page is asked first.
    fn pays_for(view: &Self::View, act: &Self::Act) -> Option<Sale>;
    /// Does one thing.
    fn perform(driver: &Rc<Driver<Self>>, effect: Self::Effect);
}

/// The purchase that an act would pay for.
pub struct Sale {
    about: About,
    /// The quote; absent where the backend makes none.
    quote: Option<QuoteId>,
}

/// Tells what has to stand on the screen for an act to count, where it pays.
type Meaning<M> = Box<dyn Fn(&Locale, &<M as Machine>::View, &<M as Machine>::Act) -> Option<Meant>>;

/// Runs one machine for one mounted widget.
pub struct Driver<M: Machine> {
    state: RefCell<M::State>,
    view: RwSignal<M::View>,
    /// One language for the whole screen: the one that both the widget and the merchant have words in.
    locale: RwSignal<Locale>,
    client: ProxyClient,
    config: Config,
    host: HtmlElement,
    /// What is on the screen is in here.
    screen: HtmlElement,
    meaning: Meaning<M>,
    watch: RefCell<Option<Visibility>>,
    tasks: Tasks,
}

impl<M: Machine> Driver<M> {
    /// A driver that lives as long as the current reactive owner: its view, the way to it, and the language to show it in.
    /// It holds no owner itself, and neither do its tasks: an owner that is held is never cleaned up.
    #[must_use]
    pub fn start(
        config: Config,
        host: HtmlElement,
        screen: HtmlElement,
        first_answer: Option<String>,
        meaning: impl Fn(&Locale, &M::View, &M::Act) -> Option<Meant> + 'static,
    ) -> (Signal<M::View>, Dispatch<M::Act>, Signal<Locale>) {
        let driver = Rc::new(Self {
            state: RefCell::default(),
            view: RwSignal::new(M::View::default()),
            locale: RwSignal::new(Locale::of_tag(&config.locale)),
            client: ProxyClient::new(&config),
            host,
            screen,
            meaning: Box::new(meaning),
            watch: RefCell::new(None),
            tasks: Tasks::default(),
            config,
        });
        let (view, locale) = (driver.view.into(), driver.locale.into());
        let trust_all = driver.config.trust_all_clicks;
        driver.handle(M::start(first_answer.as_deref()));
        // The dispatch owns the driver; timers, replies and watches only know it weakly.
        (view, Dispatch::new(move |act| driver.act(act), trust_all), locale)
    }

    fn act(self: &Rc<Self>, act: M::Act) {
        let Some(key) = ids::fresh_key() else {
            return page::warn("upsell-widget: this browser has no source of randomness");
        };
        // What the buyer agrees to is what stands there now, before the page hears of it or anything is drawn.
        let mut intent = Intent { key, consent: consent::of_screen(&self.screen) };
        let sale = self
            .view
            .try_with_untracked(|view| M::pays_for(view, &act).map(|sale| (sale, self.meant(view, &act))));
        let mut screen = Screen::AsDrawn;
        if let Some((sale, meant)) = sale.flatten() {
            if meant.is_some_and(|meant| !screen::says(&self.screen, &meant)) {
                screen = Screen::Altered(self.own_page());
            } else if !events::may_accept(&self.host, self.config.kind, &sale.about) {
                return;
            } else if let Some(quote) = &sale.quote {
                intent = intents::begin(quote, intent);
            }
        }
        self.handle(M::act(act, Press { intent, screen }));
    }

    /// Returns what has to stand on the screen for this act, in the language that is shown.
    fn meant(&self, view: &M::View, act: &M::Act) -> Option<Meant> {
        self.locale.try_with_untracked(|locale| (self.meaning)(locale, view, act)).flatten()
    }

    fn own_page(&self) -> OwnPage {
        if page::has_own_page(&self.config) { OwnPage::Elsewhere } else { OwnPage::None }
    }

    /// Feeds one event to the machine. The screen first, then the effects.
    fn handle(self: &Rc<Self>, event: M::Event) {
        if let Some(merchants) = M::language(&event) {
            _ = self.locale.try_update(|locale| *locale = locale.beside(merchants));
        }
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

    /// Not an event that the page hears: the address holds a one-time code. Where none can be had, the button stays.
    fn go_to_own_page(&self) {
        let (client, config) = (self.client.clone(), self.config.clone());
        self.tasks.spawn(Box::pin(async move {
            if let Ok(handover) = client.hand_over().await {
                page::go_to_own_page(&config, &handover.code);
            }
        }));
    }

    /// Watches how long the screen is really visible; ends an earlier watch.
    fn watch(self: &Rc<Self>, tag: Tag) {
        let weak = Rc::downgrade(self);
        let watch = Visibility::watch(&self.screen, move |dwell| {
            // Not from within the watch: what comes of it may end the watch.
            let weak = weak.clone();
            spawn_local(async move {
                if let Some(driver) = weak.upgrade() {
                    driver.handle(M::dwelled(tag, dwell));
                }
            });
        });
        self.watch.replace(watch);
    }
}

/// Boxed, because each kind of future that is spawned costs kilobytes of its own.
async fn feed<M: Machine>(driver: Weak<Driver<M>>, event: Pin<Box<dyn Future<Output = M::Event>>>) {
    let event = event.await;
    if let Some(driver) = driver.upgrade() {
        driver.handle(event);
    }
}
