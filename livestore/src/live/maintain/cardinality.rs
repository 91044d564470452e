//! From a list of rows to the value that a query's cardinality asks for.

use super::{Maintain, MaintainList, MustRerun, Refresh, Steps, TableChange};
use crate::live::cell::{LiveValue, PublishedValue};
use crate::live::list::List;
use crate::live::row::SharedRow;
use crate::table::{Cardinality, First, Many, One, Optional, QueryError, Reader};

/// The number of rows that a live query returns, and the type of its value.
pub trait LiveCardinality<O>: Cardinality<O> {
    /// The type of the live query's value.
    type Value: LiveValue;

    /// Makes the value from the rows.
    ///
    /// # Errors
    /// When there are too few or too many rows.
    fn value(rows: &List<O>) -> Result<Self::Value, QueryError>;

    #[doc(hidden)]
    fn matches(left: &Self::Value, right: &Self::Value) -> bool;

    #[doc(hidden)]
    fn maintain(rows: ListMaintainer<O>) -> Maintainer<Self::Value>;
}

/// Keeps the list of a query's rows up to date.
#[doc(hidden)]
pub struct ListMaintainer<O>(pub(in crate::live) Box<dyn MaintainList<O>>);

/// Keeps a query's value up to date.
#[doc(hidden)]
pub struct Maintainer<V>(pub(in crate::live) Box<dyn Maintain<V>>);

impl<O: Send + Sync + 'static> LiveCardinality<O> for Many {
    type Value = List<O>;

    fn value(rows: &List<O>) -> Result<List<O>, QueryError> {
        Ok(rows.clone())
    }

    fn matches(left: &List<O>, right: &List<O>) -> bool {
        left.matches(right, 0..right.len())
    }

    fn maintain(rows: ListMaintainer<O>) -> Maintainer<List<O>> {
        Maintainer(Box::new(rows))
    }
}

impl<O: Send + Sync + 'static> LiveCardinality<O> for First {
    type Value = Option<SharedRow<O>>;

    fn value(rows: &List<O>) -> Result<Option<SharedRow<O>>, QueryError> {
        Ok(rows.first().cloned())
    }

    fn matches(left: &Option<SharedRow<O>>, right: &Option<SharedRow<O>>) -> bool {
        SharedRow::both_match(left.as_ref(), right.as_ref())
    }

    fn maintain(rows: ListMaintainer<O>) -> Maintainer<Option<SharedRow<O>>> {
        single::<O, Self>(rows)
    }
}

impl<O: Send + Sync + 'static> LiveCardinality<O> for One {
    type Value = SharedRow<O>;

    fn value(rows: &List<O>) -> Result<SharedRow<O>, QueryError> {
        Optional::value(rows)?.ok_or(QueryError::NoRow)
    }

    fn matches(left: &SharedRow<O>, right: &SharedRow<O>) -> bool {
        left.matches(right)
    }

    fn maintain(rows: ListMaintainer<O>) -> Maintainer<SharedRow<O>> {
        single::<O, Self>(rows)
    }
}

impl<O: Send + Sync + 'static> LiveCardinality<O> for Optional {
    type Value = Option<SharedRow<O>>;

    fn value(rows: &List<O>) -> Result<Option<SharedRow<O>>, QueryError> {
        if rows.len() > 1 { Err(QueryError::SeveralRows) } else { Ok(rows.first().cloned()) }
    }

    fn matches(left: &Option<SharedRow<O>>, right: &Option<SharedRow<O>>) -> bool {
        First::matches(left, right)
    }

    fn maintain(rows: ListMaintainer<O>) -> Maintainer<Option<SharedRow<O>>> {
        single::<O, Self>(rows)
    }
}

/// The list is the value, and is changed in place.
impl<O: Send + Sync + 'static> Maintain<List<O>> for ListMaintainer<O> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<List<O>, QueryError> {
        self.0.start(reader)
    }

    fn apply(
        &mut self,
        published: &PublishedValue<List<O>>,
        changes: &[TableChange<'_>],
        reader: &Reader<'_>,
    ) -> Result<Refresh<List<O>>, MustRerun> {
        let steps = self.0.apply(changes, reader)?;
        Ok(if steps.is_empty() { Refresh::Unchanged } else { published.patch(steps) })
    }

    fn rerun(
        &mut self,
        old: &List<O>,
        reader: &Reader<'_>,
    ) -> Result<Refresh<List<O>>, QueryError> {
        Ok(Refresh::of(old, self.start(reader)?, Many::matches))
    }
}

fn single<O, C>(rows: ListMaintainer<O>) -> Maintainer<C::Value>
where
    O: Send + Sync + 'static,
    C: LiveCardinality<O>,
{
    let ListMaintainer(maintain) = rows;
    let make = C::value;
    Maintainer(Box::new(Single { maintain, rows: List::default(), make, matches: C::matches }))
}

/// A value that is made from a list of few rows.
struct Single<O, V> {
    maintain: Box<dyn MaintainList<O>>,
    rows: List<O>,
    make: fn(&List<O>) -> Result<V, QueryError>,
    matches: fn(&V, &V) -> bool,
}

impl<O: Send + Sync + 'static, V: LiveValue> Maintain<V> for Single<O, V> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<V, QueryError> {
        self.rows = self.maintain.start(reader)?;
        (self.make)(&self.rows)
    }

    fn apply(
        &mut self,
        _: &PublishedValue<V>,
        changes: &[TableChange<'_>],
        reader: &Reader<'_>,
    ) -> Result<Refresh<V>, MustRerun> {
        let steps: &Steps<O> = self.maintain.apply(changes, reader)?;
        match steps.apply(&mut self.rows) {
            true => Ok(Refresh::Replace((self.make)(&self.rows)?)),
            false => Ok(Refresh::Unchanged),
        }
    }

    fn rerun(&mut self, old: &V, reader: &Reader<'_>) -> Result<Refresh<V>, QueryError> {
        Ok(Refresh::of(old, self.start(reader)?, self.matches))
    }
}
