//! Browser storage that never throws: blocked, full or missing storage holds nothing.

use web_sys::Storage;

/// Which storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Lasts.
    Local,
    /// Ends with the tab.
    Session,
}

/// The text stored under this name.
#[must_use]
pub fn get(area: Area, name: &str) -> Option<String> {
    storage(area)?.get_item(name).ok()?
}

/// Stores a text under this name, if it can.
pub fn set(area: Area, name: &str, text: &str) {
    if let Some(storage) = storage(area) {
        // Full or read-only: callers keep a copy of what must not be lost.
        _ = storage.set_item(name, text);
    }
}

/// Removes what is stored under this name, if it can.
pub fn remove(area: Area, name: &str) {
    if let Some(storage) = storage(area) {
        _ = storage.remove_item(name);
    }
}

/// The very getter throws where a page is not allowed any storage.
fn storage(area: Area) -> Option<Storage> {
    let window = web_sys::window()?;
    match area {
        Area::Local => window.local_storage(),
        Area::Session => window.session_storage(),
    }
    .ok()?
}
