//! The shape of `upsell.toml`, as it is written. Values that may be refused keep their place in the file.
//!
//! `crates/proxy/upsell.toml` is the example, with every setting explained.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{MoneyRules, text::Words};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Language that every text must have.
    #[serde(default = "english")]
    pub default_locale: Spanned<String>,
    /// The seller.
    pub merchant: Merchant,
    /// Rules that make offers.
    #[serde(default, rename = "campaign")]
    pub campaigns: Vec<Campaign>,
    /// Plans to compare.
    #[serde(default, rename = "plan")]
    pub plans: Vec<Plan>,
    /// What plans have, by key.
    #[serde(default, rename = "feature")]
    pub features: BTreeMap<String, Spanned<BTreeMap<String, String>>>,
    /// How plan changes are billed.
    #[serde(default)]
    pub proration: Proration,
    /// Cancelling on the upgrade page.
    #[serde(default)]
    pub cancellation: Cancellation,
    /// Marks the plan that was chosen most often.
    #[serde(default)]
    pub recommendation: Option<Recommendation>,
    /// What to do about money that should not be there.
    #[serde(default)]
    pub money: MoneyRules,
    /// How long pending payments are waited for.
    #[serde(default)]
    pub waiting: Waiting,
    /// For shops without a server.
    #[serde(default)]
    pub static_shop: StaticShop,
}

fn english() -> Spanned<String> {
    Spanned::new(0..0, "en".to_owned())
}

/// `[merchant]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merchant {
    /// The seller's name.
    pub name: Spanned<String>,
}

/// `[[campaign]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Unique.
    pub name: Spanned<String>,
    /// What has to happen.
    #[serde(default)]
    pub trigger: Option<Spanned<Trigger>>,
    /// What was bought, or which plan the buyer has.
    #[serde(default)]
    pub bought: Vec<Spanned<String>>,
    /// What it proposes.
    pub kind: Spanned<Kind>,
    /// What is offered.
    pub product_id: Spanned<String>,
    /// How many.
    #[serde(default)]
    pub quantity: Option<Spanned<u32>>,
    /// For plan changes.
    #[serde(default)]
    pub proration: Option<Spanned<Mode>>,
    /// For new purchases.
    #[serde(default)]
    pub discount_codes: Vec<Spanned<String>>,
    /// How long it stands.
    #[serde(default)]
    pub valid_for_hours: Option<Spanned<u32>>,
    /// Campaign to follow a decline with.
    #[serde(default)]
    pub downsell: Option<Spanned<String>>,
    /// What a decline means for later.
    #[serde(default)]
    pub after_decline: Option<Spanned<AfterDecline>>,
    /// Words by language.
    pub text: Spanned<BTreeMap<String, Words>>,
}

/// `trigger = …`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A purchase.
    Purchase,
    /// A milestone of usage.
    UsageMilestone,
    /// Near a limit of the plan.
    NearPlanLimit,
    /// Onboarding is done.
    OnboardingDone,
    /// The buyer is about to take a cheaper plan.
    DowngradeIntent,
    /// The buyer is about to cancel.
    CancelIntent,
}

/// `kind = …`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Dearer, or more.
    Upsell,
    /// Goes with it.
    CrossSell,
    /// Cheaper, after a decline.
    Downsell,
    /// A dearer plan.
    Upgrade,
    /// A cheaper plan.
    Downgrade,
}

/// `after_decline = …`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterDecline {
    /// The default.
    NeverAgain,
    /// By so many percent.
    UntilPriceDrops(u8),
    /// For so many days.
    CoolDownDays(u16),
    /// Until the buyer's plan is another.
    UntilPlanChanges,
}

/// A proration mode. Dodo's words.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The rest of the period is credited, and billed anew.
    ProratedImmediately,
    /// The whole new price.
    FullImmediately,
    /// The difference of the two prices.
    DifferenceImmediately,
    /// Nothing now.
    DoNotBill,
    /// Prorated, billing date kept.
    ProratedImmediatelyKeepCycle,
}

/// `[[plan]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its product.
    pub product_id: Spanned<String>,
    /// Whether the merchant recommends it.
    #[serde(default)]
    pub recommended: Option<Spanned<bool>>,
    /// Keys of `[feature.…]`.
    #[serde(default)]
    pub features: Vec<Spanned<String>>,
    /// Whether the buyer chooses how many seats.
    #[serde(default)]
    pub seats: bool,
    /// How much of a feature, by its key.
    #[serde(default)]
    pub limits: BTreeMap<String, Spanned<u64>>,
}

/// `[proration]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Proration {
    /// To a dearer plan.
    pub upgrade: Mode,
    /// To a cheaper plan.
    pub downgrade: Mode,
    /// To one that cannot be compared.
    pub switch: Mode,
}

impl Default for Proration {
    fn default() -> Self {
        Self {
            upgrade: Mode::DifferenceImmediately,
            downgrade: Mode::DifferenceImmediately,
            switch: Mode::ProratedImmediately,
        }
    }
}

/// `[cancellation]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    /// Whether the upgrade page has a way to cancel.
    pub on_upgrade_page: bool,
}

impl Default for Cancellation {
    fn default() -> Self {
        Self { on_upgrade_page: true }
    }
}

/// `[recommendation]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// How far back changes are counted.
    #[serde(default)]
    pub window_days: Option<Spanned<u32>>,
    /// How many it takes.
    #[serde(default)]
    pub at_least: Option<Spanned<u32>>,
}

/// `[waiting]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Waiting {
    /// For the buyer's approval at the bank.
    pub bank_approval_days: Option<Spanned<u32>>,
    /// For a method that takes its time.
    pub slow_method_days: Option<Spanned<u32>>,
}

/// `[static_shop]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticShop {
    /// What may be sold.
    pub products: Vec<Spanned<String>>,
    /// Whether each checkout makes a new customer, also where Dodo knows the e-mail address.
    #[serde(default)]
    pub new_customer: bool,
}
