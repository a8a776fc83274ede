//! How a charge went or is going: each outcome in its own words, in both languages, with its one way on.

use std::collections::BTreeSet;

use flow::charge::{Failure, Next, SoftDecline, Standing, WaitingView};
use flow::offer::{Act, View};
use flow::plans::{self, Dialog, Notice};
use upsell_widget::ui::{self, Locale};
use wasm_bindgen_test::wasm_bindgen_test;

use super::stage::Stage;
use super::views::{comparison, failed_by, plans as plans_view, usd};

const FAILURES: [(Failure, &str, &str); 12] = [
    (
        Failure::SoftDecline(SoftDecline::InsufficientFunds),
        "There is not enough money on the card.",
        "It may work later, or with another card.",
    ),
    (
        Failure::SoftDecline(SoftDecline::LimitExceeded),
        "The amount is over the card's limit.",
        "It may work later, or with another card.",
    ),
    (
        Failure::SoftDecline(SoftDecline::NotReached),
        "Something went wrong on the way to your bank.",
        "It may work later, or with another card.",
    ),
    (Failure::HardDecline, "Your bank declined the card.", "Please use another card."),
    (Failure::ExpiredCard, "The card has expired.", "Please use another card."),
    (Failure::NotAuthenticated, "Your bank could not confirm that it was you.", ""),
    (Failure::WrongCurrency, "The saved card cannot pay in this currency.", "Please use another card."),
    (
        Failure::NotReusable,
        "The saved card is not approved for further payments.",
        "Please use another card.",
    ),
    (Failure::NotUsable, "The saved card cannot be used for this.", "Please use another card."),
    (Failure::CalledOff, "The payment was called off.", ""),
    (Failure::NotPossible, "This is not possible at the moment.", ""),
    (Failure::Unexplained, "", ""),
];

async fn offer_in(locale: &str, view: View) -> Stage<View, Act> {
    let locale = Locale::of_tag(locale);
    Stage::new(600, view, true, move |view, dispatch| ui::offer(view, dispatch, locale)).await
}

/// The lines of the message, without its title.
fn lines<V: Clone + PartialEq + Send + Sync + 'static, A: Clone + 'static>(
    stage: &Stage<V, A>,
) -> Vec<String> {
    stage.all("[part=notice] p").iter().map(|line| line.text_content().unwrap()).collect()
}

#[wasm_bindgen_test]
async fn each_failure_says_why_that_nothing_was_charged_and_what_helps() {
    let stage = offer_in("en", View::Nothing).await;
    for (failure, why, help) in FAILURES {
        stage.show(View::Failed(failed_by(failure, true))).await;
        let expected: Vec<_> =
            [why, "Nothing was charged.", help].into_iter().filter(|l| !l.is_empty()).collect();
        assert_eq!(lines(&stage), expected, "{failure:?}");
        stage.part("accept").click();
        stage.part("decline").click();
        assert_eq!(stage.acts(), [Act::PayAnotherWay, Act::Dismiss], "{failure:?}");

        // Where no way leads to another card none is spoken of.
        stage.show(View::Failed(failed_by(failure, false))).await;
        assert_eq!(stage.parts("accept").len(), 0, "{failure:?}");
        assert!(!stage.text().contains("another"), "{failure:?}: {}", stage.text());
        stage.part("decline").click();
        assert_eq!(stage.acts(), [Act::Dismiss], "{failure:?}");
    }
}

#[wasm_bindgen_test]
async fn each_failure_has_words_of_its_own_in_both_languages() {
    for locale in ["en", "ja"] {
        let stage = offer_in(locale, View::Nothing).await;
        let mut seen = BTreeSet::new();
        for (failure, ..) in FAILURES {
            stage.show(View::Failed(failed_by(failure, true))).await;
            assert!(seen.insert(lines(&stage).join(" ")), "{failure:?} in {locale} reads like another one");
        }
    }
}

