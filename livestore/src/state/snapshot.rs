//! Snapshots: state in a file, so that opening need not replay everything.
//!
//! A snapshot is a convenience. It is used only if it is whole, was made under this schema, and was
//! made of exactly the events that the log has up to the snapshot's head; otherwise the state is
//! replayed from the log. To compare the events, a snapshot has the log's [`Fingerprint`] at its
//! head: that of another store, of a copy of the log, or of a log before it was restored from a
//! backup, is different.

use std::io::Read;
use std::path::PathBuf;

use rusqlite::{Connection, MAIN_DB};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{State, StateError};
use crate::edge::files;
use crate::event::SeqNum;
use crate::eventlog::{Eventlog, EventlogError, Fingerprint, is_after};
use crate::schema::SchemaDef;
use crate::sqlite::SqliteError;

const MAGIC: [u8; 8] = *b"LSsnap\r\n";
const FORMAT: u64 = 2;
/// Magic, format, schema hash, store id, history id, three numbers of the head, the log's checksum
/// there, length, checksum.
const HEADER: usize = 11 * 8;

/// The place of a store's snapshot, whether or not there is one.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) path: PathBuf,
    /// The log of whose events it is made.
    pub(crate) log: Eventlog,
}

/// Why a snapshot is not used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("there is no snapshot")]
    Missing,
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("it has format {0}, this version reads {FORMAT}")]
    OtherFormat(u64),
    #[error("the schema has changed")]
    OtherSchema,
    #[error("it belongs to another store")]
    OtherStore,
    #[error("the eventlog was started over since it was made")]
    OtherHistory,
    #[error("the eventlog has other events up to {0}: one of them belongs to a copy or a backup")]
    OtherEvents(SeqNum),
    #[error("it is ahead of the eventlog, which is confirmed up to {0}")]
    Ahead(SeqNum),
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
}

impl Snapshot {
    /// Returns the state in the file, and the file's length, if the file is a snapshot of the log's
    /// events and none of them comes after `confirmed`. Calls `progress` with the number of bytes
    /// that are read.
    pub(crate) fn read(
        &self,
        schema: &'static SchemaDef,
        confirmed: SeqNum,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(State, u64), Unusable> {
        let damaged = |error: &dyn std::fmt::Display| Unusable::Damaged(error.to_string());
        let opened = files::open(&self.path).map_err(|error| damaged(&error))?;
        let (mut file, length) = opened.ok_or(Unusable::Missing)?;
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(|error| damaged(&error))?;
        let header = self.check(&header, schema, confirmed)?;
        if length.checked_sub(HEADER as u64) != Some(header.length) {
            return Err(damaged(&"its length is wrong"));
        }
        let body = usize::try_from(header.length).map_err(|error| damaged(&error))?;
        let mut hashing = Hashing {
            inner: file,
            hash: header.hash(),
            read: HEADER as u64,
            progress: &mut |read| progress(read, length),
        };
        let mut conn = Connection::open_in_memory().map_err(|error| damaged(&error))?;
        conn.deserialize_read_exact(MAIN_DB, &mut hashing, body, false)
            .map_err(|error| damaged(&error))?;
        if hashing.hash.digest() != header.checksum {
            return Err(damaged(&"its checksum does not match"));
        }
        let mut state = State::over(conn, schema).map_err(|error| damaged(&error))?;
        state.head = header.head;
        Ok((state, length))
    }

    /// Writes the state to the file, whole or not at all; returns the file's length.
    pub(crate) fn write(&self, state: &mut State) -> Result<u64, SnapshotError> {
        let schema_hash = state.schema.hash().map_err(StateError::from)?;
        let head = state.head;
        let body = state.db.connection_mut().serialize(MAIN_DB);
        let body = body.map_err(|error| StateError::Sqlite(error.into()))?;
        self.write_body(schema_hash, head, &body)
    }

    /// Writes a copy of a state, as [`write`](Self::write) does.
    pub(crate) fn write_copy(&self, copy: &StateCopy) -> Result<u64, SnapshotError> {
        self.write_body(copy.schema_hash, copy.head, &copy.body)
    }

    fn write_body(
        &self,
        schema_hash: i64,
        head: SeqNum,
        body: &[u8],
    ) -> Result<u64, SnapshotError> {
        let log = self.log.fingerprint(head)?.ok_or(SnapshotError::NoSuchEvent(head))?;
        let mut header = Header {
            schema_hash,
            log: Log::from(&log),
            head,
            length: body.len() as u64,
            checksum: 0,
        };
        let mut checksum = header.hash();
        checksum.update(body);
        header.checksum = checksum.digest();
        files::replace(&self.path, &[&header.to_bytes(), body])
            .map_err(|error| StateError::Sqlite(error.into()))?;
        Ok(HEADER as u64 + body.len() as u64)
    }

    /// Removes the file.
    pub(crate) fn remove(&self) -> Result<(), StateError> {
        Ok(files::remove(&self.path).map_err(SqliteError::from)?)
    }

    fn check(
        &self,
        header: &[u8; HEADER],
        schema: &SchemaDef,
        confirmed: SeqNum,
    ) -> Result<Header, Unusable> {
        let (header, format) = Header::from_bytes(header)
            .ok_or_else(|| Unusable::Damaged("it is not a snapshot".to_owned()))?;
        if format != FORMAT {
            return Err(Unusable::OtherFormat(format));
        }
        if schema.hash() != Ok(header.schema_hash) {
            return Err(Unusable::OtherSchema);
        }
        if is_after(header.head, confirmed) {
            return Err(Unusable::Ahead(confirmed));
        }
        match self.log.fingerprint(header.head)?.as_ref().map(Log::from) {
            Some(log) if log.store != header.log.store => Err(Unusable::OtherStore),
            Some(log) if log.history != header.log.history => Err(Unusable::OtherHistory),
            Some(log) if log == header.log => Ok(header),
            _ => Err(Unusable::OtherEvents(header.head)),
        }
    }
}

/// Why a snapshot was not written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum SnapshotError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    #[error("the eventlog has no event {0}, which the state ends at")]
    NoSuchEvent(SeqNum),
}

