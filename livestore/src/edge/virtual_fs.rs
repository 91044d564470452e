//! The part of [`std::fs`] that is used, over a [`Disk`] that is installed on this thread: a simulated
//! one, or what a browser gives a page or a worker.
#![expect(missing_docs, reason = "each is what std::fs has under that name")]

use std::cell::RefCell;
use std::fs::TryLockError;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// An open file, as its disk numbers it. A number is never used twice.
pub type Handle = u64;

/// The mode in which a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// To read; also a directory, to sync it.
    Read,
    /// To write: made if it is not there, left as it is if it is.
    Write,
    /// To write: made, and emptied.
    Create,
}

/// A disk that stores files. SQLite has its own way to the same disk.
pub trait Disk {
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Handle>;
    fn close(&self, file: Handle);
    fn length(&self, file: Handle) -> io::Result<u64>;
    fn read(&self, file: Handle, at: u64, buffer: &mut [u8]) -> io::Result<usize>;
    fn write(&self, file: Handle, at: u64, bytes: &[u8]) -> io::Result<usize>;
    fn sync(&self, file: Handle) -> io::Result<()>;
    fn try_lock(&self, file: Handle) -> Result<(), TryLockError>;
    fn unlock(&self, file: Handle);
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    fn exists(&self, path: &Path) -> io::Result<bool>;
}

thread_local! {
    static DISK: RefCell<Option<Rc<dyn Disk>>> = const { RefCell::new(None) };
}

/// This thread's files are on this disk from now on.
pub fn install_disk(disk: Option<Rc<dyn Disk>>) {
    let before = DISK.with(|installed| installed.replace(disk));
    drop(before);
}

fn disk() -> io::Result<Rc<dyn Disk>> {
    let installed = DISK.try_with(|disk| disk.borrow().clone()).ok().flatten();
    installed.ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, "there is no disk"))
}

pub fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    disk()?.create_dir_all(path.as_ref())
}

pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    disk()?.rename(from.as_ref(), to.as_ref())
}

pub fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    disk()?.remove_file(path.as_ref())
}

pub fn exists(path: impl AsRef<Path>) -> io::Result<bool> {
    disk()?.exists(path.as_ref())
}

/// An open file of this thread's disk.
#[derive(Debug)]
pub struct File {
    handle: Handle,
    at: u64,
}

impl File {
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::open_as(path.as_ref(), OpenMode::Read)
    }

    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::open_as(path.as_ref(), OpenMode::Create)
    }

    pub fn options() -> OpenOptions {
        OpenOptions
    }

    fn open_as(path: &Path, mode: OpenMode) -> io::Result<Self> {
        Ok(Self { handle: disk()?.open(path, mode)?, at: 0 })
    }

    pub fn metadata(&self) -> io::Result<Metadata> {
        Ok(Metadata { length: disk()?.length(self.handle)? })
    }

    /// Fills the buffer with the bytes from `at` on.
    pub fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let (disk, mut done) = (disk()?, 0);
        while done < buffer.len() {
            match disk.read(self.handle, at + done as u64, &mut buffer[done..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => done += read,
            }
        }
        Ok(())
    }

    pub fn sync_all(&self) -> io::Result<()> {
        disk()?.sync(self.handle)
    }

    pub fn try_lock(&self) -> Result<(), TryLockError> {
        disk().map_err(TryLockError::Error)?.try_lock(self.handle)
    }

    pub fn unlock(&self) -> io::Result<()> {
        disk()?.unlock(self.handle);
        Ok(())
    }
}

/// The options that a file is opened with to lock it. It is neither read nor written, so they are ignored.
#[derive(Debug)]
pub struct OpenOptions;

impl OpenOptions {
    pub fn create(&mut self, _true: bool) -> &mut Self {
        self
    }

    pub fn truncate(&mut self, _false: bool) -> &mut Self {
        self
    }

    pub fn write(&mut self, _true: bool) -> &mut Self {
        self
    }

    pub fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        File::open_as(path.as_ref(), OpenMode::Write)
    }
}

/// A file's metadata.
#[derive(Debug)]
pub struct Metadata {
    length: u64,
}

impl Metadata {
    #[expect(clippy::len_without_is_empty, reason = "as std::fs::Metadata")]
    pub fn len(&self) -> u64 {
        self.length
    }
}

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = disk()?.read(self.handle, self.at, buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = disk()?.write(self.handle, self.at, bytes)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let Ok(disk) = disk() {
            disk.close(self.handle);
        }
    }
}

/// Fills the buffer with the bytes of the file from `at` on.
pub(crate) fn read_at(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<()> {
    file.read_at(at, buffer)
}

/// What stays the same for as long as a path leads to the same file: here, that it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity;

impl FileIdentity {
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        if exists(path)? { Ok(Self) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    #[expect(clippy::unnecessary_wraps, reason = "other edges can fail")]
    pub(crate) fn of(_: &File) -> io::Result<Self> {
        Ok(Self)
    }
}

/// Paths of such a disk begin at its root.
#[expect(clippy::unnecessary_wraps, reason = "other edges can fail")]
pub(crate) fn absolute(path: &Path) -> io::Result<PathBuf> {
    Ok(path.to_owned())
}

/// Such a disk has no links.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    path.to_owned()
}

/// Nobody looks for directories that are left behind.
#[expect(clippy::unnecessary_wraps, reason = "other edges can fail")]
pub(crate) fn remove_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Such a disk has no limit.
pub(crate) fn note_open_files_limit() {}

/// Such a disk has no limit.
pub(crate) fn open_files_limit() -> Option<u64> {
    None
}

/// Such a disk has no limit.
pub(crate) fn is_out_of_files(_: &io::Error) -> bool {
    false
}

/// No names: such a disk cannot list a directory, and has none of an earlier version.
#[expect(clippy::unnecessary_wraps, reason = "other edges can fail")]
pub(crate) fn names_in(_directory: &Path) -> io::Result<Vec<String>> {
    Ok(Vec::new())
}
