use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};

use livestore_protocol::SyncEvent;
use livestore_protocol::Timestamp;
use rusqlite::Connection;

use super::*;
use crate::store::conformance;

fn start(path: &Path, connection: Connection) -> Queue {
    let files = FileWatch::new(&[path]).unwrap();
    Queue::start(Writer::new(connection, StoreLimits::NONE, Arc::new(files))).unwrap()
}

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Durability::Synced, StoreLimits::NONE).unwrap()
}

fn ask<T: Send + 'static>(question: impl FnOnce(Reply<T>)) -> Result<T, StoreError> {
    let (sender, answer) = mpsc::channel();
    question(Box::new(move |result| drop(sender.send(result))));
    answer.recv().unwrap()
}

fn event(parent: u64, args: &str) -> StoredEvent {
    let event = SyncEvent {
        seq: parent + 1,
        parent,
        name: "n".to_owned(),
        args: args.to_owned(),
        client_id: "c".into(),
        session_id: "s".into(),
        metadata: None,
    };
    StoredEvent::new(event, Timestamp::from_millis(0))
}

fn append(storage: &SqliteStore, store: &StoreId, event: StoredEvent) -> Result<(), StoreError> {
    ask(|reply| storage.append(store, Arc::from([event]), reply))
}

fn read(storage: &SqliteStore, store: &StoreId) -> Result<Vec<u64>, StoreError> {
    let mut seqs = Vec::new();
    storage.read(store, 0, &mut |stored| {
        seqs.push(stored.event().seq);
        ControlFlow::Continue(())
    })?;
    Ok(seqs)
}

#[test]
fn it_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let next = AtomicU32::new(0);
    for durability in [Durability::Synced, Durability::Written] {
        conformance::check(|limits| {
            let name = next.fetch_add(1, Ordering::Relaxed).to_string();
            SqliteStore::open(&directory.path().join(name), durability, limits).unwrap()
        });
    }
    conformance::check_reopen(|| open(&directory.path().join("kept")));
}

#[test]
fn a_directory_belongs_to_one_server() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path());
    let second = SqliteStore::open(directory.path(), Durability::Synced, StoreLimits::NONE);
    assert!(matches!(second, Err(OpenStoreError::InUse(_))), "{second:?}");
    drop(first);
    open(directory.path());
}

#[test]
fn a_file_of_another_format_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.db");
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
    let opened = SqliteStore::open(directory.path(), Durability::Synced, StoreLimits::NONE);
    assert!(matches!(opened, Err(OpenStoreError::Format { found: 9, .. })), "{opened:?}");
}

#[test]
fn a_damaged_event_is_told_and_not_passed_on() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, store) = (open(directory.path()), StoreId::new("s").unwrap());
    ask(|reply| storage.open(&store, reply)).unwrap();
    for parent in 0..3 {
        append(&storage, &store, event(parent, "{}")).unwrap();
    }
    let other = Connection::open(directory.path().join("events.db")).unwrap();
    other.execute("UPDATE events SET args = '[]' WHERE place & 0xff = 2", ()).unwrap();
    assert_eq!(read(&storage, &store), Err(StoreError::Corrupt { seq: 2 }));
}

#[test]
fn a_full_disk_loses_nothing_and_ends_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.db");
    let store = StoreId::new("s").unwrap();
    let connection = file::open(&path, Durability::Synced).unwrap();
    // As much as SQLite may use: it reports what a full disk does.
    connection.pragma_update(None, "max_page_count", 20).unwrap();
    let queue = start(&path, connection);
    let check = || ask(|reply| queue.put(Job::Check { reply }));
    let append = |parent: u64, bytes: usize| {
        let args = format!(r#"{{"t":"{}"}}"#, "x".repeat(bytes));
        let events = Arc::from([event(parent, &args)]);
        ask(|reply| queue.put(Job::Append { store: store.clone(), events, reply }))
    };
    ask(|reply| queue.put(Job::Open { store: store.clone(), backend_id: None, reply })).unwrap();
    append(0, 100).unwrap();
    assert_eq!(append(1, 200_000), Err(StoreError::DiskFull));
    assert_eq!(check(), Ok(()), "a little can be written");
    append(1, 100).unwrap();
    assert_eq!(append(1, 100), Err(StoreError::Behind { head: 2 }));
    drop(queue);
    assert_eq!(read(&open(directory.path()), &store), Ok(vec![1, 2]));
}

