//! Several sessions of a store whose disk fills, whose directory is deleted, and whose backend begins anew.

use std::fs;

use livestore::eventlog::EventlogError;
use livestore::prelude::*;
use livestore::sync::{OnBackendReset, SyncOptions};
use livestore_testing::{Clients, wait_until};

use crate::app::{App, Todo, UiState, counted, created};
use crate::child::{Role, Running, command, command_on_full_disk};
use crate::kit::{Home, log_of};

fn count(store: &Store<App>) -> u64 {
    store.query(Todo::all().count()).unwrap()
}

#[track_caller]
fn wait_equal(a: &Store<App>, b: &Store<App>) {
    // What a backend says of an event may arrive later than the event itself.
    wait_until(|| {
        a.head().unwrap() == b.head().unwrap()
            && a.state_hash().unwrap() == b.state_hash().unwrap()
            && log_of(a) == log_of(b)
    });
}

/// The leader cannot write what the others commit: they say so, and go on. Whoever can write takes over.
#[test]
fn the_leaders_disk_is_full() {
    const MOST: u64 = 20_000;
    let home = Home::new();
    let mut leader = Running::start(command_on_full_disk(Role::Hold, home.path(), 200));
    leader.wait_for("opened");
    let (first, second) = (home.open::<App>(), home.open::<App>());
    let mut committed = 0;
    let error = loop {
        for store in [&first, &second] {
            store.commit((created(committed), counted("n", 1))).unwrap();
            committed += 1;
        }
        if let Err(error) = first.flush().and(second.flush()) {
            break error;
        }
        assert!(committed < MOST, "the disk is never full");
    };
    let EventlogError::Unacknowledged { reason } = &error else { panic!("{error:?}") };
    assert!(!reason.is_empty());
    // Both work on.
    for store in [&first, &second] {
        store.commit((created(committed), counted("n", 1))).unwrap();
        committed += 1;
    }
    leader.finish();
    // Whoever leads now has room. A flush fails until then.
    for store in [&first, &second] {
        wait_until(|| store.flush().is_ok());
    }
    wait_until(|| count(&first) == committed && count(&second) == committed);
    wait_equal(&first, &second);
    assert_eq!(first.quarantined().unwrap(), []);
    first.verify_replay().unwrap();
    first.close().unwrap();
    second.close().unwrap();
    let store = home.open::<App>();
    assert_eq!(count(&store), committed);
    assert_eq!(store.state_hash().unwrap(), home.replayed_hash::<App>());
}

/// Nobody has the files any more: no session says that a commit is written, and each goes on in memory. A
/// store that is made in the same place is not theirs.
#[test]
fn the_directory_is_deleted_under_all_sessions() {
    let home = Home::new();
    let mut leader = Running::start(command(Role::Hold, home.path()));
    leader.wait_for("opened");
    let (first, second) = (home.open::<App>(), home.open::<App>());
    first.commit([created("a"), created("b")]).unwrap();
    first.flush().unwrap();
    wait_until(|| count(&second) == 2);
    fs::remove_dir_all(home.folder()).unwrap();
    first.commit(created("c")).unwrap();
    wait_until(|| first.flush().is_err());
    // The leader ends; nobody can take its place.
    drop(leader);
    second.commit(created("d")).unwrap();
    wait_until(|| match second.flush() {
        Err(EventlogError::Unacknowledged { reason }) => reason.contains("files are gone"),
        _ => false,
    });
    assert!(count(&first) >= 3 && count(&second) >= 3);

    let other = home.open::<App>();
    other.commit(created("other")).unwrap();
    wait_until(|| match first.flush() {
        Err(EventlogError::Unacknowledged { reason }) => reason.contains("another store"),
        _ => false,
    });
    assert!(first.query(Todo::get("other")).unwrap().is_none());
    assert!(first.query(Todo::get("c")).unwrap().is_some());
    other.flush().unwrap();
    assert_eq!(count(&other), 1);
    other.close().unwrap();
    // Nor do they take it over.
    wait_until(|| first.flush().is_err() && second.flush().is_err());
    assert_eq!(count(&home.open::<App>()), 1);
}

/// The backend has lost everything: what the client does about it, all its sessions do.
#[test]
fn the_backend_begins_anew_under_several_sessions() {
    use OnBackendReset::{Ignore, KeepAndStop, Reset};
    // What was confirmed is deleted, or stays.
    for (on_reset, todos) in [(Reset, 2), (KeepAndStop, 6), (Ignore, 6)] {
        let clients = Clients::<App>::new();
        let bob = clients.open("bob").unwrap();
        let options = || SyncOptions::new(clients.backend().clone()).on_backend_reset(on_reset);
        let builder = || Store::<App>::builder("test").directory(clients.path("alice"));
        let leader = builder().sync(options()).open().unwrap();
        let sessions =
            [builder().sync(options()).open().unwrap(), builder().sync(options()).open().unwrap()];
        for (n, store) in [&leader, &sessions[0], &sessions[1]].into_iter().enumerate() {
            store.commit((created(n), counted("n", 1))).unwrap();
            store.commit(UiState::set().zoom(u8::try_from(n).unwrap())).unwrap();
        }
        bob.commit(created("bob")).unwrap();
        wait_until(|| count(&leader) == 4 && leader.sync_status().unwrap().is_synced());
        bob.close().unwrap();
        clients.backend().reset();
        for store in &sessions {
            store.commit(created(store.session_id())).unwrap();
            store.flush().unwrap();
        }
        wait_until(|| count(&leader) == todos);
        for store in &sessions {
            wait_equal(&leader, store);
            store.verify_replay().unwrap();
        }
        // The next leader goes on from there.
        leader.close().unwrap();
        sessions[1].commit(created("last")).unwrap();
        sessions[1].flush().unwrap();
        wait_equal(&sessions[1], &sessions[0]);
        assert_eq!(count(&sessions[0]), todos + 1);
    }
}
