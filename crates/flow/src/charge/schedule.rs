//! When to ask again, and when to stop.

/// A charging request is sent at most so many times, always with the same key.
pub(crate) const MAX_SENDS: u8 = 3;

/// Pause before each repetition of the charging request, in milliseconds.
const RESEND_AFTER: [u32; 2] = [600, 2_000];

/// A press that takes longer than this gets a calm picture instead of a busy button, in milliseconds.
pub(crate) const SLOW_AFTER: u32 = 6_000;

/// Pauses before each question about an unfinished charge, in milliseconds. Two and a half minutes in all; then the
/// page says that the buyer may leave. The proxy goes on looking by itself.
const ASK_AFTER: [u32; 12] =
    [1_000, 1_500, 2_000, 3_000, 5_000, 8_000, 10_000, 15_000, 20_000, 25_000, 30_000, 30_000];

/// So many times in a row must the backend know of no charge before the page believes that the request never
/// arrived: one answer may have overtaken it.
pub(crate) const UNTOUCHED_ENOUGH: u8 = 3;

/// Pause before the repetition that follows `sends` sent requests.
pub(crate) fn resend_after(sends: u8) -> Option<u32> {
    if sends >= MAX_SENDS {
        return None;
    }
    usize::from(sends).checked_sub(1).and_then(|i| RESEND_AFTER.get(i)).copied()
}

/// Pause before the question that follows `asked` questions; `None` ends the watch.
pub(crate) fn ask_after(asked: u8) -> Option<u32> {
    ASK_AFTER.get(usize::from(asked)).copied()
}
