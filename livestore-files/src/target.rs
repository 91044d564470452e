//! Rows to files.

use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

use livestore::store::{Cursor, RowChange, Target};

use crate::disk::{Disk, Done, Found};
use crate::hash::Hash;
use crate::index::{Entry, Index, IndexError, Reached};
use crate::mapping::Mapping;
use crate::path::{folded, portable, with_key};
use crate::report::Report;

/// The paths that are tried for a file: the one that its row wants, and some with a hash of the key.
const MAX_PATHS: u32 = 8;

/// Why rows could not be written as files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The folder, or the index in it, is not there any more.
    #[error("{} was removed or moved", folder.display())]
    Gone {
        /// The folder.
        folder: PathBuf,
    },
    /// A file could not be written, and others could not either.
    #[error("{} cannot be written", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// What was written could not be noted.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// The folder, as rows are written to it.
pub(crate) struct Files<M: Mapping> {
    pub(crate) mapping: Arc<M>,
    pub(crate) disk: Disk,
    pub(crate) index: Index,
    pub(crate) report: Arc<Report>,
    /// Whether files that are missing are written again, although their rows are as they were.
    pub(crate) restores: bool,
    /// The rows whose files could not be written.
    pub(crate) failed: HashSet<String>,
}

/// A file that is to be written or removed.
struct Plan {
    key: String,
    before: Option<Entry>,
    after: Option<(Entry, Vec<u8>)>,
}

impl<M: Mapping> Target for Files<M> {
    type Row = M::Row;
    type Error = WriteError;

    fn cursor(&mut self) -> Result<Option<Cursor>, WriteError> {
        Ok(self.index.cursor()?)
    }

    fn replace(&mut self, rows: Vec<M::Row>, cursor: &Cursor) -> Result<(), WriteError> {
        let rows: HashMap<_, _> =
            rows.into_iter().map(|row| (self.mapping.key(&row), row)).collect();
        let gone = self.index.entries().map(|(key, _)| key).filter(|key| !rows.contains_key(*key));
        let gone = gone.map(str::to_owned).collect();
        // The same order on every machine: the first row of a path has it.
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        self.failed.clear();
        self.write(gone, rows, cursor)?;
        self.restores = false;
        Ok(())
    }

    fn apply(
        &mut self,
        changes: Vec<RowChange<M::Row>>,
        cursor: &Cursor,
    ) -> Result<(), WriteError> {
        if changes.is_empty() {
            // The cursor before leads to the same rows.
            return Ok(());
        }
        let (mut gone, mut rows) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                RowChange::Deleted(row) => gone.push(self.mapping.key(&row)),
                RowChange::Inserted(row) | RowChange::Updated { after: row, .. } => {
                    rows.push((self.mapping.key(&row), row));
                }
            }
        }
        self.write(gone, rows, cursor)
    }
}

impl<M: Mapping> Files<M> {
    /// Returns the file's path as the app sees it, without the extension.
    pub(crate) fn app_path(path: &str) -> &str {
        path.strip_suffix(M::EXTENSION).and_then(|path| path.strip_suffix('.')).unwrap_or(path)
    }

    fn write(
        &mut self,
        gone: Vec<String>,
        rows: Vec<(String, M::Row)>,
        cursor: &Cursor,
    ) -> Result<(), WriteError> {
        if !self.index.is_there() {
            return Err(WriteError::Gone { folder: self.disk.root().to_owned() });
        }
        // First, so that their paths are free.
        let removals = gone.into_iter().filter_map(|key| {
            let before = Some(self.index.entry(&key)?.clone());
            Some(Plan { key, before, after: None })
        });
        let removals: Vec<_> = removals.collect();
        if !removals.is_empty() {
            self.carry_out_all(removals, Reached::Unknown)?;
        }
        let (mut plans, mut taken) = (Vec::new(), HashSet::new());
        for (key, row) in rows {
            match self.plan(&key, &row, &mut taken) {
                Ok(plan) => plans.extend(plan),
                Err(error) => self.note_failure(&key, &error),
            }
        }
        self.carry_out_all(plans, Reached::At(cursor))
    }

    fn note_failure(&mut self, key: &str, error: &io::Error) {
        self.report
            .problem(key, format!("the file of the row \"{key}\" could not be written: {error}"));
        self.failed.insert(key.to_owned());
    }

