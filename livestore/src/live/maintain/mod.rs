//! Keeping a query's result up to date while rows change.
//!
//! | tier | for | a change costs |
//! |---|---|---|
//! | [`list`] | lists of one table, filtered, ordered, limited | O(log n) |
//! | [`window`] | the rows of such a list that a screen shows | O(log rows shown) |
//! | [`nested`] | such a list, each row with the rows that belong to it | O(log n), and the rows of one parent |
//! | [`groups`] | counts and integer sums of one table, grouped or not | O(log groups) |
//! | [`point`] | the row with one primary key | O(1) |
//! | [`rerun`] | everything else | the query, if a row that can matter changed |
//!
//! Each gives exactly what a fresh query gives. Where a tier cannot be sure of that, it has the
//! query run again.

pub(super) mod cardinality;
pub(super) mod groups;
pub(super) mod list;
pub(super) mod nested;
pub(super) mod point;
pub(super) mod rerun;
mod sort_key;
mod steps;
#[cfg(test)]
mod tests;
pub(super) mod window;

use super::cell::{LiveValue, PublishedValue};
use super::dependency::Dependency;
use super::list::List;
use crate::sqlite::{Image, Rows};
use crate::table::{QueryError, Reader, RowError};

pub use cardinality::LiveCardinality;
pub(super) use steps::Steps;

/// Keeps a query's value up to date.
pub(crate) trait Maintain<V: LiveValue>: Send {
    /// Runs the query.
    fn start(&mut self, reader: &Reader<'_>) -> Result<V, QueryError>;

    /// Brings the value up to date after the changes: in place, or by returning a new one.
    fn apply(
        &mut self,
        published: &PublishedValue<V>,
        changes: &[TableChange<'_>],
        reader: &Reader<'_>,
    ) -> Result<Refresh<V>, MustRerun>;

    /// Runs the query again, and compares its value to the old one.
    fn rerun(&mut self, old: &V, reader: &Reader<'_>) -> Result<Refresh<V>, QueryError>;
}

/// Keeps the list of a query's rows up to date.
pub(crate) trait MaintainList<O>: Send {
    /// Runs the query.
    fn start(&mut self, reader: &Reader<'_>) -> Result<List<O>, QueryError>;

    /// Returns the steps from the list before the changes to the list after them.
    fn apply(
        &mut self,
        changes: &[TableChange<'_>],
        reader: &Reader<'_>,
    ) -> Result<&Steps<O>, MustRerun>;
}

/// The outcome of a change for a value.
pub(crate) enum Refresh<V> {
    /// The value is the same as before.
    Unchanged,
    /// The value is to be replaced by this one.
    Replace(V),
    /// The value was changed in place.
    Patch,
}

impl<V> Refresh<V> {
    fn of(old: &V, new: V, matches: fn(&V, &V) -> bool) -> Self {
        if matches(old, &new) { Self::Unchanged } else { Self::Replace(new) }
    }
}

/// Changes could not be applied to a value: the query has to be run [again](Maintain::rerun). Either
/// they do not say enough, or they made something fail, and running the query says whether it fails.
pub(crate) struct MustRerun;

impl From<RowError> for MustRerun {
    fn from(_: RowError) -> Self {
        Self
    }
}

impl From<QueryError> for MustRerun {
    fn from(_: QueryError) -> Self {
        Self
    }
}

/// Returns the row before a change and after it, each if it meets the query's conditions.
fn included<'a>(
    dependency: &Dependency,
    change: &TableChange<'a>,
) -> Result<(Option<&'a Image>, Option<&'a Image>), MustRerun> {
    let Rows::One { old, new } = change.rows else { return Err(MustRerun) };
    let mut rows = [old, new].into_iter().flatten();
    if !rows.all(|row| dependency.can_decide(row)) {
        return Err(MustRerun);
    }
    let included = |row: &'a Option<Image>| row.as_ref().filter(|row| dependency.includes(row));
    Ok((included(old), included(new)))
}

/// A change of one of the tables that a query reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableChange<'a> {
    /// The position, among the query's dependencies, of the one that the change affects.
    pub(crate) dependency: usize,
    pub(crate) rows: &'a Rows,
}

/// The way to keep a query up to date.
pub(crate) struct Plan<V> {
    pub(crate) tier: Tier,
    pub(crate) reason: &'static str,
    pub(crate) label: Label,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) maintain: Box<dyn Maintain<V>>,
}

/// Makes the text that describes a query. Few are ever read, so that they are not stored.
pub(crate) type Label = Box<dyn Fn() -> String + Send + Sync>;

/// The way in which a live query is kept up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// One row by its primary key, read from the change itself.
    Point,
    /// A list of one table's rows, updated row by row.
    Rows,
    /// Counts and sums, updated group by group.
    Groups,
    /// Any query: run again when a row that can matter has changed. The commit waits for it: for a join
    /// or a subquery over large tables, that can take longer than all else that it does. The first run
    /// that takes more than 16 ms is reported through `tracing`, as a warning. Two live lists, joined in a
    /// [`computed`](super::computed()), are each updated row by row.
    Rerun,
}
