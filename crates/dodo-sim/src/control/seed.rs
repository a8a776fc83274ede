//! Putting things into the world as if they had happened.

use crate::engine::cart::priced;
use crate::engine::charge::{self, End};
use crate::engine::checkout::{self, cart_draft};
use crate::engine::world::World;
use crate::error::{ApiError, Outcome};
use crate::model::Metadata;
use crate::model::card::Card;
use crate::model::customer::{MethodKind, PaymentMethod};
use crate::model::money::Currency;
use crate::model::payment::Billing;
use crate::model::session::{CartAddon, CartProduct, CheckoutRequest};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use std::str::FromStr;
use time::{Duration, OffsetDateTime};

/// A customer to add.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewCustomer {
    /// An id of one's own choice.
    pub customer_id: Option<String>,
    /// E-mail address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Saved methods.
    pub payment_methods: Vec<NewPaymentMethod>,
    /// Address: `{country, city?, state?, street?, zipcode?}`.
    pub billing: Option<Value>,
    /// As on the customer.
    pub metadata: Metadata,
}

/// A saved method; a card unless `payment_method` says otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewPaymentMethod {
    /// An id of one's own choice.
    pub payment_method_id: Option<String>,
    /// `card`, or another kind of Dodo's such as `upi`.
    pub payment_method: String,
    /// Its subtype, for other kinds.
    pub payment_method_type: Option<String>,
    /// Card number; decides what the card does.
    pub number: String,
    /// 1 to 12; as a number or as text.
    #[serde(deserialize_with = "number_or_text")]
    pub expiry_month: u8,
    /// Two or four digits; as a number or as text.
    #[serde(deserialize_with = "number_or_text")]
    pub expiry_year: u16,
    /// As shown.
    pub recurring_enabled: Option<bool>,
    /// As shown.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
    /// Currencies that it can be charged in; any when empty.
    pub currencies: Vec<Currency>,
    /// Error code with which it declines whenever it is charged without the buyer.
    pub declines_with: Option<String>,
}

/// Dodo writes expiry dates as text, people as numbers.
fn number_or_text<'de, D: Deserializer<'de>, T: FromStr + TryFrom<u64>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = match &value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64().and_then(|number| T::try_from(number).ok()),
    };
    number.ok_or_else(|| serde::de::Error::custom(format!("{value} is not a month or year")))
}

impl Default for NewPaymentMethod {
    fn default() -> Self {
        Self {
            payment_method_id: None,
            payment_method: "card".to_owned(),
            payment_method_type: None,
            number: "4242424242424242".to_owned(),
            expiry_month: 12,
            expiry_year: 2034,
            recurring_enabled: Some(true),
            last_used_at: None,
            currencies: Vec::new(),
            declines_with: None,
        }
    }
}

/// A subscription to begin.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewSubscription {
    /// Whose.
    pub customer_id: String,
    /// Of what.
    pub product_id: String,
    /// The customer's first method when absent.
    pub payment_method_id: Option<String>,
    /// One when absent.
    pub quantity: Option<i64>,
    /// `[{addon_id, quantity}]`.
    pub addons: Vec<Value>,
    /// Began so many days ago; renewals since then happen too.
    pub started_days_ago: u32,
    /// On the payment and the subscription.
    pub metadata: Metadata,
}

/// A purchase to make.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewPayment {
    /// Whose.
    pub customer_id: String,
    /// Of what.
    pub product_id: String,
    /// The customer's first method when absent.
    pub payment_method_id: Option<String>,
    /// One when absent.
    pub quantity: Option<i64>,
    /// On the payment.
    pub metadata: Metadata,
    /// What is collected, tax included, instead of the price: minor units.
    pub amount: Option<i64>,
    /// The subscription that it is said to pay for; nothing happens to that.
    pub subscription_id: Option<String>,
    /// The buyer's card is declined.
    pub fails: bool,
    /// Fields that the API gives with these values instead: what Dodo leaves out, or words in its own way.
    pub shown: Map<String, Value>,
}

/// Changes of a product; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProductPatch {
    /// List price in minor units.
    pub price: Option<i64>,
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Archived products cannot be bought.
    pub archived: Option<bool>,
    /// Whether the price has tax inside.
    pub tax_inclusive: Option<bool>,
    /// Add-ons that may be attached.
    pub addons: Option<Vec<String>>,
}

/// Adds a customer; an address that is none is left out.
pub(crate) fn customer(world: &mut World, new: NewCustomer) -> String {
    let id = checkout::add_customer(world, new.customer_id, new.email, new.name, None);
    let methods: Vec<PaymentMethod> =
        new.payment_methods.into_iter().map(|method| payment_method(world, method)).collect();
    if let Some(customer) = world.customers.get_mut(&id) {
        customer.billing = new.billing.and_then(|billing| serde_json::from_value(billing).ok());
        customer.metadata = new.metadata;
        let holder = customer.name.clone();
        customer.payment_methods = methods;
        for method in &mut customer.payment_methods {
            if let MethodKind::Card(card) = &mut method.kind {
                card.holder.clone_from(&holder);
            }
        }
    }
    id
}

