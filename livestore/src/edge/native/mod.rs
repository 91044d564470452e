//! The edge on an operating system.

mod ahead;
mod background;
mod clock;
mod mailbox;
mod parallel;
mod random;

pub(crate) use ahead::read_ahead;
pub(crate) use background::Background;
pub(crate) use clock::{Stopwatch, unix_millis};
pub(crate) use mailbox::{Mail, Mailbox, Worker};
pub(crate) use parallel::for_each_chunk;
pub(crate) use random::fill_random;
pub(crate) use std::fs;

/// The names in a directory, as they are spelled; none if it is not there or may not be listed.
pub(crate) fn names_in(directory: &std::path::Path) -> std::io::Result<Vec<String>> {
    use std::io::ErrorKind::{NotFound, PermissionDenied};
    match fs::read_dir(directory) {
        // One that is no text is no store's.
        Ok(entries) => entries
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect(),
        Err(error) if matches!(error.kind(), NotFound | PermissionDenied) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
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
        rest = &mut std::mem::take(&mut rest)[read..];
        at += read as u64;
    }
    Ok(())
}
