//! Running the query again.

use super::{Maintain, MustRerun, Refresh, TableChange};
use crate::live::cell::{LiveValue, PublishedValue};
use crate::live::dependency::Dependency;
use crate::sqlite::Rows;
use crate::table::{QueryError, Reader};

/// Runs a query through the reader, which hashes the rows that are read.
pub(in crate::live) type Run<V> = Box<dyn Fn(&Reader<'_>) -> Result<V, QueryError> + Send>;

/// A query that is run again when a row that can matter has changed.
pub(in crate::live) struct Rerun<V> {
    run: Run<V>,
    dependencies: Vec<Dependency>,
    /// The hash of the rows that the last run read: if it is the same, the value is, too.
    hash: Option<u64>,
}

impl<V> Rerun<V> {
    pub(in crate::live) fn new(run: Run<V>, dependencies: Vec<Dependency>) -> Self {
        Self { run, dependencies, hash: None }
    }

    fn can_matter(&self, change: &TableChange<'_>) -> bool {
        match (change.rows, self.dependencies.get(change.dependency)) {
            (Rows::One { old, new }, Some(dependency)) => {
                let mut rows = [old, new].into_iter().flatten();
                dependency.is_affected(old.as_ref(), new.as_ref())
                    || !rows.all(|row| dependency.can_decide(row))
            }
            _ => true,
        }
    }
}

impl<V: LiveValue> Maintain<V> for Rerun<V> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<V, QueryError> {
        let (value, hash) = reader.hashed(&*self.run);
        let value = value?;
        self.hash = Some(hash);
        Ok(value)
    }

    fn apply(
        &mut self,
        _: &PublishedValue<V>,
        changes: &[TableChange<'_>],
        _: &Reader<'_>,
    ) -> Result<Refresh<V>, MustRerun> {
        let can_matter = changes.iter().any(|change| self.can_matter(change));
        if can_matter { Err(MustRerun) } else { Ok(Refresh::Unchanged) }
    }

    fn rerun(&mut self, _: &V, reader: &Reader<'_>) -> Result<Refresh<V>, QueryError> {
        let before = self.hash;
        let value = self.start(reader)?;
        Ok(if self.hash == before { Refresh::Unchanged } else { Refresh::Replace(value) })
    }
}
