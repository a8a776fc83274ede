//! What the production rules make of what is seen: answers through `policy::classify`, payments through
//! `policy::observe`, waiting through `policy::reconcile_schedule`.

use dodo_client::{
    ApiError, ChargeEvidence, ErrorBody, RateLimit, TransportError, Unsent, error::DecodeError,
    types::payments::IntentStatus,
};
use upsell_core::{
    domain::{AttemptKind, AttemptRow, AttemptState, Observation},
    policy::{
        classify::{Class, classify},
        observe,
        reconcile_schedule::{self, Look, Next},
    },
};
use wire::UnixSeconds;

use super::world::{Status, Verdict};

/// An observation of an attempt, without a payment but for the one that Dodo's reply named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    pub(super) observation: Observation,
    /// The payment that the reply named, just begun.
    pub(super) begun: Option<usize>,
    /// The reply named the checkout session, and where it is hosted, its address.
    pub(super) session: bool,
}

impl Seen {
    /// Returns an observation and nothing else.
    pub(super) fn only(observation: Observation) -> Self {
        Self { observation, begun: None, session: false }
    }
}

/// Everything that may be made of each thing that may come back.
#[derive(Clone, Debug)]
pub(super) struct Verdicts {
    /// Nothing left this machine.
    pub(super) unsent: Vec<Verdict>,
    /// Dodo refused.
    pub(super) refused: Vec<Verdict>,
    /// Anything else but a clean answer: it may have been executed or not.
    pub(super) doubtful: Vec<Verdict>,
    /// A clean answer.
    pub(super) accepted: Vec<Verdict>,
}

impl Verdicts {
    /// Asks production about each.
    pub(super) fn of_production() -> Self {
        let unsent = [Unsent::Request, Unsent::Dns, Unsent::Connect, Unsent::Tls, Unsent::ConnectTimeout];
        let dodo = |status: u16| answer(status, ErrorBody::Parsed { code: Some("X".into()), message: None });
        let broken = [
            TransportError::Timeout,
            TransportError::Reset,
            TransportError::Truncated,
            TransportError::TooLong,
            TransportError::Protocol,
        ];
        let doubtful = broken
            .into_iter()
            .flat_map(|cause| {
                [None, Some(200), Some(422)].map(move |status| ChargeEvidence::Broken { status, cause })
            })
            // A rate limit may act after the execution.
            .chain([302, 408, 409, 418, 429, 500, 502, 503, 504].map(dodo))
            // A status without Dodo's own body may come from anything in between.
            .chain([400, 401, 422, 429, 500].map(|status| answer(status, ErrorBody::Empty)))
            .chain([ChargeEvidence::Undecodable { status: 200, reason: DecodeError::NotJson }])
            .chain([101, 302].map(|status| ChargeEvidence::Accepted { status, reply: () }));
        Self {
            unsent: distinct(unsent.map(ChargeEvidence::Unsent)),
            refused: distinct([400, 401, 403, 404, 405, 413, 415, 422].map(dodo)),
            doubtful: distinct(doubtful),
            accepted: distinct([200, 201].map(|status| ChargeEvidence::Accepted { status, reply: () })),
        }
    }
}

fn answer(status: u16, body: ErrorBody) -> ChargeEvidence<()> {
    let (retry_after, rate_limit) = (None, RateLimit::default());
    ChargeEvidence::Refused(Box::new(ApiError { status, body, retry_after, rate_limit }))
}

fn distinct(evidence: impl IntoIterator<Item = ChargeEvidence<()>>) -> Vec<Verdict> {
    let mut found = Vec::new();
    for evidence in evidence {
        let verdict = match classify(&evidence) {
            Class::NotSent => Verdict::NotSent,
            Class::Rejected(_) => Verdict::Rejected,
            Class::Unknown => Verdict::Unknown,
            Class::Accepted(()) => Verdict::Accepted,
        };
        if !found.contains(&verdict) {
            found.push(verdict);
        }
    }
    found
}

/// Complete looks after the deadline that have to decide nothing before a charge is given up.
///
/// # Errors
/// When the schedule never gives up.
pub(super) fn looks_before_giving_up() -> anyhow::Result<u8> {
    let mut row = unknown();
    // Long after the deadline, and long before the watch over what was given up ends.
    let now = UnixSeconds(row.created_at.0 + 24 * 3600);
    for looks in 0..=3_u8 {
        row.clean_looks = u32::from(looks);
        if matches!(reconcile_schedule::next(&row, Look::Idle, now), Next::Abandon(_)) {
            return Ok(looks);
        }
    }
    anyhow::bail!("an unknown charge is never given up")
}

/// Decision about a hosted page whose day is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageEnd {
    /// Nothing yet.
    Waits,
    /// It was not paid.
    Closes,
    /// It is given up.
    GivesUp,
}

/// Decisions once the page has closed at Dodo, soon and long after, by the look's result.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageEnds([[PageEnd; 2]; 3]);

impl PageEnds {
    /// Asks production.
    pub(super) fn of_production() -> Self {
        let row = AttemptRow { kind: AttemptKind::Hosted, ..unknown() };
        let decide = |look: Look, hours: i64| match reconcile_schedule::next(
            &row,
            look,
            UnixSeconds(row.created_at.0 + hours * 3600),
        ) {
            Next::HostedPageClosed => PageEnd::Closes,
            Next::Abandon(_) => PageEnd::GivesUp,
            Next::LookAt(_) | Next::Stop => PageEnd::Waits,
        };
        let looks = [Look::Incomplete, Look::Idle, Look::UnderWay];
        Self(looks.map(|look| [decide(look, 26), decide(look, 72)]))
    }

    /// Soon after, and long after.
    pub(super) fn after(&self, look: Look) -> [PageEnd; 2] {
        self.0[look as usize]
    }
}

/// Returns the result of a look that sees a payment of this status.
pub(super) fn look_of(status: Status) -> Look {
    match intent(status) {
        Some(status) if observe::is_under_way(Some(&status)) => Look::UnderWay,
        _ => Look::Idle,
    }
}

pub(super) fn intent(status: Status) -> Option<IntentStatus> {
    match status {
        Status::None => None,
        Status::Processing => Some(IntentStatus::Processing),
        Status::NeedsBuyer => Some(IntentStatus::RequiresCustomerAction),
        Status::Failed => Some(IntentStatus::Failed),
        Status::Succeeded => Some(IntentStatus::Succeeded),
    }
}

/// One of which nothing is known.
fn unknown() -> AttemptRow {
    AttemptRow { state: AttemptState::Unknown, ..AttemptRow::example() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_has_one_verdict_on_each() {
        let verdicts = Verdicts::of_production();
        assert_eq!(verdicts.unsent, [Verdict::NotSent]);
        assert_eq!(verdicts.refused, [Verdict::Rejected]);
        assert_eq!(verdicts.doubtful, [Verdict::Unknown]);
        assert_eq!(verdicts.accepted, [Verdict::Accepted]);
        assert_eq!(looks_before_giving_up().unwrap(), 2);
    }
}
