//! Servers that take over from each other: a real primary, a real standby.

use std::time::{Duration, Instant};

use test_postgres::Server;
use upsell_core::{
    domain::{AttemptRow, EquivalenceKey, OfferRow},
    journal::{
        Claim, ClaimOutcome, MarkSent, Stale,
        fixtures::{NOW, after, claim_of, offer, quote},
    },
};

use super::{connections::PATIENCE, *};
use crate::store::{Execute, Offers, Quotes, Restore};

fn shop() -> Tenant {
    Tenant { merchant: "shop".into(), mode: dodo_client::Mode::Test }
}

/// A primary and its synchronous standby, and the address of a new database on both.
struct Pair {
    first: Server,
    second: Server,
    url: SecretString,
}

fn pair() -> Pair {
    let first = Server::start(&[]).unwrap();
    let second = first.standby("second").unwrap();
    let name = first.fresh_database().unwrap();
    let name = name.split('/').nth(3).unwrap().split('?').next().unwrap();
    let url =
        format!("postgres://tests@{},{}/{name}?target_session_attrs=read-write", first.host(), second.host());
    Pair { first, second, url: url.into() }
}

/// Has every commit wait for the standby.
fn synchronize(server: &Server) {
    let set = "ALTER SYSTEM SET synchronous_standby_names = '*'";
    server.sql(&[set, "SELECT pg_reload_conf()"]).unwrap();
    let state = "SELECT string_agg(sync_state, '') FROM pg_stat_replication";
    await_that(|| server.sql(&[state]).unwrap().trim() == "sync");
}

/// The server tells nobody when a signal to it has had its effect.
fn await_that(mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < until, "waited in vain");
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn offered(store: &PostgresStore, id: &str) -> OfferRow {
    let row = OfferRow { equivalence: EquivalenceKey(format!("product:of_{id}")), ..offer(id) };
    let row = store.insert_offer_if_absent(&row).await.unwrap().row();
    store.put_quote(&quote(&format!("qt_{id}"), Some(&row))).await.unwrap();
    row
}

async fn claimed(store: &PostgresStore, claim: &Claim) -> AttemptRow {
    match store.execute(claim).await.unwrap() {
        ClaimOutcome::Claimed(row) => row,
        other => panic!("not claimed: {other:?}"),
    }
}

fn mark(row: &AttemptRow) -> MarkSent {
    MarkSent { attempt: row.id.clone(), now: NOW, next_check_at: after(45), agreed: 1900 }
}

/// I22.
#[tokio::test]
async fn on_another_timeline_nothing_is_claimed_or_sent_before_the_store_is_compared() {
    let Pair { first, second, url } = pair();
    synchronize(&first);
    let store = PostgresStore::open(&url, &shop()).await.unwrap();
    let rows = [offered(&store, "of_1").await, offered(&store, "of_2").await];
    let waiting = claimed(&store, &claim_of(&rows[0], "at_1", "key-1")).await;
    store.beat(NOW).await.unwrap();
    let before = store.inspect().await.unwrap();
    assert_eq!((before.staleness(), before.writes), (None, before.compared));

    first.signal("KILL").unwrap();
    second.sql(&["SELECT pg_promote()"]).unwrap();
    // Until the new server is found, the store fails, and that is all it does.
    let patient = Instant::now() + Duration::from_secs(30);
    let found = loop {
        match store.inspect().await {
            Ok(found) => break found,
            Err(error) => assert!(Instant::now() < patient, "{error:?}"),
        }
    };
    assert_eq!(found.staleness(), Some(Stale::NewTimeline), "{found:?}");
    assert!(!found.has_lost_commits());
    let claim = claim_of(&rows[1], "at_2", "key-2");
    assert_eq!(store.execute(&claim).await.unwrap(), ClaimOutcome::StaleStore(Stale::NewTimeline));
    assert!(!store.execute(&mark(&waiting)).await.unwrap(), "sent on a store that nobody has compared");
    assert_eq!(store.beat(after(1)).await.unwrap(), Some(Stale::NewTimeline));

    let refused = store.begin_anew(after(2), None, before.writes).await.unwrap_err();
    assert!(matches!(refused, StoreError::AnotherServer), "compared on the old server: {refused}");
    store.begin_anew(after(2), None, found.writes).await.unwrap();
    claimed(&store, &claim).await;
    assert!(store.execute(&mark(&waiting)).await.unwrap());
}

/// I22: neither a server that was replaced nor one that follows another is believed, even where it answers.
#[tokio::test]
async fn a_superseded_server_is_left() {
    let Pair { first, second, url } = pair();
    let on_first = SecretString::from(url.expose().replace(&format!(",{}", second.host()), ""));
    let store = PostgresStore::open(&on_first, &shop()).await.unwrap();
    let row = offered(&store, "of_1").await;
    let known = store.inspect().await.unwrap().writes.unwrap();
    // This process has seen the standby that took over; the old primary does not know of it yet.
    store.memory.begin_anew(NOW, Some(Timeline { number: known.number + 1, ..known }));
    let claim = claim_of(&row, "at_1", "key-1");
    assert_eq!(store.execute(&claim).await.unwrap(), ClaimOutcome::StaleStore(Stale::Superseded));
    // The standby is not even opened, and of both the one that can be written is.
    let on_second = SecretString::from(url.expose().replace(&format!("{},", first.host()), ""));
    assert!(matches!(PostgresStore::open(&on_second, &shop()).await.unwrap_err(), OpenError::Standby));
    synchronize(&first);
    let reversed = on_second.expose().replace(&second.host(), &format!("{},{}", second.host(), first.host()));
    PostgresStore::open(&SecretString::from(reversed), &shop()).await.unwrap();
}

/// A commit that no standby confirms, and a server that does not answer at all, are waited for so long and no longer; what
/// came of it is unknown.
#[tokio::test]
async fn nothing_waits_for_a_server_that_is_frozen() {
    let Pair { first, second, url } = pair();
    synchronize(&first);
    let store = PostgresStore::open(&url, &shop()).await.unwrap();
    let rows = [offered(&store, "of_1").await, offered(&store, "of_2").await];
    for (frozen, no) in [(&second, 0_usize), (&first, 1)] {
        frozen.signal("STOP").unwrap();
        let began = Instant::now();
        let claim = claim_of(&rows[no], &format!("at_{no}"), &format!("key-{no}"));
        let refused = store.execute(&claim).await;
        let waited = began.elapsed();
        frozen.signal("CONT").unwrap();
        assert!(matches!(refused, Err(StoreError::Engine(_))), "{refused:?}");
        assert!(waited < PATIENCE + Duration::from_secs(8), "{waited:?}");
        await_that(|| first.sql(&["SELECT 1"]).is_ok());
    }
    store.ping().await.unwrap();
    store.beat(NOW).await.unwrap();
}

#[tokio::test]
async fn several_servers_need_a_synchronous_standby() {
    let Pair { first, second, url } = pair();
    let refused = PostgresStore::open(&url, &shop()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Asynchronous), "{refused}");
    synchronize(&first);
    PostgresStore::open(&url, &shop()).await.unwrap();
    second.signal("KILL").unwrap();
    await_that(|| first.sql(&["SELECT COUNT(*) FROM pg_stat_replication"]).unwrap().trim() == "0");
    let refused = PostgresStore::open(&url, &shop()).await.unwrap_err();
    assert!(matches!(refused, OpenError::NoStandby), "{refused}");
}

trait Expose {
    fn expose(&self) -> &str;
}

impl Expose for SecretString {
    fn expose(&self) -> &str {
        secrecy::ExposeSecret::expose_secret(self)
    }
}
