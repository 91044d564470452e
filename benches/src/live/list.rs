//! A list of many rows, whole or its top, of which a commit changes one.

use livestore::live::List;
use livestore::prelude::*;
use livestore::table::Select;

use super::app::{App, ROWS, STATUSES, Task, TaskEvent, revised, scattered, sent_back};
use super::pair::{BLOCK, Calls, Pair};
use crate::Result;
use crate::harness::Measured;

/// Each change is taken as a diff, and put into a list like the one on a screen.
pub(crate) fn list() -> Result<Measured> {
    let pair = Pair::open()?;
    let list = pair.ours.live(whole())?;
    let (mut diffs, mut shown) = (list.diffs(), Vec::new());
    let mut take = |diffs: Vec<Diff<Task>>| {
        diffs.iter().for_each(|diff| diff.apply(&mut shown, |task| task.revision));
    };
    take(diffs.try_next().ok_or("the first diff has the whole list")?);
    let measured = pair.commit(
        BLOCK,
        |n| revised(scattered(n, ROWS), n),
        |_| {
            let diff = diffs.try_next().unwrap_or_default();
            assert!(matches!(*diff, [Diff::Update { .. }]), "one row is another");
            take(diff);
        },
    )?;
    assert!(diffs.try_next().is_none());
    let fresh = pair.ours.query(whole())?;
    assert!(shown.into_iter().eq(fresh.iter().map(|task| task.revision)));
    check(&pair.ours, &list, whole())?;
    Ok(measured)
}

/// The list is read after each change, and held until it is read again.
pub(crate) fn list_get() -> Result<Measured> {
    let pair = Pair::open()?;
    let list = pair.ours.live(whole())?;
    let mut held = list.get();
    let measured = pair.commit(
        BLOCK,
        |n| revised(scattered(n, ROWS), n),
        |_| {
            let new = list.get();
            assert!(!std::ptr::eq(&*new, &*held), "the list is another");
            held = new;
        },
    )?;
    check(&pair.ours, &list, whole())?;
    Ok(measured)
}

/// A row of the top is changed where it stands.
pub(crate) fn top_inside() -> Result<Measured> {
    top(|n| revised(scattered(n, TOP), n), |commits| commits)
}

/// A row below the top is changed.
pub(crate) fn top_outside() -> Result<Measured> {
    top(|n| revised(TOP + scattered(n, ROWS - TOP), n), |_| 0)
}

/// The first row becomes the last: the first one below the top is pulled in, by every commit.
pub(crate) fn top_pull() -> Result<Measured> {
    top(sent_back, |commits| commits)
}

fn top(event: impl Fn(u64) -> TaskEvent, calls_after: impl Fn(u64) -> u64) -> Result<Measured> {
    let (pair, calls) = (Pair::open()?, Calls::default());
    let query = || Task::all().order_by(Task::RANK.asc()).limit(TOP);
    let top = pair.ours.live(query())?;
    let _guard = calls.subscribe(&top);
    let measured = pair.commit(BLOCK, event, |commits| {
        assert_eq!(calls.count(), calls_after(commits));
    })?;
    check(&pair.ours, &top, query())?;
    Ok(measured)
}

const TOP: u64 = 50;

/// All rows, filtered and ordered nevertheless.
fn whole() -> Select<Task> {
    Task::filter(Task::STATUS.lt(STATUSES)).order_by(Task::RANK.asc())
}

fn check(store: &Store<App>, live: &LiveQuery<List<Task>>, query: Select<Task>) -> Result<()> {
    let fresh = store.query(query)?;
    assert!(!fresh.is_empty());
    assert!(*live.get() == *fresh);
    Ok(())
}
