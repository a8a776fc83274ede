//! A merchant's system: takes news over real HTTP and answers as a test wants.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use proxy::webhook_signature::{SignedHeaders, WebhookKey, verify};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use wire::UnixSeconds;

use crate::harness::NOTIFY_KEY;

/// How the receiver answers.
#[derive(Clone)]
pub(crate) enum Script {
    Status(u16),
    /// To another path of the same server.
    Redirect,
    /// With a body that does not end.
    Endless,
    /// When the test lets it.
    Held(Arc<Semaphore>),
}

/// One delivery as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) path: String,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Arrival {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// The contents, if it was signed with the key, as a merchant would check it.
    pub(crate) fn verified(&self, now: UnixSeconds) -> Value {
        let headers = SignedHeaders {
            id: Some(self.id()),
            timestamp: Some(self.header("webhook-timestamp")),
            signature: Some(self.header("webhook-signature")),
        };
        verify(&[WebhookKey::parse(NOTIFY_KEY).unwrap()], headers, &self.body, now.0).unwrap();
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }
}

struct Inside {
    script: Mutex<Script>,
    arrivals: mpsc::UnboundedSender<Arrival>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    inside: Arc<Inside>,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
}

impl Receiver {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/news", listener.local_addr().unwrap());
        let (sender, arrivals) = mpsc::unbounded_channel();
        let inside = Arc::new(Inside {
            script: Mutex::new(script),
            arrivals: sender,
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        });
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&inside));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, inside, arrivals }
    }

    pub(crate) fn answers(&self, script: Script) {
        *self.inside.script.lock().unwrap() = script;
    }

    pub(crate) async fn next(&mut self) -> Arrival {
        tokio::time::timeout(Duration::from_secs(20), self.arrivals.recv())
            .await
            .expect("nothing arrived")
            .unwrap()
    }

    /// How many deliveries were here at once, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.inside.most_at_once.load(Ordering::SeqCst)
    }

    /// What has arrived and was not looked at.
    pub(crate) fn rest(&mut self) -> Vec<Arrival> {
        std::iter::from_fn(|| self.arrivals.try_recv().ok()).collect()
    }
}

async fn answer(State(inside): State<Arc<Inside>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let script = inside.script.lock().unwrap().clone();
    let now = inside.at_once.fetch_add(1, Ordering::SeqCst) + 1;
    inside.most_at_once.fetch_max(now, Ordering::SeqCst);
    inside.arrivals.send(Arrival { path: uri.path().to_owned(), headers, body }).unwrap();
    let response = match script {
        Script::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Script::Redirect => (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response(),
        Script::Endless => {
            let chunk = Bytes::from_static(&[b'x'; 65_536]);
            let chunks = futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
            axum::body::Body::from_stream(chunks).into_response()
        }
        Script::Held(gate) => {
            gate.acquire().await.unwrap().forget();
            StatusCode::NO_CONTENT.into_response()
        }
    };
    inside.at_once.fetch_sub(1, Ordering::SeqCst);
    response
}
