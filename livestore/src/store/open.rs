//! Opening a store: lock the directory, open the log, make the state.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::builder::Options;
use super::exclusive::Exclusive;
use super::shapes::{IncompatibleEvents, Shapes};
use super::snapshots::Snapshots;
use super::sync::Syncing;
use super::tail::Tail;
use super::{Core, Inner, Log, OpenError, Store, folder, id};
use crate::ambient::{Impurity, is_impure, new_id};
use crate::edge::{DirectoryLock, LockError, Stopwatch, files};
use crate::event::{SeqNum, new_session_id};
use crate::eventlog::{Eventlog, EventlogError, FileLog, MemoryLog};
use crate::live::Registry;
use crate::schema::{Schema, SchemaDef};
use crate::state::{
    Boot, BootStage, Replay, ReplayError, Snapshot, State, StateError, UnknownEvents, Unusable,
};
use crate::sync::SyncOptions;
use crate::sync::engine::Engine;
use crate::sync::merge::SyncState;

/// The number of events that a debug build replays to verify a snapshot.
const MAX_VERIFIED: u64 = 1_000;

/// The file of the log in a store's folder.
const EVENTLOG: &str = "eventlog.db";

pub(super) fn open<S: Schema>(
    options: Options,
    schema: &'static SchemaDef,
) -> Result<Store<S>, OpenError> {
    #[cfg(not(target_family = "wasm"))]
    if let Some(sync) = &options.sync
        && let Some(timeout) = sync.initial_wait()
    {
        if let Some(reason) = sync.backend.blocked_by_waiting() {
            return Err(OpenError::WouldBlock { reason });
        }
        let store = open_at_once(options, schema)?;
        if !store.wait_synced(timeout)? {
            warn_not_synced();
        }
        return Ok(store);
    }
    open_at_once(options, schema)
}

#[cfg(not(target_family = "wasm"))]
pub(super) fn warn_not_synced() {
    tracing::warn!("the store opens before it is synced: the backend took too long");
}

/// Opens the store, and does not wait for its backend.
pub(super) fn open_at_once<S: Schema>(
    options: Options,
    schema: &'static SchemaDef,
) -> Result<Store<S>, OpenError> {
    if is_impure(Impurity::Store) {
        return Err(OpenError::InMaterializer);
    }
    let span = tracing::info_span!("open", store_id = %options.store_id);
    let _entered = span.enter();
    id::check(&options.store_id)?;
    if let Some(sync) = &options.sync {
        sync.payload.check()?;
        sync.backend.check()?;
    }
    id::check_session(options.client_id.as_deref(), &options.window_id)?;
    let schema_hash = schema.hash().map_err(StateError::from)?;
    let files = Files::open(&options)?;
    let lock = files.lock.clone();
    // What was opened is closed before it is removed.
    start(options, schema, schema_hash, files).inspect_err(|_| {
        if let Some(lock) = &lock {
            lock.remove_made();
        }
    })
}

fn start<S: Schema>(
    mut options: Options,
    schema: &'static SchemaDef,
    schema_hash: i64,
    files: Files,
) -> Result<Store<S>, OpenError> {
    let (core, client_id) = boot(&mut options, schema, files)?;
    tracing::debug!(head = %core.state.head, "the store is open");
    let sync = options.sync.as_ref();
    let callback = options.on_quarantined.take();
    let sync = sync.map(|sync| Syncing::new(core.sync_status(), sync, callback));
    let store = Store::from_inner(Arc::new(Inner {
        client_id: client_id.into(),
        session_id: new_session_id(&options.window_id).into(),
        window_id: options.window_id.into(),
        store_id: options.store_id,
        schema,
        schema_hash,
        tail: Arc::new(Tail::new(core.confirmed_head())),
        core: Exclusive::new(Some(core)),
        sync,
    }));
    if let Some(options) = &options.sync {
        start_sync(&store, options)?;
    }
    Ok(store)
}

fn start_sync<S: Schema>(store: &Store<S>, options: &SyncOptions) -> Result<(), OpenError> {
    let Some(sync) = &store.inner.sync else { return Ok(()) };
    sync.start(Arc::downgrade(&store.inner), store.store_id(), options)
        .map_err(|error| EventlogError::NoThread(error.into()))?;
    Ok(())
}

