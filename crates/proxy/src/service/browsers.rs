//! Binds session tokens to browsers, and lets the proxy's own page have a token of its own. The rule is
//! [`upsell_core::policy::binding`].

use upsell_core::{
    domain::{Browser, Session},
    policy::binding::{self, Access},
};
use wire::{HandoverResponse, PAGE_PREFIX, Purpose, SessionResponse, TakeOverRequest, is_browser_secret};

use super::sessions::{SessionError, Sessions};
use crate::{ids, store::StoreError};

/// The caller with a token.
#[derive(Debug)]
pub enum Caller {
    /// The browser that the session belongs to.
    Buyer(Session),
    /// A page that was loaded again in a browser that keeps nothing: it may learn how a charge stands.
    Reloaded(Session),
    /// Another browser.
    Elsewhere,
    /// Somebody without a browser's secret, or with a token that is unknown, over or for another purpose.
    Unknown,
}

impl Sessions {
    /// Finds the session of a token with this purpose, and binds it to the caller's browser if it is free (I24).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn authenticate(
        &self,
        token: &str,
        browser: Option<Browser>,
        purpose: Purpose,
    ) -> Result<Caller, StoreError> {
        let token = ids::token_hash(token);
        // Twice at most: a session that was free and is not any more is bound, and stays so.
        for _ in 0..2 {
            let found = self.store.session(token, self.clock.now()).await?;
            let Some(session) = found.filter(|session| session.purpose == purpose) else { break };
            match binding::access(session.browser, browser) {
                Access::Everything => return Ok(Caller::Buyer(session)),
                Access::ChargeState => return Ok(Caller::Reloaded(session)),
                Access::BoundElsewhere => return Ok(Caller::Elsewhere),
                Access::Unnamed => break,
                Access::Bind(browser) => {
                    if self.store.bind_session(token, &browser).await? {
                        return Ok(Caller::Buyer(Session { browser: Some(browser), ..session }));
                    }
                }
            }
        }
        Ok(Caller::Unknown)
    }

    /// Makes a one-time code with which the proxy's own page goes on for the same buyer.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hand_over(&self, session: &Session) -> Result<HandoverResponse, StoreError> {
        let code = ids::token();
        let expires_at = binding::handover_until(session, self.clock.now());
        self.store.put_handover(session.token, ids::token_hash(&code), expires_at).await?;
        Ok(HandoverResponse { code, expires_at })
    }

    /// Exchanges a one-time code, once, for a session of the page's own.
    ///
    /// # Errors
    /// [`SessionError::Invalid`] for what is not a browser's secret, [`SessionError::NotFound`] for a code that is unknown, used
    /// or over.
    pub async fn take_over(&self, request: &TakeOverRequest) -> Result<SessionResponse, SessionError> {
        let browser = browser(&request.browser).ok_or(SessionError::Invalid("browser"))?;
        let code = ids::token_hash(&request.code);
        let parent = self.store.take_handover(code, self.clock.now()).await?.ok_or(SessionError::NotFound)?;
        let token = ids::token();
        let session = binding::handed_over(&parent, ids::token_hash(&token), browser);
        self.store.put_session(&session).await?;
        Ok(SessionResponse { token, expires_at: session.expires_at })
    }
}

/// Returns the browser that has this secret; `None` where the text cannot be one.
#[must_use]
pub fn browser(secret: &str) -> Option<Browser> {
    is_browser_secret(secret)
        .then(|| Browser { secret: ids::token_hash(secret), outlives_page: !secret.starts_with(PAGE_PREFIX) })
}
