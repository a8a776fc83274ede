//! What a campaign found: counts, violations with the seeds that replay them, and the closing line.

use std::fmt;

use testkit::check::{self, Promise};

/// Violations told with their words; beyond, only counted.
const TOLD: usize = 10;

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Money was collected twice for one offer or one change (I1, I2, I3, I4, I7), or more than was shown (I8).
    Double,
    /// Money was collected and is not on record as such (I5, I9).
    Lost,
    /// Something stayed undecided beyond its deadline (I13), or could not be decided any more.
    Stuck,
    /// Somebody was told what was not so: "failed" about a payment that succeeded (I12), or another answer to the same
    /// request (I11).
    Lie,
    /// One of the campaign's own questions, by its name on the closing line. It has to be declared by
    /// [`Report::asking`].
    Other(&'static str),
}

impl From<Promise> for Broken {
    fn from(promise: Promise) -> Self {
        match promise {
            Promise::NoDoubleCharge => Self::Double,
            Promise::NoLostPayment => Self::Lost,
            Promise::NoStuckAttempt => Self::Stuck,
            Promise::NothingMisreported => Self::Lie,
        }
    }
}

/// One broken promise in one run.
#[derive(Clone, Debug)]
struct Violation {
    seed: u64,
    what: String,
}

/// What came of a campaign.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Runs that were played to their end.
    pub runs: u64,
    /// Charging requests that left the proxy.
    pub posts: u64,
    double: u64,
    lost: u64,
    stuck: u64,
    lies: u64,
    others: Vec<(&'static str, u64)>,
    facts: Vec<(&'static str, String)>,
    told: Vec<Violation>,
}

impl Report {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing yet, with questions of the campaign's own besides the four that all ask. Each is on the closing line, 0 as
    /// well.
    #[must_use]
    pub fn asking(questions: &[&'static str]) -> Self {
        Self { others: questions.iter().map(|name| (*name, 0)).collect(), ..Self::default() }
    }

    /// Notes a broken promise in the run with this seed.
    pub fn broken(&mut self, promise: Broken, seed: u64, what: impl fmt::Display) {
        let count = match promise {
            Broken::Double => &mut self.double,
            Broken::Lost => &mut self.lost,
            Broken::Stuck => &mut self.stuck,
            Broken::Lie => &mut self.lies,
            Broken::Other(name) => self.other(name),
        };
        *count = count.saturating_add(1);
        if self.told.len() < TOLD {
            self.told.push(Violation { seed, what: what.to_string() });
        }
    }

    /// Notes what a checker found in the run with this seed; `run` says which one that was.
    pub fn found(
        &mut self,
        run: impl fmt::Display,
        seed: u64,
        violations: impl IntoIterator<Item = check::Violation>,
    ) {
        for check::Violation { promise, what } in violations {
            self.broken(promise.into(), seed, format_args!("{run}: {what}"));
        }
    }

    /// Adds a fact to the closing line, such as `states=…`.
    pub fn fact(&mut self, name: &'static str, value: impl fmt::Display) {
        self.facts.push((name, value.to_string()));
    }

    /// Adds what another part of the same campaign found. Facts are the whole campaign's: those of a part are dropped.
    pub fn absorb(&mut self, part: Self) {
        for (total, more) in [
            (&mut self.runs, part.runs),
            (&mut self.posts, part.posts),
            (&mut self.double, part.double),
            (&mut self.lost, part.lost),
            (&mut self.stuck, part.stuck),
            (&mut self.lies, part.lies),
        ] {
            *total = total.saturating_add(more);
        }
        for (name, more) in part.others {
            let total = self.other(name);
            *total = total.saturating_add(more);
        }
        let room = TOLD.saturating_sub(self.told.len());
        self.told.extend(part.told.into_iter().take(room));
    }

    /// Whether every promise was kept, and anything was tried at all.
    #[must_use]
    pub fn kept(&self) -> bool {
        self.runs > 0 && self.violations() == 0
    }

    /// How many promises were broken.
    #[must_use]
    pub fn violations(&self) -> u64 {
        [self.double, self.lost, self.stuck, self.lies]
            .into_iter()
            .chain(self.others.iter().map(|(_, count)| *count))
            .fold(0, u64::saturating_add)
    }

    /// The one line that programs read.
    #[must_use]
    pub fn closing_line(&self, campaign: &str, seed: u64) -> String {
        let Self { runs, posts, double, lost, stuck, lies, .. } = self;
        let mut line = format!(
            "campaign {campaign}: runs={runs} posts={posts} double={double} lost={lost} stuck={stuck} lies={lies}"
        );
        for (name, count) in &self.others {
            line.push_str(&format!(" {name}={count}"));
        }
        for (name, value) in &self.facts {
            line.push_str(&format!(" {name}={value}"));
        }
        line.push_str(&format!(" seed={seed}"));
        line
    }

    /// A line a violation, each with the command that replays it.
    #[must_use]
    pub fn told(&self, campaign: &str, quick: bool) -> Vec<String> {
        let quick = if quick { " --quick" } else { "" };
        let mut lines: Vec<String> = self
            .told
            .iter()
            .map(|Violation { seed, what }| {
                format!(
                    "seed {seed}: {what}\n  cargo xtask campaign {campaign}{quick} --runs 1 --seed {seed}"
                )
            })
            .collect();
        if self.runs == 0 {
            lines.push("nothing was run".to_owned());
        }
        lines
    }

    fn other(&mut self, name: &'static str) -> &mut u64 {
        let at = self.others.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            self.others.push((name, 0));
            self.others.len().saturating_sub(1)
        });
        &mut self.others[at].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_has_its_fixed_part_then_what_is_the_campaigns_own() {
        let mut report = Report::asking(&["accepted"]);
        report.runs = 3;
        report.posts = 2;
        report.fact("states", 7);
        assert_eq!(
            report.closing_line("x", 1),
            "campaign x: runs=3 posts=2 double=0 lost=0 stuck=0 lies=0 accepted=0 states=7 seed=1"
        );
        assert!(report.kept());
        assert!(report.told("x", false).is_empty());
    }

    #[test]
    fn one_violation_of_any_kind_is_enough_and_is_told_with_its_replay() {
        for promise in [Broken::Double, Broken::Lost, Broken::Stuck, Broken::Lie, Broken::Other("accepted")] {
            let mut part = Report::new();
            part.runs = 1;
            part.broken(promise, 42, "it happened");
            let mut report = Report::asking(&["accepted"]);
            report.absorb(part);
            assert!(!report.kept(), "{promise:?}");
            assert_eq!(report.violations(), 1);
            let line = report.closing_line("x", 1);
            assert_eq!(line.matches("=1").count(), 3, "runs, the violation, the seed: {line}");
            let told = report.told("x", true).join("\n");
            assert!(told.contains("it happened"), "{told}");
            assert!(told.contains("cargo xtask campaign x --quick --runs 1 --seed 42"), "{told}");
        }
    }

    #[test]
    fn a_campaign_that_ran_nothing_has_not_passed() {
        assert!(!Report::new().kept());
        assert!(!Report::new().told("x", false).is_empty());
    }

    #[test]
    fn many_violations_are_counted_and_few_are_told() {
        let mut report = Report::new();
        report.runs = 1;
        for seed in 0..100 {
            report.broken(Broken::Lost, seed, "gone");
        }
        assert_eq!(report.violations(), 100);
        assert_eq!(report.told("x", false).len(), TOLD);
    }
}
