//! Which rows depend on events that the backend has not confirmed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use livestore::live::PendingRows;
use livestore::prelude::*;
use livestore_testing::sample::notes::{App, Note, NoteEvent, added, written};
use livestore_testing::{Clients, wait_until};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

const IDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn changed(id: &str, text: &str) -> NoteEvent {
    NoteEvent::Changed { id: id.into(), text: text.into() }
}

/// The ids of the notes that are pending.
fn ids(pending: &PendingRows<Note>) -> String {
    let ids: String = IDS.into_iter().filter(|id| pending.contains(*id)).collect();
    assert_eq!(pending.is_empty(), ids.is_empty());
    ids
}

#[test]
fn a_row_is_pending_until_the_backend_has_it() {
    let clients = Clients::<App>::new();
    let alice = clients.open("alice").unwrap();
    let pending = alice.pending_rows::<Note>().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let _guard = pending.subscribe({
        let seen = Arc::clone(&seen);
        move |pending| seen.lock().unwrap().push(ids(pending))
    });
    alice.offline();
    alice.commit(added("a")).unwrap();
    assert_eq!(*seen.lock().unwrap(), ["a"]);
    alice.online();
    clients.sync().unwrap();
    assert_eq!(ids(&pending.get()), "");
    // The callback runs on the thread that syncs, after the rows have changed.
    let seen_empty = || seen.lock().unwrap().last().is_some_and(|ids: &String| ids.is_empty());
    wait_until(&seen_empty);
    seen.lock().unwrap().clear();

    alice.offline();
    alice.commit([added("b"), added("c")]).unwrap();
    alice.commit(changed("a", "new")).unwrap();
    assert_eq!(ids(&pending.get()), "abc");
    alice.commit(changed("a", "newer")).unwrap();
    assert_eq!(*seen.lock().unwrap(), ["bc", "abc"]);
    alice.online();
    clients.sync().unwrap();
    assert_eq!(ids(&pending.get()), "");
    wait_until(&seen_empty);
}

#[test]
fn what_changes_nothing_is_not_pending() {
    let clients = Clients::<App>::new();
    let alice = clients.open("alice").unwrap();
    alice.commit(added("a")).unwrap();
    clients.sync().unwrap();
    alice.offline();
    let pending = alice.pending_rows::<Note>().unwrap();
    alice.commit(changed("a", "text of a")).unwrap();
    alice.commit(changed("nobody", "x")).unwrap();
    alice.commit(NoteEvent::Seen { id: "nobody".into() }).unwrap();
    assert!(pending.get().is_empty());
}

#[test]
fn without_a_backend_nothing_is_pending() {
    let store = Store::<App>::builder("notes").open().unwrap();
    let pending = store.pending_rows::<Note>().unwrap();
    store.commit(added("a")).unwrap();
    assert!(pending.get().is_empty());
}

#[test]
fn what_was_pending_before_anybody_asked_is_known() {
    let clients = Clients::<App>::new();
    let alice = clients.open("alice").unwrap();
    alice.commit([added("a"), added("b")]).unwrap();
    clients.sync().unwrap();
    alice.offline();
    alice.commit(changed("b", "new")).unwrap();
    alice.commit(added("c")).unwrap();
    let notes = alice.live(Note::all()).unwrap();
    let runs = notes.version();
    let pending = alice.pending_rows::<Note>().unwrap();
    assert_eq!(ids(&pending.get()), "bc");
    assert_eq!(notes.version(), runs, "the rows are the same");
    alice.commit(added("d")).unwrap();
    assert_eq!((ids(&pending.get()), notes.get().len()), ("bcd".to_owned(), 4));

    // It is so in another opening, too.
    drop((notes, pending));
    alice.close().unwrap();
    let path = clients.path("alice");
    let alice = Store::<App>::builder("test")
        .directory(path)
        .client_id("alice")
        .sync(livestore::sync::SyncOptions::new(clients.backend().clone()).start_paused())
        .open()
        .unwrap();
    assert_eq!(ids(&alice.pending_rows::<Note>().unwrap().get()), "bcd");
}

