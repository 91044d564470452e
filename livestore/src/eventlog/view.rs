//! A log's file that is read as it is, whether or not a store has it open: nothing is changed, made or
//! removed, and no lock is taken that a store waits for.
//!
//! How SQLite can do that depends on what lies beside the file:
//!
//! | beside it | what it means | how it is read |
//! |---|---|---|
//! | no WAL, or an empty one | no store has it open, or one that has not written | as immutable, without locks |
//! | a WAL and its index | a store has it open, or has crashed | with the index, as any other reader |
//! | a WAL alone | it was copied without its index | without locks, with an index in memory |
//!
//! Without locks, a store that is opened meanwhile may write what is being read. It then changes the
//! file or its WAL: both are looked at before and after, and what was read in between is read again.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags, Row};

use super::connection::LogConnection;
use super::format::{self, Found};
use super::migrate::migrate;
use super::{
    EventlogError, Fingerprint, LogChange, LogStorage, RecordedShape, Upstream, VisitArgs,
};
use crate::edge::files::FileStamp;
use crate::event::{EncodedEvent, SeqNum};

/// The number of times that something is read which changes again and again. As long as a store has the
/// file open and has written, there is an index, and this does not happen.
const ATTEMPTS: u32 = 20;

/// SQLite's file system without locks.
const WITHOUT_LOCKS: &std::ffi::CStr = if cfg!(windows) { c"win32-none" } else { c"unix-none" };

/// A log's file that is only read.
#[derive(Debug)]
pub(crate) struct FileView {
    path: PathBuf,
    /// The store of a log in format 1, which does not say it.
    folder: String,
    reader: Mutex<Reader>,
}

#[derive(Debug)]
struct Reader {
    log: LogConnection,
    way: Way,
    stamps: Stamps,
    /// SQLite's count of what others have written, when it was last asked for.
    version: i64,
}

/// How the file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It does not change.
    Immutable,
    /// By the locks of a WAL, beside the one that writes.
    Shared,
    /// There is a WAL without an index.
    OwnIndex,
    /// It is in memory: a log in an earlier format, brought to today's.
    Copied,
}

/// What the file and those beside it looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamps {
    log: Option<FileStamp>,
    wal: Option<FileStamp>,
    has_index: bool,
}

impl Stamps {
    fn of(path: &Path) -> Result<Self, EventlogError> {
        let stamp =
            |path: &Path| FileStamp::at(path).map_err(|error| EventlogError::Io(error.into()));
        let wal = stamp(&beside(path, "-wal"))?.filter(|wal| wal.length() > 0);
        Ok(Self { log: stamp(path)?, wal, has_index: stamp(&beside(path, "-shm"))?.is_some() })
    }

    fn way(&self) -> Way {
        match (self.wal, self.has_index) {
            (None, _) => Way::Immutable,
            (Some(_), true) => Way::Shared,
            (Some(_), false) => Way::OwnIndex,
        }
    }
}

impl FileView {
    /// Opens the log at `path`. One in format 1 counts as the log of the store `folder`.
    pub(crate) fn open(path: &Path, folder: &str) -> Result<Self, EventlogError> {
        let reader = Reader::open(path, folder)?;
        Ok(Self { path: path.to_owned(), folder: folder.to_owned(), reader: Mutex::new(reader) })
    }

    /// The store that the log belongs to.
    pub(crate) fn store_id(&self) -> Result<String, EventlogError> {
        self.read_with(LogConnection::store_id)
    }

    /// The value under `key` of the log's table `meta`.
    pub(crate) fn meta(&self, key: &str) -> Result<Option<String>, EventlogError> {
        self.read_with(|log| log.find_meta(key))
    }

    /// For each name, the number of its events, and of the bytes of their args.
    pub(crate) fn sizes(&self) -> Result<Vec<(String, u64, u64)>, EventlogError> {
        self.read_with(LogConnection::sizes)
    }

    /// The bytes of the file and its WAL, as they are now.
    pub(crate) fn length(&self) -> u64 {
        let Ok(stamps) = Stamps::of(&self.path) else { return 0 };
        [stamps.log, stamps.wal].into_iter().flatten().map(|stamp| stamp.length()).sum()
    }

    /// Whether the log was written since this was last asked.
    pub(crate) fn has_changed(&self) -> Result<bool, EventlogError> {
        let mut reader = self.reader();
        let stamps = Stamps::of(&self.path)?;
        if reader.way != Way::Shared
            || stamps.way() != Way::Shared
            || stamps.log != reader.stamps.log
        {
            let changed = stamps != reader.stamps;
            if changed {
                *reader = Reader::open(&self.path, &self.folder)?;
            }
            return Ok(changed);
        }
        let version = reader.log.data_version()?;
        Ok(std::mem::replace(&mut reader.version, version) != version)
    }

