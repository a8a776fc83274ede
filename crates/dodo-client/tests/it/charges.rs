//! A charge leaves at most once, whatever comes back, and what came back is told apart.

use std::time::Duration;

use dodo_client::{
    ChargeEvidence, Client, ErrorBody, TimeLimits, TransportError, Unsent,
    error::DecodeError,
    ids::{CustomerId, PaymentId, PaymentMethodId, ProductId, SubscriptionId},
    types::{
        checkouts::Checkout,
        plan_changes::{EffectiveAt, OnPaymentFailure, PlanChange, ProrationMode},
        refunds::RefundRequest,
    },
};
use tokio::net::TcpListener;

use crate::stub::{Act, Stub, answer, answer_with, client};

/// Every call that may move money.
const CHARGES: [&str; 4] = ["checkout", "plan change", "method switch", "refund"];

/// Evidence without the reply, so that all charges can be compared.
async fn charge(name: &str, client: &Client) -> ChargeEvidence<()> {
    let subscription = SubscriptionId::parse("sub_1").unwrap();
    let method = PaymentMethodId::parse("pm_1").unwrap();
    match name {
        "checkout" => {
            let customer = CustomerId::parse("cus_1").unwrap();
            without_reply(client.charge_checkout(&customer, &method, &Checkout::default()).await)
        }
        "plan change" => without_reply(client.change_plan(&subscription, &plan_change()).await),
        "method switch" => without_reply(client.switch_payment_method(&subscription, &method).await),
        "refund" => {
            let payment_id = PaymentId::parse("pay_1").unwrap();
            let request = RefundRequest { payment_id, items: Vec::new(), reason: None };
            without_reply(client.refund(&request).await)
        }
        other => panic!("no charge is called {other}"),
    }
}

pub(crate) fn plan_change() -> PlanChange {
    PlanChange {
        product_id: ProductId::parse("pdt_pro").unwrap(),
        quantity: 1,
        proration_billing_mode: ProrationMode::DifferenceImmediately,
        addons: Vec::new(),
        effective_at: EffectiveAt::Immediately,
        on_payment_failure: OnPaymentFailure::PreventChange,
        discount_codes: None,
        metadata: None,
    }
}

fn without_reply<T>(evidence: ChargeEvidence<T>) -> ChargeEvidence<()> {
    match evidence {
        ChargeEvidence::Accepted { status, .. } => ChargeEvidence::Accepted { status, reply: () },
        ChargeEvidence::Unsent(why) => ChargeEvidence::Unsent(why),
        ChargeEvidence::Refused(error) => ChargeEvidence::Refused(error),
        ChargeEvidence::Undecodable { status, reason } => ChargeEvidence::Undecodable { status, reason },
        ChargeEvidence::Broken { status, cause } => ChargeEvidence::Broken { status, cause },
    }
}

/// Performs every charge against a server that does `act`, and checks that each left exactly once.
async fn each_once(act: Act, limits: TimeLimits, check: impl Fn(&str, ChargeEvidence<()>)) {
    for name in CHARGES {
        let stub = Stub::start([act.clone()]).await;
        check(name, charge(name, &stub.client_with(limits)).await);
        // Whatever would be sent again would be sent by now or after a pause of the library's; reading the
        // count after the evidence is there, and the client gone, leaves nobody to send.
        assert!(stub.only().line.starts_with("POST "), "{name}");
    }
}

