//! The row with one primary key.

use std::sync::Arc;

use super::{Hit, Maintain};
use crate::live::interest::Interest;
use crate::live::list::Row;
use crate::sqlite::Rows;
use crate::table::{Get, Query, QueryError, Reader, RowReader, Table};

/// A row that is taken from the change itself: no query is run.
pub(in crate::live) struct Point<T> {
    pub(in crate::live) query: Arc<Get<T>>,
    pub(in crate::live) interest: Interest,
}

impl<T: Table + Send + Sync> Maintain<Option<Row<T>>> for Point<T> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<Option<Row<T>>, QueryError> {
        Ok(self.query.run(reader)?.map(Row::new))
    }

    fn apply(
        &mut self,
        hits: &[Hit<'_>],
        reader: &Reader<'_>,
    ) -> Result<Option<Option<Row<T>>>, QueryError> {
        let (mut was, mut is) = (None, None);
        for hit in hits {
            let Rows::One { old, new } = hit.rows else {
                return self.start(reader).map(Some);
            };
            // A commit may give the key to another row: which of the two comes first says nothing.
            was = was.or(old.as_ref().filter(|old| self.interest.has(Some(old))));
            is = is.or(new.as_ref().filter(|new| self.interest.has(Some(new))));
        }
        if was.map(|was| &was.values) == is.map(|is| &is.values) {
            return Ok(None);
        }
        let row = is.map(|is| T::decode(&RowReader::of_values(&is.values, None))).transpose()?;
        Ok(Some(row.map(Row::new)))
    }
}
