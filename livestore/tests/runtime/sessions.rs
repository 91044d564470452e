//! Several sessions of one store, in one process: what one commits, all have.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use livestore::live::Reactive;
use livestore::prelude::*;
use livestore::sync::{NetworkStatus, SyncOptions};
use livestore_testing::{Clients, wait_until};

use crate::app::{App, Counter, Todo, TodoEvent, UiState, counted, created};
use crate::kit::{Home, log_of, seqs};

fn count(store: &Store<App>) -> u64 {
    store.query(Todo::all().count()).unwrap()
}

#[track_caller]
fn wait_equal(a: &Store<App>, b: &Store<App>) {
    wait_until(|| {
        let (left, right) = (a.head().unwrap(), b.head().unwrap());
        left == right && a.state_hash().unwrap() == b.state_hash().unwrap()
    });
    assert_eq!(log_of(a), log_of(b));
}

#[test]
fn what_one_session_commits_all_have() {
    let home = Home::new();
    let leader = home.open::<App>();
    leader.commit(created("a")).unwrap();
    let (second, third) = (home.open::<App>(), home.open::<App>());
    assert_eq!((count(&second), count(&third)), (1, 1));
    assert_eq!(second.client_id(), leader.client_id());
    assert_ne!(second.session_id(), leader.session_id());

    second.commit([created("b"), created("c")]).unwrap();
    assert_eq!(count(&second), 3, "at once, where it was committed");
    wait_until(|| count(&leader) == 3 && count(&third) == 3);
    leader.commit(created("d")).unwrap();
    wait_until(|| count(&second) == 4 && count(&third) == 4);
    // Client-only events and documents, too.
    third.commit((TodoEvent::Viewed { id: "a".into() }, UiState::set().zoom(3))).unwrap();
    wait_until(|| second.query(UiState::get()).unwrap().zoom == 3);
    wait_equal(&leader, &third);
    wait_equal(&leader, &second);
    assert_eq!(seqs(&second), ["e1", "e2", "e3", "e4", "e4.1", "e4.2"]);
    second.verify_replay().unwrap();
}

#[test]
fn live_queries_of_all_sessions_are_kept_up_to_date() {
    let home = Home::new();
    let (leader, follower) = (home.open::<App>(), home.open::<App>());
    let calls = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&calls);
    let there = follower.live(Todo::all().count()).unwrap();
    let _guard = there.subscribe(move |_| {
        theirs.fetch_add(1, Ordering::Relaxed);
    });
    let here = leader.live(Todo::all().count()).unwrap();
    leader.commit(created("a")).unwrap();
    wait_until(|| **there.get() == 1 && calls.load(Ordering::Relaxed) == 1);
    follower.commit(created("b")).unwrap();
    assert_eq!(**there.get(), 2);
    wait_until(|| **here.get() == 2);
    follower.flush().unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 2, "an acknowledgement changes nothing");
}

#[test]
fn commits_that_cross_are_there_once() {
    let home = Home::new();
    let stores: Vec<_> = (0..4).map(|_| home.open::<App>()).collect();
    std::thread::scope(|scope| {
        for (n, store) in stores.iter().enumerate() {
            scope.spawn(move || {
                for m in 0..100 {
                    store.commit((created(format!("{n}-{m}")), counted("all", 1))).unwrap();
                }
            });
        }
    });
    for store in &stores {
        wait_until(|| count(store) == 400);
        store.flush().unwrap();
    }
    for store in &stores[1..] {
        wait_equal(&stores[0], store);
    }
    for store in &stores {
        let all = store.query(Counter::get("all")).unwrap().unwrap();
        assert_eq!(all.value, 400);
        assert_eq!(store.quarantined().unwrap(), []);
    }
}

#[test]
fn a_commit_that_no_longer_applies_is_quarantined_everywhere() {
    let home = Home::new();
    let (leader, follower) = (home.open::<App>(), home.open::<App>());
    // The leader hears of it when both have committed the same todo.
    let (entered, _) = (Arc::new(Mutex::new(())), ());
    let held = entered.lock().unwrap();
    let theirs = Arc::clone(&entered);
    let _guard = leader.live(Counter::all().count()).unwrap().subscribe(move |_| {
        drop(theirs.lock().unwrap());
    });
    follower.commit(counted("n", 1)).unwrap();
    follower.commit([created("a"), created("b")]).unwrap();
    leader.commit(created("a")).unwrap();
    drop(held);
    follower.flush().unwrap();
    wait_until(|| leader.quarantined().unwrap().len() + count(&leader) as usize >= 2);
    wait_equal(&leader, &follower);
    assert_eq!(leader.quarantined().unwrap(), follower.quarantined().unwrap());
}

