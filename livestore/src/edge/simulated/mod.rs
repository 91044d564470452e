//! The edge in a simulator: one thread, with its own time, randomness and files.
//!
//! Everything here belongs to the thread it is called on, so that several worlds may run side by
//! side. Nothing happens by itself: a job that is due waits until the world runs it.

mod aside;
mod clock;
mod condition;
mod line;
mod mailbox;
mod random;
mod schedule;

pub use super::virtual_fs::{self as fs, Disk, Handle, OpenMode, install_disk};
pub(crate) use super::virtual_fs::{
    FileIdentity, absolute, is_out_of_files, names_in, note_open_files_limit, open_files_limit,
    read_at, remove_directory, resolve,
};
pub(crate) use aside::{run_aside, spawn};
pub(crate) use clock::{Stopwatch, pause, unix_millis};
pub use clock::{elapsed, pass, set_wall_clock};
pub(crate) use condition::Condition;
pub(crate) use line::{Line, LineEvent, Listener, OnLine, dial, listen};
pub use line::{cut_lines, listener_of, set_line_delay};
pub(crate) use mailbox::{Mail, Mailbox, Worker};
pub use random::{fill_random, seed};
pub use schedule::{
    Background, Due, JobId, due, end, hang, has_ended, next_deadline, own, owner, run,
};
pub(crate) use schedule::{JobId as Task, current_task};

/// Calls `work`, and catches its panic.
pub(crate) fn catch_panic<R>(work: impl FnOnce() -> R) -> std::thread::Result<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
}

/// Calls `work` with what `read` returns, until `read` returns `None` or `work` fails.
pub(crate) fn read_ahead<T: Send, E>(
    read: impl FnMut() -> Option<T> + Send,
    mut work: impl FnMut(&mut T) -> Result<(), E>,
) -> Result<(), E> {
    std::iter::from_fn(read).try_for_each(|mut piece| work(&mut piece))
}

/// Calls `work` with each piece of the buffer, and its position among them, and `done` with the result.
pub(crate) fn for_each_chunk<R: Send>(
    buffer: &mut [u8],
    size: usize,
    work: impl Fn(usize, &mut [u8]) -> R + Sync,
    mut done: impl FnMut(usize, R),
) {
    buffer.chunks_mut(size).enumerate().for_each(|(n, chunk)| done(n, work(n, chunk)));
}
