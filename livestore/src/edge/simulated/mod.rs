//! What a simulator gives: one thread, its own time, its own luck, its own files.
//!
//! Everything here belongs to the thread it is called on, so that several worlds may run side by
//! side. Nothing happens by itself: a job that is due waits until the world runs it.

mod clock;
pub mod fs;
mod mailbox;
mod mutants;
mod random;
mod schedule;

pub(crate) use clock::Stopwatch;
pub use clock::{elapsed, now, pass, set_wall_clock};
pub use fs::{Disk, Handle, OpenMode, install_disk};
pub(crate) use mailbox::{Mail, Mailbox, Worker};
pub use mutants::{is_mutated, mutate};
pub use random::{fill, seed};
pub use schedule::{Background, Due, JobId, due, next_deadline, own, run};

/// Calls `work` with what `read` gives, until `read` gives `None` or `work` fails.
pub(crate) fn read_ahead<T: Send, E>(
    read: impl FnMut() -> Option<T> + Send,
    work: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    std::iter::from_fn(read).try_for_each(work)
}

/// Calls `fill` with one piece of `buffer` after another, and `work` with each that is filled.
pub(crate) fn work_behind<E>(
    buffer: &mut [u8],
    piece: usize,
    mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
    mut work: impl FnMut(&[u8]) + Send,
) -> Result<(), E> {
    buffer.chunks_mut(piece).try_for_each(|piece| {
        fill(piece)?;
        work(piece);
        Ok(())
    })
}
