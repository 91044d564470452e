//! Files that somebody deletes, moves or replaces while the server has them open.

use std::io;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// The files of a storage, as they were when it was opened. SQLite would go on writing to files that
/// nobody finds any more.
#[derive(Debug)]
pub(super) struct FileWatch(Vec<(PathBuf, FileId)>);

impl FileWatch {
    /// Watches these files, and those that SQLite has beside them.
    pub(super) fn new(paths: &[&Path]) -> io::Result<Self> {
        let mut files = Vec::new();
        for path in paths {
            files.push(((*path).to_owned(), file_id(path)?));
            let beside = ["-wal", "-shm"].map(|suffix| {
                let mut beside = path.as_os_str().to_owned();
                beside.push(suffix);
                PathBuf::from(beside)
            });
            let found = beside.into_iter().filter_map(|path| Some((file_id(&path).ok()?, path)));
            files.extend(found.map(|(id, path)| (path, id)));
        }
        Ok(Self(files))
    }

    /// Fails if a path no longer leads to the file that is open.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let is_lost = |(path, then): &&(PathBuf, FileId)| file_id(path).ok() != Some(*then);
        match self.0.iter().find(is_lost) {
            // Clients read this, too: they need not know the directory.
            Some((path, _)) => Err(StoreError::FileLost {
                name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            }),
            None => Ok(()),
        }
    }
}

/// The device and the number of a file on it.
#[cfg(all(unix, not(simulation)))]
type FileId = (u64, u64);

#[cfg(all(unix, not(simulation)))]
fn file_id(path: &Path) -> io::Result<FileId> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Where files have no number, one that is open cannot be deleted.
#[cfg(not(all(unix, not(simulation))))]
type FileId = ();

#[cfg(not(all(unix, not(simulation))))]
fn file_id(_: &Path) -> io::Result<FileId> {
    Ok(())
}
