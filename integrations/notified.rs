//! How long it takes from a commit until a framework is notified of the row that has changed, of 100,000, beside
//! a plain subscriber of the same list: `cargo xtask screens --bench` prints it for each binding.

#![allow(clippy::disallowed_methods, reason = "a bench has a clock")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use livestore::Store;
use livestore::live::{Reactive as _, Subscription};
use livestore::table::{Arrange as _, Table as _};
use livestore_testing::sample::items::{App, Item, ItemEvent};

const ROWS: i64 = 100_000;
const BLOCKS: u32 = 21;
const COMMITS: u32 = 200;

/// What a binding does in turns.
pub(crate) enum Turn {
    /// Commits the event, and waits until the framework is notified. This is timed.
    Commit(ItemEvent),
    /// Shows what has changed.
    Show,
}

/// A store with the rows.
pub(crate) fn store() -> Store<App> {
    let store = Store::builder("items").open().unwrap();
    store.commit(ItemEvent::Filled { last: ROWS }).unwrap();
    store
}

/// Prints the medians, and their ratio. The first rows change: those are in sight.
pub(crate) async fn measure(framework: &str, mut take: impl AsyncFnMut(Turn)) {
    let plain = Plain::new();
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for block in 0..BLOCKS {
        let mut times = (Duration::ZERO, Duration::ZERO);
        for commit in 0..COMMITS {
            let id = i64::from(1 + commit % 5);
            let event = ItemEvent::Renamed { id, title: format!("{block} {commit}") };
            // What is shown takes the processor's caches; whoever comes first would pay for that.
            plain.commit(id);
            if commit % 2 == 0 {
                times.1 += plain.commit(id);
            }
            let begun = Instant::now();
            take(Turn::Commit(event)).await;
            times.0 += begun.elapsed();
            if commit % 2 == 1 {
                times.1 += plain.commit(id);
            }
            take(Turn::Show).await;
        }
        ours.push(times.0 / COMMITS);
        floor.push(times.1 / COMMITS);
    }
    let [ours, floor] = [ours, floor].map(median);
    let ratio = ours.as_secs_f64() / floor.as_secs_f64();
    println!(
        "notified/{framework}: {ours:.1?}, a plain subscriber {floor:.1?}: {ratio:.2} × (≤ 1.2 ×)"
    );
}

/// A store whose list has a subscriber that reads which rows change.
struct Plain {
    store: Store<App>,
    notified: Arc<AtomicUsize>,
    _guard: Subscription,
}

impl Plain {
    fn new() -> Self {
        let store = store();
        let live = store.live(Item::all().order_by(Item::PLACE.asc())).unwrap();
        let mut diffs = live.diffs();
        diffs.try_next();
        let notified = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&notified);
        let guard = live.subscribe(move |_| {
            while let Some(steps) = diffs.try_next() {
                count.fetch_add(steps.len(), Ordering::Relaxed);
            }
        });
        Self { store, notified, _guard: guard }
    }

    /// The time until its subscriber is notified of a row that gets a new title.
    fn commit(&self, id: i64) -> Duration {
        let before = self.notified.load(Ordering::Relaxed);
        let event = ItemEvent::Renamed { id, title: format!("title {before}") };
        let begun = Instant::now();
        self.store.commit(event).unwrap();
        let took = begun.elapsed();
        assert_eq!(self.notified.load(Ordering::Relaxed), before + 1);
        took
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    let middle = times.len() / 2;
    *times.select_nth_unstable(middle).1
}
