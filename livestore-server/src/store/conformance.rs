//! The contract of [`EventStore`] as one test for all implementations.
//!
//! ```
//! use livestore_server::store::{MemoryStore, conformance};
//!
//! conformance::check(MemoryStore::new);
//! ```

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, Weak, mpsc};
use std::time::Duration;

use livestore_protocol::SyncEvent;
use livestore_protocol::Timestamp;

use super::{EventStore, Reply, StoreError, StoreId, StoreInfo, StoreLimits, StoredEvent, Watcher};

/// Checks that a storage keeps the contract. `make` returns an empty one.
///
/// # Panics
/// If it does not.
pub fn check<S: EventStore>(make: impl Fn(StoreLimits) -> S) {
    let fresh = || make(StoreLimits::NONE);
    a_new_store_is_empty_and_keeps_its_id(&fresh());
    what_is_appended_is_read(&fresh());
    a_batch_that_does_not_follow_is_refused(&fresh());
    a_store_must_be_opened(&fresh());
    ids_are_told_apart_byte_by_byte(&fresh());
    answers_come_in_order(&fresh());
    one_of_many_writers_wins(&Arc::new(fresh()));
    what_is_stored_is_recognized(&fresh());
    a_store_can_keep_the_id_it_had_elsewhere(&fresh());
    any_text_is_kept(&fresh());
    any_args_are_kept(&fresh());
    the_clock_may_jump(&fresh());
    limits_hold(&make(StoreLimits { stores: 2, bytes: 1_000 }));
}

/// Checks that a storage has all its events after it is opened again. `open` opens the same one each
/// time.
///
/// # Panics
/// If it does not.
pub fn check_reopen<S: EventStore>(open: impl Fn() -> S) {
    let store = id("kept");
    let before = {
        let storage = open();
        ask(|reply| storage.open(&store, reply)).expect("opens");
        append(&storage, &store, &chain(0, 3)).expect("appends");
        storage.list().expect("lists")
    };
    let storage = open();
    assert_eq!(storage.list().expect("lists"), before);
    let opened = ask(|reply| storage.open(&store, reply)).expect("opens");
    assert_eq!(before, [(store.clone(), opened)]);
    assert_eq!(read(&storage, &store, 0), chain(0, 3));
    append(&storage, &store, &chain(3, 1)).expect("goes on");
}

/// Checks that several servers can share the engine of a storage. `open` opens the same one each time,
/// as another server does.
///
/// # Panics
/// If they cannot.
pub fn check_shared<S: EventStore>(open: impl Fn(StoreLimits) -> S) {
    let first = Arc::new(open(StoreLimits::NONE));
    let second = Arc::new(open(StoreLimits::NONE));
    they_open_a_new_store_at_the_same_time(&first, &second);
    a_place_is_given_by_one_of_them(&first, &second);
    what_one_has_stored_the_other_one_has(&*first, &*second);
    a_watcher_receives_what_the_other_one_appends(&first, &second);
    their_clocks_may_differ(&*first, &*second);
    let stores = first.list().expect("lists").len() as u64;
    their_limits_may_differ(&*first, &open(StoreLimits { stores, bytes: 1_000 }));
}

fn they_open_a_new_store_at_the_same_time(
    first: &Arc<impl EventStore>,
    second: &Arc<impl EventStore>,
) {
    for n in 0..20 {
        let store = id(&format!("opened-{n}"));
        let opened = side_by_side(
            || ask(|reply| first.open(&store, reply)),
            || ask(|reply| second.open(&store, reply)),
        );
        let first = opened.0.expect("opens");
        assert_eq!(opened.1, Ok(first), "it has one backend id");
    }
}

fn a_place_is_given_by_one_of_them(first: &Arc<impl EventStore>, second: &Arc<impl EventStore>) {
    let store = id("raced");
    let wins = |storage: &dyn EventStore| {
        ask(|reply| storage.open(&store, reply)).expect("opens");
        let mut wins = 0;
        for parent in 0..200 {
            match append(storage, &store, &chain(parent, 1)) {
                Ok(()) => wins += 1,
                Err(StoreError::Behind { head }) => assert!(head > parent, "{head} at {parent}"),
                Err(error) => panic!("{error}"),
            }
        }
        wins
    };
    let (first_wins, second_wins) = side_by_side(|| wins(&**first), || wins(&**second));
    assert_eq!(first_wins + second_wins, 200, "each place is given once");
    assert_eq!(read(&**first, &store, 0), chain(0, 200));
    assert_eq!(read(&**second, &store, 0), chain(0, 200));
}

