//! Which campaign fits a buyer, and why none does.
//!
//! Pure: what was bought, refused and owned comes in as facts; the rules are only read.

use std::collections::BTreeSet;

use wire::{ChangeKind, IneligibleReason, Money, OfferKind, ProductId, Trigger, UnixSeconds};

use super::{
    declines::{self, Present},
    plan_comparison,
};
use crate::{
    domain::DeclineEntry,
    rules::{Campaign, Rules},
};

/// What is known of the buyer when an offer is looked for.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// What set it off.
    pub trigger: Trigger,
    /// What was bought now; for another trigger than a purchase, the plan that the buyer has.
    pub bought: &'a [ProductId],
    /// The subscription's plan, where there is a subscription.
    pub plan: Option<&'a ProductId>,
    /// Whether Dodo would change the subscription's plan now.
    pub plan_can_change: bool,
    /// All that the buyer has: from purchases, from offers taken.
    pub owned: &'a BTreeSet<ProductId>,
    /// The buyer's refusals.
    pub ledger: &'a [DeclineEntry],
    /// What things cost, where known.
    pub price: &'a dyn Fn(&ProductId) -> Option<Money>,
    /// Which way a change of the subscription to a plan would go, by what is paid today.
    pub direction: &'a dyn Fn(&ProductId) -> ChangeKind,
    /// The time.
    pub now: UnixSeconds,
}

/// The first campaign of the file that applies and is open to the buyer.
///
/// # Errors
/// Why there is none: the most telling of the reasons met.
pub fn choose<'r>(rules: &'r Rules, facts: Facts<'_>) -> Result<&'r Campaign, IneligibleReason> {
    let mut reason = IneligibleReason::NoCampaign;
    for campaign in rules.campaigns.iter().filter(|campaign| applies(campaign, facts)) {
        match closed(campaign, facts) {
            None => return Ok(campaign),
            // A refusal tells more than something that the buyer already has.
            Some(closed) if reason != IneligibleReason::Declined => reason = closed,
            Some(_) => {}
        }
    }
    Err(reason)
}

/// The downsell that follows the decline of `campaign`'s offer. `chained` says that this offer was itself a downsell:
/// nothing follows the decline of one.
#[must_use]
pub fn downsell<'r>(
    rules: &'r Rules,
    campaign: &str,
    chained: bool,
    facts: Facts<'_>,
) -> Option<&'r Campaign> {
    if chained {
        return None;
    }
    let next = rules.campaign(rules.campaign(campaign)?.downsell.as_deref()?)?;
    closed(next, facts).is_none().then_some(next)
}

fn applies(campaign: &Campaign, facts: Facts<'_>) -> bool {
    let Some(when) = &campaign.when else { return false };
    when.trigger == facts.trigger
        && (when.bought.is_empty() || when.bought.iter().any(|product| facts.bought.contains(product)))
        // Only a subscription can change its plan, and not in every state.
        && (!changes_plan(campaign) || facts.plan_can_change)
}

fn changes_plan(campaign: &Campaign) -> bool {
    matches!(campaign.kind, OfferKind::Upgrade | OfferKind::Downgrade)
}

/// Why the campaign is not open to the buyer.
fn closed(campaign: &Campaign, facts: Facts<'_>) -> Option<IneligibleReason> {
    let thing = declines::equivalence(&campaign.product_id);
    let present = Present { price: (facts.price)(&campaign.product_id), plan: facts.plan, now: facts.now };
    if declines::is_refused(campaign.after_decline, facts.ledger, &thing, present) {
        return Some(IneligibleReason::Declined);
    }
    if changes_plan(campaign)
        && !plan_comparison::goes_as_offered(campaign.kind, (facts.direction)(&campaign.product_id))
    {
        return Some(IneligibleReason::NoCampaign);
    }
    // A plan is had while the subscription is on it; what was once bought is had for good.
    let has = if changes_plan(campaign) {
        facts.plan == Some(&campaign.product_id)
    } else {
        facts.owned.contains(&campaign.product_id) || facts.bought.contains(&campaign.product_id)
    };
    has.then_some(IneligibleReason::AlreadyOwned)
}

#[cfg(test)]
#[path = "eligibility_tests.rs"]
mod tests;
