use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};

use livestore_protocol::SyncEvent;
use livestore_protocol::Timestamp;
use rusqlite::Connection;

use super::*;
use crate::store::conformance;

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
    let queue = Queue::start(Writer::new(connection, StoreLimits::NONE)).unwrap();
    let append = |parent: u64, bytes: usize| {
        let args = format!(r#"{{"t":"{}"}}"#, "x".repeat(bytes));
        let events = Arc::from([event(parent, &args)]);
        ask(|reply| queue.put(Job::Append { store: store.clone(), events, reply }))
    };
    ask(|reply| queue.put(Job::Open { store: store.clone(), reply })).unwrap();
    append(0, 100).unwrap();
    assert_eq!(append(1, 200_000), Err(StoreError::DiskFull));
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