#[test]
fn another_session_takes_over_when_the_leader_closes() {
    let home = Home::new();
    let mut stores: Vec<_> = (0..4).map(|_| home.open::<App>()).collect();
    for n in 0..40 {
        if n % 10 == 9 {
            stores.remove(0).close().unwrap();
            stores.push(home.open::<App>());
        }
        let store = &stores[n % 4];
        store.commit(created(n as u64)).unwrap();
    }
    for store in &stores {
        store.flush().unwrap();
        wait_until(|| count(store) == 40);
    }
    wait_equal(&stores[0], &stores[3]);
    drop(stores);
    let store = home.open::<App>();
    assert_eq!(count(&store), 40);
    assert_eq!(store.state_hash().unwrap(), home.replayed_hash::<App>());
}

/// Its thread once went on for ever with changes that a closed store does not take.
#[test]
fn a_session_closes_while_changes_arrive() {
    let home = Home::new();
    let leader = home.open::<App>();
    for round in 0..40 {
        let follower = home.open::<App>();
        for n in 0..20 {
            leader.commit(created(round * 100 + n)).unwrap();
        }
        follower.close().unwrap();
    }
    assert_eq!(count(&leader), 800);
}

/// Also when nobody leads just then.
#[test]
fn the_last_commit_of_a_session_that_ends_arrives() {
    let home = Home::new();
    for n in 0..20 {
        let (leader, follower) = (home.open::<App>(), home.open::<App>());
        leader.close().unwrap();
        follower.commit(created(n)).unwrap();
        drop(follower);
    }
    assert_eq!(count(&home.open()), 20);
}

#[test]
fn the_past_is_there_in_every_session() {
    let home = Home::new();
    let (leader, follower) = (home.open::<App>(), home.open::<App>());
    leader.commit(created("a")).unwrap();
    wait_until(|| count(&follower) == 1);
    follower.commit(created("b")).unwrap();
    let before = follower.state_at(SeqNum::new(1)).unwrap();
    assert_eq!(before.query(Todo::all().count()).unwrap(), 1);
    let fork = follower.fork(SeqNum::new(2)).unwrap();
    fork.commit(created("c")).unwrap();
    assert_eq!((count(&fork), count(&follower)), (3, 2));
    let mut followed = follower.events().follow();
    assert_eq!(followed.next().unwrap().unwrap().seq, SeqNum::new(1));
    assert_eq!(followed.next().unwrap().unwrap().seq, SeqNum::new(2));
    let log = home.builder::<App>().open_log().unwrap();
    follower.flush().unwrap();
    assert_eq!(log.events().count(), 2);
    follower.reset_state().unwrap();
    wait_equal(&leader, &follower);
}

#[test]
fn every_durability_is_shared() {
    for durability in [Durability::Buffered, Durability::Written, Durability::Synced] {
        let home = Home::new();
        let open = || home.builder::<App>().durability(durability).open().unwrap();
        let (leader, follower) = (open(), open());
        for n in 0..10 {
            leader.commit(created(format!("leader {n}"))).unwrap();
            follower.commit(created(format!("follower {n}"))).unwrap();
        }
        follower.flush().unwrap();
        let crashed = home.copy();
        wait_equal(&leader, &follower);
        let there = crashed.open::<App>().query(Todo::all().select(Todo::ID)).unwrap();
        let followers = there.iter().filter(|id| id.starts_with("follower")).count();
        assert_eq!(followers, 10, "{durability:?}");
    }
}

#[test]
fn a_session_starts_from_the_snapshot() {
    let home = Home::new();
    let store = home.open::<App>();
    store.commit((0..600).map(created).collect::<Vec<_>>()).unwrap();
    store.close().unwrap();
    assert!(home.snapshot().exists());
    let leader = home.open::<App>();
    leader.commit(created("last")).unwrap();
    let (follower, boot) = home.boot::<App>();
    assert_eq!(boot.replayed(), 1);
    wait_equal(&leader, &follower);
    assert!(home.snapshot().exists());
}

mod other {
    use livestore::prelude::*;

    #[table]
    pub struct Todo {
        #[column(primary_key)]
        pub id: String,
    }

    #[derive(Event)]
    #[event(name = "v1.TodoAdded")]
    pub struct Added {
        pub id: String,
    }

    impl Materialize for Added {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.insert(&Todo { id: self.id.clone() })
        }
    }

    livestore::schema! { pub App { tables: [Todo], events: [Added] } }
}

