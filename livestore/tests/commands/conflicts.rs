//! What becomes of commands whose events are withdrawn, and of those that decide otherwise.

use std::sync::{Arc, Mutex};

use livestore::prelude::*;
use livestore::store::{ConfirmError, ConflictError};
use livestore::sync::{NetworkStatus, OnBackendReset, SyncOptions};
use livestore_testing::{Client, Clients, StoreDirectory, TIMEOUT, wait_until};

use crate::app::{
    Account, AccountEvent, Bank, Pay, Receipt, WithoutCommands, balance, names, opened, pay,
    pay_some,
};

/// Alice is offline, with these accounts, and bob is online.
fn world() -> (Clients<Bank>, Client<Bank>, Client<Bank>) {
    let clients = Clients::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit([opened("a", 10), opened("b", 0), opened("c", 0)]).unwrap();
    clients.sync().unwrap();
    alice.offline();
    (clients, alice, bob)
}

fn meet(clients: &Clients<Bank>, alice: &Client<Bank>) {
    clients.sync().unwrap();
    alice.online();
    clients.sync().unwrap();
    clients.assert_converged();
}

#[test]
fn a_command_stays_in_its_place_among_plain_commits() {
    let (clients, alice, bob) = world();
    let before = alice.commit(AccountEvent::Seen { text: "before".into() }).unwrap();
    let first = alice.execute(pay("a", "b", 6)).unwrap();
    let plain = alice.commit(opened("d", 1)).unwrap();
    let second = alice.execute(pay("b", "c", 6)).unwrap();
    let some = alice.execute(pay_some("a", "d", 100)).unwrap();
    assert_eq!(some.output, 4);
    bob.execute(pay("a", "c", 5)).unwrap();
    meet(&clients, &alice);
    // `first` needs 6 of 5, so `second` has nothing to move; the last takes what is left.
    assert_eq!(["a", "b", "c", "d"].map(|name| balance(&alice, name)), [0, 0, 5, 6]);
    let withdrawn = |receipt: &livestore::store::Receipt| {
        matches!(receipt.wait_confirmed(TIMEOUT), Err(ConfirmError::Withdrawn { .. }))
    };
    assert!(withdrawn(&first.receipt) && withdrawn(&second.receipt));
    for receipt in [&before, &plain, &some.receipt] {
        let confirmed = receipt.wait_confirmed(TIMEOUT).unwrap().unwrap();
        assert_eq!(confirmed.as_slice().len(), 1);
    }
    let conflicts = alice.conflicts().unwrap().get();
    let commands: Vec<Pay> = conflicts.iter().map(|conflict| conflict.decode().unwrap()).collect();
    assert_eq!(commands, [pay("a", "b", 6), pay("b", "c", 6)]);
    assert_eq!(conflicts[0].error, "a has 5, and not 6");
    let names: Vec<_> = conflicts[0].events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["v1.Moved", "v1.Noted"]);
    alice.verify_replay().unwrap();
    assert_eq!(alice.quarantined().unwrap(), []);
}

#[test]
fn ids_stay_and_the_command_knows_that_it_is_again() {
    let (clients, alice, bob) = world();
    let executed = alice.execute(pay("a", "b", 1)).unwrap();
    let receipt =
        |store: &Store<Bank>| store.query(Receipt::get(&executed.output)).unwrap().unwrap();
    assert_eq!(receipt(&alice).text, "paid");
    let seen = alice.live(Receipt::all().order_by(Receipt::ID.asc())).unwrap();
    bob.execute(pay("a", "b", 1)).unwrap();
    meet(&clients, &alice);
    assert_eq!(receipt(&bob).text, "paid later");
    let fresh = alice.query(Receipt::all().order_by(Receipt::ID.asc())).unwrap();
    let live: Vec<Receipt> = seen.get().iter().map(|row| (**row).clone()).collect();
    assert_eq!(live, fresh, "a live query sees what was decided");
}

#[test]
fn a_command_that_finds_nothing_to_do_is_done() {
    let (clients, alice, bob) = world();
    let some = alice.execute(pay_some("a", "b", 3)).unwrap();
    let after = alice.execute(pay_some("a", "c", 1)).unwrap();
    bob.execute(pay("a", "b", 10)).unwrap();
    meet(&clients, &alice);
    for executed in [some, after] {
        let confirmed = executed.receipt.wait_confirmed(TIMEOUT).unwrap().unwrap();
        assert_eq!(confirmed.last(), None, "no events are left of it");
    }
    assert!(alice.conflicts().unwrap().get().is_empty());
    assert_eq!(alice.sync_status().unwrap().pending, 0);
    let nothing = alice.execute(pay_some("a", "b", 3)).unwrap();
    assert_eq!((nothing.output, nothing.receipt.last()), (0, None));
}

#[test]
fn a_conflict_outlives_a_restart_until_it_is_retried_or_dropped() {
    let (clients, alice, bob) = world();
    let told = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&told);
    let guard = alice.on_conflict(move |conflict| theirs.lock().unwrap().push(conflict.id.clone()));
    let _guard = guard.unwrap();
    alice.execute(pay("a", "b", 6)).unwrap();
    alice.execute(pay("a", "c", 1)).unwrap();
    bob.execute(pay("a", "b", 10)).unwrap();
    meet(&clients, &alice);
    let conflicts = alice.conflicts().unwrap().get();
    let ids: Vec<_> = conflicts.iter().map(|conflict| conflict.id.clone()).collect();
    wait_until(|| *told.lock().unwrap() == ids);

    let alice = clients.restart(alice).unwrap();
    assert_eq!(alice.conflicts().unwrap().get(), conflicts);
    let error = alice.retry_conflict(&ids[0]).unwrap_err();
    assert_eq!(error, ConflictError::Failed { error: "a has 0, and not 6".into() });
    assert_eq!(alice.conflicts().unwrap().get().len(), 2, "it stays");
    bob.commit(AccountEvent::Moved { from: "b".into(), to: "a".into(), amount: 7 }).unwrap();
    clients.sync().unwrap();
    alice.retry_conflict(&ids[0]).unwrap();
    alice.drop_conflict(&ids[1]).unwrap();
    let gone = alice.drop_conflict(&ids[1]).unwrap_err();
    assert_eq!(gone, ConflictError::NoSuchConflict { id: ids[1].clone() });
    assert_eq!((balance(&alice, "a"), balance(&alice, "b")), (1, 9));
    let alice = clients.restart(alice).unwrap();
    assert!(alice.conflicts().unwrap().get().is_empty());
    clients.sync().unwrap();
    clients.assert_converged();
}

