//! What a test may do to the simulator that Dodo's API does not offer. One type serves both ways in: in-process
//! through [`Control`], over HTTP through `routes`.

pub(crate) mod routes;
pub(crate) mod seed;

use crate::engine::charge::{self, End};
use crate::engine::plan_change;
use crate::engine::plan_target::{ChangeRequest, Intent, target};
use crate::engine::refund;
use crate::engine::renewal;
use crate::engine::world::World;
use crate::error::{ApiError, Code};
use crate::faults::{Fault, FaultKind, NewFault};
use crate::ledger::Ledger;
use crate::model::payment::{IntentStatus, RefundStatus};
use crate::policy::Policy;
use crate::shared::{Endpoint, Shared, lock};
use crate::view;
use crate::webhooks::deliver;
use crate::webhooks::outbox::{Round, WebhookPolicy};
use crate::webhooks::sign::Secret;
use seed::{NewCustomer, NewPayment, NewSubscription, ProductPatch};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::time::Instant;

const REFUSES_FOR: Duration = Duration::from_secs(1);

/// A request to the control plane that cannot be carried out, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ControlError(String);

impl From<ApiError> for ControlError {
    fn from(error: ApiError) -> Self {
        Self(error.to_string())
    }
}

/// Virtual time and its pace.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ClockState {
    /// Virtual time.
    #[serde(with = "time::serde::rfc3339")]
    pub now: OffsetDateTime,
    /// Times faster than real time.
    pub speed: u32,
}

