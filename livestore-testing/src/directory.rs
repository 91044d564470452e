//! The files of a store, in a temporary directory.

#![expect(clippy::disallowed_methods, reason = "tests are an edge: they have files")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use livestore::Store;
use livestore::schema::Schema;
use livestore::store::{Builder, OpenError};
use tempfile::TempDir;

/// A temporary directory with one store, which can be closed and opened again: by the same app or by
/// its next version. It is removed when it is dropped.
///
/// ```
/// use livestore_testing::StoreDirectory;
/// use livestore_testing::sample::notes::{App, added};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let directory = StoreDirectory::new("notes");
/// let store = directory.open::<App>()?;
/// store.commit(added("1"))?;
/// let backup = directory.copy();                  // what a crash now would leave
/// store.commit(added("2"))?;
/// store.close()?;
///
/// assert_eq!(directory.open::<App>()?.head()?.global, 2);
/// assert_eq!(backup.open::<App>()?.head()?.global, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct StoreDirectory {
    directory: TempDir,
    store_id: String,
}

impl StoreDirectory {
    /// An empty directory for the store called `store_id`.
    ///
    /// # Panics
    /// If no temporary directory can be made.
    pub fn new(store_id: impl Into<String>) -> Self {
        Self::of(tempfile::tempdir(), store_id.into())
    }

    /// An empty directory in `parent`, such as a file system in memory.
    ///
    /// # Panics
    /// If no directory can be made there.
    pub fn new_in(parent: impl AsRef<Path>, store_id: impl Into<String>) -> Self {
        Self::of(tempfile::tempdir_in(parent), store_id.into())
    }

    fn of(directory: io::Result<TempDir>, store_id: String) -> Self {
        Self { directory: directory.expect("a temporary directory can be made"), store_id }
    }

    /// Returns the builder of the store, with its id and directory set.
    pub fn builder<S: Schema>(&self) -> Builder<S> {
        Store::builder(self.store_id.as_str()).directory(self.path())
    }

    /// Opens the store.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open<S: Schema>(&self) -> Result<Store<S>, OpenError> {
        self.builder().open()
    }

    /// Copies the files as they are now: what a crash at this moment would leave, or a backup of an
    /// open store.
    ///
    /// # Panics
    /// If the files cannot be read or written.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::new(self.store_id.as_str());
        copy_files(self.path(), copy.path(), &|_| true).expect("the files can be copied");
        copy
    }

    /// The path that the builder gets.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The store's own folder in it, if its id is of lower-case letters.
    pub fn folder(&self) -> PathBuf {
        self.path().join(&self.store_id)
    }

    /// The file of the eventlog.
    pub fn eventlog(&self) -> PathBuf {
        self.folder().join("eventlog.db")
    }

    /// The file of the state's snapshot. It may be removed at any time, to test that the state is
    /// made again.
    pub fn snapshot(&self) -> PathBuf {
        self.folder().join("state.snapshot")
    }
}

/// Copies the files that are `kept`, by their names.
pub(crate) fn copy_files(from: &Path, to: &Path, kept: &dyn Fn(&str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&to)?;
            copy_files(&entry.path(), &to, kept)?;
        } else if entry.file_type()?.is_file()
            && entry.file_name() != "eventlog.db-shm"
            && entry.file_name().to_str().is_none_or(kept)
        {
            // What is no file is a socket of an open store. The index of the write-ahead log, above, is made anew by whoever opens the file first.
            copy_file(&entry.path(), &to)?;
        }
    }
    Ok(())
}

/// Replaces a directory by a copy of another one.
pub(crate) fn replace_directory(old: &Path, new: &Path) -> io::Result<()> {
    fs::remove_dir_all(old)?;
    fs::create_dir_all(old)?;
    copy_files(new, old, &|_| true)
}

/// Copies a file. A temporary one may be gone since it was listed: an open store renames it to what
/// it replaces once it is whole.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let is_temporary = from.extension().is_some_and(|extension| extension == "tmp");
    match fs::copy(from, to) {
        Err(error) if is_temporary && error.kind() == io::ErrorKind::NotFound => Ok(()),
        copied => copied.map(drop),
    }
}
