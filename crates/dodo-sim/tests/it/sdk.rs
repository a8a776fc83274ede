//! Dodo's official SDK for Node against the simulator: every call that the product uses, and every field that the
//! SDK's own type declarations promise. The work is done by `tests/sdk/check.mjs`.

use crate::harness::{World, config};
use dodo_sim::SimConfig;
use std::path::{Path, PathBuf};
use tokio::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk")
}

/// Runs a program; a missing one is an error that says what to install.
async fn run(program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(arguments).current_dir(folder()).output().await;
    let output = output.unwrap_or_else(|error| {
        panic!("{program} could not be run ({error}); the SDK check needs Node.js 20 or newer with npm")
    });
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// Installs what the lock file names, unless it is there.
async fn install() {
    let modified = |path: &str| std::fs::metadata(folder().join(path)).and_then(|data| data.modified()).ok();
    let (locked, installed) = (modified("package-lock.json"), modified("node_modules/.package-lock.json"));
    if installed.is_none() || installed < locked {
        let (fine, text) = run("npm", &["ci", "--no-audit", "--no-fund"]).await;
        assert!(fine, "npm ci failed:\n{text}");
    }
}

/// The routes that the product uses, as the request log shows them with ids taken out.
const ROUTES: [&str; 26] = [
    "DELETE /customers/*/payment-methods/*",
    "DELETE /subscriptions/*/change-plan/scheduled",
    "GET /addons/*",
    "GET /checkouts/*",
    "GET /customers/*",
    "GET /customers/*/payment-methods",
    "GET /customers/*/wallets",
    "GET /payments",
    "GET /payments/*",
    "GET /payments/*/line-items",
    "GET /products",
    "GET /products/*",
    "GET /refunds",
    "GET /refunds/*",
    "GET /subscriptions",
    "GET /subscriptions/*",
    "GET /webhooks",
    "GET /webhooks/*/secret",
    "PATCH /subscriptions/*",
    "POST /checkouts",
    "POST /checkouts/preview",
    "POST /customers/*/customer-portal/session",
    "POST /refunds",
    "POST /subscriptions/*/change-plan",
    "POST /subscriptions/*/change-plan/preview",
    "POST /subscriptions/*/update-payment-method",
];

#[tokio::test]
async fn the_official_sdk_finds_every_promised_field() {
    install().await;
    let world = World::with(SimConfig { clock_start: None, clock_speed: 1, ..config() }).await;
    let (fine, text) = run("node", &["check.mjs", &world.sim.base_url()]).await;
    assert!(fine, "{text}");
    assert!(text.contains(" 0 broken"), "{text}");

    let words =
        ["checkouts", "customer-portal", "customers", "line-items", "payment-methods", "payments", "preview"];
    let more = ["addons", "change-plan", "products", "refunds", "scheduled", "session", "subscriptions"];
    let last = ["secret", "update-payment-method", "wallets", "webhooks"];
    let known: Vec<&str> = [&words[..], &more[..], &last[..]].concat();
    let called: Vec<String> = world
        .sim
        .control()
        .ledger()
        .requests
        .iter()
        .map(|request| {
            let path = request.path.split('?').next().unwrap();
            let parts: Vec<&str> =
                path[1..].split('/').map(|part| if known.contains(&part) { part } else { "*" }).collect();
            format!("{} /{}", request.method, parts.join("/"))
        })
        .collect();
    for route in ROUTES {
        assert!(called.iter().any(|called| called == route), "the SDK never called {route}");
    }
}
