//! Whoever writes on the page: what is charged stands on the button that is pressed, or nothing is sent. Generated: every way
//! to an amount, every kind of translator, every moment.

use futures_util::future::join_all;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlElement;

use crate::support::answers::*;
use crate::support::*;

/// A way to the button that pays.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Path {
    /// The offer as it is first shown.
    Offered,
    /// Its amount has changed when it is accepted.
    OfferChanged,
    /// It is paid on the hosted checkout.
    Hosted,
    /// A basic backend offers it at its list price.
    ListPrice,
    /// A plan is previewed.
    Previewed,
    /// It is put off to the next billing date.
    PutOff,
    /// It is put off, and then not.
    PutOffAndBack,
    /// Its amount has changed when it is confirmed.
    PlanChanged,
}

const PATHS: [Path; 8] = [
    Path::Offered,
    Path::OfferChanged,
    Path::Hosted,
    Path::ListPrice,
    Path::Previewed,
    Path::PutOff,
    Path::PutOffAndBack,
    Path::PlanChanged,
];

/// When the translator is at work.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// Once, on what is first drawn.
    Before,
    /// Once, before the last press.
    Between,
    /// At each change.
    Always,
}

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    /// Puts its own elements in the place of all text.
    Wraps,
    /// In the place of one text.
    WrapsOne(i32),
    /// Writes other amounts into them.
    Rewrites,
}

impl Path {
    fn is_offer(self) -> bool {
        matches!(self, Self::Offered | Self::OfferChanged | Self::Hosted | Self::ListPrice)
    }

