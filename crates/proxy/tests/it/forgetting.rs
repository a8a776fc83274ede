//! A buyer is forgotten: nothing of them is left but hashes, nothing brings it back, and a refusal holds (I21).

use std::{process::Command, time::Duration};

use dodo_client::ids::{CustomerId, PaymentId};
use dodo_sim::{NewPayment, NewPaymentMethod};
use proxy::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use testkit::Database;

use crate::{
    harness::{Answer, GOOD_CARD, MERCHANT_KEY, TestApp, WEBHOOK_SECRET},
    webhooks::{deliver, now, signature},
};

const ADDRESS: &str = "forgetful@shop.example";
const COURSE: &str = "prod_starter_course";
const LICENSE: &str = "prod_single_license";

fn customer(app: &TestApp) -> CustomerId {
    let made = app.sim.control().customer(dodo_sim::NewCustomer {
        email: ADDRESS.into(),
        name: "F. Orgetful".into(),
        payment_methods: vec![NewPaymentMethod { number: GOOD_CARD.into(), ..NewPaymentMethod::default() }],
        billing: Some(json!({"country": "US", "state": "CA", "city": "SF", "street": "1 Market St", "zipcode": "94105"})),
        ..dodo_sim::NewCustomer::default()
    });
    CustomerId::parse(made["customer_id"].as_str().unwrap()).unwrap()
}

fn bought(app: &TestApp, customer: &CustomerId, product: &str) -> PaymentId {
    let payment = app.sim.control().payment(NewPayment {
        customer_id: customer.to_string(),
        product_id: product.into(),
        ..NewPayment::default()
    });
    PaymentId::parse(payment.unwrap()["payment_id"].as_str().unwrap()).unwrap()
}

async fn token(app: &TestApp, customer: &CustomerId, payment: &PaymentId) -> String {
    app.mint(json!({"customer_id": customer, "payment_id": payment, "purpose": "offer"})).await
}

async fn forget(app: &TestApp, customer: &CustomerId) -> Answer {
    app.post(MERCHANT_KEY, "/v1/customers/forget", json!({"customer_id": customer})).await
}

/// What the simulator says of a payment, in a webhook of its own.
async fn report(app: &TestApp, id: &str, kind: &str, data: Value) {
    let body =
        json!({"business_id": "bus_sim", "type": kind, "timestamp": "2026-01-01T00:00:05Z", "data": data});
    let body = body.to_string().into_bytes();
    let signed = signature(WEBHOOK_SECRET, id, now(), &body);
    deliver(app, id, now(), &signed, body).await.ok();
}

async fn is_ready(app: &TestApp) -> bool {
    reqwest::get(format!("{}/readyz", app.ops_url)).await.unwrap().status().as_u16() == 200
}

/// Waits until a proxy that was just started has compared its store with Dodo.
async fn ready(app: &TestApp) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while !is_ready(app).await {
        assert!(tokio::time::Instant::now() < deadline, "never ready");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Everything that Dodo may still say of what was before.
async fn late_reports(app: &TestApp, round: &str, purchase: &PaymentId, charge: &str) {
    for (no, payment) in [purchase.as_str(), charge].into_iter().enumerate() {
        let mut told = app.sim.payment(payment).await.unwrap();
        told["payload_type"] = "Payment".into();
        report(app, &format!("msg_{round}_{no}"), "payment.succeeded", told.clone()).await;
        told["payment_id"] = format!("{payment}_renewed").into();
        told["charge_type"] = "renewal".into();
        told["subscription_id"] = "sub_of_before".into();
        report(app, &format!("msg_{round}_{no}_renewed"), "payment.succeeded", told).await;
        let refund = json!({
            "payload_type": "Refund", "refund_id": format!("ref_{payment}"), "payment_id": payment, "status": "succeeded",
            "amount": 100, "currency": "USD", "created_at": "2026-01-01T00:00:00Z", "business_id": "bus_sim",
            "is_partial": true, "customer": {"customer_id": "cus_x", "email": ADDRESS, "name": "F."}, "metadata": {},
        });
        report(app, &format!("msg_{round}_{no}_ref"), "refund.succeeded", refund).await;
        let dispute = json!({
            "payload_type": "Dispute", "dispute_id": format!("dsp_{payment}"), "payment_id": payment,
            "dispute_status": "dispute_opened", "dispute_stage": "dispute", "amount": "100", "currency": "USD",
            "created_at": "2026-01-01T00:00:00Z", "business_id": "bus_sim",
        });
        report(app, &format!("msg_{round}_{no}_dsp"), "dispute.opened", dispute).await;
    }
    assert!(is_ready(app).await, "{round}: taken for a store that has lost commits");
}

/// Tables in which any of these texts stands, in bytes as in words, tombstones and notifications that wait left out.
async fn found(database: &Database, texts: &[&str]) -> Vec<String> {
    use proxy::store::Database as Parsed;
    let mut found = Vec::new();
    match database.parsed().unwrap() {
        Parsed::Sqlite(path) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
            let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
            let statement = "SELECT tables.name, columns.name FROM sqlite_master AS tables,
                             pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'";
            let columns: Vec<(String, String)> = sqlx::query_as(statement).fetch_all(&pool).await.unwrap();
            for (table, column) in columns.iter().filter(|(table, _)| is_looked_at(table)) {
                let statement = format!(
                    "SELECT CASE typeof({column}) WHEN 'blob' THEN lower(hex({column})) ELSE CAST({column} AS TEXT) END
                     FROM {table}"
                );
                let values: Vec<Option<String>> =
                    sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_all(&pool).await.unwrap();
                note(&mut found, table, column, &values, texts);
            }
            pool.close().await;
        }
        Parsed::Postgres(_) => {
            let pool = sqlx::PgPool::connect(database.url()).await.unwrap();
            let statement = "SELECT table_name::text, column_name::text FROM information_schema.columns
                             WHERE table_schema = 'public'";
            let columns: Vec<(String, String)> = sqlx::query_as(statement).fetch_all(&pool).await.unwrap();
            for (table, column) in columns.iter().filter(|(table, _)| is_looked_at(table)) {
                let statement = format!("SELECT {column}::text FROM {table}");
                let values: Vec<Option<String>> =
                    sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_all(&pool).await.unwrap();
                note(&mut found, table, column, &values, texts);
            }
            pool.close().await;
        }
    }
    found
}

