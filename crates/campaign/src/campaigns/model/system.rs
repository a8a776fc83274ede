//! The systems that are explored: the product's protocol, and weakened variants of it that must be caught.

use super::{
    evidence::{AllEnds, Verdicts, looks_before_giving_up},
    promise::Promise,
};

/// The protocol, or what is missing from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    /// As the product does it.
    Protocol,
    /// As the guide's example does it: no journal, a client that repeats, "failed" whenever no good answer came.
    GuideLike,
    /// A persisted claim, and a client library that repeats its request.
    ClientRepeats,
    /// Settling does not ask whether the attempt is the offer's latest.
    Unfenced,
    /// A charge that a listing does not show has failed.
    NotListedIsFailed,
    /// Another way to pay is offered while the first payment is pending.
    FallbackWhilePending,
    /// Nothing is looked up: webhooks tell.
    WebhooksOnly,
    /// A refund that was sent and has no outcome is sent again.
    RefundsRepeat,
    /// The end of an attempt is written down, and nobody is notified.
    Unnotified,
    /// A refusal is in the ledger, and the offer stays as it was.
    ForgetsRefusals,
    /// A payment counts for an attempt because it names it.
    BelievesNames,
    /// The failure of a payment counts for an attempt because it has its code.
    FailsByCopies,
    /// A rate limit passes for proof that nothing was executed.
    ThrottledIsNotSent,
}

/// Bounds of an exploration. Clicks and pages together are [`MOST`](super::book::MOST) at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Tabs that click, each with a key of its own.
    pub(super) clicks: u8,
    /// Hosted pages that are asked for.
    pub(super) pages: u8,
    /// Processes that die, anywhere.
    pub(super) crashes: u8,
    /// Payments of the buyer's own that copy the metadata of a payment of ours. Those that copy less change nothing, and are
    /// tried in every state.
    pub(super) copies: u8,
}

/// One system.
#[derive(Clone, Debug)]
pub(super) struct System {
    pub(super) name: &'static str,
    pub(super) variant: Variant,
    pub(super) bounds: Bounds,
    /// Promises that it has to be caught at; none for the protocol itself.
    pub(super) caught_at: &'static [Promise],
    pub(super) verdicts: Verdicts,
    pub(super) clean_looks: u8,
    pub(super) ends: AllEnds,
}

/// Each with what it has to be caught at, and how far it has to be explored for that.
const VARIANTS: [(&str, Variant, Bounds, &[Promise]); 14] = [
    ("protocol", Variant::Protocol, WHOLE, &[]),
    ("protocol, with copied metadata", Variant::Protocol, WHOLE_WITH_COPIES, &[]),
    (
        "guide-like",
        Variant::GuideLike,
        Bounds { clicks: 2, pages: 0, crashes: 0, copies: 0 },
        &[Promise::ChargedOnce, Promise::RefusalStands, Promise::MoneyIsOnRecord],
    ),
    (
        "client-repeats",
        Variant::ClientRepeats,
        Bounds { clicks: 1, pages: 0, crashes: 0, copies: 0 },
        &[Promise::SentOnce, Promise::ChargedOnce],
    ),
    (
        "unfenced",
        Variant::Unfenced,
        Bounds { clicks: 1, pages: 1, crashes: 0, copies: 0 },
        &[Promise::OpenMeansIdle, Promise::RefusalStands],
    ),
    (
        "not-listed-is-failed",
        Variant::NotListedIsFailed,
        Bounds { clicks: 1, pages: 1, crashes: 0, copies: 0 },
        &[Promise::ChargedOnce, Promise::OpenMeansIdle, Promise::FailedIsTrue],
    ),
    (
        "fallback-while-pending",
        Variant::FallbackWhilePending,
        Bounds { clicks: 1, pages: 1, crashes: 0, copies: 0 },
        &[Promise::ChargedOnce, Promise::OneLiveAttempt],
    ),
    (
        "webhooks-only",
        Variant::WebhooksOnly,
        Bounds { clicks: 1, pages: 0, crashes: 0, copies: 0 },
        &[Promise::MoneyIsOnRecord],
    ),
    (
        "refunds-repeat",
        Variant::RefundsRepeat,
        Bounds { clicks: 1, pages: 0, crashes: 1, copies: 0 },
        &[Promise::GivenBackOnce],
    ),
    (
        "unnotified",
        Variant::Unnotified,
        Bounds { clicks: 1, pages: 0, crashes: 0, copies: 0 },
        &[Promise::Notified],
    ),
    (
        "forgets-refusals",
        Variant::ForgetsRefusals,
        Bounds { clicks: 1, pages: 0, crashes: 0, copies: 0 },
        &[Promise::RefusalStands],
    ),
    (
        "believes-names",
        Variant::BelievesNames,
        Bounds { clicks: 1, pages: 0, crashes: 0, copies: 0 },
        &[Promise::Notified],
    ),
    (
        "fails-by-copies",
        Variant::FailsByCopies,
        Bounds { clicks: 1, pages: 0, crashes: 1, copies: 1 },
        &[Promise::OpenMeansIdle, Promise::FailedIsTrue],
    ),
    (
        "throttled-is-not-sent",
        Variant::ThrottledIsNotSent,
        Bounds { clicks: 2, pages: 0, crashes: 0, copies: 0 },
        &[Promise::ChargedOnce, Promise::OpenMeansIdle],
    ),
];

/// Bounds of the protocol's exploration as evidence is taken, and for every change.
const WHOLE: Bounds = Bounds { clicks: 2, pages: 2, crashes: 1, copies: 0 };
const QUICK: Bounds = Bounds { clicks: 1, pages: 1, crashes: 0, copies: 0 };

/// Number of systems.
pub(super) const SYSTEMS: u64 = VARIANTS.len() as u64;

const WHOLE_WITH_COPIES: Bounds = Bounds { clicks: 2, pages: 1, crashes: 0, copies: 1 };
const QUICK_WITH_COPIES: Bounds = Bounds { clicks: 1, pages: 0, crashes: 1, copies: 1 };

/// The system that a run explores. The first two are the protocol.
///
/// # Errors
/// When production has no answer to what the model asks.
pub(super) fn of_run(seed: u64, quick: bool) -> anyhow::Result<System> {
    // Seeds count from 1.
    let index = seed.wrapping_sub(1) % SYSTEMS;
    let (name, variant, bounds, caught_at) = VARIANTS[index as usize];
    let bounds = match (variant, bounds.copies) {
        (Variant::Protocol, 0) if quick => QUICK,
        (Variant::Protocol, _) if quick => QUICK_WITH_COPIES,
        _ => bounds,
    };
    Ok(System {
        name,
        variant,
        bounds,
        caught_at,
        verdicts: Verdicts::of_production(),
        clean_looks: looks_before_giving_up()?,
        ends: AllEnds::of_production(),
    })
}