#[test]
fn a_backup_is_whole_and_can_be_served() {
    let (directory, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (storage, store) = (open(directory.path()), StoreId::new("s").unwrap());
    let opened = ask(|reply| storage.open(&store, reply)).unwrap();
    append(&storage, &store, event(0, "{}")).unwrap();
    let reader = SqliteStore::reader(directory.path()).unwrap();
    reader.backup(copy.path()).unwrap();
    append(&storage, &store, event(1, "{}")).unwrap();
    let again = reader.backup(copy.path());
    assert!(matches!(again, Err(OpenStoreError::Io { .. })), "a backup is not overwritten");
    let restored = open(copy.path());
    assert_eq!(read(&restored, &store), Ok(vec![1]));
    let reopened = ask(|reply| restored.open(&store, reply)).unwrap();
    assert_eq!(reopened.backend_id, opened.backend_id);
    append(&restored, &store, event(1, "{}")).unwrap();
}

#[test]
fn what_is_synced_is_on_disk_on_a_mac_too() {
    let directory = tempfile::tempdir().unwrap();
    let file = file::open(&directory.path().join("events.db"), Durability::Synced).unwrap();
    for (pragma, expected) in [("synchronous", 2), ("fullfsync", 1), ("checkpoint_fullfsync", 1)] {
        let value: i64 = file.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
        assert_eq!(value, expected, "{pragma}");
    }
}

#[cfg(unix)]
#[test]
fn files_that_are_lost_are_noticed_whoever_asks_first() {
    let remove =
        |name: &'static str| move |data: &Path| std::fs::remove_file(data.join(name)).unwrap();
    let replace = |data: &Path| {
        std::fs::copy(data.join("events.db"), data.join("copy")).unwrap();
        std::fs::rename(data.join("copy"), data.join("events.db")).unwrap();
    };
    let rename = |data: &Path| std::fs::rename(data, data.with_file_name("elsewhere")).unwrap();
    let rename_and_serve = |data: &Path| {
        rename(data);
        append(&opened(data), &StoreId::new("s").unwrap(), event(0, "[]")).unwrap();
    };
    let losses: [&dyn Fn(&Path); 8] = [
        &|data| std::fs::remove_dir_all(data).unwrap(),
        &remove("events.db"),
        &remove("events.db-wal"),
        &remove("events.db-shm"),
        &remove("lock"),
        &replace,
        &rename,
        &rename_and_serve,
    ];
    let store = StoreId::new("s").unwrap();
    type Ask<'a> = &'a dyn Fn(&SqliteStore) -> Result<(), StoreError>;
    let asks: [Ask<'_>; 5] = [
        &|storage| ask(|reply| storage.check(reply)),
        &|storage| append(storage, &store, event(1, "{}")),
        &|storage| ask(|reply| storage.open(&store, reply)).map(drop),
        &|storage| ask(|reply| storage.open(&StoreId::new("new").unwrap(), reply)).map(drop),
        &|storage| read(storage, &store).map(drop),
    ];
    for (loss, lose) in losses.into_iter().enumerate() {
        for first in 0..asks.len() {
            let home = tempfile::tempdir().unwrap();
            let data = home.path().join("data");
            let storage = opened(&data);
            append(&storage, &store, event(0, "{}")).unwrap();
            assert_eq!(read(&storage, &store), Ok(vec![1]));
            lose(&data);
            for ask in asks.iter().cycle().skip(first).take(asks.len()) {
                let error = ask(&storage).unwrap_err();
                assert!(matches!(error, StoreError::FileLost { .. }), "{loss} {first}: {error}");
                assert!(!error.to_string().contains(&*home.path().to_string_lossy()), "{error}");
            }
        }
    }
}

/// A storage with the store `s`, which was opened.
fn opened(directory: &Path) -> SqliteStore {
    let storage = open(directory);
    ask(|reply| storage.open(&StoreId::new("s").unwrap(), reply)).unwrap();
    storage
}

#[test]
fn a_disk_that_refuses_for_a_while_is_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.db");
    let store = StoreId::new("s").unwrap();
    let connection = file::open(&path, Durability::Synced).unwrap();
    connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    let queue = start(&path, connection);
    let check = || ask(|reply| queue.put(Job::Check { reply }));
    let append = || {
        let (store, events) = (store.clone(), Arc::from([event(0, "{}")]));
        ask(|reply| queue.put(Job::Append { store, events, reply }))
    };
    ask(|reply| queue.put(Job::Open { store: store.clone(), backend_id: None, reply })).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(append(), Err(StoreError::Unavailable(_))));
    assert!(matches!(check(), Err(StoreError::Unavailable(_))));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(check(), Ok(()));
    assert_eq!(append(), Ok(()));
}

#[test]
fn only_an_error_that_leaves_the_disk_uncertain_is_for_good() {
    use rusqlite::ffi;
    let of = |code| reader::failed(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
    assert_eq!(of(ffi::SQLITE_FULL), StoreError::DiskFull);
    for code in [ffi::SQLITE_BUSY, ffi::SQLITE_READONLY_DBMOVED, ffi::SQLITE_IOERR_WRITE] {
        assert!(matches!(of(code), StoreError::Unavailable(_)), "{code}");
    }
    for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC, ffi::SQLITE_CORRUPT] {
        assert!(matches!(of(code), StoreError::Failed(_)), "{code}");
    }
}
