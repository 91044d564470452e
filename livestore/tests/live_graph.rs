//! The reactive graph: what is called, how often, with which value, and what is left afterwards.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]
#![expect(clippy::disallowed_methods, reason = "a test has threads")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use futures_util::{FutureExt, StreamExt};
use livestore::live::{
    Computed, Diff, Getter, List, LiveQuery, Origin, Signal, Subscription, Tier, ValueKind,
    ValueReport, batch,
};
use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    #[column(primary_key)]
    pub id: String,
    pub rank: i64,
}

#[derive(Event, Debug, Clone)]
pub enum ItemEvent {
    #[event(name = "v1.Put")]
    Put { id: String, rank: i64 },
    #[event(name = "v1.Filled")]
    Filled { rows: i64 },
    #[event(name = "v1.Replaced")]
    Replaced { id: String },
}

impl Materialize for ItemEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Put { id, rank } => state.upsert(&Item { id: id.clone(), rank: *rank }),
            Self::Filled { rows } => {
                (0..*rows).try_for_each(|n| state.insert(&Item { id: format!("n{n:06}"), rank: n }))
            }
            Self::Replaced { id } => state
                .sql(
                    "INSERT OR REPLACE INTO item SELECT id, rank FROM item WHERE id = ?",
                    (id.clone(),),
                )
                .map(|_| ()),
        }
    }
}

livestore::schema! { pub App { tables: [Item], events: [ItemEvent] } }

fn store() -> Store<App> {
    Store::builder("graph").open().unwrap()
}

fn put(id: &str, rank: i64) -> ItemEvent {
    ItemEvent::Put { id: id.into(), rank }
}

/// Everything that a callback was called with.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<i64>>>);

impl Log {
    fn of(&self, value: &impl Reactive<Value = i64>) -> Subscription {
        let log = self.clone();
        value.subscribe(move |value| log.0.lock().unwrap().push(*value))
    }

    fn take(&self) -> Vec<i64> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A place for a guard that its own callback can reach.
type Slot = Arc<Mutex<Option<Subscription>>>;

mod values {
    use super::*;

    #[test]
    fn a_diamond_is_computed_once_from_consistent_inputs() {
        let (source, runs) = (signal(1), Arc::new(AtomicUsize::new(0)));
        let side = |by: i64| {
            let source = source.clone();
            computed(move |get| *get.of(&source) * by)
        };
        let (left, right, counter) = (side(1), side(-1), Arc::clone(&runs));
        let bottom = computed(move |get| {
            counter.fetch_add(1, Ordering::Relaxed);
            let (left, right) = (*get.of(&left), *get.of(&right));
            assert_eq!(left, -right, "a glitch");
            left
        });
        let log = Log::default();
        let _guard = log.of(&bottom);
        for n in 2..5 {
            source.set(n);
        }
        assert_eq!((log.take(), runs.load(Ordering::Relaxed)), (vec![2, 3, 4], 4));
    }

    #[test]
    fn many_diamonds_on_top_of_each_other_take_no_longer_than_their_number() {
        let (source, runs) = (signal(1_i64), Arc::new(AtomicUsize::new(0)));
        let mut top = {
            let source = source.clone();
            computed(move |get| *get.of(&source))
        };
        for _ in 0..64 {
            let [left, right] = [0, 1].map(|by| {
                let top = top.clone();
                computed(move |get| *get.of(&top) + by)
            });
            let runs = Arc::clone(&runs);
            top = computed(move |get| {
                runs.fetch_add(1, Ordering::Relaxed);
                *get.of(&left) + *get.of(&right) - *get.of(&left)
            });
        }
        assert_eq!(*top.get(), 65);
        source.set(2);
        assert_eq!(*top.get(), 66);
        assert_eq!(runs.load(Ordering::Relaxed), 128);
    }

