//! What a driver has started and not finished. Ends with the driver.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};

use futures_util::future::{AbortHandle, abortable};
use wasm_bindgen_futures::spawn_local;

/// Running tasks. Dropping it ends them at their next wake-up, which is at once.
///
/// Not the framework's own scoped tasks: those keep their owner alive until they are done, so that a request that hangs
/// would keep an unmounted widget from being cleaned up.
#[derive(Default)]
pub(super) struct Tasks(RefCell<Vec<(Weak<()>, AbortHandle)>>);

impl Tasks {
    pub(super) fn spawn(&self, task: Pin<Box<dyn Future<Output = ()>>>) {
        let running = Rc::new(());
        let mut tasks = self.0.borrow_mut();
        tasks.retain(|(running, _)| running.strong_count() > 0);
        let (alive, (task, handle)) = (Rc::downgrade(&running), abortable(task));
        tasks.push((alive, handle));
        spawn_local(async move {
            // Ended or done: either way it is over, and nobody asks which.
            _ = task.await;
            drop(running);
        });
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for (_, handle) in self.0.take() {
            handle.abort();
        }
    }
}
