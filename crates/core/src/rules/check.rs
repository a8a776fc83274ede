//! From the file's shape to [`Rules`]. Whatever could go wrong later, when a buyer waits, is refused here.

mod recommendation;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use dodo_client::types::plan_changes::ProrationMode;
use toml::Spanned;
use wire::{OfferKind, ProductId, Trigger};

use super::{
    Amount, Campaign, DeclinePolicy, Feature, LEAVING, Localized, PlanRule, ProrationRules, Rules, When,
    file::{self, AfterDecline, File, Kind, Mode},
    text::Words,
};

/// How long an offer stands when the file does not say.
const DEFAULT_VALID_HOURS: u32 = 72;
/// The longest that an offer may stand.
const MAX_VALID_HOURS: u32 = 24 * 365;
/// Longest text that is sent to a page, in bytes.
const MAX_TEXT: usize = 400;
/// The highest limit and the highest usage: what every client reads exactly.
pub const MAX_LIMIT: u64 = 9_007_199_254_740_991;
/// Most lines of benefits or features.
const MAX_LINES: usize = 20;

/// Why the file is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, field `{field}`: {flaw}")]
pub struct RulesError {
    /// Counted from 1.
    pub line: usize,
    /// Path of the field, such as `campaign[0].product_id`.
    pub field: String,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What can be wrong with a rules file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Not TOML, an unknown key, a missing one, or a value of the wrong type.
    #[error("{0}")]
    Shape(String),
    /// A product id that could not stand in a path.
    #[error("is no identifier: 1 to 64 letters, digits, `_` or `-`")]
    BadId,
    /// Text that is empty, or longer than is shown.
    #[error("must have 1 to {MAX_TEXT} bytes")]
    BadText,
    /// Too many lines.
    #[error("has more than {MAX_LINES} lines")]
    TooManyLines,
    /// A name used before.
    #[error("is there twice")]
    Duplicate,
    /// A number outside its bounds.
    #[error("must be from {from} to {to}")]
    OutOfBounds {
        /// Lowest.
        from: u32,
        /// Highest.
        to: u32,
    },
    /// The default language is missing.
    #[error("lacks the default language `{0}`")]
    NoDefaultLocale(String),
    /// A downsell that does not exist.
    #[error("names no campaign of this file")]
    NoSuchCampaign,
    /// A campaign that follows a decline must be a downsell without a condition of its own.
    #[error("must name a campaign of kind `downsell`")]
    NotADownsell,
    /// A second downsell in a chain would never be shown.
    #[error("a downsell cannot have a downsell: nothing follows its decline")]
    DownsellOfDownsell,
    /// A downsell with a condition, or another kind without one.
    #[error("a downsell has no `bought` and no `trigger`; every other kind needs one of them")]
    Condition,
    /// A limit for what the plan does not have.
    #[error("is not among the features of this plan")]
    NotAFeatureOfThisPlan,
    /// A limit that is none. `0`: the highest.
    #[error("must be between 1 and {0}; leave it out where there is no limit")]
    NoLimit(u64),
    /// A feature that is not described.
    #[error("names no `[feature.…]` of this file")]
    NoSuchFeature,
    /// Codes on a plan change, or proration on a new purchase.
    #[error("does not go with this kind")]
    NotForKind,
    /// Before a buyer leaves a plan, only another plan helps.
    #[error("takes `upgrade` or `downgrade` with this trigger, and no `downsell`")]
    NotForTrigger,
    /// A plan marked by hand where the counted one is.
    #[error("does not go with `[recommendation]`, which marks the plan chosen most often")]
    NotWithRecommendation,
}

pub(super) fn rules(text: &str) -> Result<Rules, RulesError> {
    let file = shape(text)?;
    Check { text, locale: file.default_locale.get_ref().clone() }.file(file)
}

/// Reads the TOML, naming line and field where that fails.
fn shape(text: &str) -> Result<File, RulesError> {
    let refused = |field: String, error: &toml::de::Error| RulesError {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        // `Spanned` shows in the path as a field of its own.
        field: field.split(".$__serde_spanned").next().unwrap_or_default().to_owned(),
        flaw: Flaw::Shape(error.message().to_owned()),
    };
    let input = toml::Deserializer::parse(text).map_err(|error| refused(".".to_owned(), &error))?;
    serde_path_to_error::deserialize(input).map_err(|error| refused(error.path().to_string(), error.inner()))
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
}

