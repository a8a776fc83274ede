//! The dependency rule: `money ← wire ← flow ← widget`, `wire ← core ← proxy`, `core → dodo-client`, and `dodo-sim` stands
//! alone. What decides cannot do I/O: nothing below `upsell-core` can.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata};

/// One `[dependencies]` entry of one of our packages. Dev-dependencies are free: tests may know more.
pub(super) struct Edge {
    from: String,
    to: String,
    optional: bool,
}

/// Ours, in the widget's and the proxy's halves, and the tools that build and try them.
const OURS: [&str; 14] = [
    "money",
    "wire",
    "flow",
    "upsell-widget",
    "dodo-client",
    "upsell-core",
    "upsell-proxy",
    "dodo-sim",
    "demo-shop",
    "campaign",
    "fuzz-targets",
    "test-postgres",
    "testkit",
    "xtask",
];

/// Which of ours a package may depend on.
fn allowed(package: &str) -> &'static [&'static str] {
    match package {
        "wire" | "dodo-client" => &["money"],
        "flow" => &["wire"],
        "upsell-widget" => &["wire", "flow"],
        "upsell-core" => &["money", "wire", "dodo-client"],
        "upsell-proxy" => &["money", "wire", "dodo-client", "upsell-core"],
        // It starts the proxy over the simulator. Nothing that ships depends on it.
        "testkit" => {
            &["money", "wire", "dodo-client", "upsell-core", "upsell-proxy", "dodo-sim", "test-postgres"]
        }
        // It runs the proxy against the simulator, and nothing depends on it.
        "campaign" => &[
            "money",
            "wire",
            "dodo-client",
            "upsell-core",
            "upsell-proxy",
            "dodo-sim",
            "test-postgres",
            "testkit",
        ],
        // It hands any bytes to both halves, and nothing depends on it but the binaries in `fuzz/`.
        "fuzz-targets" => &["money", "wire", "flow", "dodo-client", "upsell-core", "upsell-proxy"],
        "xtask" => &["wire"],
        _ => &[],
    }
}

/// Crates that wait, listen or keep something. A rule that needs one of them is not a rule.
const IMPURE: [&str; 5] = ["axum", "hyper", "reqwest", "sqlx", "tokio"];

/// What the packages in `tree` (the output of `cargo tree --prefix none` for the crate that decides) can do that it must
/// not, a line each.
pub(super) fn impure(tree: &str) -> Vec<String> {
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let found = names.iter().filter(|name| IMPURE.iter().any(|impure| is_part_of(name, impure)));
    found.map(|name| format!("upsell-core → {name}: what decides must not be able to do I/O")).collect()
}

/// `sqlx-core` is part of `sqlx`.
fn is_part_of(name: &str, whole: &str) -> bool {
    name.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The edges of the workspace.
pub(super) fn edges(metadata: &Metadata) -> Vec<Edge> {
    let mut edges = Vec::new();
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            if dependency.kind != DependencyKind::Development {
                edges.push(Edge {
                    from: package.name.to_string(),
                    to: dependency.name.clone(),
                    optional: dependency.optional,
                });
            }
        }
    }
    edges
}

/// What breaks the rule, a line each.
pub(super) fn check(edges: &[Edge]) -> Vec<String> {
    edges
        .iter()
        .filter_map(|edge| why_not(edge).map(|why| format!("{} → {}: {why}", edge.from, edge.to)))
        .collect()
}

fn why_not(edge: &Edge) -> Option<&'static str> {
    let (from, to) = (edge.from.as_str(), edge.to.as_str());
    if !OURS.contains(&from) {
        return Some(
            "a package that the dependency rule does not know; add it to xtask/src/tidy/dependencies.rs",
        );
    }
    if OURS.contains(&to) {
        return (!allowed(from).contains(&to))
            .then_some("the dependency rule forbids it (docs/ARCHITECTURE.md)");
    }
    match from {
        "wire" | "money" if to == "serde" || (to == "utoipa" && edge.optional) => None,
        "wire" | "money" => Some("types only: serde, and utoipa as an option"),
        "flow" => Some("flow decides and nothing else: it depends on wire only"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(from: &str, to: &str) -> Option<&'static str> {
        why_not(&Edge { from: from.to_owned(), to: to.to_owned(), optional: false })
    }

    #[test]
    fn the_rule_as_drawn_holds() {
        for (from, to) in [
            ("wire", "money"),
            ("dodo-client", "money"),
            ("money", "serde"),
            ("upsell-core", "dodo-client"),
            ("upsell-proxy", "upsell-core"),
            ("flow", "wire"),
            ("upsell-widget", "flow"),
            ("upsell-widget", "wire"),
            ("upsell-widget", "leptos"),
            ("upsell-proxy", "wire"),
            ("upsell-proxy", "dodo-client"),
            ("upsell-proxy", "axum"),
            ("dodo-sim", "axum"),
            ("campaign", "upsell-proxy"),
            ("campaign", "dodo-sim"),
            ("campaign", "testkit"),
            ("testkit", "upsell-proxy"),
            ("testkit", "test-postgres"),
            ("fuzz-targets", "flow"),
            ("fuzz-targets", "upsell-proxy"),
            ("wire", "serde"),
        ] {
            assert_eq!(verdict(from, to), None, "{from} → {to}");
        }
    }

    #[test]
    fn what_the_rule_forbids_is_found() {
        for (from, to) in [
            ("wire", "flow"),
            ("wire", "leptos"),
            ("wire", "utoipa"),
            ("flow", "web-sys"),
            ("flow", "serde_json"),
            ("upsell-widget", "upsell-proxy"),
            ("upsell-widget", "dodo-client"),
            ("upsell-proxy", "flow"),
            ("upsell-proxy", "dodo-sim"),
            ("dodo-sim", "wire"),
            ("dodo-sim", "dodo-client"),
            ("dodo-client", "wire"),
            ("dodo-client", "upsell-core"),
            ("money", "wire"),
            ("money", "thiserror"),
            ("dodo-sim", "money"),
            ("upsell-core", "upsell-proxy"),
            ("upsell-core", "flow"),
            ("upsell-widget", "upsell-core"),
            ("demo-shop", "wire"),
            ("campaign", "flow"),
            ("testkit", "flow"),
            ("testkit", "campaign"),
            ("upsell-proxy", "testkit"),
            ("fuzz-targets", "testkit"),
            ("upsell-proxy", "campaign"),
            ("upsell-proxy", "fuzz-targets"),
            ("newcomer", "serde"),
        ] {
            assert!(verdict(from, to).is_some(), "{from} → {to}");
        }
        assert!(
            why_not(&Edge { from: "wire".to_owned(), to: "utoipa".to_owned(), optional: true }).is_none(),
            "as an option it is allowed"
        );
    }

    #[test]
    fn what_waits_below_the_core_is_found() {
        let pure = "upsell-core v0.1.0 (/x/crates/core)\nserde v1.0.0\ntokio_stream_like v1.0.0\n";
        assert_eq!(impure(pure), Vec::<String>::new());
        for name in ["tokio", "sqlx-core", "hyper-util", "reqwest", "axum"] {
            assert_eq!(impure(&format!("{pure}{name} v1.0.0\n{name} v1.0.0 (*)\n")).len(), 1, "{name}");
        }
    }

    #[test]
    fn the_workspace_is_read() {
        let edges = edges(&crate::repo::metadata().unwrap());
        assert!(edges.iter().any(|e| e.from == "upsell-widget" && e.to == "wire"));
        assert_eq!(check(&edges), Vec::<String>::new());
    }
}
