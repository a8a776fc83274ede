//! The rules, pure: no I/O, no clock, no randomness. Everything is handed in, everything that was decided is returned.

pub mod settle;
