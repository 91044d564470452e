//! States that are made of events from elsewhere, and have no log of their own: what a server has that
//! knows the schema, or a report that reads a store's events from a database.
//!
//! ```
//! # use livestore_testing::sample::todos::*;
//! use livestore::event::EncodedEvent;
//! use livestore::prelude::*;
//! use livestore::replica::Replica;
//!
//! # fn read(received: Vec<EncodedEvent>) -> Result<u64, Box<dyn std::error::Error>> {
//! let mut replica = Replica::<App>::new(1 << 30)?;
//! replica.apply(received, false)?;
//! Ok(replica.query(Todo::all().count())?)
//! # }
//! # assert_eq!(read(Vec::new()).unwrap(), 0);
//! ```

use std::fmt;
use std::marker::PhantomData;

use crate::event::{EncodedEvent, SeqNum, last_commit};
use crate::eventlog::{Chain, Eventlog, EventlogError, MemoryLog, START};
use crate::schema::{QueryIn, Schema};
use crate::sqlite::SqliteError;
pub use crate::state::Query;
use crate::state::{Image, Origin, Quarantined, Replay, ReplayError, State, StateError};
use crate::table::QueryError;

/// The most events of a commit that wait for the rest of it. A push never has as many.
const MAX_UNFINISHED: usize = 10_000;

/// A state in memory that is made of the events which are [applied](Self::apply) to it.
///
/// Equal events give the state that every client has: what a client quarantines is quarantined here.
pub struct Replica<S> {
    state: State,
    /// The last event: the next one may belong to its commit.
    last: Eventlog,
    /// The checksums of the event before the last one, and of the last one, as in a client's log.
    checksums: [i64; 2],
    /// The beginning of a commit that goes on in the next call.
    unfinished: Vec<EncodedEvent>,
    /// The state is not the one of its events any more.
    is_broken: bool,
    schema: PhantomData<fn() -> S>,
}

/// Returns the commits that the events are, first to last. The first and the last may be parts of one.
pub fn commits(events: &[EncodedEvent]) -> impl Iterator<Item = &[EncodedEvent]> {
    crate::event::commits(events)
}

/// Why events could not be applied to a replica.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// An event does not follow the last one.
    #[error("the event {found} does not follow {head}")]
    OutOfOrder {
        /// The last event.
        head: SeqNum,
        /// The event.
        found: SeqNum,
    },
    /// The replica has lost its place: make a new one, of all events. It happens when a commit came in
    /// several parts, and a later one cannot be applied.
    #[error("the state has to be made anew, of all events")]
    Rebuild,
    /// Nothing can be tried behind this event, since a materializer has undone what lies before it, too.
    #[error("a materializer of the commit with {seq} undoes what came before it")]
    Undone {
        /// The commit's last event.
        seq: SeqNum,
    },
    /// The state cannot be made, or has no room.
    #[error(transparent)]
    State(#[from] StateError),
    /// An event in memory is not readable, which cannot be.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
}

impl<S: Schema> Replica<S> {
    /// Returns the state before the first event. It takes up to `max_bytes` of memory, or what SQLite
    /// allows at most.
    ///
    /// # Errors
    /// When the schema cannot be turned into SQL, or there is no memory.
    pub fn new(max_bytes: u64) -> Result<Self, StateError> {
        let state = State::empty(S::def())?;
        state.limit(max_bytes)?;
        Ok(Self {
            state,
            last: Eventlog::new(MemoryLog::default()),
            checksums: [START; 2],
            unfinished: Vec::new(),
            is_broken: false,
            schema: PhantomData,
        })
    }

    /// The last event that the state is made of.
    pub fn head(&self) -> SeqNum {
        self.state.head
    }

    /// The last event that was passed to [`apply`](Self::apply).
    pub fn received(&self) -> SeqNum {
        self.unfinished.last().map_or(self.state.head, |event| event.seq)
    }

