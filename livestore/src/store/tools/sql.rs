//! SQL on a state, whatever its columns.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::sqlite::Interrupt;
use crate::state::StateError;
use crate::store::{HistoryError, StateAt};
use crate::table::{Params, QueryError};
use crate::value::Value;

/// Ends a query that runs on a state, from another thread.
#[derive(Clone)]
pub struct Interrupter(pub(in crate::store) Arc<Interrupt>);

impl Interrupter {
    /// Has the query that runs fail soon, with an error of the kind
    /// [`Interrupted`](crate::SqliteErrorKind::Interrupted). Nothing happens if none runs.
    pub fn interrupt(&self) {
        self.0.interrupt();
    }
}

impl fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupter").finish_non_exhaustive()
    }
}

impl<S> StateAt<S> {
    /// Runs SQL that reads, and calls `row` with the values of each row, until it breaks. Returns the
    /// names of the columns. As long as it runs, [`interrupter`](Self::interrupter) can end it.
    ///
    /// # Errors
    /// When SQLite refuses the SQL, as it does if it writes, or it was interrupted.
    pub fn read_sql(
        &self,
        sql: &str,
        params: impl Params,
        row: impl FnMut(&[Value<'_>]) -> ControlFlow<()>,
    ) -> Result<Vec<String>, QueryError> {
        let state = self.state.lock()?;
        state.reader(&self.window_id).visit(sql, params, row)
    }

    /// Returns what ends a query that runs on this state.
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// Returns the state as the bytes of an SQLite file. Besides the schema's tables it has some whose
    /// names begin with `__livestore`.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>, HistoryError> {
        let bytes = self.state.lock()?.bytes().map_err(StateError::from)?;
        Ok(bytes.unwrap_or_default())
    }
}
