//! The quota is asked before everything that may wait, told of every answer, and never in a charge's way.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use dodo_client::{
    ApiKey, ChargeEvidence, Client, Config, Error, HeldBack, Mode, Priority, Quota, RateLimit,
    http::turn::with_priority,
    ids::{CustomerId, PaymentId, PaymentMethodId},
    quota::Refused,
    types::checkouts::Checkout,
};

use crate::stub::{Act, KEY, Stub, answer, answer_with};

/// What a client did with its quota, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Take(Priority),
    Keep,
    Spend,
    GiveBack,
    Learn(Option<u64>, Option<Refused>),
}

/// Writes everything down and answers as it is told; yes when it is told nothing.
#[derive(Debug, Default)]
struct Notebook {
    calls: Mutex<Vec<Call>>,
    answers: Mutex<VecDeque<Result<(), Duration>>>,
}

impl Notebook {
    fn answering(answers: impl IntoIterator<Item = Result<(), Duration>>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() })
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    fn note(&self, call: Call) {
        self.calls.lock().unwrap().push(call);
    }

    fn asked(&self, call: Call) -> Result<(), Duration> {
        self.note(call);
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(()))
    }
}

impl Quota for Notebook {
    fn take(&self, priority: Priority) -> Result<(), Duration> {
        self.asked(Call::Take(priority))
    }

    fn keep(&self) -> Result<(), Duration> {
        self.asked(Call::Keep)
    }

    fn spend_kept(&self) {
        self.note(Call::Spend);
    }

    fn give_back(&self) {
        self.note(Call::GiveBack);
    }

    fn learn(&self, said: RateLimit, refused: Option<Refused>) {
        self.note(Call::Learn(said.remaining, refused));
    }
}

fn client(stub: &Stub, quota: &Arc<Notebook>) -> Client {
    let config = Config::new(Mode::Test, ApiKey::parse(KEY).unwrap()).with_base_url(&stub.address);
    Client::new(&config.with_quota(Arc::clone(quota) as Arc<dyn Quota>)).unwrap()
}

async fn read(client: &Client) -> Result<(), Error> {
    client.get_payment(&PaymentId::parse("pay_1").unwrap()).await.map(drop)
}

async fn charge(client: &Client) -> ChargeEvidence<()> {
    let customer = CustomerId::parse("cus_1").unwrap();
    let method = PaymentMethodId::parse("pm_1").unwrap();
    match client.charge_checkout(&customer, &method, &Checkout::default()).await {
        ChargeEvidence::Accepted { status, .. } => ChargeEvidence::Accepted { status, reply: () },
        other => panic!("{other:?}"),
    }
}

const LATER: Result<(), Duration> = Err(Duration::from_secs(60));
const SESSION: &str = r#"{"session_id":"cks_1"}"#;

#[tokio::test]
async fn each_try_of_a_read_is_asked_for_and_each_answer_told() {
    let busy = answer_with(503, "x-ratelimit-remaining: 7\r\n", "");
    let stub = Stub::start([busy.clone(), busy, answer(404, "")]).await;
    let quota = Notebook::answering([]);
    read(&client(&stub, &quota)).await.unwrap_err();
    let (take, learn) = (Call::Take(Priority::Interactive), |left| Call::Learn(left, None));
    assert_eq!(quota.calls(), [take, learn(Some(7)), take, learn(Some(7)), take, learn(None)]);
}

#[tokio::test]
async fn a_429_is_told_as_such() {
    let stub = Stub::start([answer_with(429, "retry-after: 9\r\nx-ratelimit-remaining: 0\r\n", "")]).await;
    let quota = Notebook::answering([]);
    read(&client(&stub, &quota)).await.unwrap_err();
    let refused = Some(Refused { retry_after: Some(Duration::from_secs(9)) });
    assert_eq!(quota.calls(), [Call::Take(Priority::Interactive), Call::Learn(Some(0), refused)]);
}

