//! The secret by which the proxy knows this browser again: a session token is good in the first that uses it.
//!
//! The loader keeps the same under the same name, so its form is a contract: `localStorage["upsell-widget:browser"]` is the secret, a
//! space, and when it was last used, in milliseconds since 1970. It is forgotten 25 hours after its last use: by then nothing that
//! is bound to it is alive. Where nothing can be stored the secret lasts as long as the page, and says so.

use wire::{PAGE_PREFIX, is_browser_secret};

use super::ids::hex;
use super::page;
use super::storage::{self, Area};

const ITEM: &str = "upsell-widget:browser";
const LASTS_SECONDS: i64 = 25 * 3600;

/// Returns the secret of this browser on this page's origin; `None` where the browser has no source of randomness. Without storage
/// each call makes another one.
#[must_use]
pub fn of_browser() -> Option<String> {
    let now = page::now();
    let stored = storage::get(Area::Local, ITEM);
    let secret = match stored.as_deref().and_then(|text| alive(text, now)) {
        Some(secret) => secret.to_owned(),
        None => random()?,
    };
    storage::set(Area::Local, ITEM, &[&secret, " ", &now.to_string(), "000"].concat());
    // What is there now: another tab may have been first, and some browsers store nothing and say nothing.
    let kept = storage::get(Area::Local, ITEM);
    match kept.as_deref().and_then(|text| alive(text, now)) {
        Some(kept) => Some(kept.to_owned()),
        None => Some([PAGE_PREFIX, &secret].concat()),
    }
}

/// Returns the secret in a stored text, unless it was last used too long ago.
fn alive(text: &str, now: i64) -> Option<&str> {
    let (secret, used) = text.split_once(' ')?;
    let used = used.parse::<i64>().ok()?.div_euclid(1000);
    (is_browser_secret(secret) && now.saturating_sub(used) < LASTS_SECONDS).then_some(secret)
}

fn random() -> Option<String> {
    let mut bytes = [0_u8; 32];
    web_sys::window()?.crypto().ok()?.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_forgotten_a_day_after_its_last_use() {
        let secret = "0123456789abcdef0123456789abcdef";
        let stored = format!("{secret} 1000000");
        assert_eq!(alive(&stored, 1000), Some(secret));
        assert_eq!(alive(&stored, 1000 + LASTS_SECONDS - 1), Some(secret));
        assert_eq!(alive(&stored, 1000 + LASTS_SECONDS), None);
        for other in ["", secret, "short 1000000", "with<markup> 1000000", &format!("{secret} now")] {
            assert_eq!(alive(other, 1000), None, "{other}");
        }
    }
}
