//! Reading the log, following it, and the past.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures_core::Stream;
use livestore::prelude::*;
use livestore::store::{Events, HistoryError};
use livestore_testing::wait_until;

use crate::app::{App, Counter, Todo, TodoEvent, completed, counted, created};
use crate::kit::{Home, Random, log_of, seqs};

/// A store with events `e1` to `e1500`: a todo, and every third a count.
fn long_store() -> (Home, Store<App>) {
    let home = Home::new();
    let store = home.open::<App>();
    let event = |n| if n % 3 == 0 { counted("n", 1) } else { created(n) };
    store.commit((1..=1_500u64).map(event).collect::<Vec<_>>()).unwrap();
    (home, store)
}

fn globals(events: Events) -> Vec<u64> {
    events.into_iter().map(|event| event.unwrap().seq.global).collect()
}

#[test]
fn ranges_cross_the_borders_of_pages() {
    let (_home, store) = long_store();
    let all: Vec<u64> = (1..=1_500).collect();
    assert_eq!(globals(store.events()), all);
    for first in [0, 1, 2, 511, 512, 513, 1_023, 1_024, 1_025, 1_500, 1_501, u64::MAX] {
        let from = |first: u64| (first.max(1)..=1_500).collect::<Vec<_>>();
        assert_eq!(globals(store.events().range(first..)), from(first));
        assert_eq!(
            globals(store.events().after(SeqNum::new(first))),
            from(first.saturating_add(1))
        );
        for last in [0, 1, 511, 512, 513, 1_024, 1_500, 2_000, u64::MAX] {
            let upto =
                |last: u64| from(first).into_iter().take_while(|n| *n <= last).collect::<Vec<_>>();
            assert_eq!(globals(store.events().range(first..=last)), upto(last), "{first}..={last}");
            assert_eq!(globals(store.events().range(first..last)), upto(last.saturating_sub(1)));
        }
    }
    assert_eq!(globals(store.events().range(..=3)), [1, 2, 3]);
    assert_eq!(globals(store.events().range(..)), all);
}

#[test]
fn names_choose_events() {
    let (_home, store) = long_store();
    let counted = globals(store.events().named("v1.Counted"));
    assert_eq!(counted, (3..=1_500).step_by(3).collect::<Vec<_>>());
    let both = store.events().named("v1.Counted").named("v1.TodoCreated").range(500..=1_100);
    assert_eq!(globals(both), (500..=1_100).collect::<Vec<_>>());
    assert_eq!(globals(store.events().named("v1.Nothing")), [0; 0]);
}