    fn backend(self) -> Backend {
        let backend = Backend::new().reply("POST /seen", 204, "");
        let once = |id: &str, total| preview(id, total);
        match self {
            Self::Offered | Self::Hosted => backend.reply("POST /accept", 200, SUCCEEDED),
            Self::ListPrice => backend.reply("POST /accept", 200, r#"{"success":true}"#),
            Self::OfferChanged => backend.reply("POST /accept", 409, quote_changed("q6200", 6200)).reply(
                "POST /accept",
                200,
                SUCCEEDED,
            ),
            Self::Previewed => {
                backend.reply("POST /preview", 200, once("q5000", 5000)).reply("POST /change", 200, SUCCEEDED)
            }
            Self::PutOff => backend
                .reply("POST /preview", 200, once("q5000", 5000))
                .reply("POST /preview", 200, once("q0", 0))
                .reply("POST /change", 200, SUCCEEDED),
            Self::PutOffAndBack => backend
                .reply("POST /preview", 200, once("q5000", 5000))
                .reply("POST /preview", 200, once("q0", 0))
                .reply("POST /preview", 200, once("q5100", 5100))
                .reply("POST /change", 200, SUCCEEDED),
            Self::PlanChanged => backend
                .reply("POST /preview", 200, once("q5000", 5000))
                .reply("POST /change", 409, quote_changed("q6200", 6200))
                .reply("POST /change", 200, SUCCEEDED),
        }
    }

    fn mount(self, backend: &Backend, id: &str) -> Widget {
        let first = match self {
            Self::ListPrice => basic(id),
            Self::Hosted => {
                offer(id, "q5000", 5000).replace(r#""payment_method":{"brand":"visa","last4":"4242"},"#, "")
            }
            _ if self.is_offer() => offer(id, "q5000", 5000),
            _ => PLANS.to_owned(),
        };
        Widget::mount(if self.is_offer() { "offer" } else { "plans" }, backend, Some(&first))
    }

    /// From what is first drawn to before the last press.
    async fn walk(self, page: &mut Page) {
        match self {
            Self::Offered | Self::Hosted | Self::ListPrice | Self::Previewed => {}
            Self::OfferChanged | Self::PlanChanged => {
                page.press().await;
                if !page.sent.is_empty() {
                    page.widget.sees("$62.00").await;
                }
            }
            Self::PutOff => page.choose("later", "q0").await,
            Self::PutOffAndBack => {
                page.choose("later", "q0").await;
                page.choose("now", "q5100").await;
            }
        }
    }
}

/// A page, and what became of each press on it.
struct Page {
    backend: Backend,
    widget: Widget,
    route: &'static str,
    name: String,
    /// Amounts that were sent, in cents.
    sent: Vec<String>,
}

impl Page {
    /// Presses the button that pays until a press counts: it is sent, or the widget gives up. What is sent is what stood on
    /// the button.
    async fn press(&mut self) {
        let before = self.sent.len();
        for _ in 0..40 {
            let Some(button) = self.widget.find("[data-pays]") else { return };
            let label = button.text_content().unwrap_or_default();
            button.click();
            settled().await;
            self.note(&label).await;
            if self.sent.len() > before {
                return;
            }
            TimeoutFuture::new(250).await;
        }
        panic!("{}: no press counted: {:?}", self.name, self.widget.text());
    }

    /// Notes what was sent with the last press, under this label.
    async fn note(&mut self, label: &str) {
        let count = self.backend.received(self.route).len();
        assert!(count <= self.sent.len() + 1, "{}: one press, several requests", self.name);
        if count == self.sent.len() {
            return;
        }
        let last = || self.backend.received(self.route).pop().unwrap().body;
        until("the body of a request", || !last().is_empty()).await;
        let body: serde_json::Value = serde_json::from_str(&last()).unwrap();
        let cents = match body["quote_id"].as_str() {
            Some(quote) => quote.trim_start_matches('q').to_owned(),
            None => "4900".to_owned(),
        };
        let amount = match cents.as_str() {
            "0" => "nothing to pay now".to_owned(),
            cents => format!("${}.{}", &cents[..cents.len() - 2], &cents[cents.len() - 2..]),
        };
        let says = label.to_lowercase().replace('\u{a0}', " ");
        assert!(says.contains(&amount), "{}: {amount} was charged, {label:?} stood on the button", self.name);
        self.sent.push(cents);
    }

    /// What stands around the button that pays.
    fn sheet(&self) -> HtmlElement {
        self.widget.find("dialog[open]").or_else(|| self.widget.find(".root")).unwrap()
    }

    async fn choose(&self, timing: &str, quote: &str) {
        let radio = self.widget.find(&format!("input[value={timing}]")).unwrap();
        radio.click();
        let previews = if quote == "q0" { 2 } else { 3 };
        self.backend.has_received("POST /preview", previews).await;
        TimeoutFuture::new(50).await;
    }
}

async fn case(path: Path, moment: Moment, does: Does, serial: usize) {
    let name = format!("{path:?}, {moment:?}, {does:?}");
    let backend = path.backend();
    let widget = path.mount(&backend, &format!("tr{serial}"));
    let route = if path.is_offer() { "POST /accept" } else { "POST /change" };
    let mut page = Page { backend, widget, route, name, sent: Vec::new() };
    if path.is_offer() {
        page.widget.finds("[data-pays]").await;
    } else {
        page.widget.click("[part~=plan]:not(.current) button").await;
        page.widget.finds("[data-pays]").await;
    }

    let sheet = page.sheet();
    let rewrites = does == Does::Rewrites;
    let nth = if let Does::WrapsOne(nth) = does { nth } else { -1 };
    let mut observer = None;
    match moment {
        Moment::Before => _ = translate(&sheet, nth, rewrites),
        Moment::Always => observer = Some(keep_translating(&page.widget.root, rewrites)),
        Moment::Between => {}
    }
    path.walk(&mut page).await;
    if moment == Moment::Between {
        translate(&page.sheet(), nth, rewrites);
    }
    page.press().await;
    if let Some(observer) = observer {
        observer.disconnect();
    }

    if rewrites && moment == Moment::Always {
        assert!(page.sent.is_empty(), "{}: {:?}", page.name, page.sent);
        let text = page.widget.text();
        // Nobody is locked out, where the backend has a page of its own.
        assert!(text.contains("You cannot pay on this page"), "{}: {text}", page.name);
        assert_eq!(text.contains("Open that page"), path != Path::ListPrice, "{}: {text}", page.name);
    } else {
        let last = page.sent.last().map(String::as_str);
        let due = match path {
            Path::Offered | Path::Hosted | Path::Previewed => "5000",
            Path::OfferChanged | Path::PlanChanged => "6200",
            Path::ListPrice => "4900",
            Path::PutOff => "0",
            Path::PutOffAndBack => "5100",
        };
        assert_eq!(last, Some(due), "{}: {:?}", page.name, page.widget.text());
    }
}

/// Plays every case, some at a time: most of one is waiting, but all of them share a thread.
async fn cases(paths: &[Path], moments: &[Moment], does: &[Does], first: usize) {
    fresh_browser();
    let mut all = Vec::new();
    for path in paths {
        for moment in moments {
            for does in does {
                all.push(case(*path, *moment, *does, first + all.len()));
            }
        }
    }
    while !all.is_empty() {
        let rest = all.split_off(all.len().min(12));
        join_all(all).await;
        all = rest;
    }
}

#[wasm_bindgen_test]
async fn what_is_charged_stands_on_the_button_though_all_text_is_replaced() {
    cases(&PATHS, &[Moment::Before, Moment::Between, Moment::Always], &[Does::Wraps], 0).await;
}

#[wasm_bindgen_test]
async fn what_is_charged_stands_on_the_button_though_any_one_text_is_replaced() {
    let each: Vec<_> = (0..20).map(Does::WrapsOne).collect();
    let paths = [Path::OfferChanged, Path::PutOffAndBack, Path::PlanChanged];
    cases(&paths, &[Moment::Before], &each, 100).await;
}

#[wasm_bindgen_test]
async fn nothing_is_charged_while_other_amounts_stand_on_the_screen() {
    cases(&PATHS, &[Moment::Before, Moment::Between, Moment::Always], &[Does::Rewrites], 1_000).await;
}