fn what_one_has_stored_the_other_one_has(first: &impl EventStore, second: &impl EventStore) {
    let store = id("both");
    let opened = ask(|reply| first.open(&store, reply)).expect("opens");
    for parent in (0..50).step_by(5) {
        append(first, &store, &chain(parent, 5)).expect("appends");
        let found = ask(|reply| second.open(&store, reply)).expect("opens");
        assert_eq!((found.backend_id, found.head), (opened.backend_id.clone(), parent + 5));
        assert_eq!(read(second, &store, parent), chain(parent, 5));
        // A client that has lost the answer asks at another server.
        let again = append(second, &store, &chain(parent, 5));
        assert_eq!(again, Err(StoreError::Behind { head: parent + 5 }));
        assert_eq!(second.has(&store, &chain(parent, 5)), Ok(true));
    }
    append(second, &store, &chain(50, 5)).expect("goes on");
    assert_eq!(read(first, &store, 0), chain(0, 55));
    assert_eq!(first.list(), second.list());
}

fn a_watcher_receives_what_the_other_one_appends(
    first: &Arc<impl EventStore>,
    second: &Arc<impl EventStore>,
) {
    let store = id("watched");
    ask(|reply| first.open(&store, reply)).expect("opens");
    append(&**first, &store, &chain(0, 3)).expect("appends");
    let opened = ask(|reply| second.open(&store, reply)).expect("opens");
    let seen = Arc::new(Seen { events: Mutex::new(chain(0, opened.head)), new: Condvar::new() });
    let watcher: Weak<Seen> = Arc::downgrade(&seen);
    assert!(second.watch(&store, watcher), "there can be others");
    for parent in 3..100 {
        append(&**first, &store, &chain(parent, 1)).expect("appends");
    }
    append(&**second, &store, &chain(100, 1)).expect("appends");
    append(&**first, &store, &chain(101, 99)).expect("appends");
    let events = seen.events.lock().expect("no panic");
    let (events, waited) = seen
        .new
        .wait_timeout_while(events, WATCH_PATIENCE, |events| events.len() < 200)
        .expect("no panic");
    assert!(!waited.timed_out(), "{} of 200 events were received", events.len());
    assert_eq!(*events, chain(0, 200));
}

/// How long others' events may take: far longer than they do.
const WATCH_PATIENCE: Duration = Duration::from_secs(30);

/// A watcher that remembers everything.
struct Seen {
    events: Mutex<Vec<StoredEvent>>,
    new: Condvar,
}

impl Watcher for Seen {
    fn head(&self) -> u64 {
        self.events.lock().expect("no panic").last().map_or(0, |last| last.event().seq)
    }

    fn appended(&self, events: Arc<[StoredEvent]>) {
        let mut seen = self.events.lock().expect("no panic");
        for stored in &*events {
            let head = seen.last().map_or(0, |last| last.event().seq);
            assert!(stored.event().parent <= head, "there is no gap as small as this");
            if stored.event().parent == head {
                seen.push(stored.clone());
            }
        }
        self.new.notify_all();
    }

    fn lost(&self, error: StoreError) {
        panic!("nothing is lost: {error}");
    }
}

fn their_clocks_may_differ(first: &impl EventStore, second: &impl EventStore) {
    let store = id("clocks");
    let hour = 60 * 60 * 1_000;
    let mut stored = Vec::new();
    for (parent, (storage, ahead)) in
        (0..10).zip([(first as &dyn EventStore, 0), (second, hour)].iter().cycle())
    {
        ask(|reply| storage.open(&store, reply)).expect("opens");
        let at = Timestamp::from_millis(1_795_352_709_210 + ahead);
        let event = chain(parent, 1).into_iter().map(|stored| StoredEvent::new(stored.event, at));
        let event: Vec<_> = event.collect();
        append(*storage, &store, &event).expect("appends");
        stored.extend(event);
    }
    assert_eq!(read(first, &store, 0), stored);
    assert_eq!(read(second, &store, 0), stored);
}

