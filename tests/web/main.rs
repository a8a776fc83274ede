//! The browser tests: the widget in a real page, against a scripted backend. Run by `wasm-pack test`.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing)]

pub mod ui;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
