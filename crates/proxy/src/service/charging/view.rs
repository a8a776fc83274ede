//! An attempt as the buyer sees it.

use upsell_core::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, ChargePlan, OfferState, OrderState, RefundCause, Session,
    },
    policy::authority,
};
use wire::{Attempt, AttemptStatus, FailureReason};

use super::Charging;
use crate::store::StoreError;

impl Charging {
    /// How `row` stands, for the buyer of this session.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn view(&self, session: &Session, row: &AttemptRow) -> Result<Attempt, StoreError> {
        let hosted_checkout_offered = match row.state {
            // What is not possible with this card is not with another either.
            AttemptState::Failed(FailureReason::NotPossible) => false,
            AttemptState::Failed(_) => self.another_way_is_open(session, row).await?,
            _ => false,
        };
        let row = &self.within_sight(session, row).await?;
        if self.goes_back(row).await? {
            // Collected late and given back: no receipt for it. The buyer was told that they may leave and will not be
            // charged twice, which is what came of it; "failed" would be a lie.
            let undecided = AttemptRow { state: AttemptState::Abandoned, receipt: None, ..row.clone() };
            return Ok(seen(&undecided, false));
        }
        Ok(seen(row, hosted_checkout_offered))
    }

    /// Leaves out what this session may not be told: the card that paid, the page on which it goes on.
    async fn within_sight(&self, session: &Session, row: &AttemptRow) -> Result<AttemptRow, StoreError> {
        let mut row = row.clone();
        if session.signed_in {
            return Ok(row);
        }
        let purchase = match &session.payment_id {
            Some(id) => self.store.purchase(&session.customer_id, id).await?,
            None => None,
        };
        let quote = self.store.quote(&row.customer_id, &row.quote_id).await?;
        let sight = authority::chargeable(session, purchase.as_ref()).sight(quote.as_ref());
        row.checkout_url = row.checkout_url.filter(|_| sight.page);
        if let Some(receipt) = &mut row.receipt {
            receipt.payment_method = receipt.payment_method.take().filter(|_| sight.card);
        }
        Ok(row)
    }

    /// Whether what was collected goes back, so that nothing was bought.
    async fn goes_back(&self, row: &AttemptRow) -> Result<bool, StoreError> {
        let (AttemptState::Succeeded, Some(payment)) = (row.state, &row.payment_id) else { return Ok(false) };
        let order = self.store.refund_order(payment).await?;
        // One that was refused is a sale for as long as nobody has given it back by hand.
        Ok(order.is_some_and(|order| order.cause == RefundCause::Late && order.state != OrderState::Refused))
    }

    /// After a failed click there is one other way, as long as the offer is open for it.
    async fn another_way_is_open(&self, session: &Session, row: &AttemptRow) -> Result<bool, StoreError> {
        let (AttemptKind::OneClick, Some(offer_id)) = (row.kind, &row.offer_id) else { return Ok(false) };
        let offer = self.store.offer(&session.customer_id, offer_id).await?;
        Ok(offer.is_some_and(|offer| {
            offer.state == OfferState::Failed
                && offer.expires_at > self.clock.now()
                && matches!(offer.plan, ChargePlan::Checkout { .. })
        }))
    }
}

fn seen(row: &AttemptRow, hosted_checkout_offered: bool) -> Attempt {
    let (status, failure) = status(row);
    let on_its_page =
        matches!(status, AttemptStatus::CheckoutRequired | AttemptStatus::RequiresCustomerAction);
    Attempt {
        success: matches!(status, AttemptStatus::Succeeded | AttemptStatus::Scheduled),
        status: Some(status),
        attempt_id: Some(row.id.clone()),
        receipt: row.receipt.clone(),
        failure,
        hosted_checkout_offered,
        checkout_url: row.checkout_url.clone().filter(|_| on_its_page),
    }
}

fn status(row: &AttemptRow) -> (AttemptStatus, Option<FailureReason>) {
    match row.state {
        AttemptState::Claimed | AttemptState::Sent => (AttemptStatus::Processing, None),
        // What was given up may still turn out to have been collected, and what fell short was: "failed" would be a guess.
        AttemptState::Unknown
        | AttemptState::Abandoned
        | AttemptState::Underpaid
        | AttemptState::Dismissed => (AttemptStatus::InDoubt, None),
        AttemptState::NeedsReview => (AttemptStatus::NeedsReview, None),
        AttemptState::Pending { .. } if row.kind == AttemptKind::Hosted && row.checkout_url.is_some() => {
            (AttemptStatus::CheckoutRequired, None)
        }
        AttemptState::Pending { customer_action: true } => (AttemptStatus::RequiresCustomerAction, None),
        AttemptState::Pending { customer_action: false } => (AttemptStatus::Processing, None),
        AttemptState::Succeeded => (AttemptStatus::Succeeded, None),
        AttemptState::Scheduled => (AttemptStatus::Scheduled, None),
        AttemptState::Failed(reason) => (AttemptStatus::Failed, Some(reason)),
        AttemptState::Released => (AttemptStatus::Failed, Some(FailureReason::ProcessingError)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: AttemptKind, state: AttemptState) -> AttemptRow {
        let checkout_url = Some("https://checkout.example/cks_1".into());
        AttemptRow { kind, state, checkout_url, ..AttemptRow::example() }
    }

    /// I12: "failed" is said only when it is certain.
    #[test]
    fn doubt_is_never_called_failure() {
        for state in [
            AttemptState::Claimed,
            AttemptState::Sent,
            AttemptState::Unknown,
            AttemptState::Pending { customer_action: false },
            AttemptState::Pending { customer_action: true },
            AttemptState::Abandoned,
            AttemptState::NeedsReview,
            AttemptState::Underpaid,
            AttemptState::Dismissed,
        ] {
            for kind in [AttemptKind::OneClick, AttemptKind::Hosted, AttemptKind::PlanChange] {
                let seen = seen(&row(kind, state), false);
                assert_ne!(seen.status, Some(AttemptStatus::Failed), "{state:?}");
                assert!(!seen.success && seen.failure.is_none(), "{state:?}");
            }
        }
    }

    #[test]
    fn the_hosted_page_is_shown_while_it_is_open_only() {
        let url = |kind, state| seen(&row(kind, state), false).checkout_url;
        let pending = AttemptState::Pending { customer_action: false };
        assert!(url(AttemptKind::Hosted, pending).is_some());
        assert!(url(AttemptKind::Hosted, AttemptState::Succeeded).is_none());
        assert!(url(AttemptKind::Hosted, AttemptState::Failed(FailureReason::Cancelled)).is_none());
        assert!(url(AttemptKind::OneClick, pending).is_none());
        // A payment that waits for the buyer has a page of its own; it is shown while it waits.
        let waits = AttemptState::Pending { customer_action: true };
        for kind in [AttemptKind::OneClick, AttemptKind::PlanChange] {
            assert!(url(kind, waits).is_some());
            for state in [AttemptState::Unknown, AttemptState::NeedsReview, AttemptState::Succeeded] {
                assert!(url(kind, state).is_none(), "{state:?}");
            }
        }
    }
}
