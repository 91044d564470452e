//! Directories and files that are not what a store needs.

use std::fs;

use livestore::eventlog::EventlogError;
use livestore::prelude::*;

use crate::app::{App, Todo, created};
use crate::kit::{Home, STORE};

fn refused(home: &Home) -> OpenError {
    home.builder::<App>().open().unwrap_err()
}

#[test]
fn a_missing_directory_is_made() {
    let home = Home::new();
    let deep = home.path().join("a/b/c");
    let open = || Store::<App>::builder(STORE).directory(&deep).open().unwrap();
    open().commit(created("a")).unwrap();
    assert_eq!(open().query(Todo::all().count()).unwrap(), 1);
}

#[test]
fn a_file_is_no_directory() {
    let home = Home::new();
    fs::write(home.folder(), "mine").unwrap();
    let OpenError::Directory { path, source } = refused(&home) else { panic!("no error") };
    assert_eq!(path, home.folder());
    assert!(!source.to_string().is_empty());
    assert_eq!(fs::read(home.folder()).unwrap(), b"mine");

    let below = Store::<App>::builder("below").directory(home.folder()).open();
    assert!(matches!(below, Err(OpenError::Directory { .. })));
}

#[test]
fn a_folder_where_a_file_belongs_is_refused_or_done_without() {
    let home = Home::new();
    fs::create_dir_all(home.eventlog()).unwrap();
    assert!(matches!(refused(&home), OpenError::Eventlog(EventlogError::Io(_))));

    let home = Home::new();
    fs::create_dir_all(home.folder().join("lock")).unwrap();
    assert!(matches!(refused(&home), OpenError::Directory { .. }));

    let home = Home::new();
    fs::create_dir_all(home.snapshot()).unwrap();
    for n in 1..=3 {
        let store = home.open::<App>();
        store.commit(created(n)).unwrap();
        assert_eq!(store.query(Todo::all().count()).unwrap(), n);
        store.close().unwrap();
    }
}

#[test]
fn a_store_id_cannot_leave_the_directory() {
    let home = Home::new();
    let long = "a".repeat(101);
    for id in ["", ".", "..", "../todos", "a/b", "a\\b", "/etc", "C:", "a\0", "todo\n", "ö", &long]
    {
        let error = Store::<App>::builder(id).directory(home.path()).open().unwrap_err();
        assert!(matches!(&error, OpenError::StoreId { id: found, .. } if found == id), "{error:?}");
        assert!(matches!(Store::<App>::builder(id).open(), Err(OpenError::StoreId { .. })));
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn other_files_are_not_taken_for_an_eventlog() {
    let foreign = Home::new();
    let path = foreign.path().join("foreign.db");
    let sqlite = rusqlite::Connection::open(&path).unwrap();
    sqlite
        .execute_batch("CREATE TABLE diary (text TEXT); INSERT INTO diary VALUES ('Dear')")
        .unwrap();
    drop(sqlite);

    let text = "Dear diary, ".repeat(1_000).into_bytes();
    for content in [text.clone(), text[..7].to_vec(), vec![0; 5_000], fs::read(path).unwrap()] {
        let home = Home::new();
        fs::create_dir(home.folder()).unwrap();
        fs::write(home.eventlog(), &content).unwrap();
        let path = home.eventlog();
        assert_eq!(refused(&home), OpenError::Eventlog(EventlogError::NotAnEventlog { path }));
        assert_eq!(fs::read(home.eventlog()).unwrap(), content);
    }
}

#[test]
fn an_empty_file_is_a_new_eventlog() {
    let home = Home::new();
    fs::create_dir(home.folder()).unwrap();
    fs::write(home.eventlog(), "").unwrap();
    home.open::<App>().commit(created("a")).unwrap();
    assert_eq!(home.open::<App>().head().unwrap(), SeqNum::new(1));
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let home = Home::new();
    home.open::<App>().commit(created("a")).unwrap();
    home.sqlite().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(home.eventlog()).unwrap();
    let path = home.eventlog();
    let newer = EventlogError::NewerFormat { path, found: 99, supported: 3 };
    assert_eq!(refused(&home), OpenError::Eventlog(newer));
    assert_eq!(fs::read(home.eventlog()).unwrap(), before);

    home.sqlite().pragma_update(None, "user_version", 2).unwrap();
    assert_eq!(home.open::<App>().head().unwrap(), SeqNum::new(1));
}
