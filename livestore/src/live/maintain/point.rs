//! The row with one primary key.

use super::{Hit, Maintain};
use crate::live::interest::Interest;
use crate::live::list::Row;
use crate::sqlite::Rows;
use crate::table::{Get, Query, QueryError, Reader, RowReader, Table};

/// A row that is taken from the change itself: no query is run.
pub(in crate::live) struct Point<T> {
    pub(in crate::live) query: Get<T>,
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
        let mut value = None;
        for hit in hits {
            let Rows::One { old, new } = hit.rows else {
                return self.start(reader).map(Some);
            };
            if self.interest.has(new.as_ref()) {
                if let Some(new) = new
                    && old.as_ref() != Some(new)
                {
                    let row = T::decode(&RowReader::of_values(&new.values, None))?;
                    value = Some(Some(Row::new(row)));
                }
            } else if self.interest.has(old.as_ref()) {
                value = Some(None);
            }
        }
        Ok(value)
    }
}
