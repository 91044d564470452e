//! A store in a relative directory, in a process that changes its own. One test: the process has one.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic"
)]

use livestore::prelude::*;
use livestore_testing::sample::notes::{App, Note, added};

#[test]
fn a_relative_directory_stays_where_it_was() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = || Store::<App>::builder("notes").directory("data").open().unwrap();
    std::env::set_current_dir(here.path()).unwrap();
    let store = open();
    store.commit(added("1")).unwrap();
    std::env::set_current_dir(there.path()).unwrap();
    store.commit(added("2")).unwrap();
    store.flush().unwrap();
    assert_eq!(store.events().into_iter().count(), 2);
    store.close().unwrap();
    assert_eq!(std::fs::read_dir(there.path()).unwrap().count(), 0);
    assert!(here.path().join("data/notes/state.snapshot").exists());
    assert_eq!(open().query(Note::all().count()).unwrap(), 0);
    std::env::set_current_dir(here.path()).unwrap();
    assert_eq!(open().query(Note::all().count()).unwrap(), 2);
}
