//! The row with one primary key.

use std::sync::Arc;

use super::{Hit, Maintain};
use crate::live::interest::Interest;
use crate::live::list::Row;
use crate::sqlite::{Image, Rows};
use crate::table::{Get, Query, QueryError, Reader, RowReader, Table};
use crate::value::Value;

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
        // The row before the first change and after the last: it may have gone and come back.
        let mut before = None;
        let mut after = None;
        for hit in hits {
            let Rows::One { old, new } = hit.rows else {
                return self.start(reader).map(Some);
            };
            let (was, is) = (self.own(old), self.own(new));
            if was.is_some() || is.is_some() {
                before.get_or_insert(was);
                after = Some(is);
            }
        }
        match (before, after) {
            (Some(before), Some(after)) if values(before) != values(after) => {
                let decode = |image: &Image| T::decode(&RowReader::of_values(&image.values, None));
                Ok(Some(after.map(decode).transpose()?.map(Row::new)))
            }
            _ => Ok(None),
        }
    }
}

impl<T> Point<T> {
    fn own<'a>(&self, image: &'a Option<Image>) -> Option<&'a Image> {
        image.as_ref().filter(|image| self.interest.has(Some(image)))
    }
}

fn values(image: Option<&Image>) -> Option<&[Value<'static>]> {
    image.map(|image| &*image.values)
}
