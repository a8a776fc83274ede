//! A network cable that can be pulled: TCP connections go through a relay, which stops moving bytes when it is cut.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// A relay to one address. Cut, it takes connections and moves nothing, as a network that swallows packets; healed, it
/// goes on where it stopped.
pub(super) struct Relay {
    port: u16,
    is_cut: Arc<watch::Sender<bool>>,
    accepting: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Relay {
    /// Starts a relay to a port of this machine.
    pub(super) async fn to(target: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let is_cut = Arc::new(watch::Sender::new(false));
        let cut = Arc::clone(&is_cut);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, SocketAddr::from(([127, 0, 0, 1], target)), cut.subscribe()));
            }
        });
        Ok(Self { port, is_cut, accepting })
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Cuts it, or heals it.
    pub(super) fn cut(&self, cut: bool) {
        self.is_cut.send_replace(cut);
    }
}

/// Carries one connection until either side ends it.
async fn carry(client: TcpStream, target: SocketAddr, mut cut: watch::Receiver<bool>) {
    healed(&mut cut).await;
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = server.into_split();
    tokio::select! {
        () = pump(client_in, server_out, cut.clone()) => {}
        () = pump(server_in, client_out, cut) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut cut: watch::Receiver<bool>) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        // The end of a connection does not get through either.
        healed(&mut cut).await;
        let Some(read) = bytes.get(..read).filter(|read| !read.is_empty()) else { return };
        if to.write_all(read).await.is_err() {
            return;
        }
    }
}

async fn healed(cut: &mut watch::Receiver<bool>) {
    if cut.wait_for(|cut| !cut).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_cut_relay_moves_nothing_and_a_healed_one_goes_on() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Relay::to(server.local_addr().unwrap().port()).await.unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", relay.port())).await.unwrap();
        let (mut served, _) = server.accept().await.unwrap();
        client.write_all(b"a").await.unwrap();
        assert_eq!(served.read_u8().await.unwrap(), b'a');
        relay.cut(true);
        client.write_all(b"b").await.unwrap();
        let silence = tokio::time::timeout(Duration::from_millis(100), served.read_u8()).await;
        assert!(silence.is_err(), "{silence:?}");
        relay.cut(false);
        assert_eq!(served.read_u8().await.unwrap(), b'b');
    }
}
