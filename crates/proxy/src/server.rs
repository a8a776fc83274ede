//! The HTTP/1.1 server: listeners, time-outs and limits per connection, and a stop that lets answers finish.
//!
//! `axum::serve` has no time-out for request heads, so a slow client could hold a connection for ever; hyper itself has
//! one, given a timer.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::Router;
use http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::util::MapRequest;

use crate::client_address::{ClientKey, TrustedProxies};

/// What one listener puts up with.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at a time. One more is told that the server is full.
    pub connections: usize,
    /// From the first byte of a request head to its last. A connection without a request may wait as long.
    pub head_time: Duration,
    /// How long a client may take none of its answer.
    pub write_time: Duration,
    /// How long answers may finish after the stop.
    pub drain_time: Duration,
    /// Everybody else may hold half of the connections, so that no one client shuts out the others.
    pub trusted: TrustedProxies,
}

/// Connections at a time, unless told otherwise.
pub const CONNECTIONS: usize = 2048;

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            head_time: Duration::from_secs(5),
            write_time: Duration::from_secs(20),
            drain_time: Duration::from_secs(35),
            trusted: TrustedProxies::default(),
        }
    }
}

/// Largest request head, in bytes. A page's cookies may be in it, though none are read.
const MAX_HEAD: usize = 32 * 1024;

/// So many at a time are told that the server is full; more are only cut off.
const POLITE: usize = 64;

/// The other end of a connection. Rides on each of its requests.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Sent to connections above the limit, whatever they would have asked.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n\
connection: close\r\ncontent-length: 87\r\n\r\n\
{\"status\":503,\"code\":\"unavailable\",\"title\":\"Too many connections; nothing was charged\"}";

/// Serves until `stop`, then waits for answers under way.
///
/// # Errors
/// Only when the listener itself fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(limits.connections));
    let crowd = Arc::new(Crowd::default());
    let polite = Arc::new(Semaphore::new(POLITE));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_headers(64)
        .max_buf_size(MAX_HEAD);
    loop {
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => (stream, peer.ip()),
                Err(error) if is_passing(&error) => continue,
                Err(error) => {
                    // Out of file descriptors, mostly: some connection has to end before the next can begin.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let share = if limits.trusted.contains(peer.to_canonical()) {
            limits.connections
        } else {
            limits.connections.div_ceil(2)
        };
        let place = crowd.join(peer, share);
        let (Some(place), Ok(slot)) = (place, Arc::clone(&slots).try_acquire_owned()) else {
            metrics::counter!("upsell_turned_away_total", "by" => "connections").increment(1);
            tokio::spawn(turn_away(stream, Arc::clone(&polite).try_acquire_owned().ok()));
            continue;
        };
        let named = move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            request
        };
        let service = TowerToHyperService::new(MapRequest::new(router.clone(), named));
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.write_time));
        let connection = graceful.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        tokio::spawn(async move {
            // A client that goes away mid-request is no event.
            let _ = connection.await;
            drop((slot, place));
        });
    }
    drop(listener);
    let drained = tokio::time::timeout(limits.drain_time, graceful.shutdown()).await;
    if drained.is_err() {
        tracing::warn!("some connections did not end in time");
    }
    Ok(())
}

/// How many connections each client holds.
#[derive(Debug, Default)]
struct Crowd(Mutex<HashMap<ClientKey, usize>>);

/// One connection of a client.
struct Place {
    crowd: Arc<Crowd>,
    client: ClientKey,
}

