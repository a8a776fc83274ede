//! The browser tests: the widget in a real page, against a scripted backend. Run by `wasm-pack test`. One binary, since
//! every binary starts a browser of its own.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod basic_backend;
mod charges;
mod dialog;
mod languages;
mod lifecycle;
mod page_events;
mod refusals;
mod requests;
mod support;
mod translators;
mod ui;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