    #[test]
    fn an_input_that_is_no_longer_read_is_dropped() {
        let (which, one, two) = (signal(true), signal(1), signal(2));
        let runs = Arc::new(AtomicUsize::new(0));
        let chosen = {
            let (which, one, two) = (which.clone(), one.clone(), two.clone());
            let runs = Arc::clone(&runs);
            computed(move |get| {
                runs.fetch_add(1, Ordering::Relaxed);
                if *get.of(&which) { *get.of(&one) } else { *get.of(&two) }
            })
        };
        let log = Log::default();
        let _guard = log.of(&chosen);
        two.set(20);
        which.set(false);
        one.set(10);
        two.set(21);
        assert_eq!(log.take(), [20, 21]);
        assert_eq!(runs.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn an_equal_value_does_not_propagate() {
        let source = signal(1);
        let is_odd = {
            let source = source.clone();
            computed(move |get| *get.of(&source) % 2)
        };
        let runs = Arc::new(AtomicUsize::new(0));
        let next = {
            let (is_odd, runs) = (is_odd.clone(), Arc::clone(&runs));
            computed(move |get| {
                runs.fetch_add(1, Ordering::Relaxed);
                *get.of(&is_odd) * 10
            })
        };
        let log = Log::default();
        let _guard = log.of(&next);
        source.set(3);
        source.set(5);
        assert_eq!((next.version(), runs.load(Ordering::Relaxed)), (1, 1));
        source.set(6);
        assert_eq!(log.take(), [0]);
    }

    #[test]
    fn an_update_may_read_its_own_signal() {
        let count = signal(1);
        count.update(|value| *value += *count.get());
        assert_eq!(*count.get(), 2);
    }
}

mod cycles {
    use super::*;

    /// Two computeds; the second reads the first while `closed`.
    fn pair() -> (Signal<bool>, Computed<i64>, Computed<i64>) {
        let closed = signal(true);
        let first: Arc<Mutex<Option<Computed<i64>>>> = Arc::default();
        let second = {
            let (closed, first) = (closed.clone(), Arc::clone(&first));
            computed(move |get| {
                let first = first.lock().unwrap().clone().filter(|_| *get.of(&closed));
                first.map_or(1, |first| *get.of(&first))
            })
        };
        let one = {
            let second = second.clone();
            computed(move |get| *get.of(&second) + 1)
        };
        *first.lock().unwrap() = Some(one.clone());
        (closed, one, second)
    }

    fn message(read: impl FnOnce()) -> String {
        let panic = catch_unwind(AssertUnwindSafe(read)).unwrap_err();
        *panic.downcast::<String>().unwrap()
    }

    #[test]
    fn a_cycle_says_which_way_it_goes() {
        let (_, one, two) = pair();
        let said = message(|| drop(one.get()));
        assert!(said.starts_with("a computed reads itself: the one at "), "{said}");
        assert_eq!(said.matches("live_graph.rs:").count(), 3, "{said}");
        assert!(message(|| drop(two.subscribe(|_| ()))).starts_with("a computed reads itself"));
    }

    #[test]
    fn a_cycle_that_comes_and_goes_harms_nobody_else() {
        let (closed, one, _) = pair();
        closed.set(false);
        let (log, others) = (Log::default(), Arc::new(AtomicUsize::new(0)));
        let _guard = log.of(&one);
        let counter = Arc::clone(&others);
        let _other = closed.subscribe(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        closed.set(true);
        assert!(catch_unwind(AssertUnwindSafe(|| one.get())).is_err());
        closed.set(false);
        // The value is what it was before: no subscriber is called.
        assert_eq!((log.take(), *one.get()), (vec![], 2));
        assert_eq!(others.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn two_threads_in_one_cycle_do_not_wait_for_each_other() {
        for _ in 0..200 {
            let (_, one, two) = pair();
            let threads = [one, two].map(|it| thread::spawn(move || message(|| drop(it.get()))));
            for said in threads.map(|thread| thread.join().unwrap()) {
                assert!(said.starts_with("a computed reads itself"), "{said}");
            }
        }
    }

    #[test]
    fn a_computed_notifies_again_after_a_panic() {
        let (source, divisor) = (signal(12_i64), signal(2));
        let quotient = {
            let (source, divisor) = (source.clone(), divisor.clone());
            computed(move |get| match *get.of(&source) {
                12 => 6,
                source => source.checked_div(*get.of(&divisor)).expect("a divisor"),
            })
        };
        let log = Log::default();
        let _guard = log.of(&quotient);
        divisor.set(0);
        source.set(10);
        assert!(catch_unwind(AssertUnwindSafe(|| quotient.get())).is_err());
        // It failed over an input that it had not read when it last had a value.
        divisor.set(5);
        assert_eq!(log.take(), [2]);
    }
}

mod callbacks {
    use super::*;

    #[test]
    fn a_callback_may_end_itself() {
        let (source, slot, log) = (signal(0), Slot::default(), Log::default());
        let (theirs, noted) = (Arc::clone(&slot), log.clone());
        *slot.lock().unwrap() = Some(source.subscribe(move |n| {
            noted.0.lock().unwrap().push(*n);
            drop(theirs.lock().unwrap().take());
        }));
        source.set(1);
        source.set(2);
        assert_eq!(log.take(), [1]);
    }

    #[test]
    fn a_callback_may_end_another_that_is_next() {
        let (source, slot, log) = (signal(0), Slot::default(), Log::default());
        let theirs = Arc::clone(&slot);
        let _first = source.subscribe(move |_| drop(theirs.lock().unwrap().take()));
        *slot.lock().unwrap() = Some(log.of(&source));
        source.set(1);
        assert!(log.take().is_empty());
    }

    #[test]
    fn a_callback_may_drop_the_last_of_its_query() {
        let (store, slot) = (store(), Slot::default());
        let query = store.live(Item::all()).unwrap();
        let held = Mutex::new(Some(query.clone()));
        let theirs = Arc::clone(&slot);
        *slot.lock().unwrap() = Some(query.subscribe(move |_| {
            drop(held.lock().unwrap().take());
            drop(theirs.lock().unwrap().take());
        }));
        drop(query);
        assert_eq!(store.inspect().unwrap().queries.len(), 1);
        store.commit(put("a", 1)).unwrap();
        assert!(store.inspect().unwrap().queries.is_empty());
    }

    #[test]
    fn a_callback_may_drop_the_last_of_its_store() {
        let directory = tempfile::tempdir().unwrap();
        let builder = || Store::<App>::builder("graph").directory(directory.path());
        let open = || builder().single_process().open();
        let store = open().unwrap();
        let (go, held) = (signal(false), Mutex::new(Some(store.clone())));
        let live = store.live(Item::all().count()).unwrap();
        let _guard = go.subscribe(move |_| drop(held.lock().unwrap().take()));
        store.commit(put("a", 1)).unwrap();
        drop(store);
        assert!(open().is_err(), "the callback's handle keeps it open");
        go.set(true);
        assert_eq!(open().unwrap().query(Item::all().count()).unwrap(), 1);
        assert_eq!(**live.get(), 1);
    }

    #[test]
    fn a_callback_that_another_thread_ends_runs_to_its_end_and_not_again() {
        let (source, calls) = (signal(0), Arc::new(AtomicUsize::new(0)));
        let (entered, has_entered) = mpsc::channel();
        let (leave, may_leave) = mpsc::channel();
        let counter = Arc::clone(&calls);
        let guard = source.subscribe(move |_| {
            entered.send(()).unwrap();
            may_leave.recv().unwrap();
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let setter = {
            let source = source.clone();
            thread::spawn(move || source.set(1))
        };
        has_entered.recv().unwrap();
        source.set(2);
        drop(guard);
        leave.send(()).unwrap();
        setter.join().unwrap();
        source.set(3);
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_callback_may_commit_subscribe_set_and_batch() {
        let (store, total, log) = (store(), signal(0), Log::default());
        let count = store.live(Item::all().count()).unwrap();
        let guards = Arc::new(Mutex::new(vec![log.of(&total)]));
        let (theirs, held, sum, noted) =
            (store.clone(), Arc::clone(&guards), total.clone(), log.clone());
        let _guard = count.subscribe(move |n| {
            if **n == 1 {
                batch(|| {
                    theirs.commit(put("b", 2)).unwrap();
                    theirs.commit(put("c", 3)).unwrap();
                    sum.set(100);
                    sum.set(200);
                });
                held.lock().unwrap().push(noted.of(&sum));
            } else {
                sum.update(|sum| *sum += i64::try_from(**n).unwrap());
            }
        });
        store.commit(put("a", 1)).unwrap();
        // The second subscription began when 200 was there already: it is called with 203 only.
        assert_eq!(log.take(), [203, 203]);
        assert_eq!(*total.get(), 203);
    }

    #[test]
    fn a_callback_that_panics_harms_only_itself() {
        let (source, log) = (signal(0), Log::default());
        let _before = log.of(&source);
        let _panics = source.subscribe(|_| panic!("as it should"));
        let _after = log.of(&source);
        source.set(1);
        source.set(2);
        assert_eq!(log.take(), [1, 1, 2, 2]);
    }

    #[test]
    fn a_batch_that_panics_still_notifies_of_its_changes() {
        let (source, log) = (signal(0), Log::default());
        let _guard = log.of(&source);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            batch(|| {
                source.set(1);
                panic!("as it should")
            })
        }));
        assert!(panicked.is_err());
        source.set(2);
        assert_eq!(log.take(), [1, 2]);
    }

    #[test]
    fn a_subscription_made_in_a_batch_gets_only_later_changes() {
        let (source, log) = (signal(0), Log::default());
        let guard = batch(|| {
            source.set(1);
            log.of(&source)
        });
        assert!(log.take().is_empty());
        drop(guard);
    }

    #[test]
    fn a_row_that_is_replaced_by_an_equal_one_is_no_change() {
        let (store, calls) = (store(), Arc::new(AtomicUsize::new(0)));
        store.commit([put("a", 1), put("b", 1), put("c", 1)]).unwrap();
        let count = || {
            let calls = Arc::clone(&calls);
            move || {
                calls.fetch_add(1, Ordering::Relaxed);
            }
        };
        let (point, list) = (
            store.live(Item::get("c")).unwrap(),
            store.live(Item::filter(Item::RANK.gt(0)).order_by(Item::ID.asc())).unwrap(),
        );
        let window = store.live(Item::all().order_by(Item::ID.asc()).limit(3)).unwrap();
        let (on_point, on_list, on_window) = (count(), count(), count());
        let _guards = (
            point.subscribe(move |_| on_point()),
            list.subscribe(move |_| on_list()),
            window.subscribe(move |_| on_window()),
        );
        let mut diffs = list.diffs();
        diffs.try_next().unwrap();
        for id in ["a", "b", "c", "a"] {
            store.commit(ItemEvent::Replaced { id: id.into() }).unwrap();
        }
        assert_eq!((calls.load(Ordering::Relaxed), diffs.try_next().is_none()), (0, true));
        store.commit(put("a", 2)).unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        let fresh = store.query(Item::all().order_by(Item::ID.asc())).unwrap();
        assert!(*list.get() == fresh[..] && *window.get() == fresh[..]);
    }
}

mod streams {
    use super::*;

    #[test]
    fn a_slow_stream_sees_the_newest_value_only() {
        let source = signal(0);
        let mut stream = source.stream();
        let mut next = || stream.next().now_or_never().flatten().map(|value| *value);
        assert_eq!(next(), Some(0));
        (1..=1_000).for_each(|n| source.set(n));
        assert_eq!((next(), next()), (Some(1_000), None));
    }

    /// Returns the list after all unread diffs are applied, and the number of diffs and steps.
    fn drain(diffs: &mut livestore::live::Diffs<Item>, shown: &mut Vec<Item>) -> (usize, usize) {
        let (mut items, mut all) = (0, 0);
        while let Some(steps) = diffs.try_next() {
            steps.iter().for_each(|step| step.apply(shown, Clone::clone));
            items += 1;
            all += steps.len();
        }
        (items, all)
    }

    #[test]
    fn a_reader_of_diffs_that_falls_behind_gets_the_list_anew() {
        let store = store();
        let list = store.live(Item::all().order_by(Item::ID.asc())).unwrap();
        let (mut diffs, mut shown) = (list.diffs(), Vec::new());
        assert_eq!(drain(&mut diffs, &mut shown), (1, 1));
        let commit = |n: i64| store.commit(put(&format!("{n:05}"), n)).unwrap();
        (0..1_000).for_each(|n| drop(commit(n)));
        assert_eq!(drain(&mut diffs, &mut shown), (1_000, 1_000));
        (1_000..5_000).for_each(|n| drop(commit(n)));
        let (items, steps) = drain(&mut diffs, &mut shown);
        assert!(items <= 1_024 && steps <= 1_024, "{items} items of {steps} steps");
        assert_eq!(shown, store.query(Item::all().order_by(Item::ID.asc())).unwrap());
    }

    #[test]
    fn one_commit_that_changes_too_much_is_a_reset() {
        let store = store();
        let list = store.live(Item::all().order_by(Item::ID.asc())).unwrap();
        let (mut diffs, mut shown) = (list.diffs(), Vec::new());
        drain(&mut diffs, &mut shown);
        store.commit(put("a", 1)).unwrap();
        store.commit(ItemEvent::Filled { rows: 5_000 }).unwrap();
        let steps = diffs.try_next().unwrap();
        assert!(matches!(steps[..], [Diff::Reset { .. }]));
        assert!(diffs.try_next().is_none());
        steps.iter().for_each(|step| step.apply(&mut shown, Clone::clone));
        assert_eq!(shown.len(), 5_001);
    }

    #[test]
    fn a_reader_of_diffs_is_woken_when_no_lock_is_held() {
        use std::task::{Context, Poll, Wake, Waker};

        /// A task that asks the store while it is woken.
        struct Asks(Store<App>, AtomicUsize);
        impl Wake for Asks {
            fn wake(self: Arc<Self>) {
                let count = self.0.query(Item::all().count()).unwrap();
                self.1.store(usize::try_from(count).unwrap(), Ordering::Relaxed);
            }
        }

        let store = store();
        let mut diffs = store.live(Item::all()).unwrap().diffs();
        let asks = Arc::new(Asks(store.clone(), AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&asks));
        let mut context = Context::from_waker(&waker);
        assert!(diffs.poll_next_unpin(&mut context).is_ready());
        assert!(diffs.poll_next_unpin(&mut context).is_pending());
        store.commit(put("a", 1)).unwrap();
        assert_eq!(asks.1.load(Ordering::Relaxed), 1);
        let Poll::Ready(Some(steps)) = diffs.poll_next_unpin(&mut context) else {
            panic!("nothing to read")
        };
        assert!(matches!(steps[..], [Diff::Insert { index: 0, .. }]));
    }
}

mod inspecting {
    use super::*;

    #[test]
    fn the_whole_graph_is_shown() {
        let (store, least) = (store(), signal(0));
        let ranks = {
            let least = least.clone();
            store.live_with(move |get| Item::filter(Item::RANK.gt(*get.of(&least)))).unwrap()
        };
        let sum = {
            let ranks = ranks.clone();
            computed(move |get| get.of(&ranks).iter().map(|item| item.rank).sum())
        };
        let log = Log::default();
        let _guard = log.of(&sum);
        store.commit([put("a", 1), put("b", 2)]).unwrap();

        let picture = store.inspect().unwrap();
        let [query] = &picture.queries[..] else { panic!("{picture}") };
        assert_eq!(
            query.label,
            r#"SELECT "id", "rank" FROM "item" WHERE "rank" > ? ORDER BY "item"._rowid_ -- 0"#
        );
        assert_eq!((query.tier, query.runs, query.changes), (Tier::Rows, 2, 1));
        assert!(!query.last.is_zero() && query.last <= query.took);
        let value = |kind: ValueKind, subscribers: usize| {
            let is = |value: &&ValueReport| (value.kind, value.subscribers) == (kind, subscribers);
            picture.values.iter().find(is).unwrap()
        };
        let (least, ranks) = (value(ValueKind::Signal, 0), value(ValueKind::Computed, 0));
        let sum = value(ValueKind::Computed, 1);
        assert!(ranks.made_at.file().ends_with("live_graph.rs"));
        assert!(least.made_at.line() < ranks.made_at.line());
        assert_eq!(picture.values.len(), 3);
        assert_eq!((sum.runs, sum.changes, log.take()), (2, 2, vec![3]));

        let edges = [
            (Origin::Table("item"), query.id),
            (Origin::Node(query.id), ranks.id),
            (Origin::Node(least.id), ranks.id),
            (Origin::Node(ranks.id), sum.id),
        ];
        assert_eq!(picture.edges.len(), edges.len());
        for edge in edges {
            assert!(picture.edges.iter().any(|it| (it.from, it.to) == edge), "{edge:?}\n{picture}");
        }
        assert_eq!(picture.to_string().lines().count(), 4);
    }

    #[test]
    fn a_dropped_computed_leaves_the_graph() {
        let store = store();
        let items = store.live(Item::all()).unwrap();
        let of = |items: &LiveQuery<List<Item>>| {
            let items = items.clone();
            computed(move |get: &Getter| get.of(&items).len())
        };
        let (one, two) = (of(&items), of(&items));
        assert_eq!((*one.get(), *two.get()), (0, 0));
        assert_eq!(store.inspect().unwrap().values.len(), 2);
        drop(one);
        assert_eq!(store.inspect().unwrap().values.len(), 1);
        drop((two, items));
        assert!(store.inspect().unwrap().queries.is_empty());
        assert!(store.inspect().unwrap().watched.is_empty());
    }

    #[test]
    fn labels_say_what_is_asked() {
        let store = store();
        let label = |report: livestore::live::LiveReport| report.label;
        let point = label(store.explain_live(Item::get("it's")).unwrap());
        assert!(point.ends_with(r#"-- 'it''s'"#), "{point}");
        let sql = "SELECT id FROM item WHERE rank = ? AND ? IS NULL";
        let raw = raw::<(String,)>(sql, (1, None::<i64>));
        assert_eq!(label(store.explain_live(raw).unwrap()), format!("{sql} -- 1, NULL"));
        let limited = label(store.explain_live(Item::all().first()).unwrap());
        assert!(limited.ends_with("LIMIT 1"), "{limited}");
    }
}
