//! Many queries, or subscribers, of which a commit concerns few.

use livestore::prelude::*;

use super::app::{Tag, Task, TaskEvent, revised, scattered};
use super::pair::{BLOCK, Calls, Pair};
use crate::Result;
use crate::app::id;
use crate::harness::Measured;

/// Live point queries, each with a subscriber; a commit changes the row of one.
pub(crate) fn point<const QUERIES: u64>() -> Result<Measured> {
    let (pair, calls) = (Pair::open()?, Calls::default());
    let queries: Vec<_> =
        (0..QUERIES).map(|k| pair.ours.live(Task::get(id(k)))).collect::<Result<_, _>>()?;
    let _guards: Vec<_> = queries.iter().map(|query| calls.subscribe(query)).collect();
    let measured = pair.commit(
        BLOCK,
        |n| revised(scattered(n, QUERIES), n),
        |commits| assert_eq!(calls.count(), commits),
    )?;
    for (k, query) in (0..).zip(&queries) {
        assert_eq!(query.get().as_deref(), pair.ours.query(Task::get(id(k)))?.as_ref());
    }
    Ok(measured)
}

/// One query with many subscribers.
pub(crate) fn fanout() -> Result<Measured> {
    const SUBSCRIBERS: u32 = 1_000;
    let (pair, calls) = (Pair::open()?, Calls::default());
    let query = pair.ours.live(Task::get(id(0)))?;
    let _guards: Vec<_> = (0..SUBSCRIBERS).map(|_| calls.subscribe(&query)).collect();
    let measured = pair.commit(
        BLOCK / 20,
        |n| revised(0, n),
        |commits| assert_eq!(calls.count(), commits * u64::from(SUBSCRIBERS)),
    )?;
    assert_eq!(query.get().as_deref(), pair.ours.query(Task::get(id(0)))?.as_ref());
    let each = measured.floor.map(|floor| floor.added / f64::from(SUBSCRIBERS));
    Ok(measured.note(format!("{:.3} µs for each of {SUBSCRIBERS}", each.unwrap_or_default())))
}

/// Live queries, all of them on a table that no commit changes.
pub(crate) fn idle() -> Result<Measured> {
    let (pair, calls) = (Pair::open()?, Calls::default());
    let queries: Vec<_> =
        (0..1_000).map(|k| pair.ours.live(Tag::get(id(k)))).collect::<Result<_, _>>()?;
    let _guards: Vec<_> = queries.iter().map(|query| calls.subscribe(query)).collect();
    let measured = pair.commit(
        BLOCK,
        |n| revised(scattered(n, super::app::ROWS), n),
        |_| assert_eq!(calls.count(), 0),
    )?;
    // They were live all the while.
    pair.ours.commit(TaskEvent::Tagged { id: id(0) })?;
    assert_eq!(calls.count(), 1);
    Ok(measured)
}
