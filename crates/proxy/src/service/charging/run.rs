//! One attempt from its claim to its settling. Nothing in here is ever done twice for one attempt.
//!
//! In one file because the steps have to be read in their order.

use std::time::Duration;

use dodo_client::{
    Priority,
    http::turn::{Room, with_priority},
    ids::{PaymentId, PaymentMethodId},
    types::{checkouts::CheckoutSession, subscriptions::PaymentLink},
    values::Metadata,
};
use money::later;
use upsell_core::{
    domain::{
        AttemptKind, AttemptRow, AttemptState, ChargePlan, Observation, OfferTags, PaymentStatus, Proof,
        QuoteRow, SavedMethod, SeenPayment, Source, StoreIdentity, Tags,
    },
    journal::{KeptKey, MarkSent, Release, Settled, Settlement, Unexecuted},
    policy::{
        authority::{self, Chargeable, PayBy},
        classify::{Class, classify},
        failure_reason,
        payment_method::{self, Use},
        quote_lock, reconcile_schedule,
    },
};
use wire::{FailureReason, Money, QuoteId};

use super::{
    ChargeError, Charging, Intent,
    evidence::{LookError, log},
};
use crate::{
    service::quoting::{FreshPrice, QuoteError},
    store::Execute,
};

/// Seconds after the `sent` mark at which an attempt without an outcome is taken for unknown: longer than the client
/// waits for connecting and for the answer together.
const SENT_LEASE: i64 = 45;
/// How long a look right after the charge may take. Webhooks and the reconciler find out the rest.
const FIRST_LOOK_WITHIN: Duration = Duration::from_secs(3);

/// What became of an attempt in its own task.
pub(super) enum Outcome {
    /// Nothing was executed; the offer is open again, if it was before.
    Refused(ChargeError),
    /// It was sent; the row as it is now.
    Underway(Box<AttemptRow>),
}

/// Why an attempt is called off before it is sent.
struct Halt {
    error: ChargeError,
    replacement: Option<QuoteId>,
    key: KeptKey,
}

/// All that is needed to send.
struct Ready {
    /// For the one request.
    room: Room,
    method: Option<PaymentMethodId>,
    /// What it would mean if Dodo found that method not eligible.
    if_ineligible: FailureReason,
    /// The subscription's own pairs, for a plan change.
    metadata: Metadata,
    /// What was agreed: the amount of the preview that was made just before.
    agreed: Money,
}

impl Charging {
    pub(super) async fn run(&self, attempt: AttemptRow, intent: Intent) -> Outcome {
        crate::failpoint!("run.begun");
        let prepared = with_priority(Priority::Charge, self.prepare(&attempt, &intent)).await;
        let ready = match prepared {
            Ok(ready) => ready,
            Err(Halt { error, replacement, key }) => {
                self.release(&attempt, Unexecuted::Claimed, replacement, key).await;
                return Outcome::Refused(error);
            }
        };
        crate::failpoint!("run.prepared");
        let now = self.clock.now();
        let mark = MarkSent {
            attempt: attempt.id.clone(),
            now,
            next_check_at: later(now, SENT_LEASE),
            agreed: ready.agreed.amount,
        };
        match self.store.execute(&mark).await {
            Ok(true) => {}
            Ok(false) => {
                // Recovery took it for dead, or money came in on an earlier attempt: it must not be sent any more.
                self.release(&attempt, Unexecuted::Claimed, None, KeptKey::Freed).await;
                return Outcome::Refused(ChargeError::Unavailable { retry_after: None });
            }
            Err(error) => {
                // The mark may or may not be on disk. Nothing was sent, so it is taken back wherever it is.
                self.release(&attempt, Unexecuted::Sent, None, KeptKey::Freed).await;
                self.release(&attempt, Unexecuted::Claimed, None, KeptKey::Freed).await;
                return Outcome::Refused(error.into());
            }
        }
        let agreed = Some(ready.agreed.amount);
        let attempt = AttemptRow { state: AttemptState::Sent, agreed, ..attempt };
        match attempt.kind {
            AttemptKind::OneClick => self.charge_once(attempt, &intent, ready).await,
            AttemptKind::Hosted => self.open_hosted(attempt, &intent, ready).await,
            AttemptKind::PlanChange => self.change_once(attempt, &intent, ready).await,
        }
    }

