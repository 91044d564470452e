//! The disk without SQLite: what `std::fs` would be, for paths that a simulated disk has.

use std::io::{self, Read, Write};
use std::path::Path;

use super::locks::Level;
use super::state::{Failure, HandleId};
use super::{Shared, disk_of, lock};

/// An open file, which is read and written from its beginning on.
#[derive(Debug)]
pub struct File {
    disk: Shared,
    id: HandleId,
    position: usize,
}

impl File {
    /// Opens the file to read it.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::at(path, false)
    }

    /// Opens the file, and makes it if it is not there.
    pub fn open_or_create(path: &Path) -> io::Result<Self> {
        Self::at(path, true)
    }

    /// Makes an empty file; one that is there loses what it has.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = Self::at(path, true)?;
        lock(&file.disk).truncate(file.id, 0)?;
        Ok(file)
    }

    /// Its length.
    pub fn length(&self) -> io::Result<u64> {
        Ok(lock(&self.disk).length(self.id)? as u64)
    }

    /// Returns once it is durable.
    pub fn sync(&self) -> io::Result<()> {
        Ok(lock(&self.disk).sync(self.id, false)?)
    }

    /// Makes it this file's alone among all that ask; false if another one has it.
    pub fn try_lock(&self) -> io::Result<bool> {
        match lock(&self.disk).lock(self.id, Level::Exclusive) {
            Err(Failure::Busy) => Ok(false),
            other => Ok(other.map(|()| true)?),
        }
    }

    /// Ends the lock.
    pub fn unlock(&self) -> io::Result<()> {
        Ok(lock(&self.disk).unlock(self.id, Level::None)?)
    }

    fn at(path: &Path, create: bool) -> io::Result<Self> {
        let disk = mounted(path)?;
        let id = lock(&disk).open(path, create)?;
        Ok(Self { disk, id, position: 0 })
    }
}

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = lock(&self.disk).read(self.id, self.position, buffer)?;
        self.position += count;
        Ok(count)
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.disk).write(self.id, self.position, bytes)?;
        self.position += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        lock(&self.disk).close(self.id);
    }
}

/// The file's length, if it is there.
pub fn stat(path: &Path) -> io::Result<Option<u64>> {
    Ok(lock(&*mounted(path)?).stat(path)?.map(|length| length as u64))
}

/// Takes the file's name away.
pub fn remove(path: &Path) -> io::Result<()> {
    Ok(lock(&*mounted(path)?).remove(path)?)
}

/// Gives the file another name; a file that had it loses it.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    Ok(lock(&*mounted(from)?).rename(from, to)?)
}

/// Returns once the names in the folder are durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    Ok(lock(&*mounted(folder)?).sync_folder(folder)?)
}

fn mounted(path: &Path) -> io::Result<Shared> {
    disk_of(path).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
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
