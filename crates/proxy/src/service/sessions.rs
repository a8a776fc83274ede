//! Session tokens: minted for the merchant's server, or for a shop without one against a nonce; looked up on every call.
//!
//! A token is 256 random bits, kept as its hash, for one buyer and one purpose, and lives for minutes.

use std::{sync::Arc, time::Duration};

use dodo_client::{
    Priority,
    ids::{CustomerId, PaymentId, SubscriptionId},
    types::payments::IntentStatus,
};
use money::later;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::time::Instant;
use upsell_core::{
    domain::{Browser, Confirmation, Session, TriggerEvent},
    policy::authority,
    rules::{MAX_LIMIT, Rules},
};
use wire::{
    CheckoutRequest, CheckoutResponse, ErrorCode, EventRequest, FeatureUsage, Purpose, RedeemRequest,
    SessionRequest, SessionResponse, Trigger, is_browser_secret,
};

use super::{
    browsers::browser,
    confirming::{Confirming, NotYet},
    purchases::{PurchaseError, Purchases},
};
use crate::{
    clock::Clock,
    gateway::Gateway,
    ids,
    store::{Store, StoreError},
};

/// How long a token lives, in seconds.
pub const TOKEN_LIFE: i64 = 15 * 60;
/// How long a buyer may take on Dodo's page before the nonce is void, in seconds. A hosted session lives as long.
pub const NONCE_LIFE: i64 = 24 * 3600;
/// What a nonce follows in the return address: nobody else's parameter begins like this. `embed/checkout.js` looks for it, wherever
/// routers and checkouts have moved it.
const RETURN_PREFIX: &str = "upsell-return-";
/// Most of one product that a shop without a server may sell at once.
const MAX_QUANTITY: u32 = 100;

/// Most features whose usage may be told.
const MAX_USAGE: usize = 20;

/// Why no token was given.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A field of the request cannot be taken.
    #[error("`{0}` cannot be taken")]
    Invalid(&'static str),
    /// The purchase or subscription is not this buyer's, the product is not for sale here, the nonce is not good.
    #[error("no such thing for this buyer")]
    NotFound,
    /// A session for plans, or for another trigger than a purchase, and nobody says that the buyer is signed in.
    #[error("sessions for plans and for triggers other than a purchase are for signed-in buyers")]
    SignInRequired,
    /// Dodo gave no address to pay at.
    #[error("the checkout has no address")]
    NoCheckoutUrl,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Dodo did not answer.
    #[error(transparent)]
    Upstream(#[from] dodo_client::Error),
    /// The purchase is not known.
    #[error(transparent)]
    Purchase(#[from] PurchaseError),
}

impl SessionError {
    /// The code that the client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::InvalidRequest,
            Self::NotFound => ErrorCode::NotFound,
            Self::SignInRequired => ErrorCode::SignInRequired,
            Self::Store(error) => error.code(),
            // The product, or the checkout that is to be redeemed, is not one at Dodo.
            Self::Upstream(error) if error.is_refusal() => ErrorCode::NotFound,
            Self::NoCheckoutUrl | Self::Upstream(_) | Self::Purchase(_) => ErrorCode::Unavailable,
        }
    }
}

/// What sessions are made from.
pub struct Sessions {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The merchant's rules.
    pub rules: Arc<Rules>,
    /// Dodo.
    pub gateway: Gateway,
    /// Purchases.
    pub purchases: Purchases,
    /// Whether what a session names is its buyer's.
    pub confirming: Arc<Confirming>,
    /// How long the merchant's server waits for Dodo at most.
    pub patience: Duration,
    /// What the merchant's server proves itself with.
    pub merchant_key: SecretString,
}

impl Sessions {
    /// Whether this is the merchant's key. Takes the same time whatever is wrong with it.
    #[must_use]
    pub fn is_merchant_key(&self, key: &str) -> bool {
        let expected = Sha256::digest(self.merchant_key.expose_secret().as_bytes());
        Sha256::digest(key.as_bytes()).ct_eq(&expected).into()
    }

