//! The time for which something has been really visible.

/// The time for which what is on the screen has been really visible (at least half of it, without a break).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dwell {
    /// Half a second: long enough to know what one clicks on.
    Armed,
    /// One second: counts as seen.
    Seen,
}
