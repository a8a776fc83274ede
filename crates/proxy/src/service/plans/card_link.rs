//! The link on which a buyer gives another payment method. What is handed out and when Dodo is asked is decided in
//! [`upsell_core::policy::payment_link`]; here it is looked up, asked for and written down.

use std::{sync::Arc, time::Duration};

use dodo_client::{ids::SubscriptionId, types::subscriptions::PaymentLink};
use upsell_core::{
    domain::Session,
    policy::payment_link::{self, KeptLink, LinkPayment, LinkUse, LiveLink, Next},
};
use wire::PaymentMethodLink;

use super::{Plans, PlansError};
use crate::failpoint;

/// How often a request looks whether another one has got the link.
const PACE: Duration = Duration::from_millis(100);
/// How many times, before the buyer is told to try again.
const LOOKS: u32 = 150;

impl Plans {
    /// Returns where the buyer gives another payment method: one link for the subscription at a time, or else Dodo's portal.
    ///
    /// # Errors
    /// When Dodo gives no link, or what was owed has been paid a moment ago.
    pub async fn payment_method_link(&self, session: &Session) -> Result<PaymentMethodLink, PlansError> {
        let subscription = self.own_subscription(session).await?;
        self.catalogue.note_away(&session.customer_id).await;
        let (id, of) = (&subscription.subscription_id, LinkUse::of(&subscription.status));
        for _ in 0..LOOKS {
            let kept = self.store.payment_link(id, of).await?;
            let lease = match payment_link::next(kept.as_ref(), self.clock.now()) {
                Next::HandOut(link) => match self.link_payment(&link, of).await? {
                    LinkPayment::Open => return Ok(PaymentMethodLink { url: link.url }),
                    LinkPayment::JustPaid => return Err(PlansError::InProgress),
                    LinkPayment::Used => payment_link::asking(kept.as_ref(), self.clock.now()),
                },
                Next::Ask(lease) => lease,
                Next::Wait => {
                    tokio::time::sleep(PACE).await;
                    continue;
                }
            };
            if self.store.replace_payment_link(id, of, &lease).await?
                && let Some(link) = self.ask_for_link(id, of, &lease).await?
            {
                return match link.payment_link {
                    Some(url) => Ok(PaymentMethodLink { url }),
                    None => Ok(PaymentMethodLink { url: self.gateway.portal(&session.customer_id).await? }),
                };
            }
        }
        Err(PlansError::LinkPending)
    }

    /// Asks Dodo for a link under a lease. `None` when the lease was lost meanwhile: then the link is nobody's. Goes on when
    /// the buyer's browser does not wait for it, so that the lease does not outlive the request.
    async fn ask_for_link(
        &self,
        id: &SubscriptionId,
        of: LinkUse,
        lease: &KeptLink,
    ) -> Result<Option<PaymentLink>, PlansError> {
        let (gateway, store, clock) =
            (self.gateway.clone(), Arc::clone(&self.store), Arc::clone(&self.clock));
        let (id, lease) = (id.clone(), lease.clone());
        let asked = tokio::spawn(failpoint::inherit(async move {
            let answer = gateway.payment_method_link(&id).await;
            let kept = payment_link::answered(&lease, answer.as_ref().ok(), clock.now());
            let written = store.replace_payment_link(&id, of, &kept).await?;
            Ok(Some(answer?).filter(|_| written))
        }));
        asked.await.map_err(|_| PlansError::LinkPending)?
    }

    async fn link_payment(&self, link: &LiveLink, of: LinkUse) -> Result<LinkPayment, PlansError> {
        let Some(id) = &link.payment_id else { return Ok(LinkPayment::Open) };
        let payment = self.gateway.payment(id).await?;
        Ok(payment_link::is_used(&payment, of, self.clock.now()))
    }
}
