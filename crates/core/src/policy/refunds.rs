//! What goes back of money that should not be there, and when a refund that was sent is looked for. Pure.
//!
//! A refund is money moving through an API that does not recognise repetitions, so that it goes by the rule of charges:
//! at most one request, and what became of it is found out by looking.

use money::later;
use wire::{Money, Quote, UnixSeconds};

use crate::{
    domain::{AttemptKind, PaymentFacts, QuoteRow, RefundCause, RefundStatus, SeenRefund},
    policy::quote_lock::{self, Collected},
    rules::{AboveQuote, LateSuccess, MoneyRules, Surplus},
};

/// Seconds after sending at which a refund without an answer is looked for.
const OFFSETS: [i64; 7] = [2, 10, 30, 120, 300, 600, 1200];
/// Seconds from which on a person has to look as well.
const DOUBT_AFTER: i64 = 1200;
/// Seconds between looks from then on.
const WATCH_EVERY: i64 = 3600;
/// Seconds after which nobody looks any more.
const WATCH_FOR: i64 = 48 * 3600;

/// The merchant's decision, as far as it concerns one payment: what goes back, should this payment turn out to be late,
/// or one too many, or too much. The default gives nothing back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefundRules {
    /// All of it, when the attempt had been given up.
    pub late: bool,
    /// All of it, when another payment has been collected for the same.
    pub surplus: bool,
    /// So much of it, which is above the quote.
    pub excess: Option<i64>,
}

/// What a settlement found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The attempt had been given up.
    pub late: bool,
    /// Another payment has been collected for the same.
    pub surplus: bool,
}

/// What the merchant's rules mean for a payment that collects `quote`. Nothing goes back by itself but of payments of which
/// [`super::evidence::may_go_back`] holds (I17).
#[must_use]
pub fn rules(
    money: MoneyRules,
    kind: AttemptKind,
    quote: &QuoteRow,
    payment: &PaymentFacts,
    may_go_back: bool,
) -> RefundRules {
    if !may_go_back {
        return RefundRules::default();
    }
    // Giving back the first payment of something that renews would not end it, nor undo a change of plan; and what looks
    // like a second payment of it may be a renewal.
    let is_one_time =
        kind != AttemptKind::PlanChange && quote.quote.renewal.is_none() && payment.subscription_id.is_none();
    RefundRules {
        late: money.late_success == LateSuccess::Refund && kind == AttemptKind::OneClick && is_one_time,
        surplus: money.surplus == Surplus::Refund && is_one_time,
        excess: (money.above_quote == AboveQuote::RefundDifference)
            .then(|| excess(kind, &quote.quote, payment.amount))
            .flatten(),
    }
}

/// How much more than shown was collected, in the same currency. On a hosted page the buyer saw the total there.
fn excess(kind: AttemptKind, quote: &Quote, collected: Money) -> Option<i64> {
    if kind == AttemptKind::Hosted || quote_lock::compare(quote, collected) != Collected::More {
        return None;
    }
    collected.amount.checked_sub(quote.total)
}

/// What goes back, and how much; all of it where no amount is named. One payment gives rise to one order at most: giving
/// back all of it settles the difference as well.
#[must_use]
pub fn order(rules: RefundRules, found: Found) -> Option<(RefundCause, Option<i64>)> {
    if found.surplus && rules.surplus {
        Some((RefundCause::Surplus, None))
    } else if found.late && rules.late {
        Some((RefundCause::Late, None))
    } else {
        rules.excess.map(|excess| (RefundCause::AboveQuote, Some(excess)))
    }
}

/// What the refunds of a payment say about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// As much as is ordered has gone back, or is on its way: by this refund, the last of them.
    Covered(&'a SeenRefund),
    /// It was tried, and came to nothing.
    Failed(&'a SeenRefund),
    /// Nothing of that.
    Open,
}

/// Whether `wanted` of a payment, or all of `collected`, has gone back.
#[must_use]
pub fn standing(wanted: Option<i64>, collected: i64, refunds: &[SeenRefund]) -> Standing<'_> {
    let wanted = wanted.unwrap_or(collected);
    let alive = || refunds.iter().filter(|refund| refund.status != RefundStatus::Failed);
    // A refund of which the amount is not known may be all of it: nothing is sent beside it.
    let back = alive().fold(0_i64, |sum, refund| {
        sum.saturating_add(refund.amount.map_or(collected, |amount| amount.amount))
    });
    match (alive().next_back(), refunds.last()) {
        (Some(last), _) if back >= wanted => Standing::Covered(last),
        (None, Some(failed)) => Standing::Failed(failed),
        _ => Standing::Open,
    }
}

