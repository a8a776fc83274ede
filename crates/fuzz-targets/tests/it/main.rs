//! Every target over its seeds and over seeded mutations of them: what a fuzzer does for minutes, in a second, on every
//! change. And the seeds themselves: between them they reach every part, or the properties would prove nothing.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod mutate;

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
};

use fuzz_targets::{ALL, Reached, Target};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// Mutations of each target's seeds.
const MUTATIONS: u64 = 2_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<_> = std::fs::read_dir(root().join("corpus_seed").join(name))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort_unstable();
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Runs a target, and shows the input that it did not survive.
fn run(name: &str, target: Target, input: &[u8]) -> Reached {
    match catch_unwind(AssertUnwindSafe(|| target(input))) {
        Ok(reached) => reached,
        Err(panic) => {
            eprintln!("{name} did not survive\n{}\n", String::from_utf8_lossy(input));
            resume_unwind(panic)
        }
    }
}

/// Runs a target over its seeds, which reach all of `parts`, and over mutations of them.
fn survives(name: &str, parts: &[&str]) {
    let (_, target) = ALL.into_iter().find(|(known, _)| *known == name).unwrap();
    let seeds = seeds(name);
    let reached: Reached = seeds.iter().flat_map(|seed| run(name, target, seed)).collect();
    let missing: Vec<_> = parts.iter().filter(|part| !reached.contains(*part)).collect();
    assert!(missing.is_empty(), "no seed of {name} reaches {missing:?}, only {reached:?}");
    for seed in 0..MUTATIONS {
        run(name, target, &mutate::any(&seeds, &mut ChaCha8Rng::seed_from_u64(seed)));
    }
}

#[test]
fn webhook() {
    let parts = ["accepted", "refused", "payment", "subscription", "refund", "dispute", "other"];
    survives("webhook", &parts);
}

#[test]
fn token() {
    survives("token", &["token", "key", "return address", "address"]);
}

#[test]
fn upstream_json() {
    let parts = [
        "add-on",
        "checkout preview",
        "checkout session",
        "checkout status",
        "customer",
        "dispute",
        "foreign error",
        "line items",
        "listed payment",
        "listed subscription",
        "payment",
        "payment link",
        "payment method",
        "plan preview",
        "portal session",
        "price of a checkout",
        "price of a plan change",
        "price of a product",
        "product",
        "refund",
        "refusal",
        "subscription",
        "webhook endpoint",
    ];
    survives("upstream_json", &parts);
}

#[test]
fn offer_json() {
    let parts = [
        "altered", "charging", "closed", "compared", "declined", "done", "failed", "led away", "offered",
        "ordered", "reviewed", "waiting",
    ];
    survives("offer_json", &parts);
}

#[test]
fn settle() {
    let parts =
        ["abandoned", "failed", "looked", "pending", "scheduled", "sent", "succeeded", "surplus", "unknown"];
    survives("settle", &parts);
}

/// A target without a binary is never fuzzed, a binary without a target does not compile, and nothing here would notice.
#[test]
fn every_target_has_its_binary_and_its_seeds() {
    let names: BTreeSet<String> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    let in_folder = |folder: &str| -> BTreeSet<String> {
        let files = std::fs::read_dir(root().join(folder)).unwrap();
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(in_folder("fuzz_targets"), names);
    assert_eq!(in_folder("corpus_seed"), names);
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        let binary = std::fs::read_to_string(root().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(binary.contains(&format!("fuzz_targets::{name}(data);")), "{name}");
    }
}
