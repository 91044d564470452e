//! Paths that are long, strange, relative or links.

use std::fs;
use std::path::Path;

use livestore::prelude::*;

use crate::app::{App, Todo, created};
use crate::kit::{Home, STORE};

fn open(directory: impl AsRef<Path>) -> Result<Store<App>, OpenError> {
    Store::<App>::builder(STORE).directory(directory.as_ref()).open()
}

/// Opens, commits, closes and opens again.
#[track_caller]
fn assert_works(directory: &Path) {
    open(directory).unwrap().commit(created("a")).unwrap();
    assert_eq!(open(directory).unwrap().query(Todo::all().count()).unwrap(), 1);
}

#[track_caller]
fn assert_too_long(home: &Home, directory: &Path) {
    let error = open(directory).unwrap_err();
    assert!(matches!(error, OpenError::PathTooLong { .. }), "{error:?}");
    assert!(error.to_string().contains("too long"), "{error}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "something was made");
}

/// A directory whose eventlog has a path of `bytes` bytes.
#[cfg(unix)]
fn directory_of(home: &Home, bytes: usize) -> std::path::PathBuf {
    let around = home.path().as_os_str().len() + "//todos/eventlog.db".len();
    let mut rest = bytes - around;
    let mut path = home.path().to_owned();
    while rest > 100 {
        path.push("字".repeat(33));
        rest -= 100;
    }
    path.join("x".repeat(rest))
}

#[cfg(unix)]
#[test]
fn a_path_up_to_the_longest_works_and_beyond_it_is_refused() {
    for bytes in [200, 403, 500, 504] {
        let home = Home::new();
        assert_works(&directory_of(&home, bytes));
    }
    for bytes in [505, 512, 513, 700, 5_000] {
        let home = Home::new();
        assert_too_long(&home, &directory_of(&home, bytes));
    }
}

#[test]
fn a_name_in_the_path_that_is_too_long_is_refused() {
    let home = Home::new();
    assert_too_long(&home, &home.path().join("x".repeat(300)));
}

#[cfg(unix)]
#[test]
fn a_short_link_to_a_long_path_is_as_long_as_the_path() {
    let home = Home::new();
    let long = directory_of(&home, 510);
    fs::create_dir_all(&long).unwrap();
    let link = home.path().join("link");
    std::os::unix::fs::symlink(&long, &link).unwrap();
    let error = open(&link).unwrap_err();
    assert!(matches!(error, OpenError::PathTooLong { .. }), "{error:?}");
    assert_eq!(fs::read_dir(&long).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_linked_directory_is_the_one_it_leads_to() {
    let home = Home::new();
    let (real, link) = (home.path().join("real"), home.path().join("link"));
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    assert_works(&link);
    let store = open(&link).unwrap();
    assert_eq!(open(&real).unwrap().client_id(), store.client_id());
    assert_eq!(store.query(Todo::all().count()).unwrap(), 1);
    let broken = home.path().join("broken");
    std::os::unix::fs::symlink(home.path().join("nowhere"), &broken).unwrap();
    let error = open(&broken).unwrap_err();
    assert!(matches!(error, OpenError::Directory { .. }), "{error:?}");
}

#[cfg(unix)]
#[test]
fn a_directory_need_not_be_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let home = Home::new();
    assert_works(&home.path().join(OsStr::from_bytes(b"\xff caf\xe9")));
    assert_works(&home.path().join("a?b%20#c:\"d' \n e"));
}

#[test]
fn a_path_with_a_nul_is_refused() {
    let home = Home::new();
    let error = open(home.path().join("a\0b")).unwrap_err();
    assert!(matches!(error, OpenError::Directory { .. }), "{error:?}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn an_open_that_fails_leaves_no_directory_behind() {
    let home = Home::new();
    fs::write(home.path().join("file"), "mine").unwrap();
    let below = home.path().join("file").join("deep").join("deeper");
    assert!(matches!(open(below), Err(OpenError::Directory { .. })));
    assert_eq!(fs::read(home.path().join("file")).unwrap(), b"mine");

    // A file that was there before is not touched.
    let folder = home.folder();
    fs::create_dir(&folder).unwrap();
    fs::write(home.eventlog(), "Dear diary, today I was mistaken for an eventlog.").unwrap();
    assert!(matches!(open(home.path()), Err(OpenError::Eventlog(_))));
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["eventlog.db"]);
}
