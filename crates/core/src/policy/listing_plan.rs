//! Which payments are listed for attempts that only a listing tells of. Pure.
//!
//! A payment begins with the request that makes it, so that only the hour around a claim is listed, however long ago that
//! was. Attempts whose hours overlap share one listing of everybody's payments, as long as that is not longer than listing
//! their buyers one by one; otherwise, and wherever a row of it cannot be read, each buyer is listed alone. So what one
//! buyer's listing costs, or cannot tell, concerns that buyer's attempts only (I19).

use std::collections::BTreeMap;

use dodo_client::ids::CustomerId;
use money::later;
use wire::UnixSeconds;

use crate::domain::AttemptRow;

/// Seconds by which Dodo's clock and ours may differ in listings.
pub const CLOCK_SLACK: i64 = 600;
/// Seconds after a claim within which the payment of its request begins. The request leaves within minutes, and a confirmed
/// checkout lives a quarter of an hour.
const BEGINS_WITHIN: i64 = 3600;
/// Longest window of one listing of everybody, in seconds.
const LONGEST: i64 = 4 * 3600;
/// Up to so many buyers are listed one by one.
const FEW_BUYERS: usize = 3;
/// Most pages of one buyer's listing. 5,000 payments of one buyer in one hour are nobody's purchases.
const BUYER_PAGES: u32 = 50;
/// Pages that a listing of everybody may have for each buyer that it stands for: no more than one by one.
const PAGES_PER_BUYER: u32 = 1;

/// A span of time, both ends within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub from: UnixSeconds,
    /// Its end.
    pub to: UnixSeconds,
}

/// One listing, and whose attempts it tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Of this buyer; of everybody where absent.
    pub buyer: Option<CustomerId>,
    /// Payments that began within.
    pub window: Window,
    /// More pages than this are not read.
    pub most_pages: u32,
    /// Attempts that it tells of.
    pub attempts: Vec<AttemptRow>,
}

impl Listing {
    /// Splits a listing of everybody by buyer. A listing of one buyer has no parts.
    #[must_use]
    pub fn by_buyer(&self) -> Vec<Self> {
        if self.buyer.is_some() { Vec::new() } else { split(&self.attempts) }
    }
}

/// Returns the span in which the payment of an attempt has begun, if there is one.
#[must_use]
pub fn window(row: &AttemptRow) -> Window {
    let to = later(row.created_at, BEGINS_WITHIN.saturating_add(CLOCK_SLACK));
    Window { from: later(row.created_at, CLOCK_SLACK.saturating_neg()), to }
}

/// Plans the listings for these attempts. Each attempt is told of by exactly one.
#[must_use]
pub fn plan(mut rows: Vec<AttemptRow>) -> Vec<Listing> {
    rows.sort_by_key(|row| row.created_at);
    let mut clusters: Vec<Vec<AttemptRow>> = Vec::new();
    for row in rows {
        match clusters.last_mut() {
            Some(cluster) if joins(cluster, &row) => cluster.push(row),
            _ => clusters.push(vec![row]),
        }
    }
    clusters.into_iter().flat_map(of_cluster).collect()
}

/// Says whether the hour of an attempt overlaps those of a cluster, and the whole is not too long.
fn joins(cluster: &[AttemptRow], row: &AttemptRow) -> bool {
    let (Some(first), Some(last)) = (cluster.first(), cluster.last()) else { return false };
    let window_ends = window(row).to;
    window(row).from <= window(last).to && window_ends.0.saturating_sub(window(first).from.0) <= LONGEST
}

fn of_cluster(attempts: Vec<AttemptRow>) -> Vec<Listing> {
    let mut buyers: Vec<_> = attempts.iter().map(|row| &row.customer_id).collect();
    buyers.sort_unstable();
    buyers.dedup();
    if buyers.len() <= FEW_BUYERS {
        return split(&attempts);
    }
    let pages = u32::try_from(buyers.len()).unwrap_or(u32::MAX).saturating_mul(PAGES_PER_BUYER);
    spanned(&attempts)
        .map(|window| Listing { buyer: None, window, most_pages: pages, attempts: attempts.clone() })
        .into_iter()
        .collect()
}

fn split(attempts: &[AttemptRow]) -> Vec<Listing> {
    let mut buyers: BTreeMap<&CustomerId, Vec<AttemptRow>> = BTreeMap::new();
    for row in attempts {
        buyers.entry(&row.customer_id).or_default().push(row.clone());
    }
    buyers
        .into_iter()
        .filter_map(|(buyer, attempts)| {
            let window = spanned(&attempts)?;
            Some(Listing { buyer: Some(buyer.clone()), window, most_pages: BUYER_PAGES, attempts })
        })
        .collect()
}

/// Returns the span of all their hours.
fn spanned(attempts: &[AttemptRow]) -> Option<Window> {
    let from = attempts.iter().map(|row| window(row).from).min()?;
    let to = attempts.iter().map(|row| window(row).to).max()?;
    Some(Window { from, to })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use wire::AttemptId;

    use super::*;

    fn row(no: usize, buyer: usize, at: i64) -> AttemptRow {
        AttemptRow {
            id: AttemptId::parse(format!("att_{no:04}")).unwrap(),
            customer_id: CustomerId::parse(format!("cus_{buyer}")).unwrap(),
            created_at: UnixSeconds(1_000_000 + at),
            ..AttemptRow::example()
        }
    }

    /// Four buyers whose charges were given up over two days: a window each, instead of one of two days.
    #[test]
    fn what_lies_far_apart_is_listed_apart() {
        let rows = (0..4).map(|no| row(no, no, i64::try_from(no).unwrap() * 40_000)).collect();
        let listings = plan(rows);
        assert_eq!(listings.len(), 4);
        assert!(listings.iter().all(|listing| listing.buyer.is_some()));
    }

    /// An outage: one listing of everybody, and no longer than listing them one by one would be.
    #[test]
    fn many_of_one_hour_share_a_listing() {
        let listings = plan((0..100).map(|no| row(no, no, 1)).collect());
        assert_eq!((listings.len(), listings[0].buyer.clone(), listings[0].most_pages), (1, None, 100));
        assert_eq!(listings[0].by_buyer().len(), 100);
        assert!(listings[0].by_buyer()[0].by_buyer().is_empty());
    }

    proptest! {
        /// I19: each attempt is told of once, by a listing that spans its hour and never by another buyer's; splitting keeps
        /// that.
        #[test]
        fn i19_each_attempt_is_told_of_by_one_listing(places in prop::collection::vec((0..9_usize, 0..90_000_i64), 0..60)) {
            let rows: Vec<_> = places.iter().enumerate().map(|(no, (buyer, at))| row(no, *buyer, *at)).collect();
            let listings = plan(rows.clone());
            let parts = listings.iter().flat_map(|listing| match listing.by_buyer() {
                parts if parts.is_empty() => vec![listing.clone()],
                parts => parts,
            });
            for listings in [listings.clone(), parts.collect()] {
                let mut told = BTreeSet::new();
                for listing in &listings {
                    prop_assert!(listing.window.to.0 - listing.window.from.0 <= LONGEST);
                    for row in &listing.attempts {
                        prop_assert!(listing.buyer.as_ref().is_none_or(|buyer| *buyer == row.customer_id));
                        let span = window(row);
                        prop_assert!(listing.window.from <= span.from && span.to <= listing.window.to);
                        prop_assert!(told.insert(row.id.clone()), "told twice");
                    }
                }
                prop_assert_eq!(told.len(), rows.len());
            }
        }
    }
}
