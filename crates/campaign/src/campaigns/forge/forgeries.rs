//! Payments that buyers make with metadata of their own, and the ways in which the proxy hears of them.
//!
//! In one file because the recipes and how each is made are read side by side.

use anyhow::Context as _;
use dodo_client::{
    Mode,
    ids::{CustomerId, PaymentId, SubscriptionId},
};
use dodo_sim::{NewPayment, NewSubscription};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};
use upsell_core::domain::{AttemptKind, TagKeys, Tags};
use wire::{AttemptId, Currency, Money, ProductId, QuoteId};

use super::{
    shop::{CLUB, KIT, TOOL, World},
    targets::{Standing as S, Target},
};

/// A way to forge. Whatever is not said of a payment is as the attempt would have it: buyer, cart, currency, amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Recipe {
    /// It names the attempt, as a static link lets everybody.
    NameOnly,
    /// It has every pair, without the code.
    Uncoded,
    /// It has every pair, and something that is not the code.
    BadCode,
    /// Its code was made with another key of the same id.
    OtherKey,
    /// One pair was changed after signing.
    Edited,
    /// The pairs and the code of another attempt, with this one's name.
    Grafted,
    /// Signed with our key, and about another store, mode, quote, kind, cart, buyer, subscription or amount.
    OtherTerms,
    /// A whole copy, for less. It may be recorded as underpaid, and is nobody's sale.
    CopyCheaper,
    /// A whole copy; somebody else pays.
    CopyOtherBuyer,
    /// A whole copy; another product at the same price.
    CopyOtherCart,
    /// A whole copy; two of it for the price of one.
    CopyOtherQuantity,
    /// A whole copy; the same number in another currency.
    CopyOtherCurrency,
    /// A whole copy, from a checkout that is not ours.
    CopyOtherCheckout,
    /// A whole copy of an attempt that has its payment.
    CopySettled,
    /// A whole copy of a type that the attempt does not make.
    CopyOtherCharge,
    /// A whole copy on a later payment of the buyer's own subscription. Dodo does not say what it was for.
    CopyRenewal,
    /// A whole copy that fails: the attempt must not, or it would be charged again.
    CopyFailed,
    /// A payment of a plan change that names nobody, while the subscription is not changed.
    UnnamedChange,
    /// A whole copy that pays for another subscription of the buyer's.
    CopyOtherSubscription,
    /// Signed with our key about an attempt that this store does not know, on a renewal.
    LostRenewal,
    /// It names an attempt that nobody knows, without a code.
    LostUncoded,
    /// Signed with our key about an attempt of another store, or of the other mode.
    LostElsewhere,
}

use Recipe as R;

pub(super) const RECIPES: [Recipe; 22] = [
    R::NameOnly,
    R::Uncoded,
    R::BadCode,
    R::OtherKey,
    R::Edited,
    R::Grafted,
    R::OtherTerms,
    R::CopyCheaper,
    R::CopyOtherBuyer,
    R::CopyOtherCart,
    R::CopyOtherQuantity,
    R::CopyOtherCurrency,
    R::CopyOtherCheckout,
    R::CopySettled,
    R::CopyOtherCharge,
    R::CopyRenewal,
    R::CopyFailed,
    R::UnnamedChange,
    R::CopyOtherSubscription,
    R::LostRenewal,
    R::LostUncoded,
    R::LostElsewhere,
];

/// Fields that Dodo may leave out of a report.
const NULLABLE: [&str; 22] = [
    "card_holder_name",
    "card_issuing_country",
    "card_last_four",
    "card_network",
    "card_type",
    "charge_type",
    "checkout_session_id",
    "discounts",
    "error_code",
    "error_message",
    "invoice_id",
    "payment_link",
    "payment_method",
    "payment_method_id",
    "payment_method_type",
    "product_cart",
    "refund_status",
    "settlement_tax",
    "status",
    "subscription_id",
    "tax",
    "updated_at",
];

/// How the proxy hears of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Channel {
    Webhook,
    Listing,
    Both,
}

