//! Checkout sessions: opened for a hosted page, or confirmed at once on a saved method.

use super::cart::{self, PricedCart, priced};
use super::charge::{self, Draft};
use super::world::World;
use crate::error::{ApiError, Code, Outcome};
use crate::model::Metadata;
use crate::model::card::Moment;
use crate::model::customer::{Customer, MethodKind, PaymentMethod};
use crate::model::money::Currency;
use crate::model::payment::{Billing, IntentStatus, Purpose, Source};
use crate::model::session::{CheckoutRequest, CustomerRequest, Session, SessionKind};
use crate::policy::{DeclineSurface, ExpiredCard, OneClickBilling};
use std::collections::BTreeMap;
use time::Duration;

/// What `POST /checkouts` tells.
#[derive(Debug)]
pub(crate) struct Created {
    pub(crate) session_id: String,
    pub(crate) checkout_url: Option<String>,
    /// Only when a payment was begun.
    pub(crate) payment_id: Option<String>,
}

/// The country that the cart is taxed in: the address sent, the customer's last one, else the United States.
pub(crate) fn billing_country(world: &World, request: &CheckoutRequest) -> String {
    let sent = request.billing_address.as_ref();
    let known = match &request.customer {
        Some(CustomerRequest::Existing { customer_id }) => {
            world.customers.get(customer_id).and_then(|customer| customer.billing.as_ref())
        }
        Some(CustomerRequest::New { .. }) | None => None,
    };
    sent.or(known).map_or_else(|| "US".to_owned(), |billing| billing.country.clone())
}

/// Checks and prices a request without making anything.
pub(crate) fn quote(world: &World, request: &CheckoutRequest) -> Outcome<(PricedCart, String)> {
    let customer = match &request.customer {
        Some(CustomerRequest::Existing { customer_id }) => Some(world.customer(customer_id)?),
        Some(CustomerRequest::New { email, .. }) if !email.contains('@') => {
            return Err(ApiError::invalid("customer.email is not an e-mail address"));
        }
        Some(CustomerRequest::New { .. }) | None => None,
    };
    if let Some(billing) = &request.billing_address {
        check_country(&billing.country)?;
    }
    if let Some(metadata) = &request.metadata {
        cart::check_metadata(metadata)?;
    }
    if request.payment_method_id.is_some() && (!request.confirm || customer.is_none()) {
        return Err(ApiError::invalid("payment_method_id needs confirm and an existing customer_id"));
    }
    if request.confirm && request.feature_flags.require_tax_id && request.tax_id.is_none() {
        return Err(ApiError::invalid("tax_id is required"));
    }
    let country = billing_country(world, request);
    let cart = priced(world, request, &country)?;
    if let Some(customer) = customer {
        cart::check_existing_subscription(world, &customer.customer_id, &cart)?;
    }
    Ok((cart, country))
}

pub(crate) fn check_country(country: &str) -> Outcome<()> {
    match <[u8; 2]>::try_from(country.as_bytes()) {
        Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(()),
        Ok(_) | Err(_) => Err(ApiError::invalid("country must be two capital letters")),
    }
}

/// `POST /checkouts`.
pub(crate) fn create(world: &mut World, request: CheckoutRequest) -> Outcome<Created> {
    let (cart, _) = quote(world, &request)?;
    if !request.confirm {
        let session_id = open_session(world, request, Duration::hours(24), None);
        return Ok(Created {
            checkout_url: Some(session_url(world, &session_id)),
            session_id,
            payment_id: None,
        });
    }
    confirm(world, request, cart)
}

