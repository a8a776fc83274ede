//! The shop's pages. The widget is in two of them: [`thanks`] and [`account`].

use maud::{DOCTYPE, Markup, html};

use crate::catalogue::{ARTICLES, Article};
use crate::dodo::Buyer;
use crate::look::Look;

const SHOP: &str = "Maple Academy";

/// The shelf.
#[must_use]
pub fn home(look: &Look) -> Markup {
    page(
        look,
        "Learn something that lasts",
        &html! {
            h1 { "Learn something that lasts" }
            p.lead { "Courses made with care. Pay once, or by the month." }
            div.shelf {
                @for article in &ARTICLES {
                    article.card {
                        h2 { (article.name) }
                        p { (article.summary) }
                        p.price { (article.price) @if let Some(per) = article.per { span.per { " / " (per) } } }
                        form method="post" action={ "/buy/" (article.product_id) (look.query()) } {
                            button type="submit" { "Buy " (article.name) }
                        }
                    }
                }
            }
        },
    )
}

/// After a payment: the merchant's own page, with one script and one element in it.
#[must_use]
pub fn thanks(
    look: &Look,
    article: Option<&Article>,
    buyer: &Buyer,
    proxy_url: &str,
    token: Option<&str>,
) -> Markup {
    page(
        look,
        "Thank you",
        &html! {
            h1 { "Thank you, " (buyer.name) }
            p.lead {
                @match article {
                    Some(article) => { "Your " (article.name) " is ready. A receipt is on its way to you by e-mail." }
                    None => { "Your order is ready. A receipt is on its way to you by e-mail." }
                }
            }
            dl.facts {
                dt { "Order" } dd { code { (buyer.payment_id) } }
            }
            @if let Some(token) = token {
                (widget(proxy_url))
                upsell-offer endpoint={ (proxy_url) "/v1/upsell" } token=(token)
                    locale=[look.locale.map(|l| l.as_str())] theme=[look.theme.map(|t| t.as_str())] {}
            }
            h2 { "What now?" }
            p { "Have a look around, or go to " a href={ "/account" (look.query()) } { "your account" } "." }
        },
    )
}

/// The buyer's subscription, with the plan comparison.
#[must_use]
pub fn account(
    look: &Look,
    subscriber: Option<&Buyer>,
    proxy_url: &str,
    tokens: Option<(&str, &str)>,
) -> Markup {
    page(
        look,
        "Your account",
        &html! {
            h1 { "Your account" }
            @match (subscriber, tokens) {
                (None, _) => {
                    p.lead { "You have no subscription yet." }
                    p { a href={ "/" (look.query()) } { "The Basic plan is a good start." } }
                }
                (Some(_), None) => {
                    p.lead { "Plans cannot be changed at the moment. Please try again in a few minutes." }
                }
                (Some(buyer), Some((token, standalone))) => {
                    dl.facts {
                        dt { "Name" } dd { (buyer.name) }
                    }
                    (widget(proxy_url))
                    upsell-plans endpoint={ (proxy_url) "/v1/plans" } token=(token)
                        locale=[look.locale.map(|l| l.as_str())] theme=[look.theme.map(|t| t.as_str())] {}
                    p {
                        "The same on a page of its own: "
                        a #standalone href={ (proxy_url) "/upgrade/#token=" (standalone) } { "compare plans" } "."
                    }
                }
            }
        },
    )
}

/// A payment that is still under way.
#[must_use]
pub fn pending(look: &Look) -> Markup {
    page(
        look,
        "Nearly there",
        &html! {
            h1 { "Nearly there" }
            p.lead { "Your bank is still at it. We will write to you as soon as the payment is through." }
            p { a href={ "/success" (look.query()) } { "Look again" } }
        },
    )
}

/// Anything that went wrong, in words for the buyer.
#[must_use]
pub fn trouble(look: &Look, title: &str, what: &str) -> Markup {
    page(
        look,
        title,
        &html! {
            h1 { (title) }
            p.lead { (what) }
            p { a href={ "/" (look.query()) } { "Back to the shop" } }
        },
    )
}

/// The one line of script that a merchant pastes.
fn widget(proxy_url: &str) -> Markup {
    html! { script type="module" src={ (proxy_url) "/upsell.js" } {} }
}

fn page(look: &Look, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(look.locale.map_or("en", |l| l.as_str())) dir=[look.dir.map(|d| d.as_str())]
            data-theme=[look.theme.map(|t| t.as_str())] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content=(look.theme.map_or("light dark", |t| t.as_str()));
                title { (title) " · " (SHOP) }
                link rel="stylesheet" href="/shop.css";
                link rel="icon" href="/icon.svg" type="image/svg+xml";
            }
            body {
                header {
                    a.brand href={ "/" (look.query()) } { (SHOP) }
                    nav { a href={ "/account" (look.query()) } { "Account" } }
                }
                main { (body) }
                footer { p { "A demonstration. Nothing here is for sale, and no card is charged." } }
            }
        }
    }
}
