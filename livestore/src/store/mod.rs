//! The store: an app's handle to its eventlog, state, live queries and sync.
//!
//! [`Builder`] opens one, [`commit`](Store::commit) adds events, [`query`](Store::query) reads
//! state, [`events`](Store::events) reads the log. A `Store` is a handle: clone it freely, use it
//! from any thread; the store is closed when the last one is dropped.

mod activity;
mod builder;
mod conflicts;
mod driver;
pub(crate) mod error;
mod events;
mod exclusive;
mod feed;
mod flushed;
mod folder;
mod history;
mod id;
mod image;
mod live;
mod load_history;
mod log;
mod open;
mod order;
mod own_commits;
mod pending_rows;
mod receipt;
mod retrace;
mod row_tracer;
mod session;
mod shapes;
mod snapshots;
mod sync;
mod synced;
mod tail;
mod target;
mod timer;
pub mod tools;
mod trace;
mod transition;
mod undo;
mod untyped;
mod verify;
pub(crate) mod web;

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

pub use activity::{Activity, ActivityError, ChangedRow, RowActivity};
pub use builder::Builder;
pub use error::{
    CloseError, CommitError, ConfirmError, ConflictError, HistoryError, OpenError, ReadError,
    SchemaDifference, VerifyError,
};
pub use events::{Events, EventsIter, Follow};
pub use feed::{Feed, FeedError};
pub use flushed::Flushed;
pub use history::StateAt;
pub use load_history::LoadHistoryError;
pub use log::Log;
pub use receipt::{Confirmed, Receipt};
pub use shapes::{IncompatibleEvent, IncompatibleEvents, IncompatibleField};
pub use synced::Synced;
pub use target::{Cursor, RowChange, Target};
pub use transition::{Committed, ExecuteError, Executed};
pub use undo::{UndoError, UndoGroup};
pub use untyped::{AppendError, Untyped};

#[cfg(not(any(simulation, target_family = "wasm")))]
pub(crate) use folder::name_of as folder_name;
#[cfg(not(any(simulation, target_family = "wasm")))]
pub(crate) use open::EVENTLOG;
#[cfg(not(any(simulation, target_family = "wasm")))]
pub(crate) use open::SNAPSHOT;

use crate::ambient::{IdSource, Impurity, is_impure};
use crate::edge::{DirectoryLock, Stopwatch};
use crate::error::{ErrorChain, Unavailable};
use crate::event::{Conflict, SeqNum};
use crate::eventlog::{Eventlog, EventlogError};
use crate::live::{PendingTracker, Registry, Signal};
use crate::schema::{QueryIn, Schema, SchemaDef};
use crate::state::{Quarantined, State, UnknownEvents};
use crate::sync::{NetworkStatus, SyncStatus};
use crate::table::QueryError;
use crate::value::Timestamp;
use activity::LogVersion;
use exclusive::{Exclusive, ExclusiveGuard};
use load_history::Loading;
use order::Order;
use own_commits::OwnCommits;
use session::{Hub, Sessions};
use snapshots::Snapshots;
use sync::{NextAttempt, OnQuarantined, Syncing, Waiting};
use tail::Tail;
use tools::{Activity as Done, Probe};
use trace::Applied;
use undo::UndoStack;

/// A store of schema `S`: an eventlog and the state that follows from it.
///
/// ```
/// use livestore::prelude::*;
///
/// #[table]
/// #[derive(Debug)]
/// struct Note { #[column(primary_key)] id: String, text: String }
///
/// #[derive(Event)]
/// #[event(name = "v1.NoteWritten")]
/// struct NoteWritten { id: String, text: String }
///
/// impl Materialize for NoteWritten {
///     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
///         state.upsert(&Note { id: self.id.clone(), text: self.text.clone() })
///     }
/// }
///
/// livestore::schema! { App { tables: [Note], events: [NoteWritten] } }
///
/// let store = Store::<App>::builder("notes").open()?;
/// store.commit(NoteWritten { id: "a".into(), text: "Hello".into() })?;
/// let note = store.query(Note::get("a"))?;
/// assert_eq!(note.unwrap().text, "Hello");
/// # Ok::<(), livestore::Error>(())
/// ```
pub struct Store<S> {
    inner: Arc<Inner>,
    schema: PhantomData<fn() -> S>,
}

