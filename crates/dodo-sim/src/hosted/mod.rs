//! Pages for buyers: checkout, a challenge, the customer portal. Plain HTML that works without scripts.

mod page;

use crate::engine::charge::{self, End};
use crate::engine::hosted::{Instrument, Paid, Submission, open_session, pay};
use crate::engine::world::World;
use crate::error::{ApiError, Outcome};
use crate::model::card::Card;
use crate::model::payment::{Billing, IntentStatus};
use crate::model::session::{Portal, Session, SessionKind};
use crate::policy::Fragment;
use crate::shared::Shared;
use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use maud::Markup;
use serde::Deserialize;
use std::sync::Arc;
use time::Duration;
use url::Url;

pub(crate) fn router() -> axum::Router<Arc<Shared>> {
    axum::Router::new()
        .route("/session/{id}", get(show).post(submit))
        .route("/challenge/{id}", get(show_challenge).post(answer_challenge))
        .route("/portal/{id}", get(show_portal))
        // Browsers ask for it by themselves, and a refusal stands in the console of whoever looks at the page.
        .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
}

/// Opens a portal visit of 24 hours; returns its id.
pub(crate) fn open_portal(world: &mut World, customer_id: String, return_url: Option<Url>) -> String {
    let id = world.ids.next("cps");
    let expires_at = world.now + Duration::hours(24);
    world.portals.put(Portal { id: id.clone(), customer_id, return_url, expires_at });
    id
}

fn html(status: StatusCode, markup: Markup) -> Response {
    let mut response = (status, markup.into_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Nobody may frame a page on which cards are given.
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'"));
    response
}

fn closed(error: &ApiError) -> Response {
    html(StatusCode::from_u16(error.code.parts().1).unwrap_or(StatusCode::GONE), page::closed(&error.message))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ShowQuery {
    /// Prices the cart for this country.
    country: Option<String>,
}

async fn show(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(query): Query<ShowQuery>,
) -> Response {
    let draft = page::Draft { country: query.country, ..page::Draft::default() };
    match shared.look(|world| page::checkout(world, open_session(world, &id)?, &draft)) {
        Ok(markup) => html(StatusCode::OK, markup),
        Err(error) => closed(&error),
    }
}

/// The form as sent. Every field is text, so that a wrong one can be shown again with words.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    method: String,
    number: String,
    expiry: String,
    cvc: String,
    country: String,
    /// The country that the shown total was for; empty when the form was not shown.
    priced_for: String,
    zipcode: String,
    street: String,
    city: String,
    state: String,
    email: String,
    name: String,
}

async fn submit(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let result = shared.step(|world| {
        let session = open_session(world, &id)?.clone();
        let submission = match fields.read() {
            Ok(submission) => submission,
            Err(problem) => return Ok(Next::Again(fields.again(world, &session, problem)?)),
        };
        let reprice = !fields.priced_for.is_empty() && fields.priced_for != submission.billing.country;
        if reprice && matches!(session.kind, SessionKind::Cart(_)) {
            let problem = "The tax changed with the country. Look at the new total, then pay.";
            return Ok(Next::Again(fields.again(world, &session, problem)?));
        }
        match pay(world, &id, submission) {
            Ok(Paid::Succeeded { payment_id }) => Ok(done(world, &session, &payment_id)),
            Ok(Paid::Declined { error_code }) => {
                Ok(Next::Again(fields.again(world, &session, decline_words(&error_code))?))
            }
            Err(error) => {
                // The session may be closed by now; then there is nothing to show again.
                open_session(world, &id)?;
                Ok(Next::Again(fields.again(world, &session, &error.message)?))
            }
        }
    });
    match result {
        Ok(Next::Again(markup)) => html(StatusCode::UNPROCESSABLE_ENTITY, markup),
        Ok(Next::Page(markup)) => html(StatusCode::OK, markup),
        Ok(Next::Leave(url)) => Redirect::to(url.as_str()).into_response(),
        Err(error) => closed(&error),
    }
}

/// Where the buyer goes from here.
enum Next {
    Again(Markup),
    Page(Markup),
    Leave(Url),
}

/// Shown to buyers: nobody is told that a card is thought stolen.
fn decline_words(error_code: &str) -> &'static str {
    match error_code {
        "INSUFFICIENT_FUNDS" => "The card has insufficient funds. Try another card.",
        "EXPIRED_CARD" => "The card has expired. Try another card.",
        "INCORRECT_NUMBER" => "The card number is not one of the test cards.",
        "INCORRECT_CVC" => "The security code has three or four digits.",
        _ => "The card was declined. Try another card.",
    }
}