fn confirm(world: &mut World, request: CheckoutRequest, cart: PricedCart) -> Outcome<Created> {
    let who =
        request.customer.clone().ok_or_else(|| ApiError::invalid("a confirmed session needs a customer"))?;
    if let CustomerRequest::New { name: None, .. } = &who {
        return Err(ApiError::invalid("a confirmed session needs the customer's name"));
    }
    let billing = confirm_billing(world, &request)?;
    let method_id = match &request.payment_method_id {
        None => None,
        Some(id) => Some(eligible_method(world, &who, id, &cart)?.payment_method_id.clone()),
    };
    let customer_id = resolve_customer(world, &who, request.feature_flags.always_create_new_customer)?;
    let metadata = request.metadata.clone().unwrap_or_default();
    let session_id = open_session(world, request, Duration::minutes(15), Some(&customer_id));
    let mut draft = cart_draft(cart, customer_id, billing, metadata, &session_id);
    let payment_id = match method_id {
        None => charge::open(world, draft),
        Some(method_id) => {
            draft.source = Source::OneClick;
            draft.payment_method_id = Some(method_id);
            charge::open(world, draft)
        }
    };
    if let Some(session) = world.sessions.get_mut(&session_id) {
        session.payment_id = Some(payment_id.clone());
    }
    let one_click = world.payment(&payment_id)?.source == Source::OneClick;
    if one_click {
        let status = charge::off_session(world, &payment_id, Moment::OneClick);
        if status == IntentStatus::Failed && world.policy.decline_surface == DeclineSurface::HttpError {
            let error_code = world.payment(&payment_id)?.error_code.clone().unwrap_or_default();
            return Err(ApiError::declined(&error_code));
        }
    }
    Ok(Created {
        checkout_url: (!one_click).then(|| session_url(world, &session_id)),
        session_id,
        payment_id: Some(payment_id),
    })
}

/// A payment for a cart, from the hosted page unless the caller says otherwise.
pub(crate) fn cart_draft(
    cart: PricedCart,
    customer_id: String,
    billing: Billing,
    metadata: Metadata,
    session_id: &str,
) -> Draft {
    let lines = cart
        .price
        .products
        .iter()
        .flat_map(|product| product.lines())
        .map(|line| (line.name.clone(), line.now.net.saturating_add(line.now.tax), line.now.tax))
        .collect();
    Draft {
        customer_id,
        billing,
        currency: cart.price.currency,
        total: cart.price.now.total,
        tax: cart.price.now.tax,
        source: Source::Hosted,
        purpose: Purpose::Checkout { subscriptions: cart.subscriptions },
        checkout_session_id: Some(session_id.to_owned()),
        subscription_ids: Vec::new(),
        product_cart: cart.one_time,
        product_ids: cart.product_ids,
        payment_method_id: None,
        lines,
        service_periods: Vec::new(),
        discount_codes: cart.codes,
        credit_spent: 0,
        metadata,
    }
}

fn confirm_billing(world: &World, request: &CheckoutRequest) -> Outcome<Billing> {
    let Some(billing) = request.billing_address.clone() else {
        let known = match &request.customer {
            Some(CustomerRequest::Existing { customer_id }) => world.customer(customer_id)?.billing.clone(),
            Some(CustomerRequest::New { .. }) | None => None,
        };
        return match (world.policy.one_click_billing, known) {
            (OneClickBilling::ReuseCustomer, Some(billing)) => Ok(billing),
            (OneClickBilling::ReuseCustomer, None) => Err(ApiError::invalid("no billing address is known")),
            (OneClickBilling::Required, _) => {
                Err(ApiError::invalid("billing_address is required with confirm"))
            }
        };
    };
    let filled = |field: &Option<String>| field.as_deref().is_some_and(|text| !text.trim().is_empty());
    let full = [&billing.street, &billing.city, &billing.state].into_iter().all(filled);
    let enough = filled(&billing.zipcode) && (request.minimal_address || full);
    if world.policy.one_click_billing == OneClickBilling::Required && !enough {
        return Err(ApiError::invalid(
            "a confirmed session needs street, city, state and zipcode, or zipcode with minimal_address",
        ));
    }
    Ok(billing)
}

fn eligible_method<'a>(
    world: &'a World,
    who: &CustomerRequest,
    id: &str,
    cart: &PricedCart,
) -> Outcome<&'a PaymentMethod> {
    let refuse = |why: &str| ApiError::new(Code::NoEligiblePaymentMethods, why);
    let CustomerRequest::Existing { customer_id } = who else {
        return Err(refuse("a new customer has no saved payment method"));
    };
    let method = world
        .customer(customer_id)?
        .method(id)
        .ok_or_else(|| refuse("the customer has no such payment method"))?;
    if !method.currencies.is_empty() && !method.currencies.contains(&cart.price.currency) {
        return Err(refuse("the payment method cannot be charged in this currency"));
    }
    if !cart.subscriptions.is_empty() && method.recurring_enabled == Some(false) {
        return Err(refuse("the payment method cannot be used for subscriptions"));
    }
    match &method.kind {
        MethodKind::Card(card)
            if card.expired(world.now) && world.policy.expired_card == ExpiredCard::HttpError =>
        {
            Err(refuse("the card has expired"))
        }
        MethodKind::Card(_) | MethodKind::Other { .. } => Ok(method),
    }
}