#[test]
fn nobody_elses_row_is_pending() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit(added("a")).unwrap();
    clients.sync().unwrap();
    alice.offline();
    alice.commit(written("b")).unwrap();
    alice.commit(added("e")).unwrap();
    let pending = alice.pending_rows::<Note>().unwrap();
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let _guard = pending.subscribe({
        let seen = Arc::clone(&seen);
        move |pending| _ = seen.lock().unwrap().insert(ids(pending))
    });
    bob.commit([added("c"), added("d"), changed("a", "Bob's"), added("e")]).unwrap();
    clients.sync().unwrap();
    alice.online();
    clients.sync().unwrap();
    assert_eq!(ids(&pending.get()), "");
    // Behind bob's, the note "e" cannot be added: nothing of it is pending.
    let seen = seen.lock().unwrap();
    assert!(seen.iter().all(|ids| ["", "b"].contains(&&**ids)), "{seen:?}");
    clients.assert_converged();
}

#[test]
fn all_sessions_of_a_client_see_it() {
    let clients = Clients::<App>::new();
    let (left, right) = (clients.open("alice").unwrap(), clients.open("alice").unwrap());
    let on_left = left.pending_rows::<Note>().unwrap();
    let on_right = right.pending_rows::<Note>().unwrap();
    left.offline();
    right.commit(added("a")).unwrap();
    left.commit(added("b")).unwrap();
    let are = |wanted: &str| {
        wait_until(|| ids(&on_left.get()) == wanted && ids(&on_right.get()) == wanted);
    };
    are("ab");
    left.online();
    are("");
}

#[test]
fn who_does_not_ask_any_more_may_ask_again() {
    let clients = Clients::<App>::new();
    let alice = clients.open("alice").unwrap();
    alice.offline();
    for (n, id) in IDS.into_iter().enumerate() {
        let pending = alice.pending_rows::<Note>().unwrap();
        alice.commit(added(id)).unwrap();
        assert_eq!(ids(&pending.get()), IDS[..=n].concat());
        drop(pending);
        alice.commit(changed("a", id)).unwrap();
    }
}

/// Random commits of two clients, online and offline: whatever happens, the rows are those that the pending events
/// have written.
#[test]
fn it_is_what_the_log_says() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let step = (any::<bool>(), any::<bool>(), prop::sample::select(IDS.to_vec()));
    let round = (prop::collection::vec(step, 1..10), any::<bool>());
    let mut texts = 0;
    for _ in 0..25 {
        let clients = Clients::<App>::new();
        let all = [clients.open("alice").unwrap(), clients.open("bob").unwrap()];
        let pending: Vec<_> =
            all.iter().map(|client| client.pending_rows::<Note>().unwrap()).collect();
        let check = |n: usize| {
            let store = &all[n];
            let failed: Vec<_> =
                store.quarantined().unwrap().into_iter().map(|event| event.seq).collect();
            let events = store.events().pending().into_iter().map(|event| event.unwrap());
            let applied = events.filter(|event| !failed.contains(&event.seq));
            let id = |event: EncodedEvent| {
                let args: serde_json::Value = serde_json::from_str(&event.args).unwrap();
                args["id"].as_str().unwrap().to_owned()
            };
            let wanted: BTreeSet<String> = applied.map(id).collect();
            assert_eq!(ids(&pending[n].get()), wanted.into_iter().collect::<String>());
        };
        for _ in 0..4 {
            let (steps, is_offline) = round.new_tree(&mut runner).unwrap().current();
            if is_offline {
                all[0].offline();
                all[1].offline();
            }
            for (by_bob, is_new, id) in steps {
                let n = usize::from(by_bob);
                texts += 1;
                let text = format!("text {texts}");
                let (id, store) = (id.to_owned(), &all[n]);
                let _ = match is_new {
                    true => store.commit(NoteEvent::Added { id, text }),
                    false => store.commit(NoteEvent::Written { id, text }),
                };
                if is_offline {
                    check(n);
                }
            }
            for client in &all {
                client.online();
                clients.sync().unwrap();
            }
            (0..2).for_each(check);
            assert!(pending.iter().all(|pending| pending.get().is_empty()));
        }
    }
}
