//! I15: one thing is taken or refused once per person, through however many offers and under however many customer ids.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::walk::{choices, gone_on, walk};
use crate::{
    domain::{OfferRow, OfferState},
    journal::{
        DeclineOutcome,
        any_command::{AnyCommand, Outcome},
        memory::Memory,
        states,
    },
};

/// Returns the other offers of the same thing to the same person.
fn others<'a>(store: &'a Memory, offer: &'a OfferRow) -> impl Iterator<Item = &'a OfferRow> {
    store.offers.values().filter(|other| {
        other.id != offer.id
            && other.equivalence == offer.equivalence
            && offer.person().is(&other.customer_id, other.email.as_ref())
    })
}

proptest! {
    /// I15: nothing is claimed or sent while the same thing is being paid for, was paid, or was refused elsewhere.
    #[test]
    fn i15_one_thing_is_taken_once_per_person(choices in choices()) {
        walk(&choices, |store, _, taken| {
            let Some(offer) = gone_on(store, taken).and_then(|attempt| attempt.row.offer_id.as_ref()) else {
                return Ok(());
            };
            for other in others(store, &store.offers[offer]) {
                prop_assert!(!states::keeps_from_others(other), "{} goes on beside {:?}", offer, other);
            }
            if let Some((AnyCommand::Claim(_), _)) = taken.command {
                let is_same = |id| others(store, &store.offers[offer]).any(|other| other.id == id);
                let refused = store.declines.iter().find(|(_, _, entry)| is_same(entry.offer_id.clone()));
                prop_assert!(refused.is_none(), "{} is claimed after {:?}", offer, refused);
            }
            Ok(())
        })?;
    }

    /// I15: a refusal is taken only while nobody of the same person has the thing, or is paying for it.
    #[test]
    fn i15_what_is_taken_is_not_refused_elsewhere(choices in choices()) {
        let mut refused = BTreeSet::new();
        walk(&choices, |store, _, taken| {
            let Some((AnyCommand::Decline(decline), Outcome::Decline(outcome))) = taken.command else {
                return Ok(());
            };
            let offer = &store.offers[&decline.offer_id];
            match outcome {
                DeclineOutcome::Declined(_) => {
                    refused.insert(offer.id.clone());
                    for other in others(store, offer) {
                        prop_assert!(!states::keeps_from_others(other), "{:?} beside {:?}", offer, other);
                    }
                }
                DeclineOutcome::TakenElsewhere(OfferState::Charged) => {
                    prop_assert_eq!(offer.state, OfferState::Expired);
                    prop_assert!(!refused.contains(&offer.id));
                }
                _ => {}
            }
            Ok(())
        })?;
    }
}
