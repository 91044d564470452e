//! Events in the log that this version of the app cannot apply: kept, listed, tried again.

use livestore::prelude::*;
use livestore::state::QuarantineReason;
use livestore::store::IncompatibleEvents;

use crate::kit::{Home, log_of};
use crate::versions::first::{Note, written};
use crate::versions::{first, incompatible, louder, stricter};

/// A log with events that `stricter` refuses among many that it takes, over several pages.
fn home_with_bad_notes() -> Home {
    let home = Home::new();
    let store = home.open::<first::Notes>();
    let text = |n| match n {
        100 | 1_500 => "bad",
        700 => "worse",
        _ => "good",
    };
    // Each for itself: a commit is applied as a whole or not at all.
    for n in 1..=1_600 {
        store.commit(written(n, text(n))).unwrap();
    }
    home
}

fn quarantined<S: Schema>(store: &Store<S>) -> Vec<(String, QuarantineReason)> {
    let quarantined = store.quarantined().unwrap();
    quarantined.into_iter().map(|event| (event.seq.to_string(), event.reason)).collect()
}

fn failed(seq: &str, reason: &str) -> (String, QuarantineReason) {
    (seq.into(), QuarantineReason::Failed(reason.into()))
}

#[test]
fn events_that_fail_are_listed_and_the_rest_goes_on() {
    let home = home_with_bad_notes();
    let store = home.open::<stricter::Notes>();
    let expected = [
        failed("e100", "bad text"),
        failed("e700", "the materializer panicked: worse text"),
        failed("e1500", "bad text"),
    ];
    assert_eq!(quarantined(&store), expected);
    assert_eq!(store.query(Note::all().count()).unwrap(), 1_597);
    assert_eq!(log_of(&store).len(), 1_600);
    let listed = &store.quarantined().unwrap()[0];
    assert_eq!(
        (listed.name.as_str(), listed.args.as_str()),
        ("v1.NoteWritten", r#"{"id":"100","text":"bad"}"#)
    );

    // The list is part of the state.
    let hash = store.state_hash().unwrap();
    store.commit(stricter::written("new", "good")).unwrap();
    store.close().unwrap();
    let (store, boot) = home.boot::<stricter::Notes>();
    // A slow machine writes a snapshot after the first opening, and none for one event more.
    assert!(boot.replayed() <= 1);
    assert_eq!(quarantined(&store), expected);
    assert_ne!(store.state_hash().unwrap(), hash);
    assert_eq!(store.state_hash().unwrap(), home.replayed_hash::<stricter::Notes>());
}

#[test]
fn quarantined_events_are_tried_again_when_the_schema_changes() {
    let home = home_with_bad_notes();
    home.open::<stricter::Notes>().commit(stricter::written("new", "good")).unwrap();
    let store = home.open::<louder::Notes>();
    assert_eq!(quarantined(&store), []);
    assert_eq!(store.query(Note::get("100")).unwrap().unwrap().text, "BAD");
    assert_eq!(store.query(Note::all().count()).unwrap(), 1_601);
}

#[test]
fn reset_state_tries_them_again() {
    let home = home_with_bad_notes();
    let store = home.open::<stricter::Notes>();
    let before = (quarantined(&store), store.state_hash().unwrap());
    store.reset_state().unwrap();
    assert_eq!((quarantined(&store), store.state_hash().unwrap()), before);
}

#[test]
fn args_that_do_not_decode_are_quarantined() {
    let home = Home::new();
    let store = home.open::<first::Notes>();
    store.commit(written("a", "Hello")).unwrap();
    store.commit(written("7", "you")).unwrap();
    store.close().unwrap();
    let lenient = IncompatibleEvents::Quarantine;
    let store = home.builder::<incompatible::Notes>().incompatible_events(lenient).open().unwrap();
    let [(seq, QuarantineReason::Failed(first)), (_, QuarantineReason::Failed(second))] =
        &*quarantined(&store)
    else {
        panic!("{:?}", quarantined(&store));
    };
    assert_eq!(seq, "e1");
    assert!(first.contains("field `id`"), "{first}");
    assert!(second.contains("field `id`"), "{second}");
    store.commit(incompatible::Written { id: 8, body: "new".into() }).unwrap();
    assert_eq!(store.query(Note::all().count()).unwrap(), 1);
    store.close().unwrap();

    // The first version has two of three events, and lists the other.
    let store = home.builder::<first::Notes>().incompatible_events(lenient).open().unwrap();
    assert_eq!(store.query(Note::all().count()).unwrap(), 2);
    assert_eq!(
        quarantined(&store),
        [failed(
            "e3",
            "field `id`: invalid type: integer `8`, expected a string at line 1 column 1"
        )]
    );
}

#[test]
fn a_fork_and_the_past_have_the_same_quarantine() {
    let home = home_with_bad_notes();
    let store = home.open::<stricter::Notes>();
    let fork = store.fork(SeqNum::new(1_000)).unwrap();
    assert_eq!(quarantined(&fork).len(), 2);
    let past = store.state_at(SeqNum::new(1_000)).unwrap();
    assert_eq!(past.query(Note::all().count()).unwrap(), 998);
}

/// The log decides, so a replay comes to what a rebase came to.
#[test]
fn a_commit_with_an_event_that_fails_is_quarantined_as_a_whole() {
    let home = Home::new();
    let store = home.open::<first::Notes>();
    store.commit([written(1, "good"), written(2, "bad"), written(3, "good")]).unwrap();
    store.commit([written(4, "good"), written(5, "good")]).unwrap();
    store.close().unwrap();
    let store = home.open::<stricter::Notes>();
    let with_commit = |seq: &str| (seq.into(), QuarantineReason::WithCommit("bad text".into()));
    let expected = [with_commit("e1"), failed("e2", "bad text"), with_commit("e3")];
    assert_eq!(quarantined(&store), expected);
    assert_eq!(store.query(Note::all().count()).unwrap(), 2);
}
