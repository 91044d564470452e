//! Another program that has the eventlog locked, such as a backup.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use livestore::eventlog::EventlogError;
use livestore::prelude::*;

use crate::app::{App, Todo, created};
use crate::kit::Home;

/// Generous: a busy machine is slow.
const SOON: Duration = Duration::from_secs(4);

fn lock(home: &Home) -> rusqlite::Connection {
    let other = home.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

fn count(store: &Store<App>) -> u64 {
    store.query(Todo::all().count()).unwrap()
}

#[test]
fn a_commit_is_refused_soon_and_leaves_no_trace() {
    for durability in [Durability::Written, Durability::Synced] {
        let home = Home::new();
        let store = home.builder::<App>().durability(durability).open().unwrap();
        store.commit(created("0")).unwrap();
        let (other, hash, start) = (lock(&home), store.state_hash().unwrap(), Instant::now());
        let error = store.commit([created("1"), created("2")]).unwrap_err();
        assert!(matches!(error, CommitError::Eventlog(EventlogError::Busy(_))), "{error:?}");
        assert!(error.to_string().contains("locked"), "{error}");
        assert!(start.elapsed() < SOON);
        assert_eq!((store.state_hash().unwrap(), store.head().unwrap()), (hash, SeqNum::new(1)));
        other.execute_batch("COMMIT").unwrap();
        store.commit([created("1"), created("2")]).unwrap();
        store.reset_state().unwrap();
        assert_eq!(count(&store), 3);
    }
}

#[test]
fn a_commit_waits_for_a_lock_that_is_short() {
    let home = Home::new();
    let store = home.open::<App>();
    let other = lock(&home);
    let theirs = store.clone();
    let commit = thread::spawn(move || theirs.commit([created("1"), created("2")]));
    thread::sleep(Duration::from_millis(50));
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(commit.join().unwrap().unwrap().last(), Some(SeqNum::new(2)));
}

/// Queries run between the attempts of a commit, which are milliseconds apart.
#[test]
fn queries_do_not_wait_behind_a_commit_that_waits() {
    let home = Home::new();
    let store = home.open::<App>();
    store.commit(created("0")).unwrap();
    let _other = lock(&home);
    let theirs = store.clone();
    let (ended, end) = mpsc::channel();
    let commit = thread::spawn(move || {
        let committed = theirs.commit(created("1"));
        ended.send(()).unwrap();
        committed
    });
    let mut queries = 0;
    while end.try_recv().is_err() {
        assert_eq!(count(&store), 1, "what is not committed is not seen");
        queries += 1;
    }
    assert!(commit.join().unwrap().is_err());
    assert!(queries > 20, "{queries} queries");
}

#[test]
fn what_is_buffered_waits_until_the_lock_is_gone() {
    let home = Home::new();
    let store = home.builder::<App>().durability(Durability::Buffered).open().unwrap();
    let other = lock(&home);
    store.commit(created("0")).unwrap();
    let error = store.flush().unwrap_err();
    assert!(matches!(error, EventlogError::Busy(_)), "{error:?}");
    let error = store.commit(created("1")).unwrap_err();
    assert!(matches!(error, CommitError::Eventlog(EventlogError::Unwritten(_))), "{error:?}");
    assert_eq!(count(&store), 1);
    other.execute_batch("COMMIT").unwrap();
    store.commit(created("1")).unwrap();
    store.close().unwrap();
    assert_eq!(home.open::<App>().head().unwrap(), SeqNum::new(2));
}
