//! A log knows itself: which store it belongs to, and which snapshots are made of its events.

use std::fs;
use std::path::Path;

use livestore::prelude::*;

use crate::app::{App, Counter, Todo, UiState, counted, created};
use crate::kit::{Home, log_of};

/// Commits `events` counts of `by` in the store, and closes it, which writes a snapshot.
fn count(home: &Home, events: usize, by: i64) {
    // Without one, the store finds a snapshot worth its while.
    let _ = fs::remove_file(home.snapshot());
    let store = home.open::<App>();
    for _ in 0..events {
        store.commit(counted("n", by)).unwrap();
    }
    store.close().unwrap();
    assert!(home.snapshot().exists());
}

/// Opens the store; its state is that of its log, and was made from it if `replayed`.
#[track_caller]
fn assert_true_to_log(home: &Home, is_replayed: bool) {
    let expected = home.replayed_hash::<App>();
    let (store, boot) = home.boot::<App>();
    let events = log_of(&store).len() as u64;
    assert_eq!(boot.replayed() == events, is_replayed, "{} of {events}", boot.replayed());
    assert_eq!(store.state_hash().unwrap(), expected);
}

fn copy_snapshot(from: &Home, to: &Home) {
    fs::copy(from.snapshot(), to.snapshot()).unwrap();
}

#[test]
fn a_snapshot_of_a_copy_that_went_its_own_way_is_not_used() {
    let home = Home::new();
    count(&home, 1, 1);
    let copy = home.copy();
    count(&home, 50, 1);
    // At, before and behind the place where the other one's snapshot ends.
    for events in [30, 50, 90] {
        let copy = copy.copy();
        count(&copy, events, 100);
        assert_true_to_log(&copy, false);
        copy_snapshot(&home, &copy);
        assert_true_to_log(&copy, true);
    }
}

#[test]
fn a_snapshot_of_a_copy_that_has_the_same_events_is_used() {
    let home = Home::new();
    count(&home, 50, 1);
    let copy = home.copy();
    count(&copy, 60, 1);
    copy_snapshot(&home, &copy);
    let (store, boot) = copy.boot::<App>();
    assert_eq!(boot.replayed(), 60);
    assert_eq!(store.query(Counter::get("n")).unwrap().unwrap().value, 110);
}

#[test]
fn a_snapshot_of_another_store_with_as_many_events_is_not_used() {
    let (home, other) = (Home::new(), Home::new());
    count(&home, 40, 1);
    count(&other, 40, 1);
    copy_snapshot(&other, &home);
    assert_true_to_log(&home, true);
}

/// The log comes from a backup, and grows past the head of a snapshot that is newer than the backup.
#[test]
fn a_snapshot_from_before_a_backup_was_restored_is_not_used() {
    let home = Home::new();
    count(&home, 10, 1);
    let backup = home.copy();
    count(&home, 40, 1);
    copy_snapshot(&home, &backup);
    // It ends before the snapshot does.
    assert_true_to_log(&backup, true);
    for events in [40, 60] {
        let backup = backup.copy();
        count(&backup, events, 7);
        copy_snapshot(&home, &backup);
        assert_true_to_log(&backup, true);
    }
}

/// Opens the store `id`.
fn open(directory: &Path, id: &str) -> Result<Store<App>, OpenError> {
    Store::<App>::builder(id).directory(directory).open()
}

#[test]
fn a_log_of_another_store_is_refused_and_left_alone() {
    let home = Home::new();
    open(home.path(), "a").unwrap().commit(created("of a")).unwrap();
    fs::rename(home.path().join("a"), home.path().join("b")).unwrap();
    let path = home.path().join("b/eventlog.db");
    let before = fs::read(&path).unwrap();
    let error = open(home.path(), "b").unwrap_err();
    let (found, store_id) = ("a".to_owned(), "b".to_owned());
    assert_eq!(error, OpenError::OtherStore { path: path.clone(), found, store_id });
    assert_eq!(
        error.to_string(),
        format!(
            "{} is the eventlog of the store \"a\", not of \"b\"; \
             open it as \"a\", or move it away to begin an empty \"b\"",
            path.display()
        )
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    // Back under its own name it is as it was.
    fs::rename(home.path().join("b"), home.path().join("a")).unwrap();
    let a = open(home.path(), "a").unwrap();
    assert_eq!(a.query(Todo::all().count()).unwrap(), 1);
}

#[test]
fn ids_that_differ_in_case_are_different_stores() {
    let home = Home::new();
    let ids = ["todos", "Todos", "TODOS", "todoS", "con", "CON", "nul.x", "v1.", "V1."];
    for (n, id) in ids.into_iter().enumerate() {
        let store = open(home.path(), id).unwrap();
        store.commit((0..=n).map(created).collect::<Vec<_>>()).unwrap();
    }
    for (n, id) in ids.into_iter().enumerate() {
        let store = open(home.path(), id).unwrap();
        assert_eq!(store.query(Todo::all().count()).unwrap(), n as u64 + 1, "{id}");
    }
    let mut folders: Vec<_> = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_ascii_lowercase())
        .collect();
    folders.sort();
    folders.dedup();
    assert_eq!(folders.len(), ids.len(), "{folders:?}");
}

/// Earlier versions named a folder as the store, capitals and all.
#[test]
fn a_folder_of_an_earlier_version_is_found() {
    let home = Home::new();
    open(home.path(), "Todos").unwrap().commit(created("a")).unwrap();
    let (now, earlier) = (home.path().join("todos~1"), home.path().join("Todos"));
    fs::rename(&now, &earlier).unwrap();
    for _ in 0..2 {
        let store = open(home.path(), "Todos").unwrap();
        assert_eq!(store.query(Todo::all().count()).unwrap(), 1);
        assert!(now.exists() && !earlier.exists());
    }
    // That it is there twice takes nothing from the one that is used.
    fs::create_dir(&earlier).unwrap();
    let store = open(home.path(), "Todos").unwrap();
    assert_eq!(store.query(Todo::all().count()).unwrap(), 1);
    assert_eq!(open(home.path(), "todos").unwrap().head().unwrap(), SeqNum::ROOT);
    assert!(earlier.exists());
}

/// Several find the folder of an earlier version at once: one of them opens the store.
#[test]
fn one_of_many_opens_a_folder_of_an_earlier_version() {
    let home = Home::new();
    open(home.path(), "Todos").unwrap().commit(created("a")).unwrap();
    fs::rename(home.path().join("todos~1"), home.path().join("Todos")).unwrap();
    let opened: Vec<_> = std::thread::scope(|scope| {
        let open = || scope.spawn(|| open(home.path(), "Todos"));
        let threads: Vec<_> = (0..4).map(|_| open()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for store in &opened {
        match store {
            Ok(store) => assert_eq!(store.query(Todo::all().count()).unwrap(), 1),
            Err(error) => assert!(matches!(error, OpenError::Locked { .. }), "{error}"),
        }
    }
    assert!(opened.iter().any(Result::is_ok));
}

#[test]
fn an_event_knows_its_commit() {
    let home = Home::new();
    let store = home.open::<App>();
    store.commit(created("a")).unwrap();
    store.commit((created("b"), UiState::set().zoom(2), created("c"))).unwrap();
    store.commit([created("d"), created("e")]).unwrap();
    let expected = [false, false, true, true, false, true];
    let continues =
        |store: &Store<App>| log_of(store).iter().map(|event| event.continues).collect::<Vec<_>>();
    assert_eq!(continues(&store), expected);
    store.close().unwrap();
    assert_eq!(continues(&home.open()), expected);
}
