//! What happened to each attempt, written in the transaction in which it happened.

use dodo_client::ids::PaymentId;
use sqlx::{Row, Transaction};
use wire::{AttemptId, UnixSeconds};

use super::{
    Db, DbRow, SqlStore,
    codec::{at, attempt_kind_word, attempt_state_columns, from_word, offer_state_word, word},
};
use crate::{
    domain::{AttemptKind, AttemptState, HistoryEntry, OfferState, RefundCause, SeenPayment, Source},
    store::StoreError,
};

/// What is written down.
pub(super) enum Line<'a> {
    /// Claimed.
    Claimed(AttemptKind),
    /// From here on the request may have left.
    Sent,
    /// Taken back; because it costs something else now, or for another reason.
    Released { changed: bool },
    /// Written anew, or found to have been sent, from what Dodo knows.
    Rebuilt,
    /// Came to this state.
    Settled(AttemptState, Source, Option<&'a SeenPayment>),
    /// Its offer came to this state by it.
    OfferMoved(OfferState),
    /// Money of this payment goes back.
    RefundOrdered(RefundCause, &'a PaymentId),
    /// Looked up; `clean`: after the deadline, completely, and nothing was found.
    Looked { clean: bool },
}

impl Line<'_> {
    fn columns(&self) -> Result<(String, Option<Source>, Option<String>), StoreError> {
        Ok(match self {
            Self::Claimed(kind) => ("claimed".to_owned(), None, Some(attempt_kind_word(*kind).to_owned())),
            Self::Sent => ("sent".to_owned(), None, None),
            Self::Rebuilt => ("rebuilt".to_owned(), Some(Source::Restore), None),
            Self::Released { changed } => {
                ("released".to_owned(), None, changed.then(|| "the amount had changed".to_owned()))
            }
            Self::Settled(state, source, payment) => {
                let (state, customer_action, failure) = attempt_state_columns(*state)?;
                let payment = payment.map(|payment| format!("payment {}", payment.id));
                let action = customer_action.then(|| "the bank asks the buyer".to_owned());
                let details: Vec<_> = [failure, action, payment].into_iter().flatten().collect();
                let detail = (!details.is_empty()).then(|| details.join(", "));
                (state.to_owned(), Some(*source), detail)
            }
            Self::OfferMoved(state) => ("offer".to_owned(), None, Some(offer_state_word(*state).to_owned())),
            Self::RefundOrdered(cause, payment) => {
                let cause = word(cause, "refund_orders.cause")?;
                ("refund_ordered".to_owned(), None, Some(format!("{cause}, payment {payment}")))
            }
            Self::Looked { clean } => {
                ("looked".to_owned(), None, clean.then(|| "nothing found after the deadline".to_owned()))
            }
        })
    }
}

fn entry(row: &DbRow) -> Result<HistoryEntry, StoreError> {
    Ok(HistoryEntry {
        at: at(row, "at")?,
        event: row.try_get("event")?,
        source: row
            .try_get::<Option<String>, _>("source")?
            .map(|source| from_word(source, "attempt_history.source"))
            .transpose()?,
        detail: row.try_get("detail")?,
        instance: row.try_get("instance")?,
    })
}

impl SqlStore {
    pub(super) async fn write_line(
        &self,
        tx: &mut Transaction<'static, Db>,
        attempt: &AttemptId,
        at: UnixSeconds,
        line: Line<'_>,
    ) -> Result<(), StoreError> {
        let (event, source, detail) = line.columns()?;
        sqlx::query(
            "INSERT INTO attempt_history (tenant, attempt_id, at, event, source, detail, instance)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.tenant)
        .bind(attempt.as_str())
        .bind(at.0)
        .bind(event)
        .bind(source.map(|source| word(&source, "attempt_history.source")).transpose()?)
        .bind(detail)
        .bind(&self.instance)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    pub(super) async fn read_history(&self, attempt: &AttemptId) -> Result<Vec<HistoryEntry>, StoreError> {
        sqlx::query("SELECT * FROM attempt_history WHERE tenant = $1 AND attempt_id = $2 ORDER BY no")
            .bind(self.tenant)
            .bind(attempt.as_str())
            .fetch_all(&self.readers)
            .await?
            .iter()
            .map(entry)
            .collect()
    }
}
