//! The edge in a browser: time and randomness from JavaScript, and no threads.
//!
//! What has a thread elsewhere takes its turns on the event loop, where nothing may wait; the public
//! functions that would wait do not exist on this target. Files are those of a [`Disk`] that
//! `livestore-web` installs.

mod aside;
mod channel;
mod clock;
mod event_loop;
mod line;
mod locks;
mod mailbox;
mod panics;
mod threads;

pub(crate) use aside::{run_aside, spawn};
pub(crate) use clock::{Stopwatch, pause, unix_millis};
pub(crate) use line::{Line, LineEvent, Listener, OnLine, dial, listen};
pub use locks::{IfHeld, WebLock, request_lock};
pub(crate) use mailbox::{Mailbox, Worker};
pub(crate) use panics::catch_panic;
pub(crate) use threads::{Background, read_ahead};

pub use super::virtual_fs::{self as fs, Disk, Handle, OpenMode, install_disk};
pub(crate) use super::virtual_fs::{
    FileIdentity, absolute, is_out_of_files, names_in, note_open_files_limit, open_files_limit,
    read_at, remove_directory, resolve,
};

/// Fills the bytes with random ones.
///
/// # Panics
/// If the browser has no source of randomness: there is no safe id without one.
#[expect(clippy::expect_used, reason = "no safe identifier exists without randomness")]
pub(crate) fn fill_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the browser has no source of randomness");
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
