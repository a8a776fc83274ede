//! Looking up by listing: charges of which not even an id is known. What to list is decided in
//! [`upsell_core::policy::listing_plan`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use money::later;
use upsell_core::{
    domain::{AttemptRow, PaymentFacts, Source},
    journal::Weighed,
    policy::{
        listing_plan::{self, Listing, Window},
        observe,
        reconcile_schedule::{self, AgeGroup, Look},
    },
};
use wire::{AttemptId, UnixSeconds};

use super::Reconciler;
use crate::{
    gateway::{Listed, ListingError, UnreadableRow},
    service::charging::LookError,
    store::StoreError,
};

/// After so many listings in a row that Dodo did not answer, and none that it did, it is asked for a listing of nobody in
/// particular. If that fails as well, Dodo is away, and the rest is not tried.
const ENOUGH_FAILED: usize = 3;
/// Seconds of that listing.
const PROBED: i64 = 60;

/// While Dodo lists payments for nobody, it is not asked every second. One for each age group.
#[derive(Default)]
pub(super) struct Pauses {
    fresh: Mutex<Pause>,
    old: Mutex<Pause>,
}

#[derive(Default)]
struct Pause {
    /// In a row.
    failures: u32,
    until: Option<UnixSeconds>,
}

impl Pauses {
    fn of(&self, group: AgeGroup) -> MutexGuard<'_, Pause> {
        let pause = match group {
            AgeGroup::Fresh => &self.fresh,
            AgeGroup::Old => &self.old,
        };
        pause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns until when payments are not listed.
    fn until(&self, group: AgeGroup, now: UnixSeconds) -> Option<UnixSeconds> {
        self.of(group).until.filter(|until| now < *until)
    }

    fn end(&self, group: AgeGroup) {
        *self.of(group) = Pause::default();
    }

    /// Returns until when to wait.
    fn begin(&self, group: AgeGroup, now: UnixSeconds) -> UnixSeconds {
        let mut pause = self.of(group);
        pause.failures = pause.failures.saturating_add(1);
        let until = later(now, reconcile_schedule::pause_after(pause.failures));
        pause.until = Some(until);
        until
    }
}

/// What the listings of one round came to.
#[derive(Default)]
struct Round {
    /// Dodo has answered one.
    has_answered: bool,
    /// Listings that it did not answer.
    failed: usize,
    /// One of those was of everybody.
    is_away: bool,
    /// Attempts that those would have told of.
    untold: Vec<AttemptRow>,
}

impl Round {
    fn has_several_buyers(&self) -> bool {
        let buyers: BTreeSet<_> = self.untold.iter().map(|row| &row.customer_id).collect();
        buyers.len() > 1
    }
}

impl Reconciler {
    /// Looks up charges of which not even an id is known: one listing for many of the same hour, or one for each buyer.
    pub(super) async fn look_by_listing(
        &self,
        rows: Vec<AttemptRow>,
        group: AgeGroup,
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        if let Some(until) = self.pauses.until(group, now) {
            return self.not_told(rows, group, Some(until)).await;
        }
        let mut round = Round::default();
        for listing in listing_plan::plan(rows) {
            if self.is_hopeless(&mut round).await {
                round.untold.extend(listing.attempts);
                continue;
            }
            match self.list(&listing).await {
                Err(ListingError::TooLong) if listing.buyer.is_none() => {
                    self.one_by_one(&listing, &mut round).await?
                }
                Ok(listed) if listing.buyer.is_none() && !listed.unreadable.iter().all(is_somebodys) => {
                    self.one_by_one(&listing, &mut round).await?;
                }
                listed => self.tell(listing, listed, &mut round).await?,
            }
        }
        let until = if round.has_several_buyers() && self.is_away(&mut round).await {
            Some(self.pauses.begin(group, now))
        } else {
            self.pauses.end(group);
            None
        };
        self.not_told(round.untold, group, until).await
    }

    async fn is_hopeless(&self, round: &mut Round) -> bool {
        round.failed >= ENOUGH_FAILED && self.is_away(round).await
    }

    /// Says whether Dodo lists payments for nobody. That it fails to list some buyers says nothing about the others, so that
    /// it is asked.
    async fn is_away(&self, round: &mut Round) -> bool {
        if !round.has_answered && !round.is_away {
            let now = self.clock.now();
            let window = Window { from: later(now, -PROBED), to: now };
            match self.gateway.payments_within(None, window, 1).await {
                Err(ListingError::Dodo(_)) => round.is_away = true,
                Ok(_) | Err(ListingError::TooLong) => round.has_answered = true,
            }
        }
        !round.has_answered
    }

