//! The words and the markup of the hosted pages. Element names are relied on by browser tests: inputs `number`,
//! `expiry`, `cvc`, `country`, `zipcode`, `email`, `name`, radio `method`, button `#pay`.

use crate::billing::checkout::CartPrice;
use crate::engine::hosted::cart_price;
use crate::engine::world::World;
use crate::error::Outcome;
use crate::model::customer::{Customer, MethodKind, PaymentMethod};
use crate::model::money::Currency;
use crate::model::payment::Payment;
use crate::model::session::{Portal, Session, SessionKind};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use url::Url;

const STYLE: &str = include_str!("page.css");
/// Shows the total of another country as soon as it is chosen; without it the server asks once more.
const SCRIPT: &str = include_str!("page.js");
/// The countries of the test cards and taxes first; `?country=` offers any other.
const COUNTRIES: [(&str, &str); 12] = [
    ("US", "United States"),
    ("DE", "Germany"),
    ("GB", "United Kingdom"),
    ("JP", "Japan"),
    ("IN", "India"),
    ("FR", "France"),
    ("NL", "Netherlands"),
    ("ES", "Spain"),
    ("IT", "Italy"),
    ("CA", "Canada"),
    ("AU", "Australia"),
    ("BR", "Brazil"),
];

/// What the buyer has chosen or typed so far.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) country: Option<String>,
    pub(super) zipcode: String,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) problem: Option<String>,
}

fn layout(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (content)
                    footer { "Simulated checkout. No money moves; only test cards work." }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn money(currency: Currency, amount: i64) -> String {
    format!("{} {}", currency, currency.display(amount))
}

/// The page of an open session.
pub(super) fn checkout(world: &World, session: &Session, draft: &Draft) -> Outcome<Markup> {
    let customer = session.customer_id.as_deref().and_then(|id| world.customers.get(id));
    let country = chosen_country(session, customer, draft);
    let (title, summary, due, cancel_url) = match &session.kind {
        SessionKind::Cart(request) => {
            let price = cart_price(world, request, &country)?;
            let due = money(price.currency, price.now.total);
            ("Checkout", cart_summary(&price, &country), due, request.cancel_url.as_ref())
        }
        SessionKind::Payment { .. } => {
            let payment = world.payment(session.payment_id.as_deref().unwrap_or_default())?;
            let due = money(payment.currency, payment.total_amount);
            let title = if payment.total_amount == 0 { "Payment method" } else { "Payment" };
            (title, payment_summary(payment), due, None)
        }
    };
    let offers_saved = match &session.kind {
        SessionKind::Cart(request) => request.show_saved_payment_methods,
        SessionKind::Payment { .. } => true,
    };
    let saved: Vec<&PaymentMethod> = customer
        .filter(|_| offers_saved)
        .map(|customer| customer.payment_methods.iter().filter(|method| !method.removed).collect())
        .unwrap_or_default();
    let email = first_filled(&[&draft.email, session.customer_email.as_deref().unwrap_or_default()]);
    let name = first_filled(&[&draft.name, session.customer_name.as_deref().unwrap_or_default()]);
    let known_zipcode = customer.and_then(|customer| customer.billing.as_ref()?.zipcode.as_deref());
    let zipcode = first_filled(&[&draft.zipcode, known_zipcode.unwrap_or_default()]);
    let content = html! {
        h1 { (title) }
        (summary)
        form method="post" action={ "/session/" (session.id) } {
            @if let Some(problem) = &draft.problem {
                p #problem .problem role="alert" { (problem) }
            }
            fieldset {
                legend { "Contact" }
                label { "Email" input name="email" type="email" autocomplete="email" value=(email) required; }
                label { "Name on card" input name="name" autocomplete="cc-name" value=(name); }
            }
            fieldset {
                legend { "Card" }
                @if !saved.is_empty() {
                    @for (at, method) in saved.iter().enumerate() {
                        label .choice {
                            input type="radio" name="method" value=(method.payment_method_id) checked[at == 0];
                            (method_words(method))
                        }
                    }
                    label .choice { input type="radio" name="method" value="new"; "Another card" }
                }
                (card_fields())
            }
            fieldset {
                legend { "Billing address" }
                div .pair {
                    label { "Country" (country_select(&country)) }
                    label { "Postal code"
                        input name="zipcode" autocomplete="postal-code" value=(zipcode);
                    }
                }
                details {
                    summary { "Street, city and state" }
                    label { "Street" input name="street" autocomplete="address-line1"; }
                    div .pair {
                        label { "City" input name="city" autocomplete="address-level2"; }
                        label { "State" input name="state" autocomplete="address-level1"; }
                    }
                }
            }
            // Nobody pays a total that they have not seen: another country's tax is shown first.
            input type="hidden" name="priced_for" value=(country);
            button #pay type="submit" {
                @if title == "Payment method" { "Save card" } @else { "Pay " (due) }
            }
            @if let Some(url) = cancel_url {
                a .cancel href=(url) { "Back to the shop" }
            }
        }
    };
    Ok(layout(title, &content))
}