/// Locks go within the hour, notifications once they are delivered; tombstones stay.
fn is_looked_at(table: &str) -> bool {
    !["buyers", "outbox", "tombstones", "_sqlx_migrations"].contains(&table)
}

fn note(found: &mut Vec<String>, table: &str, column: &str, values: &[Option<String>], texts: &[&str]) {
    // Bytes are shown as hexadecimal digits.
    let digits = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let holds =
        |value: &&String| texts.iter().any(|text| value.contains(text) || value.contains(&digits(text)));
    found.extend(values.iter().flatten().filter(holds).map(|value| format!("{table}.{column}: {value}")));
}

async fn until_gone(database: &Database, texts: &[&str]) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let left = found(database, texts).await;
        if left.is_empty() {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "still there: {left:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn nothing_brings_a_forgotten_buyer_back(database: Database) {
    let app = TestApp::spawn_on(database).await;
    let buyer = customer(&app);
    let course = bought(&app, &buyer, COURSE);
    let page = token(&app, &buyer, &course).await;
    let shown = app.look(&page).await;
    let taken = app.accept(&page, &shown, "key-1").await.ok();
    let taken = app.settled(&page, "/v1/upsell", taken).await;
    let charge = taken["receipt"]["reference"].as_str().unwrap().to_owned();
    let attempt = taken["attempt_id"].as_str().unwrap().to_owned();
    let license = bought(&app, &buyer, LICENSE);
    let page = token(&app, &buyer, &license).await;
    let refused = app.look(&page).await;
    assert_eq!(refused["product"]["id"], "prod_team_license", "{refused}");
    app.decline(&page, &refused).await.ok();
    app.quiet().await;
    let app = app.backed_up().await;
    ready(&app).await;

    let gone = forget(&app, &buyer).await.ok();
    assert_eq!(gone["charges"], 1, "{gone}");
    let texts = [buyer.as_str(), ADDRESS, course.as_str(), license.as_str(), &charge, &attempt];
    let left = found(app.database_of(), &texts).await;
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(app.get(&page, "/v1/upsell").await.code(), "unauthorized", "sessions are over");
    late_reports(&app, "first", &course, &charge).await;
    // Looking the purchase up again keeps nothing of it either.
    let page = token(&app, &buyer, &course).await;
    assert_eq!(app.look(&page).await["eligible"], false);
    app.post(MERCHANT_KEY, "/v1/customers/forget", json!({"customer_id": buyer})).await.ok();
    assert!(found(app.database_of(), &texts).await.is_empty());

    // A backup from before: forgotten again, and nothing is taken for a loss.
    let app = app.restored().await;
    until_gone(app.database_of(), &texts).await;
    late_reports(&app, "second", &course, &charge).await;
    assert!(found(app.database_of(), &texts).await.is_empty());
    let app = app.restart().await;
    assert!(found(app.database_of(), &texts).await.is_empty());

    // What is bought afterwards is new; what was refused stays refused, on another device and under another customer id, and
    // what is owned is not sold again.
    app.sim.post("/_sim/clock", json!({"advance_seconds": 600})).await.unwrap();
    let another = customer(&app);
    assert_ne!(another, buyer);
    for who in [&buyer, &another] {
        let payment = bought(&app, who, LICENSE);
        app.quiet().await;
        let page = token(&app, who, &payment).await;
        let shown = app.look(&page).await;
        assert_eq!(shown, json!({"eligible": false, "reason": "declined"}), "{who}");
        let payment = bought(&app, who, COURSE);
        app.quiet().await;
        let page = token(&app, who, &payment).await;
        let shown = app.look(&page).await;
        if shown["eligible"] == true {
            assert_eq!(app.accept(&page, &shown, "key-9").await.code(), "offer_gone", "{who}: owned");
        }
    }
    assert_eq!(app.sim.collected_by(&buyer, dodo_sim::Source::OneClick).len(), 1);
    assert!(app.sim.collected_by(&another, dodo_sim::Source::OneClick).is_empty());
}