/// Opens the log of a store that has one.
pub(super) fn open_log(options: &Options) -> Result<Log, OpenError> {
    id::check(&options.store_id)?;
    let no_log = || OpenError::NoLog { store_id: options.store_id.clone() };
    let directory = options.directory.as_ref().ok_or_else(no_log)?;
    let folder = folder::find(directory, &options.store_id)?;
    if !files::exists(&folder.join(EVENTLOG)) {
        return Err(no_log());
    }
    let Files { lock, log, .. } = Files::in_folder(&folder, options)?;
    Ok(Log::new(log, lock))
}

/// A store's files, opened and owned; or, in memory, what stands for them.
struct Files {
    lock: Option<Arc<DirectoryLock>>,
    log: Eventlog,
    snapshot: Option<Snapshot>,
    client_id: String,
}

impl Files {
    fn open(options: &Options) -> Result<Self, OpenError> {
        match &options.directory {
            Some(directory) => {
                Self::in_folder(&folder::find(directory, &options.store_id)?, options)
            }
            None => Ok(Self {
                lock: None,
                log: Eventlog::new(MemoryLog::default()),
                snapshot: None,
                client_id: options.client_id.clone().unwrap_or_else(new_id),
            }),
        }
    }

    fn in_folder(directory: &Path, options: &Options) -> Result<Self, OpenError> {
        let mut lock = DirectoryLock::acquire(directory).map_err(|error| match error {
            LockError::Held => OpenError::Locked { path: directory.to_owned() },
            LockError::Io(error) => folder::unusable(directory, error),
        })?;
        // The WAL of a log that was there before may have its events, and goes with it alone.
        if !files::exists(&directory.join("eventlog.db")) {
            let names = ["eventlog.db-shm", "eventlog.db-wal", "eventlog.db"];
            lock.note_missing(names.map(|name| directory.join(name)));
        }
        Self::in_locked(directory, options, Arc::new(lock))
    }

    fn in_locked(
        directory: &Path,
        options: &Options,
        lock: Arc<DirectoryLock>,
    ) -> Result<Self, OpenError> {
        let path = directory.join(EVENTLOG);
        let opened = FileLog::open(&path, options.durability, &options.store_id, new_id);
        let log = opened.inspect_err(|_| lock.remove_made())?;
        if log.store_id() != options.store_id {
            let (found, store_id) = (log.store_id().to_owned(), options.store_id.clone());
            return Err(OpenError::OtherStore { path, found, store_id });
        }
        let client_id = options.client_id.clone().unwrap_or_else(|| log.client_id().to_owned());
        let log = Eventlog::new(log);
        let snapshot = Snapshot { path: directory.join("state.snapshot"), log: log.clone() };
        Ok(Self { lock: Some(lock), log, snapshot: Some(snapshot), client_id })
    }
}

/// Makes the state: from the snapshot and the events after it, or from all events. With a backend,
/// pending events lie above what is confirmed.
fn boot(
    options: &mut Options,
    schema: &'static SchemaDef,
    files: Files,
) -> Result<(Core, String), OpenError> {
    let Files { lock, log, snapshot, client_id } = files;
    let mut shapes = Shapes::read(&log, schema)?;
    if options.incompatible_events == IncompatibleEvents::Fail {
        shapes.check(&log)?;
    }
    let head = log.head()?;
    let sync = options.sync.as_ref().map(|options| engine(&log, options)).transpose()?;
    let confirmed = sync.as_ref().map_or(head, |engine| engine.state().confirmed_head);
    let mut progress = Progress(options.on_boot.take());
    let restored = match &snapshot {
        Some(snapshot) => restore(snapshot, schema, confirmed, &mut progress)?,
        None => None,
    };
    let (mut state, snapshot_bytes) = match restored {
        Some((state, bytes)) => (state, Some(bytes)),
        None => (State::empty(schema)?, None),
    };
    let snapshots =
        snapshot.map(|snapshot| Snapshots::new(snapshot, schema, sync.is_some(), snapshot_bytes));
    let total = if progress.0.is_some() { log.count(state.head)? } else { 0 };
    progress.report(BootStage::Replay, 0, total);
    let mut report = |done| progress.report(BootStage::Replay, done, total);
    let mut replay = Replay::new(&log).unknown(&options.unknown_events).progress(&mut report);
    let mut watch = Stopwatch::start();
    let replayed = replay.run(&mut state, confirmed)?;
    let took = watch.lap();
    check_known(&state, &options.unknown_events)?;
    if let Some(snapshots) = &snapshots {
        snapshots.after_replay(&mut state, replayed, took);
    }
    if let Some(engine) = &sync {
        let mut report = |done| progress.report(BootStage::Replay, replayed + done, total);
        let mut replay = Replay::new(&log).unknown(&options.unknown_events).progress(&mut report);
        replay.run_pending(&mut state, head)?;
        check_known(&state, &options.unknown_events)?;
        state.head = engine.state().local_head;
    }
    shapes.record(&log)?;
    progress.report(BootStage::Done, total, total);
    let live = Registry::new(schema);
    let unknown_events = std::mem::take(&mut options.unknown_events);
    let window_id = options.window_id.as_str().into();
    let refused = state.refused().map_err(StateError::from)?;
    let max_state_bytes = options.max_state_bytes;
    state.limit(max_state_bytes).map_err(StateError::from)?;
    let core = Core {
        state,
        live,
        snapshots,
        log,
        sync,
        refused,
        next_attempt: None,
        unknown_events,
        max_state_bytes,
        window_id,
        _lock: lock,
    };
    Ok((core, client_id))
}