#[tokio::test]
async fn what_is_held_back_is_not_sent_and_says_for_how_long() {
    let stub = Stub::start([answer(200, "{}")]).await;
    let quota = Notebook::answering([LATER, LATER]);
    let client = client(&stub, &quota);
    let held_back = HeldBack { retry_after: Duration::from_secs(60) };
    assert_eq!(read(&client).await.unwrap_err(), Error::HeldBack(held_back));
    let hosted = client.create_hosted_checkout(None, &Checkout::default()).await;
    assert_eq!(hosted.unwrap_err(), Error::HeldBack(held_back));
    assert!(stub.seen().is_empty());
    assert_eq!(quota.calls(), [Call::Take(Priority::Interactive); 2]);
}

#[tokio::test]
async fn a_short_wait_is_waited_for() {
    let stub = Stub::start([answer(404, "")]).await;
    let quota = Notebook::answering([Err(Duration::from_millis(5)), Err(Duration::from_millis(1)), Ok(())]);
    assert!(read(&client(&stub, &quota)).await.unwrap_err().is_not_found());
    assert_eq!(quota.calls().len(), 4);
    // Nobody waits for something that is only fetched anew.
    let quota = Notebook::answering([Err(Duration::from_millis(5))]);
    let refreshed = with_priority(Priority::Refresh, read(&client(&stub, &quota))).await;
    assert!(matches!(refreshed, Err(Error::HeldBack(_))));
}

#[tokio::test]
async fn the_innermost_priority_counts() {
    let stub = Stub::start([answer(404, "")]).await;
    let quota = Notebook::answering([]);
    let client = client(&stub, &quota);
    with_priority(Priority::LookUp, async {
        let _ = with_priority(Priority::Charge, read(&client)).await;
        let _ = read(&client).await;
        let task = client.clone();
        tokio::spawn(async move { read(&task).await }).await.unwrap().unwrap_err();
    })
    .await;
    let mut takes = quota.calls();
    takes.retain(|call| matches!(call, Call::Take(_)));
    assert_eq!(takes, [Priority::Charge, Priority::LookUp, Priority::Interactive].map(Call::Take));
}

#[tokio::test]
async fn a_charge_is_never_asked_about() {
    let stub = Stub::start([answer(200, SESSION)]).await;
    let quota = Notebook::answering(std::iter::repeat_n(LATER, 9));
    assert_eq!(charge(&client(&stub, &quota)).await, ChargeEvidence::Accepted { status: 200, reply: () });
    assert_eq!(quota.calls(), [Call::Learn(None, None)]);
}

#[tokio::test]
async fn room_for_a_charge_is_spent_on_one_request_or_given_back() {
    let stub = Stub::start([answer(200, SESSION)]).await;
    let quota = Notebook::answering([]);
    let client = client(&stub, &quota);
    let room = client.room_for_charge().await.unwrap();
    assert_eq!(quota.calls(), [Call::Keep]);
    let _ = room.spend_on(charge(&client)).await;
    assert_eq!(quota.calls(), [Call::Keep, Call::Spend, Call::Learn(None, None)]);
    // A hosted page counts as a write; where room was kept for it, it is not asked about either.
    let room = client.room_for_charge().await.unwrap();
    room.spend_on(client.create_hosted_checkout(None, &Checkout::default())).await.unwrap();
    assert_eq!(quota.calls()[3..], [Call::Keep, Call::Spend, Call::Learn(None, None)]);
    drop(client.room_for_charge().await.unwrap());
    assert_eq!(quota.calls()[6..], [Call::Keep, Call::GiveBack]);
}

#[tokio::test]
async fn without_room_no_charge_is_begun() {
    let stub = Stub::start([Act::Reset]).await;
    let quota = Notebook::answering([LATER]);
    let refused = client(&stub, &quota).room_for_charge().await.unwrap_err();
    assert_eq!(refused.retry_after, Duration::from_secs(60));
    assert_eq!(quota.calls(), [Call::Keep], "nothing is kept, nothing given back");
}
