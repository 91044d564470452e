//! Two equal stores that commit the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use livestore::live::Subscription;
use livestore::prelude::*;

use super::app::{App, Task, TaskEvent, store};
use crate::Result;
use crate::harness::{Measured, compare, time};

/// Commits per block, for commits of some microseconds: a block is over before a busy machine turns
/// to another process.
pub(super) const BLOCK: u32 = 100;

const ROUNDS: usize = 401;

/// A store for live queries, and an equal one without.
pub(super) struct Pair {
    pub(super) ours: Store<App>,
    pub(super) floor: Store<App>,
}

impl Pair {
    pub(super) fn open() -> Result<Self> {
        Ok(Self { ours: store()?, floor: store()? })
    }

    /// Commits `event(0)`, `event(1)` and so on to both, in blocks and in turns. After each commit
    /// to ours, on the clock, `hear` is told how many there were.
    pub(super) fn commit(
        &self,
        block: u32,
        event: impl Fn(u64) -> TaskEvent,
        mut hear: impl FnMut(u64),
    ) -> Result<Measured> {
        let (mut ours_next, mut floor_next) = (blocks(block, &event), blocks(block, &event));
        let mut commits = 0;
        let measured = compare(
            ROUNDS,
            block,
            || {
                let events = ours_next();
                time(|| {
                    for event in events {
                        self.ours.commit(event)?;
                        commits += 1;
                        hear(commits);
                    }
                    Ok(())
                })
            },
            || {
                let events = floor_next();
                time(|| {
                    for event in events {
                        self.floor.commit(event)?;
                    }
                    Ok(())
                })
            },
        )?;
        assert!(self.ours.query(Task::all())? == self.floor.query(Task::all())?);
        Ok(measured)
    }
}

/// The next block of events, at each call.
fn blocks(block: u32, event: impl Fn(u64) -> TaskEvent) -> impl FnMut() -> Vec<TaskEvent> {
    let mut all = (0..).map(event);
    move || all.by_ref().take(block as usize).collect()
}

/// Counts callbacks.
#[derive(Default)]
pub(super) struct Calls(Arc<AtomicU64>);

impl Calls {
    pub(super) fn subscribe(&self, to: &impl Reactive) -> Subscription {
        let calls = Arc::clone(&self.0);
        to.subscribe(move |_| {
            calls.fetch_add(1, Ordering::Relaxed);
        })
    }

    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
