//! Many queries by equality and range, of which a commit concerns one.

use livestore::prelude::*;
use livestore::table::Select;

use super::app::{OF_A_STATUS, STATUSES, Task, revised, scattered};
use super::pair::{BLOCK, Calls, Pair};
use crate::Result;
use crate::harness::Measured;

/// The lower half of the rows by status, the upper by rank: no row meets two of them, and each
/// commit changes a row that meets the first. The floor has that one live, and no other: what is
/// added is what the 999 cost that a commit does not concern.
pub(crate) fn predicate() -> Result<Measured> {
    let (pair, calls) = (Pair::open()?, Calls::default());
    let alone = queries().next().map(|query| pair.floor.live(query)).transpose()?;
    let _alone = alone.iter().map(|live| live.subscribe(|_| ())).collect::<Vec<_>>();
    let queries: Vec<_> = queries().map(|query| pair.ours.live(query)).collect::<Result<_, _>>()?;
    let _guards: Vec<_> = queries.iter().map(|query| calls.subscribe(query)).collect();
    let measured = pair.commit(
        BLOCK,
        |n| revised(scattered(n, OF_A_STATUS), n),
        |commits| assert_eq!(calls.count(), commits),
    )?;
    for (live, query) in queries.iter().zip(self::queries()) {
        assert!(*live.get() == *pair.ours.query(query)?);
    }
    Ok(measured.note(format!("1 of {} affected, which the floor has, too", queries.len())))
}

fn queries() -> impl Iterator<Item = Select<Task>> {
    let half = STATUSES / 2;
    let equal =
        (0..half).map(|status| Task::filter(Task::STATUS.eq(status)).order_by(Task::RANK.asc()));
    let range = (half..STATUSES).map(|status| {
        let first = status * OF_A_STATUS;
        Task::filter(Task::RANK.between(first, first + OF_A_STATUS - 1)).order_by(Task::RANK.asc())
    });
    equal.chain(range)
}