/// What to do about a refund that was sent and is not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look again then.
    LookAt(UnixSeconds),
    /// The same, and a person has to look, too.
    Doubt(UnixSeconds),
    /// Looked for long enough; it is never sent again.
    Stop,
}

/// Decides at `now` for a refund that was sent at `sent_at` and has just been looked for.
#[must_use]
pub fn next(sent_at: UnixSeconds, now: UnixSeconds) -> Next {
    let age = now.0.saturating_sub(sent_at.0);
    if age >= WATCH_FOR {
        return Next::Stop;
    }
    match OFFSETS.iter().find(|offset| **offset > age) {
        Some(offset) => Next::LookAt(later(sent_at, *offset)),
        // Looks are an hour apart from here on, so that this is said once.
        None if age < DOUBT_AFTER.saturating_add(WATCH_EVERY) => Next::Doubt(later(now, WATCH_EVERY)),
        None => Next::LookAt(later(now, WATCH_EVERY)),
    }
}

#[cfg(test)]
mod tests {
    use dodo_client::ids::{PaymentId, RefundId};
    use wire::Currency;

    use super::*;

    fn refund(status: RefundStatus, amount: Option<i64>) -> SeenRefund {
        SeenRefund {
            id: RefundId::parse("ref_1").unwrap(),
            payment_id: PaymentId::parse("pay_1").unwrap(),
            status,
            amount: amount.map(|amount| Money::new(amount, Currency::parse("USD").unwrap())),
        }
    }

    #[test]
    fn by_default_nothing_goes_back() {
        for late in [false, true] {
            for surplus in [false, true] {
                assert_eq!(order(RefundRules::default(), Found { late, surplus }), None);
            }
        }
    }

    #[test]
    fn one_payment_gives_rise_to_one_order() {
        let all = RefundRules { late: true, surplus: true, excess: Some(5) };
        let both = Found { late: true, surplus: true };
        assert_eq!(order(all, both), Some((RefundCause::Surplus, None)));
        assert_eq!(order(all, Found { surplus: false, ..both }), Some((RefundCause::Late, None)));
        assert_eq!(order(all, Found::default()), Some((RefundCause::AboveQuote, Some(5))));
        let only_late = RefundRules { late: true, ..RefundRules::default() };
        assert_eq!(order(only_late, both), Some((RefundCause::Late, None)));
    }

    #[test]
    fn what_went_back_already_is_not_sent() {
        use RefundStatus::{Failed, Pending, Succeeded};
        let covered =
            |wanted, refunds: &[SeenRefund]| matches!(standing(wanted, 1900, refunds), Standing::Covered(_));
        assert!(covered(None, &[refund(Pending, Some(1900))]));
        assert!(covered(None, &[refund(Succeeded, Some(900)), refund(Succeeded, Some(1000))]));
        assert!(covered(Some(100), &[refund(Succeeded, Some(100))]));
        assert!(covered(None, &[refund(Succeeded, None)]), "it may have been all of it");
        assert!(!covered(None, &[refund(Succeeded, Some(100))]));
        assert!(!covered(None, &[refund(Failed, Some(1900))]));
        assert_eq!(standing(None, 1900, &[]), Standing::Open);
        let failed = [refund(Failed, Some(1900))];
        assert_eq!(standing(None, 1900, &failed), Standing::Failed(&failed[0]));
    }

    /// Looks come to an end, and the doubt is raised once.
    #[test]
    fn a_refund_that_is_not_found_is_looked_for_and_raised_once() {
        let sent_at = UnixSeconds(1000);
        let (mut now, mut doubts, mut looks) = (sent_at, 0, 0);
        loop {
            match next(sent_at, now) {
                Next::LookAt(at) => now = at,
                Next::Doubt(at) => {
                    doubts += 1;
                    now = at;
                }
                Next::Stop => break,
            }
            looks += 1;
            assert!(looks < 100);
        }
        assert_eq!(doubts, 1);
        assert!(now.0 - sent_at.0 >= WATCH_FOR);
    }
}