    /// Applies the next events. If there are `more`, the last commit waits for them, as it may go on.
    /// Returns those that could not be applied.
    ///
    /// # Errors
    /// See [`ReplicaError`]. After an error, the replica cannot be used any more.
    pub fn apply(
        &mut self,
        events: Vec<EncodedEvent>,
        more: bool,
    ) -> Result<Vec<Quarantined>, ReplicaError> {
        self.check(&events)?;
        let mut events = match self.unfinished.is_empty() {
            true => events,
            false => std::mem::take(&mut self.unfinished).into_iter().chain(events).collect(),
        };
        let end = last_commit(&events);
        if more && events.len() - end <= MAX_UNFINISHED {
            self.unfinished = events.split_off(end);
        }
        let Some(last) = events.last().cloned() else { return Ok(Vec::new()) };
        // Until it is applied.
        self.is_broken = true;
        let mut replay = Replay::new(&self.last);
        replay.apply(&mut self.state, &events)?;
        self.is_broken = replay.is_broken();
        let quarantined = replay.into_quarantined();
        let mut chain = Chain::default();
        for event in &events {
            let [_, before] = self.checksums;
            self.checksums = [before, chain.next(before, event)];
        }
        self.last = Eventlog::new(MemoryLog::with(vec![last]));
        if self.is_broken { Err(ReplicaError::Rebuild) } else { Ok(quarantined) }
    }

    fn check(&self, events: &[EncodedEvent]) -> Result<(), ReplicaError> {
        if self.is_broken {
            return Err(ReplicaError::Rebuild);
        }
        let mut head = self.received();
        for event in events {
            if event.seq.global != head.global + 1 || event.is_client_only() {
                return Err(ReplicaError::OutOfOrder { head, found: event.seq });
            }
            head = event.seq;
        }
        Ok(())
    }

    /// Runs a query.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn query<Q: QueryIn<S>>(&self, query: Q) -> Result<Q::Output, QueryError> {
        query.run_in(&self.state.reader(""))
    }

    /// Prepares one statement of SQL, which may only read, and passes it to `read`. It ends with an error
    /// of the kind [`Interrupted`](crate::SqliteErrorKind::Interrupted) once `is_over` returns true, which
    /// is asked now and then, and with one of the kind [`Limit`](crate::SqliteErrorKind::Limit) if it
    /// makes or reads a text or blob of more than `max_value_bytes`.
    ///
    /// # Errors
    /// When it is not SQL, writes, or reaches beyond the state; and those of `read`.
    pub fn read_sql<T>(
        &mut self,
        sql: &str,
        max_value_bytes: u32,
        is_over: impl FnMut() -> bool + Send + 'static,
        read: impl FnOnce(Query<'_>) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        self.state.within_bounds(max_value_bytes, is_over, sql, read)
    }

    /// Returns an image of the state, for new clients of the same schema: see
    /// [`InitialSync::Image`](crate::sync::InitialSync::Image). `store_id` and `backend_id` are the store's id
    /// and that of its order, as its clients know them. `None` before the first event, and while a part of the
    /// last commit is missing.
    ///
    /// # Errors
    /// See [`ReplicaError`].
    pub fn image(
        &mut self,
        store_id: &str,
        backend_id: &str,
    ) -> Result<Option<Vec<u8>>, ReplicaError> {
        if self.is_broken {
            return Err(ReplicaError::Rebuild);
        }
        let last = self.last.event(self.state.head)?;
        let Some(last) = last.filter(|_| self.unfinished.is_empty()) else { return Ok(None) };
        let [before, _] = self.checksums;
        let origin = Origin { store_id, backend_id, before, last: &last };
        Ok(Some(Image::encode(&mut self.state, origin)?))
    }

    /// The hash of the schema: states of two schemas that have the same one are equal for equal events.
    ///
    /// # Errors
    /// When the schema cannot be turned into SQL.
    pub fn schema_hash() -> Result<i64, StateError> {
        Ok(S::def().hash()?)
    }

    /// The number of bytes that the state takes.
    ///
    /// # Errors
    /// When SQLite cannot read the state.
    pub fn bytes(&self) -> Result<u64, SqliteError> {
        self.state.size()
    }

    /// Returns a draft: events can be tried on it, and all of them are undone when it is dropped.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn draft(&mut self) -> Result<Draft<'_, S>, SqliteError> {
        self.state.begin_pending()?;
        Ok(Draft { replica: self })
    }
}

