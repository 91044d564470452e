//! The kit itself: what it notices, and what it says.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test, not an API"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use livestore::prelude::*;
use livestore_sync::NextPush;
use livestore_testing::sample::notes::{App, Note, NoteEvent, added, written};
use livestore_testing::sample::todos;
use livestore_testing::{
    Clients, Clock, CountedIds, EventsFileError, StoreDirectory, commit_events, state_text,
};

#[test]
fn offline_clients_are_left_out_until_they_are_back() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.offline();
    alice.commit(added("a")).unwrap();
    bob.commit(added("b")).unwrap();
    clients.sync().unwrap();
    assert_eq!(clients.backend().events("test").len(), 1);
    let difference = catch_unwind(AssertUnwindSafe(|| clients.assert_converged())).unwrap_err();
    assert_eq!(
        difference.downcast_ref::<String>().unwrap(),
        "the clients have not converged:\n\
         - alice (1 pending, paused)\n\
         + bob (0 pending, online)\n\
         - e1 v1.NoteAdded {\"id\":\"a\",\"text\":\"text of a\"} by alice\n\
         - note id='a' text='text of a'\n\
         + e1 v1.NoteAdded {\"id\":\"b\",\"text\":\"text of b\"} by bob\n\
         + note id='b' text='text of b'\n"
    );
    alice.online();
    clients.sync().unwrap();
    clients.assert_converged();
    assert_eq!(bob.query(Note::all().count()).unwrap(), 2);
}

#[test]
fn a_push_of_which_the_answer_is_lost_is_synced_all_the_same() {
    let clients = Clients::<App>::new();
    let (alice, _bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    for next in [NextPush::Fail, NextPush::Lose, NextPush::LoseAck, NextPush::LoseBroadcast] {
        clients.backend().on_next_push(next);
        alice.commit(written("a")).unwrap();
        clients.sync().unwrap();
    }
    clients.assert_converged();
    assert_eq!(clients.backend().events("test").len(), 4);
}

#[test]
fn who_lags_is_named() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit(added("a")).unwrap();
    clients.sync().unwrap();
    // It has another id from now on, and no events.
    clients.backend().reset();
    let error = clients.sync().unwrap_err();
    assert!(format!("{error:?}").contains("has e1 of e0, 0 pending, stopped: "), "{error}");
    assert!(error.lagging().iter().all(|client| client.head == 0));
    alice.close().unwrap();
    bob.close().unwrap();
    // Nobody is left who could lag.
    clients.sync_within(Duration::ZERO).unwrap();
}

#[test]
fn client_documents_and_client_only_events_may_differ() {
    let clients = Clients::<todos::App>::new();
    let (alice, _bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit(todos::UiState::set().filter(todos::Filter::Active)).unwrap();
    clients.sync().unwrap();
    clients.assert_converged();
    assert_eq!(state_text(&alice).unwrap(), "");
}

#[test]
fn of_a_conflict_the_first_client_wins() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    for order in [[&alice, &bob], [&bob, &alice]] {
        let commit = || {
            alice.commit(written("by alice")).unwrap();
            bob.commit(written("by bob")).unwrap();
        };
        clients.conflict(&order, commit).unwrap();
        clients.assert_converged();
    }
    let by: Vec<_> = alice.events().into_iter().map(|it| it.unwrap().client_id).collect();
    assert_eq!(by.iter().map(|id| &**id).collect::<Vec<_>>(), ["alice", "bob", "bob", "alice"]);
}

#[test]
fn a_crash_loses_nothing_and_a_power_cut_what_was_not_on_the_disk() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit(written("synced")).unwrap();
    clients.sync().unwrap();
    alice.offline();
    alice.commit(written("pending")).unwrap();
    let handle = alice.clone();
    let alice = clients.crash(alice).unwrap();
    assert!(handle.head().is_err(), "what is left of the app that crashed is closed");
    clients.sync().unwrap();
    assert_eq!(bob.query(Note::all().count()).unwrap(), 2);

    alice.offline();
    alice.commit(written("in no cable")).unwrap();
    let alice = clients.power_cut(alice).unwrap();
    clients.sync().unwrap();
    clients.assert_converged();
    assert_eq!(alice.query(Note::all().count()).unwrap(), 2);
}

#[test]
fn a_clock_and_ids_are_those_of_a_thread_until_they_are_dropped() {
    let clock = Clock::at("2026-03-01T09:00:00Z");
    {
        let inner = Clock::at("2000-01-01T00:00:00Z");
        inner.set("1999-01-01T00:00:00Z");
        assert_eq!(now(), "1999-01-01T00:00:00Z".parse().unwrap());
    }
    clock.advance(Duration::from_millis(1));
    let at = "2026-03-01T09:00:00.001Z".parse().unwrap();
    let elsewhere = std::thread::spawn(now).join().unwrap();
    assert!(now() == at && elsewhere != at);
    let ids = CountedIds::new();
    assert_eq!([new_id(), new_id()].map(|id| id.len()), [21, 21]);
    assert_eq!(new_id(), "000000000000000000003");
    drop((clock, ids));
    assert!(now() != at && new_id() != "000000000000000000004");
}

#[test]
fn events_come_from_both_formats_of_an_export() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events");
    let run = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let store = Store::<App>::builder("notes").open().unwrap();
        commit_events(&store, &path).map(|count| (count, state_text(&store).unwrap()))
    };
    let one = r#"{"name": "v1.NoteAdded", "args": {"id": "a", "text": "A"}, "seqNum": 7}"#;
    let seen = r#"{"name": "v1.NoteSeen", "args": {"id": "a"}}"#;
    let state = (2, "note id='a' text='seen'\n".to_owned());
    assert_eq!(run(&format!("{one}\n{seen}\n")).unwrap(), state);
    let document = format!(r#"{{"version": 1, "storeId": "x", "events": [{one}, {seen}]}}"#);
    assert_eq!(run(&document).unwrap(), state);
    assert_eq!(run("").unwrap(), (0, String::new()));

    assert!(matches!(run("{\"name\": 1}"), Err(EventsFileError::Parse { .. })));
    let second = run(&format!("{one}\n{one}")).unwrap_err();
    assert!(matches!(second, EventsFileError::Commit { event: 2, .. }), "{second}");
    let unknown = run(r#"{"name": "v1.NoteBurnt"}"#).unwrap_err();
    assert!(matches!(unknown, EventsFileError::Commit { event: 1, .. }), "{unknown}");
    std::fs::remove_file(&path).unwrap();
    let store = Store::<App>::builder("notes").open().unwrap();
    assert!(matches!(commit_events(&store, &path), Err(EventsFileError::Read { .. })));
}

#[test]
fn a_directory_is_opened_again_and_copied() {
    let directory = StoreDirectory::new("notes");
    let store = directory.open::<App>().unwrap();
    store.commit([added("1"), NoteEvent::Seen { id: "1".into() }]).unwrap();
    let single = directory.builder::<App>().single_process();
    assert!(matches!(single.open(), Err(OpenError::Locked { .. })));
    let copy = directory.copy();
    store.commit(added("it's")).unwrap();
    store.close().unwrap();
    assert!(directory.eventlog().exists() && directory.snapshot().exists());
    let (store, copy) = (directory.open::<App>().unwrap(), copy.open::<App>().unwrap());
    assert_eq!(state_text(&copy).unwrap(), "note id='1' text='seen'\n");
    let all = "note id='1' text='seen'\nnote id='it''s' text='text of it''s'\n";
    assert_eq!(state_text(&store).unwrap(), all);
}
