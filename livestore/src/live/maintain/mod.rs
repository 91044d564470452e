//! Keeping a query's result right while rows change.
//!
//! | tier | for | a change costs |
//! |---|---|---|
//! | [`rows`] | lists of one table, filtered, ordered, limited | O(log n) |
//! | [`groups`] | counts and integer sums of one table, grouped or not | O(log groups) |
//! | [`point`] | the row with one primary key | O(1) |
//! | [`rerun`] | everything else | the query, if a row that can matter changed |
//!
//! Each gives exactly what a fresh query gives. What a tier is not sure of, it does not take.

pub(super) mod groups;
pub(super) mod point;
pub(super) mod rerun;
pub(super) mod rows;
mod sorted;
mod steps;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::Arc;

use super::diff::DiffHub;
use super::interest::Interest;
use super::list::List;
use super::row::Row;
use crate::sqlite::Rows;
use crate::table::{Cardinality, First, Many, One, Optional, QueryError, Reader, RowError};

/// Keeps a value of type `V`.
pub(crate) trait Maintain<V>: Send {
    /// The value now, from a fresh query.
    fn start(&mut self, reader: &Reader<'_>) -> Result<V, QueryError>;

    /// What the changes make of the value.
    fn apply(&mut self, hits: &[Hit<'_>], reader: &Reader<'_>) -> Result<News<V>, Failed>;

    /// The value now, from a fresh query, if it is another than `old`.
    fn again(&mut self, old: &V, reader: &Reader<'_>) -> Result<News<V>, QueryError>;

    /// Changes the value as [`News::Edit`] has announced. Says whether it is another then.
    fn edit(&mut self, value: &mut Arc<V>) -> bool {
        let _ = value;
        false
    }
}

/// Why changes were not followed.
pub(crate) enum Failed {
    /// They do not tell enough: the value has to be made [again](Maintain::again).
    Lost,
    Query(QueryError),
}

/// What became of a value.
pub(crate) enum News<V> {
    /// It is the same.
    Same,
    /// This is the new one.
    Another(V),
    /// It is to be changed where it is, by [`edit`](Maintain::edit): that copies nothing which
    /// nobody else looks at.
    Edit,
}

impl<V> News<V> {
    fn of(old: &V, new: V, is_same: fn(&V, &V) -> bool) -> Self {
        if is_same(old, &new) { Self::Same } else { Self::Another(new) }
    }
}

impl From<RowError> for Failed {
    fn from(error: RowError) -> Self {
        Self::Query(error.into())
    }
}

impl From<QueryError> for Failed {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

/// A change of one of the tables that a query reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit<'a> {
    /// Which of the query's interests it is about.
    pub(crate) interest: usize,
    pub(crate) rows: &'a Rows,
}

/// How a query is kept, and what it must hear of.
pub(crate) struct Plan<V> {
    pub(crate) tier: Tier,
    /// Why not a better one.
    pub(crate) reason: &'static str,
    pub(crate) label: Label,
    pub(crate) interests: Vec<Interest>,
    pub(crate) maintain: Box<dyn Maintain<V>>,
    pub(crate) diffs: Option<DiffLink<V>>,
}

/// Says what the query asks, when somebody wants to know: a text for each would take its memory.
pub(crate) type Label = Box<dyn Fn() -> String + Send + Sync>;

/// Where the changes of a list go.
#[doc(hidden)]
pub struct DiffLink<V> {
    /// The `DiffHub`.
    pub(crate) hub: Arc<dyn Any + Send + Sync>,
    /// Sends the list as a whole.
    pub(crate) reset: fn(&(dyn Any + Send + Sync), &V),
    /// The tier itself sends row by row.
    pub(crate) stepwise: bool,
}

/// How a live query is kept up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// One row, by its primary key.
    Point,
    /// A list of one table, row by row.
    Rows,
    /// Counts and sums, group by group.
    Groups,
    /// Run again when a row that can matter has changed.
    Rerun,
}

/// How many rows a live query has, and as what it gives them.
pub trait LiveCardinality<O>: Cardinality<O> {
    /// The value is the list of all rows.
    #[doc(hidden)]
    const IS_LIST: bool = false;

    /// What the live query's value is.
    type Value: Send + Sync + 'static;

    /// Makes it of the rows.
    ///
    /// # Errors
    /// When there are too few or too many.
    fn value(rows: &List<O>) -> Result<Self::Value, QueryError>;

    /// Whether both show the same.
    #[doc(hidden)]
    fn looks_like(left: &Self::Value, right: &Self::Value) -> bool;

    /// The list that the value is, to be changed where it is.
    #[doc(hidden)]
    fn list_mut(value: &mut Arc<Self::Value>) -> Option<&mut List<O>> {
        let _ = value;
        None
    }

    #[doc(hidden)]
    fn diffs(hub: Arc<DiffHub<O>>, stepwise: bool) -> Option<DiffLink<Self::Value>> {
        let _ = (hub, stepwise);
        None
    }
}

impl<O: Send + Sync + 'static> LiveCardinality<O> for Many {
    const IS_LIST: bool = true;

    type Value = List<O>;

    fn value(rows: &List<O>) -> Result<List<O>, QueryError> {
        Ok(rows.clone())
    }

    fn looks_like(left: &List<O>, right: &List<O>) -> bool {
        left.looks_like(right, 0..right.len())
    }

    fn list_mut(value: &mut Arc<List<O>>) -> Option<&mut List<O>> {
        Some(Arc::make_mut(value))
    }

    fn diffs(hub: Arc<DiffHub<O>>, stepwise: bool) -> Option<DiffLink<List<O>>> {
        let reset = |hub: &(dyn Any + Send + Sync), rows: &List<O>| {
            if let Some(hub) = hub.downcast_ref::<DiffHub<O>>() {
                hub.reset(rows);
            }
        };
        Some(DiffLink { hub, reset, stepwise })
    }
}

impl<O: Send + Sync + 'static> LiveCardinality<O> for First {
    type Value = Option<Row<O>>;

    fn value(rows: &List<O>) -> Result<Option<Row<O>>, QueryError> {
        Ok(rows.first().cloned())
    }

    fn looks_like(left: &Option<Row<O>>, right: &Option<Row<O>>) -> bool {
        Row::look_alike(left.as_ref(), right.as_ref())
    }
}

impl<O: Send + Sync + 'static> LiveCardinality<O> for One {
    type Value = Row<O>;

    fn value(rows: &List<O>) -> Result<Row<O>, QueryError> {
        Optional::value(rows)?.ok_or(QueryError::NoRow)
    }

    fn looks_like(left: &Row<O>, right: &Row<O>) -> bool {
        left.looks_like(right)
    }
}

impl<O: Send + Sync + 'static> LiveCardinality<O> for Optional {
    type Value = Option<Row<O>>;

    fn value(rows: &List<O>) -> Result<Option<Row<O>>, QueryError> {
        if rows.len() > 1 { Err(QueryError::SeveralRows) } else { Ok(rows.first().cloned()) }
    }

    fn looks_like(left: &Option<Row<O>>, right: &Option<Row<O>>) -> bool {
        First::looks_like(left, right)
    }
}
