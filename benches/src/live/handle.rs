//! What a live query costs by itself: to start, to keep, to read.

use std::hint::black_box;

use livestore::prelude::*;

use super::app::{ROWS, Task, revised, scattered, store};
use super::pair::Calls;
use crate::Result;
use crate::app::id;
use crate::harness::{Measured, measure, time};

/// Starting live point queries, each on another row.
pub(crate) fn start() -> Result<Measured> {
    const QUERIES: u32 = 10_000;
    let store = store()?;
    let ids: Vec<_> = (0..u64::from(QUERIES)).map(|n| id(scattered(n, ROWS))).collect();
    measure(QUERIES, || {
        // The store forgets the last round's, off the clock.
        assert!(store.inspect()?.queries.is_empty());
        time(|| {
            let queries = ids.iter().map(|id| store.live(Task::get(id)));
            Ok(queries.collect::<Result<Vec<_>, _>>()?)
        })
    })
}

/// Reading a value that follows its row.
pub(crate) fn get() -> Result<Measured> {
    const READS: u32 = 1_000_000;
    let (store, calls) = (store()?, Calls::default());
    let query = store.live(Task::get(id(0)))?;
    let _guard = calls.subscribe(&query);
    store.commit(revised(0, 0))?;
    assert_eq!(calls.count(), 1);
    assert_eq!(query.get().map(|task| task.revision), Some(1));
    measure(READS, || {
        time(|| {
            for _ in 0..READS {
                black_box(query.get());
            }
            Ok(())
        })
    })
}

/// What the process grows by when every row has a live query with one handle. It takes what the
/// allocator takes, not only what it is asked for; a heap with holes would grow by too little, so
/// this is the first bench of a run.
#[cfg(target_os = "linux")]
pub(crate) fn memory() -> Result<Measured> {
    let store = store()?;
    let mut queries = Vec::new();
    let before = resident()?;
    for k in 0..ROWS {
        queries.push(store.live(Task::get(id(k)))?);
    }
    let grown = resident()?.checked_sub(before).ok_or("the process has shrunk")?;
    assert_eq!(store.inspect()?.queries.len(), queries.len());
    assert!(queries.iter().all(|query| query.get().is_some()));
    #[expect(clippy::cast_precision_loss, reason = "less than 2^52")]
    Ok(Measured::alone(grown as f64 / ROWS as f64).note(format!("of {ROWS}")))
}

/// Bytes of the process that are in memory.
#[cfg(target_os = "linux")]
fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no `VmRSS` in kB")?;
    Ok(kib.parse::<u64>()? * 1024)
}
