//! From a [`ChargePlan`] to the bodies of Dodo's requests.

use dodo_client::{
    types::{
        checkouts::{AddonQuantity, CartItem, Checkout, FeatureFlags},
        payments::BillingAddress,
        plan_changes::{EffectiveAt, OnPaymentFailure, PlanChange},
    },
    values::Metadata,
};
use upsell_core::domain::{Billing, ChargePlan, TagsError};

/// A plan that cannot be put into a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// A purchase where a plan change is meant, or the other way round; or a moment of effect that is not known.
    #[error("the plan is of another kind")]
    OtherKind,
    /// It cannot be tagged.
    #[error(transparent)]
    Tags(#[from] TagsError),
}

/// The body of a new purchase: for its preview, its charge and its hosted page alike, so that what was quoted is what is
/// bought.
pub(super) fn checkout(
    plan: &ChargePlan,
    metadata: Option<Metadata>,
    return_url: Option<&str>,
) -> Result<Checkout, BodyError> {
    let ChargePlan::Checkout { product_id, quantity, billing, discount_codes } = plan else {
        return Err(BodyError::OtherKind);
    };
    Ok(Checkout {
        product_cart: vec![CartItem {
            product_id: product_id.clone(),
            quantity: i64::from(*quantity),
            addons: Vec::new(),
        }],
        billing_address: billing.as_ref().map(address),
        // Country and postal code are all there is, and all that a one-click charge needs if it says so.
        minimal_address: billing.as_ref().map(|_| true),
        discount_codes: discount_codes.clone(),
        return_url: return_url.map(str::to_owned),
        feature_flags: metadata
            .is_some()
            .then(|| FeatureFlags { redirect_immediately: Some(true), ..FeatureFlags::default() }),
        metadata: metadata.unwrap_or_default(),
        ..Checkout::default()
    })
}

/// The same purchase on Dodo's page, where the buyer may pick a `saved` method, if these are shown, or give another. What it
/// costs is what was quoted: no discount code, no other currency.
pub(super) fn hosted(checkout: Checkout, saved: bool) -> Checkout {
    let flags = checkout.feature_flags.unwrap_or_default();
    Checkout {
        feature_flags: Some(FeatureFlags {
            allow_discount_code: Some(false),
            allow_currency_selection: Some(false),
            ..flags
        }),
        show_saved_payment_methods: Some(saved),
        cancel_url: checkout.return_url.clone(),
        // On the page the buyer can complete the address.
        minimal_address: None,
        ..checkout
    }
}

fn address(billing: &Billing) -> BillingAddress {
    BillingAddress {
        country: billing.country.clone(),
        state: billing.state.clone(),
        city: None,
        street: None,
        zipcode: billing.zipcode.clone(),
    }
}

/// The body of a plan change, for its preview and for the change.
///
/// # Errors
/// When the plan is a purchase, or holds what Dodo does not take.
pub fn plan_change(plan: &ChargePlan, metadata: Option<Metadata>) -> Result<PlanChange, BodyError> {
    let ChargePlan::PlanChange { product_id, quantity, addons, proration, effective_at, .. } = plan else {
        return Err(BodyError::OtherKind);
    };
    let addons = addons
        .iter()
        .map(|(id, quantity)| AddonQuantity { addon_id: id.clone(), quantity: i64::from(*quantity) })
        .collect();
    Ok(PlanChange {
        product_id: product_id.clone(),
        quantity: i64::from(*quantity),
        proration_billing_mode: *proration,
        addons,
        effective_at: match effective_at {
            wire::EffectiveAt::Immediately => EffectiveAt::Immediately,
            wire::EffectiveAt::NextBillingDate => EffectiveAt::NextBillingDate,
            wire::EffectiveAt::Other => return Err(BodyError::OtherKind),
        },
        on_payment_failure: OnPaymentFailure::PreventChange,
        discount_codes: None,
        metadata,
    })
}