impl Crowd {
    /// One more of this client, unless it has its share.
    fn join(self: &Arc<Self>, peer: IpAddr, share: usize) -> Option<Place> {
        let client = ClientKey::from(peer);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(client).or_default();
        if *count >= share {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Place { crowd: Arc::clone(self), client })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = held.entry(self.client) {
            *count.get_mut() = count.get().saturating_sub(1);
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// Failures that concern the one connection only.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// Says that the server is full, and hears the request out for a moment: closing a connection with something unread tears
/// it down, and the answer with it.
async fn turn_away(mut stream: TcpStream, polite: Option<OwnedSemaphorePermit>) {
    if polite.is_none() {
        return;
    }
    let goodbye = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
}

#[cfg(test)]
mod tests {
    use axum::{Extension, routing::get};
    use tokio::io::AsyncReadExt;

    use super::*;

    #[test]
    fn the_answer_of_a_full_server_is_well_formed() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["code"], "unavailable");
    }

    async fn start(
        limits: Limits,
    ) -> (std::net::SocketAddr, CancellationToken, tokio::task::JoinHandle<io::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let peer = |Extension(Peer(peer)): Extension<Peer>| async move { peer.to_string() };
        let router = Router::new()
            .route("/", get(|| async { "ok" }))
            .route("/peer", get(peer))
            .route("/long", get(|| async { "x".repeat(64 * 1024 * 1024) }));
        (address, stop.clone(), tokio::spawn(serve(listener, router, limits, stop)))
    }

    async fn read_to_end(stream: &mut TcpStream) -> String {
        let mut answer = String::new();
        tokio::time::timeout(Duration::from_secs(10), stream.read_to_string(&mut answer))
            .await
            .unwrap()
            .unwrap();
        answer
    }

    #[tokio::test]
    async fn half_a_request_head_is_not_waited_for() {
        let limits = Limits { head_time: Duration::from_millis(100), ..Limits::default() };
        let (address, ..) = start(limits).await;
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
        // The end of the stream is the event; nothing of a page comes.
        assert!(!read_to_end(&mut slow).await.contains("200 OK"));
    }

    #[tokio::test]
    async fn one_connection_too_many_is_told_so() {
        let (address, ..) = start(Limits { connections: 1, ..Limits::default() }).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut byte = [0];
        first.read_exact(&mut byte).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        assert!(read_to_end(&mut second).await.starts_with("HTTP/1.1 503"));
    }

    #[tokio::test]
    async fn stopping_closes_idle_connections_and_the_listener() {
        let (address, stop, server) = start(Limits::default()).await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut byte = [0];
        idle.read_exact(&mut byte).await.unwrap();
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(10), server).await.unwrap().unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn one_client_does_not_get_all_connections_unless_it_is_the_merchants_proxy() {
        for (proxies, shut_out) in [("", true), ("127.0.0.0/8", false)] {
            let trusted = TrustedProxies::parse([proxies]).unwrap();
            let (address, ..) = start(Limits { connections: 3, trusted, ..Limits::default() }).await;
            let mut held = Vec::new();
            for _ in 0..2 {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
                stream.read_exact(&mut [0]).await.unwrap();
                held.push(stream);
            }
            let mut third = TcpStream::connect(address).await.unwrap();
            third.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
            let answer = read_to_end(&mut third).await;
            assert_eq!(answer.starts_with("HTTP/1.1 503"), shut_out, "{proxies} {answer}");
        }
    }

    #[test]
    fn a_client_that_has_gone_is_forgotten() {
        let crowd = Arc::new(Crowd::default());
        let here = IpAddr::from([203, 0, 113, 9]);
        let places: Vec<_> = (0..3).map(|_| crowd.join(here, 3).unwrap()).collect();
        assert!(crowd.join(here, 3).is_none());
        assert!(crowd.join(IpAddr::from([203, 0, 113, 8]), 3).is_some());
        drop(places);
        assert!(crowd.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_head_without_an_end_is_cut_off() {
        let (address, ..) = start(Limits::default()).await;
        let mut long = TcpStream::connect(address).await.unwrap();
        let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}", "x".repeat(MAX_HEAD));
        long.write_all(head.as_bytes()).await.unwrap();
        assert!(read_to_end(&mut long).await.starts_with("HTTP/1.1 431"));
    }

    #[tokio::test]
    async fn an_answer_that_nobody_reads_is_not_kept() {
        let limits = Limits { connections: 1, write_time: Duration::from_millis(100), ..Limits::default() };
        let (address, ..) = start(limits).await;
        let mut deaf = TcpStream::connect(address).await.unwrap();
        deaf.write_all(b"GET /long HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        deaf.read_exact(&mut [0]).await.unwrap();
        // The event is that its place becomes free.
        tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                let mut next = TcpStream::connect(address).await.unwrap();
                next.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
                let mut answer = String::new();
                if next.read_to_string(&mut answer).await.is_ok() && answer.starts_with("HTTP/1.1 200") {
                    break;
                }
            }
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn requests_carry_the_other_end() {
        let (address, ..) = start(Limits::default()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        assert!(read_to_end(&mut stream).await.ends_with("127.0.0.1"));
    }
}