struct Check<'a> {
    text: &'a str,
    locale: String,
}

impl Check<'_> {
    fn refuse<T, V>(&self, at: &Spanned<T>, field: impl Into<String>, flaw: Flaw) -> Result<V, RulesError> {
        Err(RulesError { line: line_of(self.text, at.span().start), field: field.into(), flaw })
    }

    fn file(&self, file: File) -> Result<Rules, RulesError> {
        self.words(&file.merchant.name, file.merchant.name.get_ref(), "merchant.name")?;
        let mut names = BTreeSet::new();
        for (index, campaign) in file.campaigns.iter().enumerate() {
            if !names.insert(campaign.name.get_ref()) {
                return self.refuse(&campaign.name, format!("campaign[{index}].name"), Flaw::Duplicate);
            }
        }
        let mut campaigns: Vec<Campaign> = Vec::with_capacity(file.campaigns.len());
        for (index, campaign) in file.campaigns.iter().enumerate() {
            let field = |name: &str| format!("campaign[{index}].{name}");
            self.downsell(campaign, &file.campaigns, &field)?;
            campaigns.push(self.campaign(campaign, &field)?);
        }
        let recommendation = self.recommendation(file.recommendation.as_ref(), &file.plans)?;
        Ok(Rules {
            merchant: file.merchant.name.into_inner(),
            campaigns,
            plans: self.plans(&file.plans, &file.features)?,
            proration: ProrationRules {
                upgrade: mode(file.proration.upgrade),
                downgrade: mode(file.proration.downgrade),
                switch: mode(file.proration.switch),
            },
            cancellation: file.cancellation.on_upgrade_page,
            recommendation,
            money: file.money,
            waiting: self.waiting(&file.waiting)?,
            static_shop: self.ids(&file.static_shop.products, "static_shop.products")?,
            static_shop_new_customer: file.static_shop.new_customer,
        })
    }

    fn downsell(
        &self,
        campaign: &file::Campaign,
        all: &[file::Campaign],
        field: &impl Fn(&str) -> String,
    ) -> Result<(), RulesError> {
        let Some(name) = &campaign.downsell else { return Ok(()) };
        if *campaign.kind.get_ref() == Kind::Downsell {
            return self.refuse(name, field("downsell"), Flaw::DownsellOfDownsell);
        }
        match all.iter().find(|other| other.name.get_ref() == name.get_ref()) {
            None => self.refuse(name, field("downsell"), Flaw::NoSuchCampaign),
            Some(next) if *next.kind.get_ref() != Kind::Downsell => {
                self.refuse(name, field("downsell"), Flaw::NotADownsell)
            }
            Some(_) => Ok(()),
        }
    }

    fn campaign(
        &self,
        campaign: &file::Campaign,
        field: &impl Fn(&str) -> String,
    ) -> Result<Campaign, RulesError> {
        self.words(&campaign.name, campaign.name.get_ref(), field("name"))?;
        let kind = *campaign.kind.get_ref();
        let conditional = campaign.trigger.is_some() || !campaign.bought.is_empty();
        if conditional == (kind == Kind::Downsell) {
            return self.refuse(&campaign.kind, field("kind"), Flaw::Condition);
        }
        let changes_plan = matches!(kind, Kind::Upgrade | Kind::Downgrade);
        let trigger = trigger(campaign.trigger.as_ref());
        if LEAVING.contains(&trigger) && (!changes_plan || campaign.downsell.is_some()) {
            return self.refuse(&campaign.kind, field("kind"), Flaw::NotForTrigger);
        }
        if let Some(proration) = campaign.proration.as_ref().filter(|_| !changes_plan) {
            return self.refuse(proration, field("proration"), Flaw::NotForKind);
        }
        if let Some(code) = campaign.discount_codes.first().filter(|_| changes_plan) {
            return self.refuse(code, field("discount_codes"), Flaw::NotForKind);
        }
        for code in &campaign.discount_codes {
            self.words(code, code.get_ref(), field("discount_codes"))?;
        }
        let hours = self.bounded(
            campaign.valid_for_hours.as_ref(),
            DEFAULT_VALID_HOURS,
            (1, MAX_VALID_HOURS),
            &field("valid_for_hours"),
        )?;
        let bought = self.ids(&campaign.bought, &field("bought"))?;
        Ok(Campaign {
            name: campaign.name.get_ref().clone(),
            when: conditional.then_some(When { trigger, bought }),
            kind: offer_kind(kind),
            product_id: self.id(&campaign.product_id, &field("product_id"))?,
            quantity: self.bounded(campaign.quantity.as_ref(), 1, (1, 1000), &field("quantity"))?,
            proration: campaign
                .proration
                .as_ref()
                .map_or(ProrationMode::DifferenceImmediately, |proration| mode(*proration.get_ref())),
            discount_codes: campaign.discount_codes.iter().map(|code| code.get_ref().clone()).collect(),
            valid_for: i64::from(hours).saturating_mul(3600),
            downsell: campaign.downsell.as_ref().map(|name| name.get_ref().clone()),
            after_decline: self.after_decline(campaign.after_decline.as_ref(), &field("after_decline"))?,
            words: self.offer_words(&campaign.text, &field("text"))?,
        })
    }

    fn after_decline(
        &self,
        policy: Option<&Spanned<AfterDecline>>,
        field: &str,
    ) -> Result<DeclinePolicy, RulesError> {
        let Some(policy) = policy else { return Ok(DeclinePolicy::NeverAgain) };
        match *policy.get_ref() {
            AfterDecline::NeverAgain => Ok(DeclinePolicy::NeverAgain),
            AfterDecline::UntilPlanChanges => Ok(DeclinePolicy::UntilPlanChanges),
            AfterDecline::UntilPriceDrops(percent @ 1..=99) => Ok(DeclinePolicy::UntilPriceDrops { percent }),
            AfterDecline::UntilPriceDrops(_) => {
                self.refuse(policy, field, Flaw::OutOfBounds { from: 1, to: 99 })
            }
            AfterDecline::CoolDownDays(0) => {
                self.refuse(policy, field, Flaw::OutOfBounds { from: 1, to: u32::from(u16::MAX) })
            }
            AfterDecline::CoolDownDays(days) => Ok(DeclinePolicy::CoolDown { days }),
        }
    }

    fn offer_words(
        &self,
        text: &Spanned<BTreeMap<String, Words>>,
        field: &str,
    ) -> Result<Localized<Words>, RulesError> {
        for (tag, words) in text.get_ref() {
            let field = |name: &str| format!("{field}.{tag}.{name}");
            self.words(text, &words.headline, field("headline"))?;
            for benefit in &words.benefits {
                self.words(text, benefit, field("benefits"))?;
            }
            if words.benefits.len() > MAX_LINES {
                return self.refuse(text, field("benefits"), Flaw::TooManyLines);
            }
            if let Some(proof) = &words.social_proof {
                self.words(text, proof, field("social_proof"))?;
            }
        }
        self.localized(text, field)
    }

    fn plans(
        &self,
        plans: &[file::Plan],
        features: &BTreeMap<String, Spanned<BTreeMap<String, String>>>,
    ) -> Result<Vec<PlanRule>, RulesError> {
        let mut described = BTreeMap::new();
        for (key, texts) in features {
            let field = format!("feature.{key}");
            for words in texts.get_ref().values() {
                self.words(texts, words, &field)?;
            }
            described.insert(key.as_str(), self.localized(texts, &field)?);
        }
        let mut all: Vec<PlanRule> = Vec::new();
        for (index, plan) in plans.iter().enumerate() {
            let product_id = self.id(&plan.product_id, &format!("plan[{index}].product_id"))?;
            if all.iter().any(|earlier| earlier.product_id == product_id) {
                return self.refuse(&plan.product_id, format!("plan[{index}].product_id"), Flaw::Duplicate);
            }
            let mut has = Vec::new();
            for key in &plan.features {
                let Some(words) = described.get(key.get_ref().as_str()) else {
                    return self.refuse(key, format!("plan[{index}].features"), Flaw::NoSuchFeature);
                };
                let counted = |plan: &file::Plan| plan.limits.contains_key(key.get_ref());
                let amount = match plan.limits.get(key.get_ref()) {
                    Some(limit) => Amount::UpTo(*limit.get_ref()),
                    None if plans.iter().any(counted) => Amount::Unlimited,
                    None => Amount::Uncounted,
                };
                has.push(Feature { key: key.get_ref().clone(), words: words.clone(), amount });
            }
            for (key, limit) in &plan.limits {
                let field = format!("plan[{index}].limits.{key}");
                if !has.iter().any(|feature| feature.key == *key) {
                    return self.refuse(limit, field, Flaw::NotAFeatureOfThisPlan);
                }
                if !(1..=MAX_LIMIT).contains(limit.get_ref()) {
                    return self.refuse(limit, field, Flaw::NoLimit(MAX_LIMIT));
                }
            }
            let recommended = plan.recommended.as_ref().is_some_and(|mark| *mark.get_ref());
            all.push(PlanRule { product_id, recommended, seats: plan.seats, features: has });
        }
        Ok(all)
    }

    fn localized<T: Clone>(
        &self,
        texts: &Spanned<BTreeMap<String, T>>,
        field: &str,
    ) -> Result<Localized<T>, RulesError> {
        match Localized::new(texts.get_ref().clone(), &self.locale) {
            Some(words) => Ok(words),
            None => self.refuse(texts, field, Flaw::NoDefaultLocale(self.locale.clone())),
        }
    }

    fn words<T>(&self, at: &Spanned<T>, text: &str, field: impl Into<String>) -> Result<(), RulesError> {
        if text.trim().is_empty() || text.len() > MAX_TEXT {
            return self.refuse(at, field, Flaw::BadText);
        }
        Ok(())
    }

    fn id(&self, id: &Spanned<String>, field: &str) -> Result<ProductId, RulesError> {
        ProductId::parse(id.get_ref().as_str()).or_else(|_| self.refuse(id, field, Flaw::BadId))
    }

    fn ids(&self, ids: &[Spanned<String>], field: &str) -> Result<Vec<ProductId>, RulesError> {
        ids.iter().map(|id| self.id(id, field)).collect()
    }

    fn bounded(
        &self,
        value: Option<&Spanned<u32>>,
        default: u32,
        (from, to): (u32, u32),
        field: &str,
    ) -> Result<u32, RulesError> {
        match value {
            None => Ok(default),
            Some(value) if (from..=to).contains(value.get_ref()) => Ok(*value.get_ref()),
            Some(value) => self.refuse(value, field, Flaw::OutOfBounds { from, to }),
        }
    }
}