/// The part that all handles of a store share.
struct Inner {
    store_id: String,
    client_id: Arc<str>,
    /// New at every open.
    session_id: Arc<str>,
    /// The key of client documents, which stays.
    window_id: Arc<str>,
    schema: &'static SchemaDef,
    schema_hash: i64,
    /// The number of handles.
    handles: AtomicUsize,
    /// `None` once the store is closed.
    core: Exclusive<Option<Core>>,
    tail: Arc<Tail>,
    /// `None` if there is no backend.
    sync: Option<Syncing>,
    sessions: Sessions,
    /// A moment behind the truth.
    status: Signal<SyncStatus>,
    /// Tasks that wait until the store is synced.
    waiting: Waiting,
    loading: Loading,
    /// For tools that want to know what the store does.
    probe: Arc<Probe>,
    on_quarantined: Option<OnQuarantined>,
    /// As in [`Core`].
    conflicts: Signal<Vec<Conflict>>,
    /// Whether the spans of queries have their SQL.
    traces_sql: bool,
}

/// The part that one commit or query uses at a time. Fields are dropped in this order, the
/// directory's lock last.
struct Core {
    state: State,
    live: Registry,
    snapshots: Option<Snapshots>,
    log: Eventlog,
    /// Who decides the order of the events.
    order: Order,
    /// The other sessions, if this one leads and may have some.
    hub: Option<Arc<Hub>>,
    /// The state of the connection that they were notified of last.
    announced: Option<(NetworkStatus, Option<Timestamp>)>,
    /// The number of times that confirmed events have left the log since the store was opened.
    histories: u64,
    /// The number of times that pending events were rebased, or may have been, since then.
    rebases: u64,
    /// As in [`Inner`].
    probe: Arc<Probe>,
    /// What was done since observers were notified last, if there are any.
    activities: Vec<Done>,
    /// The spans of commits of others that were applied, whose subscribers are not called yet.
    applied: Applied,
    /// The number of events that the backend has refused for good.
    refused: usize,
    /// When the engine tries again.
    next_attempt: Option<NextAttempt>,
    /// The policy for unknown events that come by sync.
    unknown_events: UnknownEvents,
    max_state_bytes: u64,
    /// As in [`Inner`].
    window_id: Arc<str>,
    own_commits: OwnCommits,
    /// Makes the ids of commands.
    command_ids: IdSource,
    /// The rows that depend on pending events, where somebody asks for them.
    pending_rows: PendingTracker,
    /// What this session can undo and redo.
    undo: UndoStack,
    /// The commands that failed, and were not resolved.
    conflicts: Signal<Vec<Conflict>>,
    /// The reason why the store was not opened from an image, although the app wanted that.
    no_image: Option<String>,
    /// For those who read the log live.
    log_version: LogVersion,
    lock: Option<Arc<DirectoryLock>>,
}

impl<S: Schema> Store<S> {
    /// Returns the settings with which the store called `store_id` can be opened.
    ///
    /// The id is up to 100 letters, digits, `-`, `_` and `.`, and does not start with a dot.
    pub fn builder(store_id: impl Into<String>) -> Builder<S> {
        Builder::new(store_id.into())
    }

    /// Returns a handle that does not keep the store open: for listeners that outlive the app's part
    /// that opened it.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> livestore::Result<()> {
    /// let store = Store::<App>::builder("todos").open()?;
    /// let weak = store.downgrade();
    /// let on_network_change = move || weak.upgrade().is_some_and(|store| {
    ///     store.reconnect_now();
    ///     true
    /// });
    /// assert!(on_network_change());
    /// drop(store);
    /// assert!(!on_network_change());
    /// # Ok(())
    /// # }
    /// ```
    pub fn downgrade(&self) -> WeakStore<S> {
        WeakStore { inner: Arc::downgrade(&self.inner), schema: PhantomData }
    }

