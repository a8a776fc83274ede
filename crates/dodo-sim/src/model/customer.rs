//! Buyers, their saved payment methods and their credit.

use super::card::Card;
use super::money::Currency;
use super::table::Row;
use super::{Metadata, payment::Billing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Customer {
    pub(crate) customer_id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) phone_number: Option<String>,
    pub(crate) metadata: Metadata,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    /// Last address used; never shown on the customer itself.
    pub(crate) billing: Option<Billing>,
    pub(crate) payment_methods: Vec<PaymentMethod>,
    pub(crate) wallets: BTreeMap<Currency, Wallet>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Wallet {
    pub(crate) balance: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) updated_at: OffsetDateTime,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct PaymentMethod {
    pub(crate) payment_method_id: String,
    pub(crate) kind: MethodKind,
    pub(crate) recurring_enabled: Option<bool>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) last_used_at: Option<OffsetDateTime>,
    /// Currencies it can be charged in; empty means any. Dodo shows no such list: it can only be learned by trying.
    pub(crate) currencies: Vec<Currency>,
    /// Simulator extension: the error code with which it declines whenever it is charged without the buyer.
    pub(crate) declines_with: Option<String>,
    /// A removed method stays known, so that removing it again succeeds.
    pub(crate) removed: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum MethodKind {
    Card(Card),
    /// Anything else that Dodo lists, such as `upi` or `wallet`; it is always approved.
    Other {
        payment_method: String,
        payment_method_type: Option<String>,
    },
}

impl Customer {
    /// A method that has not been removed.
    pub(crate) fn method(&self, id: &str) -> Option<&PaymentMethod> {
        self.payment_methods.iter().find(|method| method.payment_method_id == id && !method.removed)
    }

    pub(crate) fn credit(&self, currency: Currency) -> i64 {
        self.wallets.get(&currency).map_or(0, |wallet| wallet.balance)
    }

    /// Adds to (or takes from) the wallet in that currency.
    pub(crate) fn add_credit(&mut self, currency: Currency, amount: i64, now: OffsetDateTime) {
        let wallet =
            self.wallets.entry(currency).or_insert(Wallet { balance: 0, created_at: now, updated_at: now });
        wallet.balance = wallet.balance.saturating_add(amount);
        wallet.updated_at = now;
    }
}

impl Row for Customer {
    fn id(&self) -> &str {
        &self.customer_id
    }
}
