//! Listening, and serving each connection by hand so that it can break in real ways.

mod socket;
mod transport;

use crate::shared::Shared;
use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket::Socket;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const REBIND_PAUSE: Duration = Duration::from_millis(10);

/// Everything that a connection needs.
#[derive(Clone)]
struct Serving {
    shared: Arc<Shared>,
    router: Router,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Serves until stopped. While a refusal lasts nothing listens, so that connecting fails as it does when a server is
/// down; connections that are open end after the answer that they are at.
pub(crate) async fn serve(
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    router: Router,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let serving = Serving { shared, router, tasks, stop };
    let mut listener = Some(listener);
    loop {
        let open = match listener.take() {
            Some(open) => open,
            None => match bind_again(address, &serving.stop).await {
                Some(open) => open,
                None => return,
            },
        };
        let last_answers = CancellationToken::new();
        let Some(until) = accept(open, &serving, &last_answers).await else { return };
        last_answers.cancel();
        tokio::select! {
            () = serving.stop.cancelled() => return,
            () = refusal_over(&serving.shared, until) => {}
        }
    }
}

/// Accepts until a refusal begins; `None` when stopped. The listener closes on return.
async fn accept(
    listener: TcpListener,
    serving: &Serving,
    last_answers: &CancellationToken,
) -> Option<Instant> {
    let mut refuse = serving.shared.refuse_until.subscribe();
    loop {
        let until = *refuse.borrow_and_update();
        if let Some(until) = until.filter(|until| *until > Instant::now()) {
            return Some(until);
        }
        tokio::select! {
            () = serving.stop.cancelled() => return None,
            _ = refuse.changed() => {}
            accepted = listener.accept() => {
                // A failed accept concerns one connection that is gone already.
                if let Ok((stream, _)) = accepted {
                    let connection = connection(stream, serving.clone(), last_answers.clone());
                    serving.tasks.spawn(connection);
                }
            }
        }
    }
}

async fn refusal_over(shared: &Shared, until: Instant) {
    let mut refuse = shared.refuse_until.subscribe();
    let lifted = refuse.wait_for(Option::is_none);
    tokio::select! {
        () = tokio::time::sleep_until(until) => {}
        _ = lifted => {}
    }
}

async fn bind_again(address: SocketAddr, stop: &CancellationToken) -> Option<TcpListener> {
    loop {
        if let Ok(listener) = TcpListener::bind(address).await {
            return Some(listener);
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(REBIND_PAUSE) => {}
        }
    }
}

async fn connection(stream: TcpStream, serving: Serving, last_answers: CancellationToken) {
    let reset = CancellationToken::new();
    let socket = Socket::new(stream, reset.clone());
    let service = service_fn(|request| {
        transport::answer(Arc::clone(&serving.shared), serving.router.clone(), reset.clone(), request)
    });
    let mut connection =
        pin!(http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(socket), service));
    let mut ending = false;
    loop {
        tokio::select! {
            // Dropping the connection drops the socket, which resets when it was told to.
            () = reset.cancelled() => return,
            () = serving.stop.cancelled() => return,
            () = last_answers.cancelled(), if !ending => {
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
            // A broken connection is the client's business.
            _ = &mut connection => return,
        }
    }
}
