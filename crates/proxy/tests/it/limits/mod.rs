//! What the proxy puts up with, and for whom: limits are short here, and what is awaited is what they bring about.

mod floods;
mod sizes;
mod slow;
mod upstream;

use crate::harness::{Answer, Options, TestApp};
use proxy::settings::Limits;

/// A proxy with these limits.
async fn limited(limits: fn(&mut Limits)) -> TestApp {
    TestApp::spawn_with(Options { limits: Some(limits), ..Options::default() }).await
}

/// Checks that it says when to come back, and nothing longer than the minute that Dodo counts, with a second's margin.
#[track_caller]
pub(crate) fn assert_says_when(answer: &Answer) {
    let seconds = answer.body["retry_after"].as_u64().unwrap_or_default();
    assert!((1..=61).contains(&seconds), "{}", answer.body);
    assert_eq!(answer.headers["retry-after"], seconds.to_string());
}
