//! Which subscription a trigger is about. Pure.

use dodo_client::ids::SubscriptionId;

use crate::domain::Purchase;

/// Returns the subscription that a reported trigger is about: the one that the event names, the one of the purchase or the
/// subscription that the session names, or else the only one that the buyer is known to have bought. Of several, none: a
/// change of plan would have to guess which.
#[must_use]
pub fn subscription_of_trigger(
    event: Option<&SubscriptionId>,
    named_purchase: Option<&Purchase>,
    session: Option<&SubscriptionId>,
    purchases: &[Purchase],
) -> Option<SubscriptionId> {
    let named = event.or_else(|| named_purchase?.subscription_id.as_ref()).or(session);
    named.or_else(|| only_one(purchases)).cloned()
}

fn only_one(purchases: &[Purchase]) -> Option<&SubscriptionId> {
    let mut bought = purchases.iter().filter_map(|purchase| purchase.subscription_id.as_ref());
    let first = bought.next()?;
    bought.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use dodo_client::ids::{CustomerId, PaymentId};
    use wire::UnixSeconds;

    use super::*;

    fn id(id: &str) -> SubscriptionId {
        SubscriptionId::parse(id).unwrap()
    }

    fn purchase(subscription: Option<&str>) -> Purchase {
        Purchase {
            payment_id: PaymentId::parse("pay_1").unwrap(),
            customer_id: CustomerId::parse("cus_1").unwrap(),
            product_ids: Vec::new(),
            subscription_id: subscription.map(id),
            billing: None,
            paid_at: UnixSeconds(0),
            email: None,
            payment_method_id: None,
        }
    }

    #[test]
    fn what_is_named_goes_before_what_can_be_concluded() {
        let (event, session) = (id("sub_event"), id("sub_session"));
        let named = purchase(Some("sub_named"));
        let one = [purchase(None), purchase(Some("sub_1")), purchase(Some("sub_1"))];
        let two = [purchase(Some("sub_1")), purchase(Some("sub_2"))];
        for (event, purchase, session, known, expected) in [
            (Some(&event), Some(&named), Some(&session), &one[..], Some("sub_event")),
            (None, Some(&named), Some(&session), &one[..], Some("sub_named")),
            (None, None, Some(&session), &two[..], Some("sub_session")),
            (None, Some(&one[0]), None, &one[..], Some("sub_1")),
            (None, None, None, &one[..], Some("sub_1")),
            (None, None, None, &two[..], None),
            (None, None, None, &[][..], None),
        ] {
            assert_eq!(subscription_of_trigger(event, purchase, session, known), expected.map(id));
        }
    }
}