/// Hidden by the style sheet while a saved card is chosen.
fn card_fields() -> Markup {
    html! {
        div .typed {
            label { "Card number"
                input name="number" inputmode="numeric" autocomplete="cc-number" placeholder="4242 4242 4242 4242";
            }
            div .pair {
                label { "Expiry" input name="expiry" autocomplete="cc-exp" placeholder="MM/YY"; }
                label { "Security code"
                    input name="cvc" inputmode="numeric" autocomplete="cc-csc" placeholder="123";
                }
            }
        }
    }
}

fn first_filled(texts: &[&str]) -> String {
    texts.iter().find(|text| !text.is_empty()).copied().unwrap_or_default().to_owned()
}

fn chosen_country(session: &Session, customer: Option<&Customer>, draft: &Draft) -> String {
    let sent = match &session.kind {
        SessionKind::Cart(request) => request.billing_address.as_ref(),
        SessionKind::Payment { .. } => None,
    };
    let known = sent.or(customer.and_then(|customer| customer.billing.as_ref()));
    draft
        .country
        .clone()
        .filter(|country| country.len() == 2)
        .or(known.map(|billing| billing.country.clone()))
        .unwrap_or_else(|| "US".to_owned())
}

fn country_select(chosen: &str) -> Markup {
    html! {
        select name="country" autocomplete="country" {
            @if !COUNTRIES.iter().any(|(code, _)| *code == chosen) {
                option value=(chosen) selected { (chosen) }
            }
            @for (code, name) in COUNTRIES {
                option value=(code) selected[code == chosen] { (name) }
            }
        }
    }
}

fn cart_summary(price: &CartPrice, country: &str) -> Markup {
    let lines = price.products.iter().flat_map(|product| product.lines());
    let shown = |net: i64, tax: i64, inclusive: bool| {
        money(price.currency, if inclusive { net.saturating_add(tax) } else { net })
    };
    html! {
        table #summary {
            @for line in lines {
                tr {
                    th scope="row" { (line.name) @if line.quantity > 1 { " × " (line.quantity) } }
                    td { (shown(line.now.net, line.now.tax, line.inclusive)) }
                }
            }
            @if price.now.discount > 0 {
                tr .minor { th scope="row" { "Discount included" } td { (money(price.currency, price.now.discount)) } }
            }
            tr .minor { th scope="row" { "Tax (" (country) ")" } td { (money(price.currency, price.now.tax)) } }
            tr .total { th scope="row" { "Total today" } td #total { (money(price.currency, price.now.total)) } }
            @if let Some(recurring) = &price.recurring {
                tr .minor { th scope="row" { "Then every period" } td { (money(price.currency, recurring.total)) } }
            }
        }
    }
}

fn payment_summary(payment: &Payment) -> Markup {
    html! {
        @if payment.total_amount > 0 {
            table {
                tr .total { th scope="row" { "Due now" } td #total { (money(payment.currency, payment.total_amount)) } }
            }
        } @else {
            p { "This card will be used from now on. Nothing is charged today." }
        }
    }
}

fn method_words(method: &PaymentMethod) -> String {
    match &method.kind {
        MethodKind::Card(card) => format!(
            "{} •••• {}, {:02}/{:02}",
            if card.network() == "visa" { "Visa" } else { "Mastercard" },
            card.last4(),
            card.expiry_month,
            card.expiry_year % 100
        ),
        MethodKind::Other { payment_method, .. } => payment_method.clone(),
    }
}

/// After a payment without a way back, or before it.
pub(super) fn paid(return_url: Option<&Url>) -> Markup {
    layout(
        "Paid",
        &html! {
            h1 { "Thank you" }
            p { "Your payment went through." }
            @if let Some(url) = return_url { a #return .button href=(url) { "Back to the shop" } }
        },
    )
}

/// Nothing can be paid here.
pub(super) fn closed(message: &str) -> Markup {
    layout("Not available", &html! { h1 { "Nothing to pay here" } p { (message) } })
}

/// The bank asks the buyer.
pub(super) fn challenge(payment: &Payment) -> Markup {
    layout(
        "Confirm with your bank",
        &html! {
            h1 { "Confirm with your bank" }
            p { "Your bank asks you to confirm " (money(payment.currency, payment.total_amount)) "." }
            form method="post" action={ "/challenge/" (payment.payment_id) } {
                button #approve type="submit" name="answer" value="approve" { "Confirm" }
                button #refuse .second type="submit" name="answer" value="refuse" { "Refuse" }
            }
        },
    )
}

/// What a customer has.
pub(super) fn portal(world: &World, portal: &Portal) -> Outcome<Markup> {
    let customer = world.customer(&portal.customer_id)?;
    let subscriptions =
        world.subscriptions.iter().filter(|subscription| subscription.customer_id == customer.customer_id);
    Ok(layout(
        "Your account",
        &html! {
            h1 { "Your account" }
            p { (customer.name) " · " (customer.email) }
            h2 { "Subscriptions" }
            table {
                @for subscription in subscriptions {
                    @let product = world.products.get(&subscription.plan.product_id);
                    tr {
                        th scope="row" { (product.map_or("", |product| product.name.as_str())) }
                        td { (money(subscription.plan.currency, subscription.plan.unit_price)) }
                    }
                }
            }
            h2 { "Payment methods" }
            ul {
                @for method in customer.payment_methods.iter().filter(|method| !method.removed) {
                    li { (method_words(method)) }
                }
            }
            @if let Some(url) = &portal.return_url { a .button href=(url) { "Back to the shop" } }
        },
    ))
}
