//! Charges whose outcome was not known for a while, judged when all waiting is over.

use testkit::{Dodo, InProcessServices, Shown, Tally};
use upsell_core::domain::OfferState;
use wire::AttemptStatus;

use crate::report::{Broken, Report};

/// Compares the record with the money. Each run comes with its seed and what was spoiled.
///
/// # Errors
/// When the store fails.
pub(super) async fn judge(
    dodo: &Dodo,
    services: &InProcessServices,
    runs: &[(u64, &'static str, Shown)],
    report: &mut Report,
) -> anyhow::Result<()> {
    let tally = dodo.tally();
    for (seed, fault, shown) in runs {
        let Tally { posts, paid } = tally.get(shown.offer.customer_id.as_str()).copied().unwrap_or_default();
        report.posts = report.posts.saturating_add(u64::from(posts));
        if posts != 1 || paid > 1 {
            report.broken(Broken::Double, *seed, format_args!("{fault}: {posts} requests, {paid} charges"));
        }
        let state = services.offer(shown).await?.state;
        match (state, paid) {
            (OfferState::Charged, 1) | (OfferState::Abandoned, 0) => {}
            (OfferState::Accepting | OfferState::Pending | OfferState::Unknown, _) => {
                report.broken(Broken::Stuck, *seed, format_args!("{fault}: still {state:?}"));
            }
            (_, 0) => report.broken(Broken::Lie, *seed, format_args!("{fault}: {state:?}, nothing paid")),
            _ => report.broken(Broken::Lost, *seed, format_args!("{fault}: {state:?}, and it was paid")),
        }
        let told = services.accept(shown, "key-1", None).await;
        if paid > 0 && !matches!(&told, Ok(attempt) if attempt.status == Some(AttemptStatus::Succeeded)) {
            report.broken(Broken::Lie, *seed, format_args!("{fault}: paid, and told {told:?}"));
        }
        report.runs += 1;
    }
    Ok(())
}
