//! Dodo's two worlds.

use std::fmt;

/// Dodo keeps two separate worlds; keys, customers and payments of one mean nothing in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// No money moves.
    Test,
    /// Real money.
    Live,
}

impl Mode {
    /// Where Dodo serves this mode.
    #[must_use]
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::Test => "https://test.dodopayments.com",
            Self::Live => "https://live.dodopayments.com",
        }
    }
}

impl Mode {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }

    /// Returns the mode with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Test, Self::Live].into_iter().find(|mode| mode.as_str() == word)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