/// Enforces the policy to fail. A snapshot may have been made under a more lenient one.
fn check_known(state: &State, policy: &UnknownEvents) -> Result<(), OpenError> {
    let UnknownEvents::Fail = policy else { return Ok(()) };
    match state.first_unknown().map_err(StateError::from)? {
        Some(event) => Err(OpenError::UnknownEvent { seq: event.seq, name: event.name }),
        None => Ok(()),
    }
}

fn engine(log: &Eventlog, options: &SyncOptions) -> Result<Engine, EventlogError> {
    let (state, backend_id) = SyncState::read(log)?;
    let seed = xxh3_64(new_id().as_bytes());
    let mut engine = Engine::new(state, backend_id, options.on_reset, seed);
    if !options.starts_paused {
        engine.expect_start();
    }
    Ok(engine)
}

fn restore(
    snapshot: &Snapshot,
    schema: &'static SchemaDef,
    confirmed: SeqNum,
    progress: &mut Progress,
) -> Result<Option<(State, u64)>, StateError> {
    let mut read = |done, total| progress.report(BootStage::Snapshot, done, total);
    match snapshot.read(schema, confirmed, &mut read) {
        Ok((state, _)) if is_outdated(&state, &snapshot.log) => Ok(None),
        Ok(restored) => Ok(Some(restored)),
        Err(reason) => {
            tracing::info!(%reason, "no snapshot is used: the state is made from the eventlog");
            if let Unusable::Ahead(_) = reason {
                // It has events that the log has lost, or that are pending.
                snapshot.remove()?;
            }
            Ok(None)
        }
    }
}

/// Whether a replay makes a different state: a materializer was changed, and its `VERSION` was not. Only
/// a debug build looks, and only where that takes some milliseconds.
fn is_outdated(state: &State, log: &Eventlog) -> bool {
    let is_checked = cfg!(debug_assertions) && !cfg!(simulation);
    let is_short = || log.count(SeqNum::ROOT).is_ok_and(|events| events <= MAX_VERIFIED);
    if !is_checked || state.head.global > MAX_VERIFIED || !is_short() {
        return false;
    }
    let Ok(Some(divergence)) = state.compare_with_replay(log) else { return false };
    tracing::warn!(%divergence, "the snapshot is not used: the state is made from the eventlog");
    true
}

/// The boot callback. If it panics, the store opens all the same.
struct Progress(Option<Box<dyn FnMut(Boot)>>);

impl Progress {
    fn report(&mut self, stage: BootStage, done: u64, total: u64) {
        let Some(callback) = &mut self.0 else { return };
        let called = catch_unwind(AssertUnwindSafe(|| callback(Boot { stage, done, total })));
        if called.is_err() {
            tracing::error!("the boot callback panicked; it is not called again");
            self.0 = None;
        }
    }
}

impl From<ReplayError> for OpenError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Eventlog(error) => Self::Eventlog(error),
            ReplayError::State(error) => Self::State(error),
        }
    }
}
