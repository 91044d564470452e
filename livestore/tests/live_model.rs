//! The live graph under [shuttle], which runs a few threads one step at a time and tries thousands
//! of the orders in which their steps can come:
//!
//! ```sh
//! cargo xtask interleavings
//! ```
//!
//! A failure prints a schedule; `shuttle::replay` runs it again.
//!
//! [shuttle]: https://docs.rs/shuttle
#![cfg(shuttle)]
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use livestore::live::{Computed, List, SharedRow, Signal, Subscription, batch};
use livestore::prelude::*;
use livestore_testing::sample::counters::{App, Counted, Counter};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, thread};

/// Tries `rounds` orders at random, and as many with few, but well-placed, turns.
fn model(rounds: usize, test: impl Fn() + Send + Sync + 'static) {
    let test = Arc::new(test);
    let mut config = Config::new();
    // SQLite is written for the stacks of real threads.
    config.stack_size = 1 << 20;
    let first = Arc::clone(&test);
    Runner::new(RandomScheduler::new(rounds), config.clone()).run(move || first());
    Runner::new(PctScheduler::new(3, rounds), config).run(move || test());
}

fn store() -> Store<App> {
    Store::builder("model").open().unwrap()
}

/// The calls of a subscriber: their number, and the newest value. A value that comes twice or out of
/// order fails the test.
#[derive(Clone, Default)]
struct Calls(Arc<(AtomicI64, AtomicUsize, AtomicUsize)>);

impl Calls {
    /// Of values that only grow.
    fn of<R: Reactive>(
        value: &R,
        number: impl Fn(&R::Value) -> i64 + Send + 'static,
    ) -> (Self, Subscription) {
        let calls = Self::default();
        let theirs = calls.clone();
        let guard = value.subscribe(move |value| {
            let (newest, calls, wrong) = &*theirs.0;
            let number = number(value);
            if newest.swap(number, Ordering::Relaxed) >= number {
                wrong.fetch_add(1, Ordering::Relaxed);
            }
            calls.fetch_add(1, Ordering::Relaxed);
        });
        (calls, guard)
    }

    fn check(&self, newest: i64, most_calls: usize) {
        let (last, calls, wrong) = &*self.0;
        assert_eq!(last.load(Ordering::Relaxed), newest, "the last call has the last value");
        assert_eq!(wrong.load(Ordering::Relaxed), 0, "values come once, in order");
        let calls = calls.load(Ordering::Relaxed);
        assert!((1..=most_calls).contains(&calls), "{calls} calls");
    }
}

fn sum(of: &[Signal<i64>]) -> Computed<i64> {
    let of = of.to_vec();
    computed(move |get| of.iter().map(|signal| *get.of(signal)).sum())
}