/// A payment that was made, and what was made up about it.
#[derive(Debug)]
pub(super) struct Forged {
    pub(super) payment: PaymentId,
    /// An attempt that must not come into being.
    pub(super) invented: Option<AttemptId>,
    /// Without these fields it is another payment.
    pinned: &'static [&'static str],
}

impl Recipe {
    /// Says whether it makes a forged payment of an attempt that stands there.
    pub(super) fn fits(self, standing: S) -> bool {
        let is_kit =
            matches!(standing, S::Declined | S::Unknown | S::Paid | S::PageOpen | S::PagePaid | S::Abandoned);
        match self {
            R::CopyOtherCart | R::CopyOtherQuantity => is_kit,
            R::CopyOtherCurrency => is_kit || standing.is_change(),
            R::CopyOtherCheckout => standing.is_page(),
            R::CopySettled => matches!(standing, S::Paid | S::PagePaid | S::Declined | S::ClubPaid),
            R::CopyRenewal => matches!(standing, S::ClubUnknown | S::ClubAbandoned | S::ClubPaid),
            R::CopyFailed => {
                matches!(
                    standing,
                    S::Unknown | S::ClubUnknown | S::ChangeUnknown | S::PageOpen | S::Abandoned
                )
            }
            R::UnnamedChange => matches!(standing, S::ChangeFailed | S::ChangeUnknown),
            R::CopyOtherSubscription => standing.is_change(),
            _ => true,
        }
    }

    /// Makes a payment.
    pub(super) fn forge(
        self,
        world: &World,
        target: &Target,
        other: &Target,
        accomplice: &CustomerId,
        rng: &mut ChaCha8Rng,
    ) -> anyhow::Result<Forged> {
        let invented = AttemptId::parse(format!("at_made_up_{}", world.number()))?;
        let mut new = as_it_should_be(target, rng);
        let copy = || target.sent.clone();
        let sign = |tags: &Tags| signed(tags, &world.keys);
        let mut pinned: &'static [&'static str] = &[];
        let metadata = match self {
            R::NameOnly => pairs(json!({"attempt_id": target.row.id})),
            R::Uncoded => without_code(copy()),
            R::BadCode => {
                let mut metadata = copy();
                let code = metadata["upsell_auth"].as_str().context("no code")?.to_owned();
                metadata.insert("upsell_auth".to_owned(), bad_code(&code, rng));
                metadata
            }
            R::OtherKey => {
                let key = other_key(&target.sent)?;
                signed(&target.tags, &TagKeys::parse(&key.into())?)?
            }
            R::Edited => {
                let mut metadata = copy();
                let ours: Vec<String> = metadata
                    .keys()
                    .filter(|key| !["attempt_id", "upsell_auth"].contains(&key.as_str()))
                    .cloned()
                    .collect();
                let key = ours[rng.random_range(0..ours.len())].clone();
                let value = metadata[&key].as_str().unwrap_or_default();
                let value = if rng.random_bool(0.5) { format!("{value}1") } else { String::new() };
                metadata.insert(key, value.into());
                metadata
            }
            R::Grafted => {
                let mut metadata = other.sent.clone();
                if other.row.id == target.row.id {
                    metadata = without_code(metadata);
                }
                metadata.insert("attempt_id".to_owned(), target.row.id.as_str().into());
                metadata
            }
            R::OtherTerms => sign(&other_terms(target, accomplice, rng)?)?,
            R::CopyCheaper => {
                new.amount = Some(rng.random_range(1..target.agreed.amount));
                copy()
            }
            R::CopyOtherBuyer => {
                new.customer_id = accomplice.to_string();
                copy()
            }
            R::CopyOtherCart => {
                new.product_id = TOOL.to_owned();
                copy()
            }
            R::CopyOtherQuantity => {
                new.quantity = Some(2);
                copy()
            }
            R::CopyOtherCurrency => {
                new.shown.insert("currency".to_owned(), "JPY".into());
                copy()
            }
            R::CopyOtherCheckout => {
                new.shown.remove("checkout_session_id");
                pinned = &["checkout_session_id"];
                copy()
            }
            R::CopySettled => copy(),
            R::CopyOtherCharge => {
                let others: &[&str] = match target.standing.is_change() {
                    true => &["new", "renewal", "on_demand"],
                    false => &["plan_change", "renewal", "on_demand"],
                };
                let charge_type = others[rng.random_range(0..others.len())];
                new.shown.insert("charge_type".to_owned(), charge_type.into());
                pinned = &["charge_type"];
                copy()
            }
            R::CopyRenewal => {
                let own = match &target.subscription {
                    Some(began) => began.clone(),
                    None => subscribe(world, target.customer())?,
                };
                later_payment_of(&own, target, rng, &mut new);
                pinned = &["subscription_id"];
                copy()
            }
            R::CopyFailed => {
                new.fails = true;
                copy()
            }
            R::UnnamedChange => Map::new(),
            R::CopyOtherSubscription => {
                new.subscription_id = Some(subscribe(world, target.customer())?.to_string());
                copy()
            }
            R::LostRenewal => {
                let own = subscribe(world, target.customer())?;
                later_payment_of(&own, target, rng, &mut new);
                pinned = &["subscription_id"];
                if rng.random_bool(0.5) {
                    new.shown.insert("charge_type".to_owned(), "renewal".into());
                    pinned = &["charge_type", "subscription_id"];
                }
                sign(&Tags { attempt: invented.clone(), kind: AttemptKind::OneClick, ..target.tags.clone() })?
            }
            R::LostUncoded => {
                let mut metadata = without_code(copy());
                metadata.insert("attempt_id".to_owned(), invented.as_str().into());
                metadata
            }
            R::LostElsewhere => {
                let mut tags = Tags { attempt: invented.clone(), ..target.tags.clone() };
                if rng.random_bool(0.5) {
                    tags.store = "st_elsewhere".to_owned();
                } else {
                    tags.mode = Mode::Live;
                }
                sign(&tags)?
            }
        };
        new.metadata = serde_json::from_value(Value::Object(metadata))?;
        let names_invented = matches!(self, R::LostRenewal | R::LostUncoded | R::LostElsewhere);
        Ok(Forged { payment: world.pay(new)?, invented: names_invented.then_some(invented), pinned })
    }
}

