//! Counts over many rows, of which a commit moves one.

use livestore::prelude::*;

use super::app::{STATUSES, Task, moved};
use super::pair::{BLOCK, Calls, Pair};
use crate::Result;
use crate::harness::Measured;

/// How many rows have a status of the lower half: one more or one less after each commit.
pub(crate) fn count() -> Result<Measured> {
    let (pair, calls) = (Pair::open()?, Calls::default());
    let query = || Task::filter(Task::STATUS.lt(STATUSES / 2)).count();
    let count = pair.ours.live(query())?;
    let _guard = calls.subscribe(&count);
    let measured = pair.commit(BLOCK, moved, |commits| assert_eq!(calls.count(), commits))?;
    assert_eq!(**count.get(), pair.ours.query(query())?);
    Ok(measured)
}

/// How many rows have each status: each commit takes one from a status to another.
pub(crate) fn grouped() -> Result<Measured> {
    let (pair, calls) = (Pair::open()?, Calls::default());
    let query =
        || Task::all().group_by(Task::STATUS).select((Task::STATUS, livestore::table::count()));
    let counts = pair.ours.live(query())?;
    let _guard = calls.subscribe(&counts);
    let measured = pair.commit(BLOCK, moved, |commits| assert_eq!(calls.count(), commits))?;
    assert!(*counts.get() == *pair.ours.query(query())?);
    Ok(measured.note(format!("{} groups", counts.get().len())))
}
