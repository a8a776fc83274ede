//! A buyer pays on a hosted page: a typed card or a saved one, for a cart or for a payment that exists.

use super::cart::priced;
use super::charge::{self, End};
use super::checkout::{cart_draft, check_country, resolve_customer};
use super::world::World;
use crate::billing::checkout::CartPrice;
use crate::error::{ApiError, Code, Outcome};
use crate::model::card::{Answer, Card, Moment, answer};
use crate::model::customer::{MethodKind, PaymentMethod};
use crate::model::payment::{Billing, IntentStatus};
use crate::model::session::{CheckoutRequest, CustomerRequest, Session, SessionKind};

/// How the buyer pays.
#[derive(Debug)]
pub(crate) enum Instrument {
    Typed { card: Card, cvc: String },
    Saved { payment_method_id: String },
}

/// What the buyer sent.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) instrument: Instrument,
    pub(crate) billing: Billing,
    pub(crate) email: String,
    pub(crate) name: String,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Paid {
    Succeeded {
        payment_id: String,
    },
    /// The page stays open for another card.
    Declined {
        error_code: String,
    },
}

/// The session if a buyer may still pay on it.
pub(crate) fn open_session<'a>(world: &'a World, id: &str) -> Outcome<&'a Session> {
    let session = world.session(id)?;
    let paid =
        session.payment_id.as_deref().and_then(|id| world.payments.get(id)).map(|payment| payment.status);
    match paid {
        Some(IntentStatus::Succeeded) => {
            Err(ApiError::new(Code::CheckoutSessionConsumed, "this checkout has been paid"))
        }
        Some(IntentStatus::Processing | IntentStatus::RequiresCustomerAction) => {
            Err(ApiError::new(Code::PreviousPaymentPending, "a payment of this checkout is under way"))
        }
        Some(IntentStatus::Cancelled) if matches!(session.kind, SessionKind::Payment { .. }) => {
            Err(ApiError::new(Code::CheckoutSessionConsumed, "this payment was cancelled"))
        }
        _ if session.expires_at <= world.now => {
            Err(ApiError::new(Code::CheckoutSessionConsumed, "this checkout has expired"))
        }
        _ => Ok(session),
    }
}

/// The price of a session's cart for a buyer in `country`.
pub(crate) fn cart_price(world: &World, request: &CheckoutRequest, country: &str) -> Outcome<CartPrice> {
    Ok(priced(world, request, country)?.price)
}

/// The buyer presses the button.
pub(crate) fn pay(world: &mut World, session_id: &str, submission: Submission) -> Outcome<Paid> {
    check_country(&submission.billing.country)?;
    let session = open_session(world, session_id)?.clone();
    let customer_id = match &session.customer_id {
        Some(id) => id.clone(),
        None => {
            if !submission.email.contains('@') {
                return Err(ApiError::invalid("an e-mail address is needed"));
            }
            let name = Some(submission.name.clone()).filter(|name| !name.trim().is_empty());
            let who = CustomerRequest::New { email: submission.email.clone(), name, phone_number: None };
            resolve_customer(world, &who, always_new(&session))?
        }
    };
    let refusal = refusal(world, &customer_id, &submission.instrument)?;
    let payment_id = match &session.kind {
        SessionKind::Payment { .. } => session.payment_id.clone().unwrap_or_default(),
        SessionKind::Cart(request) => {
            cart_payment(world, &session, request, &customer_id, submission.billing.clone())?
        }
    };
    let email = world.customer(&customer_id)?.email.clone();
    if let Some(session) = world.sessions.get_mut(session_id) {
        session.customer_email = Some(email);
        session.payment_id = Some(payment_id.clone());
        // Until it is paid a buyer may still correct who they are.
        if refusal.is_none() {
            session.customer_id = Some(customer_id.clone());
        }
    }
    if let Some(error_code) = refusal {
        // A try at a cart ends with its decline; a payment that exists waits for another card.
        if matches!(session.kind, SessionKind::Cart(_)) {
            charge::settle(world, &payment_id, End::Failed(error_code.clone()));
        }
        return Ok(Paid::Declined { error_code });
    }
    let method_id = match submission.instrument {
        Instrument::Saved { payment_method_id } => payment_method_id,
        Instrument::Typed { card, .. } => save_card(world, &customer_id, card),
    };
    if let Some(payment) = world.payments.get_mut(&payment_id) {
        payment.payment_method_id = Some(method_id);
        payment.billing = submission.billing;
    }
    charge::settle(world, &payment_id, End::Succeeded);
    Ok(Paid::Succeeded { payment_id })
}

fn always_new(session: &Session) -> bool {
    match &session.kind {
        SessionKind::Cart(request) => request.feature_flags.always_create_new_customer,
        SessionKind::Payment { .. } => false,
    }
}

/// The payment of this try; the one that `confirm` left waiting is used first.
fn cart_payment(
    world: &mut World,
    session: &Session,
    request: &CheckoutRequest,
    customer_id: &str,
    billing: Billing,
) -> Outcome<String> {
    let waiting = session
        .payment_id
        .as_deref()
        .and_then(|id| world.payments.get(id))
        .filter(|payment| payment.status == IntentStatus::RequiresPaymentMethod);
    if let Some(payment) = waiting {
        return Ok(payment.payment_id.clone());
    }
    let cart = priced(world, request, &billing.country)?;
    let metadata = request.metadata.clone().unwrap_or_default();
    let draft = cart_draft(cart, customer_id.to_owned(), billing, metadata, &session.id);
    Ok(charge::open(world, draft))
}

/// The error code with which the issuer refuses, if it does.
fn refusal(world: &World, customer_id: &str, instrument: &Instrument) -> Outcome<Option<String>> {
    let card = match instrument {
        Instrument::Typed { card, cvc } => {
            let cvc_fits = (3..=4).contains(&cvc.len()) && cvc.bytes().all(|byte| byte.is_ascii_digit());
            if !cvc_fits {
                return Ok(Some("INCORRECT_CVC".to_owned()));
            }
            card
        }
        Instrument::Saved { payment_method_id } => {
            let method = world
                .customer(customer_id)?
                .method(payment_method_id)
                .ok_or_else(|| ApiError::new(Code::NoEligiblePaymentMethods, "this saved card is gone"))?;
            match &method.kind {
                MethodKind::Card(card) => card,
                MethodKind::Other { .. } => return Ok(None),
            }
        }
    };
    if card.expired(world.now) {
        return Ok(Some("EXPIRED_CARD".to_owned()));
    }
    Ok(match answer(&card.number, Moment::Present, true) {
        Answer::Approved | Answer::Challenge | Answer::Processing => None,
        Answer::Declined(error_code) => Some(error_code.to_owned()),
    })
}

/// Saves a card on a customer; the same card is saved once.
pub(crate) fn save_card(world: &mut World, customer_id: &str, card: Card) -> String {
    let id = world.ids.next("pm");
    let Some(customer) = world.customers.get_mut(customer_id) else { return id };
    let same = |method: &&PaymentMethod| {
        !method.removed
            && matches!(&method.kind, MethodKind::Card(known)
                if known.number == card.number
                    && (known.expiry_year, known.expiry_month) == (card.expiry_year, card.expiry_month))
    };
    if let Some(known) = customer.payment_methods.iter().find(same) {
        return known.payment_method_id.clone();
    }
    customer.payment_methods.push(PaymentMethod {
        payment_method_id: id.clone(),
        kind: MethodKind::Card(card),
        recurring_enabled: Some(true),
        last_used_at: None,
        currencies: Vec::new(),
        declines_with: None,
        removed: false,
    });
    id
}