fn payment_method(world: &mut World, new: NewPaymentMethod) -> PaymentMethod {
    let kind = if new.payment_method == "card" {
        MethodKind::Card(Card {
            number: new.number.replace(' ', ""),
            holder: String::new(),
            expiry_month: new.expiry_month,
            expiry_year: if new.expiry_year < 100 { new.expiry_year + 2000 } else { new.expiry_year },
        })
    } else {
        MethodKind::Other { payment_method: new.payment_method, payment_method_type: new.payment_method_type }
    };
    PaymentMethod {
        payment_method_id: new.payment_method_id.unwrap_or_else(|| world.ids.next("pm")),
        kind,
        recurring_enabled: new.recurring_enabled,
        last_used_at: new.last_used_at,
        currencies: new.currencies,
        declines_with: new.declines_with,
        removed: false,
    }
}

/// Begins a subscription; returns its id.
pub(crate) fn subscription(world: &mut World, new: NewSubscription) -> Outcome<String> {
    let addons: Vec<CartAddon> = serde_json::from_value(Value::Array(new.addons))
        .map_err(|error| ApiError::invalid(format!("addons: {error}")))?;
    let item = CartProduct {
        product_id: new.product_id,
        quantity: new.quantity.unwrap_or(1),
        amount: None,
        addons: Some(addons),
    };
    let now = world.now;
    world.now = now - Duration::days(i64::from(new.started_days_ago));
    let paid = purchase(world, &new.customer_id, new.payment_method_id, item, new.metadata);
    world.now = now;
    let payment_id = paid?;
    world
        .payment(&payment_id)?
        .subscription_ids
        .first()
        .cloned()
        .ok_or_else(|| ApiError::invalid("the product is not a subscription"))
}

/// Makes a purchase; returns its payment's id.
pub(crate) fn payment(world: &mut World, new: NewPayment) -> Outcome<String> {
    let item = CartProduct {
        product_id: new.product_id,
        quantity: new.quantity.unwrap_or(1),
        amount: None,
        addons: None,
    };
    let opened = open_purchase(world, &new.customer_id, new.payment_method_id, item, new.metadata)?;
    if let Some(payment) = world.payments.get_mut(&opened) {
        payment.total_amount = new.amount.unwrap_or(payment.total_amount);
        payment.shown = new.shown;
    }
    let end = if new.fails { End::Failed("INSUFFICIENT_FUNDS".to_owned()) } else { End::Succeeded };
    charge::settle(world, &opened, end);
    // Settling names the subscriptions that the cart began.
    if let Some(payment) = world.payments.get_mut(&opened) {
        payment.subscription_ids.extend(new.subscription_id);
    }
    Ok(opened)
}

/// Makes the API give fields of a payment with these values.
pub(crate) fn show_payment(world: &mut World, id: &str, shown: Map<String, Value>) -> Outcome<()> {
    let payment = world.payments.get_mut(id).ok_or_else(|| ApiError::not_found("payment", id))?;
    payment.shown.extend(shown);
    Ok(())
}

/// As if the customer had paid for one item on the hosted page, with a method that they have.
fn purchase(
    world: &mut World,
    customer_id: &str,
    method_id: Option<String>,
    item: CartProduct,
    metadata: Metadata,
) -> Outcome<String> {
    let payment_id = open_purchase(world, customer_id, method_id, item, metadata)?;
    charge::settle(world, &payment_id, End::Succeeded);
    Ok(payment_id)
}

/// As if the customer had filled in the hosted page, and not yet paid.
fn open_purchase(
    world: &mut World,
    customer_id: &str,
    method_id: Option<String>,
    item: CartProduct,
    metadata: Metadata,
) -> Outcome<String> {
    let customer = world.customer(customer_id)?;
    let method_id = match method_id {
        Some(id) if customer.method(&id).is_none() => return Err(ApiError::not_found("payment method", &id)),
        Some(id) => Some(id),
        None => customer.payment_methods.first().map(|method| method.payment_method_id.clone()),
    };
    let billing = customer.billing.clone().unwrap_or_else(|| Billing {
        country: "US".to_owned(),
        city: None,
        state: None,
        street: None,
        zipcode: Some("94105".to_owned()),
    });
    let request: CheckoutRequest = serde_json::from_value(json!({
        "product_cart": [item],
        "customer": {"customer_id": customer_id},
        "billing_address": billing,
        "metadata": metadata,
    }))
    .map_err(|error| ApiError::invalid(error.to_string()))?;
    let cart = priced(world, &request, &billing.country)?;
    let created = checkout::create(world, request)?;
    let mut draft = cart_draft(cart, customer_id.to_owned(), billing, metadata, &created.session_id);
    draft.payment_method_id = method_id;
    let payment_id = charge::open(world, draft);
    if let Some(session) = world.sessions.get_mut(&created.session_id) {
        session.payment_id = Some(payment_id.clone());
    }
    Ok(payment_id)
}

/// Changes a product.
pub(crate) fn patch_product(world: &mut World, id: &str, patch: ProductPatch) -> Outcome<()> {
    let now = world.now;
    let product = world.products.get_mut(id).ok_or_else(|| ApiError::not_found("product", id))?;
    if let Some(price) = patch.price {
        product.price.set_list(price);
    }
    if let Some(inclusive) = patch.tax_inclusive {
        product.price.set_tax_inclusive(inclusive);
    }
    if let Some(name) = patch.name {
        product.name = name;
    }
    product.description = patch.description.or(product.description.take());
    product.archived = patch.archived.unwrap_or(product.archived);
    product.addons = patch.addons.unwrap_or_else(|| std::mem::take(&mut product.addons));
    product.updated_at = now;
    Ok(())
}
