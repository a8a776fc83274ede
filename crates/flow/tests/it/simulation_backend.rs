//! The backend of the simulation.

use std::collections::BTreeMap;

use flow::{ApiError, offer};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use wire::{Attempt, AttemptStatus, ErrorCode, IdempotencyKey, IneligibleReason, UpsellResponse};

use crate::build::*;

/// A proxy that keeps the contract: one live attempt, one charge, one answer a key.
pub(crate) struct Backend {
    pub(crate) price: i64,
    quotes: BTreeMap<String, i64>,
    /// The charge that is under way, and its amount.
    live: Option<(IdempotencyKey, i64)>,
    answers: BTreeMap<IdempotencyKey, Result<Attempt, ApiError>>,
    pub(crate) status: Option<AttemptStatus>,
    pub(crate) declined: bool,
    pub(crate) charges: Vec<i64>,
    serial: u32,
    pub(crate) charged_after_refusal: bool,
}

impl Backend {
    pub(crate) fn new() -> Self {
        Self {
            price: 5000,
            quotes: BTreeMap::new(),
            live: None,
            answers: BTreeMap::new(),
            status: None,
            declined: false,
            charges: vec![],
            serial: 0,
            charged_after_refusal: false,
        }
    }

    fn quote(&mut self) -> wire::Quote {
        self.serial += 1;
        let id = format!("q{}", self.serial);
        self.quotes.insert(id.clone(), self.price);
        quote(&id, self.price)
    }

    pub(crate) fn load(&mut self) -> UpsellResponse {
        if !self.charges.is_empty() {
            let attempt = self.attempt(AttemptStatus::Succeeded);
            return UpsellResponse { attempt: Some(attempt), ..nothing(IneligibleReason::Accepted) };
        }
        if self.live.is_some() {
            return taken(self.attempt(AttemptStatus::Processing));
        }
        if self.declined {
            return nothing(IneligibleReason::Declined);
        }
        let quote = self.quote();
        offered("o1", quote)
    }

    pub(crate) fn attempt(&self, status: AttemptStatus) -> Attempt {
        let mut attempt = attempt(status);
        if let (Some(receipt), Some(charge)) = (&mut attempt.receipt, self.charges.last()) {
            receipt.amount = *charge;
        }
        attempt
    }

    pub(crate) fn accept(
        &mut self,
        rng: &mut ChaCha8Rng,
        key: IdempotencyKey,
        quote: &str,
    ) -> Result<Attempt, ApiError> {
        if let Some(answer) = self.answers.get(&key) {
            return answer.clone();
        }
        if self.live.as_ref().is_some_and(|(live, _)| *live == key) {
            return Err(problem(409, ErrorCode::KeyInProgress));
        }
        if self.live.is_some() {
            return Err(problem(409, ErrorCode::AttemptInProgress));
        }
        if self.declined || !self.charges.is_empty() {
            return Err(problem(410, ErrorCode::OfferGone));
        }
        let answer = match self.quotes.get(quote) {
            None => Err(problem(410, ErrorCode::QuoteExpired)),
            Some(shown) if *shown < self.price => {
                let fresh = self.quote();
                Err(quote_changed(fresh))
            }
            Some(shown) => match rng.random_range(0..4) {
                0 => {
                    self.charges.push(*shown.min(&self.price));
                    self.status = Some(AttemptStatus::Succeeded);
                    Ok(self.attempt(AttemptStatus::Succeeded))
                }
                1 => {
                    self.status = Some(AttemptStatus::Failed);
                    Ok(self.attempt(AttemptStatus::Failed))
                }
                _ => {
                    self.live = Some((key, *shown.min(&self.price)));
                    self.status = Some(AttemptStatus::Processing);
                    return Ok(self.attempt(AttemptStatus::Processing));
                }
            },
        };
        self.answers.insert(key, answer.clone());
        answer
    }

    /// A charge that was under way ends.
    pub(crate) fn collect(&mut self, rng: &mut ChaCha8Rng) {
        let Some((key, amount)) = self.live.take() else { return };
        let status = if rng.random_bool(0.6) {
            self.charged_after_refusal |= self.declined;
            self.charges.push(amount);
            AttemptStatus::Succeeded
        } else {
            AttemptStatus::Failed
        };
        self.status = Some(status);
        self.answers.insert(key, Ok(self.attempt(status)));
    }

    pub(crate) fn decline(&mut self) -> Result<Option<offer::Answer>, ApiError> {
        if self.live.is_some() || !self.charges.is_empty() {
            return Err(problem(410, ErrorCode::OfferGone));
        }
        self.declined = true;
        Ok(None)
    }
}