/// A handle on a running simulator.
#[derive(Debug, Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Money, requests and webhooks so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.shared.look(Ledger::of)
    }

    /// Adds a customer, with saved methods if wanted; answers as `GET /customers/{id}`.
    #[must_use]
    pub fn customer(&self, new: NewCustomer) -> Value {
        self.shared.step(|world| {
            let id = seed::customer(world, new);
            world.customers.get(&id).map_or(Value::Null, |customer| view::customer::customer(world, customer))
        })
    }

    /// Begins an active subscription with a paid first period, webhooks included.
    ///
    /// # Errors
    /// The customer, product or method does not exist or does not fit.
    pub fn subscription(&self, new: NewSubscription) -> Result<Value, ControlError> {
        self.shared.step(|world| {
            let id = seed::subscription(world, new)?;
            Ok(view::subscription::subscription(world, world.subscription(&id)?))
        })
    }

    /// Makes a purchase as if it had been paid on the hosted page, webhooks included.
    ///
    /// # Errors
    /// The customer, product or method does not exist or does not fit.
    pub fn payment(&self, new: NewPayment) -> Result<Value, ControlError> {
        self.shared.step(|world| {
            let id = seed::payment(world, new)?;
            Ok(view::payment::payment(world, world.payment(&id)?))
        })
    }

    /// Makes the API give some fields of a payment with other values: what Dodo leaves out, or words in its own way.
    /// Webhooks that were sent stay as they are.
    ///
    /// # Errors
    /// There is no such payment.
    pub fn show_payment(&self, id: &str, shown: Map<String, Value>) -> Result<Value, ControlError> {
        self.shared.step(|world| {
            seed::show_payment(world, id, shown)?;
            Ok(view::payment::payment(world, world.payment(id)?))
        })
    }

    /// Charges a subscription for its next period now.
    ///
    /// # Errors
    /// There is none with this id.
    pub fn renew(&self, id: &str) -> Result<Value, ControlError> {
        self.shared.step(|world| {
            renewal::due_now(world, id)?;
            Ok(view::subscription::subscription(world, world.subscription(id)?))
        })
    }

    /// Ids of a customer's payments, the earliest first, whatever became of them.
    #[must_use]
    pub fn payments_of(&self, customer: &str) -> Vec<String> {
        self.shared.look(|world| {
            let theirs = world.payments.iter().filter(|payment| payment.customer_id == customer);
            theirs.map(|payment| payment.payment_id.clone()).collect()
        })
    }

    /// A subscription, as `GET /subscriptions/{id}` answers.
    ///
    /// # Errors
    /// There is none with this id.
    pub fn subscription_now(&self, id: &str) -> Result<Value, ControlError> {
        let look = |world: &World| {
            Ok::<_, ApiError>(view::subscription::subscription(world, world.subscription(id)?))
        };
        Ok(self.shared.look(look)?)
    }

    /// A buyer's credit, as `GET /customers/{id}/wallets` answers.
    ///
    /// # Errors
    /// There is no such customer.
    pub fn wallets(&self, customer: &str) -> Result<Value, ControlError> {
        let look = |world: &World| Ok::<_, ApiError>(view::customer::wallets(world.customer(customer)?));
        Ok(self.shared.look(look)?)
    }

    /// What a plan change would cost, as `POST /subscriptions/{id}/change-plan/preview` answers.
    ///
    /// # Errors
    /// The body is none, or the change is not possible.
    pub fn preview_plan_change(&self, id: &str, body: Value) -> Result<Value, ControlError> {
        let request = change_request(body)?;
        Ok(self.shared.look(|world| {
            let target = target(world, id, &request, Intent::Preview)?;
            Ok::<_, ApiError>(view::plan_change::preview(world, world.subscription(id)?, &target))
        })?)
    }

    /// Changes a plan as `POST /subscriptions/{id}/change-plan` does, without a request: somebody else's doing, such as
    /// the buyer's in Dodo's own portal. Faults do not hit it and the log does not have it.
    ///
    /// # Errors
    /// The body is none, or the change is not possible.
    pub fn change_plan(&self, id: &str, body: Value) -> Result<Value, ControlError> {
        let request = change_request(body)?;
        Ok(self.shared.step(|world| {
            let started = plan_change::change(world, id, &request)?;
            Ok::<_, ApiError>(view::plan_change::started(world, &started))
        })?)
    }

    /// Changes a product.
    ///
    /// # Errors
    /// The product does not exist.
    pub fn product(&self, id: &str, patch: ProductPatch) -> Result<Value, ControlError> {
        self.shared.step(|world| {
            seed::patch_product(world, id, patch)?;
            Ok(view::catalogue::product(world, world.product(id)?))
        })
    }

    /// Ends a payment that is processing or waits for the buyer.
    ///
    /// # Errors
    /// No such payment, it has ended, or `status` is not a final one.
    pub fn resolve_payment(
        &self,
        id: &str,
        status: IntentStatus,
        error_code: Option<String>,
    ) -> Result<Value, ControlError> {
        self.shared.step(|world| {
            if world.payment(id)?.status.is_final() {
                return Err(ApiError::new(Code::UnsupportedAction, "the payment has ended").into());
            }
            let end = match status {
                IntentStatus::Succeeded => End::Succeeded,
                IntentStatus::Failed => {
                    End::Failed(error_code.unwrap_or_else(|| "AUTHENTICATION_FAILURE".to_owned()))
                }
                IntentStatus::Cancelled => End::Cancelled,
                IntentStatus::Processing
                | IntentStatus::RequiresCustomerAction
                | IntentStatus::RequiresPaymentMethod => {
                    return Err(ControlError("status must be succeeded, failed or cancelled".to_owned()));
                }
            };
            charge::settle(world, id, end);
            Ok(view::payment::payment(world, world.payment(id)?))
        })
    }

    /// Ends a pending refund.
    ///
    /// # Errors
    /// No such refund, or it has ended.
    pub fn resolve_refund(&self, id: &str, succeeded: bool) -> Result<(), ControlError> {
        let status = if succeeded { RefundStatus::Succeeded } else { RefundStatus::Failed };
        Ok(self.shared.step(|world| refund::settle(world, id, status))?)
    }

    /// Sets a fault.
    ///
    /// # Errors
    /// The kind is unknown.
    pub fn fault(&self, new: NewFault) -> Result<Fault, ControlError> {
        let fault = Fault::new(new).map_err(|error| ControlError(error.to_string()))?;
        lock(&self.shared.faults).set(fault.clone());
        if fault.kind == FaultKind::ConnectRefused {
            let length = fault.delay_ms.map_or(REFUSES_FOR, Duration::from_millis);
            self.shared.refuse_until.send_replace(Some(Instant::now() + length));
        }
        Ok(fault)
    }

    /// The faults that are set, with what is left of them.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        lock(&self.shared.faults).list().to_vec()
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
        self.shared.refuse_until.send_replace(None);
    }

    /// Virtual time.
    #[must_use]
    pub fn clock(&self) -> ClockState {
        self.shared.look(|world| ClockState { now: world.now, speed: world.clock.speed() })
    }

    /// Pushes virtual time forward; everything that falls due happens at its own moment.
    pub fn advance(&self, by: Duration) {
        let by = time::Duration::try_from(by).unwrap_or(time::Duration::MAX);
        self.shared.step(|world| world.clock.advance(by));
    }

    /// Changes the pace of virtual time.
    pub fn set_speed(&self, speed: u32) {
        self.shared.step(|world| world.clock.set_speed(speed));
    }

    /// The switches.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.shared.look(|world| world.policy.clone())
    }

    /// Changes some switches.
    ///
    /// # Errors
    /// An unknown switch or a value that does not fit.
    pub fn set_policy(&self, changes: &Map<String, Value>) -> Result<Policy, ControlError> {
        self.shared.step(|world| {
            world.policy = world.policy.with(changes).map_err(ControlError)?;
            Ok(world.policy.clone())
        })
    }

    /// What is done to webhooks on their way.
    pub fn set_webhook_policy(&self, policy: WebhookPolicy) {
        self.shared.step(|world| world.outbox.policy = policy);
    }

    /// Where webhooks go from now on.
    ///
    /// # Errors
    /// Not an http address, or not a `whsec_` secret.
    pub fn set_webhook_endpoint(&self, url: &str, secret: &str) -> Result<(), ControlError> {
        let endpoint = endpoint(url, secret)?;
        *lock(&self.shared.endpoint) = Some(endpoint);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Sends the webhooks that are due (or all that wait), paused or not; returns how many attempts were made.
    pub async fn flush_webhooks(&self, all: bool) -> usize {
        deliver::round(&self.shared, if all { Round::FlushAll } else { Round::Flush }).await
    }

    /// Everything that is remembered, for looking at.
    #[must_use]
    pub fn state(&self) -> Value {
        self.shared.look(|world| serde_json::to_value(world).unwrap_or(Value::Null))
    }

    /// Back to the start.
    pub fn reset(&self) {
        self.shared.reset();
    }
}

fn change_request(body: Value) -> Result<ChangeRequest, ControlError> {
    serde_json::from_value(body).map_err(|error| ControlError(error.to_string()))
}

/// Checks where webhooks are to go.
pub(crate) fn endpoint(url: &str, secret: &str) -> Result<Endpoint, ControlError> {
    let url: http::Uri = url.parse().map_err(|_| ControlError(format!("{url} is not an address")))?;
    if url.scheme_str() != Some("http") || url.host().is_none() {
        return Err(ControlError("webhooks go to plain http addresses only".to_owned()));
    }
    let secret: Secret = secret.parse().map_err(|error| ControlError(format!("{error}")))?;
    Ok(Endpoint { url, secret })
}
