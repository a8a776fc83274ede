//! Plan changes without the HTTP around them.

use ::proxy::service::{accepting::AcceptError, charging::ChargeError, plans::PlansError};
use dodo_client::ids::{CustomerId, SubscriptionId};
use upsell_core::{
    domain::{Fingerprint, Session},
    rules::Reader,
};
use wire::{
    Attempt, ChangeRequest, IdempotencyKey, PlansResponse, PreviewRequest, PreviewResponse, Purpose, QuoteId,
};

use super::{Dodo, InProcessServices, session};

/// A buyer with a running subscription.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// The customer at Dodo.
    pub customer: CustomerId,
    /// The subscription.
    pub subscription: SubscriptionId,
}

impl Subscriber {
    /// Returns a session for the page of plans.
    #[must_use]
    pub fn session(&self) -> Session {
        session(self.customer.clone(), Purpose::Plans, Some(self.subscription.clone()))
    }
}

/// The page of plans of one subscriber.
pub struct PlanPage<'a> {
    services: &'a InProcessServices,
    session: Session,
}

impl PlanPage<'_> {
    /// Returns what the page shows first.
    ///
    /// # Errors
    /// As the buyer is told.
    pub async fn list(&self) -> Result<PlansResponse, PlansError> {
        self.services.plans.page(&self.session, Reader::default()).await
    }

    /// Returns what a change would charge.
    ///
    /// # Errors
    /// As the buyer is told.
    pub async fn preview(&self, request: &PreviewRequest) -> Result<PreviewResponse, PlansError> {
        self.services.plans.preview(&self.session, request).await
    }

    /// Confirms what was shown, with a key.
    ///
    /// # Errors
    /// As the buyer is told.
    pub async fn confirm(&self, quote: &QuoteId, key: &str) -> Result<Attempt, AcceptError> {
        let request = ChangeRequest { quote_id: quote.clone(), consent: None };
        let key = IdempotencyKey::parse(key).map_err(|_| ChargeError::Invalid("key"))?;
        // A request of its own for each quote, as the fingerprint of its body would have it.
        let mut body = [0; 32];
        for (at, byte) in quote.as_str().bytes().enumerate() {
            body[at % 32] ^= byte;
        }
        self.services.accepting.change(&self.session, request, key, Fingerprint(body)).await
    }
}

impl InProcessServices {
    /// Opens the page of plans of one subscriber.
    #[must_use]
    pub fn plan_page(&self, who: &Subscriber) -> PlanPage<'_> {
        PlanPage { services: self, session: who.session() }
    }

    /// Reports a subscription as Dodo would, as it stands now. `no` tells one report from another.
    ///
    /// # Errors
    /// When it is not taken.
    pub async fn report_subscription(&self, dodo: &Dodo, id: &SubscriptionId, no: u32) -> anyhow::Result<()> {
        let mut data = dodo.subscription(id)?;
        data["payload_type"] = "Subscription".into();
        self.deliver(&format!("msg_{id}_{no}"), "subscription.plan_changed", &data).await
    }
}
