//! How many tests ran, read from what the test programs print, and the closing summary.

/// Tests of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Passed.
    pub(super) passed: u32,
    /// Failed.
    pub(super) failed: u32,
}

impl Counts {
    /// A group that ran nothing has not passed: something kept its tests from running.
    pub(super) fn or_failed_if_none(self) -> Self {
        if self == Self::default() { Self { passed: 0, failed: 1 } } else { self }
    }

    /// Both together.
    pub(super) fn plus(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

/// The sum of all lines `test result: ok. 12 passed; 0 failed; …`, which Rust's test programs print, in a browser too.
pub(super) fn libtest(printed: &str) -> Counts {
    printed
        .lines()
        .filter_map(|line| line.trim().strip_prefix("test result:"))
        .map(|line| Counts { passed: before(line, " passed"), failed: before(line, " failed") })
        .fold(Counts::default(), Counts::plus)
}

/// The last line `e2e: 12 passed, 0 failed`.
pub(super) fn end_to_end(printed: &str) -> Counts {
    last_line(printed, "e2e:")
}

/// The last line `campaigns: 12 passed, 0 failed`.
pub(super) fn campaigns(printed: &str) -> Counts {
    last_line(printed, "campaigns:")
}

fn last_line(printed: &str, begin: &str) -> Counts {
    printed
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix(begin))
        .map(|line| Counts { passed: before(line, " passed"), failed: before(line, " failed") })
        .unwrap_or_default()
}

/// The number that stands before a word; 0 when there is none, which then shows as a group without tests.
fn before(line: &str, word: &str) -> u32 {
    line.split(word)
        .next()
        .filter(|_| line.contains(word))
        .and_then(|text| text.rsplit(|c: char| !c.is_ascii_digit()).next())
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// A line a group, and the sum as the last line, plain, for programs.
pub(super) fn summary(groups: &[(&str, Counts)]) -> String {
    let mut text = format!("{:<12}{:>8}{:>8}\n", "tests", "passed", "failed");
    for (name, counts) in groups {
        text.push_str(&format!("{name:<12}{:>8}{:>8}\n", counts.passed, counts.failed));
    }
    let sum = groups.iter().map(|(_, counts)| *counts).fold(Counts::default(), Counts::plus);
    text.push_str(&format!("\n{} passed, {} failed\n", sum.passed, sum.failed));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_test_programs_are_added() {
        let printed = "running 3 tests\n...\n\
            test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\n\
            test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s\n";
        assert_eq!(libtest(printed), Counts { passed: 13, failed: 2 });
        assert_eq!(
            libtest("\ttest result: ok. 7 passed; 0 failed; 0 ignored\n"),
            Counts { passed: 7, failed: 0 }
        );
        assert_eq!(libtest("error[E0308]: mismatched types\n"), Counts::default());
    }

    #[test]
    fn end_to_end_tests_say_it_last() {
        assert_eq!(
            end_to_end("e2e: 1 passed, 1 failed\nx\ne2e: 12 passed, 0 failed\n"),
            Counts { passed: 12, failed: 0 }
        );
        assert_eq!(end_to_end("nothing"), Counts::default());
    }

    #[test]
    fn campaigns_say_it_last() {
        let printed = "campaign model: runs=1 posts=0 double=0 lost=0\ncampaigns: 2 passed, 1 failed\n";
        assert_eq!(campaigns(printed), Counts { passed: 2, failed: 1 });
        assert_eq!(campaigns("campaign model: runs=1 posts=0\n"), Counts::default());
    }

    #[test]
    fn a_group_that_ran_nothing_has_failed() {
        assert_eq!(Counts::default().or_failed_if_none().failed, 1);
        let some = Counts { passed: 1, failed: 0 };
        assert_eq!(some.or_failed_if_none(), some);
    }

    #[test]
    fn the_summary_ends_with_the_plain_sum() {
        let text = summary(&[
            ("host", Counts { passed: 12, failed: 0 }),
            ("browser", Counts { passed: 3, failed: 1 }),
        ]);
        assert_eq!(text.lines().last(), Some("15 passed, 1 failed"));
        assert!(text.contains("host"));
    }
}
