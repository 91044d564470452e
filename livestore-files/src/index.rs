//! What the folder and the rows agreed on last, in a database in the folder.
//!
//! A file that differs from it was edited, a row that does was changed. It is in the folder so that it goes
//! where the folder goes: a folder that was deleted, or is not mounted, has none, and is not taken for one whose
//! files were all removed.

#![expect(clippy::disallowed_methods, reason = "the database is a file of the folder")]

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use livestore::store::Cursor;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use crate::hash::Hash;
use crate::path::folded;

/// The folder of the database.
const FOLDER: &str = ".livestore";

const FILE: &str = "files.db";

const DDL: &str = "
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS files (
        key TEXT PRIMARY KEY, path TEXT NOT NULL, wanted TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS writes (
        key TEXT PRIMARY KEY, path TEXT NOT NULL, wanted TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS imports (
        path TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, hash BLOB NOT NULL, is_done INTEGER NOT NULL) STRICT;
";

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Another process, or this one, syncs the folder already.
    #[error("{} is used already, by this process or another one; close it there", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder belongs to another store.
    #[error(
        "{} has the files of the store \"{found}\", not of \"{expected}\"; choose another folder, or remove \
         {FOLDER} in it to have its files read as new ones", folder.display()
    )]
    OtherStore {
        /// The folder.
        folder: PathBuf,
        /// The store that is open.
        expected: String,
        /// The store whose files these are.
        found: String,
    },
    /// The folder of the database cannot be made.
    #[error("{} cannot be written", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// SQLite cannot read or write it.
    #[error("the index of the folder cannot be used: {0}")]
    Sqlite(String),
}

impl From<rusqlite::Error> for IndexError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error.to_string())
    }
}

/// The file of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    /// The path that the row should have. It has a different one if that was taken.
    pub(crate) wanted: String,
    pub(crate) hash: Hash,
}

/// The place in history whose rows the files are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reached<'c> {
    At(&'c Cursor),
    /// As before.
    Same,
    /// Some files are ahead of the others: the next feed has to pass all rows.
    Unknown,
}

/// A new file that the app makes a row of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) key: String,
    pub(crate) hash: Hash,
    /// Whether the app has seen it.
    pub(crate) is_done: bool,
}

/// The files of the rows.
#[derive(Debug)]
pub(crate) struct Index {
    conn: Connection,
    file: PathBuf,
    /// Whether what is about to be written is on disk before it is.
    is_synced: bool,
    files: HashMap<String, Entry>,
    /// Keys by folded paths.
    keys: HashMap<String, String>,
    /// By paths.
    imports: HashMap<String, Import>,
    /// The paths of imports by their keys.
    imported: HashMap<String, String>,
}

impl Index {
    /// Opens the database of the folder at `root`, or makes one.
    pub(crate) fn open(root: &Path, store_id: &str, is_synced: bool) -> Result<Self, IndexError> {
        let folder = root.join(FOLDER);
        let made = fs::create_dir_all(&folder).and_then(|()| {
            let ignore = folder.join(".gitignore");
            if ignore.exists() { Ok(()) } else { fs::write(ignore, "*\n") }
        });
        made.map_err(|source| IndexError::Folder { folder: folder.clone(), source })?;
        let file = folder.join(FILE);
        let in_use = || IndexError::InUse { folder: root.to_owned() };
        let conn = match connect(&file) {
            Err(error) if is_damaged(&error) => {
                // Files that are what their rows say are found again.
                tracing::warn!(%error, folder = %root.display(), "the index of a folder is damaged, and made anew");
                fs::remove_file(&file)
                    .map_err(|source| IndexError::Folder { folder: folder.clone(), source })?;
                connect(&file)?
            }
            Err(error) if is_busy(&error) => return Err(in_use()),
            connected => connected?,
        };
        let found: Option<String> = conn
            .query_row("SELECT value FROM meta WHERE name = 'store'", (), |row| row.get(0))
            .optional()?;
        match found {
            Some(found) if found != store_id => {
                let (folder, expected) = (root.to_owned(), store_id.to_owned());
                return Err(IndexError::OtherStore { folder, expected, found });
            }
            Some(_) => {}
            None => {
                conn.execute("INSERT INTO meta VALUES ('store', ?)", [store_id])?;
            }
        }
        let (files, keys) = (HashMap::new(), HashMap::new());
        let (imports, imported) = (HashMap::new(), HashMap::new());
        let mut index = Self { conn, file, is_synced, files, keys, imports, imported };
        for (key, entry) in index.read("files")? {
            index.note(key, Some(entry));
        }
        for (path, import) in index.read_imports()? {
            index.note_import(path, import);
        }
        Ok(index)
    }

    /// Returns whether the database is still in the folder.
    pub(crate) fn is_there(&self) -> bool {
        self.file.exists()
    }