#[test]
fn a_computed_of_two_signals_follows_both() {
    model(1_000, || {
        let signals = [signal(0), signal(0)];
        let sum = sum(&signals);
        let (calls, _guard) = Calls::of(&sum, |sum| *sum);
        let threads = signals.map(|signal| {
            thread::spawn(move || {
                signal.set(1);
                batch(|| signal.update(|value| *value += 1));
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        calls.check(4, 4);
        assert_eq!(*sum.get(), 4);
    });
}

#[test]
fn a_column_read_for_the_first_time_is_tracked() {
    model(1_000, || {
        let (open, value) = (signal(false), signal(1));
        let shown = {
            let (open, value) = (open.clone(), value.clone());
            computed(move |get| if *get.of(&open) { *get.of(&value) } else { 0 })
        };
        let (calls, _guard) = Calls::of(&shown, |shown| *shown);
        let opener = thread::spawn(move || open.set(true));
        let setter = thread::spawn(move || value.set(2));
        opener.join().unwrap();
        setter.join().unwrap();
        calls.check(2, 2);
    });
}

#[test]
fn two_readers_make_one_computed() {
    model(1_000, || {
        let signals = [signal(0), signal(0)];
        let (inner, outer) = (sum(&signals), signals[1].clone());
        let outer = {
            let inner = inner.clone();
            computed(move |get| *get.of(&inner) * 10 + *get.of(&outer))
        };
        let readers = [outer.clone(), outer.clone()].map(|outer| {
            thread::spawn(move || {
                let (one, two) = (*outer.get(), *outer.get());
                assert!(one <= two, "{one} was read before {two}");
            })
        });
        signals[0].set(1);
        signals[1].set(1);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        assert_eq!(*outer.get(), 21);
    });
}

#[test]
fn a_subscription_that_ends_meanwhile_frees_its_value() {
    model(1_000, || {
        let source = signal(0);
        let sum = sum(std::slice::from_ref(&source));
        let (calls, guard) = Calls::of(&sum, |sum| *sum);
        let freed = Arc::downgrade(&calls.0);
        let setter = {
            let source = source.clone();
            thread::spawn(move || source.set(1))
        };
        let reader = thread::spawn(move || drop(guard));
        drop((sum, calls));
        setter.join().unwrap();
        reader.join().unwrap();
        assert!(freed.upgrade().is_none(), "the callback still exists");
    });
}

#[test]
fn commits_of_two_threads_notify_once_each() {
    model(200, || {
        let store = store();
        let total = store.live(Counter::all().select(Counter::VALUE.sum()).one()).unwrap();
        let (calls, _guard) = Calls::of(&total, |total: &SharedRow<i64>| **total);
        let threads = [1, 2].map(|id| {
            let store = store.clone();
            thread::spawn(move || {
                store.commit(Counted { id }).unwrap();
                store.commit(Counted { id }).unwrap();
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        calls.check(4, 4);
        assert_eq!(**total.get(), 4);
    });
}

#[test]
fn starting_and_dropping_a_query_while_another_thread_commits() {
    model(200, || {
        let store = store();
        let query = || Counter::all().order_by(Counter::ID.asc());
        let kept = store.live(query()).unwrap();
        let committer = {
            let store = store.clone();
            thread::spawn(move || {
                store.commit(Counted { id: 1 }).unwrap();
                store.commit(Counted { id: 2 }).unwrap();
            })
        };
        let reader = {
            let store = store.clone();
            thread::spawn(move || {
                let mut diffs = store.live(query()).unwrap().diffs();
                let point = store.live(Counter::get(1)).unwrap();
                let _guard = point.subscribe(|_| ());
                store.inspect().unwrap();
                let mut shown = Vec::new();
                let steps = std::iter::from_fn(|| diffs.try_next()).flatten();
                steps.for_each(|step| step.apply(&mut shown, Clone::clone));
                shown.len()
            })
        };
        drop(kept);
        committer.join().unwrap();
        assert!(reader.join().unwrap() <= 2);
        let picture = store.inspect().unwrap();
        assert!(picture.queries.is_empty() && picture.watched.is_empty(), "{picture}");
        let list: Arc<List<Counter>> = store.live(query()).unwrap().get();
        assert_eq!(list.len(), 2);
    });
}

#[test]
fn computeds_that_read_each_other_do_not_wait_for_each_other() {
    model(1_000, || {
        let other: Arc<std::sync::Mutex<Option<Computed<i64>>>> = Arc::default();
        let one = {
            let other = Arc::clone(&other);
            computed(move |get| {
                let other = other.lock().unwrap().clone();
                other.map_or(0, |other| *get.of(&other))
            })
        };
        let two = {
            let one = one.clone();
            computed(move |get| *get.of(&one) + 1)
        };
        *other.lock().unwrap() = Some(two.clone());
        let threads = [one, two].map(|it| {
            thread::spawn(move || {
                let read = std::panic::AssertUnwindSafe(|| it.get());
                assert!(std::panic::catch_unwind(read).is_err(), "a cycle has no value");
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // It would hold itself for ever.
        other.lock().unwrap().take();
    });
}