#[cfg(test)]
mod tests {
    use dodo_client::{ids::SubscriptionId, types::plan_changes::ProrationMode};
    use serde_json::json;
    use upsell_core::domain::{TagKeys, Tags};

    use super::*;

    fn billing() -> Billing {
        Billing { country: "US".into(), state: Some("CA".into()), zipcode: Some("94105".into()) }
    }

    fn purchase(billing: Option<Billing>) -> ChargePlan {
        ChargePlan::Checkout {
            product_id: wire::ProductId::parse("prod_kit").unwrap(),
            quantity: 2,
            billing,
            discount_codes: vec!["TEN".into()],
        }
    }

    fn metadata() -> Metadata {
        Tags::example().signed_over(&Metadata::default(), &TagKeys::example()).unwrap()
    }

    #[test]
    fn a_purchase_says_where_it_comes_from() {
        let body = checkout(&purchase(Some(billing())), Some(metadata()), Some("https://shop.example/done"))
            .unwrap();
        assert_eq!(
            serde_json::to_value(body).unwrap(),
            json!({
                "product_cart": [{"product_id": "prod_kit", "quantity": 2}],
                "billing_address": {"country": "US", "state": "CA", "zipcode": "94105"},
                "minimal_address": true,
                "discount_codes": ["TEN"],
                "metadata": {"attempt_id": "at_1", "offer_id": "of_1", "campaign": "toolkit",
                             "upsell_source": "post_purchase", "purchase_type": "cross_sell",
                             "original_payment_id": "pay_1", "trigger_ref": "pay_1", "quote_id": "qt_1",
                             "attempt_kind": "one_click", "upsell_products": "prod_kit:2",
                             "upsell_store": "st_1", "upsell_mode": "test", "upsell_customer": "cus_1",
                             "upsell_currency": "USD", "upsell_total": "1900",
                             "upsell_auth": metadata().text("upsell_auth").unwrap()},
                "return_url": "https://shop.example/done",
                "feature_flags": {"redirect_immediately": true}
            })
        );
    }

    #[test]
    fn an_address_is_said_to_be_a_minimal_one() {
        let body = checkout(&purchase(Some(billing())), Some(metadata()), None).unwrap();
        assert_eq!(body.minimal_address, Some(true));
        let page = hosted(body, true);
        assert_eq!(page.minimal_address, None);
        let flags = page.feature_flags.unwrap();
        assert_eq!(flags.allow_discount_code, Some(false));
        assert_eq!(flags.allow_currency_selection, Some(false));
        assert_eq!(flags.redirect_immediately, Some(true));
        assert_eq!(checkout(&purchase(None), None, None).unwrap().minimal_address, None);
    }

    #[test]
    fn a_plan_change_leaves_nothing_to_dodos_defaults() {
        let plan = ChargePlan::PlanChange {
            subscription_id: SubscriptionId::parse("sub_1").unwrap(),
            product_id: wire::ProductId::parse("prod_pro").unwrap(),
            quantity: 3,
            addons: vec![(wire::AddonId::parse("adn_seats").unwrap(), 2)],
            proration: ProrationMode::DifferenceImmediately,
            effective_at: wire::EffectiveAt::Immediately,
        };
        let metadata: Metadata = [("crm", "42"), ("attempt_id", "at_2")].into_iter().collect();
        let body = plan_change(&plan, Some(metadata)).unwrap();
        assert_eq!(
            serde_json::to_value(body).unwrap(),
            json!({
                "product_id": "prod_pro", "quantity": 3, "proration_billing_mode": "difference_immediately",
                "addons": [{"addon_id": "adn_seats", "quantity": 2}], "effective_at": "immediately",
                "on_payment_failure": "prevent_change",
                "metadata": {"crm": "42", "attempt_id": "at_2"}
            })
        );
        assert_eq!(checkout(&plan, None, None).err(), Some(BodyError::OtherKind));
        assert_eq!(plan_change(&purchase(None), None).err(), Some(BodyError::OtherKind));
    }
}
