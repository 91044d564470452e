//! Files: a store's directory, and files that are whole or absent.

use std::fs::TryLockError;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::edge::{
    self,
    fs::{self, File},
};
pub(crate) use super::edge::{
    FileIdentity, absolute, is_out_of_files, names_in, note_open_files_limit, open_files_limit,
    resolve,
};

#[cfg(not(any(simulation, target_family = "wasm")))]
pub(crate) use super::edge::FileStamp;

/// A directory that this process owns until the value is dropped.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    file: File,
    /// Directories and files that were not there before, the outermost directory first.
    made: Vec<PathBuf>,
}

/// Why a directory could not be made one's own.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another process, or another store of this one, has it.
    Held,
    /// The directory cannot be made or written to.
    Io(io::Error),
}

impl DirectoryLock {
    /// Makes the directory if need be, and owns it.
    pub(crate) fn acquire(directory: &Path) -> Result<Self, LockError> {
        let missing = directory.ancestors().take_while(|ancestor| !exists(ancestor));
        let mut made: Vec<_> = missing.map(Path::to_owned).collect();
        made.reverse();
        let locked = Self::lock(directory, &mut made);
        match locked {
            Ok(file) => Ok(Self { file, made }),
            Err(error) => {
                if !matches!(error, LockError::Held) {
                    remove_all(&made);
                }
                Err(error)
            }
        }
    }

    fn lock(directory: &Path, made: &mut Vec<PathBuf>) -> Result<File, LockError> {
        let path = directory.join("lock");
        loop {
            fs::create_dir_all(directory).map_err(LockError::Io)?;
            let is_new = !exists(&path);
            let mut options = File::options();
            let opened = options.create(true).truncate(false).write(true).open(&path);
            let file = opened.map_err(LockError::Io)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(LockError::Held),
                Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
            }
            // Whoever had it before may have removed it, after its own open failed.
            let is_there = FileIdentity::at(&path).ok() == FileIdentity::of(&file).ok();
            if is_there {
                if is_new {
                    made.push(path);
                }
                return Ok(file);
            }
        }
    }

    /// Whether somebody owns the directory. Whoever wants to own it in the same instant is told that
    /// somebody does, and has to try again.
    #[cfg(not(any(simulation, target_family = "wasm")))]
    pub(crate) fn is_held(directory: &Path) -> io::Result<bool> {
        let file = match File::open(directory.join("lock")) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => file.unlock().map(|()| false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Notes those of the files that are not there yet: they are about to be made.
    pub(crate) fn note_missing(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        self.made.extend(files.into_iter().filter(|file| !exists(file)));
    }

    /// Removes the directories and files that were made, because the store cannot be opened.
    pub(crate) fn remove_made(&self) {
        remove_all(&self.made);
    }
}

/// Removes files and empty directories, the last one first.
fn remove_all(paths: &[PathBuf]) {
    for path in paths.iter().rev() {
        if fs::remove_file(path).is_err() {
            let _ = edge::remove_directory(path);
        }
    }
}

/// Closing the file would not do: a process that is just being started has it open, too.
impl Drop for DirectoryLock {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Writes a file so that whoever reads `path` sees all of it or what was there before.
pub(crate) fn replace(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let temporary = temporary(path);
    let write = || {
        let mut file = File::create(&temporary)?;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        drop(file);
        fs::rename(&temporary, path)
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// A file that is only read, or its bytes.
#[derive(Debug)]
pub(crate) struct ReadFile {
    content: Content,
    length: u64,
}

#[derive(Debug)]
enum Content {
    File(File),
    Bytes(Vec<u8>),
}

impl ReadFile {
    /// What somebody else has read from a file.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        Self { content: Content::Bytes(bytes), length }
    }

    /// Opens the file, if it is there.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => {
                let length = file.metadata()?.len();
                Ok(Some(Self { content: Content::File(file), length }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Fills the buffer with the bytes from `at` on.
    pub(crate) fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        match &self.content {
            Content::File(file) => edge::read_at(file, at, buffer),
            Content::Bytes(bytes) => {
                let from = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
                let found = from.and_then(|bytes| bytes.get(..buffer.len()));
                buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }

    /// Reads all of it.
    pub(crate) fn read_all(&self) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.length).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.read_at(0, &mut bytes)?;
        Ok(bytes)
    }
}

/// Whether this process may not have `count` more files open, which a library may have failed to open.
pub(crate) fn are_exhausted(directory: &Path, count: usize) -> bool {
    let opened: io::Result<Vec<File>> = (0..count).map(|_| File::open(directory)).collect();
    opened.err().is_some_and(|error| is_out_of_files(&error))
}

/// Removes the file, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether there is such a file or directory.
pub(crate) fn exists(path: &Path) -> bool {
    fs::exists(path).unwrap_or(false)
}

/// Whether there is such a file or directory, if that can be known.
#[cfg(not(any(simulation, target_family = "wasm")))]
pub(crate) fn is_there(path: &Path) -> io::Result<bool> {
    fs::exists(path)
}

/// The names in a directory, which has to be there.
#[cfg(not(any(simulation, target_family = "wasm")))]
pub(crate) fn list(directory: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(directory)?;
    // One that is no text is no store's.
    entries
        .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
        .collect()
}

/// Renames a directory.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

fn temporary(path: &Path) -> PathBuf {
    path.with_extension("tmp")
}
