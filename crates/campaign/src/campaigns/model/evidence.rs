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
    rules::WaitingRules,
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

/// The merchant's limits for what is pending.
const WAITING: WaitingRules = WaitingRules { bank_approval_days: 7, slow_method_days: 7 };

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
        if matches!(reconcile_schedule::next(&row, Look::Idle, WAITING, now), Next::Abandon(_)) {
            return Ok(looks);
        }
    }
    anyhow::bail!("an unknown charge is never given up")
}

/// Decision about an attempt for whose outcome it was waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing yet.
    Waits,
    /// The hosted page was not paid.
    Closes,
    /// It is given up.
    GivesUp,
    /// A person has to look.
    Reviews,
}

/// Decisions soon and long after there is nothing more to expect, by the look's result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends([[End; 2]; 3]);

impl Ends {
    /// Asks production about an attempt of this kind in this state, that was looked up often enough.
    pub(super) fn of_production(kind: AttemptKind, state: AttemptState) -> Self {
        let row = AttemptRow { kind, state, clean_looks: u32::MAX, ..unknown() };
        let decide = |look: Look, hours: i64| match reconcile_schedule::next(
            &row,
            look,
            WAITING,
            UnixSeconds(row.created_at.0 + hours * 3600),
        ) {
            Next::HostedPageClosed => End::Closes,
            Next::Abandon(_) => End::GivesUp,
            Next::Review(..) => End::Reviews,
            Next::LookAt(_) | Next::Stop => End::Waits,
        };
        let looks = [Look::Incomplete, Look::Idle, Look::UnderWay];
        Self(looks.map(|look| [decide(look, 26), decide(look, 30 * 24)]))
    }

    /// Soon after, and long after.
    pub(super) fn after(&self, look: Look) -> [End; 2] {
        self.0[look as usize]
    }
}

/// Decisions about everything that is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllEnds {
    /// A hosted page whose day is over.
    pub(super) page: Ends,
    /// A charge after its deadline.
    pub(super) charge: Ends,
    /// What was given up.
    pub(super) given_up: Ends,
}

impl AllEnds {
    /// Asks production.
    pub(super) fn of_production() -> Self {
        Self {
            page: Ends::of_production(AttemptKind::Hosted, AttemptState::Unknown),
            charge: Ends::of_production(AttemptKind::OneClick, AttemptState::Unknown),
            given_up: Ends::of_production(AttemptKind::OneClick, AttemptState::Abandoned),
        }
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