    /// Lists for each buyer what could not be listed for all. Dodo has answered.
    async fn one_by_one(&self, listing: &Listing, round: &mut Round) -> Result<(), StoreError> {
        round.has_answered = true;
        for part in listing.by_buyer() {
            if self.is_hopeless(round).await {
                round.untold.extend(part.attempts);
                continue;
            }
            let listed = self.list(&part).await;
            self.tell(part, listed, round).await?;
        }
        Ok(())
    }

    async fn list(&self, listing: &Listing) -> Result<Listed, ListingError> {
        let Listing { buyer, window, most_pages, .. } = listing;
        let listed = self.gateway.payments_within(buyer.as_ref(), *window, *most_pages).await;
        crate::failpoint!("listing.done");
        listed
    }

    /// Settles by what was listed, and says when to look next.
    async fn tell(
        &self,
        listing: Listing,
        listed: Result<Listed, ListingError>,
        round: &mut Round,
    ) -> Result<(), StoreError> {
        match listed {
            Ok(listed) => {
                round.has_answered = true;
                self.settle_listed(listing.attempts, &listed).await
            }
            // Dodo has answered; it is this buyer's listing that cannot be read to its end.
            Err(error @ ListingError::TooLong) => {
                tracing::warn!(%error, "failed to list the payments of a buyer");
                round.has_answered = true;
                self.not_told(listing.attempts, AgeGroup::Old, None).await
            }
            Err(ListingError::Dodo(error)) => {
                tracing::warn!(%error, "failed to list payments");
                round.failed = round.failed.saturating_add(1);
                round.is_away |= listing.buyer.is_none();
                round.untold.extend(listing.attempts);
                Ok(())
            }
        }
    }

    async fn settle_listed(&self, rows: Vec<AttemptRow>, listed: &Listed) -> Result<(), StoreError> {
        let mut rows: BTreeMap<AttemptId, (AttemptRow, Look)> = rows
            .into_iter()
            .map(|row| {
                let hidden = listed.unreadable.iter().any(|unreadable| may_be_of(unreadable, &row));
                (row.id.clone(), (row, if hidden { Look::Incomplete } else { Look::Idle }))
            })
            .collect();
        for payment in &listed.payments {
            let named = payment.named.attempt().and_then(|id| rows.get_mut(id));
            if let Some((row, look)) = named {
                self.settle_one(row, look, payment).await?;
            }
        }
        for (row, look) in rows.into_values() {
            self.conclude(row, look).await?;
        }
        Ok(())
    }

    async fn settle_one(
        &self,
        row: &mut AttemptRow,
        look: &mut Look,
        payment: &PaymentFacts,
    ) -> Result<(), StoreError> {
        let base = self.charging.nothing_seen(Source::LookUp);
        match self.charging.settle_payment(row, payment, base).await {
            Ok(Weighed::Settled { settled, .. }) => {
                *row = settled.row;
                if observe::is_under_way(payment.status.as_ref()) {
                    *look = Look::UnderWay;
                }
                Ok(())
            }
            Ok(Weighed::Held(_)) => {
                *look = Look::Incomplete;
                Ok(())
            }
            Ok(Weighed::NoAttempt | Weighed::Foreign { .. }) => Ok(()),
            Err(LookError::Store(error)) => Err(error),
            Err(error) => {
                tracing::warn!(attempt_id = %row.id, %error, "failed to look up a payment that names an attempt");
                *look = Look::Incomplete;
                Ok(())
            }
        }
    }

    /// Notes that nothing was found out. Fresh attempts come due together when a pause ends, so that one listing tells of
    /// all; everything else goes by its own schedule.
    async fn not_told(
        &self,
        rows: Vec<AttemptRow>,
        group: AgeGroup,
        until: Option<UnixSeconds>,
    ) -> Result<(), StoreError> {
        for row in rows {
            match until {
                Some(until) if group == AgeGroup::Fresh => self.record_look(&row, false, Some(until)).await?,
                _ => self.conclude(row, Look::Incomplete).await?,
            }
        }
        Ok(())
    }
}

/// Says whether an unreadable row is known to be a certain buyer's.
fn is_somebodys(row: &UnreadableRow) -> bool {
    row.customer_id.is_some()
}

/// Says whether an unreadable row may be the payment of an attempt: its buyer's, as far as can be made out.
fn may_be_of(unreadable: &UnreadableRow, row: &AttemptRow) -> bool {
    let names_another = unreadable.named.attempt().is_some_and(|named| *named != row.id);
    !names_another && unreadable.customer_id.as_ref().is_none_or(|customer| *customer == row.customer_id)
}
