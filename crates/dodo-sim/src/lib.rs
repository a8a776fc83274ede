//! dodo-sim
