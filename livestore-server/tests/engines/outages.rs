//! Engines that crash, hang and come back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::{Duration, Instant};

use livestore_server::store::{
    Durability, EventStore, NatsStore, OpenPostgresError, PostgresStore, StoreError, StoreId,
    StoreLimits, StoredEvent, Watcher,
};
use livestore_testing::wait_until;

use crate::kit::{append, ask, event, id, read};
use crate::nats::Nats;
use crate::postgres::Postgres;

fn open(url: &str) -> PostgresStore {
    PostgresStore::connect(url, Durability::Synced, StoreLimits::NONE).unwrap()
}

/// Appends as a client does that retries everything, until it is told to stop. Returns what was
/// acknowledged.
fn push_until(
    storage: &dyn EventStore,
    name: &str,
    count: &AtomicU64,
    stop: &AtomicBool,
) -> Vec<StoredEvent> {
    let store = id("s");
    let mut acknowledged = Vec::new();
    let mut parent = ask(|reply| storage.open(&store, reply)).map_or(0, |opened| opened.head);
    while !stop.load(Ordering::Relaxed) {
        let args = format!(r#"{{"by":"{name}","n":{}}}"#, acknowledged.len());
        let mut next = event(parent, &args);
        loop {
            match append(storage, &store, std::slice::from_ref(&next)) {
                Ok(()) => break,
                Err(StoreError::Behind { head }) => {
                    // Its answer may have been lost, or others were first.
                    match storage.has(&store, std::slice::from_ref(&next)) {
                        Ok(true) => break,
                        Ok(false) => next = event(head, &args),
                        Err(_) => {}
                    }
                }
                Err(StoreError::Unavailable(_) | StoreError::Uncertain(_)) => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(error) => panic!("{error}"),
            }
        }
        parent = next.event().seq;
        acknowledged.push(next);
        count.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn crashes_of_postgres_lose_and_double_nothing() {
    let mut postgres = Postgres::start();
    let url = postgres.database("crashed");
    crashes_lose_and_double_nothing(
        || open(&url),
        || {
            postgres.crash();
            std::thread::sleep(Duration::from_millis(100));
            postgres.up();
        },
    );
}

#[test]
#[ignore = "needs nats-server: cargo xtask engines"]
fn crashes_of_nats_lose_and_double_nothing() {
    let mut nats = Nats::start();
    let url = nats.url();
    crashes_lose_and_double_nothing(
        || NatsStore::connect(&url, StoreLimits::NONE).unwrap(),
        || {
            nats.crash();
            std::thread::sleep(Duration::from_millis(100));
            nats.up();
        },
    );
}

pub(crate) fn crashes_lose_and_double_nothing<S: EventStore>(
    open: impl Fn() -> S,
    mut restart: impl FnMut(),
) {
    let (first, second) = (open(), open());
    ask(|reply| first.open(&id("s"), reply)).unwrap();
    let (count, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let acknowledged: Vec<_> = std::thread::scope(|scope| {
        let pushers = [("a", &first), ("b", &second)].map(|(name, storage)| {
            let (count, stop) = (&count, &stop);
            scope.spawn(move || push_until(storage, name, count, stop))
        });
        for crash in 0..6 {
            // However slow this machine is, it happens in the middle.
            while count.load(Ordering::Relaxed) < 20 * crash {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(50 + 70 * crash));
            restart();
        }
        while count.load(Ordering::Relaxed) < 120 {
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.store(true, Ordering::Relaxed);
        pushers.into_iter().flat_map(|pusher| pusher.join().unwrap()).collect()
    });
    let log = read(&first, &id("s"));
    assert!(acknowledged.len() > 100, "{} events were pushed", acknowledged.len());
    assert_eq!(log.len(), acknowledged.len(), "nothing is lost, or there twice");
    for (seq, stored) in (1..).zip(&log) {
        assert_eq!(stored.event().seq, seq);
        assert!(acknowledged.contains(stored), "{stored:?} was not acknowledged");
    }
    assert_eq!(read(&open(), &id("s")), log);
}

/// Whoever watches a store of an engine that hangs goes elsewhere, and comes back.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn a_postgres_that_hangs_is_not_waited_for() {
    let postgres = Postgres::start();
    let storage = open(&postgres.database("hangs"));
    a_hanging_engine_is_not_waited_for(&storage, || postgres.pause(), || postgres.resume());
}

#[test]
#[ignore = "needs nats-server: cargo xtask engines"]
fn a_nats_that_hangs_is_not_waited_for() {
    let nats = Nats::start();
    let storage = NatsStore::connect(&nats.url(), StoreLimits::NONE).unwrap();
    a_hanging_engine_is_not_waited_for(&storage, || nats.pause(), || nats.resume());
}

fn a_hanging_engine_is_not_waited_for(
    storage: &dyn EventStore,
    pause: impl FnOnce(),
    resume: impl FnOnce(),
) {
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).unwrap();
    append(storage, &store, &[event(0, "{}")]).unwrap();
    let seen = Arc::new(Seen::default());
    let watcher: Weak<Seen> = Arc::downgrade(&seen);
    storage.watch(&store, watcher);
    pause();
    let begun = Instant::now();
    let unanswered = append(storage, &store, &[event(1, "{}")]);
    let is_unanswered =
        |error: &StoreError| matches!(error, StoreError::Uncertain(_) | StoreError::Unavailable(_));
    assert!(unanswered.as_ref().is_err_and(is_unanswered), "{unanswered:?}");
    let lost = seen.lost.lock().unwrap();
    let patience = Duration::from_secs(40);
    let (lost, waited) =
        seen.changed.wait_timeout_while(lost, patience, |lost| lost.is_none()).unwrap();
    assert!(!waited.timed_out(), "the watcher is not told");
    assert!(matches!(*lost, Some(StoreError::Unavailable(_))), "{lost:?}");
    assert!(begun.elapsed() < patience);
    let unready = ask(|reply| storage.check(reply));
    assert!(matches!(unready, Err(StoreError::Unavailable(_))), "{unready:?}");
    resume();
    // The one that was not answered is stored once, now or by the next attempt.
    let begun = Instant::now();
    let mut again = append(storage, &store, &[event(1, "{}")]);
    while matches!(again, Err(StoreError::Unavailable(_) | StoreError::Uncertain(_))) {
        assert!(begun.elapsed() < patience, "{again:?}");
        again = append(storage, &store, &[event(1, "{}")]);
    }
    if let Err(error) = again {
        assert_eq!(error, StoreError::Behind { head: 2 });
        assert_eq!(storage.has(&store, &[event(1, "{}")]), Ok(true));
    }
    assert_eq!(read(storage, &store), [event(0, "{}"), event(1, "{}")]);
    assert_eq!(ask(|reply| storage.check(reply)), Ok(()));
}

/// Longer than anything waits or tries again by itself.
const MINUTE: Duration = Duration::from_secs(60);

#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn a_postgres_that_comes_back_after_a_minute_is_used_again() {
    let mut postgres = Postgres::start();
    let storage = open(&postgres.database("away"));
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).unwrap();
    postgres.crash();
    an_engine_is_away(&storage, &store);
    postgres.up();
    an_engine_is_back(&storage, &store);
}

#[test]
#[ignore = "needs nats-server: cargo xtask engines"]
fn a_nats_that_comes_back_after_a_minute_is_used_again() {
    let mut nats = Nats::start();
    let storage = NatsStore::connect(&nats.url(), StoreLimits::NONE).unwrap();
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).unwrap();
    nats.crash();
    an_engine_is_away(&storage, &store);
    nats.up();
    an_engine_is_back(&storage, &store);
}

