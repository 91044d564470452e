//! The edge in a simulator: one thread, with its own time, randomness and files.
//!
//! Everything here belongs to the thread it is called on, so that several worlds may run side by
//! side. Nothing happens by itself: a job that is due waits until the world runs it.

mod clock;
pub mod fs;
mod mailbox;
mod random;
mod schedule;

pub(crate) use clock::{Stopwatch, pause, unix_millis};
pub use clock::{elapsed, pass, set_wall_clock};
pub use fs::{Disk, Handle, OpenMode, install_disk};
pub(crate) use mailbox::{Mail, Mailbox, Worker};
pub use random::{fill_random, seed};
pub use schedule::{Background, Due, JobId, due, next_deadline, own, run};

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

/// Fills the buffer with the bytes of the file from `at` on.
pub(crate) fn read_at(file: &fs::File, at: u64, buffer: &mut [u8]) -> std::io::Result<()> {
    file.read_at(at, buffer)
}

/// What stays the same for as long as a path leads to the same file: here, that it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity;

impl FileIdentity {
    pub(crate) fn at(path: &std::path::Path) -> std::io::Result<Self> {
        if fs::exists(path)? { Ok(Self) } else { Err(std::io::ErrorKind::NotFound.into()) }
    }

    #[expect(clippy::unnecessary_wraps, reason = "other edges can fail")]
    pub(crate) fn of(_: &fs::File) -> std::io::Result<Self> {
        Ok(Self)
    }
}

/// Paths of the simulated disk begin at its root.
#[expect(clippy::unnecessary_wraps, reason = "other edges can fail")]
pub(crate) fn absolute(path: &std::path::Path) -> std::io::Result<std::path::PathBuf> {
    Ok(path.to_owned())
}

/// The simulated disk has no links.
pub(crate) fn resolve(path: &std::path::Path) -> std::path::PathBuf {
    path.to_owned()
}

/// Nobody looks for directories that are left behind.
#[expect(clippy::unnecessary_wraps, reason = "other edges can fail")]
pub(crate) fn remove_directory(_: &std::path::Path) -> std::io::Result<()> {
    Ok(())
}

/// The simulated disk has no limit.
pub(crate) fn note_open_files_limit() {}

/// The simulated disk has no limit.
pub(crate) fn open_files_limit() -> Option<u64> {
    None
}

/// The simulated disk has no limit.
pub(crate) fn is_out_of_files(_: &std::io::Error) -> bool {
    false
}

/// No names: the simulated disk cannot list a directory, and has none of an earlier version.
#[expect(clippy::unnecessary_wraps, reason = "other edges can fail")]
pub(crate) fn names_in(_directory: &std::path::Path) -> std::io::Result<Vec<String>> {
    Ok(Vec::new())
}
