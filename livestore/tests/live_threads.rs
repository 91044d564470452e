//! Many threads on one store's live queries: nothing is lost, nobody waits forever.
//!
//! `live_model.rs` tries the interleavings of few threads one by one; here are many, as they come.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]
#![expect(clippy::disallowed_methods, reason = "a test has threads and a clock")]

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use livestore::live::{SharedRow, batch};
use livestore::prelude::*;
use livestore_testing::sample::counters::{App, Counted, Counter};

const THREADS: i64 = 4;
const COUNTERS: i64 = 8;

/// Longer than any of this takes, by far.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fails, rather than hangs, where threads wait for each other.
fn in_time(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match is_done.recv_timeout(PATIENCE) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the threads wait for each other"),
        _ => thread.join().unwrap(),
    }
}

fn total(store: &Store<App>) -> LiveQuery<SharedRow<i64>> {
    store.live(Counter::all().select(Counter::VALUE.sum()).one()).unwrap()
}

/// Runs `work` in several threads that start at once; each knows its number.
fn at_once(work: impl Fn(i64) + Sync) {
    let start = Barrier::new(usize::try_from(THREADS).unwrap());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (work, start) = (&work, &start);
            scope.spawn(move || {
                start.wait();
                work(thread);
            });
        }
    });
}

#[test]
fn every_change_notifies_at_most_once_and_the_last_one_always() {
    in_time(|| {
        let store = Store::<App>::builder("threads").open().unwrap();
        let total = total(&store);
        let (last, calls) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
        let (newest, counter) = (Arc::clone(&last), Arc::clone(&calls));
        let _guard = total.subscribe(move |total| {
            let before = newest.swap(**total, Ordering::Relaxed);
            assert!(before < **total, "{before} came before {}", **total);
            counter.fetch_add(1, Ordering::Relaxed);
        });
        at_once(|thread| {
            for n in 0..300 {
                store.commit(Counted { id: (thread + n) % COUNTERS }).unwrap();
            }
        });
        assert_eq!((**total.get(), last.load(Ordering::Relaxed)), (1_200, 1_200));
        assert!(calls.load(Ordering::Relaxed) <= 1_200);
    });
}

#[test]
fn subscribing_and_dropping_while_others_commit_leaves_nothing_behind() {
    in_time(|| {
        let store = Store::<App>::builder("threads").open().unwrap();
        let (stop, heard) = (AtomicBool::new(false), Arc::new(AtomicUsize::new(0)));
        let end = Instant::now() + Duration::from_secs(2);
        at_once(|thread| {
            if thread == 0 {
                while Instant::now() < end {
                    for id in 0..COUNTERS {
                        store.commit(Counted { id }).unwrap();
                    }
                }
                stop.store(true, Ordering::Relaxed);
                return;
            }
            let mut kept = Vec::new();
            for id in (0..COUNTERS).cycle() {
                let point = store.live(Counter::get(id)).unwrap();
                let all = store.live(Counter::all().order_by(Counter::ID.asc())).unwrap();
                let sum = computed({
                    let (point, all) = (point.clone(), all.clone());
                    move |get| get.of(&all).len() + usize::from(get.of(&point).is_some())
                });
                // The sum is the same as soon as all counters are there; each goes on counting.
                let heard = Arc::clone(&heard);
                kept.push((
                    sum.subscribe(|_| ()),
                    point.subscribe(move |_| {
                        heard.fetch_add(1, Ordering::Relaxed);
                    }),
                    all.diffs(),
                    sum.stream(),
                ));
                if kept.len() > 3 {
                    kept.remove(usize::try_from(id).unwrap() % 3);
                }
                store.inspect().unwrap();
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        assert!(heard.load(Ordering::Relaxed) > 0);
        let picture = store.inspect().unwrap();
        assert!(picture.queries.is_empty() && picture.watched.is_empty(), "{picture}");
    });
}

#[test]
fn callbacks_that_commit_meet_commits_of_other_threads() {
    in_time(|| {
        let store = Store::<App>::builder("threads").open().unwrap();
        let total = total(&store);
        let (theirs, left) = (store.clone(), AtomicI64::new(500));
        let _guard = total.subscribe(move |_| {
            if left.fetch_sub(1, Ordering::Relaxed) > 0 {
                theirs.commit(Counted { id: 0 }).unwrap();
            }
        });
        at_once(|thread| {
            for _ in 0..500 {
                store.commit(Counted { id: thread }).unwrap();
            }
        });
        assert_eq!(**total.get(), 2_500);
    });
}

#[test]
fn computeds_are_right_when_their_signals_have_come_to_rest() {
    in_time(|| {
        let signals: Vec<_> = (0..THREADS).map(|_| signal(0)).collect();
        let sum = {
            let signals = signals.clone();
            computed(move |get| signals.iter().map(|signal| *get.of(signal)).sum::<i64>())
        };
        // Which it reads depends on what it reads.
        let some = {
            let (signals, sum) = (signals.clone(), sum.clone());
            computed(move |get| match *get.of(&sum) % 2 {
                0 => *get.of(&sum),
                _ => -signals.iter().rev().map(|signal| *get.of(signal)).sum::<i64>(),
            })
        };
        let last = Arc::new(AtomicI64::new(0));
        let newest = Arc::clone(&last);
        let _guard = some.subscribe(move |value| newest.store(*value, Ordering::Relaxed));
        at_once(|thread| {
            let mine = &signals[usize::try_from(thread).unwrap()];
            for n in 1..=2_001 {
                batch(|| {
                    mine.update(|value| *value += 1);
                    mine.set(n);
                });
                some.get();
            }
        });
        let expected = 2_001 * THREADS;
        assert_eq!((*some.get(), last.load(Ordering::Relaxed)), (expected, expected));
    });
}