    /// Asks once more what it costs and whether the method shown is still there. All waiting for room in Dodo's quota is
    /// done here: first for the charge itself, so that nothing comes between the price and the charge.
    async fn prepare(&self, attempt: &AttemptRow, intent: &Intent) -> Result<Ready, Halt> {
        let room = self.gateway.room_for_charge().await.map_err(|error| halt(error.into()))?;
        let price = self.quoting.fresh_price(&intent.quote().plan, &intent.customer);
        let (fresh, methods) = if attempt.kind == AttemptKind::OneClick {
            let (fresh, methods) = tokio::join!(price, self.catalogue.fresh_methods(&intent.customer));
            (fresh.map_err(halt)?, methods.map_err(|error| halt(error.into()))?.to_vec())
        } else {
            (price.await.map_err(halt)?, Vec::new())
        };
        let shown = intent.quote();
        // Seats and add-ons of a plan change were taken from a subscription that is another now: the change would undo
        // what has come since.
        let other_basis = fresh.basis.is_some() && fresh.priced.basis_hash != shown.basis_hash;
        if other_basis && intent.offer().is_none() {
            return Err(Halt { error: ChargeError::QuoteExpired, replacement: None, key: KeptKey::Freed });
        }
        let mut if_ineligible = FailureReason::MethodNotUsable;
        let same_method = match attempt.kind {
            AttemptKind::OneClick => {
                let usable = self.still_usable(intent, &fresh, &methods);
                if let Some(method) = usable {
                    if_ineligible = payment_method::why_not(method, purpose(&fresh), self.clock.now());
                }
                usable.is_some()
            }
            AttemptKind::Hosted => true,
            AttemptKind::PlanChange => same_subscription_method(shown, &fresh),
        };
        // The subscription's method may have become one that this session must not charge.
        let basis = fresh.basis.as_ref().map(|basis| basis.payment_method_id.as_ref());
        if basis.is_some_and(|method| !intent.agreed.who.allows_change(method)) {
            let error = ChargeError::OfferGone;
            return Err(Halt { error, replacement: None, key: KeptKey::Freed });
        }
        if !same_method || !quote_lock::may_collect(&shown.quote, &shown.basis_hash, &fresh.priced) {
            return Err(self.requote(intent, &fresh, methods).await);
        }
        Ok(Ready {
            room,
            method: shown.payment_method_id.clone(),
            if_ineligible,
            agreed: Money::new(fresh.priced.total, fresh.priced.currency),
            metadata: fresh.basis.map(|basis| basis.metadata.clone()).unwrap_or_default(),
        })
    }