    fn read_with<T>(
        &self,
        read: impl Fn(&LogConnection) -> Result<T, EventlogError>,
    ) -> Result<T, EventlogError> {
        let mut reader = self.reader();
        let mut attempts = 0;
        loop {
            if Stamps::of(&self.path)?.way() != reader.way && reader.way != Way::Copied {
                *reader = Reader::open(&self.path, &self.folder)?;
            }
            let done = read(&reader.log);
            attempts += 1;
            if matches!(reader.way, Way::Shared | Way::Copied) || attempts == ATTEMPTS {
                return done;
            }
            if Stamps::of(&self.path)? == reader.stamps {
                return done;
            }
            *reader = Reader::open(&self.path, &self.folder)?;
        }
    }

    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn open(path: &Path, folder: &str) -> Result<Self, EventlogError> {
        let stamps = Stamps::of(path)?;
        let way = stamps.way();
        let conn = connect(path, way)?;
        // Reading changes nothing, at the end neither.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        if way == Way::OwnIndex {
            conn.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        }
        match format::recognize(&conn, path)? {
            Found::Current => {
                let log = LogConnection::over(conn);
                let version = log.data_version()?;
                Ok(Self { log, way, stamps, version })
            }
            Found::Format1 => {
                let log = LogConnection::over(migrated(conn, folder)?);
                Ok(Self { log, way: Way::Copied, stamps, version: 0 })
            }
            Found::Empty => Err(EventlogError::NotAnEventlog { path: path.to_owned() }),
        }
    }
}

fn connect(path: &Path, way: Way) -> Result<Connection, EventlogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = match way {
        Way::Immutable => {
            let uri = format!("{}?immutable=1", uri(path));
            Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
        }
        Way::OwnIndex => Connection::open_with_flags_and_vfs(path, flags, WITHOUT_LOCKS),
        Way::Shared | Way::Copied => Connection::open_with_flags(path, flags),
    };
    let conn = conn?;
    conn.busy_timeout(super::busy::MAX_BUSY)?;
    Ok(conn)
}

/// A copy in memory, in today's format, of a log in format 1.
fn migrated(mut conn: Connection, store_id: &str) -> Result<Connection, EventlogError> {
    /// Where a file says that it has a WAL: the versions that one needs to write and to read it.
    const VERSIONS: std::ops::Range<usize> = 18..20;
    const WITHOUT_WAL: u8 = 1;
    let mut bytes = conn.serialize(MAIN_DB)?.to_vec();
    if let Some(versions) = bytes.get_mut(VERSIONS) {
        versions.fill(WITHOUT_WAL);
    }
    let mut copy = Connection::open_in_memory()?;
    copy.deserialize_read_exact(MAIN_DB, bytes.as_slice(), bytes.len(), false)?;
    migrate(&copy, store_id)?;
    Ok(copy)
}

/// The path of the file that SQLite has beside a database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The path as a URI, to which parameters can be added.
fn uri(path: &Path) -> String {
    let mut uri = String::from(if cfg!(windows) { "file:///" } else { "file:" });
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'/' | b':' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

impl LogConnection {
    /// A number that changes when another connection has written the file.
    fn data_version(&self) -> Result<i64, EventlogError> {
        Ok(self.conn.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// For each name, the number of its events, and of the bytes of their args. Reads the whole log.
    fn sizes(&self) -> Result<Vec<(String, u64, u64)>, EventlogError> {
        let select = "SELECT name, COUNT(*), SUM(octet_length(args)) FROM eventlog GROUP BY name";
        let mut statement = self.conn.prepare(select)?;
        let number = |row: &Row<'_>, n| row.get(n).map(i64::cast_unsigned);
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, number(row, 1)?, number(row, 2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// What would write it, fails.
impl LogStorage for FileView {
    fn append(&self, _: &mut Vec<EncodedEvent>) -> Result<(), EventlogError> {
        Err(EventlogError::Closed)
    }

    fn retract(&self, _: SeqNum) -> Result<(), EventlogError> {
        Err(EventlogError::Closed)
    }

    fn change(&self, _: &LogChange<'_>) -> Result<(), EventlogError> {
        Err(EventlogError::Closed)
    }

    fn flush(&self) -> Result<(), EventlogError> {
        Ok(())
    }

    fn read_within(
        &self,
        after: SeqNum,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<EncodedEvent>, EventlogError> {
        self.read_with(|log| log.read_within(after, limit, max_bytes))
    }

    fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        self.read_with(LogConnection::last)
    }

    fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        self.read_with(|log| log.count(after))
    }

    fn skip(&self, after: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        self.read_with(|log| log.skip(after, count))
    }

    fn skip_back(&self, up_to: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        self.read_with(|log| log.skip_back(up_to, count))
    }

    fn count_of_session(&self, session_id: &str) -> Result<u64, EventlogError> {
        self.read_with(|log| log.count_of_session(session_id))
    }

    fn fingerprint(&self, seq: SeqNum) -> Result<Option<Fingerprint>, EventlogError> {
        self.read_with(|log| log.fingerprint(seq))
    }

    fn upstream(&self) -> Result<Option<Upstream>, EventlogError> {
        self.read_with(LogConnection::upstream)
    }

    fn shapes(&self) -> Result<Vec<RecordedShape>, EventlogError> {
        self.read_with(LogConnection::shapes)
    }

    fn visit_named(&self, name: &str, visit: VisitArgs<'_>) -> Result<(), EventlogError> {
        self.reader().log.visit_named(name, visit)
    }
}
