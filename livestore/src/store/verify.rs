//! Checking a store's state against a replay of its events.

use super::{HistoryError, Store, VerifyError};
use crate::error::Unavailable;
use crate::schema::Schema;
use crate::state::{Divergence, Replay, State, StateError};

impl<S: Schema> Store<S> {
    /// Replays the whole log, and compares the state with what that makes: every row, and the order in
    /// which the rows of a table were inserted.
    ///
    /// A difference has one of two reasons: a materializer is not deterministic, or it was changed
    /// without a new [`VERSION`](crate::schema::Materialize::VERSION). The error names the first event
    /// at which the two part, the table and the row. [`reset_state`](Self::reset_state) replaces the
    /// state by the replayed one. Call it in tests, and in a tool for support.
    ///
    /// It takes the time of a replay, in which commits and queries go on. If there is a difference, the
    /// log is replayed up to nine times more to find it, and they wait meanwhile.
    ///
    /// A debug build does this for a snapshot when it opens a store of up to 1,000 events, in some
    /// milliseconds. If there is a difference, it warns through `tracing`, and replays the log instead.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// #[table]
    /// struct Ticket { #[column(primary_key)] number: u32 }
    ///
    /// #[derive(Event)]
    /// #[event(name = "v1.TicketSold")]
    /// struct TicketSold;
    ///
    /// impl Materialize for TicketSold {
    ///     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
    ///         static LAST: AtomicU32 = AtomicU32::new(0);    // not part of the event, nor of the state
    ///         state.insert(&Ticket { number: LAST.fetch_add(1, Ordering::Relaxed) })
    ///     }
    /// }
    ///
    /// livestore::schema! { App { tables: [Ticket], events: [TicketSold] } }
    ///
    /// let store = Store::<App>::builder("box-office").open()?;
    /// store.commit([TicketSold, TicketSold])?;
    /// let error = store.verify_replay().unwrap_err().to_string();
    /// assert!(error.starts_with("two replays differ in table `ticket`"));
    /// assert!(error.contains("at event e1, v1.TicketSold"));
    /// # Ok::<(), livestore::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the state is not what a replay makes, or the log cannot be replayed.
    pub fn verify_replay(&self) -> Result<(), VerifyError> {
        match self.is_replayed()? {
            true => Ok(()),
            false => self.find_divergence()?.map_or(Ok(()), |found| Err(found.into())),
        }
    }

    /// Whether the state is what a replay makes.
    fn is_replayed(&self) -> Result<bool, HistoryError> {
        let (log, head, hash) = self.inner.with_core(|core| {
            let hash = core.state.ordered_hash().map_err(StateError::from)?;
            Ok::<_, HistoryError>((core.log.clone(), core.state.head, hash))
        })??;
        let mut replayed = State::empty(self.inner.schema)?;
        Replay::new(&log).run(&mut replayed, head)?;
        Ok(replayed.ordered_hash().map_err(StateError::from)? == hash)
    }

    /// Finds the event, while nothing is committed or rebased.
    fn find_divergence(&self) -> Result<Option<Divergence>, HistoryError> {
        let core = self.inner.core()?;
        let core = core.as_ref().ok_or(Unavailable::Closed)?;
        Ok(core.state.compare_with_replay(&core.log)?)
    }
}
