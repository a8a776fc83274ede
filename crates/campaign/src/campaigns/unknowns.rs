//! Charges whose outcome was not known for a while, judged when all waiting is over.

use testkit::{Dodo, InProcessServices, Shown, check};
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
        let tally = tally.get(shown.offer.customer_id.as_str()).copied().unwrap_or_default();
        report.posts = report.posts.saturating_add(u64::from(tally.posts));
        report.found(fault, *seed, check::sent_once(tally));
        let paid = tally.paid;
        let state = services.offer(shown).await?.state;
        report.found(fault, *seed, check::found_out(state, paid));
        let told = services.accept(shown, "key-1", None).await;
        if paid > 0 && !matches!(&told, Ok(attempt) if attempt.status == Some(AttemptStatus::Succeeded)) {
            report.broken(Broken::Lie, *seed, format_args!("{fault}: paid, and told {told:?}"));
        }
        report.runs += 1;
    }
    Ok(())
}
