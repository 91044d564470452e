//! The kit itself: what it notices, and what it says.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use livestore::prelude::*;
use livestore_sync::NextPush;
use livestore_testing::sample::notes::{App, Note, NoteEvent, added, written};
use livestore_testing::sample::todos;
use livestore_testing::{Clients, StoreDirectory, state_text};

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
