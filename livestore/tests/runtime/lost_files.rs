//! Files that somebody deletes, moves or replaces while the store has them open.

use std::fs;
use std::path::Path;

use livestore::eventlog::EventlogError;
use livestore::prelude::*;
use livestore::store::CloseError;

use crate::app::{App, created};
use crate::kit::{Home, log_of};

const DURABILITIES: [Durability; 3] =
    [Durability::Buffered, Durability::Written, Durability::Synced];

/// More commits than may go unnoticed.
const COMMITS: u64 = 40;

fn delete_folder(home: &Home) {
    fs::remove_dir_all(home.folder()).unwrap();
}

fn move_folder(home: &Home) {
    fs::rename(home.folder(), home.path().join("elsewhere")).unwrap();
}

fn delete_log(home: &Home) {
    fs::remove_file(home.eventlog()).unwrap();
}

fn delete_wal(home: &Home) {
    fs::remove_file(home.wal()).unwrap();
}

/// The memory that all connections share: one that opens now would not see the locks of the others.
fn delete_shared_memory(home: &Home) {
    fs::remove_file(home.eventlog().with_extension("db-shm")).unwrap();
}

fn replace_log(home: &Home) {
    let copy = home.path().join("copy");
    fs::copy(home.eventlog(), &copy).unwrap();
    fs::rename(copy, home.eventlog()).unwrap();
}

#[track_caller]
fn assert_lost(error: &EventlogError, folder: &Path) {
    let error = match error {
        EventlogError::Unwritten(error) => error,
        error => error,
    };
    let EventlogError::FileLost { path } = error else { panic!("{error:?}") };
    assert!(path.starts_with(folder), "{path:?}");
    assert!(error.to_string().contains("deleted, moved or replaced"), "{error}");
}

#[test]
fn flush_and_close_notice_that_the_files_are_lost() {
    let losses =
        [delete_folder, move_folder, delete_log, delete_wal, delete_shared_memory, replace_log];
    for lose in losses {
        for durability in DURABILITIES {
            let home = Home::new();
            let store = home.builder::<App>().durability(durability).open().unwrap();
            store.commit(created("before")).unwrap();
            store.flush().unwrap();
            lose(&home);
            assert_lost(&store.flush().unwrap_err(), &home.folder());
            let error = store.close().unwrap_err();
            let CloseError::Unwritten(error) = error else { panic!("{error:?}") };
            assert_lost(&error, &home.folder());
        }
    }
}

#[test]
fn commits_notice_it_the_synced_ones_at_once() {
    for durability in DURABILITIES {
        let home = Home::new();
        let store = home.builder::<App>().durability(durability).open().unwrap();
        store.commit(created("before")).unwrap();
        store.flush().unwrap();
        delete_folder(&home);
        let (mut committed, mut refused) = (0, None);
        while refused.is_none() && committed < COMMITS {
            refused = store.commit(created(committed)).err();
            committed += 1;
            if durability == Durability::Buffered {
                // It is written a moment later.
                let _ = store.flush();
            }
        }
        let Some(CommitError::Eventlog(error)) = refused else { panic!("{refused:?}") };
        assert_lost(&error, &home.folder());
        if durability == Durability::Synced {
            assert_eq!(committed, 1);
        }
        // Nothing is lost before the store is closed.
        let hash = store.state_hash().unwrap();
        assert_eq!(log_of(&store).len() as u64, store.head().unwrap().global);
        store.reset_state().unwrap();
        assert_eq!(store.state_hash().unwrap(), hash);
        assert!(store.commit(created("again")).is_err());
        drop(store);
        assert_eq!(home.open::<App>().head().unwrap(), SeqNum::ROOT);
    }
}

#[test]
fn a_store_whose_folder_comes_back_works_on() {
    let home = Home::new();
    let store = home.builder::<App>().durability(Durability::Synced).open().unwrap();
    store.commit(created("a")).unwrap();
    move_folder(&home);
    assert!(store.commit(created("b")).is_err());
    fs::rename(home.path().join("elsewhere"), home.folder()).unwrap();
    store.commit(created("b")).unwrap();
    store.close().unwrap();
    assert_eq!(home.open::<App>().head().unwrap(), SeqNum::new(2));
}

#[test]
fn closing_a_store_leaves_alone_what_took_its_place() {
    let home = Home::new();
    let store = home.open::<App>();
    store.commit((0..100).map(created).collect::<Vec<_>>()).unwrap();
    move_folder(&home);
    let other = home.open::<App>();
    other.commit(created("other")).unwrap();
    assert!(store.close().is_err());
    assert!(!home.snapshot().exists(), "a snapshot of another store's events");
    other.commit(created("another")).unwrap();
    other.close().unwrap();
    assert_eq!(home.open::<App>().head().unwrap(), SeqNum::new(2));
}