/// A limit is that of the server that is asked.
fn their_limits_may_differ(free: &impl EventStore, limited: &impl EventStore) {
    let store = id("limited");
    let refused = ask(|reply| limited.open(&store, reply));
    assert!(matches!(refused, Err(StoreError::TooManyStores { .. })), "{refused:?}");
    ask(|reply| free.open(&store, reply)).expect("opens");
    ask(|reply| limited.open(&store, reply)).expect("a store that is there opens");
    append(limited, &store, &chain(0, 1)).expect("a little fits");
    let full = Err(StoreError::StoreFull { limit: 1_000 });
    assert_eq!(append(limited, &store, &chain(1, 100)), full);
    append(free, &store, &chain(1, 100)).expect("appends");
    assert_eq!(append(limited, &store, &chain(101, 1)), full);
    let behind = append(limited, &store, &chain(1, 1));
    assert_eq!(behind, Err(StoreError::Behind { head: 101 }), "which comes before the limit");
}

fn side_by_side<T: Send>(
    first: impl FnOnce() -> T + Send,
    second: impl FnOnce() -> T + Send,
) -> (T, T) {
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        (first.join().expect("no panic"), second)
    })
}

fn a_new_store_is_empty_and_keeps_its_id(storage: &impl EventStore) {
    let (a, b) = (id("a"), id("b"));
    let opened = ask(|reply| storage.open(&a, reply)).expect("opens");
    assert!(matches!(opened, StoreInfo { head: 0, bytes: 0, .. }));
    assert_eq!(ask(|reply| storage.open(&a, reply)).expect("opens"), opened);
    let other = ask(|reply| storage.open(&b, reply)).expect("opens");
    assert_ne!(other.backend_id, opened.backend_id, "ids are not shared");
    assert_eq!(read(storage, &a, 0), []);
    assert_eq!(storage.list().expect("lists"), [(a, opened), (b, other)]);
    ask(|reply| storage.check(reply)).expect("is well");
}

fn what_is_appended_is_read(storage: &impl EventStore) {
    let store = id("s");
    let opened = ask(|reply| storage.open(&store, reply)).expect("opens");
    append(storage, &store, &chain(0, 100)).expect("appends");
    append(storage, &store, &chain(100, 1)).expect("appends");
    append(storage, &store, &[]).expect("appends nothing");
    assert_eq!(read(storage, &store, 0), chain(0, 101));
    assert_eq!(read(storage, &store, 99), chain(99, 2));
    assert_eq!(read(storage, &store, 101), []);
    assert_eq!(read(storage, &store, u64::MAX), []);
    let mut seen = 0;
    let stop_at_two = &mut |_| {
        seen += 1;
        if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    storage.read(&store, 0, stop_at_two).expect("reads");
    assert_eq!(seen, 2, "a visit ends when it says so");
    let bytes = chain(0, 101).iter().map(StoredEvent::size).sum();
    let now = StoreInfo { head: 101, bytes, ..opened };
    assert_eq!(ask(|reply| storage.open(&store, reply)), Ok(now));
}

fn a_batch_that_does_not_follow_is_refused(storage: &impl EventStore) {
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).expect("opens");
    assert_eq!(append(storage, &store, &chain(1, 1)), Err(StoreError::Behind { head: 0 }));
    append(storage, &store, &chain(0, 2)).expect("appends");
    for parent in [0, 1, 3] {
        let refused = append(storage, &store, &chain(parent, 3));
        assert_eq!(refused, Err(StoreError::Behind { head: 2 }), "parent {parent}");
    }
    assert_eq!(read(storage, &store, 0), chain(0, 2), "nothing of it is stored");
    append(storage, &store, &chain(2, 1)).expect("goes on");
}

fn a_store_must_be_opened(storage: &impl EventStore) {
    let nobody = id("nobody");
    assert_eq!(append(storage, &nobody, &chain(0, 1)), Err(StoreError::Unknown));
    let visit = &mut |_| ControlFlow::Continue(());
    assert_eq!(storage.read(&nobody, 0, visit), Err(StoreError::Unknown));
    assert_eq!(storage.list(), Ok(Vec::new()));
}