    /// Plans the file of a row; `None` if it is as it should be.
    fn plan(
        &self,
        key: &str,
        row: &M::Row,
        taken: &mut HashSet<String>,
    ) -> io::Result<Option<Plan>> {
        let text = self.mapping.text(row).into_bytes();
        let hash = Hash::of(&text);
        let wanted = portable(&self.mapping.path(row), M::EXTENSION);
        let import = || {
            let (path, import) = self.index.import_of(key)?;
            Some(Entry { path: path.to_owned(), wanted: String::new(), hash: import.hash })
        };
        let before = self.index.entry(key).cloned().or_else(import);
        let path = match &before {
            Some(entry) if entry.wanted == wanted => {
                if entry.hash == hash && !(self.restores && self.is_missing(&entry.path)?) {
                    return Ok(None);
                }
                entry.path.clone()
            }
            _ => self.free_path(&wanted, key, hash, taken)?,
        };
        taken.insert(folded(&path));
        let after = Some((Entry { path, wanted, hash }, text));
        Ok(Some(Plan { key: key.to_owned(), before, after }))
    }

    fn is_missing(&self, path: &str) -> io::Result<bool> {
        Ok(self.disk.read(path)? == Found::Missing)
    }

    /// Returns the path that the row should have, or a free one beside it if another row or a file of somebody
    /// else has it.
    fn free_path(
        &self,
        wanted: &str,
        key: &str,
        hash: Hash,
        taken: &HashSet<String>,
    ) -> io::Result<String> {
        for attempt in 0..MAX_PATHS {
            let path = match attempt {
                0 => wanted.to_owned(),
                _ => with_key(wanted, key, attempt - 1),
            };
            let is_others = self.index.key_at(&path).is_some_and(|owner| owner != key);
            if !is_others && !taken.contains(&folded(&path)) && self.may_have(&path, key, hash)? {
                return Ok(path);
            }
        }
        let reason =
            format!("{wanted} and the paths beside it are taken, or lead through a symbolic link");
        Err(io::Error::new(ErrorKind::AlreadyExists, reason))
    }

    /// Returns whether the row can have the path, whatever is there.
    fn may_have(&self, path: &str, key: &str, hash: Hash) -> io::Result<bool> {
        if self.index.key_at(path) == Some(key) {
            return Ok(true);
        }
        Ok(match self.disk.read(path)? {
            Found::Missing => true,
            Found::Other(_) => false,
            Found::File(found) => {
                let is_renamed = || self.index.entry(key).is_some_and(|it| it.hash == found.hash);
                let is_imported =
                    || self.index.import(path).is_some_and(|import| import.key == key);
                let is_named = || {
                    let text = std::str::from_utf8(&found.bytes);
                    text.is_ok_and(|text| self.mapping.key_in(text).as_deref() == Some(key))
                };
                found.hash == hash || is_renamed() || is_imported() || is_named()
            }
        })
    }

    /// Notes what is about to be done, does it, and notes that it is done.
    fn carry_out_all(&mut self, plans: Vec<Plan>, reached: Reached<'_>) -> Result<(), WriteError> {
        let write = |plan: &Plan| {
            let entry = match &plan.after {
                Some((entry, _)) => entry.clone(),
                None => Entry { wanted: String::new(), ..plan.before.clone()? },
            };
            Some((plan.key.clone(), entry))
        };
        let writes: Vec<_> = plans.iter().filter_map(write).collect();
        if !writes.is_empty() {
            self.index.begin(&writes)?;
        }
        let (mut done, mut failure) = (Vec::with_capacity(plans.len()), None);
        for plan in plans {
            match self.carry_out(&plan) {
                Ok(()) => {
                    self.report.solved(&plan.key);
                    self.failed.remove(&plan.key);
                    done.push((plan.key, plan.after.map(|(entry, _)| entry)));
                }
                Err(source) if concerns_all(&source) => {
                    let path = plan.after.map(|(entry, _)| entry.path).unwrap_or_default();
                    failure = Some(WriteError::File { file: self.disk.root().join(path), source });
                    break;
                }
                Err(error) => self.note_failure(&plan.key, &error),
            }
        }
        let written = done.iter().filter_map(|(_, entry)| Some(&*entry.as_ref()?.path));
        let synced = self.disk.sync_folders(written);
        let is_whole = failure.is_none() && self.failed.is_empty();
        self.index.finish(done, if is_whole { reached } else { Reached::Unknown })?;
        if let Err(source) = synced {
            let file = self.disk.root().to_owned();
            failure.get_or_insert(WriteError::File { file, source });
        }
        failure.map_or(Ok(()), Err)
    }

