//! One language for everything on the screen: one that both the widget and the merchant have words in.

use upsell_widget::config::Config;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::answers::*;
use crate::support::*;

fn on_page(locale: &str, backend: &Backend, kind: &str) -> Config {
    Config { locale: locale.to_owned(), trust_all_clicks: true, ..config(kind, backend) }
}

/// The same answer, with the language of the merchant's words.
fn written_in(language: &str, answer: &str) -> String {
    answer.replacen('{', &format!(r#"{{"language":"{language}","#), 1)
}

/// The languages of the widget's own words on the screen, by the letters on its answers.
fn spoken(widget: &Widget) -> &'static str {
    match widget.find("[part=decline]").unwrap().text_content().unwrap().as_str() {
        "No, thanks" => "en",
        "いいえ、結構です" => "ja",
        other => panic!("{other}"),
    }
}

/// Over pages and merchants: the words, the `lang` around them and the language in the consent are one.
#[wasm_bindgen_test]
async fn words_markup_and_consent_are_in_one_language() {
    fresh_browser();
    let mut serial = 0;
    for page in ["en", "ja-JP", "de", "fr-CA", "ar", "en-u"] {
        for (merchant, own) in
            [(Some("en"), "en"), (Some("ja"), "ja"), (Some("de"), ""), (Some("en-GB"), "en"), (None, "")]
        {
            let expected = match own {
                "" if page.starts_with("ja") => "ja",
                "" => "en",
                own => own,
            };
            serial += 1;
            let offer = offer(&format!("lang{serial}"), "q1", 5000);
            let answer = merchant.map_or_else(|| offer.clone(), |language| written_in(language, &offer));
            let backend = Backend::new().reply("POST /seen", 204, "").reply("POST /accept", 200, SUCCEEDED);
            let widget = Widget::mount_with(on_page(page, &backend, "offer"), Some(&answer));
            let what = format!("{merchant:?} on {page}");
            widget.finds("[part=decline]").await;
            assert_eq!(spoken(&widget), expected, "{what}");
            assert_eq!(
                widget.find(".root").unwrap().get_attribute("lang").as_deref(),
                Some(expected),
                "{what}"
            );
            // Only words that are in another language than those around them say so.
            let marked = widget.find("[part=headline]").unwrap().get_attribute("lang");
            assert_eq!(marked.as_deref(), (merchant == Some("de")).then_some("de"), "{what}");
            widget.is_looked_at(&backend).await;
            let button = widget.finds("[part=accept]").await;
            until("the button to count", || {
                button.click();
                !backend.received("POST /accept").is_empty()
            })
            .await;
            let sent: serde_json::Value =
                serde_json::from_str(&backend.received("POST /accept")[0].body).unwrap();
            assert_eq!(sent["consent"]["locale"], expected, "{what}");
        }
    }
}

#[wasm_bindgen_test]
async fn amounts_follow_the_page_whatever_the_words_are_in() {
    fresh_browser();
    let backend = Backend::new().reply("POST /seen", 204, "");
    let answer = written_in("en", &offer("lang_money", "q1", 5000));
    let widget = Widget::mount_with(on_page("de-DE", &backend, "offer"), Some(&answer));
    let label = widget.finds("[part=accept]").await.text_content().unwrap().replace('\u{a0}', " ");
    assert_eq!(label, "Buy now – pay 50,00 $");
}

/// The merchant has the one campaign in two languages, and the other in one.
#[wasm_bindgen_test]
async fn a_downsell_in_another_language_changes_all_words() {
    fresh_browser();
    let next = written_in("en", &offer("lang_next", "q2", 1900));
    let backend = Backend::new().reply("POST /seen", 204, "").reply(
        "POST /decline",
        200,
        format!(r#"{{"next":{next}}}"#),
    );
    let answer = written_in("ja", &offer("lang_first", "q1", 5000));
    let widget = Widget::mount_with(on_page("ja", &backend, "offer"), Some(&answer));
    widget.finds("[part=decline]").await;
    assert_eq!(spoken(&widget), "ja");
    widget.click("[part=decline]").await;
    widget.sees("19.00").await;
    assert_eq!(
        (spoken(&widget), widget.find(".root").unwrap().get_attribute("lang").as_deref()),
        ("en", Some("en"))
    );
    assert!(!widget.text().contains("お支払い"), "{}", widget.text());
    assert_eq!(backend.received("POST /decline")[0].path, "/decline?locale=ja&languages=en,ja");
}

#[wasm_bindgen_test]
async fn the_plans_are_in_the_language_of_the_answer() {
    fresh_browser();
    let backend = Backend::new().reply("GET ", 200, written_in("ja", PLANS));
    let widget = Widget::mount_with(on_page("de", &backend, "plans"), None);
    widget.sees("プランの選択").await;
    assert_eq!(widget.find(".root").unwrap().get_attribute("lang").as_deref(), Some("ja"));
    assert_eq!(backend.received("GET ")[0].path, "?locale=de&languages=en,ja");
}
