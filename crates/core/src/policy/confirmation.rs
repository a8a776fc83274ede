//! Says whether a session may be used: not before Dodo has confirmed that the payment and the subscription that it names are its
//! buyer's. Pure.
//!
//! `POST /v1/sessions` answers within a bound of its own, so a token may be out before Dodo has answered. Such a token is
//! good for nothing, on every call. Each call begins a check where none is running and the last one is old enough, so that
//! the check goes on after a restart and on any proxy of several.

use std::time::Duration;

use dodo_client::ids::CustomerId;

use crate::domain::Confirmation;

/// Pause between two checks of one session on one proxy.
pub const CHECK_AGAIN: Duration = Duration::from_secs(2);
/// Seconds after which a page asks again.
pub const RETRY_AFTER: u32 = 1;

/// Dodo's word on one thing that a session names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// It belongs to this customer.
    Customer(CustomerId),
    /// There is no such thing.
    Nobody,
    /// Dodo did not answer, or could not be asked.
    Unknown,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// All that the session names is its buyer's.
    Confirmed,
    /// Something that it names is not: the token is worth nothing.
    Refused,
    /// Not known yet.
    Unknown,
}

/// The last check of a session on this proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastCheck {
    /// None.
    Never,
    /// It is running.
    Running,
    /// It ended this long ago, and found nothing out.
    Ended(Duration),
}

/// The answer to a call with a session's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is worked on.
    Admitted,
    /// Nothing is shown or done. Where `begin_check` says so, Dodo is asked meanwhile.
    NotYet {
        /// A check is due.
        begin_check: bool,
    },
}

/// Decides whether a session may be used, whatever for.
#[must_use]
pub fn admission(confirmation: Confirmation, last_check: LastCheck) -> Admission {
    let begin_check = match (confirmation, last_check) {
        (Confirmation::Confirmed, _) => return Admission::Admitted,
        (Confirmation::Pending, LastCheck::Never) => true,
        (Confirmation::Pending, LastCheck::Running) => false,
        (Confirmation::Pending, LastCheck::Ended(ago)) => ago >= CHECK_AGAIN,
    };
    Admission::NotYet { begin_check }
}

/// Judges what a session names by what Dodo says of each thing. One that is somebody else's is enough to refuse it.
#[must_use]
pub fn judge(buyer: &CustomerId, owners: &[Owner]) -> Finding {
    let is_foreign = |owner: &Owner| match owner {
        Owner::Customer(customer) => customer != buyer,
        Owner::Nobody => true,
        Owner::Unknown => false,
    };
    if owners.iter().any(is_foreign) {
        Finding::Refused
    } else if owners.contains(&Owner::Unknown) {
        Finding::Unknown
    } else {
        Finding::Confirmed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(id: &str) -> CustomerId {
        CustomerId::parse(id).unwrap()
    }

    #[test]
    fn a_pending_session_is_never_admitted_and_is_checked_once_at_a_time() {
        let last = [
            (LastCheck::Never, true),
            (LastCheck::Running, false),
            (LastCheck::Ended(Duration::ZERO), false),
            (LastCheck::Ended(CHECK_AGAIN), true),
        ];
        for (last_check, begin_check) in last {
            assert_eq!(admission(Confirmation::Pending, last_check), Admission::NotYet { begin_check });
            assert_eq!(admission(Confirmation::Confirmed, last_check), Admission::Admitted);
        }
    }

    #[test]
    fn a_session_is_confirmed_only_where_everything_it_names_is_its_buyers() {
        let each = [
            Owner::Customer(customer("cus_1")),
            Owner::Customer(customer("cus_2")),
            Owner::Nobody,
            Owner::Unknown,
        ];
        let buyer = customer("cus_1");
        assert_eq!(judge(&buyer, &[]), Finding::Confirmed, "nothing to confirm");
        for a in &each {
            for b in &each {
                let (mine, known) =
                    (|owner: &Owner| *owner == each[0], |owner: &Owner| *owner != Owner::Unknown);
                let finding = judge(&buyer, &[a.clone(), b.clone()]);
                assert_eq!(finding == Finding::Confirmed, mine(a) && mine(b), "{a:?} {b:?}");
                let foreign = [a, b].iter().any(|owner| known(owner) && !mine(owner));
                assert_eq!(finding == Finding::Refused, foreign, "{a:?} {b:?}");
            }
        }
    }
}
