//! Which address does what.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::Markup;

use crate::Shop;
use crate::catalogue::article;
use crate::dodo::{Buyer, Outcome};
use crate::http::CallError;
use crate::look::Look;
use crate::pages;
use crate::upsell::Purpose;
use crate::visitors::{Order, VisitorId};

pub(crate) fn router(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/buy/{product_id}", post(buy))
        .route("/success", get(success))
        .route("/account", get(account))
        .route("/shop.css", get(stylesheet))
        .route("/icon.svg", get(icon))
        .with_state(shop)
}

async fn home(Query(look): Query<Look>) -> Response {
    html(StatusCode::OK, &pages::home(&look))
}

/// Starts a checkout and remembers, under the visitor's cookie, that it is theirs.
async fn buy(
    State(shop): State<Arc<Shop>>,
    Path(product_id): Path<String>,
    Query(look): Query<Look>,
    headers: HeaderMap,
) -> Response {
    let Some(article) = article(&product_id) else {
        let page = pages::trouble(&look, "Not on our shelf", "We do not sell that.");
        return html(StatusCode::NOT_FOUND, &page);
    };
    let id = VisitorId::of(&headers).unwrap_or_else(VisitorId::random);
    let known = shop.visitors.get(&id).and_then(|visitor| visitor.buyer).map(|buyer| buyer.customer_id);
    let return_url = format!("{}/success{}", shop.config.public_url, look.query());
    match shop.dodo.start_checkout(article.product_id, known.as_deref(), &return_url).await {
        Ok(checkout) => {
            let order = Order { session_id: checkout.session_id, product_id };
            shop.visitors.update(&id, |visitor| visitor.checkout = Some(order));
            let cookie = [(header::SET_COOKIE, id.set_cookie(&shop.config.public_url))];
            (cookie, Redirect::to(&checkout.checkout_url)).into_response()
        }
        Err(error) => {
            let what = "We cannot reach our payment service. Please try again in a minute.";
            payments_unreachable(&look, &error, what)
        }
    }
}

/// Where Dodo sends the buyer back to. What the address says about the payment is not believed.
async fn success(State(shop): State<Arc<Shop>>, Query(look): Query<Look>, headers: HeaderMap) -> Response {
    let known = VisitorId::of(&headers).and_then(|id| shop.visitors.get(&id).map(|visitor| (id, visitor)));
    let Some((id, Some(order))) = known.map(|(id, visitor)| (id, visitor.checkout)) else {
        return Redirect::to(&format!("/{}", look.query())).into_response();
    };
    match shop.dodo.buyer_of(&order.session_id).await {
        Ok(Outcome::Paid(buyer)) => {
            shop.visitors.update(&id, |visitor| {
                if buyer.subscription_id.is_some() {
                    visitor.subscriber = Some(buyer.clone());
                }
                visitor.buyer = Some(buyer.clone());
            });
            let token = token(&shop, &buyer, Purpose::Offer, &look).await;
            let proxy = &shop.config.proxy_url;
            let page = pages::thanks(&look, article(&order.product_id), &buyer, proxy, token.as_deref());
            with_widget(&shop, &look, &page)
        }
        Ok(Outcome::Pending) => html(StatusCode::OK, &pages::pending(&look)),
        Ok(Outcome::NotPaid) => {
            let what = "The payment did not go through, and nothing was charged.";
            html(StatusCode::OK, &pages::trouble(&look, "Not paid", what))
        }
        // The buyer comes from paying: that this shop cannot ask says nothing about their money.
        Err(error) => {
            let what = "We cannot reach our payment service to see how your payment went. Please reload this page in a minute instead of paying again.";
            payments_unreachable(&look, &error, what)
        }
    }
}

async fn account(State(shop): State<Arc<Shop>>, Query(look): Query<Look>, headers: HeaderMap) -> Response {
    let visitor = VisitorId::of(&headers).and_then(|id| shop.visitors.get(&id));
    let subscriber = visitor.and_then(|visitor| visitor.subscriber);
    let token = match &subscriber {
        Some(buyer) => token(&shop, buyer, Purpose::Plans, &look).await,
        None => None,
    };
    let page = pages::account(&look, subscriber.as_ref(), &shop.config.proxy_url, token.as_deref());
    with_widget(&shop, &look, &page)
}

/// A token, or none: then the page goes without the widget.
async fn token(shop: &Shop, buyer: &Buyer, purpose: Purpose, look: &Look) -> Option<String> {
    match shop.upsell.token(buyer, purpose, look.locale.map(|locale| locale.as_str())).await {
        Ok(token) => Some(token),
        Err(error) => {
            eprintln!("no widget on this page: the proxy {error}");
            None
        }
    }
}

fn payments_unreachable(look: &Look, error: &CallError, what: &str) -> Response {
    eprintln!("Dodo {error}");
    html(StatusCode::BAD_GATEWAY, &pages::trouble(look, "A moment, please", what))
}

/// A page that holds a token: never stored, and under the policy that was asked for.
fn with_widget(shop: &Shop, look: &Look, page: &Markup) -> Response {
    let mut response = html(StatusCode::OK, page);
    let policy = look.csp.map(|csp| csp.header(&shop.config.proxy_url));
    if let Some(policy) = policy.and_then(|policy| HeaderValue::try_from(policy).ok()) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn html(status: StatusCode, page: &Markup) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, Html(page.0.clone())).into_response()
}

async fn stylesheet() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("shop.css"))
}

async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("icon.svg"))
}
