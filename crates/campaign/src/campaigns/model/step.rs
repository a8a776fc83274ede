//! Steps, and the words for them.

use std::fmt;

use super::{
    journal::Forgery,
    world::{Net, Status, Verdict},
};

/// One thing that happens. Numbers are places of attempts, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A tab that has not clicked yet clicks.
    Clicks(usize),
    /// A buyer whose click failed asks for the hosted page.
    AsksForPage(usize),
    /// A buyer refuses.
    Refuses,
    /// The offer's end passes.
    RunsOut,
    /// The fresh price is another, or cannot be had.
    CallsOff(usize),
    /// The mark is committed.
    Marks(usize),
    /// The mark is refused, and the attempt called off.
    MayNotMark(usize),
    /// The store fails at the mark, which is on disk, or is not.
    FailsToMark(usize, bool),
    /// The request leaves.
    Sends(usize),
    /// The request is lost.
    Loses(usize),
    /// Dodo refuses the request.
    Refused(usize),
    /// Dodo charges, with this result.
    Charges(usize, Status),
    /// Dodo opens a hosted page.
    OpensPage(usize),
    /// The task has an answer, or none, and knows what that proves.
    Concludes(usize, Verdict),
    /// The client sends its request once more.
    Repeats(usize),
    /// The task writes down what it knows; a look at the payment right after showed this.
    WritesDown(usize, Option<Status>),
    /// The process dies.
    Dies(usize),
    /// A webhook arrives that tells of this status.
    Hears(usize, Status),
    /// Listings show the payment from now on.
    IsListed(usize),
    /// Recovery finds a claim and releases it.
    Releases(usize),
    /// Recovery finds the mark without an outcome.
    TakesUp(usize),
    /// The reconciler looks; after the deadline it counts.
    Looks(usize, bool),
    /// The reconciler gives the charge up.
    GivesUp(usize),
    /// Waiting for the charge ends for the reconciler without an outcome.
    AsksForReview(usize),
    /// The day of the hosted page is over for the reconciler; Dodo answered it, or did not.
    FindsPageClosed(usize, bool),
    /// A payment that was under way ends.
    Ends(usize, Status),
    /// The buyer pays on the hosted page.
    PaysOnPage(usize, Status),
    /// The hosted page closes.
    ClosesPage(usize),
    /// A refund order is marked as sent.
    MarksRefund(usize),
    /// Its request leaves.
    SendsRefund(usize),
    /// Its request meets this end.
    RefundComesTo(usize, Net),
    /// The worker has an answer, or none, and knows what that proves.
    ConcludesRefund(usize, Verdict),
    /// The worker writes down what it knows.
    WritesDownRefund(usize),
    /// The worker finds the refund among those of the payment.
    FindsRefunded(usize),
    /// A webhook tells of the refund.
    HearsOfRefund(usize),
    /// A webhook tells of a payment of the buyer's own, which says that it is this attempt's.
    HearsOfForgery(usize, Forgery),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let no = |n: &usize| n + 1;
        match self {
            Self::Clicks(n) => write!(f, "a tab clicks: attempt {} is claimed", no(n)),
            Self::AsksForPage(n) => {
                write!(f, "a buyer asks for the hosted page: attempt {} is claimed", no(n))
            }
            Self::Refuses => write!(f, "a buyer refuses the offer"),
            Self::RunsOut => write!(f, "the offer's time runs out"),
            Self::CallsOff(n) => write!(f, "the price has changed: attempt {} is called off", no(n)),
            Self::Marks(n) => write!(f, "attempt {} is marked as sent", no(n)),
            Self::MayNotMark(n) => write!(f, "attempt {} may not be sent any more, and is called off", no(n)),
            Self::FailsToMark(n, written) => {
                let disk = if *written { "it is on disk" } else { "it is not on disk" };
                write!(f, "the store fails at the mark of attempt {}, {disk}: it is called off", no(n))
            }
            Self::Sends(n) => write!(f, "the request of attempt {} leaves", no(n)),
            Self::Loses(n) => write!(f, "the request of attempt {} is lost", no(n)),
            Self::Refused(n) => write!(f, "Dodo refuses the request of attempt {}", no(n)),
            Self::Charges(n, payment) => {
                write!(f, "the request of attempt {} arrives, Dodo charges: {}", no(n), word(*payment))
            }
            Self::OpensPage(n) => write!(f, "Dodo opens the hosted page of attempt {}", no(n)),
            Self::Concludes(n, verdict) => {
                write!(f, "the process of attempt {} concludes: {}", no(n), proof(*verdict))
            }
            Self::Repeats(n) => write!(f, "the client repeats the request of attempt {}", no(n)),
            Self::WritesDown(n, None) => write!(f, "the process of attempt {} writes that down", no(n)),
            Self::WritesDown(n, Some(seen)) => {
                write!(f, "the process of attempt {} writes down what it saw: {}", no(n), word(*seen))
            }
            Self::Dies(n) => write!(f, "the process of attempt {} dies", no(n)),
            Self::Hears(n, payment) => {
                write!(f, "a webhook tells of the payment of attempt {}: {}", no(n), word(*payment))
            }
            Self::IsListed(n) => write!(f, "listings show the payment of attempt {} now", no(n)),
            Self::Releases(n) => write!(f, "recovery releases attempt {}", no(n)),
            Self::TakesUp(n) => write!(f, "recovery takes up attempt {}: unknown", no(n)),
            Self::Looks(n, false) => write!(f, "the reconciler looks attempt {} up", no(n)),
            Self::Looks(n, true) => {
                write!(f, "the reconciler looks attempt {} up, past its deadline", no(n))
            }
            Self::GivesUp(n) => write!(f, "the reconciler gives attempt {} up", no(n)),
            Self::AsksForReview(n) => write!(f, "waiting for attempt {} ends: a person has to look", no(n)),
            Self::FindsPageClosed(n, answered) => {
                let look = if *answered { "after a look" } else { "without an answer from Dodo" };
                write!(f, "the day of the page of attempt {} is over, {look}", no(n))
            }
            Self::Ends(n, payment) => write!(f, "the payment of attempt {} ends: {}", no(n), word(*payment)),
            Self::PaysOnPage(n, payment) => {
                write!(f, "the buyer pays on the page of attempt {}: {}", no(n), word(*payment))
            }
            Self::ClosesPage(n) => write!(f, "the page of attempt {} closes", no(n)),
            Self::MarksRefund(n) => write!(f, "a refund for attempt {} is marked as sent", no(n)),
            Self::SendsRefund(n) => write!(f, "a refund request for attempt {} leaves", no(n)),
            Self::RefundComesTo(n, net) => {
                let end = match net {
                    Net::Executed => "Dodo gives the payment back",
                    Net::Refused => "Dodo refuses it",
                    Net::Nothing | Net::InFlight | Net::Lost | Net::Closed => "it is lost",
                };
                write!(f, "the refund request for attempt {}: {end}", no(n))
            }
            Self::ConcludesRefund(n, verdict) => {
                write!(f, "the worker of the refund for attempt {} concludes: {}", no(n), proof(*verdict))
            }
            Self::WritesDownRefund(n) => {
                write!(f, "the worker of the refund for attempt {} writes that down", no(n))
            }
            Self::FindsRefunded(n) => write!(f, "the worker finds a payment of attempt {} given back", no(n)),
            Self::HearsOfForgery(n, forgery) => {
                write!(
                    f,
                    "the buyer pays for themselves and says it is attempt {}: {}",
                    no(n),
                    forged(*forgery)
                )
            }
            Self::HearsOfRefund(n) => write!(f, "a webhook tells of the refund for attempt {}", no(n)),
        }
    }
}

fn forged(forgery: Forgery) -> &'static str {
    match forgery {
        Forgery::Name => "by its name",
        Forgery::OtherTerms => "by the code of another attempt",
        Forgery::OtherCart => "by a copy of everything, for something else",
        Forgery::Short => "by a copy of everything, with the smallest amount",
        Forgery::Fails => "by a copy of everything, and the payment fails",
        Forgery::Begins => "by a copy of everything, and the payment is under way",
    }
}

fn proof(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotSent => "nothing left this machine",
        Verdict::Rejected => "refused",
        Verdict::Unknown => "no answer that proves anything",
        Verdict::Accepted => "taken on",
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::None => "nothing",
        Status::Processing => "processing",
        Status::NeedsBuyer => "waits for the buyer",
        Status::Failed => "declined",
        Status::Succeeded => "collected",
    }
}
