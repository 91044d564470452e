//! Commands in several sessions of one client: the session that has the log decides.

use livestore::prelude::*;
use livestore::store::ConfirmError;
use livestore::sync::SyncOptions;
use livestore_testing::{Client, Clients, StoreDirectory, TIMEOUT, wait_until};

use crate::app::{Account, Bank, Misbehave, balance, opened, pay, pay_some};

fn second(clients: &Clients<Bank>, client: &Client<Bank>) -> Store<Bank> {
    let builder = Store::<Bank>::builder(client.store_id());
    let builder = builder.directory(clients.path(client.client_id()));
    builder.sync(SyncOptions::new(clients.backend().clone())).open().unwrap()
}

#[track_caller]
fn wait_equal(a: &Store<Bank>, b: &Store<Bank>) {
    wait_until(|| {
        a.head().unwrap() == b.head().unwrap() && a.state_hash().unwrap() == b.state_hash().unwrap()
    });
}

#[test]
fn the_leader_decides_again_for_a_session_that_follows() {
    let clients = Clients::<Bank>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit([opened("a", 10), opened("b", 0)]).unwrap();
    clients.sync().unwrap();
    let second = second(&clients, &alice);
    alice.offline();
    let failing = second.execute(pay("a", "b", 6)).unwrap();
    let plain = second.commit(opened("c", 0)).unwrap();
    let some = second.execute(pay_some("a", "c", 9)).unwrap();
    assert_eq!(some.output, 4);
    second.flush().unwrap();
    bob.execute(pay("a", "b", 5)).unwrap();
    clients.sync().unwrap();
    alice.online();
    let withdrawn = failing.receipt.wait_confirmed(TIMEOUT);
    let reason = "a has 5, and not 6".to_owned();
    assert_eq!(withdrawn, Err(ConfirmError::Withdrawn { reason }));
    assert_eq!(plain.wait_confirmed(TIMEOUT).unwrap().unwrap().as_slice().len(), 1);
    assert!(some.receipt.wait_confirmed(TIMEOUT).unwrap().is_some());
    clients.sync().unwrap();
    wait_equal(&alice, &second);
    wait_until(|| bob.state_hash().unwrap() == second.state_hash().unwrap());
    assert_eq!(["a", "b", "c"].map(|name| balance(&second, name)), [0, 5, 5]);
    // All sessions have the conflict, and whoever resolves it resolves it for all.
    wait_until(|| second.conflicts().unwrap().get().len() == 1);
    let id = alice.conflicts().unwrap().get()[0].id.clone();
    second.drop_conflict(&id).unwrap();
    wait_until(|| alice.conflicts().unwrap().get().is_empty());
    wait_until(|| second.conflicts().unwrap().get().is_empty());
    second.verify_replay().unwrap();
}

#[test]
fn sessions_that_decide_at_once_do_not_spend_the_same_money() {
    let directory = StoreDirectory::new("bank");
    let stores: Vec<Store<Bank>> = (0..3).map(|_| directory.open().unwrap()).collect();
    stores[0].commit([opened("a", 50), opened("b", 0)]).unwrap();
    for store in &stores {
        wait_until(|| store.query(Account::all().count()).unwrap() == 2);
    }
    let done: Vec<_> = std::thread::scope(|scope| {
        let spend = |store: &Store<Bank>| {
            let mut done = Vec::new();
            for n in 0..30 {
                if n % 3 == 0 {
                    done.push(store.execute(Misbehave::Fickle).unwrap().receipt);
                }
                if let Ok(executed) = store.execute(pay("a", "b", 1)) {
                    done.push(executed.receipt);
                }
            }
            done
        };
        let threads: Vec<_> =
            stores.iter().map(|store| scope.spawn(move || spend(store))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for store in &stores {
        store.flush().unwrap();
    }
    for (store, receipts) in stores.iter().zip(&done) {
        wait_equal(&stores[0], store);
        for receipt in receipts {
            let confirmed = receipt.wait_confirmed(TIMEOUT).map(|confirmed| confirmed.is_some());
            assert!(
                matches!(confirmed, Ok(true) | Err(ConfirmError::Withdrawn { .. })),
                "{confirmed:?}"
            );
        }
    }
    let (a, b) = (balance(&stores[1], "a"), balance(&stores[1], "b"));
    assert!(a >= 0 && a + b == 50, "{a} and {b}");
    let withdrawn = stores[0].conflicts().unwrap().get().len();
    let of_pay = done.iter().flatten().count() - 30;
    assert_eq!(of_pay - withdrawn, usize::try_from(b).unwrap(), "each was done, or is a conflict");
    stores[2].verify_replay().unwrap();
}

#[test]
fn what_no_leader_has_decided_the_next_one_decides() {
    let clients = Clients::<Bank>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit([opened("a", 10), opened("b", 0)]).unwrap();
    clients.sync().unwrap();
    let second = second(&clients, &alice);
    wait_until(|| second.sync_status().unwrap().is_synced());
    alice.offline();
    bob.offline();
    alice.close().unwrap();
    // There may be no leader yet.
    let executed = second.execute(pay("a", "b", 6)).unwrap();
    let later = second.execute(pay_some("a", "b", 100)).unwrap();
    // Whichever comes first at the backend.
    bob.execute(pay("a", "b", 7)).unwrap();
    bob.online();
    clients.sync().unwrap();
    wait_until(|| {
        second.resume_sync();
        second.sync_status().unwrap().is_synced()
    });
    wait_until(|| bob.state_hash().unwrap() == second.state_hash().unwrap());
    assert_eq!(balance(&second, "a"), 0);
    let withdrawn = [executed.receipt, later.receipt].iter().any(|receipt| {
        receipt.wait_confirmed(TIMEOUT).is_err_and(|error| {
            matches!(error, ConfirmError::Withdrawn { .. } | ConfirmError::Unknown)
        })
    });
    let conflicts = second.conflicts().unwrap().get().len() + bob.conflicts().unwrap().get().len();
    assert_eq!(withdrawn, conflicts == 1 && bob.conflicts().unwrap().get().is_empty());
}
