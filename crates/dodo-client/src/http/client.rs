//! The client itself; its calls stand in [`super::calls`].

use std::{fmt, sync::Arc};

use super::{
    config::{Config, ConfigError},
    transport::Transport,
    turn::{self, Room},
};
use crate::{HeldBack, Mode};

/// Speaks to Dodo for one merchant in one mode. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    mode: Mode,
    pub(crate) transport: Arc<Transport>,
}

impl Client {
    /// Checks the configuration and sets up TLS; no connection is made yet.
    ///
    /// # Errors
    /// When key, mode and base URL do not fit together; see [`ConfigError`].
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self { mode: config.mode, transport: Arc::new(Transport::new(config)?) })
    }

    /// Keeps room within the quota for one charge, waiting up to ten seconds for it. For before the charge is written
    /// down as sent: afterwards nothing may delay it.
    ///
    /// # Errors
    /// When charges alone have used the quota up.
    pub async fn room_for_charge(&self) -> Result<Room, HeldBack> {
        turn::room(self.transport.quota.as_ref()).await
    }

    /// The mode it was configured for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("mode", &self.mode).finish_non_exhaustive()
    }
}
