//! The journal's commands as verbs, for tests.

use upsell_core::{
    domain::AttemptRow,
    journal::{
        Claim, ClaimOutcome, Decline, DeclineOutcome, MarkSent, RecordLook, Settle, Settled, Settlement,
    },
};
use wire::{AttemptId, UnixSeconds};

use super::{Execute, Journal, StoreError};

/// Of any store.
pub(crate) trait Verbs: Journal {
    fn claim(&self, claim: &Claim) -> impl Future<Output = Result<ClaimOutcome, StoreError>> + Send {
        self.execute(claim)
    }

    fn mark_sent(
        &self,
        attempt: &AttemptRow,
        now: UnixSeconds,
        next_check_at: UnixSeconds,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        let mark = MarkSent { attempt: attempt.id.clone(), now, next_check_at, agreed: 1900 };
        async move { self.execute(&mark).await }
    }

    fn settle(
        &self,
        id: &AttemptId,
        settlement: &Settlement,
    ) -> impl Future<Output = Result<Option<Settled>, StoreError>> + Send {
        async move { self.execute(&Settle { attempt: id, settlement }).await }
    }

    fn note_look(
        &self,
        id: &AttemptId,
        at: UnixSeconds,
        clean_after_deadline: bool,
        next_check_at: Option<UnixSeconds>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        let look = RecordLook { attempt: id.clone(), at, clean_after_deadline, next_check_at };
        async move { self.execute(&look).await }
    }

    fn decline(&self, decline: &Decline) -> impl Future<Output = Result<DeclineOutcome, StoreError>> + Send {
        self.execute(decline)
    }
}

impl<S: Journal + ?Sized> Verbs for S {}
