//! Commits.

use livestore::prelude::*;

use crate::Result;
use crate::app::{App, Created, TodoEvent};
use crate::floor::{self, Commits};
use crate::harness::{Measured, ROUNDS, compare, micros, quantile, time};

/// Events per round.
const EVENTS: u32 = 1_000;

/// An event row and a table row in memory, a transaction each.
pub(crate) fn memory() -> Result<Measured> {
    let store = Store::<App>::builder("bench").durability(Durability::Buffered).open()?;
    let both = floor::state_and_log()?;
    one_by_one(&store, Commits::new(&both, &both)?)
}

/// The event row goes to a file.
pub(crate) fn written() -> Result<Measured> {
    let directory = tempfile::tempdir()?;
    let store = Store::<App>::builder("bench")
        .directory(directory.path())
        .durability(Durability::Written)
        .open()?;
    let state = floor::state()?;
    let log = floor::log(&directory.path().join("floor.db"))?;
    one_by_one(&store, Commits::new(&state, &log)?)
}

fn one_by_one(store: &Store<App>, mut floor: Commits<'_>) -> Result<Measured> {
    let (mut ours_next, mut floor_next) = (batches(), batches());
    compare(
        ROUNDS,
        EVENTS,
        || {
            let events: Vec<TodoEvent> = ours_next().into_iter().map(Into::into).collect();
            time(|| {
                for event in events {
                    store.commit(event)?;
                }
                Ok(())
            })
        },
        || {
            let events = floor_next();
            time(|| events.chunks(1).try_for_each(|event| floor.commit(event)))
        },
    )
}

/// Many events at once.
pub(crate) fn batch() -> Result<Measured> {
    let store = Store::<App>::builder("bench").open()?;
    let both = floor::state_and_log()?;
    let mut floor = Commits::new(&both, &both)?;
    let (mut ours_next, mut floor_next) = (batches(), batches());
    compare(
        ROUNDS,
        EVENTS,
        || {
            let events: Vec<TodoEvent> = ours_next().into_iter().map(Into::into).collect();
            time(|| Ok(store.commit(events)?))
        },
        || {
            let events = floor_next();
            time(|| floor.commit(&events))
        },
    )
}

/// The next events, at each call.
pub(crate) fn batches() -> impl FnMut() -> Vec<Created> {
    let mut all = (0..).map(Created::nth);
    move || all.by_ref().take(EVENTS as usize).collect()
}

/// The slowest of many commits while the state grows to 100 MB and snapshots are taken: p99.9
/// against the same run's median.
pub(crate) fn tail() -> Result<Measured> {
    let directory = tempfile::tempdir()?;
    let store = Store::<App>::builder("bench")
        .directory(directory.path())
        .durability(Durability::Written)
        .open()?;
    let mut took = Vec::new();
    for n in 0..300_000 {
        let event: TodoEvent = long(n).into();
        took.push(time(|| Ok(store.commit(event)?))?);
    }
    let snapshot = directory.path().join("bench").join("state.snapshot");
    let snapshot = std::fs::metadata(snapshot)
        .map_err(|error| format!("no snapshot was written during the run: {error}"))?;
    let max = took.iter().max().copied().unwrap_or_default();
    let ours = micros(quantile(took.clone(), 0.999));
    let size = snapshot.len() / 1_000_000;
    Ok(Measured::beside(ours, micros(quantile(took, 0.5)))
        .note(format!("max {:.0} µs, last snapshot {size} MB", micros(max))))
}

/// With rows of a third of a kilobyte, 300,000 make 100 MB.
fn long(n: u64) -> Created {
    let mut created = Created::nth(n);
    created.text = created.text.repeat(6);
    created
}
