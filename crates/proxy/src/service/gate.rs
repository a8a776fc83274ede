//! Whether anything may be accepted: not before the store has been compared with Dodo, and not while it is known to have
//! lost commits.

use std::time::Duration;

use tokio::sync::watch;
use upsell_core::journal::Stale;
use wire::UnixSeconds;

/// Why the gate is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The process has just started.
    Starting,
    /// Another database server took over. It may have received everything.
    NewServer,
    /// The store has lost commits. With the beginning of a payment that should not have been unknown, where that is what
    /// gave it away.
    WentBack(Option<UnixSeconds>),
}

impl Closed {
    /// Both reasons at once.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::WentBack(a), Self::WentBack(b)) => Self::WentBack([a, b].into_iter().flatten().min()),
            (Self::WentBack(seen), _) | (_, Self::WentBack(seen)) => Self::WentBack(seen),
            (Self::NewServer, _) | (_, Self::NewServer) => Self::NewServer,
            (Self::Starting, Self::Starting) => Self::Starting,
        }
    }
}

impl From<Stale> for Closed {
    fn from(stale: Stale) -> Self {
        match stale {
            Stale::LostCommits => Self::WentBack(None),
            Stale::NewTimeline | Stale::Superseded => Self::NewServer,
        }
    }
}

/// The gate. Open when made: who starts a whole proxy closes it first.
#[derive(Debug)]
pub struct Gate(watch::Sender<Option<Closed>>);

impl Default for Gate {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Gate {
    /// Closes it. Reasons add up.
    pub fn close(&self, why: Closed) {
        self.0.send_modify(|state| *state = Some(state.map_or(why, |before| before.and(why))));
    }

    /// Opens it after what `why` asks for was done, unless more has come up meanwhile.
    pub fn open(&self, why: Closed) {
        self.0.send_if_modified(|state| {
            let done = *state == Some(why);
            if done {
                *state = None;
            }
            done
        });
    }

    /// Whether anything may be accepted.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.borrow().is_none()
    }

    /// The same, after waiting for it for a moment.
    pub(super) async fn opens_within(&self, patience: Duration) -> bool {
        let mut state = self.0.subscribe();
        let open = state.wait_for(Option::is_none);
        matches!(tokio::time::timeout(patience, open).await, Ok(Ok(_)))
    }

    /// Waits until it is open.
    pub async fn opened(&self) {
        let mut state = self.0.subscribe();
        if state.wait_for(Option::is_none).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until it is closed, and says why.
    pub async fn closed(&self) -> Closed {
        let mut state = self.0.subscribe();
        loop {
            let why = *state.borrow_and_update();
            if let Some(why) = why {
                return why;
            }
            if state.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_only_for_all_that_it_was_closed_for() {
        let gate = Gate::default();
        assert!(gate.is_open());
        gate.close(Closed::Starting);
        gate.close(Closed::NewServer);
        gate.open(Closed::Starting);
        assert!(!gate.is_open(), "another server took over while the start was looked into");
        gate.close(Closed::WentBack(Some(UnixSeconds(7))));
        gate.open(Closed::NewServer);
        assert!(!gate.is_open(), "the store went back while the start was looked into");
        gate.close(Closed::WentBack(Some(UnixSeconds(9))));
        gate.close(Closed::Starting);
        gate.close(Closed::WentBack(None));
        gate.open(Closed::WentBack(Some(UnixSeconds(7))));
        assert!(gate.is_open());
    }
}