/// The state that it was decided on, the one that it failed on, and the events that made the difference.
#[test]
fn a_conflict_names_the_states_that_its_command_was_decided_on() {
    let (clients, alice, bob) = world();
    alice.execute(pay("a", "b", 6)).unwrap();
    bob.execute(pay("a", "b", 2)).unwrap();
    meet(&clients, &alice);
    let balance_at = |store: &Store<Bank>, seq| {
        store.state_at(seq).unwrap().query(Account::get("a")).unwrap().unwrap().balance
    };
    alice.offline();
    alice.execute(pay("a", "c", 1)).unwrap();
    alice.execute(pay("a", "b", 1)).unwrap();
    bob.execute(pay("a", "b", 1)).unwrap();
    meet(&clients, &alice);
    assert_eq!(alice.conflicts().unwrap().get()[0].error, "a has 0, and not 1");
    let alice = clients.restart(alice).unwrap();
    let conflict = alice.conflicts().unwrap().get()[0].clone();
    let (decided, failed) = (conflict.decided_behind.unwrap(), conflict.failed_behind);
    assert_eq!((balance_at(&alice, decided), balance_at(&alice, failed)), (2, 1));
    let between = alice.events().range(decided.global + 1..=failed.global).into_iter();
    let between: Vec<_> = between.map(|event| event.unwrap()).collect();
    assert!(between.iter().all(|event| *event.client_id == *bob.client_id()), "{between:?}");
    assert_eq!(between[0].name, "v1.Moved");
}

#[test]
fn a_command_is_decided_again_after_a_restart() {
    let (clients, alice, bob) = world();
    alice.execute(pay("a", "b", 6)).unwrap();
    alice.commit(opened("d", 0)).unwrap();
    alice.execute(pay("a", "c", 4)).unwrap();
    bob.execute(pay("a", "b", 5)).unwrap();
    clients.sync().unwrap();
    let alice = clients.restart(alice).unwrap();
    clients.sync().unwrap();
    clients.assert_converged();
    assert_eq!(balance(&alice, "a"), 1);
    assert_eq!(alice.conflicts().unwrap().get().len(), 1);
}

#[test]
fn without_a_backend_a_command_is_done_at_once() {
    let store = Store::<Bank>::builder("bank").open().unwrap();
    store.commit([opened("a", 1), opened("b", 0)]).unwrap();
    let executed = store.execute(pay("a", "b", 1)).unwrap();
    assert_eq!(executed.receipt.as_slice().len(), 2);
    let error = store.execute(pay("a", "b", 1)).unwrap_err();
    assert_eq!(error.to_string(), "the command `Pay` failed");
    assert_eq!(names(&store).len(), 4, "nothing was committed");
}

#[test]
fn a_command_that_is_not_known_any_more_leaves_its_events() {
    let clients = Clients::<Bank>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit([opened("a", 10), opened("b", 0)]).unwrap();
    clients.sync().unwrap();
    alice.offline();
    alice.execute(pay("a", "b", 6)).unwrap();
    alice.close().unwrap();
    bob.execute(pay("a", "b", 5)).unwrap();
    let later = Store::<WithoutCommands>::builder("test").directory(clients.path("alice"));
    let later = later.client_id("alice").sync(clients.backend().clone()).open().unwrap();
    wait_until(|| later.sync_status().unwrap().is_synced());
    assert_eq!(balance(&later, "a"), -1, "its events stand for it");
    assert!(later.conflicts().unwrap().get().is_empty());
}

#[test]
fn commands_decide_again_when_confirmed_events_leave_the_log() {
    let clients = Clients::<Bank>::new();
    let backend = clients.backend();
    let options = SyncOptions::new(backend.clone()).on_backend_reset(OnBackendReset::Reset);
    let directory = StoreDirectory::new("bank");
    let alice = directory.builder::<Bank>().sync(options).open().unwrap();
    alice.commit([opened("a", 10), opened("b", 0)]).unwrap();
    wait_until(|| alice.sync_status().unwrap().is_synced());
    alice.pause_sync();
    wait_until(|| alice.network_status().unwrap() == NetworkStatus::Paused);
    alice.commit(opened("c", 0)).unwrap();
    alice.execute(pay("a", "b", 6)).unwrap();
    alice.execute(pay_some("a", "c", 3)).unwrap();
    backend.reset();
    alice.resume_sync();
    wait_until(|| alice.conflicts().unwrap().get().len() == 1);
    wait_until(|| alice.sync_status().unwrap().is_synced());
    assert_eq!(alice.conflicts().unwrap().get()[0].decided_behind, None, "it is not in this log");
    assert_eq!(alice.query(Account::all().count()).unwrap(), 1, "the backend has lost the others");
    assert_eq!(names(&alice), ["v1.Opened"]);
    alice.verify_replay().unwrap();
}