fn ids_are_told_apart_byte_by_byte(storage: &impl EventStore) {
    let ids = [
        "a-b", "a_b", "a.b", "a b", "A-B", "a-b ", "ä", "a\u{308}", "../a", "'; --", "\0", "\0a",
        "%", "*",
    ];
    let mut backend_ids = BTreeSet::new();
    for text in ids {
        let opened = ask(|reply| storage.open(&id(text), reply)).expect("opens");
        assert_eq!(opened.head, 0, "{text:?} has the events of another store");
        backend_ids.insert(opened.backend_id);
        append(storage, &id(text), &chain(0, 1)).expect("appends");
    }
    assert_eq!(backend_ids.len(), ids.len());
    let listed: BTreeSet<_> = storage.list().expect("lists").into_iter().map(|it| it.0).collect();
    assert_eq!(listed, ids.into_iter().map(id).collect());
}

fn answers_come_in_order(storage: &impl EventStore) {
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).expect("opens");
    let answered = Arc::new(Mutex::new(Vec::new()));
    let (sender, done) = mpsc::channel();
    for seq in 0..200_u64 {
        let (answered, sender) = (Arc::clone(&answered), sender.clone());
        let reply = move |result: Result<(), StoreError>| {
            result.expect("a batch behind others that wait is appended");
            answered.lock().expect("no panic").push(seq);
            sender.send(()).expect("the test waits");
        };
        storage.append(&store, chain(seq, 1).into(), Box::new(reply));
    }
    drop(sender);
    assert_eq!(done.iter().count(), 200);
    assert_eq!(*answered.lock().expect("no panic"), (0..200).collect::<Vec<_>>());
}

#[expect(clippy::disallowed_methods, reason = "writers are threads")]
fn one_of_many_writers_wins(storage: &Arc<impl EventStore>) {
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).expect("opens");
    let writers = (0..4).map(|_| {
        let (storage, store) = (Arc::clone(storage), store.clone());
        std::thread::spawn(move || {
            let wins = |parent| append(&*storage, &store, &chain(parent, 1)).is_ok();
            (0..50).filter(|parent| wins(*parent)).count()
        })
    });
    let writers: Vec<_> = writers.collect();
    let wins: usize = writers.into_iter().map(|writer| writer.join().expect("no panic")).sum();
    assert_eq!(wins, 50, "each place is given once");
    assert_eq!(read(&**storage, &store, 0), chain(0, 50));
}

/// A push whose answer was lost comes again.
fn what_is_stored_is_recognized(storage: &impl EventStore) {
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).expect("opens");
    append(storage, &store, &chain(0, 150)).expect("appends");
    for (parent, count) in [(0, 150), (0, 1), (149, 1), (20, 110), (7, 0)] {
        assert_eq!(storage.has(&store, &chain(parent, count)), Ok(true), "{count} after {parent}");
    }
    let mut other = chain(120, 10);
    if let Some(last) = other.last_mut() {
        let event = SyncEvent { session_id: "another".into(), ..last.event().clone() };
        *last = StoredEvent::new(event, last.created_at());
    }
    for events in [chain(149, 2), chain(150, 1), other] {
        assert_eq!(storage.has(&store, &events), Ok(false));
    }
}

fn a_store_can_keep_the_id_it_had_elsewhere(storage: &impl EventStore) {
    let store = id("moved");
    let moved = StoreInfo { backend_id: "from-elsewhere".to_owned(), head: 0, bytes: 0 };
    let open_as = |backend_id: &str| ask(|reply| storage.open_as(&store, backend_id, reply));
    assert_eq!(open_as("from-elsewhere"), Ok(moved.clone()));
    assert_eq!(ask(|reply| storage.open(&store, reply)), Ok(moved.clone()));
    assert_eq!(open_as("another"), Ok(moved), "it keeps the one that it has");
}

fn any_text_is_kept(storage: &impl EventStore) {
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).expect("opens");
    let event = SyncEvent {
        seq: 1,
        parent: 0,
        name: "v1.\u{0}'\"😀".to_owned(),
        args: format!(r#"{{"big":12345678901234567890,"text":"{}"}}"#, "x".repeat(100_000)),
        client_id: "\u{0}\u{7f}".into(),
        session_id: "".into(),
        metadata: None,
    };
    let stored = StoredEvent::new(event, Timestamp::MIN);
    append(storage, &store, std::slice::from_ref(&stored)).expect("appends");
    assert_eq!(read(storage, &store, 0), [stored]);
}

