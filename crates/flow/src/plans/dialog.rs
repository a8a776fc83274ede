//! The dialog closed and opened again.

use super::state::{Open, Task};

/// The buyer closes the dialog. A charge goes on without it.
pub(super) fn close_dialog(open: &mut Open) {
    match &mut open.task {
        Task::Adjusting(_)
        | Task::Reviewing(_)
        | Task::Previewing { .. }
        | Task::Asking { .. }
        | Task::Staying(_)
        | Task::Cancelling { .. }
        | Task::Altered(_) => open.task = Task::Comparing,
        Task::Charging(charging) => charging.dialog = false,
        Task::Leaving { dialog, .. } | Task::Done { dialog, .. } | Task::Failed { dialog, .. } => {
            *dialog = false;
        }
        Task::Comparing => {}
    }
}

/// The buyer opens it again on a charge that is under way or has ended.
pub(super) fn open_dialog(open: &mut Open) {
    match &mut open.task {
        Task::Charging(charging) => charging.dialog = true,
        Task::Leaving { dialog, .. } | Task::Done { dialog, .. } | Task::Failed { dialog, .. } => {
            *dialog = true;
        }
        Task::Comparing
        | Task::Previewing { .. }
        | Task::Asking { .. }
        | Task::Staying(_)
        | Task::Cancelling { .. }
        | Task::Adjusting(_)
        | Task::Reviewing(_)
        | Task::Altered(_) => {}
    }
}
