//! Reads are repeated, a few times, and only when that may help.

use std::time::{Duration, Instant};

use dodo_client::{
    Error, Priority, RateLimit, TimeLimits, TransportError, Unsent,
    http::turn::with_priority,
    ids::{CustomerId, PaymentId},
    types::checkouts::Checkout,
};

use crate::{
    charges::plan_change,
    stub::{Act, Stub, answer, answer_with, client},
};

const CUSTOMER: &str = r#"{"customer_id":"cus_1","email":"a@example.com","name":"A"}"#;

fn customer() -> CustomerId {
    CustomerId::parse("cus_1").unwrap()
}

#[tokio::test]
async fn a_failure_that_passes_is_not_seen() {
    for failure in
        [answer(500, "{}"), answer(429, "{}"), answer(408, ""), Act::Reset, Act::Cut(String::new())]
    {
        let stub = Stub::start([failure, answer(200, CUSTOMER)]).await;
        assert_eq!(stub.client().get_customer(&customer()).await.unwrap().email, "a@example.com");
        assert_eq!(stub.seen().len(), 2);
    }
}

#[tokio::test]
async fn a_failure_that_stays_is_reported_after_three_tries() {
    for (status, tries) in
        [(500, 3), (503, 3), (429, 3), (400, 1), (401, 1), (404, 1), (409, 1), (422, 1), (501, 1)]
    {
        let stub = Stub::start([answer(status, r#"{"code":"C"}"#)]).await;
        let error = stub.client().get_customer(&customer()).await.unwrap_err();
        let Error::Api(api) = &error else { panic!("{status}: {error:?}") };
        assert_eq!((api.status, api.code()), (status, Some("C")));
        assert_eq!(error.is_not_found(), status == 404);
        assert_eq!(stub.seen().len(), tries, "{status}");
    }
}

#[tokio::test]
async fn what_comes_again_by_a_schedule_is_asked_once() {
    let stub = Stub::start([answer(503, "{}")]).await;
    let client = stub.client();
    with_priority(Priority::LookUp, client.get_customer(&customer())).await.unwrap_err();
    assert_eq!(stub.seen().len(), 1);
    with_priority(Priority::Charge, client.get_customer(&customer())).await.unwrap_err();
    assert_eq!(stub.seen().len(), 4);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_asked_for_again() {
    let stub = Stub::start([answer(200, r#"{"customer_id":7}"#)]).await;
    let error = stub.client().get_customer(&customer()).await.unwrap_err();
    assert_eq!(error.to_string(), "Dodo's 200 answer could not be read: unexpected shape at `customer_id`");
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn previews_are_reads_although_they_are_posts() {
    let stub = Stub::start([answer(503, "{}")]).await;
    stub.client().preview_checkout(None, &Checkout::default()).await.unwrap_err();
    assert_eq!(stub.seen().len(), 3);
    let stub = Stub::start([answer(503, "{}")]).await;
    let id = "sub_1".parse().unwrap();
    stub.client().preview_plan_change(&id, &plan_change()).await.unwrap_err();
    assert_eq!(stub.seen().len(), 3);
}

#[tokio::test]
async fn writes_are_not_repeated() {
    let stub = Stub::start([answer(503, "{}")]).await;
    let client = stub.client();
    let subscription = "sub_1".parse().unwrap();
    client.create_hosted_checkout(None, &Checkout::default()).await.unwrap_err();
    client.create_portal_session(&customer(), None).await.unwrap_err();
    client.collect_payment_method(&subscription, None).await.unwrap_err();
    client.cancel_scheduled_change(&subscription).await.unwrap_err();
    assert_eq!(stub.seen().len(), 4);
}

#[tokio::test]
async fn a_wait_that_dodo_asks_for_is_kept() {
    let stub = Stub::start([answer_with(429, "retry-after: 1\r\n", "{}"), answer(200, CUSTOMER)]).await;
    let start = Instant::now();
    stub.client().get_customer(&customer()).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_long_wait_is_left_to_the_caller() {
    let headers = "retry-after: 60\r\nx-ratelimit-limit: 240\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1768521600\r\n";
    let stub = Stub::start([answer_with(429, headers, r#"{"code":"TOO_MANY_REQUESTS"}"#)]).await;
    let error = stub.client().get_customer(&customer()).await.unwrap_err();
    let Error::Api(error) = error else { panic!("{error:?}") };
    assert_eq!(error.retry_after, Some(Duration::from_secs(60)));
    let expected = RateLimit { limit: Some(240), remaining: Some(0), reset: Some(1_768_521_600) };
    assert_eq!(error.rate_limit, expected);
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn all_tries_together_have_one_time_limit() {
    let stub = Stub::start([Act::Hang]).await;
    let limits = TimeLimits { read_total: Duration::from_millis(300), ..TimeLimits::default() };
    let error = stub.client_with(limits).get_customer(&customer()).await.unwrap_err();
    assert_eq!(error, Error::Transport(TransportError::Timeout));
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn an_unreachable_server_is_told_from_a_broken_exchange() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error =
        client(&address, TimeLimits::default()).get_payment(&PaymentId::parse("pay_1").unwrap()).await;
    assert_eq!(error.unwrap_err(), Error::Unsent(Unsent::Connect));
}

#[tokio::test]
async fn reads_share_their_connection() {
    let stub = Stub::start([answer(200, CUSTOMER)]).await;
    let client = stub.client();
    for _ in 0..3 {
        client.get_customer(&customer()).await.unwrap();
    }
    let connections: Vec<_> = stub.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0, 0]);
}