#[test]
fn an_app_with_another_schema_hears_what_differs() {
    let home = Home::new();
    let leader = home.open::<App>();
    leader.commit(created("a")).unwrap();
    let error = home.builder::<other::App>().open().unwrap_err();
    let OpenError::OtherSchema { path, differences } = &error else { panic!("{error:?}") };
    assert_eq!(*path, home.folder());
    let differences: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert!(differences.contains(&"table `todo` differs".to_owned()), "{differences:?}");
    let added = "event `v1.TodoAdded` is only in this app".to_owned();
    assert!(differences.contains(&added), "{differences:?}");
    let counter = "table `counter` is only in the app that has it open".to_owned();
    assert!(differences.contains(&counter), "{differences:?}");
    leader.commit(created("b")).unwrap();
}

#[test]
fn a_store_of_a_single_process_is_not_shared() {
    let home = Home::new();
    let single = || home.builder::<App>().single_process().open();
    let store = single().unwrap();
    assert!(matches!(home.builder::<App>().open(), Err(OpenError::Locked { .. })));
    assert!(matches!(single(), Err(OpenError::Locked { .. })));
    drop(store);
    let _shared = home.open::<App>();
    assert!(matches!(single(), Err(OpenError::Locked { .. })));
}

#[test]
fn all_sessions_of_a_client_sync() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    // One with the backend, and one that does not know of it.
    let with = clients.open("alice").unwrap();
    let without = Store::<App>::builder("test").directory(clients.path("alice")).open().unwrap();
    assert_eq!(with.client_id(), "alice");
    with.commit(created("1")).unwrap();
    without.commit(created("2")).unwrap();
    without.commit(UiState::set().zoom(2)).unwrap();
    bob.commit(created("3")).unwrap();
    wait_until(|| [&*alice, &*bob, &*with, &without].iter().all(|store| count(store) == 3));
    clients.sync().unwrap();
    wait_until(|| without.sync_status().unwrap().is_synced());
    assert_eq!(bob.query(UiState::get()).unwrap().zoom, 0);
    assert_eq!(without.sync_status().unwrap().pending, 0);

    // Any of them takes the client offline.
    without.pause_sync();
    wait_until(|| with.network_status().unwrap() == NetworkStatus::Paused);
    with.commit(created("4")).unwrap();
    bob.commit(created("5")).unwrap();
    wait_until(|| count(&alice) == 4);
    wait_until(|| without.sync_status().unwrap().pending == 1);
    assert_eq!(count(&bob), 4);
    // Of those who are left, the one with the backend resumes.
    alice.close().unwrap();
    drop(without);
    wait_until(|| with.network_status().unwrap() == NetworkStatus::Paused);
    with.flush().unwrap();
    with.resume_sync();
    wait_until(|| count(&with) == 5 && count(&bob) == 5);
    clients.sync().unwrap();
    assert_eq!(log_of(&bob).len(), 5);
}

#[test]
fn what_others_push_comes_before_what_sessions_have() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    let options = SyncOptions::new(clients.backend().clone());
    let builder = || Store::<App>::builder("test").directory(clients.path("alice"));
    let second = builder().sync(options.clone()).open().unwrap();
    let third = builder().sync(options).open().unwrap();
    for n in 0..50 {
        alice.commit(created(format!("alice {n}"))).unwrap();
        bob.commit(created(format!("bob {n}"))).unwrap();
        second.commit((created(format!("second {n}")), counted("n", 1))).unwrap();
        third.commit(UiState::set().zoom(n)).unwrap();
    }
    let stores = [&*alice, &*bob, &second, &third];
    wait_until(|| stores.iter().all(|store| count(store) == 150));
    wait_until(|| second.sync_status().unwrap().is_synced());
    third.flush().unwrap();
    for store in [&second, &third] {
        wait_equal(&alice, store);
        store.verify_replay().unwrap();
    }
}

#[test]
fn a_session_that_starts_paused_leads_as_the_client_was() {
    let clients = Clients::<App>::new();
    let options = || SyncOptions::new(clients.backend().clone());
    let open = |options: SyncOptions| {
        let builder = Store::<App>::builder("test").directory(clients.path("alice"));
        builder.sync(options).open().unwrap()
    };
    let leader = open(options());
    leader.commit(created("a")).unwrap();
    wait_until(|| leader.sync_status().unwrap().is_synced());
    let next = open(options().start_paused());
    // The client is online, and stays so.
    wait_until(|| next.sync_status().unwrap().is_synced());
    leader.close().unwrap();
    next.commit(created("b")).unwrap();
    wait_until(|| next.sync_status().unwrap().is_synced());
    next.close().unwrap();
    let alone = open(options().start_paused());
    assert_eq!(alone.network_status().unwrap(), NetworkStatus::Paused);
}

