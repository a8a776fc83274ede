//! What a buyer has agreed to, and the claim that it becomes.

use dodo_client::ids::CustomerId;
use money::later;
use upsell_core::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, ChargePlan, ConsentRecord, Fingerprint, OfferRow, QuoteRow,
    },
    journal::{Claim, Lifting},
    policy::authority::Chargeable,
};
use wire::{Consent, IdempotencyKey, PayWith, UnixSeconds};

use super::ChargeError;
use crate::ids;

/// Seconds for which a claim may be worked on before it is taken for dead. Longer than waiting for room in Dodo's quota and
/// the reads before the request can take.
const CLAIM_LEASE: i64 = 100;

/// What was shown to a buyer, and what the session may do with it.
pub(in crate::service) struct Agreed {
    /// The offer; absent for a plan change from the plan page.
    pub offer: Option<OfferRow>,
    /// The quote.
    pub quote: QuoteRow,
    /// The saved methods that may be charged.
    pub who: Chargeable,
    /// What lifts an earlier refusal of the thing offered.
    pub lifting: Lifting,
}

/// What was agreed to, and how it is to be charged.
pub(super) struct Intent {
    pub(super) customer: CustomerId,
    pub(super) kind: AttemptKind,
    pub(super) agreed: Agreed,
    pub(super) key: IdempotencyKey,
    pub(super) fingerprint: Fingerprint,
    pub(super) consent: Option<Consent>,
}

impl Intent {
    pub(super) fn offer(&self) -> Option<&OfferRow> {
        self.agreed.offer.as_ref()
    }

    pub(super) fn quote(&self) -> &QuoteRow {
        &self.agreed.quote
    }

    /// Returns the claim, with a new attempt.
    pub(super) fn claim(&self, now: UnixSeconds) -> Result<Claim, ChargeError> {
        Ok(Claim {
            attempt: new_attempt(self, now)?,
            email: self.offer().and_then(|offer| offer.email.clone()),
            lifting: self.agreed.lifting.clone(),
        })
    }
}

/// Returns how a quote is charged.
pub(super) fn kind(quote: &QuoteRow, pay_with: Option<PayWith>) -> Result<AttemptKind, ChargeError> {
    match (&quote.plan, pay_with) {
        // A way to pay that this version does not know must not end as a click on the saved card.
        (_, Some(PayWith::Other)) => Err(ChargeError::Invalid("pay_with")),
        (ChargePlan::PlanChange { .. }, Some(PayWith::HostedCheckout)) => Err(ChargeError::ChangeNotPossible),
        (ChargePlan::PlanChange { .. }, _) => Ok(AttemptKind::PlanChange),
        (ChargePlan::Checkout { .. }, Some(PayWith::HostedCheckout)) => Ok(AttemptKind::Hosted),
        // Without a usable method the offer was shown as leading to a hosted checkout.
        (ChargePlan::Checkout { .. }, _) if quote.payment_method_id.is_none() => Ok(AttemptKind::Hosted),
        (ChargePlan::Checkout { .. }, _) => Ok(AttemptKind::OneClick),
    }
}

fn new_attempt(intent: &Intent, now: UnixSeconds) -> Result<AttemptRow, ChargeError> {
    let lease_until = later(now, CLAIM_LEASE);
    let quote = intent.quote();
    Ok(AttemptRow {
        id: ids::attempt_id()?,
        offer_id: intent.offer().map(|offer| offer.id.clone()),
        subscription_id: quote.plan.subscription_id().cloned(),
        no: 1,
        customer_id: intent.customer.clone(),
        quote_id: quote.quote.id.clone(),
        kind: intent.kind,
        key: Some(intent.key.clone()),
        fingerprint: intent.fingerprint,
        state: AttemptState::Claimed,
        replacement: None,
        checkout_session_id: None,
        checkout_url: None,
        payment_id: None,
        receipt: None,
        consent: ConsentRecord {
            amount: quote.quote.total,
            currency: quote.quote.currency,
            at: now,
            shown: intent.consent.clone(),
        },
        agreed: None,
        created_at: now,
        lease_until,
        next_check_at: Some(lease_until),
        checks: 0,
        clean_looks: 0,
    })
}
