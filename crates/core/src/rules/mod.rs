//! The merchant's rules: what `upsell.toml` says, checked and ready to be asked.
//!
//! | module | what |
//! |---|---|
//! | [`mod@file`] | the file's shape, as it is written |
//! | [`check`] | from the file's shape to [`Rules`]; every refusal names line and field |
//! | [`text`] | the merchant's words in several languages |
//!
//! Read once at start-up. Which rule applies to a buyer is decided in [`crate::policy`], not here. Nothing here depends on it.

pub mod check;
pub mod file;
pub mod text;

use dodo_client::types::plan_changes::ProrationMode;
use serde::Deserialize;
use wire::{OfferKind, ProductId, Trigger};

pub use check::{Flaw, MAX_LIMIT, RulesError};
pub use text::{Languages, Localized, Reader, Words};

/// What happens to money that should not be there. A person is alerted either way. The defaults move no money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MoneyRules {
    /// A charge that was given up and turned out to have been collected.
    pub late_success: LateSuccess,
    /// A second payment for one offer.
    pub surplus: Surplus,
    /// More was collected than was shown.
    pub above_quote: AboveQuote,
}

/// `late_success = …`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateSuccess {
    /// It is a sale.
    #[default]
    Fulfil,
    /// It is given back. What renews is fulfilled all the same: giving its first payment back would not end it.
    Refund,
}

/// `surplus = …`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surplus {
    /// A person decides.
    #[default]
    Alert,
    /// The later of the two is given back.
    Refund,
}

/// `above_quote = …`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AboveQuote {
    /// A person decides.
    #[default]
    Alert,
    /// What is too much is given back.
    RefundDifference,
}

/// How long something that Dodo calls pending may stay so before a person has to look at it, in days from the click. Until
/// then it is waited for; it is never given up, and never late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingRules {
    /// A payment that waits for the buyer at their bank.
    pub bank_approval_days: u32,
    /// A payment by a method that takes its time: a bank debit, a transfer, a voucher.
    pub slow_method_days: u32,
}

impl Default for WaitingRules {
    fn default() -> Self {
        Self { bank_approval_days: 7, slow_method_days: 7 }
    }
}

/// Everything that the merchant decides about offers and plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The seller's name, as the buyer knows it.
    pub merchant: String,
    /// In the order of the file, which is the order of preference.
    pub campaigns: Vec<Campaign>,
    /// Plans to compare, in the order to show them.
    pub plans: Vec<PlanRule>,
    /// How plan changes on the upgrade page are billed.
    pub proration: ProrationRules,
    /// Whether the upgrade page has a way to cancel.
    pub cancellation: bool,
    /// Where it is given, the plan is marked that was chosen most often, and no plan is by hand.
    pub recommendation: Option<Recommendation>,
    /// What happens to money that should not be there.
    pub money: MoneyRules,
    /// How long pending payments are waited for.
    pub waiting: WaitingRules,
    /// What a shop without a server may sell.
    pub static_shop: Vec<ProductId>,
    /// Whether each of its checkouts makes a new customer.
    pub static_shop_new_customer: bool,
}

/// One rule that makes offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Unique in the file.
    pub name: String,
    /// When it applies; `None` for one that only follows another's decline.
    pub when: Option<When>,
    /// What it proposes.
    pub kind: OfferKind,
    /// What is offered.
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
    /// How an `upgrade` or `downgrade` is billed.
    pub proration: ProrationMode,
    /// Applied to a new purchase, in order.
    pub discount_codes: Vec<String>,
    /// Seconds from the moment the offer is made.
    pub valid_for: i64,
    /// The campaign to follow a decline with.
    pub downsell: Option<String>,
    /// What a decline means for later.
    pub after_decline: DeclinePolicy,
    /// Headline, benefits, social proof.
    pub words: Localized<Words>,
}

/// When a refused thing may be offered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclinePolicy {
    /// Never.
    NeverAgain,
    /// When it costs at least so many percent less than when it was refused.
    UntilPriceDrops {
        /// 1 to 99.
        percent: u8,
    },
    /// After so many days.
    CoolDown {
        /// At least 1.
        days: u16,
    },
    /// When the buyer's plan is another than when they refused.
    UntilPlanChanges,
}

/// When a campaign applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// What has to happen.
    pub trigger: Trigger,
    /// Any one of these was bought, or is the plan that the buyer has. Empty means anything.
    pub bought: Vec<ProductId>,
}

/// A buyer is about to leave their plan: campaigns with such a trigger make stay-offers.
pub const LEAVING: [Trigger; 2] = [Trigger::DowngradeIntent, Trigger::CancelIntent];

/// A plan on the upgrade page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRule {
    /// Its product.
    pub product_id: ProductId,
    /// Whether the merchant recommends it.
    pub recommended: bool,
    /// Whether the buyer chooses how many seats.
    pub seats: bool,
    /// What it has, in the merchant's order.
    pub features: Vec<Feature>,
}

/// Something a plan has. Two plans have the same feature when its `key` is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its name in the file.
    pub key: String,
    /// What the buyer reads.
    pub words: Localized<String>,
    /// How much of it the plan has.
    pub amount: Amount,
}

/// How much of a feature a plan has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// No plan counts it: a plan has it or not.
    Uncounted,
    /// Other plans limit it, this one does not.
    Unlimited,
    /// So much.
    UpTo(u64),
}

/// Of all changes that were made, at most so many are counted: the latest.
pub const MOST_CHANGES: u32 = 10_000;

/// Which changes of plan are counted, so that the plan chosen most often is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// Those of so many days.
    pub window_days: u32,
    /// Fewer from the buyer's plan than this: none is marked.
    pub at_least: u32,
}

/// How plan changes are billed, by direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProrationRules {
    /// To a dearer plan.
    pub upgrade: ProrationMode,
    /// To a cheaper plan.
    pub downgrade: ProrationMode,
    /// To one that cannot be compared.
    pub switch: ProrationMode,
}

impl Rules {
    /// Reads the text of an `upsell.toml`.
    ///
    /// # Errors
    /// The first flaw found, with its line and field.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        check::rules(text)
    }

    /// The campaign of that name.
    #[must_use]
    pub fn campaign(&self, name: &str) -> Option<&Campaign> {
        self.campaigns.iter().find(|campaign| campaign.name == name)
    }

    /// The plan with that product.
    #[must_use]
    pub fn plan(&self, product_id: &ProductId) -> Option<&PlanRule> {
        self.plans.iter().find(|plan| plan.product_id == *product_id)
    }

    /// Every product that the file names, each once: what the catalogue keeps warm.
    #[must_use]
    pub fn products(&self) -> Vec<ProductId> {
        let mut all: Vec<ProductId> = self
            .campaigns
            .iter()
            .flat_map(|campaign| {
                let bought = campaign.when.iter().flat_map(|when| &when.bought);
                std::iter::once(&campaign.product_id).chain(bought)
            })
            .chain(self.plans.iter().map(|plan| &plan.product_id))
            .chain(&self.static_shop)
            .cloned()
            .collect();
        all.sort();
        all.dedup();
        all
    }
}
