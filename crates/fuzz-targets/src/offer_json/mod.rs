//! Stories of the widget: what the backend answers, what the buyer presses, which timers run out; a line each.
//!
//! ```text
//! offer {"eligible":true,…}          the loader has this answer; without one the widget asks itself
//! look                               the offer has been on the screen for a second
//! accept                             a press (`decline`, `another-way`, `refresh`, `check`, `continue`, `dismiss`)
//! error 409 {"code":"quote_changed"} the answer to what was asked last (`ok {…}`, `network`, `timeout`)
//! timer                              the timer that was set last runs out (`first-timer`: the oldest)
//! ```
//!
//! A story that begins with `plans` is one of the plan-change flow. Answers are read as the widget reads them, and every
//! picture that comes of them is held against what the backend said.

mod offer;
mod plans;
mod witness;

use crate::Reached;

/// Longer stories repeat themselves.
const MOST_LINES: usize = 40;

/// Plays a story.
pub fn offer_json(data: &[u8]) -> Reached {
    // As a browser reads a body.
    let text = String::from_utf8_lossy(data);
    let lines = text.lines().take(MOST_LINES).map(|line| line.split_once(' ').unwrap_or((line, "")));
    if text.starts_with("plans") { plans::play(lines) } else { offer::play(lines) }
}
