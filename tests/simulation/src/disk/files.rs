//! The disk without SQLite: what the crates have in `std::fs`'s place.

use std::fs::TryLockError;
use std::io;
use std::path::Path;

use livestore::simulation::{self, Handle, OpenMode};

use super::locks::Level;
use super::state::Failure;
use super::{Shared, lock};

/// A disk as `livestore::simulation::fs` has it.
pub(super) struct Files(pub(super) Shared);

impl simulation::Disk for Files {
    /// A folder is there as soon as a file in it is.
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        Ok(lock(&self.0).make_folder(path)?)
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Handle> {
        let mut disk = lock(&self.0);
        let file = disk.open(path, mode != OpenMode::Read)?;
        if mode == OpenMode::Create {
            disk.truncate(file, 0).inspect_err(|_| disk.close(file))?;
        }
        Ok(file)
    }

    fn close(&self, file: Handle) {
        lock(&self.0).close(file);
    }

    fn length(&self, file: Handle) -> io::Result<u64> {
        Ok(lock(&self.0).length(file)? as u64)
    }

    fn read(&self, file: Handle, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(lock(&self.0).read(file, place(at)?, buffer)?)
    }

    fn write(&self, file: Handle, at: u64, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).write(file, place(at)?, bytes)?;
        Ok(bytes.len())
    }

    fn sync(&self, file: Handle) -> io::Result<()> {
        Ok(lock(&self.0).sync(file, false)?)
    }

    fn try_lock(&self, file: Handle) -> Result<(), TryLockError> {
        lock(&self.0).lock(file, Level::Exclusive).map_err(|failure| match failure {
            Failure::Busy => TryLockError::WouldBlock,
            failure => TryLockError::Error(failure.into()),
        })
    }

    fn unlock(&self, file: Handle) {
        // The lock of a dead process is gone already.
        let _ = lock(&self.0).unlock(file, Level::None);
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(lock(&self.0).rename(from, to)?)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        Ok(lock(&self.0).remove(path)?)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(lock(&self.0).stat(path)?.is_some())
    }
}

fn place(at: u64) -> io::Result<usize> {
    usize::try_from(at).map_err(io::Error::other)
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Dead => Self::other("the process has crashed"),
            Failure::Io => Self::other("the disk failed"),
            Failure::Full => io::ErrorKind::StorageFull.into(),
            Failure::NotFound => io::ErrorKind::NotFound.into(),
            Failure::Busy => io::ErrorKind::WouldBlock.into(),
        }
    }
}
