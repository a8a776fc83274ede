//! Deletions of single rows, and of what refers to something that goes. Each statement names its rows by a key.

use wire::UnixSeconds;

use super::{SqlStore, Tx};
use crate::store::StoreError;

/// Rows that go with the thing whose id is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Erase {
    /// Refunds of a payment.
    RefundsOfPayment,
    /// Disputes of a payment.
    DisputesOfPayment,
    /// Refund order of a payment.
    RefundOrder,
    /// A payment that named an attempt and was none of its.
    ForeignPayment,
    /// Payments of an attempt.
    PaymentsOfAttempt,
    /// End of an attempt's booking.
    BookingEnd,
    /// History of an attempt.
    History,
    /// An attempt.
    Attempt,
    /// A quote, unless an attempt needs it.
    Quote,
    /// An offer.
    Offer,
    /// A purchase, by its payment.
    Purchase,
    /// A refund.
    Refund,
    /// A dispute.
    Dispute,
    /// A webhook.
    Webhook,
}

/// Rows of a buyer that go up to a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EraseUntil {
    /// Events.
    Events,
    /// Name of the payer, in payments for other buyers.
    PaidBy,
    /// Sessions that end by then.
    Sessions,
    /// Quotes that end by then, unless an attempt needs them.
    Quotes,
    /// Links for another payment method that end by then, of every subscription that is known to be the buyer's.
    Links,
}

impl SqlStore {
    pub(super) async fn erase(&self, tx: &mut Tx, what: Erase, id: &str) -> Result<(), StoreError> {
        let delete = match what {
            Erase::RefundsOfPayment => {
                sqlx::query("DELETE FROM refunds WHERE tenant = $1 AND payment_id = $2")
            }
            Erase::DisputesOfPayment => {
                sqlx::query("DELETE FROM disputes WHERE tenant = $1 AND payment_id = $2")
            }
            Erase::RefundOrder => {
                sqlx::query("DELETE FROM refund_orders WHERE tenant = $1 AND payment_id = $2")
            }
            Erase::ForeignPayment => {
                sqlx::query("DELETE FROM foreign_payments WHERE tenant = $1 AND payment_id = $2")
            }
            Erase::PaymentsOfAttempt => {
                sqlx::query("DELETE FROM payments WHERE tenant = $1 AND attempt_id = $2")
            }
            Erase::BookingEnd => {
                sqlx::query("DELETE FROM booking_ends WHERE tenant = $1 AND attempt_id = $2")
            }
            Erase::History => sqlx::query("DELETE FROM attempt_history WHERE tenant = $1 AND attempt_id = $2"),
            Erase::Attempt => sqlx::query("DELETE FROM attempts WHERE tenant = $1 AND id = $2"),
            Erase::Quote => sqlx::query(
                "DELETE FROM quotes WHERE tenant = $1 AND id = $2
                   AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.tenant = $1 AND attempts.quote_id = quotes.id)
                   AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.tenant = $1 AND attempts.replacement = quotes.id)",
            ),
            Erase::Offer => sqlx::query("DELETE FROM offers WHERE tenant = $1 AND id = $2"),
            Erase::Purchase => sqlx::query("DELETE FROM purchases WHERE tenant = $1 AND payment_id = $2"),
            Erase::Refund => sqlx::query("DELETE FROM refunds WHERE tenant = $1 AND refund_id = $2"),
            Erase::Dispute => sqlx::query("DELETE FROM disputes WHERE tenant = $1 AND dispute_id = $2"),
            Erase::Webhook => sqlx::query("DELETE FROM inbox WHERE tenant = $1 AND webhook_id = $2"),
        };
        delete.bind(self.tenant).bind(id).execute(&mut **tx).await?;
        Ok(())
    }

    pub(super) async fn erase_until(
        &self,
        tx: &mut Tx,
        what: EraseUntil,
        customer: &str,
        until: UnixSeconds,
    ) -> Result<(), StoreError> {
        let delete = match what {
            EraseUntil::Events => {
                sqlx::query("DELETE FROM triggers WHERE tenant = $1 AND customer_id = $2 AND at <= $3")
            }
            EraseUntil::PaidBy => sqlx::query(
                "UPDATE payments SET paid_by = NULL WHERE tenant = $1 AND paid_by = $2 AND seen_at <= $3
                   AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.tenant = $1 AND attempts.id = payments.attempt_id
                                     AND attempts.customer_id = $2)",
            ),
            EraseUntil::Sessions => {
                sqlx::query("DELETE FROM sessions WHERE tenant = $1 AND customer_id = $2 AND expires_at <= $3")
            }
            EraseUntil::Quotes => sqlx::query(
                "DELETE FROM quotes WHERE tenant = $1 AND customer_id = $2 AND expires_at <= $3
                   AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.tenant = $1 AND attempts.quote_id = quotes.id)
                   AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.tenant = $1 AND attempts.replacement = quotes.id)",
            ),
            EraseUntil::Links => sqlx::query(
                "DELETE FROM payment_links WHERE tenant = $1 AND until <= $3 AND subscription_id IN (
                     SELECT subscription_id FROM purchases WHERE tenant = $1 AND customer_id = $2
                     UNION SELECT subscription_id FROM attempts WHERE tenant = $1 AND customer_id = $2
                     UNION SELECT subscription_id FROM sessions WHERE tenant = $1 AND customer_id = $2
                     UNION SELECT subscription_id FROM triggers WHERE tenant = $1 AND customer_id = $2)",
            ),
        };
        delete.bind(self.tenant).bind(customer).bind(until.0).execute(&mut **tx).await?;
        Ok(())
    }
}