impl<S> fmt::Debug for Replica<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").field("head", &self.state.head).finish_non_exhaustive()
    }
}

/// A [`Replica`] on which events are tried.
#[derive(Debug)]
pub struct Draft<'r, S: Schema> {
    replica: &'r mut Replica<S>,
}

impl<S: Schema> Draft<'_, S> {
    /// Applies the next commit. Returns its events if they cannot be applied.
    ///
    /// # Errors
    /// See [`ReplicaError`]. After an error, the draft is of no use any more, and the replica is.
    pub fn apply(&mut self, commit: &[EncodedEvent]) -> Result<Vec<Quarantined>, ReplicaError> {
        let state = &mut self.replica.state;
        let mut replay = Replay::new(&self.replica.last);
        replay.apply(state, commit)?;
        if replay.is_broken() || state.savepoint_lost() {
            return Err(ReplicaError::Undone { seq: state.head });
        }
        Ok(replay.into_quarantined())
    }

    /// Runs a query.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn query<Q: QueryIn<S>>(&self, query: Q) -> Result<Q::Output, QueryError> {
        self.replica.query(query)
    }
}

impl<S: Schema> Drop for Draft<'_, S> {
    fn drop(&mut self) {
        if let Err(error) = self.replica.state.rollback_pending() {
            tracing::error!(%error, "what was tried on a state could not be undone");
            self.replica.is_broken = true;
        }
    }
}