#[tokio::test]
async fn no_status_makes_a_charge_leave_twice() {
    for status in [
        301, 307, 308, 400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 415, 422, 425, 429, 500, 502, 503,
        504,
    ] {
        let body = r#"{"code":"SOME_CODE","message":"words"}"#;
        each_once(answer(status, body), TimeLimits::default(), |name, evidence| {
            let ChargeEvidence::Refused(error) = evidence else { panic!("{name} {status}: {evidence:?}") };
            assert_eq!((error.status, error.code()), (status, Some("SOME_CODE")), "{name}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_server_that_asks_for_a_retry_gets_none() {
    let act = answer_with(429, "retry-after: 0\r\nx-should-retry: true\r\n", "{}");
    each_once(act, TimeLimits::default(), |name, evidence| {
        let ChargeEvidence::Refused(error) = evidence else { panic!("{name}: {evidence:?}") };
        assert_eq!(error.retry_after, Some(Duration::ZERO), "{name}");
    })
    .await;
}

#[tokio::test]
async fn a_torn_connection_is_broken_and_not_unsent() {
    each_once(Act::Reset, TimeLimits::default(), |name, evidence| {
        assert_eq!(evidence, ChargeEvidence::Broken { status: None, cause: TransportError::Reset }, "{name}");
    })
    .await;
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_broken_and_not_unsent() {
    each_once(Act::Cut(String::new()), TimeLimits::default(), |name, evidence| {
        assert_eq!(
            evidence,
            ChargeEvidence::Broken { status: None, cause: TransportError::Truncated },
            "{name}"
        );
    })
    .await;
}

#[tokio::test]
async fn an_answer_cut_in_its_body_is_broken_whatever_its_status() {
    for status in [200, 422] {
        let cut = format!("HTTP/1.1 {status} X\r\ncontent-length: 100\r\n\r\n{{\"session_id\"");
        each_once(Act::Cut(cut), TimeLimits::default(), |name, evidence| {
            let expected = ChargeEvidence::Broken { status: Some(status), cause: TransportError::Truncated };
            assert_eq!(evidence, expected, "{name}");
        })
        .await;
    }
}

#[tokio::test]
async fn an_answer_cut_in_a_chunk_is_broken() {
    let cut = "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n20\r\n{\"session_id\"";
    each_once(Act::Cut(cut.into()), TimeLimits::default(), |name, evidence| {
        assert_eq!(
            evidence,
            ChargeEvidence::Broken { status: Some(200), cause: TransportError::Truncated },
            "{name}"
        );
    })
    .await;
}

#[tokio::test]
async fn no_answer_in_time_is_broken_and_not_unsent() {
    let limits = TimeLimits { request: Duration::from_millis(300), ..TimeLimits::default() };
    each_once(Act::Hang, limits, |name, evidence| {
        assert_eq!(
            evidence,
            ChargeEvidence::Broken { status: None, cause: TransportError::Timeout },
            "{name}"
        );
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_broken() {
    each_once(Act::Cut("SSH-2.0-x\r\n\r\n".into()), TimeLimits::default(), |name, evidence| {
        let expected = ChargeEvidence::Broken { status: None, cause: TransportError::Protocol };
        assert_eq!(evidence, expected, "{name}");
    })
    .await;
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let body = " ".repeat(4 * 1024 * 1024 + 1);
    each_once(answer(200, &body), TimeLimits::default(), |name, evidence| {
        let expected = ChargeEvidence::Broken { status: Some(200), cause: TransportError::TooLong };
        assert_eq!(evidence, expected, "{name}");
    })
    .await;
}

#[tokio::test]
async fn a_success_that_cannot_be_read_is_not_a_refusal() {
    each_once(answer(200, "<html>"), TimeLimits::default(), |name, evidence| {
        let expected = ChargeEvidence::Undecodable { status: 200, reason: DecodeError::NotJson };
        assert_eq!(evidence, expected, "{name}");
    })
    .await;
    let stub = Stub::start([answer(200, r#"{"session_id":"../x"}"#)]).await;
    let reason = DecodeError::Shape { path: "session_id".into() };
    assert_eq!(charge("checkout", &stub.client()).await, ChargeEvidence::Undecodable { status: 200, reason });
}

#[tokio::test]
async fn an_error_page_is_told_from_an_error_of_dodos() {
    for (body, expected) in [
        ("<html>bad gateway</html>", ErrorBody::Text("<html>bad gateway</html>".into())),
        ("", ErrorBody::Empty),
        (
            r#"{"error":{"code":"NESTED","message":"m"}}"#,
            ErrorBody::Parsed { code: Some("NESTED".into()), message: Some("m".into()) },
        ),
    ] {
        let stub = Stub::start([answer(422, body)]).await;
        let ChargeEvidence::Refused(error) = charge("checkout", &stub.client()).await else {
            panic!("{body}")
        };
        assert_eq!(error.body, expected);
    }
}

#[tokio::test]
async fn an_empty_answer_is_success_for_a_plan_change_alone() {
    for name in CHARGES {
        let stub = Stub::start([answer(200, "")]).await;
        let expected = if name == "plan change" {
            ChargeEvidence::Accepted { status: 200, reply: () }
        } else {
            ChargeEvidence::Undecodable { status: 200, reason: DecodeError::NotJson }
        };
        assert_eq!(charge(name, &stub.client()).await, expected, "{name}");
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = client(&address, TimeLimits::default());
    assert_eq!(charge("checkout", &client).await, ChargeEvidence::Unsent(Unsent::Connect));
}

#[tokio::test]
async fn where_the_name_has_no_address_nothing_was_sent() {
    // A name that is reserved never to exist. Without any name server at hand the answer may take too long.
    let evidence = charge("checkout", &client("https://dodo.invalid", TimeLimits::default())).await;
    assert!(matches!(evidence, ChargeEvidence::Unsent(Unsent::Dns | Unsent::ConnectTimeout)), "{evidence:?}");
}

#[tokio::test]
async fn where_no_tls_is_spoken_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let client = client(&address, TimeLimits::default());
    assert_eq!(charge("checkout", &client).await, ChargeEvidence::Unsent(Unsent::Tls));
}

#[tokio::test]
async fn where_tls_never_ends_nothing_was_sent() {
    // The listener's queue takes the connection; nobody ever speaks on it.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let limits = TimeLimits { connect: Duration::from_millis(300), ..TimeLimits::default() };
    let evidence = charge("checkout", &client(&address, limits)).await;
    assert_eq!(evidence, ChargeEvidence::Unsent(Unsent::ConnectTimeout));
}

#[tokio::test]
async fn every_charge_opens_a_connection_of_its_own() {
    let stub = Stub::start([answer(200, r#"{"session_id":"cks_1"}"#)]).await;
    let client = stub.client();
    for _ in 0..3 {
        let _: ChargeEvidence<()> = charge("checkout", &client).await;
    }
    let connections: Vec<_> = stub.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 1, 2]);
}
