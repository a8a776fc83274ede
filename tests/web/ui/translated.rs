//! Views that follow each other on a page whose text somebody else has replaced. Generated: every view after every other.

use flow::charge::{Failure, Next, Standing, WaitingView};
use flow::offer::{AcceptState, Closed, Notice, Ordered, PayBy, PriceView};
use flow::plans::{ConfirmState, Dialog};
use flow::{OwnPage, offer as offer_flow, plans as plans_flow};
use leptos::prelude::*;
use upsell_widget::dispatch::Dispatch;
use upsell_widget::ui::{self, Locale};
use wasm_bindgen_test::wasm_bindgen_test;
use wire::EffectiveAt;

use super::stage::Stage;
use super::views::*;
use crate::support::translate;

fn offers() -> Vec<offer_flow::View> {
    let with = |change: &dyn Fn(&mut offer_flow::OfferView)| {
        let mut view = offer();
        change(&mut view);
        shown(view)
    };
    let dearer = |view: &mut offer_flow::OfferView| {
        let mut quote = quote();
        (quote.lines[0].amount, quote.tax, quote.total) = (8_800, 440, 6_240);
        (view.drawing, view.due, view.changed_from) = (drawing(1), usd(6_240), Some(usd(5_400)));
        view.price = PriceView::Quoted(Box::new(quote));
    };
    let accept = |accept| with(&|view| view.accept = accept);
    let waiting =
        |standing, next| offer_flow::View::Waiting(WaitingView { standing, due: Some(usd(5_400)), next });
    vec![
        accept(AcceptState::Ready),
        accept(AcceptState::Refreshing),
        accept(AcceptState::Stale),
        accept(AcceptState::Sending),
        with(&dearer),
        with(&|view| {
            dearer(view);
            view.accept = AcceptState::Sending;
        }),
        with(&|view| {
            (view.drawing, view.compare_to, view.notice) = (drawing(2), None, Some(Notice::Altered));
        }),
        with(&|view| {
            (view.drawing, view.price, view.due) = (drawing(3), PriceView::ListPrice(usd(4_900)), usd(4_900));
            (view.compare_to, view.pay_by) = (None, PayBy::Unnamed);
        }),
        waiting(Standing::Processing, Next::Wait),
        waiting(Standing::InDoubt, Next::CheckAgain),
        offer_flow::View::Leaving { due: Some(usd(5_400)) },
        offer_flow::View::Done(Box::new(done())),
        offer_flow::View::Failed(failed(true)),
        offer_flow::View::Failed(failed_by(Failure::ExpiredCard, false)),
        offer_flow::View::Closed(Closed::Gone),
        offer_flow::View::Ordering { due: usd(4_900) },
        offer_flow::View::Ordered(Ordered::Taken),
        offer_flow::View::Ordered(Ordered::Unknown),
        offer_flow::View::Altered(OwnPage::Elsewhere),
        offer_flow::View::Altered(OwnPage::None),
    ]
}

fn dialogs() -> Vec<plans_flow::View> {
    let with = |change: &dyn Fn(&mut plans_flow::ReviewView)| {
        let mut view = review(ConfirmState::Ready);
        change(&mut view);
        plans(comparison(), Some(Dialog::Review(Box::new(view))))
    };
    let later = |view: &mut plans_flow::ReviewView| {
        let mut quote = quote();
        quote.lines.clear();
        (quote.tax, quote.total, quote.effective_at) = (0, 0, EffectiveAt::NextBillingDate);
        (view.drawing, view.due, view.quote) = (drawing(1), usd(0), quote);
        view.effective_at = EffectiveAt::NextBillingDate;
    };
    let mut changed = comparison();
    (changed.current.name, changed.current.recurring_amount) = ("Pro".to_owned(), 8_000);
    let mut adjusted = adjusting();
    adjusted.seats = Some(6);
    vec![
        plans(comparison(), None),
        plans(changed, None),
        with(&|_| {}),
        with(&|view| view.confirm = ConfirmState::Sending),
        with(&later),
        with(&|view| {
            // Switched back: the words of now, and the quote is on its way.
            later(view);
            (view.drawing, view.effective_at) = (drawing(2), EffectiveAt::Immediately);
            view.confirm = ConfirmState::Refreshing;
        }),
        with(&|view| (view.drawing, view.changed_from) = (drawing(3), Some(usd(5_000)))),
        with(&|view| (view.drawing, view.altered) = (drawing(4), true)),
        plans(comparison(), Some(Dialog::Adjust(Box::new(adjusted)))),
        plans(comparison(), Some(Dialog::Stay(Box::new(staying())))),
        plans(comparison(), Some(Dialog::Cancel(cancelling()))),
        plans(comparison(), Some(Dialog::Done(Box::new(done())))),
        plans(comparison(), Some(Dialog::Failed(failed(true)))),
        plans(comparison(), Some(Dialog::Altered(OwnPage::Elsewhere))),
    ]
}

/// Shows each view after each other one whose text was replaced meanwhile: what stands there is what a page that nobody
/// touched says.
async fn each_after_each<V, A, N>(views: &[V], component: fn(Signal<V>, Dispatch<A>, Locale) -> N)
where
    V: Clone + PartialEq + Send + Sync + 'static,
    A: Clone + 'static,
    N: IntoView + 'static,
{
    let stage = async |view: &V| {
        Stage::new(600, view.clone(), true, move |view, dispatch| {
            component(view, dispatch, Locale::of_tag("en"))
        })
        .await
    };
    for (first, before) in views.iter().enumerate() {
        for (second, after) in views.iter().enumerate() {
            let untouched = stage(after).await.text();
            let touched = stage(before).await;
            translate(&touched.root, -1, false);
            touched.show(after.clone()).await;
            assert_eq!(touched.text(), untouched, "view {second} after view {first}");
            // And on, and back again.
            translate(&touched.root, -1, false);
            touched.show(before.clone()).await;
            touched.show(after.clone()).await;
            assert_eq!(touched.text(), untouched, "view {second} around view {first}");
        }
    }
}

#[wasm_bindgen_test]
async fn what_the_offer_says_is_true_whoever_replaced_its_text() {
    each_after_each(&offers(), ui::offer).await;
}

#[wasm_bindgen_test]
async fn what_the_plans_say_is_true_whoever_replaced_their_text() {
    each_after_each(&dialogs(), ui::plans).await;
}

/// Amounts and the button that pays are not offered to translators at all.
#[wasm_bindgen_test]
async fn money_is_not_offered_to_translators() {
    let component = |view, dispatch| ui::offer(view, dispatch, Locale::of_tag("en"));
    for view in offers() {
        let stage = Stage::new(600, view, true, component).await;
        for element in stage.all(".money, [data-pays]") {
            let classes = element.get_attribute("class").unwrap_or_default();
            assert_eq!(element.get_attribute("translate").as_deref(), Some("no"), "{classes}");
            assert!(classes.split(' ').any(|class| class == "notranslate"), "{classes}");
        }
    }
}
