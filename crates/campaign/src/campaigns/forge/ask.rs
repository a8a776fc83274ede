//! What is asked of the store after a payment.

use dodo_client::ids::PaymentId;
use proxy::clock::Clock as _;
use wire::{AttemptId, UnixSeconds};

use super::shop::World;

/// More than one payment leads to.
const ALL: u32 = 1_000;

/// Takes every notification that waits, and returns the ids. Nobody else takes them; what was taken is not taken again.
pub(super) async fn notices(world: &World) -> anyhow::Result<Vec<String>> {
    let notices =
        world.services.store.take_due_notices(world.clock.now(), UnixSeconds(i64::MAX), ALL).await?;
    Ok(notices.into_iter().map(|notice| notice.id).collect())
}

/// Takes every notification that waits, and returns the ids of those about an attempt or a payment.
pub(super) async fn notices_about(
    world: &World,
    attempt: &AttemptId,
    payment: &PaymentId,
) -> anyhow::Result<Vec<String>> {
    let mut ids = notices(world).await?;
    ids.retain(|id| id.contains(attempt.as_str()) || id.contains(payment.as_str()));
    Ok(ids)
}

/// Says whether a notification tells the merchant to deliver.
pub(super) fn tells_of_sale(id: &str) -> bool {
    ["_payment_succeeded", "_plan_changed", "_plan_change_scheduled"].iter().any(|end| id.ends_with(end))
}

/// Says whether a notification is about money that goes back.
pub(super) fn tells_of_refund(id: &str) -> bool {
    id.contains("_refund")
}

/// Says whether a notification tells the merchant that nothing was collected.
pub(super) fn tells_of_failure(id: &str) -> bool {
    id.ends_with("_payment_failed")
}