fn trigger(trigger: Option<&Spanned<file::Trigger>>) -> Trigger {
    match trigger.map(Spanned::get_ref) {
        None | Some(file::Trigger::Purchase) => Trigger::Purchase,
        Some(file::Trigger::UsageMilestone) => Trigger::UsageMilestone,
        Some(file::Trigger::NearPlanLimit) => Trigger::NearPlanLimit,
        Some(file::Trigger::OnboardingDone) => Trigger::OnboardingDone,
        Some(file::Trigger::DowngradeIntent) => Trigger::DowngradeIntent,
        Some(file::Trigger::CancelIntent) => Trigger::CancelIntent,
    }
}

fn offer_kind(kind: Kind) -> OfferKind {
    match kind {
        Kind::Upsell => OfferKind::Upsell,
        Kind::CrossSell => OfferKind::CrossSell,
        Kind::Downsell => OfferKind::Downsell,
        Kind::Upgrade => OfferKind::Upgrade,
        Kind::Downgrade => OfferKind::Downgrade,
    }
}

fn mode(mode: Mode) -> ProrationMode {
    match mode {
        Mode::ProratedImmediately => ProrationMode::ProratedImmediately,
        Mode::FullImmediately => ProrationMode::FullImmediately,
        Mode::DifferenceImmediately => ProrationMode::DifferenceImmediately,
        Mode::DoNotBill => ProrationMode::DoNotBill,
        Mode::ProratedImmediatelyKeepCycle => ProrationMode::ProratedImmediatelyKeepCycle,
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
