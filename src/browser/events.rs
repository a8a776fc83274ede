//! What the widget tells the page around it, and the two things that it asks first. All are `CustomEvent`s on the
//! element, bubbling and composed, without personal data.
//!
//! | event | when | cancelable |
//! |---|---|---|
//! | `upsell-accept` | before a confirmed purchase or plan change is sent | yes: nothing is sent |
//! | `upsell-navigate` | before the page is left for a checkout or a card form; `detail.url` | yes: the page goes there itself |
//! | `upsell-shown` | an offer, or the plans, are on the page | |
//! | `upsell-accepted` | an offer is collected; `detail.status` is `succeeded`, or `unconfirmed` where a basic backend has taken the order | |
//! | `upsell-declined` | an offer is refused | |
//! | `upsell-pending` | a charge is under way and not decided; `detail.status` | |
//! | `upsell-failed` | something failed; `detail.code` | |
//! | `upsell-plan-changed` | the plan is changed or the change booked; `detail.scheduled` | |
//! | `upsell-cancellation-changed` | the plan is cancelled for the next billing date, or that is taken back; `detail.cancelled` | |
//!
//! `detail` has `kind` (`offer` or `plans`) and, where known, `offer_id`, `offer_kind`, `product_id`, `amount` (a
//! decimal in a string) and `currency`. There is no event that lets the page stop a refusal.

use flow::announce::{About, Announcement, Trouble};
use flow::charge::Standing;
use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{CustomEvent, CustomEventInit, HtmlElement};
use wire::{FailureReason, OfferKind};

use crate::config::Kind;

/// Tells the page a fact. It hears it after this turn, when the widget's own state is written: the page may take the
/// element away at once.
pub fn announce(host: &HtmlElement, kind: Kind, announcement: Announcement) {
    let host = host.clone();
    spawn_local(async move {
        let (name, about, extra) = describe(&announcement);
        let detail = detail(kind, about);
        if let Some((key, value)) = extra {
            set(&detail, key, &value);
        }
        dispatch(&host, name, &detail, false);
    });
}

/// Asks the page before something is sent. `false` means that it objects.
pub fn may_accept(host: &HtmlElement, kind: Kind, about: &About) -> bool {
    dispatch(host, "upsell-accept", &detail(kind, about), true)
}

/// Asks the page before it is left. `false` means that it goes there itself.
pub fn may_navigate(host: &HtmlElement, kind: Kind, url: &str) -> bool {
    let detail = detail(kind, &About::default());
    set(&detail, "url", &JsValue::from_str(url));
    dispatch(host, "upsell-navigate", &detail, true)
}

/// Nothing was proposed or changed to.
const NOTHING: About = About { offer_id: None, kind: None, product_id: None, due: None };

fn describe(announcement: &Announcement) -> (&'static str, &About, Option<(&'static str, JsValue)>) {
    let word = |key, value: &str| Some((key, JsValue::from_str(value)));
    match announcement {
        Announcement::Shown(about) => ("upsell-shown", about, None),
        Announcement::Accepted(about) => ("upsell-accepted", about, word("status", "succeeded")),
        Announcement::Ordered(about) => ("upsell-accepted", about, word("status", "unconfirmed")),
        Announcement::Declined(about) => ("upsell-declined", about, None),
        Announcement::Pending(about, standing) => {
            let status = match standing {
                Standing::Confirming | Standing::Processing => "processing",
                Standing::ActionRequired => "requires_customer_action",
                Standing::InDoubt => "in_doubt",
                Standing::InReview => "needs_review",
            };
            ("upsell-pending", about, word("status", status))
        }
        Announcement::Failed(about, trouble) => ("upsell-failed", about, word("code", code(*trouble))),
        Announcement::PlanChanged { about, scheduled } => {
            ("upsell-plan-changed", about, Some(("scheduled", JsValue::from_bool(*scheduled))))
        }
        Announcement::CancellationChanged { cancelled } => {
            let cancelled = Some(("cancelled", JsValue::from_bool(*cancelled)));
            ("upsell-cancellation-changed", &NOTHING, cancelled)
        }
    }
}

/// Dispatches it; `false` when the page called `preventDefault`.
fn dispatch(host: &HtmlElement, name: &str, detail: &Object, cancelable: bool) -> bool {
    let init = CustomEventInit::new();
    init.set_bubbles(true);
    init.set_composed(true);
    init.set_cancelable(cancelable);
    init.set_detail(detail);
    CustomEvent::new_with_event_init_dict(name, &init)
        .and_then(|event| host.dispatch_event(&event))
        .unwrap_or(true)
}

fn detail(kind: Kind, about: &About) -> Object {
    let detail = Object::new();
    let put = |key: &str, value: &str| set(&detail, key, &JsValue::from_str(value));
    put("kind", kind.as_str());
    if let Some(id) = &about.offer_id {
        put("offer_id", id.as_str());
    }
    if let Some(kind) = about.kind {
        put("offer_kind", offer_kind(kind));
    }
    if let Some(id) = &about.product_id {
        put("product_id", id.as_str());
    }
    if let Some(due) = about.due {
        put("amount", &due.to_decimal_string());
        put("currency", due.currency.as_str());
    }
    detail
}

fn set(object: &Object, key: &str, value: &JsValue) {
    // Setting a property of a fresh plain object cannot fail.
    _ = Reflect::set(object, &JsValue::from_str(key), value);
}

/// The wire's words.
fn offer_kind(kind: OfferKind) -> &'static str {
    match kind {
        OfferKind::Upsell => "upsell",
        OfferKind::CrossSell => "cross_sell",
        OfferKind::Downsell => "downsell",
        OfferKind::Upgrade => "upgrade",
        OfferKind::Downgrade => "downgrade",
        OfferKind::Other => "other",
    }
}

/// The wire's words for a charge that failed; a word of its own for the rest.
fn code(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Load => "unavailable",
        Trouble::Unauthorized => "unauthorized",
        Trouble::Unreadable(_) => "unreadable",
        Trouble::Ended => "ended",
        Trouble::NotTaken => "not_taken",
        Trouble::Unknown => "unknown",
        Trouble::Altered => "altered",
        Trouble::Charge(reason) => match reason {
            FailureReason::Declined => "declined",
            FailureReason::InsufficientFunds => "insufficient_funds",
            FailureReason::ExpiredCard => "expired_card",
            FailureReason::AuthenticationFailed => "authentication_failed",
            FailureReason::LimitExceeded => "limit_exceeded",
            FailureReason::WrongCurrency => "wrong_currency",
            FailureReason::MethodNotReusable => "method_not_reusable",
            FailureReason::MethodNotUsable => "method_not_usable",
            FailureReason::ProcessingError => "processing_error",
            FailureReason::Cancelled => "cancelled",
            FailureReason::NotPossible => "not_possible",
            FailureReason::Other => "other",
        },
    }
}
