//! News that an attempt has moved, for those who wait for it in this process. Losing news costs a poll, nothing else.

use tokio::sync::broadcast::{self, error::RecvError};
use wire::AttemptId;

/// News kept for slow listeners.
const BACKLOG: usize = 256;

/// Where news is told.
pub(super) struct Signals(broadcast::Sender<AttemptId>);

/// Somebody who waits for news.
pub(super) struct Listener(broadcast::Receiver<AttemptId>);

impl Signals {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    /// Tells everybody that listens.
    pub(super) fn moved(&self, id: &AttemptId) {
        // An error means that nobody listens.
        drop(self.0.send(id.clone()));
    }

    /// Begins to listen: everything told from now on is heard.
    pub(super) fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// Returns once there is news about `id`, or may have been.
    pub(super) async fn about(mut self, id: &AttemptId) {
        loop {
            match self.0.recv().await {
                Ok(moved) if moved == *id => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_) | RecvError::Closed) => return,
            }
        }
    }
}