/// Whoever asks gets an answer, which is not that something was stored.
fn an_engine_is_away(storage: &dyn EventStore, store: &StoreId) {
    let begun = Instant::now();
    while begun.elapsed() < MINUTE {
        let refused = append(storage, store, &[event(0, "{}")]);
        let is_away =
            matches!(&refused, Err(StoreError::Unavailable(_) | StoreError::Uncertain(_)));
        assert!(is_away, "{refused:?}");
        let unready = ask(|reply| storage.check(reply));
        assert!(matches!(unready, Err(StoreError::Unavailable(_))), "{unready:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// It is used again, without anybody's help.
fn an_engine_is_back(storage: &dyn EventStore, store: &StoreId) {
    let begun = Instant::now();
    loop {
        match append(storage, store, &[event(0, "{}")]) {
            Ok(()) => break,
            // An attempt that was not answered may have been the one.
            Err(StoreError::Behind { head: 1 }) => break,
            Err(error) => assert!(begun.elapsed() < MINUTE, "{error:?}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(read(storage, store), [event(0, "{}")]);
    assert_eq!(ask(|reply| storage.check(reply)), Ok(()));
}

#[derive(Default)]
pub(crate) struct Seen {
    head: AtomicU64,
    lost: Mutex<Option<StoreError>>,
    changed: Condvar,
}

impl Watcher for Seen {
    fn head(&self) -> u64 {
        self.head.load(Ordering::Relaxed)
    }

    fn appended(&self, events: Arc<[StoredEvent]>) {
        let last = events.last().map_or(0, |last| last.event().seq);
        self.head.fetch_max(last, Ordering::Relaxed);
    }

    fn lost(&self, error: StoreError) {
        *self.lost.lock().unwrap() = Some(error);
        self.changed.notify_all();
    }
}

/// An append that waits for Postgres when it crashes. Nobody knows whether it was stored, whatever becomes of
/// the next attempt.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn an_append_that_a_crash_interrupts_is_uncertain() {
    let mut postgres = Postgres::start();
    let url = postgres.database("interrupted");
    a_crash_interrupts_an_append(&mut postgres, "interrupted", &url);
}

pub(crate) fn a_crash_interrupts_an_append(postgres: &mut Postgres, database: &str, url: &str) {
    let storage = open(url);
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).unwrap();
    let mut lock = postgres.lock_stores(database);
    let locked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    wait_until(|| postgres.sql("postgres", locked) == "1");
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE usename = 'livestore' AND wait_event_type = 'Lock'";
    std::thread::scope(|scope| {
        let append = scope.spawn(|| append(&storage, &store, &[event(0, "{}")]));
        wait_until(|| postgres.sql("postgres", waiting) == "1");
        postgres.crash();
        let interrupted = append.join().unwrap();
        assert!(matches!(interrupted, Err(StoreError::Uncertain(_))), "{interrupted:?}");
    });
    lock.wait().unwrap();
}

/// A replica takes over, as it does when its primary is lost.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn a_replica_is_refused_until_it_is_promoted() {
    let mut primary = Postgres::start();
    primary.database("replicated");
    let replica = primary.replica();
    let store = id("s");

    let refused =
        PostgresStore::connect(&replica.url("replicated"), Durability::Synced, StoreLimits::NONE);
    assert!(matches!(refused, Err(OpenPostgresError::ReadOnly { .. })), "{refused:?}");

    let hosts = format!(
        "postgres://livestore:secret@/replicated?host={}&host={}&target_session_attrs=read-write",
        replica.socket().display(),
        primary.socket().display(),
    );
    let storage = open(&hosts);
    ask(|reply| storage.open(&store, reply)).unwrap();
    append(&storage, &store, &[event(0, "{}")]).unwrap();
    let arrived = "SELECT count(*) FROM livestore.events";
    wait_until(|| replica.sql("replicated", arrived) == "1");

    primary.crash();
    let lost = append(&storage, &store, &[event(1, "{}")]);
    let is_lost = matches!(&lost, Err(StoreError::Unavailable(_) | StoreError::Uncertain(_)));
    assert!(is_lost, "{lost:?}");
    replica.sql("postgres", "SELECT pg_promote()");
    let mut stored = append(&storage, &store, &[event(1, "{}")]);
    while matches!(stored, Err(StoreError::Uncertain(_) | StoreError::Unavailable(_))) {
        stored = append(&storage, &store, &[event(1, "{}")]);
    }
    assert_eq!(stored, Ok(()));
    assert_eq!(read(&storage, &store), [event(0, "{}"), event(1, "{}")]);
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn what_postgres_gives_away_in_failing_over_is_noticed() {
    let mut postgres = Postgres::start();
    let storage = open(&postgres.database("replica"));
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).unwrap();
    append(&storage, &store, &[event(0, "{}")]).unwrap();
    // As a primary that became a replica.
    postgres.restart_with("default_transaction_read_only=on");
    let read_only = StoreError::Unavailable("Postgres is read-only".to_owned());
    let mut refused = append(&storage, &store, &[event(1, "{}")]);
    while matches!(refused, Err(StoreError::Uncertain(_))) {
        refused = append(&storage, &store, &[event(1, "{}")]);
    }
    assert_eq!(refused, Err(read_only.clone()));
    assert_eq!(ask(|reply| storage.check(reply)), Err(read_only));
    assert_eq!(read(&storage, &store), [event(0, "{}")], "it can be read");
    postgres.restart_with("default_transaction_read_only=off");
    let mut stored = append(&storage, &store, &[event(1, "{}")]);
    while matches!(stored, Err(StoreError::Uncertain(_) | StoreError::Unavailable(_))) {
        stored = append(&storage, &store, &[event(1, "{}")]);
    }
    assert_eq!(stored, Ok(()));
}
