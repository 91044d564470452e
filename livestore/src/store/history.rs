//! The past: the state as of an event, and stores that branch off there.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::activity::LogVersion;
use super::exclusive::Exclusive;
use super::load_history::Loading;
use super::order::Order;
use super::own_commits::OwnCommits;
use super::session::Sessions;
use super::sync::Waiting;
use super::tools::Probe;
use super::trace::Applied;
use super::undo::UndoStack;
use super::{Core, HistoryError, Inner, Store, Tail};
use crate::ambient::IdSource;
use crate::event::{EncodedEvent, SeqNum, new_session_id};
use crate::eventlog::{Eventlog, EventlogError, MemoryLog, is_after};
use crate::live::{PendingTracker, Registry, signal};
use crate::schema::{QueryIn, Schema};
use crate::state::{Replay, ReplayError, State, StateError, UnknownEvents};
use crate::table::QueryError;

/// The state as of one event, made by [`Store::state_at`].
pub struct StateAt<S> {
    head: SeqNum,
    state: Exclusive<State>,
    window_id: Arc<str>,
    schema: PhantomData<fn() -> S>,
}

impl<S: Schema> Store<S> {
    /// Returns the state as of the event `seq`. `e0` is the state before the first event.
    ///
    /// Replays the log up to there; later commits do not change it.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// # let created = |id: &str| TodoEvent::Created { id: id.into(), text: "".into(), created_at: now() };
    /// store.commit([created("a"), created("b"), created("c")])?;
    /// let before = store.state_at(SeqNum::new(2))?;
    /// assert_eq!(before.query(Todo::all().count())?, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn state_at(&self, seq: SeqNum) -> Result<StateAt<S>, HistoryError> {
        let log = self.log_up_to(seq)?;
        let state = self.replay(&log, seq)?;
        Ok(StateAt {
            head: state.head,
            state: Exclusive::new(state),
            window_id: Arc::clone(&self.inner.window_id),
            schema: PhantomData,
        })
    }

    /// Returns a store in memory that has the events up to `seq`. It is independent: commits to one
    /// of the two stores do not change the other.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// # let created = |id: &str| TodoEvent::Created { id: id.into(), text: "".into(), created_at: now() };
    /// store.commit(created("a"))?;
    /// let what_if = store.fork(store.head()?)?;
    /// what_if.commit(created("b"))?;
    /// assert_eq!(what_if.query(Todo::all().count())?, 2);
    /// assert_eq!(store.query(Todo::all().count())?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn fork(&self, seq: SeqNum) -> Result<Self, HistoryError> {
        let log = self.log_up_to(seq)?;
        let log = Eventlog::new(MemoryLog::with(copy(&log, seq)?));
        let state = self.replay(&log, seq)?;
        let max_state_bytes = self.inner.with_core(|core| core.max_state_bytes)?;
        state.limit(max_state_bytes).map_err(StateError::from)?;
        let head = state.head;
        let refused = state.refused().map_err(StateError::from)?;
        let probe = Arc::<Probe>::default();
        let session_id: Arc<str> = new_session_id(&self.inner.window_id).into();
        let conflicts = signal(Vec::new());
        let core = Core {
            state,
            live: Registry::new(self.inner.schema),
            snapshots: None,
            log,
            order: Order::Own,
            hub: None,
            announced: None,
            histories: 0,
            rebases: 0,
            probe: Arc::clone(&probe),
            activities: Vec::new(),
            applied: Applied::new(&self.inner.store_id),
            refused,
            next_attempt: None,
            unknown_events: UnknownEvents::default(),
            max_state_bytes,
            window_id: Arc::clone(&self.inner.window_id),
            own_commits: OwnCommits::new(Arc::clone(&session_id)),
            command_ids: IdSource::default(),
            pending_rows: PendingTracker::default(),
            undo: UndoStack::new(Arc::clone(&self.inner.window_id), None),
            conflicts: conflicts.clone(),
            no_image: None,
            log_version: LogVersion::default(),
            lock: None,
        };
        let status = core.sync_status();
        Ok(Self::from_inner(Arc::new(Inner {
            store_id: self.inner.store_id.clone(),
            client_id: Arc::clone(&self.inner.client_id),
            session_id,
            window_id: Arc::clone(&self.inner.window_id),
            schema: self.inner.schema,
            schema_hash: self.inner.schema_hash,
            handles: AtomicUsize::new(0),
            core: Exclusive::new(Some(core)),
            tail: Arc::new(Tail::new(head)),
            sync: None,
            sessions: Sessions::none(),
            status: signal(status),
            waiting: Waiting::default(),
            loading: Loading::default(),
            probe,
            on_quarantined: None,
            conflicts,
            traces_sql: self.inner.traces_sql,
        })))
    }

    fn log_up_to(&self, seq: SeqNum) -> Result<Eventlog, HistoryError> {
        let (log, head) = self.inner.with_core(|core| (core.log.clone(), core.state.head))?;
        if is_after(seq, head) { Err(HistoryError::NoSuchEvent { seq, head }) } else { Ok(log) }
    }

    fn replay(&self, log: &Eventlog, to: SeqNum) -> Result<State, HistoryError> {
        let mut state = State::empty(self.inner.schema)?;
        Replay::new(log).run(&mut state, to)?;
        if is_after(to, state.head) {
            // There are events beyond, but none with this number.
            return Err(HistoryError::NoSuchEvent { seq: to, head: state.head });
        }
        Ok(state)
    }
}

/// Returns the events up to `to`.
pub(super) fn copy(log: &Eventlog, to: SeqNum) -> Result<Vec<EncodedEvent>, EventlogError> {
    let mut pages = log.pages(SeqNum::ROOT, to);
    let mut events = Vec::new();
    if !is_after(to, SeqNum::ROOT) {
        // The log may not have its first events, and none is wanted.
        return Ok(events);
    }
    loop {
        let page = pages.next_page()?;
        if page.is_empty() {
            return Ok(events);
        }
        events.extend(page);
    }
}

impl<S: Schema> StateAt<S> {
    /// Runs a query on this state.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn query<Q: QueryIn<S>>(&self, query: Q) -> Result<Q::Output, QueryError> {
        let state = self.state.lock()?;
        query.run_in(&state.reader(&self.window_id))
    }

    /// Returns the number of the last event that is part of this state.
    pub fn head(&self) -> SeqNum {
        self.head
    }
}

impl<S> fmt::Debug for StateAt<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateAt").finish_non_exhaustive()
    }
}

impl From<ReplayError> for HistoryError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Eventlog(error) => Self::Eventlog(error),
            ReplayError::State(error) => Self::State(error),
        }
    }
}
