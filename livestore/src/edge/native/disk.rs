//! What the file system says about files, beyond what is in them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

/// What stays the same for as long as a path leads to the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl FileIdentity {
    /// The identity of the file at `path`.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::from(&fs::metadata(path)?))
    }

    /// The identity of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }
}

#[cfg(unix)]
impl From<&fs::Metadata> for FileIdentity {
    fn from(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Windows does not let anybody delete or rename a file that SQLite has open.
#[cfg(not(unix))]
impl From<&fs::Metadata> for FileIdentity {
    fn from(_: &fs::Metadata) -> Self {
        Self {}
    }
}

/// What changes when a file is written, as far as the file system shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileStamp {
    identity: FileIdentity,
    length: u64,
    modified: Option<SystemTime>,
}

impl FileStamp {
    /// The stamp of the file at `path`; `None` if there is none.
    pub(crate) fn at(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self {
                identity: FileIdentity::from(&metadata),
                length: metadata.len(),
                modified: metadata.modified().ok(),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }
}

/// The names in a directory, as they are spelled; none if it is not there or may not be listed.
pub(crate) fn names_in(directory: &Path) -> io::Result<Vec<String>> {
    use io::ErrorKind::{NotFound, PermissionDenied};
    match fs::read_dir(directory) {
        // One that is no text is no store's.
        Ok(entries) => entries
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect(),
        Err(error) if matches!(error.kind(), NotFound | PermissionDenied) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The path from the root, whatever the process's directory is later.
pub(crate) fn absolute(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

/// The path without symbolic links. What is not there yet is appended as it is.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    let found =
        path.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    match found {
        Some((ancestor, resolved)) => match path.strip_prefix(ancestor) {
            Ok(rest) if rest.as_os_str().is_empty() => resolved,
            Ok(rest) => resolved.join(rest),
            Err(_) => path.to_owned(),
        },
        None => path.to_owned(),
    }
}

/// Removes a directory, if it is empty.
pub(crate) fn remove_directory(path: &Path) -> io::Result<()> {
    fs::remove_dir(path)
}

static OPEN_FILES_LIMIT: OnceLock<Option<u64>> = OnceLock::new();

/// Reads how many files this process may have open, while it can still open one.
pub(crate) fn note_open_files_limit() {
    OPEN_FILES_LIMIT.get_or_init(read_open_files_limit);
}

/// The number of files that this process may have open at once, if the system says so.
pub(crate) fn open_files_limit() -> Option<u64> {
    read_open_files_limit().or_else(|| OPEN_FILES_LIMIT.get().copied().flatten())
}

fn read_open_files_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Whether an error means that this process has as many files open as it may.
pub(crate) fn is_out_of_files(error: &io::Error) -> bool {
    const EMFILE: i32 = 24;
    const ERROR_TOO_MANY_OPEN_FILES: i32 = 4;
    error.raw_os_error() == Some(if cfg!(windows) { ERROR_TOO_MANY_OPEN_FILES } else { EMFILE })
}
