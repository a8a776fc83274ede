//! How components say what the buyer did. Acts are commands, not state, so they do not live in a signal.

use std::rc::Rc;

use leptos::ev::MouseEvent;
use leptos::prelude::{LocalStorage, StoredValue, WithValue};

/// Sends acts to the flow. Cheap to copy into every handler; once the widget is unmounted it does nothing.
pub struct Dispatch<A: 'static> {
    send: StoredValue<Rc<dyn Fn(A)>, LocalStorage>,
    trust_all: bool,
}

impl<A> Clone for Dispatch<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Dispatch<A> {}

impl<A: 'static> Dispatch<A> {
    /// Wraps the driver's entry. `trust_all` also takes clicks that a script made: for tests only.
    pub fn new(send: impl Fn(A) + 'static, trust_all: bool) -> Self {
        Self { send: StoredValue::new_local(Rc::new(send)), trust_all }
    }

    /// Says that the buyer did this. For inputs that are no clicks, such as the closing of a dialog.
    pub fn send(&self, act: A) {
        // Taken out first: what runs next may unmount the widget, and with it this value.
        if let Some(send) = self.send.try_with_value(Rc::clone) {
            send(act);
        }
    }

    /// Says that the buyer did this by clicking, unless a script made up the click.
    pub fn click(&self, event: &MouseEvent, act: A) {
        if self.trust_all || event.is_trusted() {
            self.send(act);
        }
    }
}
