//! Changes of plans that are booked for the next billing date.

use async_trait::async_trait;
use dodo_client::ids::SubscriptionId;
use upsell_core::{
    domain::{AttemptRow, BookingEnd},
    journal::states,
};
use wire::{AttemptId, UnixSeconds};

use super::{SqlStore, Tx, attempts::attempt, codec::from_table};
use crate::store::{Bookings, StoreError};

impl SqlStore {
    pub(super) async fn booking_end_in(
        &self,
        tx: &mut Tx,
        id: &AttemptId,
    ) -> Result<Option<BookingEnd>, StoreError> {
        sqlx::query("SELECT ended FROM booking_ends WHERE tenant = $1 AND attempt_id = $2")
            .bind(self.tenant)
            .bind(id.as_str())
            .fetch_optional(&mut **tx)
            .await?
            .map(|row| from_table(&row, "ended", BookingEnd::parse))
            .transpose()
    }

    pub(super) async fn end_booking(
        &self,
        tx: &mut Tx,
        id: &AttemptId,
        end: BookingEnd,
        at: UnixSeconds,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO booking_ends (tenant, attempt_id, ended, at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant, attempt_id) DO NOTHING",
        )
        .bind(self.tenant)
        .bind(id.as_str())
        .bind(end.as_str())
        .bind(at.0)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

#[async_trait]
impl Bookings for SqlStore {
    async fn open_bookings(&self, id: &SubscriptionId) -> Result<Vec<AttemptRow>, StoreError> {
        sqlx::query(
            "SELECT * FROM attempts WHERE tenant = $1 AND subscription_id = $2 AND state = $3
                 AND NOT EXISTS (SELECT 1 FROM booking_ends
                                 WHERE booking_ends.tenant = $1 AND booking_ends.attempt_id = attempts.id)
             ORDER BY created_at DESC, id DESC",
        )
        .bind(self.tenant)
        .bind(id.as_str())
        .bind(states::BOOKED.as_str())
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(attempt)
        .collect()
    }
}