impl From<ReplayError> for ReplicaError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Eventlog(error) => Self::Eventlog(error),
            ReplayError::State(error) => Self::State(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Query;
    use super::*;
    use crate::SqliteErrorKind;
    use crate::prelude::*;
    use std::ops::ControlFlow;

    #[table]
    #[derive(Debug, Clone, PartialEq)]
    struct Item {
        #[column(primary_key)]
        id: i64,
    }

    #[derive(Event)]
    #[event(name = "v1.Put")]
    struct Put {
        id: i64,
        undo: bool,
    }

    impl Materialize for Put {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            if self.undo {
                state.sql("INSERT OR ROLLBACK INTO item VALUES (?)", (self.id,)).map(|_| ())?;
            }
            state.insert(&Item { id: self.id })
        }
    }

    crate::schema! { App { tables: [Item], events: [Put] } }

    const SESSION: &str = "w~V1StGXR8_Z5jdHi6B-myT";

    fn put(seq: u64, id: i64) -> EncodedEvent {
        let args = format!("{{\"id\":{id},\"undo\":false}}");
        let (at, before) = (SeqNum::new(seq), SeqNum::new(seq - 1));
        EncodedEvent::new(at, before, "v1.Put", args, "c".into(), SESSION.into())
    }

    fn continued(event: EncodedEvent) -> EncodedEvent {
        EncodedEvent { continues: true, ..event }
    }

    fn replica() -> Replica<App> {
        Replica::new(1 << 20).unwrap()
    }

    fn count(replica: &Replica<App>) -> u64 {
        replica.query(Item::all().count()).unwrap()
    }

    #[test]
    fn events_make_the_state_and_what_fails_is_quarantined_with_its_commit() {
        let mut replica = replica();
        assert_eq!(replica.apply(vec![put(1, 1), put(2, 2)], false).unwrap(), []);
        let failed = replica.apply(vec![put(3, 3), continued(put(4, 1))], false).unwrap();
        assert_eq!(failed.len(), 2);
        assert_eq!((count(&replica), replica.head().global), (2, 4));
    }

    #[test]
    fn a_commit_that_comes_in_parts_waits_for_its_end() {
        let mut replica = replica();
        replica.apply(vec![put(1, 1), put(2, 2)], true).unwrap();
        assert_eq!((replica.head().global, replica.received().global), (1, 2));
        let failed = replica.apply(vec![continued(put(3, 1))], false).unwrap();
        assert_eq!((failed.len(), count(&replica)), (2, 1));
    }

    #[test]
    fn a_part_that_fails_behind_an_applied_one_makes_a_rebuild_necessary() {
        let mut parts = replica();
        parts.apply(vec![put(1, 1), put(2, 2)], false).unwrap();
        let cut = vec![continued(put(3, 1))];
        assert_eq!(parts.apply(cut, false), Err(ReplicaError::Rebuild));
        assert_eq!(parts.apply(vec![put(4, 4)], false), Err(ReplicaError::Rebuild));
        let mut whole = replica();
        whole.apply(vec![put(1, 1), put(2, 2), continued(put(3, 1))], false).unwrap();
        assert_eq!(count(&whole), 1);
    }

    #[test]
    fn an_event_that_does_not_follow_is_refused() {
        let mut replica = replica();
        let gap = replica.apply(vec![put(1, 1), put(3, 3)], false);
        let (head, found) = (SeqNum::new(1), SeqNum::new(3));
        assert_eq!(gap, Err(ReplicaError::OutOfOrder { head, found }));
        assert_eq!(replica.head(), SeqNum::ROOT);
    }

    #[test]
    fn a_draft_leaves_nothing_behind() {
        let mut replica = replica();
        replica.apply(vec![put(1, 1)], false).unwrap();
        let mut draft = replica.draft().unwrap();
        assert_eq!(draft.apply(&[put(2, 2)]).unwrap(), []);
        assert_eq!(draft.apply(&[put(3, 2)]).unwrap().len(), 1);
        assert_eq!(draft.query(Item::all().count()).unwrap(), 2);
        drop(draft);
        assert_eq!((count(&replica), replica.head().global), (1, 1));
        replica.apply(vec![put(2, 3)], false).unwrap();
        assert_eq!(count(&replica), 2);
    }

    #[test]
    fn a_draft_that_undoes_what_was_before_ends() {
        let mut replica = replica();
        replica.apply(vec![put(1, 1)], false).unwrap();
        let mut draft = replica.draft().unwrap();
        draft.apply(&[put(2, 2)]).unwrap();
        let undo = EncodedEvent { args: r#"{"id":1,"undo":true}"#.into(), ..put(3, 0) };
        assert!(matches!(draft.apply(&[undo]), Err(ReplicaError::Undone { .. })));
        drop(draft);
        assert_eq!(count(&replica), 1);
        replica.apply(vec![put(2, 2)], false).unwrap();
        assert_eq!(count(&replica), 2);
    }

    #[test]
    fn sql_reads_within_bounds_and_writes_nothing() {
        let mut replica = replica();
        replica.apply(vec![put(1, 1), put(2, 2)], false).unwrap();
        let mut run = |sql: &str, over: bool| {
            let mut rows = 0;
            let read = |query: Query<'_>| {
                query.for_each(|_| {
                    rows += 1;
                    ControlFlow::Continue(())
                })
            };
            let done = replica.read_sql(sql, 10_000, move || over, read);
            done.map(|()| rows).map_err(|error| error.kind())
        };
        assert_eq!(run("SELECT id FROM item", false), Ok(2));
        assert!(run("DELETE FROM item", false).is_err());
        assert!(run("INSERT INTO item VALUES (9)", false).is_err());
        assert!(run("ATTACH '/etc/passwd' AS x", false).is_err());
        assert!(run("PRAGMA writable_schema = 1", false).is_err());
        assert_eq!(run("SELECT zeroblob(20000)", false), Err(SqliteErrorKind::Limit));
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                       SELECT sum(i) FROM n";
        assert_eq!(run(endless, true), Err(SqliteErrorKind::Interrupted));
        assert_eq!(run("SELECT id FROM item", false), Ok(2));
        assert_eq!(count(&replica), 2);
    }

    #[test]
    fn a_state_without_room_is_an_error() {
        let mut replica = Replica::<App>::new(64 << 10).unwrap();
        let many = (1..20_000).map(|n| put(n, n.cast_signed())).collect();
        assert!(matches!(replica.apply(many, false), Err(ReplicaError::State(_))));
        assert_eq!(replica.apply(Vec::new(), false), Err(ReplicaError::Rebuild));
    }
}
