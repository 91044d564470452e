//! The edge on an operating system.

mod ahead;
mod aside;
mod background;
mod clock;
mod condition;
mod disk;
mod mailbox;
mod parallel;
mod random;
mod socket;

pub(crate) use ahead::read_ahead;
pub(crate) use aside::{run_aside, spawn};
pub(crate) use background::Background;
pub(crate) use clock::{Stopwatch, pause, unix_millis};
pub(crate) use condition::{Condition, Task, current_task};
pub(crate) use disk::{
    FileIdentity, FileStamp, absolute, is_out_of_files, names_in, note_open_files_limit,
    open_files_limit, remove_directory, resolve,
};
pub(crate) use mailbox::{Mail, Mailbox, Worker};
pub(crate) use parallel::for_each_chunk;
pub(crate) use random::fill_random;
pub(crate) use socket::{Line, LineEvent, Listener, OnLine, dial, listen};
pub(crate) use std::fs;

/// Calls `work`, and catches its panic.
pub(crate) fn catch_panic<R>(work: impl FnOnce() -> R) -> std::thread::Result<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
}

/// Fills the buffer with the bytes of the file from `at` on.
#[cfg(unix)]
pub(crate) fn read_at(file: &fs::File, at: u64, buffer: &mut [u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

/// Fills the buffer with the bytes of the file from `at` on.
#[cfg(windows)]
pub(crate) fn read_at(file: &fs::File, mut at: u64, buffer: &mut [u8]) -> std::io::Result<()> {
    let mut rest = buffer;
    while !rest.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, rest, at)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        rest = std::mem::take(&mut rest).get_mut(read..).unwrap_or_default();
        at += read as u64;
    }
    Ok(())
}