    /// Runs a query on the state, which has every event committed so far.
    ///
    /// A query by primary key takes a few microseconds.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn query<Q: QueryIn<S>>(&self, query: Q) -> Result<Q::Output, QueryError> {
        let span = tracing::trace_span!(
            "query",
            db.system.name = "sqlite",
            db.namespace = self.inner.store_id,
            db.operation.name = "SELECT",
            db.query.text = tracing::field::Empty,
        );
        let _entered = span.enter();
        let watch = self.inner.probe.is_on().then(Stopwatch::start);
        let output = {
            let core = self.inner.core()?;
            let core = core.as_ref().ok_or(Unavailable::Closed)?;
            let reader = core.state.reader(&self.inner.window_id);
            query.run_in(&if self.inner.traces_sql { reader.traced(&span) } else { reader })
        };
        if let Some(mut watch) = watch {
            self.inner.probe.notify(&[Done::Queried { took: watch.lap() }]);
        }
        output
    }

    /// Returns the number of the last event: the local head.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn head(&self) -> Result<SeqNum, ReadError> {
        Ok(self.inner.with_core(|core| core.state.head)?)
    }

    /// Returns the events that are in the log but could not be applied, in order.
    ///
    /// A commit that cannot be applied is refused, so these have another cause: a different version
    /// of the app committed them, or they were rebased behind other clients' events.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// for event in store.quarantined()? {
    ///     eprintln!("{} {} was not applied: {:?}", event.seq, event.name, event.reason);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn quarantined(&self) -> Result<Vec<Quarantined>, ReadError> {
        Ok(self.inner.with_core(|core| core.state.quarantined())??)
    }

    /// Returns a hash of the whole state, which is equal where the events are, client-only ones and those
    /// of client documents included: two clients that synced, and have different documents, have
    /// different hashes.
    ///
    /// Reads every row, whatever their order.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn state_hash(&self) -> Result<u64, ReadError> {
        Ok(self.inner.with_core(|core| core.state.hash())??)
    }

    /// Waits until all commits so far are as durable as the store's
    /// [`Durability`](crate::Durability) promises: with `Buffered`, until they are written. If another
    /// session has the log, it waits until that one has written them.
    ///
    /// # Errors
    /// When it cannot be written; it stays buffered, or pending in this session. In a browser this does
    /// not exist: use [`flushed`](Self::flushed).
    #[cfg(not(target_family = "wasm"))]
    pub fn flush(&self) -> Result<(), EventlogError> {
        self.inner.flush()
    }

    /// Closes the store: writes what is buffered, and frees the directory. Other handles get
    /// `Closed` errors from now on. Dropping the last handle does the same, but cannot return an
    /// error.
    ///
    /// # Errors
    /// When buffered events cannot be written.
    pub fn close(self) -> Result<(), CloseError> {
        self.inner.close()
    }

    /// Returns the store's id.
    pub fn store_id(&self) -> &str {
        is_impure(Impurity::Store);
        &self.inner.store_id
    }

    /// Returns this client's id; it stays the same for as long as the log is there.
    pub fn client_id(&self) -> &str {
        is_impure(Impurity::Store);
        &self.inner.client_id
    }

    /// Returns this session's id, which is new each time that the store is opened. Committed events
    /// carry it, so that two copies of a directory count as two clients.
    pub fn session_id(&self) -> &str {
        is_impure(Impurity::Store);
        &self.inner.session_id
    }

    /// Returns this window's id, which client documents are keyed by.
    pub fn window_id(&self) -> &str {
        is_impure(Impurity::Store);
        &self.inner.window_id
    }
}

