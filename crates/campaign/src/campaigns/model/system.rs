//! The systems that are explored: the product's protocol, and weakened variants of it that must be caught.

use super::{
    evidence::{PageEnds, Verdicts, looks_before_giving_up},
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
    /// What a listing does not show has failed.
    NotListedIsFailed,
    /// Another way to pay is offered while the first payment is pending.
    FallbackWhilePending,
    /// Nothing is looked up: webhooks tell.
    WebhooksOnly,
}

/// How far a system is explored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Tabs that click, each with a key of its own.
    pub(super) clicks: u8,
    /// Hosted pages that are asked for.
    pub(super) pages: u8,
    /// Processes that die, anywhere.
    pub(super) crashes: u8,
}

/// One system.
#[derive(Clone, Debug)]
pub(super) struct System {
    pub(super) name: &'static str,
    pub(super) variant: Variant,
    pub(super) bounds: Bounds,
    /// What it has to be caught at; nothing for the protocol itself.
    pub(super) caught_at: &'static [Promise],
    pub(super) verdicts: Verdicts,
    pub(super) clean_looks: u8,
    pub(super) page_ends: PageEnds,
}

const VARIANTS: [(&str, Variant, &[Promise]); 7] = [
    ("protocol", Variant::Protocol, &[]),
    (
        "guide-like",
        Variant::GuideLike,
        &[Promise::ChargedOnce, Promise::RefusalStands, Promise::MoneyIsOnRecord],
    ),
    ("client-repeats", Variant::ClientRepeats, &[Promise::SentOnce, Promise::ChargedOnce]),
    ("unfenced", Variant::Unfenced, &[Promise::OpenMeansIdle, Promise::RefusalStands]),
    (
        "not-listed-is-failed",
        Variant::NotListedIsFailed,
        &[Promise::ChargedOnce, Promise::OpenMeansIdle, Promise::FailedIsTrue],
    ),
    (
        "fallback-while-pending",
        Variant::FallbackWhilePending,
        &[Promise::ChargedOnce, Promise::OneLiveAttempt],
    ),
    ("webhooks-only", Variant::WebhooksOnly, &[Promise::MoneyIsOnRecord]),
];

/// How many there are.
pub(super) const SYSTEMS: u64 = VARIANTS.len() as u64;

/// The system that a run explores. The first is the protocol.
///
/// # Errors
/// When production has no answer to what the model asks.
pub(super) fn of_run(seed: u64, quick: bool) -> anyhow::Result<System> {
    // Seeds count from 1.
    let index = seed.wrapping_sub(1) % SYSTEMS;
    let (name, variant, caught_at) = VARIANTS[index as usize];
    let bounds = match (variant, quick) {
        (Variant::Protocol, false) => Bounds { clicks: 3, pages: 1, crashes: 1 },
        _ => Bounds { clicks: 2, pages: 1, crashes: 1 },
    };
    Ok(System {
        name,
        variant,
        bounds,
        caught_at,
        verdicts: Verdicts::of_production(),
        clean_looks: looks_before_giving_up()?,
        page_ends: PageEnds::of_production()?,
    })
}
