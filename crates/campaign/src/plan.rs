//! How much of a campaign to run, and where its randomness comes from.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// How thoroughly a campaign is run when nobody says how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// As the evidence is taken.
    Whole,
    /// Reduced, for every change: seconds, without optimisation.
    Quick,
}

/// What one campaign is asked to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whole or quick: a campaign that differs in more than the number of runs looks here.
    pub extent: Extent,
    /// How many runs. What a run is, the campaign says.
    pub runs: u64,
    /// Seed of the first run.
    pub seed: u64,
    /// Tell what is found at length, on standard error.
    pub explain: bool,
}

impl Plan {
    /// The seed of each run: one more than the one before. So `--seed S --runs 1` replays the run with seed `S`, whatever
    /// the campaign began with.
    pub fn seeds(&self) -> impl Iterator<Item = u64> + use<> {
        let first = self.seed;
        (0..self.runs).map(move |run| first.wrapping_add(run))
    }
}

/// The only source of randomness of a run.
#[must_use]
pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn every_run_can_be_replayed_by_its_own_seed() {
        let plan = |seed, runs| Plan { extent: Extent::Quick, runs, seed, explain: false };
        let seeds: Vec<u64> = plan(u64::MAX, 3).seeds().collect();
        assert_eq!(seeds, [u64::MAX, 0, 1]);
        for seed in seeds {
            assert_eq!(plan(seed, 1).seeds().collect::<Vec<_>>(), [seed]);
            assert_eq!(rng(seed).random::<u64>(), rng(seed).random::<u64>());
        }
        assert_ne!(rng(0).random::<u64>(), rng(1).random::<u64>());
    }
}
