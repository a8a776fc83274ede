//! Requests as bytes, for those that no HTTP client would send.

use std::{future::pending, time::Duration};

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Longest time to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes that are read of an answer: `HTTP/1.1 204`.
const STATUS_LINE: usize = 12;

/// Sends bytes to an address, on a connection of their own. Returns the status that is answered; `None` when the
/// connection ends without an answer, or none comes.
///
/// # Errors
/// When nobody listens there.
pub async fn exchange(url: &str, request: &[u8]) -> anyhow::Result<Option<u16>> {
    let address = url.strip_prefix("http://").context("an address without a scheme")?;
    let (mut incoming, mut outgoing) = TcpStream::connect(address).await?.into_split();
    let answer = async {
        let mut line = Vec::new();
        while line.len() < STATUS_LINE && incoming.read_buf(&mut line).await.is_ok_and(|read| read > 0) {}
        let status = line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
        str::from_utf8(status).ok()?.parse().ok()
    };
    // A server that has seen enough answers before all of it is sent, and takes no more.
    let send = async {
        drop(outgoing.write_all(request).await);
        pending::<()>().await;
    };
    tokio::select! {
        answer = answer => Ok(answer),
        () = send => Ok(None),
        () = tokio::time::sleep(PATIENCE) => Ok(None),
    }
}