#[wasm_bindgen_test]
async fn a_failed_change_leads_to_another_card_where_that_helps_and_back() {
    let locale = Locale::of_tag("en");
    let dialog =
        |another| plans_view(comparison(), Some(Dialog::Failed(failed_by(Failure::ExpiredCard, another))));
    let stage: Stage<plans::View, plans::Act> =
        Stage::new(1_000, dialog(true), true, move |view, dispatch| ui::plans(view, dispatch, locale)).await;
    stage.all("dialog [part=accept]").remove(0).click();
    assert_eq!(stage.acts(), [plans::Act::UseAnotherCard]);
    stage.show(dialog(false)).await;
    assert_eq!(stage.all("dialog [part=accept]").len(), 0);
    stage.all("dialog [part=decline]").remove(0).click();
    assert_eq!(stage.acts(), [plans::Act::CloseDialog]);
}

fn waiting(standing: Standing, next: Next) -> WaitingView {
    WaitingView { standing, due: Some(usd(5_400)), next }
}

const WAITS: [(Standing, Next, Option<Act>); 7] = [
    (Standing::Confirming, Next::Wait, None),
    (Standing::Processing, Next::Wait, None),
    (Standing::Processing, Next::CheckAgain, Some(Act::CheckAgain)),
    (Standing::ActionRequired, Next::Wait, None),
    (Standing::ActionRequired, Next::Continue, Some(Act::Continue)),
    (Standing::InDoubt, Next::Wait, None),
    (Standing::InDoubt, Next::CheckAgain, Some(Act::CheckAgain)),
];

#[wasm_bindgen_test]
async fn an_unfinished_charge_has_one_way_on_and_lets_the_buyer_leave() {
    for locale in ["en", "ja"] {
        let stage = offer_in(locale, View::Nothing).await;
        for (standing, next, act) in WAITS {
            stage.show(View::Waiting(waiting(standing, next))).await;
            let what = format!("{standing:?}, {next:?}, {locale}");
            let buttons = stage.all("button");
            assert_eq!(buttons.len(), usize::from(act.is_some()), "{what}: one way on, or none is needed");
            buttons.iter().for_each(|button| button.click());
            assert_eq!(stage.acts(), act.into_iter().collect::<Vec<_>>(), "{what}");
            let text = stage.text();
            assert!(text.contains("$54.00"), "{what}: {text}");
            let leave = if locale == "en" { "You can leave this page" } else { "このページ" };
            assert!(text.to_lowercase().contains(&leave.to_lowercase()), "{what}: {text}");
        }
    }
}

/// "Failed, try again" would have the buyer pay twice.
#[wasm_bindgen_test]
async fn doubt_promises_one_charge_and_never_says_failed() {
    for (locale, once, never) in [
        ("en", "you will not be charged twice", ["fail", "did not", "try again", "wrong", "error"]),
        ("ja", "二重に請求されることはありません", ["失敗", "できませんでした", "お試し", "問題", "エラー"]),
    ] {
        let stage = offer_in(locale, View::Nothing).await;
        for next in [Next::Wait, Next::CheckAgain] {
            stage.show(View::Waiting(waiting(Standing::InDoubt, next))).await;
            let text = stage.text();
            assert!(text.contains(once), "{text}");
            for word in never {
                assert!(!text.to_lowercase().contains(word), "{word} in {text}");
            }
        }
    }
}

#[wasm_bindgen_test]
async fn a_bank_that_waits_is_told_of_on_the_plan_page_too() {
    let locale = Locale::of_tag("en");
    let mut page = comparison();
    page.notice = Some(Notice::Waiting(waiting(Standing::ActionRequired, Next::Wait)));
    let stage: Stage<plans::View, plans::Act> =
        Stage::new(1_000, plans_view(page, None), true, move |view, dispatch| {
            ui::plans(view, dispatch, locale)
        })
        .await;
    let notice = stage.part("notice").text_content().unwrap();
    assert!(
        notice.contains("Your bank wants you to confirm") && notice.contains("your bank's app"),
        "{notice}"
    );
}
