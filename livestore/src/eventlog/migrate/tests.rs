#![allow(clippy::disallowed_methods, reason = "tests have files")]

use std::path::{Path, PathBuf};

use super::*;
use crate::event::EncodedEvent;
use crate::eventlog::connection::LogConnection;
use crate::eventlog::{Durability, EventlogError};

/// The tables of format 1, as they were made.
const FORMAT_1: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE eventlog (
      seq_global INTEGER NOT NULL,
      seq_client INTEGER NOT NULL,
      seq_generation INTEGER NOT NULL,
      parent_global INTEGER NOT NULL,
      parent_client INTEGER NOT NULL,
      parent_generation INTEGER NOT NULL,
      name TEXT NOT NULL,
      args TEXT NOT NULL,
      client_id TEXT NOT NULL,
      session_id TEXT NOT NULL,
      schema_hash INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      sync_metadata TEXT,
      PRIMARY KEY (seq_global, seq_client)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    PRAGMA application_id = 0x4c536576;
    PRAGMA user_version = 1;
    INSERT INTO meta VALUES ('log_id', 'the log'), ('client_id', 'the client'),
      ('upstream_head', '2000'), ('rebase_generation', '3'), ('backend_id', 'the backend');
";

const EVENTS: u64 = 2_500;

/// A log of format 1 with more events than are read at a time.
struct Log {
    directory: tempfile::TempDir,
    events: Vec<EncodedEvent>,
}

impl Log {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let conn = Connection::open(directory.path().join("eventlog.db")).unwrap();
        conn.execute_batch(FORMAT_1).unwrap();
        let (mut before, mut events) = (SeqNum::ROOT, Vec::new());
        conn.execute_batch("BEGIN").unwrap();
        for n in 0..EVENTS {
            let (seq, parent) = before.next(n % 10 == 9);
            let event = EncodedEvent {
                seq,
                parent,
                name: format!("v1.Event{}", n % 3).into(),
                args: format!(r#"{{"n":{n},"text":"ä𝄞"}}"#),
                client_id: "c".into(),
                session_id: "static".into(),
                schema_hash: -7,
                sync_metadata: (seq.global <= 2_000).then(|| "null".to_owned()),
                continues: false,
                command: None,
            };
            insert(&conn, before, &event);
            before = seq;
            events.push(event);
        }
        conn.execute_batch("COMMIT").unwrap();
        Self { directory, events }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("eventlog.db")
    }

    fn sqlite(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn open(&self) -> Result<LogConnection, EventlogError> {
        open(&self.path())
    }
}

fn insert(conn: &Connection, before: SeqNum, event: &EncodedEvent) {
    let EncodedEvent { seq, parent, .. } = event;
    let checksum = Chain::default().checksum_of_format_1(before, &event.into());
    let values = "INSERT INTO eventlog VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = conn.prepare_cached(values).unwrap().execute(params![
        place(*seq).0,
        place(*seq).1,
        seq.generation.cast_signed(),
        place(*parent).0,
        place(*parent).1,
        parent.generation.cast_signed(),
        event.name,
        event.args,
        event.client_id,
        event.session_id,
        event.schema_hash,
        checksum,
        event.sync_metadata,
    ]);
    assert_eq!(values, Ok(1));
}

fn open(path: &Path) -> Result<LogConnection, EventlogError> {
    LogConnection::open_or_create(path, Durability::Written, "todos", || unreachable!())
}

fn all(log: &LogConnection) -> Vec<EncodedEvent> {
    log.read_within(SeqNum::ROOT, usize::MAX, usize::MAX).unwrap()
}

