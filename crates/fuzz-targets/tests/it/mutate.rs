//! Small changes of a seed, as a fuzzer makes them: bytes, pieces, and numbers at the ends of their ranges.

use rand::{Rng, RngExt, seq::IndexedRandom};

/// What stands where it should not.
const ODD: [&str; 16] = [
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "4294967296",
    "-1",
    "0",
    "1e400",
    "0.1",
    "null",
    "\"\"",
    "[]",
    "{}",
    "\u{0}",
    "\u{7f}é",
    "\n\n",
    " ",
];

/// One of the seeds with one to four things about it changed.
pub(crate) fn any(seeds: &[Vec<u8>], rng: &mut impl Rng) -> Vec<u8> {
    let mut input = seeds.choose(rng).unwrap().clone();
    for _ in 0..rng.random_range(1..=4) {
        change(&mut input, seeds, rng);
    }
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut impl Rng) {
    let (from, to) = piece(input, rng);
    match rng.random_range(0..9) {
        0 if from < input.len() => input[from] ^= 1 << rng.random_range(0..8),
        1 if from < input.len() => input[from] = rng.random(),
        2 => drop(input.drain(from..to)),
        3 => input.truncate(from),
        4 => {
            let copy = input[from..to].to_vec();
            input.splice(to..to, copy);
        }
        5 => {
            let other = seeds.choose(rng).unwrap();
            let (start, end) = piece(other, rng);
            input.splice(from..from, other[start..end].iter().copied());
        }
        6 => drop(input.splice(from..from, ODD.choose(rng).unwrap().bytes())),
        // A number, or what looks like one, becomes another.
        _ => {
            let Some(start) = input[from..].iter().position(u8::is_ascii_digit) else { return };
            let start = from + start;
            let length = input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            input.splice(start..start + length, ODD.choose(rng).unwrap().bytes());
        }
    }
}

/// The bounds of a short piece.
fn piece(input: &[u8], rng: &mut impl Rng) -> (usize, usize) {
    let from = rng.random_range(0..=input.len());
    (from, input.len().min(from + rng.random_range(0..24)))
}
