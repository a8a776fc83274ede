//! Previews of a moment ago: whoever asks the same again within seconds gets the same quote, without a question to Dodo.
//!
//! Only while the subscription is the one that was read then: whatever is heard of it, and each press of a button, replaces it
//! in the catalogue. A quote is priced once more before it is charged, so that what is given here may be old but not wrong.

use std::{sync::Arc, time::Duration};

use dodo_client::types::subscriptions::Subscription;
use moka::future::Cache;
use upsell_core::domain::{OfferRow, QuoteRow, Session, TokenHash};
use wire::PreviewRequest;

/// For how long.
const RECENT: Duration = Duration::from_secs(5);
/// Previews kept.
const CAPACITY: u64 = 10_000;

/// What a preview rests on.
#[derive(Clone)]
pub(super) struct Basis {
    /// As it was read from Dodo.
    pub(super) subscription: Arc<Subscription>,
    /// How the change is billed if it is what the buyer was offered.
    pub(super) stay_offer: Option<OfferRow>,
}

impl Basis {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.subscription, &other.subscription) && self.stay_offer == other.stay_offer
    }
}

/// What was found.
#[derive(Clone)]
pub(super) struct Preview {
    /// The promise.
    pub(super) row: QuoteRow,
    /// Names of the add-ons that end.
    pub(super) lost_addons: Vec<String>,
}

/// The latest of each session and request.
pub struct Previews {
    kept: Cache<(TokenHash, PreviewRequest), (Basis, Preview)>,
}

impl Default for Previews {
    fn default() -> Self {
        Self { kept: Cache::builder().max_capacity(CAPACITY).time_to_live(RECENT).build() }
    }
}

impl Previews {
    /// Returns what was found on the same basis.
    pub(super) async fn again(
        &self,
        session: &Session,
        request: &PreviewRequest,
        basis: &Basis,
    ) -> Option<Preview> {
        let (kept, preview) = self.kept.get(&(session.token, request.clone())).await?;
        kept.is(basis).then_some(preview)
    }

    /// Keeps what was found.
    pub(super) async fn keep(
        &self,
        session: &Session,
        request: &PreviewRequest,
        basis: Basis,
        preview: Preview,
    ) {
        self.kept.insert((session.token, request.clone()), (basis, preview)).await;
    }
}
