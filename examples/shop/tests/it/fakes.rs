//! Stand-ins for Dodo and the proxy on one port, and a shop that talks to them.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Parser as _;
use demo_shop::{Config, Shop};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How the checkout went.
#[derive(Clone, Copy)]
pub(crate) enum Paid {
    NotYet,
    Never,
    Once,
    Monthly,
    /// Dodo has a word for it that nobody knows.
    Unheard,
    /// Dodo does not say.
    Unreachable,
}

struct Book {
    paid: Paid,
    checkouts: Vec<Value>,
    sessions: Vec<Value>,
}

pub(crate) struct Fakes {
    pub(crate) url: String,
    book: Arc<Mutex<Book>>,
}

type Shared = State<Arc<Mutex<Book>>>;

impl Fakes {
    pub(crate) async fn start() -> Self {
        let book = Arc::new(Mutex::new(Book { paid: Paid::Never, checkouts: vec![], sessions: vec![] }));
        let router = Router::new()
            .route("/checkouts", post(create_checkout))
            .route("/checkouts/cks_1", get(checkout))
            .route("/payments/pay_1", get(payment))
            .route("/v1/sessions", post(create_session))
            .with_state(Arc::clone(&book));
        Self { url: serve(router).await, book }
    }

    pub(crate) fn pay(&self, paid: Paid) {
        self.book.lock().unwrap().paid = paid;
    }

    pub(crate) fn checkouts(&self) -> Vec<Value> {
        self.book.lock().unwrap().checkouts.clone()
    }

    pub(crate) fn sessions(&self) -> Vec<Value> {
        self.book.lock().unwrap().sessions.clone()
    }

    /// A shop as one visitor sees it.
    pub(crate) async fn shop(&self) -> Visit {
        self.shop_with_proxy(&self.url).await
    }

    pub(crate) async fn shop_without_proxy(&self) -> Visit {
        // Bound and dropped: nobody listens there.
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        self.shop_with_proxy(&format!("http://{gone}")).await
    }

    async fn shop_with_proxy(&self, proxy: &str) -> Visit {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let config = Config::parse_from([
            "demo-shop",
            "--public-url",
            &url,
            "--proxy-url",
            proxy,
            "--merchant-key",
            "merchant",
            "--dodo-url",
            &self.url,
            "--dodo-key",
            "dodo",
        ]);
        let shop = Shop::new(config).unwrap();
        tokio::spawn(async move { axum::serve(listener, shop.router()).await });
        Visit { url, client: demo_shop::http::client().unwrap(), cookie: Mutex::new(None) }
    }
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn has_key(headers: &HeaderMap, key: &str) -> bool {
    headers.get("authorization").is_some_and(|value| value == &format!("Bearer {key}"))
}

async fn create_checkout(
    State(book): Shared,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    if !has_key(&headers, "dodo") {
        return (StatusCode::UNAUTHORIZED, Json(json!({"code": "UNAUTHORIZED", "message": "no"})));
    }
    book.lock().unwrap().checkouts.push(body);
    let answer = json!({"session_id": "cks_1", "checkout_url": "https://checkout.example/session/cks_1"});
    (StatusCode::OK, Json(answer))
}

async fn checkout(State(book): Shared) -> (StatusCode, Json<Value>) {
    let (payment, status) = match book.lock().unwrap().paid {
        Paid::Unreachable => return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({}))),
        Paid::Unheard => (Some("pay_1"), Some("a word of tomorrow")),
        Paid::NotYet => (Some("pay_1"), Some("processing")),
        Paid::Never => (None, None),
        Paid::Once | Paid::Monthly => (Some("pay_1"), Some("succeeded")),
    };
    let answer = json!({"id": "cks_1", "created_at": "2026-01-01T00:00:00Z", "payment_id": payment, "payment_status": status});
    (StatusCode::OK, Json(answer))
}

async fn payment(State(book): Shared) -> Json<Value> {
    let subscription = matches!(book.lock().unwrap().paid, Paid::Monthly).then_some("sub_1");
    Json(json!({
        "payment_id": "pay_1",
        "status": "succeeded",
        "customer": {"customer_id": "cus_1", "name": "A <b>Buyer", "email": "a@example.com"},
        "subscription_id": subscription,
    }))
}

async fn create_session(
    State(book): Shared,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    if !has_key(&headers, "merchant") {
        return (StatusCode::UNAUTHORIZED, Json(json!({"code": "unauthorized"})));
    }
    let token = format!("tok_{}", body["purpose"].as_str().unwrap());
    book.lock().unwrap().sessions.push(body);
    (StatusCode::OK, Json(json!({"token": token, "expires_at": 1})))
}

/// One visitor of one shop, with their cookie.
pub(crate) struct Visit {
    pub(crate) url: String,
    client: reqwest::Client,
    cookie: Mutex<Option<String>>,
}

/// What the visitor got.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) csp: Option<String>,
    pub(crate) body: String,
}

impl Visit {
    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send(self.client.get(format!("{}{path}", self.url))).await
    }

    pub(crate) async fn post(&self, path: &str) -> Page {
        self.send(self.client.post(format!("{}{path}", self.url))).await
    }

    async fn send(&self, mut request: reqwest::RequestBuilder) -> Page {
        if let Some(cookie) = self.cookie.lock().unwrap().as_ref() {
            request = request.header("cookie", cookie);
        }
        let response = request.send().await.unwrap();
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        if let Some(set) = header("set-cookie") {
            *self.cookie.lock().unwrap() = set.split(';').next().map(str::to_owned);
        }
        Page {
            status: response.status(),
            location: header("location"),
            cache_control: header("cache-control"),
            csp: header("content-security-policy"),
            body: response.text().await.unwrap(),
        }
    }
}
