//! Stores that sync.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use livestore::prelude::*;
use livestore::sync::{InitialSync, SyncOptions};
use livestore_sync::InProcess;

use super::backend::{Backend, Bare, PATIENCE};
use crate::Result;
use crate::app::{App, Created, Todo, TodoEvent};
use crate::harness::{Measured, ROUNDS, compare, micros, quantile, time};

/// An event of the 100,000 that a new client fetches and applies.
pub(crate) fn catch_up() -> Result<Measured> {
    const EVENTS: u32 = 100_000;
    let backend = Backend::start()?;
    let mut server = Bare::connect(&backend, "catch-up")?;
    (0..EVENTS / 100).try_for_each(|_| server.push(100))?;
    let mut took = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        let store = Store::<App>::builder("catch-up").sync(backend.web_socket()).open()?;
        store.wait_synced(PATIENCE)?;
        took.push(start.elapsed());
        assert_eq!(store.query(Todo::all().count())?, u64::from(EVENTS));
    }
    let each = micros(quantile(took, 0.5)) / f64::from(EVENTS);
    Ok(Measured::alone(each).note(format!("{:.0} events a second", 1e6 / each)))
}

/// A new client of a store of 100,000 rows, until it has all of them and is synced: from an image, of a state
/// that the server has made already.
pub(crate) fn image() -> Result<Measured> {
    const EVENTS: u32 = 100_000;
    let backend = Backend::with_images()?;
    let mut server = Bare::connect(&backend, "image")?;
    (0..EVENTS / 100).try_for_each(|_| server.push(100))?;
    let mut took = Vec::new();
    for _ in 0..6 {
        let start = Instant::now();
        let options = SyncOptions::new(backend.web_socket()).initial(InitialSync::Image(PATIENCE));
        let store = Store::<App>::builder("image").sync(options).open()?;
        took.push(start.elapsed());
        let status = store.sync_status()?;
        assert!(status.is_synced() && status.no_image.is_none(), "{status:?}");
        assert_eq!(store.query(Todo::all().count())?, u64::from(EVENTS));
    }
    // The server has made the state for the first one.
    let first = took.remove(0);
    let note = format!("the first client: {:.0} ms", first.as_secs_f64() * 1e3);
    Ok(Measured::alone(micros(quantile(took, 0.5))).note(note))
}

/// From a commit here to a callback there: the median.
pub(crate) fn latency() -> Result<Measured> {
    delivered(0.5)
}

/// The same, of the slowest in a hundred.
pub(crate) fn latency_p99() -> Result<Measured> {
    delivered(0.99)
}

fn delivered(q: f64) -> Result<Measured> {
    let backend = Backend::start()?;
    delivered_between(&backend, &backend, q)
}

/// From a commit at a client of one server to a callback at a client of the other.
pub(crate) fn delivered_between(first: &Backend, second: &Backend, q: f64) -> Result<Measured> {
    let open = |client: &str, backend: &Backend| {
        let builder = Store::<App>::builder("latency").client_id(client);
        builder.sync(backend.web_socket()).open()
    };
    let (here, there) = (open("here", first)?, open("there", second)?);
    here.wait_synced(PATIENCE)?;
    there.wait_synced(PATIENCE)?;
    let (tell, heard) = channel();
    let count = there.live(Todo::all().count())?;
    let _guard = count.subscribe(move |count| _ = tell.send((**count, Instant::now())));
    let mut took = Vec::new();
    for n in 0..1_000 {
        let event = TodoEvent::from(Created::nth(n));
        let start = Instant::now();
        here.commit(event)?;
        let (count, at) = heard.recv_timeout(PATIENCE)?;
        assert_eq!(count, n + 1);
        took.push(at - start);
        // As a person does, and not in step with anything.
        std::thread::sleep(Duration::from_micros(500 + n % 7 * 300));
    }
    Ok(Measured::alone(micros(quantile(took, q))))
}

/// 1,000 pending events come behind 100 others, beside a commit of as many events.
pub(crate) fn rebase() -> Result<Measured> {
    let mut next = 0;
    let mut events = |count: u64| -> Vec<TodoEvent> {
        next += count;
        (next - count..next).map(|n| Created::nth(n).into()).collect()
    };
    let mut floor_next = 0;
    compare(
        ROUNDS,
        1_100,
        || {
            let backend = InProcess::new();
            let held = SyncOptions::new(backend.clone()).start_paused();
            let here = Store::<App>::builder("rebase").client_id("here").sync(held).open()?;
            let there = Store::<App>::builder("rebase").client_id("there").sync(backend).open()?;
            // A commit of all of them would be more than a backend takes as one.
            (0..10).try_for_each(|_| here.commit(events(100)).map(drop))?;
            there.commit(events(100))?;
            there.wait_synced(PATIENCE)?;
            let (tell, rebased) = channel();
            let status = here.live_sync_status()?;
            let _guard = status.subscribe(move |status| {
                if status.upstream_head.global >= 100 {
                    _ = tell.send(());
                }
            });
            time(|| {
                here.resume_sync();
                Ok(rebased.recv_timeout(PATIENCE)?)
            })
        },
        || {
            let store = Store::<App>::builder("floor").open()?;
            floor_next += 1_100;
            let events: Vec<TodoEvent> =
                (floor_next - 1_100..floor_next).map(|n| Created::nth(n).into()).collect();
            time(|| Ok(store.commit(events)?))
        },
    )
}
