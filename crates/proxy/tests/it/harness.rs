//! A proxy over a simulator of Dodo, both in this process, with real HTTP between and a database of their own. Tests
//! speak in verbs: mint, look, accept, decline.

use std::{path::PathBuf, sync::Arc};

use dodo_sim::SimConfig;
use proxy::{
    clock::ManualClock,
    settings::{Limits, Settings},
};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Database, Dodo, Proxy, Setup};

use crate::canaries;
pub(crate) use testkit::{
    BROWSER, Buyer, FAILS_LATER, GOOD_CARD, MASTERCARD, MERCHANT_KEY, SIGNING_KEYS, WEBHOOK_SECRET,
};

pub(crate) const NOTIFY_KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
pub(crate) const SHOP: &str = "https://shop.example";

/// What a test may want otherwise.
#[derive(Default)]
pub(crate) struct Options {
    /// Rules other than the shipped example.
    pub(crate) rules: Option<String>,
    /// The widget's files.
    pub(crate) widget_dir: Option<PathBuf>,
    /// The upgrade page.
    pub(crate) spa_dir: Option<PathBuf>,
    /// A clock that the test moves.
    pub(crate) clock: Option<Arc<ManualClock>>,
    /// Limits that the test runs into. All requests come from one address, far more of them than from any buyer.
    pub(crate) limits: Option<fn(&mut Limits)>,
    /// What Dodo allows; nothing is counted by default.
    pub(crate) rate_limit: Option<&'static str>,
    /// Where the merchant's system is told the news.
    pub(crate) notify_url: Option<String>,
}

/// A running proxy.
pub(crate) struct TestApp {
    pub(crate) url: String,
    pub(crate) ops_url: String,
    pub(crate) sim: Dodo,
    http: reqwest::Client,
    database: Database,
    /// What the proxy was told, for another look at the same set-up.
    pub(crate) settings: Settings,
    proxy: Proxy,
}

/// One answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        if status >= 400 {
            assert_eq!(canaries::leak(&format!("{headers:?} {text}")), None, "{headers:?} {text}");
        }
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        self.body
    }

    /// The code of an error, after checking that it is a well-formed problem and says nothing more.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        assert!(self.status >= 400, "{} {}", self.status, self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.body);
        assert_eq!(self.headers["cache-control"], "no-store");
        let problem: wire::Problem = serde_json::from_value(self.body.clone()).unwrap();
        assert_eq!(problem.status, self.status);
        assert_eq!(problem.request_id.as_deref(), self.headers["x-request-id"].to_str().ok());
        self.body["code"].as_str().unwrap().to_owned()
    }
}

impl TestApp {
    /// A proxy with the shipped rules, over a fresh simulator and an empty database.
    pub(crate) async fn spawn() -> Self {
        Self::spawn_with(Options::default()).await
    }

    pub(crate) async fn spawn_with(options: Options) -> Self {
        let sim = Dodo::start_with(SimConfig::default()).await.unwrap();
        if let Some(limit) = options.rate_limit {
            sim.switch(json!({"rate_limit": limit})).unwrap();
        }
        Self::over(sim, Database::sqlite().unwrap(), options).await
    }

    /// A proxy over a simulator in which something has happened already.
    pub(crate) async fn spawn_over(sim: Dodo, options: Options) -> Self {
        Self::over(sim, Database::sqlite().unwrap(), options).await
    }

    /// A proxy with the shipped rules on this database.
    pub(crate) async fn spawn_on(database: Database) -> Self {
        let sim = Dodo::start_with(SimConfig::default()).await.unwrap();
        Self::over(sim, database, Options::default()).await
    }

    async fn over(sim: Dodo, database: Database, options: Options) -> Self {
        canaries::watch();
        let shipped = Setup::over(database);
        let setup = Setup {
            rules: options.rules.unwrap_or(shipped.rules),
            clock: options.clock,
            widget_dir: options.widget_dir,
            spa_dir: options.spa_dir,
            notify: options.notify_url.map(|url| (url, NOTIFY_KEY.to_owned())),
            limits: options.limits,
            ..shipped
        };
        let proxy = Proxy::start(&sim, &setup).await.unwrap();
        proxy.hear(&sim).unwrap();
        Self {
            url: proxy.url().to_owned(),
            ops_url: proxy.ops_url().to_owned(),
            settings: proxy.settings().clone(),
            http: http_client(),
            database: setup.database,
            proxy,
            sim,
        }
    }

    /// The database.
    pub(crate) fn database_of(&self) -> &Database {
        &self.database
    }

    /// The store's file.
    pub(crate) fn database(&self) -> PathBuf {
        self.database.file()
    }

