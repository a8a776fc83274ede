//! The form in which states are counted.

use upsell_core::domain::{AttemptKind, AttemptState};

use super::{
    book::{Book, MOST, Row},
    world::{Attempt, Net, Task, World},
};

impl World {
    /// The one of all worlds alike that is counted. Alike are worlds that differ in the order of attempts of which none is
    /// the latest, in attempts that can never again have a part in anything, and in what nobody will ask about again.
    pub(super) fn canonical(&self) -> Self {
        let mut kept: Vec<(Row, Attempt)> = Vec::with_capacity(MOST);
        let mut ahead = self.book.ahead;
        for (n, (row, attempt)) in self.each().enumerate() {
            let (row, attempt) = without_the_forgotten(row, attempt);
            if !is_dead(&row, &attempt) {
                kept.push((row, attempt));
            } else if n + 1 == self.made() {
                ahead = true;
            }
        }
        let earlier = kept.len() - usize::from(!ahead && !kept.is_empty());
        kept[..earlier].sort_unstable_by_key(|(row, attempt)| (row.pack(), attempt.pack()));
        let mut world = Self { book: Book { ahead, ..self.book }, ..*self };
        world.book.made = kept.len() as u8;
        world.book.rows = Book::start().rows;
        world.attempts = [Attempt::BLANK; MOST];
        for (n, (row, attempt)) in kept.into_iter().enumerate() {
            (world.book.rows[n], world.attempts[n]) = (row, attempt);
        }
        world
    }
}

/// Released, and nothing is left of it anywhere.
fn is_dead(row: &Row, attempt: &Attempt) -> bool {
    row.state == AttemptState::Released
        && attempt.task == Task::Gone
        && attempt.net != Net::InFlight
        && attempt.begun().next().is_none()
}

/// Without what nobody asks about again: the answer to a request that nobody waits for, and how a payment is listed whose
/// id is known.
fn without_the_forgotten(row: &Row, attempt: &Attempt) -> (Row, Attempt) {
    let (row, mut attempt) = (*row, *attempt);
    let hosted = row.kind == AttemptKind::Hosted;
    if attempt.task == Task::Gone && attempt.net != Net::InFlight && !(hosted && attempt.shown) {
        attempt.net = Net::Nothing;
        attempt.posts = if attempt.posts > 1 { attempt.posts } else { 0 };
    }
    for payment in &mut attempt.payments {
        payment.listed &= !hosted && !row.session;
        if payment.refund == Task::Gone && payment.refund_net != Net::InFlight {
            payment.refund_net = Net::Nothing;
        }
    }
    (row, attempt)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::world::tests::world;

    proptest! {
        #[test]
        fn the_canonical_form_is_one(world in world()) {
            let canonical = world.canonical();
            prop_assert_eq!(canonical.canonical(), canonical);
            if canonical.book.made > 2 {
                let mut other = canonical;
                other.book.rows.swap(0, 1);
                other.attempts.swap(0, 1);
                prop_assert_eq!(other.canonical(), canonical);
            }
        }
    }
}
