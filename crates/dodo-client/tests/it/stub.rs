//! A server that reads whole requests, writes them down, and then does exactly what the test says: down to
//! cutting an answer in the middle or tearing the connection down. HTTP libraries are too polite for that.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use dodo_client::{ApiKey, Client, Config, Mode, TimeLimits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The key that every test client carries.
pub(crate) const KEY: &str = "dodo_test_c4n4ry";

/// What to do with one request.
#[derive(Clone)]
pub(crate) enum Act {
    /// Write this and keep the connection.
    Answer(String),
    /// Write this, then close.
    Cut(String),
    /// Tear the connection down without an answer.
    Reset,
    /// Never answer.
    Hang,
}

/// An answer with a JSON body.
pub(crate) fn answer(status: u16, body: &str) -> Act {
    answer_with(status, "", body)
}

/// An answer with further header lines, each ended by CRLF.
pub(crate) fn answer_with(status: u16, headers: &str, body: &str) -> Act {
    let length = body.len();
    Act::Answer(format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    ))
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Which connection it came over, counted from 0.
    pub(crate) connection: usize,
    /// `POST /checkouts HTTP/1.1`.
    pub(crate) line: String,
    /// Lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    /// `null` when there was none.
    pub(crate) body: serde_json::Value,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// A running stub. The last act repeats for ever.
pub(crate) struct Stub {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stub {
    pub(crate) async fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let acts: Arc<Mutex<VecDeque<Act>>> = Arc::new(Mutex::new(acts.into_iter().collect()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, connection, Arc::clone(&acts), Arc::clone(&log)));
                connection += 1;
            }
        });
        Self { address, seen }
    }

    /// Requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The only request so far.
    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.into_iter().next().unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        client(&self.address, TimeLimits::default())
    }

    pub(crate) fn client_with(&self, limits: TimeLimits) -> Client {
        client(&self.address, limits)
    }
}

pub(crate) fn client(address: &str, limits: TimeLimits) -> Client {
    let key = ApiKey::parse(KEY).unwrap();
    Client::new(&Config::new(Mode::Test, key).with_base_url(address).with_limits(limits)).unwrap()
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    acts: Arc<Mutex<VecDeque<Act>>>,
    log: Arc<Mutex<Vec<Seen>>>,
) {
    let mut buffer = Vec::new();
    while let Some(seen) = read_request(&mut stream, &mut buffer, connection).await {
        log.lock().unwrap().push(seen);
        let act = {
            let mut acts = acts.lock().unwrap();
            if acts.len() > 1 { acts.pop_front() } else { acts.front().cloned() }
        };
        match act.expect("a stub without acts got a request") {
            Act::Answer(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Act::Cut(text) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                return;
            }
            Act::Reset => {
                stream.set_zero_linger().unwrap();
                return;
            }
            Act::Hang => std::future::pending().await,
        }
    }
}

/// `None` at the end of the connection, or when what came is not HTTP.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>, connection: usize) -> Option<Seen> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end].to_vec()).ok()?;
            let mut lines = head.split("\r\n");
            let line = lines.next()?.to_owned();
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let length = headers
                .iter()
                .find(|(name, _)| name == "content-length")
                .map_or(0, |(_, value)| value.parse::<usize>().unwrap());
            let whole = end + 4 + length;
            if buffer.len() >= whole {
                let body = match &buffer[end + 4..whole] {
                    [] => serde_json::Value::Null,
                    body => serde_json::from_slice(body).unwrap(),
                };
                buffer.drain(..whole);
                return Some(Seen { connection, line, headers, body });
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(read @ 1..) => buffer.extend_from_slice(&chunk[..read]),
            Ok(_) | Err(_) => return None,
        }
    }
}
