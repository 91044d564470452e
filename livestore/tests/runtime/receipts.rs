//! Receipts: what became of a commit, wherever it was made.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use livestore::prelude::*;
use livestore::state::QuarantineReason;
use livestore::store::{Committed, ConfirmError, Receipt};
use livestore::sync::{SyncError, SyncOptions};
use livestore_testing::{Clients, TIMEOUT, wait_until};

use crate::app::{App, TodoEvent, UiState, counted, created};
use crate::kit::Home;

#[track_caller]
fn confirmed(receipt: &Receipt) -> Result<Committed, ConfirmError> {
    receipt.wait_confirmed(TIMEOUT).map(|confirmed| confirmed.expect("it is decided in time"))
}

fn texts(committed: &Committed) -> Vec<String> {
    committed.as_slice().iter().map(ToString::to_string).collect()
}

#[test]
fn without_a_backend_a_commit_is_confirmed_at_once() {
    let home = Home::new();
    let store = home.open::<App>();
    let receipt = store.commit([created("a"), created("b")]).unwrap();
    assert_eq!(confirmed(&receipt).as_ref(), Ok(&*receipt));
    let nothing = store.commit(Vec::<TodoEvent>::new()).unwrap();
    assert_eq!(confirmed(&nothing).unwrap().last(), None);
    store.close().unwrap();
    assert_eq!(texts(&confirmed(&receipt).unwrap()), ["e1", "e2"]);
}

#[test]
fn a_receipt_has_the_numbers_of_the_backends_order() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.offline();
    let dropped = alice.commit(created("dropped")).unwrap();
    drop(dropped);
    let first = alice.commit((created("a"), UiState::set().zoom(2))).unwrap();
    let second = alice.commit(TodoEvent::Viewed { id: "a".into() }).unwrap();
    assert_eq!(first.wait_confirmed(Duration::ZERO), Ok(None), "offline");
    bob.commit(created("bob")).unwrap();
    clients.sync().unwrap();
    alice.online();
    assert_eq!(texts(&first), ["e2", "e2.1"]);
    assert_eq!(texts(&confirmed(&first).unwrap()), ["e3r1", "e3.1r1"]);
    assert_eq!(texts(&confirmed(&second).unwrap()), ["e3.2r1"]);
    let third = alice.commit(created("c")).unwrap();
    assert_eq!(confirmed(&third).as_ref(), Ok(&*third), "nobody came first");
    let idle = alice.commit(TodoEvent::Viewed { id: "c".into() }).unwrap();
    let committed = Committed::clone(&idle);
    assert_eq!(idle.wait_confirmed(Duration::ZERO), Ok(Some(committed)), "it waits for nobody");
}

#[test]
fn a_receipt_says_why_a_commit_is_not_confirmed() {
    let clients = Clients::<App>::new();
    clients.backend().refuse(|event| {
        event.args.contains("odd").then(|| SyncError::Invalid("no odd todos".to_owned()))
    });
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.offline();
    let odd = alice.commit((counted("all", 1), created("odd"))).unwrap();
    let taken = alice.commit((created("same"), created("with it"))).unwrap();
    let fine = alice.commit(created("fine")).unwrap();
    bob.commit(created("same")).unwrap();
    clients.sync().unwrap();
    alice.online();
    assert_eq!(confirmed(&odd), Err(ConfirmError::Refused { reason: "no odd todos".to_owned() }));
    let error = confirmed(&taken).unwrap_err();
    let ConfirmError::Quarantined { reason: QuarantineReason::Failed(_) } = &error else {
        panic!("{error:?}")
    };
    assert!(confirmed(&fine).is_ok());
    assert_eq!(alice.quarantined().unwrap().len(), 4);
}

#[test]
fn a_receipt_of_a_session_that_follows_is_as_good() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    let options = SyncOptions::new(clients.backend().clone());
    let builder = Store::<App>::builder(alice.store_id()).directory(clients.path("alice"));
    let second = builder.sync(options).open().unwrap();
    alice.offline();
    let of_leader = alice.commit(created("leader")).unwrap();
    let of_second = second.commit(created("second")).unwrap();
    let same = second.commit(created("same")).unwrap();
    second.flush().unwrap();
    bob.commit(created("same")).unwrap();
    clients.sync().unwrap();
    assert_eq!(of_second.wait_confirmed(Duration::ZERO), Ok(None), "it is in the log, but pending");
    alice.online();
    assert_eq!(texts(&confirmed(&of_leader).unwrap()), ["e2r1"]);
    assert_eq!(texts(&confirmed(&of_second).unwrap()), ["e3r1"]);
    assert!(matches!(confirmed(&same), Err(ConfirmError::Quarantined { .. })));
}

#[test]
fn a_receipt_outlives_the_leader() {
    let home = Home::new();
    let leader = home.open::<App>();
    let second = home.open::<App>();
    let before = second.commit(created("a")).unwrap();
    second.flush().unwrap();
    let of_leader = leader.commit(created("b")).unwrap();
    // Otherwise it would get another number than it has at first.
    wait_until(|| second.head().unwrap().global == 2);
    drop(leader);
    let after = second.commit(created("c")).unwrap();
    for receipt in [&before, &of_leader, &after] {
        assert_eq!(confirmed(receipt).as_ref(), Ok(&**receipt));
    }
}

#[test]
fn closing_the_store_ends_the_wait() {
    let clients = Clients::<App>::new();
    let alice = clients.open("alice").unwrap();
    alice.offline();
    let receipt = alice.commit(created("a")).unwrap();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(receipt.confirmed());
    assert!(future.as_mut().poll(&mut context).is_pending());
    assert!(future.as_mut().poll(&mut context).is_pending());
    alice.close().unwrap();
    assert_eq!(woken.0.load(Ordering::Relaxed), 1, "once, however often it was polled");
    assert_eq!(future.as_mut().poll(&mut context), Poll::Ready(Err(ConfirmError::Closed)));
    assert_eq!(confirmed(&receipt), Err(ConfirmError::Closed));

    let alice = clients.open("alice").unwrap();
    clients.sync().unwrap();
    assert_eq!(alice.sync_status().unwrap().pending, 0, "what was not confirmed is not lost");
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