    /// Mints a token for the merchant's server, and prepares what it will be used for. Dodo is waited for no longer than
    /// [`Sessions::patience`]; what has not come by then is asked for behind the token, which is good for nothing before.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn mint(&self, request: &SessionRequest) -> Result<SessionResponse, SessionError> {
        let token = ids::token();
        let session = self.session(request, &token)?;
        let until = Instant::now() + self.patience;
        match self.confirming.keep(&session, until).await? {
            true => Ok(SessionResponse { token, expires_at: session.expires_at }),
            false => Err(SessionError::NotFound),
        }
    }

    /// Lets a session be used, unless Dodo has not confirmed yet what it names.
    ///
    /// # Errors
    /// [`NotYet`].
    pub fn admit(&self, session: &Session) -> Result<(), NotYet> {
        self.confirming.admit(session)
    }

    fn session(&self, request: &SessionRequest, token: &str) -> Result<Session, SessionError> {
        let invalid = SessionError::Invalid;
        let purpose = match request.purpose {
            Purpose::Other => return Err(invalid("purpose")),
            known => known,
        };
        let trigger = match request.trigger {
            None => Trigger::Purchase,
            Some(Trigger::Other) => return Err(invalid("trigger")),
            Some(known) => known,
        };
        if authority::needs_sign_in(purpose, trigger) && !request.signed_in {
            return Err(SessionError::SignInRequired);
        }
        let payment = request.payment_id.as_deref().map(PaymentId::parse).transpose();
        let subscription = request.subscription_id.as_deref().map(SubscriptionId::parse).transpose();
        let subscription_id = subscription.map_err(|_| invalid("subscription_id"))?;
        if purpose == Purpose::Plans && subscription_id.is_none() {
            return Err(invalid("subscription_id"));
        }
        if request.locale.as_deref().is_some_and(|locale| !is_language(locale)) {
            return Err(invalid("locale"));
        }
        if request.country.as_deref().is_some_and(|country| !is_country(country)) {
            return Err(invalid("country"));
        }
        let named = request.browser.as_deref().map(|secret| browser(secret).ok_or(invalid("browser")));
        Ok(Session {
            token: ids::token_hash(token),
            customer_id: CustomerId::parse(request.customer_id.as_str())
                .map_err(|_| invalid("customer_id"))?,
            signed_in: request.signed_in,
            purpose,
            trigger,
            payment_id: payment.map_err(|_| invalid("payment_id"))?,
            newest: None,
            subscription_id,
            locale: request.locale.clone(),
            country: request.country.clone(),
            usage: self.usage(&request.usage)?,
            browser: named.transpose()?,
            expires_at: later(self.clock.now(), TOKEN_LIFE),
            confirmation: Confirmation::Pending,
        })
    }

    /// Each feature is one of the rules, and comes once.
    fn usage(&self, usage: &[FeatureUsage]) -> Result<Vec<FeatureUsage>, SessionError> {
        let known = |key: &str| {
            self.rules.plans.iter().flat_map(|plan| &plan.features).any(|feature| feature.key == key)
        };
        for (at, FeatureUsage { feature, used }) in usage.iter().enumerate() {
            let again = usage.iter().take(at).any(|earlier| earlier.feature == *feature);
            if at >= MAX_USAGE || again || !known(feature) || *used > MAX_LIMIT {
                return Err(SessionError::Invalid("usage"));
            }
        }
        Ok(usage.to_vec())
    }

    /// Keeps what the merchant reports of a buyer.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn report(&self, request: &EventRequest) -> Result<(), SessionError> {
        let invalid = SessionError::Invalid;
        // Purchases are reported by Dodo, not by the merchant.
        if matches!(request.trigger, Trigger::Purchase | Trigger::Other) {
            return Err(invalid("trigger"));
        }
        let subscription = request.subscription_id.as_deref().map(SubscriptionId::parse).transpose();
        let event = TriggerEvent {
            id: ids::event_id(),
            customer_id: CustomerId::parse(request.customer_id.as_str())
                .map_err(|_| invalid("customer_id"))?,
            trigger: request.trigger,
            subscription_id: subscription.map_err(|_| invalid("subscription_id"))?,
            at: self.clock.now(),
        };
        Ok(self.store.put_trigger(&event).await?)
    }

    /// Starts a hosted checkout for a shop without a server. The address to come back to carries a nonce in its fragment,
    /// which no server and no `Referer` ever sees.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn start_checkout(&self, request: &CheckoutRequest) -> Result<CheckoutResponse, SessionError> {
        if !self.rules.static_shop.contains(&request.product_id) {
            return Err(SessionError::NotFound);
        }
        let quantity = request.quantity.unwrap_or(1);
        if !(1..=MAX_QUANTITY).contains(&quantity) {
            return Err(SessionError::Invalid("quantity"));
        }
        if request.browser.as_deref().is_some_and(|secret| !is_browser_secret(secret)) {
            return Err(SessionError::Invalid("browser"));
        }
        let nonce = ids::token();
        let fragment = format!("{RETURN_PREFIX}{nonce}");
        let product_id = request.product_id.clone();
        let new_customer = self.rules.static_shop_new_customer;
        let session = self.gateway.open_for_anybody(product_id, quantity, new_customer, &fragment).await?;
        let checkout_url = session.checkout_url.ok_or(SessionError::NoCheckoutUrl)?;
        let expires_at = later(self.clock.now(), NONCE_LIFE);
        // A browser that keeps nothing buys, and is offered nothing.
        if let Some(browser) = &request.browser {
            let (nonce, browser) = (ids::token_hash(&nonce), ids::token_hash(browser));
            self.store.put_nonce(nonce, browser, &session.session_id, expires_at).await?;
        }
        Ok(CheckoutResponse { checkout_url })
    }

    /// Exchanges a nonce for a token, once: in the browser that began the checkout, and only for the payment that Dodo named
    /// in the return address, once it has succeeded. Before that the nonce stays good. The address may have been seen by
    /// whoever was sent the checkout's, and the payment may be somebody else's.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn redeem(&self, request: &RedeemRequest) -> Result<SessionResponse, SessionError> {
        let (Some(browser), Some(named)) = (&request.browser, &request.payment_id) else {
            return Err(SessionError::NotFound);
        };
        let (nonce, browser) = (ids::token_hash(&request.nonce), ids::token_hash(browser));
        let now = self.clock.now();
        let checkout = self.store.nonce(nonce, browser, now).await?.ok_or(SessionError::NotFound)?;
        let status = self.gateway.checkout(&checkout).await?;
        let payment_id = status.payment_id.filter(|id| id.as_str() == named).ok_or(SessionError::NotFound)?;
        let payment = self.gateway.whole_payment(&payment_id).await?;
        if payment.status != Some(IntentStatus::Succeeded) {
            return Err(SessionError::NotFound);
        }
        // Before the nonce is used up: what fails here may be tried again.
        self.purchases.record(&payment).await?;
        // Of two at the same time one gets it.
        self.store.redeem_nonce(nonce, browser, now).await?.ok_or(SessionError::NotFound)?;
        let token = ids::token();
        let session = Session {
            token: ids::token_hash(&token),
            customer_id: payment.customer.customer_id,
            signed_in: false,
            purpose: Purpose::Offer,
            trigger: Trigger::Purchase,
            payment_id: Some(payment_id),
            newest: None,
            subscription_id: None,
            locale: None,
            country: None,
            usage: Vec::new(),
            browser: Some(Browser { secret: browser, outlives_page: true }),
            expires_at: later(now, TOKEN_LIFE),
            confirmation: Confirmation::Confirmed,
        };
        let expires_at = session.expires_at;
        self.confirming.open(session, Instant::now() + self.patience, Priority::Interactive).await?;
        Ok(SessionResponse { token, expires_at })
    }
}

/// The shape of a language tag; whether there are words for it is another matter.
#[must_use]
pub fn is_language(tag: &str) -> bool {
    (1..=35).contains(&tag.len())
        && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Two capital letters.
fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}
