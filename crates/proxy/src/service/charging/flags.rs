//! What happens to sales afterwards: refunds and disputes, whoever reports them. Nothing here moves an attempt or an
//! offer: what was sold stays sold, and is never offered again.

use dodo_client::{
    ids::PaymentId,
    types::{disputes::Dispute, payments::Payment, refunds::Refund},
};
use upsell_core::{
    domain::{DisputeStatus, RefundStatus, SeenDispute, SeenRefund},
    journal::{RecordDispute, RecordRefund},
};

use super::Charging;
use crate::{
    gateway::{seen_dispute, seen_refund},
    store::{Execute, StoreError},
};

impl Charging {
    /// A refund, from a webhook or a look.
    ///
    /// # Errors
    /// When the store fails; Dodo will send it again.
    pub async fn observe_refund(&self, refund: &Refund) -> Result<(), StoreError> {
        match seen_refund(refund) {
            Some(seen) => self.note_refund(&seen).await,
            None => Ok(()),
        }
    }

    /// The same, read already.
    pub(in crate::service) async fn note_refund(&self, seen: &SeenRefund) -> Result<(), StoreError> {
        let record = RecordRefund { refund: seen.clone(), at: self.clock.now() };
        let news = self.store.execute(&record).await?;
        if news && seen.status == RefundStatus::Failed {
            self.alert_about("refund_failed", &seen.payment_id).await?;
        }
        Ok(())
    }

    /// A dispute, from a webhook or inside a payment.
    ///
    /// # Errors
    /// When the store fails; Dodo will send it again.
    pub async fn observe_dispute(&self, dispute: &Dispute) -> Result<(), StoreError> {
        let Some(seen) = seen_dispute(dispute) else { return Ok(()) };
        let SeenDispute { payment_id, status, .. } = &seen;
        let record = RecordDispute { dispute: seen.clone(), at: self.clock.now() };
        let news = self.store.execute(&record).await?;
        // There is a date until which it has to be answered.
        if news && *status == DisputeStatus::Opened {
            self.alert_about("disputed", payment_id).await?;
        }
        Ok(())
    }

    /// What a payment says of its own refunds and disputes.
    pub(in crate::service) async fn observe_flags(&self, payment: &Payment) -> Result<(), StoreError> {
        for refund in &payment.refunds {
            self.observe_refund(refund).await?;
        }
        for dispute in &payment.disputes {
            self.observe_dispute(dispute).await?;
        }
        Ok(())
    }

    /// Something about a sale of ours that a person has to look at. Other payments are the merchant's own affair.
    pub(in crate::service) async fn alert_about(
        &self,
        kind: &'static str,
        payment: &PaymentId,
    ) -> Result<(), StoreError> {
        let Some(sale) = self.store.sale(payment).await? else { return Ok(()) };
        if let Some(row) = self.store.attempt_by_id(&sale.attempt_id).await? {
            self.alert(kind, &row);
        }
        Ok(())
    }
}