impl Forged {
    /// Has the proxy hear of it. Returns why it was not taken, where it was not.
    pub(super) async fn tell(
        &self,
        world: &World,
        channel: Channel,
        rng: &mut ChaCha8Rng,
    ) -> anyhow::Result<Option<String>> {
        let mut refused = None;
        if channel != Channel::Listing {
            let left_out: Vec<&str> = match rng.random_range(0..3) {
                0 => Vec::new(),
                1 => NULLABLE.to_vec(),
                _ => NULLABLE.into_iter().filter(|_| rng.random_bool(0.3)).collect(),
            };
            let told = world
                .tell(&self.payment, |data| {
                    for field in left_out {
                        if !self.pinned.contains(&field) {
                            data[field] = Value::Null;
                        }
                    }
                })
                .await;
            refused = told.err().map(|error| format!("{error:#}"));
        }
        if channel != Channel::Webhook {
            world.look_up().await?;
        }
        Ok(refused)
    }
}

/// A payment as the attempt would have it, from a static link or from a checkout of the merchant's own.
fn as_it_should_be(target: &Target, rng: &mut ChaCha8Rng) -> NewPayment {
    let mut shown = Map::new();
    if rng.random_bool(0.5) || target.standing.is_page() {
        shown.insert("checkout_session_id".to_owned(), Value::Null);
    }
    let is_change = target.standing.is_change();
    if is_change {
        shown.insert("charge_type".to_owned(), "plan_change".into());
        shown.insert("product_cart".to_owned(), Value::Null);
    } else if rng.random_bool(0.5) {
        shown.insert("charge_type".to_owned(), "new".into());
    }
    NewPayment {
        customer_id: target.customer().to_string(),
        product_id: if is_change { KIT } else { target.product }.to_owned(),
        amount: Some(target.agreed.amount),
        subscription_id: target.subscription.as_ref().filter(|_| is_change).map(SubscriptionId::to_string),
        shown,
        ..NewPayment::default()
    }
}