    fn carry_out(&self, plan: &Plan) -> io::Result<()> {
        match plan {
            Plan { before: Some(before), after: None, .. } => {
                let done = self.disk.remove(&before.path, before.hash)?;
                self.report.note(&before.path, done);
                Ok(())
            }
            Plan { before, after: Some((after, text)), .. } => {
                self.put(before.as_ref(), after, text)
            }
            Plan { before: None, after: None, .. } => Ok(()),
        }
    }

    /// Writes the file of a row where it is to be, and removes it from where it was.
    fn put(&self, before: Option<&Entry>, after: &Entry, text: &[u8]) -> io::Result<()> {
        let Some(before) = before else { return self.put_at(after, text, None) };
        if before.path == after.path {
            return self.put_at(after, text, Some(before.hash));
        }
        if folded(&before.path) == folded(&after.path) {
            // To some file systems, that is one file.
            self.disk.rename(&before.path, &after.path)?;
            return self.put_at(after, text, Some(before.hash));
        }
        self.put_at(after, text, Some(before.hash))?;
        let done = self.disk.remove(&before.path, before.hash)?;
        self.report.note(&before.path, done);
        Ok(())
    }

    /// Writes the file, unless it is what it should be already.
    fn put_at(&self, after: &Entry, text: &[u8], expected: Option<Hash>) -> io::Result<()> {
        let done = match self.disk.read(&after.path)? {
            Found::File(found) if found.hash == after.hash => return Ok(()),
            Found::File(_) => self.disk.write(&after.path, text, expected.or(Some(after.hash)))?,
            Found::Missing => self.disk.write(&after.path, text, None)?,
            Found::Other(reason) => {
                return Err(io::Error::new(
                    ErrorKind::AlreadyExists,
                    format!("{}: {reason}", after.path),
                ));
            }
        };
        if done == Done::Occupied {
            let reason = format!("{} has just been written by somebody else", after.path);
            return Err(io::Error::new(ErrorKind::AlreadyExists, reason));
        }
        self.report.note(&after.path, done);
        Ok(())
    }

    /// Brings in order what a process has left that ended while it wrote.
    pub(crate) fn recover(&mut self) -> Result<(), WriteError> {
        let unfinished = self.index.unfinished()?;
        let is_whole = unfinished.is_empty();
        let entries = self.index.entries().map(|(_, entry)| entry.hash);
        let known: HashSet<_> =
            entries.chain(unfinished.iter().map(|(_, entry)| entry.hash)).collect();
        let failed =
            |path: &str, source| WriteError::File { file: self.disk.root().join(path), source };
        let mut done = Vec::new();
        for (key, entry) in unfinished {
            let found = self.disk.read(&entry.path).map_err(|error| failed(&entry.path, error))?;
            if entry.wanted.is_empty() {
                // It was to be removed.
                if found == Found::Missing {
                    done.push((key, None));
                }
                continue;
            }
            if found.hash() != Some(entry.hash) {
                continue;
            }
            if let Some(before) = self.index.entry(&key).filter(|before| before.path != entry.path)
            {
                let found =
                    self.disk.read(&before.path).map_err(|error| failed(&before.path, error))?;
                // Somebody has edited it since: it is a new file.
                if found.hash() == Some(before.hash) {
                    let removed = self.disk.remove(&before.path, before.hash);
                    removed.map_err(|error| failed(&before.path, error))?;
                }
            }
            done.push((key, Some(entry)));
        }
        let scan = self.disk.scan(M::EXTENSION).map_err(|error| failed("", error))?;
        for left in scan.left {
            let recovered = self.disk.recover(&left, |hash| known.contains(&hash));
            recovered.map_err(|error| failed(&left, error))?;
        }
        let reached = if is_whole { Reached::Same } else { Reached::Unknown };
        Ok(self.index.finish(done, reached)?)
    }
}

/// Returns whether other files cannot be written either.
fn concerns_all(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem
    )
}
