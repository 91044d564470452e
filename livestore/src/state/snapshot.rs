//! Snapshots: state in a file, so that opening need not replay everything.
//!
//! A snapshot is a convenience. It is used only if it is whole, was made under this schema, and was
//! made of exactly the events that the log has up to the snapshot's head; otherwise the state is
//! replayed from the log. To compare the events, a snapshot has the log's [`Fingerprint`] at its
//! head: that of another store, of a copy of the log, or of a log before it was restored from a
//! backup, is different.

use std::io::{self, Read};
use std::path::PathBuf;

use rusqlite::{Connection, MAIN_DB};
use xxhash_rust::xxh3::xxh3_64;

use super::{State, StateError};
use crate::edge::{ReadFile, files, for_each_chunk};
use crate::event::SeqNum;
use crate::eventlog::{Eventlog, EventlogError, Fingerprint, is_after};
use crate::schema::SchemaDef;
use crate::sqlite::SqliteError;

const MAGIC: [u8; 8] = *b"LSsnap\r\n";
const FORMAT: u64 = 3;
/// The number of bytes that are read and hashed at once.
const PIECE: usize = 256 * 1024;
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
        self.read_from(&self.open()?, schema, confirmed, progress)
    }

    /// Returns the bytes of the file, and the last event that its state is made of, if the file can be
    /// used as [`read`](Self::read) uses it. What comes behind the header may be damaged.
    pub(crate) fn read_bytes(
        &self,
        schema: &'static SchemaDef,
        confirmed: SeqNum,
    ) -> Result<(Vec<u8>, SeqNum), Unusable> {
        let file = self.open()?;
        let header = self.read_header(&file, schema, confirmed)?;
        Ok((file.read_all().map_err(|error| damaged(&error))?, header.head))
    }

    /// Checks that these bytes of such a file, which were received, are whole.
    pub(crate) fn check_bytes(
        &self,
        bytes: &[u8],
        schema: &'static SchemaDef,
        confirmed: SeqNum,
    ) -> Result<(), Unusable> {
        let (header, body) =
            bytes.split_first_chunk().ok_or_else(|| damaged(&"its length is wrong"))?;
        let header = self.check(header, schema, confirmed)?;
        let digests: Vec<_> = body.chunks(PIECE).map(xxh3_64).collect();
        if header.checksum_with(&digests) == header.checksum {
            Ok(())
        } else {
            Err(damaged(&"its checksum does not match"))
        }
    }

    fn open(&self) -> Result<ReadFile, Unusable> {
        let opened = ReadFile::open(&self.path).map_err(|error| damaged(&error))?;
        opened.ok_or(Unusable::Missing)
    }

    fn read_header(
        &self,
        file: &ReadFile,
        schema: &'static SchemaDef,
        confirmed: SeqNum,
    ) -> Result<Header, Unusable> {
        let mut header = [0; HEADER];
        file.read_at(0, &mut header).map_err(|error| damaged(&error))?;
        self.check(&header, schema, confirmed)
    }

    /// Returns the state in a file that was opened, as [`read`](Self::read) does.
    pub(crate) fn read_from(
        &self,
        file: &ReadFile,
        schema: &'static SchemaDef,
        confirmed: SeqNum,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(State, u64), Unusable> {
        let header = self.read_header(file, schema, confirmed)?;
        let conn = read_body(file, &header, progress)?;
        check_texts(&conn)?;
        let mut state = State::over(conn, schema).map_err(|error| damaged(&error))?;
        state.head = header.head;
        Ok((state, file.length()))
    }

    /// Returns the state in the file, whatever schema it was made under, and that schema's hash. Nothing
    /// can be applied to this state.
    #[cfg(not(any(simulation, target_family = "wasm")))]
    pub(crate) fn read_untyped(&self, confirmed: SeqNum) -> Result<(State, i64), Unusable> {
        let (file, header) = self.open_untyped(confirmed)?;
        let conn = read_body(&file, &header, &mut |_, _| ())?;
        check_texts(&conn)?;
        let mut state = State::over(conn, SchemaDef::untyped()).map_err(|error| damaged(&error))?;
        state.head = header.head;
        Ok((state, header.schema_hash))
    }

    /// Returns the last event that the state in the file is made of, the hash of its schema, and the
    /// file's length. What comes behind the header may be damaged.
    #[cfg(not(any(simulation, target_family = "wasm")))]
    pub(crate) fn describe(&self, confirmed: SeqNum) -> Result<(SeqNum, i64, u64), Unusable> {
        let (file, header) = self.open_untyped(confirmed)?;
        Ok((header.head, header.schema_hash, file.length()))
    }

    #[cfg(not(any(simulation, target_family = "wasm")))]
    fn open_untyped(&self, confirmed: SeqNum) -> Result<(ReadFile, Header), Unusable> {
        let file = self.open()?;
        let mut header = [0; HEADER];
        file.read_at(0, &mut header).map_err(|error| damaged(&error))?;
        let header = Header::recognize(&header)?;
        self.check_log(&header, confirmed)?;
        Ok((file, header))
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

    /// Writes the database of a state, as [`write`](Self::write) does.
    pub(crate) fn write_body(
        &self,
        schema_hash: i64,
        head: SeqNum,
        body: &[u8],
    ) -> Result<u64, SnapshotError> {
        // The folder may be another's by now.
        self.log.flush()?;
        let log = self.log.fingerprint(head)?.ok_or(SnapshotError::NoSuchEvent(head))?;
        let mut header = Header {
            schema_hash,
            log: Log::from(&log),
            head,
            length: body.len() as u64,
            checksum: 0,
        };
        let digests: Vec<_> = body.chunks(PIECE).map(xxh3_64).collect();
        header.checksum = header.checksum_with(&digests);
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
        let header = Header::recognize(header)?;
        if schema.hash() != Ok(header.schema_hash) {
            return Err(Unusable::OtherSchema);
        }
        self.check_log(&header, confirmed)?;
        Ok(header)
    }

    /// Checks that the file is made of the log's events, and that none of them comes after `confirmed`.
    fn check_log(&self, header: &Header, confirmed: SeqNum) -> Result<(), Unusable> {
        if is_after(header.head, confirmed) {
            return Err(Unusable::Ahead(confirmed));
        }
        match self.log.fingerprint(header.head)?.as_ref().map(Log::from) {
            Some(log) if log.store != header.log.store => Err(Unusable::OtherStore),
            Some(log) if log.history != header.log.history => Err(Unusable::OtherHistory),
            Some(log) if log == header.log => Ok(()),
            _ => Err(Unusable::OtherEvents(header.head)),
        }
    }
}

/// Reads what comes behind the header, and checks that it is whole.
fn read_body(
    file: &ReadFile,
    header: &Header,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Connection, Unusable> {
    if file.length().checked_sub(HEADER as u64) != Some(header.length) {
        return Err(damaged(&"its length is wrong"));
    }
    let length = usize::try_from(header.length).map_err(|error| damaged(&error))?;
    let mut body = Body { file, digests: Vec::new(), progress };
    let mut conn = Connection::open_in_memory().map_err(|error| damaged(&error))?;
    conn.deserialize_read_exact(MAIN_DB, &mut body, length, false)
        .map_err(|error| damaged(&error))?;
    if header.checksum_with(&body.digests) != header.checksum {
        return Err(damaged(&"its checksum does not match"));
    }
    Ok(conn)
}

/// Checks that what the tables and columns are called is text: SQLite would show it as such.
fn check_texts(conn: &Connection) -> Result<(), Unusable> {
    let texts = || {
        let mut statement = conn.prepare("SELECT name, tbl_name, sql FROM sqlite_schema")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            (0..3).try_for_each(|column| row.get::<_, Option<String>>(column).map(drop))?;
        }
        Ok::<_, rusqlite::Error>(())
    };
    texts().map_err(|error| damaged(&error))
}

fn damaged(error: &dyn std::fmt::Display) -> Unusable {
    Unusable::Damaged(error.to_string())
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

    /// The checksum: over the rest of the header, and the hash of each piece of the body.
    fn checksum_with(&self, digests: &[u64]) -> u64 {
        let mut bytes = Self { checksum: 0, ..*self }.to_bytes();
        bytes.extend(digests.iter().flat_map(|digest| digest.to_le_bytes()));
        xxh3_64(&bytes)
    }

    /// The header of a snapshot in today's format.
    fn recognize(bytes: &[u8; HEADER]) -> Result<Self, Unusable> {
        match Self::from_bytes(bytes) {
            Some((header, FORMAT)) => Ok(header),
            Some((_, format)) => Err(Unusable::OtherFormat(format)),
            None => Err(damaged(&"it is not a snapshot")),
        }
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

/// A snapshot's body: its pieces are read, and hashed while they are still in the cache, on several
/// threads if it is large.
struct Body<'a> {
    file: &'a ReadFile,
    digests: Vec<u64>,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl Body<'_> {
    fn read_all(&mut self, body: &mut [u8]) -> io::Result<()> {
        let Self { file, digests, progress } = self;
        let (mut read, mut failed) = (HEADER as u64, None);
        digests.resize(body.len().div_ceil(PIECE), 0);
        let work = |n: usize, piece: &mut [u8]| {
            file.read_at((HEADER + n * PIECE) as u64, piece)?;
            Ok((xxh3_64(piece), piece.len() as u64))
        };
        for_each_chunk(body, PIECE, work, |n, done: io::Result<_>| match done {
            Ok((digest, length)) => {
                digests.get_mut(n).into_iter().for_each(|place| *place = digest);
                read += length;
                progress(read, file.length());
            }
            Err(error) => failed = Some(error),
        });
        failed.map_or(Ok(()), Err)
    }
}

/// SQLite's buffer is filled at once.
impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_all(buffer)?;
        Ok(buffer.len())
    }
}
