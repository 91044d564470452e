//! Events that only a newer version of the app knows.

use std::sync::{Arc, Mutex};

use livestore::prelude::*;
use livestore::state::QuarantineReason;

use crate::kit::{Home, log_of, seqs};
use crate::versions::first::Note;
use crate::versions::newer::{amended, written};
use crate::versions::{first, newer};

/// A log whose second and fourth event are unknown to the first version.
fn home_of_newer() -> Home {
    let home = Home::new();
    let store = home.open::<newer::Notes>();
    store.commit((written("a", "1"), amended("a", "2"), written("b", "3"))).unwrap();
    store.commit(amended("b", "4")).unwrap();
    home
}

fn open(home: &Home, policy: UnknownEvents) -> Result<Store<first::Notes>, OpenError> {
    home.builder().unknown_events(policy).open()
}

fn texts<S: livestore::schema::HasTable<Note>>(store: &Store<S>) -> Vec<String> {
    store.query(Note::all().order_by(Note::ID.asc()).select(Note::TEXT)).unwrap()
}

#[track_caller]
fn assert_skipped(store: &Store<first::Notes>) {
    assert_eq!(texts(store), ["1", "3"]);
    let quarantined = store.quarantined().unwrap();
    assert!(quarantined.iter().all(|event| event.reason == QuarantineReason::Unknown));
    let listed: Vec<_> = quarantined.iter().map(|event| event.seq.to_string()).collect();
    assert_eq!(listed, ["e2", "e4"]);
    assert_eq!(seqs(store), ["e1", "e2", "e3", "e4"]);
}

#[test]
fn they_are_skipped_with_a_warning_or_without() {
    for policy in [UnknownEvents::Warn, UnknownEvents::Ignore] {
        assert_skipped(&open(&home_of_newer(), policy).unwrap());
    }
    assert_skipped(&home_of_newer().open());
}

#[test]
fn they_are_handed_to_the_callback() {
    let home = home_of_newer();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&seen);
    let call =
        UnknownEvents::Call(Box::new(move |event| theirs.lock().unwrap().push(event.clone())));
    let store = open(&home, call).unwrap();
    assert_skipped(&store);
    let log = log_of(&store);
    assert_eq!(*seen.lock().unwrap(), [log[1].clone(), log[3].clone()]);
}

#[test]
fn a_panicking_callback_does_no_harm() {
    let home = home_of_newer();
    let store = open(&home, UnknownEvents::Call(Box::new(|_| panic!("what is this?")))).unwrap();
    assert_skipped(&store);
}

fn refusal() -> OpenError {
    OpenError::UnknownEvent { seq: SeqNum::new(2), name: "v2.NoteAmended".into() }
}

#[test]
fn they_fail_the_opening_if_asked_to() {
    let home = home_of_newer();
    let files = || [home.eventlog(), home.snapshot()].map(|file| std::fs::read(file).unwrap());
    let before = files();
    assert_eq!(open(&home, UnknownEvents::Fail).unwrap_err(), refusal());
    assert_eq!(files(), before);
    assert_eq!(texts(&home.open::<newer::Notes>()), ["2", "4"]);
}

#[test]
fn they_fail_the_opening_also_when_a_snapshot_is_past_them() {
    let home = home_of_newer();
    let store = open(&home, UnknownEvents::Ignore).unwrap();
    store.commit(first::written("c", "5")).unwrap();
    store.close().unwrap();
    assert_eq!(open(&home, UnknownEvents::Fail).unwrap_err(), refusal());
}

#[test]
fn they_are_materialized_once_the_schema_knows_them() {
    let home = home_of_newer();
    let store = home.open::<first::Notes>();
    store.commit(first::written("c", "5")).unwrap();
    store.close().unwrap();
    let store = home.open::<newer::Notes>();
    assert_eq!(texts(&store), ["2", "4", "5"]);
    assert_eq!(store.quarantined().unwrap(), []);
    assert_eq!(seqs(&store).len(), 5);
}
