//! Running the query again.

use super::{Failed, Hit, Maintain, News};
use crate::live::interest::Interest;
use crate::sqlite::Rows;
use crate::table::{QueryError, Reader};

/// Runs a query, and hashes the rows it reads.
pub(in crate::live) type Run<V> = Box<dyn Fn(&Reader<'_>) -> Result<V, QueryError> + Send>;

/// A query that is run again when a row that can matter has changed.
pub(in crate::live) struct Rerun<V> {
    pub(in crate::live) run: Run<V>,
    pub(in crate::live) interests: Vec<Interest>,
    /// Of the rows that the last run read: equal rows are no change.
    pub(in crate::live) hash: u64,
}

impl<V> Rerun<V> {
    pub(in crate::live) fn new(run: Run<V>, interests: Vec<Interest>) -> Self {
        Self { run, interests, hash: 0 }
    }

    fn can_matter(&self, hit: &Hit<'_>) -> bool {
        match (hit.rows, self.interests.get(hit.interest)) {
            (Rows::One { old, new }, Some(interest)) => interest.meets(old.as_ref(), new.as_ref()),
            _ => true,
        }
    }
}

impl<V> Maintain<V> for Rerun<V> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<V, QueryError> {
        let (value, hash) = reader.hashed(&*self.run);
        let value = value?;
        self.hash = hash;
        Ok(value)
    }

    fn apply(&mut self, hits: &[Hit<'_>], _: &Reader<'_>) -> Result<News<V>, Failed> {
        let can_matter = hits.iter().any(|hit| self.can_matter(hit));
        if can_matter { Err(Failed::Lost) } else { Ok(News::Same) }
    }

    fn again(&mut self, _: &V, reader: &Reader<'_>) -> Result<News<V>, QueryError> {
        let before = self.hash;
        let value = self.start(reader)?;
        Ok(if self.hash == before { News::Same } else { News::Another(value) })
    }
}
