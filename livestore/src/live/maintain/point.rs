//! The row with one primary key.

use std::sync::Arc;

use super::{Failed, Hit, LiveCardinality, Maintain, News};
use crate::live::row::Row;
use crate::sqlite::{Image, Rows};
use crate::table::{First, Get, QueryError, Reader, RowError, RowReader, Table, order};
use crate::value::Value;

/// A row that is taken from the change itself: no query is run.
pub(in crate::live) struct Point<T>(pub(in crate::live) Arc<Get<T>>);

impl<T: Table + Send + Sync> Maintain<Option<Row<T>>> for Point<T> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<Option<Row<T>>, QueryError> {
        self.0.read(reader, read)
    }

    fn apply(&mut self, hits: &[Hit<'_>], _: &Reader<'_>) -> Result<News<Option<Row<T>>>, Failed> {
        let key = self.0.key()?;
        let (mut was, mut is) = (None, None);
        for hit in hits {
            let Rows::One { old, new } = hit.rows else { return Err(Failed::Lost) };
            // A commit may give the key to another row: which of the two comes first says nothing.
            was = was.or(old.as_ref().filter(|old| has_key::<T>(old, key)));
            is = is.or(new.as_ref().filter(|new| has_key::<T>(new, key)));
        }
        if was.map(|was| &was.values) == is.map(|is| &is.values) {
            return Ok(News::Same);
        }
        let row = is.map(|is| read(&RowReader::of_values(&is.values, None))).transpose()?;
        Ok(News::Another(row))
    }

    fn again(
        &mut self,
        old: &Option<Row<T>>,
        reader: &Reader<'_>,
    ) -> Result<News<Option<Row<T>>>, QueryError> {
        Ok(News::of(old, self.start(reader)?, First::looks_like))
    }
}

fn read<T: Table>(row: &RowReader<'_>) -> Result<Row<T>, RowError> {
    Row::read(row, T::def().columns.len(), T::decode)
}

fn has_key<T: Table>(image: &Image, key: &[Value<'_>]) -> bool {
    let columns = T::def().primary_key.iter().map(|&column| image.values.get(column));
    columns.zip(key).all(|(value, key)| value.is_some_and(|value| order(value, key).is_eq()))
}