/// What is pending is sent to a session that joins, however much it is.
#[test]
fn a_session_joins_where_much_is_pending() {
    const EVENTS: usize = 140;
    let clients = Clients::<App>::new();
    let alice = clients.open("alice").unwrap();
    clients.backend().set_online(false);
    let text = "x".repeat(500_000);
    for id in 0..EVENTS {
        alice.commit(TodoEvent::Created { id: id.to_string(), text: text.clone() }).unwrap();
    }
    let second = clients.open("alice").unwrap();
    assert_eq!(count(&second), EVENTS as u64);
    // It goes on being told of changes.
    alice.commit(created("last")).unwrap();
    wait_until(|| count(&second) == EVENTS as u64 + 1);
    second.commit(created("own")).unwrap();
    second.flush().unwrap();
    assert_eq!(count(&alice), EVENTS as u64 + 2);
}

/// It leads at once, and what was committed before is pending for all.
#[test]
fn a_session_with_the_backend_takes_over_from_one_without() {
    let clients = Clients::<App>::new();
    let bob = clients.open("bob").unwrap();
    let builder = || Store::<App>::builder("test").directory(clients.path("alice"));
    let [leader, other] = [(), ()].map(|()| builder().open().unwrap());
    let todos = leader.live(Todo::all().count()).unwrap();
    leader.commit((created("leader"), counted("n", 1))).unwrap();
    other.commit((created("other"), counted("n", 1))).unwrap();
    bob.commit((created("bob"), counted("n", 1))).unwrap();
    let session = builder().sync(clients.backend().clone()).open().unwrap();
    session.commit((created("session"), counted("n", 1))).unwrap();
    leader.commit(created("behind")).unwrap();
    wait_until(|| count(&bob) == 5);
    for store in [&leader, &other, &session] {
        wait_until(|| store.sync_status().unwrap().is_synced());
        wait_until(|| store.state_hash().unwrap() == bob.state_hash().unwrap());
        assert_eq!(store.network_status().unwrap(), NetworkStatus::Online);
        assert_eq!(store.quarantined().unwrap(), []);
        store.verify_replay().unwrap();
    }
    assert_eq!(**todos.get(), 5);
    wait_equal(&leader, &session);
    // Without it, they lead again.
    session.close().unwrap();
    leader.commit(created("alone")).unwrap();
    wait_until(|| leader.flush().is_ok() && count(&other) == 6);
    wait_equal(&leader, &other);
    assert_eq!(leader.network_status().unwrap(), NetworkStatus::None);
}

/// Nothing is lost or doubled where the lead goes over in the middle of commits, again and again.
#[test]
fn a_leader_without_the_backend_steps_down_while_it_commits() {
    const ROUNDS: u64 = 8;
    const EVENTS: u64 = 50;
    let clients = Clients::<App>::new();
    let bob = clients.open("bob").unwrap();
    let builder = || Store::<App>::builder("test").directory(clients.path("alice"));
    let without = builder().open().unwrap();
    for round in 1..=ROUNDS {
        let commits = std::thread::spawn({
            let without = without.clone();
            move || {
                for n in 0..EVENTS {
                    without.commit((created(format!("{round}-{n}")), counted("n", 1))).unwrap();
                }
            }
        });
        let with = builder().sync(clients.backend().clone()).open().unwrap();
        with.commit((created(format!("with-{round}")), counted("n", 1))).unwrap();
        commits.join().unwrap();
        wait_until(|| count(&bob) == round * (EVENTS + 1));
        with.close().unwrap();
    }
    wait_until(|| without.flush().is_ok());
    assert_eq!(count(&without), ROUNDS * (EVENTS + 1));
    assert_eq!(without.state_hash().unwrap(), bob.state_hash().unwrap());
    without.verify_replay().unwrap();
}

/// Which of the sessions takes over is not left to chance: one that has the backend does.
#[test]
fn a_session_without_the_backend_leaves_the_lead_to_one_that_has_it() {
    for n in 0..8 {
        let clients = Clients::<App>::new();
        let bob = clients.open("bob").unwrap();
        let builder = || Store::<App>::builder("test").directory(clients.path("alice"));
        let leader = builder().sync(clients.backend().clone()).open().unwrap();
        let without = builder().open().unwrap();
        let with = builder().sync(clients.backend().clone()).open().unwrap();
        wait_until(|| without.network_status().unwrap() == NetworkStatus::Online);
        leader.close().unwrap();
        without.commit(created(n)).unwrap();
        wait_until(|| count(&bob) == 1);
        // The last one leads all the same, and the next one that has the backend pushes.
        with.close().unwrap();
        without.commit(created("alone")).unwrap();
        without.flush().unwrap();
        assert_eq!(without.network_status().unwrap(), NetworkStatus::None);
        without.close().unwrap();
        let _again = builder().sync(clients.backend().clone()).open().unwrap();
        wait_until(|| count(&bob) == 2);
    }
}