/// Finds or makes the customer. A new one with a known e-mail address is the known one, unless told otherwise.
pub(crate) fn resolve_customer(
    world: &mut World,
    who: &CustomerRequest,
    always_new: bool,
) -> Outcome<String> {
    match who {
        CustomerRequest::Existing { customer_id } => Ok(world.customer(customer_id)?.customer_id.clone()),
        CustomerRequest::New { email, name, phone_number } => {
            let known = world.customers.iter().find(|customer| customer.email.eq_ignore_ascii_case(email));
            if let Some(known) = known.filter(|_| !always_new) {
                return Ok(known.customer_id.clone());
            }
            let name = name.clone().unwrap_or_else(|| email.clone());
            Ok(add_customer(world, None, email.clone(), name, phone_number.clone()))
        }
    }
}

/// Writes a customer down; `id` only for fixtures that name their own.
pub(crate) fn add_customer(
    world: &mut World,
    id: Option<String>,
    email: String,
    name: String,
    phone_number: Option<String>,
) -> String {
    let customer_id = id.unwrap_or_else(|| world.ids.next("cus"));
    world.customers.put(Customer {
        customer_id: customer_id.clone(),
        email,
        name,
        phone_number,
        metadata: Metadata::new(),
        created_at: world.now,
        billing: None,
        payment_methods: Vec::new(),
        wallets: BTreeMap::<Currency, _>::new(),
    });
    customer_id
}

fn open_session(
    world: &mut World,
    request: CheckoutRequest,
    life: Duration,
    customer_id: Option<&str>,
) -> String {
    let id = world.ids.next("cks");
    let customer_id = match (&request.customer, customer_id) {
        (_, Some(id)) => Some(id.to_owned()),
        (Some(CustomerRequest::Existing { customer_id }), None) => Some(customer_id.clone()),
        (Some(CustomerRequest::New { .. }) | None, None) => None,
    };
    let known = customer_id.as_deref().and_then(|id| world.customers.get(id));
    let (email, name) = match (&request.customer, known) {
        (_, Some(customer)) => (Some(customer.email.clone()), Some(customer.name.clone())),
        (Some(CustomerRequest::New { email, name, .. }), None) => (Some(email.clone()), name.clone()),
        (Some(CustomerRequest::Existing { .. }) | None, None) => (None, None),
    };
    world.sessions.put(Session {
        id: id.clone(),
        kind: SessionKind::Cart(Box::new(request)),
        created_at: world.now,
        expires_at: world.now + life,
        customer_id,
        customer_email: email,
        customer_name: name,
        payment_id: None,
    });
    id
}

/// A hosted page that collects for a payment that exists already.
pub(crate) fn open_payment_link(
    world: &mut World,
    payment_id: &str,
    return_url: Option<url::Url>,
) -> Outcome<String> {
    let customer = world.customer(&world.payment(payment_id)?.customer_id)?.clone();
    let id = world.ids.next("cks");
    let link = session_url(world, &id);
    world.sessions.put(Session {
        id: id.clone(),
        kind: SessionKind::Payment { return_url },
        created_at: world.now,
        expires_at: world.now + Duration::hours(24),
        customer_id: Some(customer.customer_id),
        customer_email: Some(customer.email),
        customer_name: Some(customer.name),
        payment_id: Some(payment_id.to_owned()),
    });
    if let Some(payment) = world.payments.get_mut(payment_id) {
        payment.payment_link = Some(link.clone());
        payment.checkout_session_id = Some(id);
    }
    Ok(link)
}

fn session_url(world: &World, session_id: &str) -> String {
    format!("{}/session/{session_id}", world.base_url)
}
