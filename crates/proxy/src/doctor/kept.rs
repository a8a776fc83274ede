//! What the store holds that somebody should know of.

use upsell_core::{domain::AttemptWord, policy::inbox_schedule::WebhookState};

use super::{Finding, doubtful, good};
use crate::{
    settings::Settings,
    store::{self, InboxBacklog, StateCount, Withheld},
};

/// Looks at what the store says of sales, attempts and webhooks. Nothing where the store is of another version.
pub(super) async fn kept(settings: &Settings) -> Vec<Finding> {
    let tenant = settings.tenant();
    let Ok(Some(store)) = store::open_read_only(&settings.database, &tenant).await else { return Vec::new() };
    let (withheld, counts, backlog) =
        tokio::join!(store.withheld(), store.count_attempts(), store.inbox_backlog());
    let found = [
        withheld.ok().and_then(saw_withheld),
        counts.ok().and_then(|counts| open_to_a_person(&counts)),
        backlog.ok().and_then(|backlog| failed_webhooks(&backlog, settings.retention.periods.webhooks)),
    ];
    found.into_iter().flatten().collect()
}

/// Says how many sales went to a hosted checkout because no saved method was shown to be the buyer's.
fn saw_withheld(Withheld { opened, paid }: Withheld) -> Option<Finding> {
    let text = format!(
        "{opened} offers went to a hosted checkout, {paid} of them were paid there: the buyer's saved cards did not pay the \
         purchase that was followed, and the session did not say `signed_in`"
    );
    (opened > 0).then(|| good("cards", text))
}

/// Reports signed webhooks that were not applied and are not tried again by this version; they are kept for `period` seconds.
fn failed_webhooks(backlog: &[InboxBacklog], period: i64) -> Option<Finding> {
    let failed: Vec<String> = backlog
        .iter()
        .filter(|backlog| backlog.state != WebhookState::Waiting && backlog.webhooks > 0)
        .map(|backlog| format!("{} {}", backlog.webhooks, backlog.state.as_str()))
        .collect();
    let text = format!(
        "signed webhooks not applied: {}; they are kept for {} days (UPSELL_KEEP_WEBHOOKS_DAYS) and tried again by another \
         version of the proxy",
        failed.join(", "),
        period.saturating_div(86_400)
    );
    (!failed.is_empty()).then(|| doubtful("inbox", text))
}

/// Says how many attempts wait for a person.
fn open_to_a_person(counts: &[StateCount]) -> Option<Finding> {
    let open: Vec<String> = [AttemptWord::NeedsReview, AttemptWord::Underpaid]
        .iter()
        .filter_map(|state| {
            let count = counts.iter().find(|count| count.state == *state && count.attempts > 0)?;
            Some(format!("{} `{}`", count.attempts, state.as_str()))
        })
        .collect();
    let text = format!(
        "attempts wait for a person: {}; `upsell-proxy attempts --state needs_review` lists them",
        open.join(", ")
    );
    (!open.is_empty()).then(|| doubtful("attempts", text))
}

#[cfg(test)]
mod tests {
    use wire::UnixSeconds;

    use super::*;

    #[test]
    fn what_waits_for_a_person_is_told() {
        let count = |state, attempts| StateCount { state, attempts, oldest: UnixSeconds(1) };
        let found = |counts: &[StateCount]| open_to_a_person(counts).map(|finding| finding.text);
        assert_eq!(found(&[count(AttemptWord::Pending, 7), count(AttemptWord::NeedsReview, 0)]), None);
        let text = found(&[count(AttemptWord::Underpaid, 1), count(AttemptWord::NeedsReview, 3)]).unwrap();
        assert!(text.contains("3 `needs_review`, 1 `underpaid`"), "{text}");
    }

    #[test]
    fn webhooks_that_wait_are_not_told_of() {
        let backlog = |state, webhooks| InboxBacklog { state, webhooks, oldest: None };
        let waiting = backlog(WebhookState::Waiting, 9);
        assert_eq!(failed_webhooks(&[waiting], 7 * 86_400), None);
        let found = failed_webhooks(&[backlog(WebhookState::Unreadable, 2)], 7 * 86_400).unwrap();
        assert!(found.text.contains("2 unreadable") && found.text.contains("for 7 days"), "{found:?}");
    }
}
