//! The edge in a browser: time and randomness from JavaScript, and no threads.
//!
//! What has a thread elsewhere takes its turns on the event loop, where nothing may wait; the public
//! functions that would wait do not exist on this target. There are no files either.

mod clock;
mod disk;
mod event_loop;
mod mailbox;
mod panics;
mod threads;

pub(crate) use clock::{Stopwatch, pause, unix_millis};
pub(crate) use disk::{
    FileIdentity, absolute, is_out_of_files, names_in, note_open_files_limit, open_files_limit,
    remove_directory, resolve,
};
pub(crate) use mailbox::{Mailbox, Worker};
pub(crate) use panics::catch_panic;
pub(crate) use std::fs;
pub(crate) use threads::{Background, read_ahead};

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

/// Refuses: no store on this target has files.
pub(crate) fn read_at(_: &fs::File, _: u64, _: &mut [u8]) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