    /// Stops the proxy as a deployment would, and starts another on the same database.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(include_str!("../../upsell.toml")).await
    }

    /// The same with other rules.
    pub(crate) async fn restart_with(self, rules: &str) -> Self {
        let Self { sim, database, proxy, .. } = self;
        proxy.stop().await.unwrap();
        Self::over(sim, database, Options { rules: Some(rules.to_owned()), ..Options::default() }).await
    }

    /// Stops the proxy, copies its database as a backup would, and goes on.
    pub(crate) async fn backed_up(self) -> Self {
        self.restart_after(Database::back_up).await
    }

    /// Stops the proxy, puts the backup in its database's place, and goes on.
    pub(crate) async fn restored(self) -> Self {
        self.restart_after(Database::restore).await
    }

    async fn restart_after(self, work: fn(&Database) -> anyhow::Result<()>) -> Self {
        let Self { sim, database, proxy, .. } = self;
        proxy.stop().await.unwrap();
        work(&database).unwrap();
        Self::over(sim, database, Options::default()).await
    }

    /// Waits until every webhook that the simulator has to send was taken.
    pub(crate) async fn quiet(&self) {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            self.sim.post("/_sim/webhooks/flush", json!({"all": true})).await.unwrap();
            let ledger = self.sim.get("/_sim/ledger").await.unwrap();
            let waiting =
                ledger["webhooks"].as_array().unwrap().iter().any(|sent| sent["delivered_at"].is_null());
            if !waiting {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "webhooks are not taken: {}", ledger["webhooks"]);
        }
    }

    /// A request of the one browser in which a test happens.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.request_of(Some(BROWSER), method, path)
    }

    /// A request of a browser that has this secret, or names none.
    pub(crate) fn request_of(
        &self,
        browser: Option<&str>,
        method: Method,
        path: &str,
    ) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match browser {
            Some(secret) => request.header(wire::BROWSER_HEADER, secret),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).bearer_auth(token)).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).bearer_auth(token).json(&body)).await
    }

    /// A post that carries an idempotency key.
    pub(crate) async fn post_once(&self, token: &str, path: &str, key: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).bearer_auth(token).header("idempotency-key", key);
        self.send(request.json(&body)).await
    }

    /// A token as the merchant's server mints it.
    pub(crate) async fn mint(&self, request: Value) -> String {
        let minted = self.post(MERCHANT_KEY, "/v1/sessions", request).await.ok();
        minted["token"].as_str().unwrap().to_owned()
    }

    /// A token to follow up a purchase.
    pub(crate) async fn offer_token(&self, buyer: &Buyer) -> String {
        self.mint(json!({"customer_id": buyer.customer, "purpose": "offer", "payment_id": buyer.payment}))
            .await
    }

    /// A token for the upgrade page.
    pub(crate) async fn plans_token(&self, buyer: &Buyer) -> String {
        let subscription = buyer.subscription.as_ref().unwrap();
        let request = json!({
            "customer_id": buyer.customer, "purpose": "plans", "subscription_id": subscription, "signed_in": true,
        });
        self.mint(request).await
    }

    /// The offer on the page.
    pub(crate) async fn look(&self, token: &str) -> Value {
        self.get(token, "/v1/upsell").await.ok()
    }

    /// Accepts what is on the page.
    pub(crate) async fn accept(&self, token: &str, shown: &Value, key: &str) -> Answer {
        let body = json!({"offer_id": shown["offer"]["id"], "quote_id": shown["quote"]["id"]});
        self.post_once(token, "/v1/upsell/accept", key, body).await
    }

    /// Declines what is on the page.
    pub(crate) async fn decline(&self, token: &str, shown: &Value) -> Answer {
        self.post(token, "/v1/upsell/decline", json!({"offer_id": shown["offer"]["id"]})).await
    }

    /// Pays on a hosted page, which takes the card.
    pub(crate) async fn pay_on_page(&self, url: &str, card: &str) {
        let status = self.sim.pay_on_page(url, card).await.unwrap();
        assert!((300..400).contains(&status), "{status}");
    }

    /// Asks until an attempt is decided.
    pub(crate) async fn settled(&self, token: &str, path: &str, attempt: Value) -> Value {
        let mut attempt = attempt;
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        while !matches!(attempt["status"].as_str(), Some("succeeded" | "failed" | "scheduled")) {
            assert!(tokio::time::Instant::now() < deadline, "still undecided: {attempt}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let id = attempt["attempt_id"].as_str().unwrap().to_owned();
            attempt = self.get(token, &format!("{path}/attempts/{id}")).await.ok();
        }
        attempt
    }
}

/// A browser that follows nothing by itself.
pub(crate) fn http_client() -> reqwest::Client {
    testkit::client().unwrap()
}