/// Args are JSON, or nothing at all, which `null` is not. They stay as they were written.
fn any_args_are_kept(storage: &impl EventStore) {
    let store = id("args");
    ask(|reply| storage.open(&store, reply)).expect("opens");
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let texts = [
        "",
        "null",
        "{}",
        "\"\"",
        "-0",
        "1.0",
        "1e400",
        r#""\ud83e \/ \u0000""#,
        " [ 1,\n2 ]\t",
        r#"{"b":1,"a":2,"b":3}"#,
        "\"\u{7f}\u{2028}\u{1F600}\"",
        &deep,
    ];
    let mut events = chain(0, texts.len() as u64);
    for (stored, args) in events.iter_mut().zip(texts) {
        stored.event.args = args.to_owned();
    }
    append(storage, &store, &events).expect("appends");
    assert_eq!(read(storage, &store, 0), events);
    assert_eq!(storage.has(&store, &events), Ok(true), "they are recognized");
}

/// The server's clock may be set back: order is the events' numbers, and nothing else.
fn the_clock_may_jump(storage: &impl EventStore) {
    let store = id("jumps");
    ask(|reply| storage.open(&store, reply)).expect("opens");
    let times = [1_000_000, i64::from(i32::MAX) * 1_000, 5, 0, -7];
    let jump = |(parent, time)| {
        let at = Timestamp::from_millis(time);
        chain(parent, 1).into_iter().map(move |stored| StoredEvent::new(stored.event, at))
    };
    let jumps: Vec<_> = (0..).zip(times).flat_map(jump).collect();
    for stored in &jumps {
        append(storage, &store, std::slice::from_ref(stored)).expect("appends");
    }
    assert_eq!(read(storage, &store, 0), jumps);
}

fn limits_hold(storage: &impl EventStore) {
    let (a, b) = (id("a"), id("b"));
    ask(|reply| storage.open(&a, reply)).expect("opens");
    ask(|reply| storage.open(&b, reply)).expect("opens");
    let third = ask(|reply| storage.open(&id("c"), reply));
    assert_eq!(third, Err(StoreError::TooManyStores { limit: 2 }));
    ask(|reply| storage.open(&a, reply)).expect("a store that is there opens");
    let full = Err(StoreError::StoreFull { limit: 1_000 });
    assert_eq!(append(storage, &a, &chain(0, 100)), full);
    assert_eq!(read(storage, &a, 0), [], "nothing of it is stored");
    append(storage, &a, &chain(0, 1)).expect("a smaller one fits");
    append(storage, &b, &chain(0, 1)).expect("each store has its own limit");
}

fn id(text: &str) -> StoreId {
    StoreId::new(text).expect("an id")
}

/// `count` events after `parent`.
fn chain(parent: u64, count: u64) -> Vec<StoredEvent> {
    let event = |parent| SyncEvent {
        seq: parent + 1,
        parent,
        name: "v1.Counted".to_owned(),
        args: format!(r#"{{"n":{parent}}}"#),
        client_id: "client".into(),
        session_id: "session".into(),
        metadata: None,
    };
    let stored =
        |parent| StoredEvent::new(event(parent), Timestamp::from_millis(1_795_352_709_210));
    (parent..parent + count).map(stored).collect()
}

fn append(
    storage: &(impl EventStore + ?Sized),
    store: &StoreId,
    events: &[StoredEvent],
) -> Result<(), StoreError> {
    ask(|reply| storage.append(store, events.into(), reply))
}

fn read(storage: &impl EventStore, store: &StoreId, after: u64) -> Vec<StoredEvent> {
    let mut events = Vec::new();
    let visit = &mut |stored| {
        events.push(stored);
        ControlFlow::Continue(())
    };
    storage.read(store, after, visit).expect("reads");
    events
}

fn ask<T: Send + 'static>(question: impl FnOnce(Reply<T>)) -> Result<T, StoreError> {
    let (sender, answer) = mpsc::channel();
    question(Box::new(move |result| drop(sender.send(result))));
    answer.recv().expect("every question is answered")
}