    fn read(&self, table: &str) -> rusqlite::Result<Vec<(String, Entry)>> {
        let mut select =
            self.conn.prepare(&format!("SELECT key, path, wanted, hash FROM {table}"))?;
        let entry = |row: &Row<'_>| {
            let (path, wanted) = (row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, Entry { path, wanted, hash: Hash::from_bytes(row.get(3)?) }))
        };
        select.query_map((), entry)?.collect()
    }

    fn read_imports(&self) -> rusqlite::Result<Vec<(String, Import)>> {
        let mut select = self.conn.prepare("SELECT path, key, hash, is_done FROM imports")?;
        let import = |row: &Row<'_>| {
            let hash = Hash::from_bytes(row.get(2)?);
            Ok((row.get(0)?, Import { key: row.get(1)?, hash, is_done: row.get(3)? }))
        };
        select.query_map((), import)?.collect()
    }

    fn note(&mut self, key: String, entry: Option<Entry>) {
        if let Some(before) = self.files.remove(&key) {
            let path = folded(&before.path);
            if self.keys.get(&path) == Some(&key) {
                self.keys.remove(&path);
            }
        }
        if let Some(entry) = entry {
            self.keys.insert(folded(&entry.path), key.clone());
            self.files.insert(key, entry);
        }
    }

    pub(crate) fn cursor(&self) -> Result<Option<Cursor>, IndexError> {
        let cursor =
            self.conn.query_row("SELECT value FROM meta WHERE name = 'cursor'", (), |row| {
                row.get::<_, String>(0)
            });
        Ok(cursor.optional()?.map(Cursor::from_text))
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.files.get(key)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.files.iter().map(|(key, entry)| (&**key, entry))
    }

    /// Returns the key of the row whose file may be this one.
    pub(crate) fn key_at(&self, path: &str) -> Option<&str> {
        self.keys.get(&folded(path)).map(|key| &**key)
    }

    /// Returns whether a row has a file in this folder.
    pub(crate) fn has_below(&self, folder: &str) -> bool {
        let is_below =
            |path: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        self.files.values().any(|entry| is_below(&entry.path))
    }

    pub(crate) fn import(&self, path: &str) -> Option<&Import> {
        self.imports.get(path)
    }

    /// Returns the new file of which the app makes the row with this key.
    pub(crate) fn import_of(&self, key: &str) -> Option<(&str, &Import)> {
        let path = self.imported.get(key)?;
        Some((path, self.imports.get(path)?))
    }

    /// Notes that the app makes a row of a new file.
    pub(crate) fn set_import(&mut self, path: &str, import: Import) -> Result<(), IndexError> {
        let Import { key, hash, is_done } = &import;
        let values = params![path, key, hash.to_bytes(), is_done];
        self.conn.execute("INSERT OR REPLACE INTO imports VALUES (?, ?, ?, ?)", values)?;
        self.forget_import(&import.key);
        self.note_import(path.to_owned(), import);
        Ok(())
    }

    fn note_import(&mut self, path: String, import: Import) {
        self.imported.insert(import.key.clone(), path.clone());
        if let Some(before) = self.imports.insert(path, import.clone())
            && before.key != import.key
        {
            self.imported.remove(&before.key);
        }
    }

    fn forget_import(&mut self, key: &str) {
        if let Some(path) = self.imported.remove(key) {
            self.imports.remove(&path);
        }
    }

    /// Notes what is about to be written, so that a file which has it is known not to be edited, and what is about
    /// to be removed: its `wanted` is empty.
    pub(crate) fn begin(&mut self, writes: &[(String, Entry)]) -> Result<(), IndexError> {
        let synchronous = if self.is_synced { "FULL" } else { "NORMAL" };
        self.conn.pragma_update(None, "synchronous", synchronous)?;
        let transaction = self.conn.transaction()?;
        transaction.execute("DELETE FROM writes", ())?;
        insert(&transaction, "writes", writes.iter().map(|(key, entry)| (key, entry)))?;
        transaction.commit()?;
        // If a power cut takes the rest, this is left, and it is known what was written.
        Ok(self.conn.pragma_update(None, "synchronous", "NORMAL")?)
    }

    /// Notes what was done, `None` for a file that was removed, and where in history the files are then.
    pub(crate) fn finish(
        &mut self,
        done: Vec<(String, Option<Entry>)>,
        reached: Reached<'_>,
    ) -> Result<(), IndexError> {
        let transaction = self.conn.transaction()?;
        {
            let mut delete = transaction.prepare_cached("DELETE FROM files WHERE key = ?")?;
            let mut imported = transaction.prepare_cached("DELETE FROM imports WHERE key = ?")?;
            for (key, entry) in &done {
                imported.execute([key])?;
                if entry.is_none() {
                    delete.execute([key])?;
                }
            }
        }
        let written = done.iter().filter_map(|(key, entry)| Some((key, entry.as_ref()?)));
        insert(&transaction, "files", written)?;
        transaction.execute("DELETE FROM writes", ())?;
        match reached {
            Reached::At(cursor) => {
                let sql = "INSERT OR REPLACE INTO meta VALUES ('cursor', ?)";
                transaction.execute(sql, [cursor.as_str()])?;
            }
            Reached::Same => {}
            Reached::Unknown => {
                transaction.execute("DELETE FROM meta WHERE name = 'cursor'", ())?;
            }
        }
        transaction.commit()?;
        for (key, entry) in done {
            self.forget_import(&key);
            self.note(key, entry);
        }
        Ok(())
    }

    /// Returns what a process that has ended was about to write.
    pub(crate) fn unfinished(&self) -> Result<Vec<(String, Entry)>, IndexError> {
        Ok(self.read("writes")?)
    }
}

fn insert<'e>(
    conn: &Connection,
    table: &str,
    entries: impl Iterator<Item = (&'e String, &'e Entry)>,
) -> rusqlite::Result<()> {
    let mut insert =
        conn.prepare(&format!("INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)"))?;
    for (key, Entry { path, wanted, hash }) in entries {
        insert.execute(params![key, path, wanted, hash.to_bytes()])?;
    }
    Ok(())
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open(file)?;
    conn.busy_timeout(Duration::ZERO)?;
    // The lock is kept until the folder is closed.
    conn.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    conn.execute_batch(&format!("BEGIN IMMEDIATE; {DDL} COMMIT;"))?;
    Ok(conn)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}
