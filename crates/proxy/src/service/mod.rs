//! What the proxy does, one module a matter. Services bring facts together, let [`upsell_core::policy`] decide, and write
//! down or pass on what it decided. No HTTP and no SQL here.
//!
//! | module | what |
//! |---|---|
//! | [`assemble`] | all of them, put together once |
//! | [`sessions`] | who may ask: tokens, nonces, reported events |
//! | [`confirming`] | whether what a session names is its buyer's |
//! | [`browsers`] | which browser a token answers to |
//! | [`catalogue`] | what Dodo knows and seldom changes, at hand |
//! | [`purchases`] | from payments to purchases |
//! | [`purging`] | deleting what is old, in small steps |
//! | [`offers`] | made, shown, refused |
//! | [`plans`] | compared, previewed |
//! | [`quoting`] | what something costs, and the promise of it |
//! | [`accepting`] | the one way to accept an offer or a plan change |
//! | [`charging`] | collecting a quote, once or not at all |
//! | [`gate`] | whether anything may be accepted |
//! | [`restoring`] | what a store has lost, written anew from Dodo |
//! | [`retaining`] | deleting what is not needed any more |
//! | [`forgetting`] | deleting everything about a buyer |
//! | [`catching_up`] | what Dodo would have reported while its webhooks stayed away |
//! | [`reconciler`] | finding out what became of it |
//! | [`refunds`] | giving back what the merchant's policy says |
//! | [`signing_keys`] | retiring a key |
//! | [`webhooks`] | what Dodo reports |
//! | [`outbox`] | what the merchant's system is told |

pub mod accepting;
pub mod assemble;
pub mod browsers;
pub mod catalogue;
pub mod catching_up;
pub mod charging;
pub mod confirming;
pub mod forgetting;
pub mod gate;
pub mod offers;
pub mod outbox;
pub mod plans;
pub mod purchases;
pub mod purging;
pub mod quoting;
pub mod reconciler;
pub mod refunds;
pub mod resolving;
pub mod restoring;
pub mod retaining;
pub mod sessions;
pub mod signing_keys;
pub mod webhooks;

use std::sync::Arc;

use crate::{store::Store, upstream::UpstreamBudget};

/// All services of one running proxy.
pub struct Services {
    /// Tokens.
    pub sessions: sessions::Sessions,
    /// Offers.
    pub offers: Arc<offers::Offers>,
    /// The upgrade page.
    pub plans: plans::Plans,
    /// Accepting offers and plan changes.
    pub accepting: accepting::Accepting,
    /// Collecting.
    pub charging: Arc<charging::Charging>,
    /// What a person decides.
    pub resolving: resolving::Resolving,
    /// Buyers who want to be forgotten.
    pub forgetting: Arc<forgetting::Forgetting>,
    /// Keys that charges are signed with.
    pub signing_keys: signing_keys::SigningKeys,
    /// Dodo's reports.
    pub webhooks: webhooks::Webhooks,
    /// Prices and quotes.
    pub quoting: Arc<quoting::Quoting>,
    /// Products, payment methods and subscriptions, cached.
    pub catalogue: catalogue::Catalogue,
    /// For its gauges.
    pub upstream: Arc<UpstreamBudget>,
    /// For the readiness check.
    pub store: Arc<dyn Store>,
}

impl Services {
    /// Whether the proxy can do its work: the store answers, and is known to hold what Dodo knows.
    pub async fn is_ready(&self) -> bool {
        self.charging.gate().is_open() && self.store.ping().await.is_ok()
    }
}