fn format(conn: &Connection) -> i64 {
    conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[test]
fn events_heads_and_ids_are_as_before() {
    let log = Log::new();
    for _ in 0..2 {
        let opened = log.open().unwrap();
        assert_eq!(all(&opened), log.events);
        let upstream = opened.upstream().unwrap().unwrap();
        assert_eq!((upstream.head, upstream.generation), (2_000, 3));
        assert_eq!(upstream.backend_id.as_deref(), Some("the backend"));
        assert_eq!(opened.meta("client_id", || unreachable!()).unwrap(), "the client");
        assert_eq!(opened.store_id().unwrap(), "todos");
        let last = log.events.last().unwrap().seq;
        assert_eq!(opened.fingerprint(last).unwrap().unwrap().history_id, "the log");
        assert_eq!(format(&opened.conn), FORMAT);
    }
}

/// A log that was migrated and one that was written as it is now have the same checksums.
#[test]
fn the_chain_is_that_of_a_new_log() {
    let (log, home) = (Log::new(), tempfile::tempdir().unwrap());
    let path = home.path().join("eventlog.db");
    let new =
        LogConnection::open_or_create(&path, Durability::Written, "todos", || "id".to_owned());
    let new = new.unwrap();
    new.append(&log.events, &[]).unwrap();
    let migrated = log.open().unwrap();
    for event in &log.events {
        let checksum = |log: &LogConnection| log.fingerprint(event.seq).unwrap().unwrap().checksum;
        assert_eq!(checksum(&migrated), checksum(&new), "{}", event.seq);
    }
}

/// A crash leaves what the other files say while the transaction is open.
#[test]
fn a_crash_before_the_end_leaves_format_1() {
    let log = Log::new();
    let conn = log.sqlite();
    // Nearly everything goes to the WAL before the commit.
    conn.execute_batch("PRAGMA cache_size = 2; BEGIN").unwrap();
    convert(&conn, "todos").unwrap();
    let crashed = tempfile::tempdir().unwrap();
    for file in ["eventlog.db", "eventlog.db-wal"] {
        std::fs::copy(log.directory.path().join(file), crashed.path().join(file)).unwrap();
    }
    let path = crashed.path().join("eventlog.db");
    let left = Connection::open(&path).unwrap();
    assert_eq!(format(&left), 1);
    let columns = "SELECT COUNT(*) FROM pragma_table_info('eventlog')";
    assert_eq!(left.query_row(columns, [], |row| row.get(0)), Ok(13));
    drop(left);
    assert_eq!(all(&open(&path).unwrap()), log.events);

    conn.execute_batch("COMMIT").unwrap();
    assert_eq!(all(&log.open().unwrap()), log.events);
}

#[test]
fn an_error_on_the_way_leaves_format_1() {
    let log = Log::new();
    let conn = log.sqlite();
    let refuse = "CREATE TEMP TRIGGER refuse BEFORE UPDATE ON eventlog WHEN OLD.seq_global = 2100 \
                  BEGIN SELECT RAISE(ABORT, 'no'); END";
    conn.execute_batch(refuse).unwrap();
    migrate(&conn, "todos").unwrap_err();
    assert_eq!(format(&conn), 1);
    assert!(conn.is_autocommit());
    drop(conn);
    assert_eq!(all(&log.open().unwrap()), log.events);
}

/// New checksums must not make a damaged event a true one.
#[test]
fn damage_from_before_is_still_found() {
    for damage in [
        "UPDATE eventlog SET args = '{}' WHERE seq_global = 1500 AND seq_client = 0",
        "UPDATE eventlog SET name = CAST(x'ff' AS TEXT) WHERE seq_global = 1500 AND seq_client = 0",
        "UPDATE eventlog SET checksum = 0 WHERE seq_global = 1500 AND seq_client = 0",
        "DELETE FROM eventlog WHERE seq_global = 1499",
    ] {
        let log = Log::new();
        log.sqlite().execute(damage, []).unwrap();
        let opened = log.open().unwrap();
        let read = all(&opened);
        let intact = log.events.iter().take_while(|event| event.seq.global < 1_499).count();
        assert!((intact..=intact + 2).contains(&read.len()), "{damage}: {}", read.len());
        assert_eq!(log.events.get(..read.len()), Some(&*read), "{damage}");
        let next = opened.read_within(read.last().unwrap().seq, 10, usize::MAX);
        let at = Some(SeqNum::new(1_500));
        assert!(matches!(next, Err(EventlogError::Corrupt { at: found, .. }) if found == at));
        // What comes behind it is read.
        let behind = opened.read_within(SeqNum::new(1_501), usize::MAX, usize::MAX).unwrap();
        assert_eq!(behind.last(), log.events.last());
    }
}