impl Inner {
    fn core(&self) -> Result<ExclusiveGuard<'_, Option<Core>>, Unavailable> {
        self.core.lock()
    }

    fn with_core<R>(&self, read: impl FnOnce(&Core) -> R) -> Result<R, Unavailable> {
        self.core()?.as_ref().map(read).ok_or(Unavailable::Closed)
    }

    fn log(&self) -> Result<Eventlog, EventlogError> {
        Ok(self.with_core(|core| core.log.clone())?)
    }

    #[cfg(not(target_family = "wasm"))]
    fn flush(&self) -> Result<(), EventlogError> {
        let log = self.log()?;
        self.sessions.acks.wait(session::PATIENCE)?;
        log.flush()
    }

    fn close(&self) -> Result<(), CloseError> {
        // What is on its way to the leader arrives.
        let flushed = self.flush_own();
        self.close_now()?;
        Ok(flushed?)
    }

    /// Waits until the leader has this session's commits, if it follows one.
    fn flush_own(&self) -> Result<(), EventlogError> {
        #[cfg(not(target_family = "wasm"))]
        if let Err(error) = self.sessions.acks.wait(session::CLOSING)
            && error != EventlogError::Closed
        {
            return Err(error);
        }
        Ok(())
    }

    fn close_now(&self) -> Result<(), CloseError> {
        let core = match self.core() {
            Ok(mut slot) => slot.take(),
            Err(Unavailable::InMaterializer) => return Err(CloseError::InMaterializer),
            Err(Unavailable::Reentrant) => return Err(CloseError::Reentrant),
            Err(Unavailable::Closed) => None,
        };
        self.end(core)
    }

    /// Ends what works for the store, and then the store's own part, if it was not closed before.
    fn end(&self, core: Option<Core>) -> Result<(), CloseError> {
        self.tail.close();
        if let Some(sync) = &self.sync {
            sync.close();
        }
        self.sessions.close();
        self.loading.close();
        self.waiting.wake();
        let Some(mut core) = core else { return Ok(()) };
        let flushed = core.log.flush();
        // It is of no use without the log's last events, or in a folder that belongs to another store by now.
        if let Some(snapshots) = core.snapshots.take()
            && flushed.is_ok()
        {
            snapshots.close(&mut core.state);
        }
        // The other sessions look for a leader at once: the lock is free in a moment.
        if let Some(hub) = core.hub.take() {
            hub.close();
        }
        Ok(flushed?)
    }

    /// Closes the store, because its state cannot follow the log: opening it again rebuilds the
    /// state. The sync thread, which may be the caller, ends with its next turn.
    fn fail(&self, slot: &mut Option<Core>, error: &(dyn std::error::Error + 'static)) {
        let error = ErrorChain::new(error);
        tracing::error!(%error, "the store is closed, because its state could not follow the log; open it again to rebuild the state");
        self.tail.close();
        let core = slot.take();
        self.waiting.wake();
        self.sessions.acks.close();
        let Some(core) = core else { return };
        if let Err(error) = core.log.flush() {
            tracing::error!(%error, "the last commits could not be written");
        }
        if let Some(hub) = &core.hub {
            hub.close();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let core = self.core.get_mut().take();
        if let Err(error) = self.end(core) {
            tracing::error!(error = %ErrorChain::new(&error), "the store could not be closed properly");
        }
    }
}

/// A handle that does not keep its store open, made by [`Store::downgrade`].
pub struct WeakStore<S> {
    inner: Weak<Inner>,
    schema: PhantomData<fn() -> S>,
}

impl<S: Schema> WeakStore<S> {
    /// Returns the store, unless its last handle was dropped.
    pub fn upgrade(&self) -> Option<Store<S>> {
        let inner = self.inner.upgrade()?;
        let is_open = inner.handles.load(Ordering::Acquire) > 0;
        is_open.then(|| Store::from_inner(inner))
    }
}

impl<S> Clone for WeakStore<S> {
    fn clone(&self) -> Self {
        Self { inner: Weak::clone(&self.inner), schema: PhantomData }
    }
}

impl<S> fmt::Debug for WeakStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakStore").finish_non_exhaustive()
    }
}

impl<S> Store<S> {
    fn from_inner(inner: Arc<Inner>) -> Self {
        inner.handles.fetch_add(1, Ordering::Relaxed);
        Self { inner, schema: PhantomData }
    }
}

impl<S> Clone for Store<S> {
    fn clone(&self) -> Self {
        Self::from_inner(Arc::clone(&self.inner))
    }
}

/// What the last handle of a session has committed arrives at the leader.
impl<S> Drop for Store<S> {
    fn drop(&mut self) {
        if self.inner.handles.fetch_sub(1, Ordering::AcqRel) == 1
            && let Err(error) = self.inner.flush_own()
        {
            tracing::error!(error = %ErrorChain::new(&error), "the last commits are lost");
        }
    }
}

impl<S> fmt::Debug for Store<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("store_id", &self.inner.store_id)
            .field("schema", &self.inner.schema.name())
            .finish_non_exhaustive()
    }
}