#[tokio::test]
async fn nothing_brings_a_forgotten_buyer_back_on_sqlite() {
    nothing_brings_a_forgotten_buyer_back(Database::sqlite().unwrap()).await;
}

#[tokio::test]
async fn nothing_brings_a_forgotten_buyer_back_on_postgres() {
    nothing_brings_a_forgotten_buyer_back(Database::postgres().unwrap()).await;
}

/// A hosted page is open: everything else goes at once, the page can still be paid, and then its charge goes as well.
async fn a_pending_charge_is_finished_first(database: Database) {
    let app = TestApp::spawn_on(database).await;
    let buyer = app.sim.buyer_of(COURSE, None).unwrap();
    let page = app.offer_token(&buyer).await;
    let shown = app.look(&page).await;
    let taken = app.accept(&page, &shown, "key-1").await.ok();
    assert_eq!(taken["status"], "checkout_required", "{taken}");
    for _ in 0..2 {
        let forgot = forget(&app, &buyer.customer).await;
        let pending = json!([{"attempt_id": taken["attempt_id"], "reason": "undecided"}]);
        assert_eq!((forgot.status, &forgot.body["pending"]), (202, &pending), "{}", forgot.body);
    }
    assert_eq!(app.get(&page, "/v1/upsell").await.code(), "unauthorized");
    app.pay_on_page(taken["checkout_url"].as_str().unwrap(), GOOD_CARD).await;
    app.quiet().await;
    let page = app.offer_token(&buyer).await;
    assert_eq!(app.look(&page).await["eligible"], false);
    let forgot = forget(&app, &buyer.customer).await;
    assert_eq!((forgot.status, &forgot.body["charges"]), (200, &json!(1)), "{}", forgot.body);
    let left =
        found(app.database_of(), &[buyer.customer.as_str(), taken["attempt_id"].as_str().unwrap()]).await;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_pending_charge_is_finished_first_on_sqlite() {
    a_pending_charge_is_finished_first(Database::sqlite().unwrap()).await;
}

#[tokio::test]
async fn a_pending_charge_is_finished_first_on_postgres() {
    a_pending_charge_is_finished_first(Database::postgres().unwrap()).await;
}

/// A backup from before two charges, one of which is pending when its buyer is forgotten: that one is written anew to come to its
/// end, the other is not, and what it bought stays owned.
async fn a_restored_backup_lacks_charges_of_a_forgotten_buyer(database: Database) {
    let app = TestApp::spawn_on(database).await;
    let buyer = customer(&app);
    let course = bought(&app, &buyer, COURSE);
    let page = token(&app, &buyer, &course).await;
    let shown = app.look(&page).await;
    let app = app.backed_up().await;
    ready(&app).await;
    let taken = app.accept(&page, &shown, "key-1").await.ok();
    let taken = app.settled(&page, "/v1/upsell", taken).await;
    app.sim.switch(json!({"one_click_outcome": "processing", "processing_seconds": 0})).unwrap();
    let other = app.sim.buyer_of(COURSE, Some(GOOD_CARD)).unwrap();
    let page = app.offer_token(&other).await;
    let slow = app.look(&page).await;
    let slow = app.accept(&page, &slow, "key-2").await.ok();
    assert_eq!(slow["status"], "processing", "{slow}");
    app.quiet().await;
    assert_eq!(forget(&app, &buyer).await.ok()["charges"], 1);
    let forgot = forget(&app, &other.customer).await;
    assert_eq!(forgot.status, 202, "{}", forgot.body);

    let app = app.restored().await;
    ready(&app).await;
    let paid = taken["attempt_id"].as_str().unwrap();
    until_gone(app.database_of(), &[buyer.as_str(), paid]).await;
    let forgot = forget(&app, &other.customer).await;
    assert_eq!(forgot.body["pending"][0]["attempt_id"], slow["attempt_id"], "{}", forgot.body);
    let payment =
        app.sim.undecided(&other.customer).await.unwrap()[0]["payment_id"].as_str().unwrap().to_owned();
    app.sim.control().resolve_payment(&payment, dodo_sim::IntentStatus::Succeeded, None).unwrap();
    app.quiet().await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while forget(&app, &other.customer).await.status != 200 {
        assert!(tokio::time::Instant::now() < deadline, "still pending");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(found(app.database_of(), &[other.customer.as_str(), &payment]).await.is_empty());

    // An offer of the second in which its buyer was forgotten is taken for one of before.
    let forgotten_at = SystemClock.now();
    while SystemClock.now() <= forgotten_at {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Both own what they bought: it is not sold again. A session that only knows a purchase is told so by the claim.
    app.sim.post("/_sim/clock", json!({"advance_seconds": 600})).await.unwrap();
    for who in [&buyer, &other.customer] {
        let payment = bought(&app, who, COURSE);
        app.quiet().await;
        let page = token(&app, who, &payment).await;
        let again = app.look(&page).await;
        assert_eq!(again["product"]["id"], shown["product"]["id"], "{who}: {again}");
        assert_eq!(app.accept(&page, &again, "key-9").await.code(), "offer_gone", "{who}");
    }
}

#[tokio::test]
async fn a_restored_backup_lacks_charges_of_a_forgotten_buyer_on_sqlite() {
    a_restored_backup_lacks_charges_of_a_forgotten_buyer(Database::sqlite().unwrap()).await;
}

#[tokio::test]
async fn a_restored_backup_lacks_charges_of_a_forgotten_buyer_on_postgres() {
    a_restored_backup_lacks_charges_of_a_forgotten_buyer(Database::postgres().unwrap()).await;
}

#[tokio::test]
async fn only_the_merchant_forgets_and_retires() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of(COURSE, Some(GOOD_CARD)).unwrap();
    let page = app.offer_token(&buyer).await;
    for (path, body) in [
        ("/v1/customers/forget", json!({"customer_id": buyer.customer})),
        ("/v1/signing-keys/retire", json!({"key_id": "k1"})),
    ] {
        for key in [page.as_str(), "nobody"] {
            assert_eq!(app.post(key, path, body.clone()).await.code(), "unauthorized", "{path}");
        }
    }
    let wrong = app.post(MERCHANT_KEY, "/v1/customers/forget", json!({"customer_id": "a b"})).await;
    assert_eq!((wrong.status, wrong.body["field"].clone()), (400, json!("customer_id")));
    let unknown = app.post(MERCHANT_KEY, "/v1/signing-keys/retire", json!({"key_id": "k9"})).await;
    assert_eq!(unknown.code(), "not_found");
}

/// Runs a command of the binary against the running proxy.
async fn command(app: &TestApp, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_upsell-proxy"));
    command.args(arguments).args(["--proxy", &app.url]).env("UPSELL_MERCHANT_KEY", MERCHANT_KEY);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// Commands that change something work beside the running proxy, which holds the store.
#[tokio::test]
async fn commands_ask_the_running_proxy() {
    let app = TestApp::spawn().await;
    let buyer = app.sim.buyer_of(COURSE, None).unwrap();
    let page = app.offer_token(&buyer).await;
    let shown = app.look(&page).await;
    let taken = app.accept(&page, &shown, "key-1").await.ok();
    let customer = buyer.customer.as_str();
    let (done, text) = command(&app, &["forget", "--customer", customer]).await;
    let attempt = format!("{} (undecided)", taken["attempt_id"].as_str().unwrap());
    assert!(done && text.contains(&attempt), "{text}");
    let other = app.sim.buyer_of(COURSE, Some(GOOD_CARD)).unwrap();
    app.offer_token(&other).await;
    let (done, text) = command(&app, &["forget", "--customer", other.customer.as_str()]).await;
    assert!(done && text.contains("forgotten: 0 charges"), "{text}");
    let (done, text) = command(&app, &["retire-key", "k1"]).await;
    assert!(done && text.contains("retired"), "{text}");
    let (done, text) = command(&app, &["retire-key", "k1"]).await;
    assert!(!done && text.contains("404"), "{text}");
}
