//! Ids and secrets: a prefix and characters from a seeded generator, so that a seed repeats a run.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Dodo's ids carry 21 characters after the prefix; its overlay script insists on it for sessions.
const ID_LENGTH: usize = 21;

/// Source of every id in one simulator.
#[derive(Debug)]
pub(crate) struct Ids {
    rng: ChaCha8Rng,
}

impl Ids {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// `prefix` is the bare word: `next("pay")` gives `pay_` and 21 characters.
    pub(crate) fn next(&mut self, prefix: &str) -> String {
        format!("{prefix}_{}", self.token(ID_LENGTH))
    }

    pub(crate) fn token(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(ALPHABET[self.rng.random_range(0..ALPHABET.len())])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn a_seed_repeats_itself_and_differs_from_another() {
        let draw = |seed| {
            let mut ids = Ids::seeded(seed);
            [ids.next("pay"), ids.next("cks")]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!(draw(1)[1].len(), "cks_".len() + 21);
    }
}