impl Fields {
    fn read(&self) -> Result<Submission, &'static str> {
        let instrument = if self.method.is_empty() || self.method == "new" {
            let (expiry_month, expiry_year) =
                read_expiry(&self.expiry).ok_or("Write the expiry date as MM/YY.")?;
            let number: String = self.number.chars().filter(|char| !char.is_whitespace()).collect();
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err("Write the card number in digits.");
            }
            Instrument::Typed {
                card: Card { number, holder: self.name.trim().to_owned(), expiry_month, expiry_year },
                cvc: self.cvc.trim().to_owned(),
            }
        } else {
            Instrument::Saved { payment_method_id: self.method.clone() }
        };
        let optional = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(Submission {
            instrument,
            billing: Billing {
                country: self.country.trim().to_uppercase(),
                city: optional(&self.city),
                state: optional(&self.state),
                street: optional(&self.street),
                zipcode: optional(&self.zipcode),
            },
            email: self.email.trim().to_owned(),
            name: self.name.trim().to_owned(),
        })
    }

    /// The page again with what was typed, but for the card.
    fn again(&self, world: &World, session: &Session, problem: &str) -> Outcome<Markup> {
        let session = world.session(&session.id)?;
        page::checkout(
            world,
            session,
            &page::Draft {
                country: Some(self.country.trim().to_uppercase()),
                zipcode: self.zipcode.clone(),
                email: self.email.clone(),
                name: self.name.clone(),
                problem: Some(problem.to_owned()),
            },
        )
    }
}

/// `12/34`, `12 / 2034`.
fn read_expiry(text: &str) -> Option<(u8, u16)> {
    let (month, year) = text.split_once('/')?;
    let month: u8 = month.trim().parse().ok().filter(|month| (1..=12).contains(month))?;
    let year: u16 = year.trim().parse().ok()?;
    match year {
        0..=99 => Some((month, year + 2000)),
        2000..=2099 => Some((month, year)),
        _ => None,
    }
}

fn done(world: &World, session: &Session, payment_id: &str) -> Next {
    let (return_url, immediately) = match &session.kind {
        SessionKind::Cart(request) => (&request.return_url, request.feature_flags.redirect_immediately),
        SessionKind::Payment { return_url } => (return_url, true),
    };
    let Some(return_url) = return_url else { return Next::Page(page::paid(None)) };
    let url = return_address(world, return_url, payment_id);
    if world.policy.hosted_success_page && !immediately {
        Next::Page(page::paid(Some(&url)))
    } else {
        Next::Leave(url)
    }
}

/// The return address with `payment_id` and `status`, and `subscription_id` when there is one.
fn return_address(world: &World, return_url: &Url, payment_id: &str) -> Url {
    let mut url = return_url.clone();
    let kept = url.fragment().map(str::to_owned);
    if world.policy.return_url_fragment != Fragment::Preserve {
        url.set_fragment(None);
    }
    let payment = world.payments.get(payment_id);
    let status = payment.map_or(IntentStatus::Failed, |payment| payment.status);
    let mut pairs = vec![("payment_id", payment_id)];
    if let Some(subscription_id) = payment.and_then(|payment| payment.subscription_ids.first()) {
        pairs.push(("subscription_id", subscription_id));
    }
    pairs.push(("status", status.as_str()));
    match (world.policy.return_url_fragment, kept) {
        (Fragment::Glue, Some(kept)) => {
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            url.set_fragment(Some(&format!("{kept}?{query}")));
        }
        (Fragment::Preserve | Fragment::Drop | Fragment::Glue, _) => {
            url.query_pairs_mut().extend_pairs(pairs);
        }
    }
    url
}

async fn show_challenge(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let found = shared.look(|world| {
        world.payment(&id).map(|payment| {
            let waits = payment.status == IntentStatus::RequiresCustomerAction;
            waits.then(|| page::challenge(payment))
        })
    });
    match found {
        Ok(Some(markup)) => html(StatusCode::OK, markup),
        Ok(None) => html(StatusCode::GONE, page::closed("This payment no longer waits for you.")),
        Err(error) => closed(&error),
    }
}

#[derive(Debug, Deserialize)]
struct ChallengeAnswer {
    answer: String,
}

async fn answer_challenge(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Form(form): Form<ChallengeAnswer>,
) -> Response {
    let end = if form.answer == "approve" {
        End::Succeeded
    } else {
        End::Failed("AUTHENTICATION_FAILURE".to_owned())
    };
    let result = shared.step(|world| {
        if world.payment(&id)?.status != IntentStatus::RequiresCustomerAction {
            return Err(ApiError::invalid("This payment no longer waits for you."));
        }
        let approved = end == End::Succeeded;
        charge::settle(world, &id, end);
        Ok(approved)
    });
    match result {
        Ok(true) => html(StatusCode::OK, page::paid(None)),
        Ok(false) => html(StatusCode::OK, page::closed("You refused the payment. Nothing was charged.")),
        Err(error) => closed(&error),
    }
}

async fn show_portal(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let found = shared.look(|world| {
        let portal = world
            .portals
            .get(&id)
            .filter(|portal| portal.expires_at > world.now)
            .ok_or_else(|| ApiError::not_found("portal session", &id))?;
        page::portal(world, portal)
    });
    match found {
        Ok(markup) => html(StatusCode::OK, markup),
        Err(error) => closed(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::read_expiry;

    #[test]
    fn expiry_dates_are_read_as_people_write_them() {
        assert_eq!(read_expiry("12/34"), Some((12, 2034)));
        assert_eq!(read_expiry(" 6 / 2032 "), Some((6, 2032)));
        for nonsense in ["", "1234", "13/30", "0/30", "12/345", "ab/cd"] {
            assert_eq!(read_expiry(nonsense), None, "{nonsense}");
        }
    }
}