    /// The method that was shown is the one that is charged, or none.
    fn still_usable<'a>(
        &self,
        intent: &Intent,
        fresh: &FreshPrice,
        methods: &'a [SavedMethod],
    ) -> Option<&'a SavedMethod> {
        let shown = intent.quote().payment_method_id.as_ref().filter(|id| intent.agreed.who.allows(id))?;
        let shown = methods.iter().find(|method| method.id == *shown)?;
        let usable = std::slice::from_ref(shown);
        payment_method::choose(usable, purpose(fresh), self.clock.now()).map(|(method, _)| method)
    }

    /// A new quote in place of one that no longer holds.
    async fn requote(&self, intent: &Intent, fresh: &FreshPrice, methods: Vec<SavedMethod>) -> Halt {
        let who = &intent.agreed.who;
        let method = match (intent.kind, &fresh.basis) {
            (AttemptKind::OneClick, _) => {
                authority::choose(&methods, purpose(fresh), self.clock.now(), who).method
            }
            (AttemptKind::PlanChange, Some(basis)) => {
                let methods = self.catalogue.fresh_methods(&intent.customer).await;
                let methods =
                    methods.inspect_err(|error| tracing::warn!(%error, "no card for a new quote")).ok();
                methods.and_then(|methods| {
                    methods
                        .iter()
                        .find(|method| Some(&method.id) == basis.payment_method_id.as_ref())
                        .cloned()
                })
            }
            _ => None,
        };
        let offer = intent.offer().map(|offer| &offer.id);
        let (plan, priced) = match intent.offer() {
            Some(offer) if fresh.basis.is_some() => {
                match self.quoting.price_offer(&offer.plan, &intent.customer).await {
                    Ok(asked) => asked,
                    Err(error) => return halt(error),
                }
            }
            _ => (intent.quote().plan.clone(), fresh.priced.clone()),
        };
        let withheld = method.is_none() && intent.quote().withheld;
        let pay_by = PayBy { method, withheld, ..PayBy::hosted(who) };
        match self.quoting.issue(&priced, &plan, &intent.customer, offer, &pay_by).await {
            Ok(row) => Halt {
                replacement: Some(row.quote.id.clone()),
                error: ChargeError::QuoteChanged(Box::new(self.quoting.as_of_now(&row))),
                key: KeptKey::Kept,
            },
            Err(error) => halt(error),
        }
    }

    /// The one request of a one-click charge.
    async fn charge_once(&self, attempt: AttemptRow, intent: &Intent, ready: Ready) -> Outcome {
        let Some(method) = ready.method else {
            return self.call_off(attempt, ChargeError::ChangeNotPossible).await;
        };
        let tags = tags(&attempt, intent, self.store.identity(), ready.agreed);
        crate::failpoint!("charge.before_post");
        let charge = self.gateway.charge(&intent.quote().plan, &intent.customer, &method, &tags);
        let evidence = match ready.room.spend_on(charge).await {
            Ok(evidence) => evidence,
            Err(error) => {
                tracing::error!(%error, "a charge could not be put into a request");
                return self.call_off(attempt, ChargeError::ChangeNotPossible).await;
            }
        };
        crate::failpoint!("charge.answered");
        log(&evidence);
        match classify(&evidence) {
            Class::Accepted(session) => self.after_charge(attempt, intent, session).await,
            Class::Rejected(reason) => {
                let reason = failure_reason::sharpened(reason, &evidence, ready.if_ineligible);
                let class = Class::<CheckoutSession>::Rejected(reason);
                self.not_accepted(attempt, intent.quote(), class).await
            }
            other => self.not_accepted(attempt, intent.quote(), other).await,
        }
    }

    async fn after_charge(&self, attempt: AttemptRow, intent: &Intent, session: &CheckoutSession) -> Outcome {
        let taken_on = Settlement {
            checkout_session_id: Some(session.session_id.clone()),
            payment: session.payment_id.clone().map(just_begun),
            ..self.undecided(&attempt, Observation::Pending { customer_action: false })
        };
        crate::failpoint!("charge.accepted");
        let look = async {
            let Some(id) = &session.payment_id else { return Ok(None) };
            let payment = self.gateway.payment(id).await?;
            crate::failpoint!("charge.looked");
            Ok::<_, LookError>(self.settle_payment(&attempt, &payment, taken_on.clone()).await?.settled())
        };
        self.looked(attempt.clone(), intent, taken_on.clone(), look).await
    }

    /// The first look after a request that was taken on. Where it shows nothing, what the reply said is written down.
    async fn looked(
        &self,
        attempt: AttemptRow,
        intent: &Intent,
        taken_on: Settlement,
        look: impl Future<Output = Result<Option<Settled>, LookError>>,
    ) -> Outcome {
        match tokio::time::timeout(FIRST_LOOK_WITHIN, look).await {
            Ok(Ok(Some(settled))) => return Outcome::Underway(Box::new(settled.row)),
            Ok(Ok(None)) | Err(_) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a charge could not be looked at"),
        }
        self.settled(attempt, intent.quote(), taken_on).await
    }

    /// Opens the hosted page. Until its address is handed out nobody can pay on it, so that any failure here is harmless.
    async fn open_hosted(&self, attempt: AttemptRow, intent: &Intent, ready: Ready) -> Outcome {
        let tags = tags(&attempt, intent, self.store.identity(), ready.agreed);
        crate::failpoint!("hosted.before_post");
        let saved = intent.agreed.who == Chargeable::Any;
        let opening = self.gateway.open_hosted(&intent.quote().plan, &intent.customer, saved, &tags);
        match ready.room.spend_on(opening).await {
            Ok(CheckoutSession { session_id, checkout_url: Some(url), .. }) => {
                let settlement = Settlement {
                    checkout_session_id: Some(session_id),
                    checkout_url: Some(url),
                    ..self.undecided(&attempt, Observation::Pending { customer_action: false })
                };
                crate::failpoint!("hosted.answered");
                self.settled(attempt, intent.quote(), settlement).await
            }
            Ok(_) => {
                tracing::error!("a hosted checkout came without an address");
                self.call_off(attempt, ChargeError::Unavailable { retry_after: None }).await
            }
            Err(error) => {
                tracing::warn!(%error, "no hosted checkout could be opened");
                self.call_off(attempt, ChargeError::Unavailable { retry_after: None }).await
            }
        }
    }

    /// The one request of a plan change.
    async fn change_once(&self, attempt: AttemptRow, intent: &Intent, ready: Ready) -> Outcome {
        let Some(subscription) = &attempt.subscription_id else {
            return self.call_off(attempt, ChargeError::ChangeNotPossible).await;
        };
        let tags = tags(&attempt, intent, self.store.identity(), ready.agreed);
        crate::failpoint!("change.before_post");
        let change = self.gateway.change_plan(subscription, &intent.quote().plan, &ready.metadata, &tags);
        let evidence = match ready.room.spend_on(change).await {
            Ok(evidence) => evidence,
            Err(error) => {
                tracing::error!(%error, "a plan change could not be put into a request");
                return self.call_off(attempt, ChargeError::ChangeNotPossible).await;
            }
        };
        crate::failpoint!("change.answered");
        log(&evidence);
        match classify(&evidence) {
            Class::Accepted(link) => self.after_change(attempt, intent, link).await,
            other => self.not_accepted(attempt, intent.quote(), other).await,
        }
    }

    /// Dodo's answer to a plan change is mostly empty: what became of it is seen at the payment or the subscription.
    async fn after_change(&self, attempt: AttemptRow, intent: &Intent, link: &PaymentLink) -> Outcome {
        let taken_on = Settlement {
            payment: link.payment_id.clone().map(just_begun),
            ..self.undecided(&attempt, Observation::Pending { customer_action: false })
        };
        let look = self.look_after_change(&attempt, intent.quote(), taken_on.clone());
        let outcome = self.looked(attempt.clone(), intent, taken_on.clone(), look).await;
        crate::failpoint!("change.looked");
        outcome
    }

    async fn not_accepted<T>(&self, attempt: AttemptRow, quote: &QuoteRow, class: Class<'_, T>) -> Outcome {
        match class {
            Class::NotSent => self.call_off(attempt, ChargeError::Unavailable { retry_after: None }).await,
            Class::Rejected(reason) => {
                let settlement = Settlement::of(Observation::Failed(reason), Source::Reply, self.clock.now());
                self.settled(attempt, quote, settlement).await
            }
            // `Accepted` is not handed in; should it ever be, to look is right for it as well.
            Class::Unknown | Class::Accepted(_) => {
                let settlement = self.undecided(&attempt, Observation::Unknown);
                self.settled(attempt, quote, settlement).await
            }
        }
    }

    /// Settles. If the store fails, the attempt stays `sent`, and recovery finds out.
    async fn settled(&self, attempt: AttemptRow, quote: &QuoteRow, settlement: Settlement) -> Outcome {
        crate::failpoint!("settled.begun");
        match self.settle(&attempt, Some(quote), &settlement).await {
            Ok(Some(settled)) => Outcome::Underway(Box::new(settled.row)),
            Ok(None) => Outcome::Underway(Box::new(attempt)),
            Err(error) => {
                tracing::error!(%error, "an outcome could not be written down; it will be looked up");
                Outcome::Underway(Box::new(attempt))
            }
        }
    }

    /// Takes a `sent` attempt back of which it is certain that nothing was executed.
    async fn call_off(&self, attempt: AttemptRow, error: ChargeError) -> Outcome {
        crate::failpoint!("call_off.begun");
        if self.release(&attempt, Unexecuted::Sent, None, KeptKey::Freed).await {
            crate::failpoint!("call_off.released");
            return Outcome::Refused(error);
        }
        // Somebody has settled it meanwhile: that is the answer.
        match self.store.attempt_by_id(&attempt.id).await {
            Ok(Some(row)) if row.state != AttemptState::Released => Outcome::Underway(Box::new(row)),
            _ => Outcome::Refused(error),
        }
    }

    /// Opens the offer again. If the store fails, recovery does it later.
    async fn release(
        &self,
        attempt: &AttemptRow,
        from: Unexecuted,
        replacement: Option<QuoteId>,
        key: KeptKey,
    ) -> bool {
        let at = self.clock.now();
        let release = Release { attempt: attempt.id.clone(), from, replacement, key, at };
        match self.store.execute(&release).await {
            Ok(released) => {
                if released {
                    self.signals.moved(&attempt.id);
                }
                released
            }
            Err(error) => {
                tracing::error!(%error, "an attempt could not be released");
                false
            }
        }
    }

    /// A settlement that leaves it open, with the time of the first look-up.
    pub(super) fn undecided(&self, attempt: &AttemptRow, observation: Observation) -> Settlement {
        let now = self.clock.now();
        let next_check_at = Some(reconcile_schedule::first(attempt.kind, attempt.created_at, now));
        Settlement { next_check_at, ..Settlement::of(observation, Source::Reply, now) }
    }
}

