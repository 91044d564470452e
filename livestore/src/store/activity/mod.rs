//! Activity: who has done what to which rows, from the log.

mod entry;
mod live;

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Weak};

pub use entry::{ChangedRow, RowActivity};

use self::entry::Entries;
use super::row_tracer::{PAGE, RowTracer};
use super::{HistoryError, Inner, Store};
use crate::error::Unavailable;
use crate::event::SeqNum;
use crate::eventlog::{Eventlog, before, is_after};
use crate::live::{Reactive as _, Signal, signal};
use crate::schema::{HasTable, Schema};
use crate::state::end_of_commit;
use crate::table::{IntoKey, RowError, Table};
use crate::value::Value;

/// The number of entries by default.
const LIMIT: usize = 100;

/// Why the activity of rows could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ActivityError {
    /// The log cannot be replayed.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A row of the past is not a row of the table's type.
    #[error("a row that the event {seq} has changed cannot be read")]
    Row {
        /// The event.
        seq: SeqNum,
        /// The reason.
        source: RowError,
    },
    /// It is not known which rows an event has changed.
    #[error(
        "it is not known which rows of `{table}` the event {seq} has changed: a table with activity has \
         at most 60 columns"
    )]
    UnknownRows {
        /// The event.
        seq: SeqNum,
        /// The table.
        table: &'static str,
    },
}

impl<S: Schema> Store<S> {
    /// Returns the activity of the table `T`: the events that have changed its rows, with the rows before and
    /// after, who committed them, and when the backend accepted them. The methods of [`Activity`] select rows and
    /// pages, and read them or make them live.
    ///
    /// There is no table to maintain for that: it is read from the log, whatever the app's version was then.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::notes::*;
    /// # fn main() -> livestore::Result<()> {
    /// let store = Store::<App>::builder("notes").open()?;
    /// store.commit([added("milk"), added("bread")])?;
    /// store.commit(NoteEvent::Changed { id: "milk".into(), text: "2 litres".into() })?;
    ///
    /// let milk = store.activity::<Note>().row("milk").read()?;        // the newest first
    /// assert_eq!(milk.len(), 2);
    /// let [change] = &*milk[0].rows else { panic!("one row") };
    /// assert_eq!(change.before.as_ref().unwrap().text, "text of milk");
    /// assert_eq!(change.after.as_ref().unwrap().text, "2 litres");
    /// assert_eq!(*milk[0].event.client_id, *store.client_id());
    ///
    /// let long = |note: &Note| note.text.len() > 10;                  // before the event, or after it
    /// assert_eq!(store.activity::<Note>().filter(long).read()?.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn activity<T: Table>(&self) -> Activity<T>
    where
        S: HasTable<T>,
    {
        Activity {
            store: Arc::downgrade(&self.inner),
            selection: Selection { keys: None, filter: None, before: None, limit: LIMIT },
            of: PhantomData,
        }
    }
}

/// A selection of what has happened to the rows of a table, made by [`Store::activity`].
///
/// An entry is an event and the selected rows that it has changed. Events that could not be applied have changed
/// nothing. The newest entries come first.
#[must_use = "it does nothing until it is read"]
pub struct Activity<T> {
    store: Weak<Inner>,
    selection: Selection<T>,
    of: PhantomData<fn() -> T>,
}

struct Selection<T> {
    /// The primary keys of the rows; all rows, if there are none.
    keys: Option<Vec<Vec<Value<'static>>>>,
    filter: Option<Arc<Filter<T>>>,
    before: Option<SeqNum>,
    limit: usize,
}

type Filter<T> = dyn Fn(&T) -> bool + Send + Sync;

impl<T: Table> Activity<T> {
    /// Selects the row with this primary key; call it again for several rows. The row need not exist any more.
    pub fn row<K: IntoKey<T::Key>>(mut self, key: K) -> Self {
        let keys = self.selection.keys.get_or_insert_default();
        // No row has a key without an SQL form.
        keys.extend(key.into_key().ok());
        self
    }

    /// Selects the rows that meet this condition before the event or after it.
    pub fn filter(mut self, filter: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.selection.filter = Some(Arc::new(filter));
        self
    }

    /// Selects events before this one: with the number of the last entry, the next page.
    pub fn before(mut self, seq: SeqNum) -> Self {
        self.selection.before = Some(seq);
        self
    }

    /// Selects at most this many events, the newest ones; by default 100.
    pub fn limit(mut self, entries: usize) -> Self {
        self.selection.limit = entries;
        self
    }

    /// Reads the entries. Replays the log for that, as [`Store::state_at`] does.
    ///
    /// # Errors
    /// See [`ActivityError`].
    pub fn read(&self) -> Result<Vec<Arc<RowActivity<T>>>, ActivityError> {
        let moment = Moment::of(&self.store)?;
        let to = self.end(&moment)?;
        let mut entries = Entries::new(&self.selection, moment.confirmed);
        if let Some(mut tracer) = RowTracer::new(moment.store.schema, T::NAME)? {
            tracer.run(&moment.log, to, &mut entries.each())?;
        }
        entries.finish()
    }

    /// The last event that has to be replayed: of the commit that the last selected event is of.
    fn end(&self, moment: &Moment) -> Result<SeqNum, HistoryError> {
        let Some(seq) = self.selection.before.filter(|seq| is_after(moment.head, *seq)) else {
            return Ok(moment.head);
        };
        let last = before(seq);
        Ok(end_of_commit(last, &moment.log.read(last, PAGE)?))
    }
}

impl<T> fmt::Debug for Activity<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Activity").finish_non_exhaustive()
    }
}

/// What the store has at one moment.
struct Moment {
    store: Arc<Inner>,
    log: Eventlog,
    head: SeqNum,
    confirmed: SeqNum,
    /// As in [`Core`](super::Core): another number means another history.
    histories: u64,
}

impl Moment {
    fn of(store: &Weak<Inner>) -> Result<Self, HistoryError> {
        let store = store.upgrade().ok_or(Unavailable::Closed)?;
        let moment = store.with_core(|core| Self {
            store: Arc::clone(&store),
            log: core.log.clone(),
            head: core.state.head,
            confirmed: core.confirmed_head(),
            histories: core.histories,
        })?;
        Ok(moment)
    }
}

/// A number that changes with the log, as long as somebody needs it.
pub(super) struct LogVersion {
    number: Signal<u64>,
    users: Arc<()>,
}

impl Default for LogVersion {
    fn default() -> Self {
        Self { number: signal(0), users: Arc::new(()) }
    }
}

impl LogVersion {
    /// Notes that the log has other events now, or that pending ones are confirmed.
    pub(super) fn advance(&self) {
        if Arc::strong_count(&self.users) > 1 {
            let number = *self.number.get();
            self.number.set_in_lock(number.wrapping_add(1));
        }
    }

    fn share(&self) -> Self {
        Self { number: self.number.clone(), users: Arc::clone(&self.users) }
    }
}
