//! The row with one primary key.

use std::sync::Arc;

use super::{LiveCardinality, Maintain, MustRerun, Refresh, TableChange};
use crate::live::cell::PublishedValue;
use crate::live::row::SharedRow;
use crate::sqlite::{Image, Rows};
use crate::table::{First, GetRow, QueryError, Reader, RowError, RowReader, Table, order};
use crate::value::Value;

/// A row that is read from the change itself, without a query.
pub(in crate::live) struct Point<T>(pub(in crate::live) Arc<GetRow<T>>);

impl<T: Table + Send + Sync> Maintain<Option<SharedRow<T>>> for Point<T> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<Option<SharedRow<T>>, QueryError> {
        self.0.read(reader, read)
    }

    fn apply(
        &mut self,
        _: &PublishedValue<Option<SharedRow<T>>>,
        changes: &[TableChange<'_>],
        _: &Reader<'_>,
    ) -> Result<Refresh<Option<SharedRow<T>>>, MustRerun> {
        let key = self.0.key()?;
        let (mut before, mut after) = (None, None);
        for change in changes {
            let Rows::One { old, new } = change.rows else { return Err(MustRerun) };
            // A commit may give the key to a different row, and then the two changes can come in
            // either order.
            before = before.or(old.as_ref().filter(|old| has_key::<T>(old, key)));
            after = after.or(new.as_ref().filter(|new| has_key::<T>(new, key)));
        }
        if before.map(|before| &before.values) == after.map(|after| &after.values) {
            return Ok(Refresh::Unchanged);
        }
        let row = after.map(|row| read(&RowReader::of_values(&row.values, None))).transpose()?;
        Ok(Refresh::Replace(row))
    }

    fn rerun(
        &mut self,
        old: &Option<SharedRow<T>>,
        reader: &Reader<'_>,
    ) -> Result<Refresh<Option<SharedRow<T>>>, QueryError> {
        Ok(Refresh::of(old, self.start(reader)?, First::matches))
    }
}

fn read<T: Table>(row: &RowReader<'_>) -> Result<SharedRow<T>, RowError> {
    SharedRow::read(row, T::def().columns.len(), T::decode)
}

fn has_key<T: Table>(image: &Image, key: &[Value<'_>]) -> bool {
    let columns = T::def().primary_key.iter().map(|&column| image.values.get(column));
    columns.zip(key).all(|(value, key)| value.is_some_and(|value| order(value, key).is_eq()))
}