/// Makes of a payment a later one of a subscription. Dodo does not say what it was for.
fn later_payment_of(own: &SubscriptionId, target: &Target, rng: &mut ChaCha8Rng, new: &mut NewPayment) {
    let day = target.row.created_at.0.saturating_add(86_400 * rng.random_range(1..40));
    let day = time_of(day);
    new.product_id = KIT.to_owned();
    new.subscription_id = Some(own.to_string());
    new.shown.insert("product_cart".to_owned(), Value::Null);
    new.shown.insert("checkout_session_id".to_owned(), Value::Null);
    new.shown.insert("charge_type".to_owned(), Value::Null);
    new.shown.insert("created_at".to_owned(), day.into());
}

/// Writes a time as Dodo does.
fn time_of(seconds: i64) -> String {
    // Days since 1970 to a date, by Howard Hinnant's algorithm.
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let z = days + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn subscribe(world: &World, customer: &CustomerId) -> anyhow::Result<SubscriptionId> {
    world.dodo.start_subscription(NewSubscription {
        customer_id: customer.to_string(),
        product_id: CLUB.to_owned(),
        ..NewSubscription::default()
    })
}

fn pairs(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(pairs) => pairs,
        _ => Map::new(),
    }
}

fn without_code(mut metadata: Map<String, Value>) -> Map<String, Value> {
    metadata.remove("upsell_auth");
    metadata
}

fn signed(tags: &Tags, keys: &TagKeys) -> anyhow::Result<Map<String, Value>> {
    Ok(pairs(serde_json::to_value(tags.signed_over(&Default::default(), keys)?)?))
}

/// Another key under the id of the one that signed.
fn other_key(sent: &Map<String, Value>) -> anyhow::Result<String> {
    let id = sent["upsell_auth"].as_str().and_then(|code| code.split('.').nth(1)).context("no code")?;
    Ok(format!("{id}:{}A=", "B".repeat(42)))
}

fn bad_code(code: &str, rng: &mut ChaCha8Rng) -> Value {
    let cut = rng.random_range(0..code.len());
    match rng.random_range(0..6) {
        0 => code[..cut].into(),
        1 => code.replacen("v1.", "v2.", 1).into(),
        2 => format!("{code}A").into(),
        3 => {
            let with = if code.as_bytes()[cut] == b'A' { "B" } else { "A" };
            format!("{}{with}{}", &code[..cut], &code[cut + 1..]).into()
        }
        4 => json!(true),
        _ => String::new().into(),
    }
}

/// What our key may have signed in another store or at another time, about an attempt of the same name.
fn other_terms(target: &Target, accomplice: &CustomerId, rng: &mut ChaCha8Rng) -> anyhow::Result<Tags> {
    let mut tags = target.tags.clone();
    match rng.random_range(0..9) {
        0 => tags.store = "st_elsewhere".to_owned(),
        1 => tags.mode = Mode::Live,
        2 => tags.quote = QuoteId::parse("qt_elsewhere")?,
        3 => {
            tags.kind = match tags.kind {
                AttemptKind::OneClick => AttemptKind::Hosted,
                AttemptKind::Hosted | AttemptKind::PlanChange => AttemptKind::OneClick,
            }
        }
        4 => tags.items = vec![(ProductId::parse(TOOL)?, 1)],
        5 => tags.customer = accomplice.clone(),
        6 => tags.subscription = Some(SubscriptionId::parse("sub_elsewhere")?),
        7 => tags.agreed = Money::new(tags.agreed.amount, Currency::parse("EUR")?),
        _ => tags.agreed.amount = tags.agreed.amount.saturating_sub(1),
    }
    Ok(tags)
}