/// A payment of which nothing but its id is known.
fn just_begun(id: PaymentId) -> SeenPayment {
    SeenPayment {
        id,
        status: PaymentStatus::Pending,
        amount: None,
        proof: Proof::OurId,
        paid_by: None,
        subscription_id: None,
    }
}

/// What recurs needs a method that may be charged again.
fn purpose(fresh: &FreshPrice) -> Use {
    if fresh.priced.renewal.is_some() { Use::Recurring } else { Use::Once }
}

/// The card shown for a plan change is the subscription's, where both are known.
fn same_subscription_method(shown: &QuoteRow, fresh: &FreshPrice) -> bool {
    let charged = fresh.basis.as_ref().and_then(|basis| basis.payment_method_id.as_ref());
    match (&shown.payment_method_id, charged) {
        (Some(shown), Some(charged)) => shown == charged,
        _ => true,
    }
}

fn tags(attempt: &AttemptRow, intent: &Intent, store: &StoreIdentity, agreed: Money) -> Tags {
    let plan = &intent.quote().plan;
    Tags {
        store: store.name.clone(),
        mode: store.mode,
        attempt: attempt.id.clone(),
        kind: attempt.kind,
        quote: attempt.quote_id.clone(),
        items: vec![(plan.product_id().clone(), plan.quantity())],
        addons: match plan {
            ChargePlan::PlanChange { addons, .. } => addons.clone(),
            ChargePlan::Checkout { .. } => Vec::new(),
        },
        subscription: attempt.subscription_id.clone(),
        customer: attempt.customer_id.clone(),
        agreed,
        offer: intent.offer().map(|offer| OfferTags {
            id: offer.id.clone(),
            campaign: offer.campaign.clone(),
            kind: offer.kind,
            trigger_ref: offer.trigger_ref.clone(),
            original: offer.purchase.clone(),
        }),
    }
}

/// Before sending every failure is harmless, and the same request may be made again.
fn halt(error: QuoteError) -> Halt {
    tracing::warn!(%error, "an attempt was called off before it was sent");
    Halt { error: error.into(), replacement: None, key: KeptKey::Freed }
}
