//! A C++ compiler: libFuzzer is compiled from its sources.

use anyhow::Result;

use super::{on_path, packages};

/// `c++`, whichever it is.
///
/// # Errors
/// When there is none and it cannot be installed from here.
pub(crate) fn ensure_cpp() -> Result<()> {
    packages::ensure(&["g++"], "fuzzing needs a C++ compiler", || on_path("c++"))
}