/// A log's [`Fingerprint`], in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Log {
    store: u64,
    history: u64,
    checksum: u64,
}

impl From<&Fingerprint> for Log {
    fn from(log: &Fingerprint) -> Self {
        Self {
            store: xxh3_64(log.store_id.as_bytes()),
            history: xxh3_64(log.history_id.as_bytes()),
            checksum: log.checksum.cast_unsigned(),
        }
    }
}

/// A copy of a state, to be written to its snapshot later.
pub(crate) struct StateCopy {
    schema_hash: i64,
    pub(crate) head: SeqNum,
    body: Vec<u8>,
}

impl StateCopy {
    pub(crate) fn of(state: &mut State) -> Result<Self, StateError> {
        let (schema_hash, head) = (state.schema.hash()?, state.head);
        let body = state.db.connection_mut().serialize(MAIN_DB).map_err(SqliteError::from)?;
        Ok(Self { schema_hash, head, body: body.to_vec() })
    }
}

impl std::fmt::Debug for StateCopy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateCopy").field("head", &self.head).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Header {
    schema_hash: i64,
    log: Log,
    head: SeqNum,
    length: u64,
    checksum: u64,
}

impl Header {
    fn to_bytes(&self) -> Vec<u8> {
        let numbers = [
            FORMAT,
            self.schema_hash.cast_unsigned(),
            self.log.store,
            self.log.history,
            self.head.global,
            self.head.client,
            self.head.generation,
            self.log.checksum,
            self.length,
            self.checksum,
        ];
        MAGIC.into_iter().chain(numbers.into_iter().flat_map(u64::to_le_bytes)).collect()
    }

    /// The hasher of the checksum, which covers the rest of the header, too.
    fn hash(&self) -> Xxh3 {
        let mut hash = Xxh3::new();
        hash.update(&Self { checksum: 0, ..*self }.to_bytes());
        hash
    }

    /// The header and its format.
    fn from_bytes(bytes: &[u8; HEADER]) -> Option<(Self, u64)> {
        let (magic, rest) = bytes.split_first_chunk()?;
        let (numbers, _) = rest.as_chunks::<8>();
        let numbers: Vec<u64> = numbers.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        let &[
            format,
            schema_hash,
            store,
            history,
            global,
            client,
            generation,
            log_checksum,
            length,
            checksum,
        ] = numbers.as_slice()
        else {
            return None;
        };
        let log = Log { store, history, checksum: log_checksum };
        let head = SeqNum { global, client, generation };
        let schema_hash = schema_hash.cast_signed();
        (*magic == MAGIC).then_some((Self { schema_hash, log, head, length, checksum }, format))
    }
}

/// Hashes what is read while it is still in the cache.
struct Hashing<'a, R> {
    inner: R,
    hash: Xxh3,
    read: u64,
    progress: &'a mut dyn FnMut(u64),
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // Small pieces, so that hashing finds them in the cache.
        let piece = buffer.len().min(256 * 1024);
        let (piece, _) = buffer.split_at_mut(piece);
        let read = self.inner.read(piece)?;
        self.hash.update(piece.get(..read).unwrap_or_default());
        self.read += read as u64;
        (self.progress)(self.read);
        Ok(read)
    }
}