#[test]
fn a_range_has_the_client_only_events_of_its_numbers() {
    let store = Store::<App>::builder("todos").open().unwrap();
    let viewed = || TodoEvent::Viewed { id: "a".into() };
    store.commit([viewed(), created("a"), viewed(), viewed(), created("b"), viewed()]).unwrap();
    let found = |events: Events| {
        events.into_iter().map(|event| event.unwrap().seq.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found(store.events().range(1..=1)), ["e1", "e1.1", "e1.2"]);
    assert_eq!(found(store.events().range(..1)), ["e0.1"]);
    assert_eq!(found(store.events().range(2..)), ["e2", "e2.1"]);
    assert_eq!(found(store.events().after("e1.1".parse().unwrap())), ["e1.2", "e2", "e2.1"]);
}

#[test]
fn an_iterator_reads_on_while_events_come() {
    let (_home, store) = long_store();
    let mut events = store.events().into_iter();
    assert_eq!(events.next().unwrap().unwrap().seq, SeqNum::new(1));
    store.commit((2_000..2_600).map(created).collect::<Vec<_>>()).unwrap();
    assert_eq!(events.count(), 2_099);
}

#[test]
fn follow_waits_for_events_and_ends_with_the_store() {
    for (is_closed, store) in [(true, long_store()), (false, long_store())] {
        let (_home, store) = store;
        let follow = store.events().range(1_400..).follow();
        let (send, seen) = mpsc::channel();
        let follower = thread::spawn(move || {
            follow.for_each(|event| send.send(event.unwrap().seq.global).unwrap());
        });
        for n in 2_000..2_100 {
            store.commit(created(n)).unwrap();
        }
        let next = || seen.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!((1_400..=1_600).all(|seq| next() == seq));
        if is_closed {
            store.close().unwrap();
        } else {
            // The follower holds no handle: this is the last one.
            drop(store);
        }
        follower.join().unwrap();
        assert_eq!(seen.try_iter().count(), 0);
    }
}

#[test]
fn follow_ends_after_its_range() {
    let (_home, store) = long_store();
    let mut follow = store.events().range(1_499..=1_501).named("v1.TodoCreated").follow();
    assert_eq!(follow.try_next().unwrap().unwrap().seq, SeqNum::new(1_499));
    assert_eq!(follow.try_next(), None);
    store.commit([created("a"), created("b")]).unwrap();
    assert_eq!(follow.next().unwrap().unwrap().seq, SeqNum::new(1_501));
    assert_eq!(follow.next(), None);
    assert_eq!(follow.next(), None);
}

/// Counts how often it was woken.
#[derive(Default)]
struct Alarm(AtomicUsize);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Alarm {
    fn rang(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

#[test]
fn follow_is_a_stream() {
    let store = Store::<App>::builder("todos").open().unwrap();
    store.commit(created("a")).unwrap();
    let mut follow = pin!(store.events().follow());
    let alarm = Arc::new(Alarm::default());
    let waker = Waker::from(Arc::clone(&alarm));
    let mut context = Context::from_waker(&waker);
    let mut poll = || match follow.as_mut().poll_next(&mut context) {
        Poll::Ready(event) => Poll::Ready(event.map(|event| event.unwrap().seq.to_string())),
        Poll::Pending => Poll::Pending,
    };

    assert_eq!(poll(), Poll::Ready(Some("e1".into())));
    assert_eq!((poll(), poll()), (Poll::Pending, Poll::Pending));
    assert_eq!(alarm.rang(), 0);
    store.commit([created("b"), created("c")]).unwrap();
    assert_eq!(alarm.rang(), 1, "one commit wakes once");
    assert_eq!(poll(), Poll::Ready(Some("e2".into())));
    assert_eq!(poll(), Poll::Ready(Some("e3".into())));
    assert_eq!(poll(), Poll::Pending);
    assert!(store.commit(created("c")).is_err());
    assert_eq!(alarm.rang(), 0, "a refused commit wakes nobody");
    store.close().unwrap();
    assert_eq!(alarm.rang(), 1);
    assert_eq!((poll(), poll()), (Poll::Ready(None), Poll::Ready(None)));
}

#[test]
fn followers_do_not_keep_the_store_alive() {
    let (home, store) = long_store();
    let follow = store.events().follow();
    let events = store.events();
    let weak: Vec<_> = store.events().range(3..).into_iter().take(1).collect();
    assert_eq!(weak.len(), 1);
    drop(store);
    let again = home.open::<App>();
    assert_eq!(follow.count(), 0);
    assert!(events.into_iter().next().unwrap().is_err());
    assert_eq!(seqs(&again).len(), 1_500);
}

/// The expected state of random events.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    todos: BTreeMap<String, bool>,
    count: i64,
}

impl Model {
    fn apply(&mut self, event: &TodoEvent) {
        match event {
            TodoEvent::Created { id, .. } => drop(self.todos.insert(id.clone(), false)),
            TodoEvent::Completed { id } => {
                self.todos.get_mut(id).into_iter().for_each(|completed| *completed = true);
            }
            TodoEvent::Deleted { id } => drop(self.todos.remove(id)),
            TodoEvent::Counted { by, .. } => self.count += by,
            other => panic!("{other:?}"),
        }
    }

    fn of(query: impl Fn(Select) -> Vec<Todo>, count: Option<Counter>) -> Self {
        let todos = query(Todo::all()).into_iter().map(|todo| (todo.id, todo.completed)).collect();
        Self { todos, count: count.map_or(0, |count| count.value) }
    }
}

type Select = livestore::table::Select<Todo>;

#[test]
fn the_state_at_every_event_is_what_it_was() {
    let store = Store::<App>::builder("todos").open().unwrap();
    let mut random = Random::new(5);
    let mut model = Model::default();
    let mut models = vec![model.clone()];
    for n in 1..=150u64 {
        let id = random.below(n).to_string();
        let event = match random.below(5) {
            0 => completed(id),
            1 => TodoEvent::Deleted { id },
            2 => counted("n", random.below(100) as i64 - 50),
            _ => created(n),
        };
        model.apply(&event);
        models.push(model.clone());
        store.commit(event).unwrap();
    }
    for (n, model) in models.iter().enumerate() {
        let seq = SeqNum::new(n as u64);
        let past = store.state_at(seq).unwrap();
        assert_eq!(past.head(), seq);
        let found =
            Model::of(|todos| past.query(todos).unwrap(), past.query(Counter::get("n")).unwrap());
        assert_eq!(found, *model, "at {seq}");
    }
}

#[test]
fn the_past_stays_as_it_is() {
    let store = Store::<App>::builder("todos").open().unwrap();
    store.commit(created("a")).unwrap();
    let past = store.state_at(SeqNum::new(1)).unwrap();
    store.commit(TodoEvent::Deleted { id: "a".into() }).unwrap();
    store.close().unwrap();
    assert_eq!(past.query(Todo::all().count()).unwrap(), 1);
}

#[test]
fn a_fork_goes_its_own_way() {
    let (home, store) = long_store();
    let before = store.state_hash().unwrap();
    let fork = store.fork(SeqNum::new(700)).unwrap();
    assert_eq!(log_of(&fork), log_of(&store)[..700]);
    fork.commit([created("mine"), counted("n", 100)]).unwrap();
    assert_eq!(fork.head().unwrap(), SeqNum::new(702));
    assert_eq!((store.head().unwrap(), store.state_hash().unwrap()), (SeqNum::new(1_500), before));
    store.commit(created("yours")).unwrap();
    let is_there = |store: &Store<App>, id| store.query(Todo::get(id)).unwrap().is_some();
    assert!(is_there(&fork, "mine") && !is_there(&fork, "yours"));
    assert!(is_there(&store, "yours") && !is_there(&store, "mine"));

    // The same events make the same state; a fork outlives the store.
    let whole = store.fork(store.head().unwrap()).unwrap();
    assert_eq!(whole.state_hash().unwrap(), store.state_hash().unwrap());
    store.close().unwrap();
    whole.commit(created("later")).unwrap();
    fork.fork(SeqNum::new(1)).unwrap();
    drop((fork, whole));
    assert_eq!(home.open::<App>().head().unwrap(), SeqNum::new(1_501));
}

#[test]
fn there_is_no_past_beyond_the_head() {
    let (_home, store) = long_store();
    let head = SeqNum::new(1_500);
    for seq in ["e1501", "e1500.1", "e18446744073709551615"] {
        let seq: SeqNum = seq.parse().unwrap();
        let expected = HistoryError::NoSuchEvent { seq, head };
        assert_eq!(store.state_at(seq).unwrap_err(), expected);
        assert_eq!(store.fork(seq).unwrap_err(), expected);
    }
    assert_eq!(store.fork(SeqNum::ROOT).unwrap().head().unwrap(), SeqNum::ROOT);
}

#[test]
fn there_is_no_past_between_two_events() {
    let (_home, store) = long_store();
    let seq: SeqNum = "e700.3".parse().unwrap();
    let expected = HistoryError::NoSuchEvent { seq, head: SeqNum::new(700) };
    assert_eq!(store.state_at(seq).unwrap_err(), expected);
    assert_eq!(store.fork(seq).unwrap_err(), expected);
}

#[test]
fn a_snapshot_in_the_making_does_not_outlive_reset_state() {
    let home = Home::new();
    let store = home.open::<App>();
    store.commit((0..10_000).map(created).collect::<Vec<_>>()).unwrap();
    let hash = store.state_hash().unwrap();
    store.reset_state().unwrap();
    assert!(!home.snapshot().exists());
    // Whoever was making it had all the time that it takes.
    let (again, boot) = home.copy().boot::<App>();
    assert_eq!((boot.replayed(), again.state_hash().unwrap()), (10_000, hash));
    assert!(!home.snapshot().exists());
    // The events that were replayed count for the next one.
    store.commit(created("a")).unwrap();
    wait_until(|| home.snapshot().exists());
    let (again, boot) = home.copy().boot::<App>();
    assert_eq!(boot.replayed(), 0);
    assert_eq!(again.state_hash().unwrap(), store.state_hash().unwrap());
}

#[test]
fn reset_state_makes_the_same_state_again() {
    let (home, store) = long_store();
    let hash = store.state_hash().unwrap();
    store.close().unwrap();
    let store = home.open::<App>();
    assert!(home.snapshot().exists());
    store.reset_state().unwrap();
    assert!(!home.snapshot().exists());
    assert_eq!(store.state_hash().unwrap(), hash);
    assert_eq!(store.commit(created("a")).unwrap().last(), Some(SeqNum::new(1_501)));
}
