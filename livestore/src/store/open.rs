//! Opening a store: own the directory, open the log, make the state.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::builder::Options;
use super::settle::sync_state;
use super::shapes::{IncompatibleEvents, Shapes};
use super::snapshots::Snapshots;
use super::sync::Syncing;
use super::tail::Tail;
use super::{Core, Inner, OpenError, Store, id};
use crate::edge::{DirectoryLock, LockError};
use crate::event::SeqNum;
use crate::eventlog::{Eventlog, EventlogError, FileLog, MemoryLog};
use crate::live::Registry;
use crate::live::primitives::Mutex;
use crate::schema::{Schema, SchemaDef};
use crate::state::{Boot, BootStage, Replay, ReplayError, Snapshot, State, StateError, Unusable};
use crate::sync::engine::Engine;
use crate::sync::{ConnectRequest, InitialSync, SyncOptions};
use crate::value::new_id;

pub(super) fn open<S: Schema>(
    mut options: Options,
    schema: &'static SchemaDef,
) -> Result<Store<S>, OpenError> {
    let span = tracing::info_span!("open", store_id = %options.store_id);
    let _entered = span.enter();
    id::check(&options.store_id)?;
    let schema_hash = schema.hash().map_err(StateError::from)?;
    let kept = Kept::open(&options)?;
    let (core, client_id) = boot(&mut options, schema, kept)?;
    tracing::debug!(head = %core.state.head, "the store is open");
    let sync = options.sync.as_ref();
    let sync = sync.map(|_| Syncing::new(core.sync_status(), options.on_quarantined.take()));
    let store = Store::from_inner(Arc::new(Inner {
        client_id: client_id.into(),
        session_id: options.session_id.into(),
        store_id: options.store_id,
        schema,
        schema_hash,
        tail: Arc::new(Tail::new(core.confirmed_head())),
        core: Mutex::new(Some(core)),
        sync,
    }));
    if let Some(options) = &options.sync {
        start_sync(&store, options)?;
    }
    Ok(store)
}

fn start_sync<S: Schema>(store: &Store<S>, options: &SyncOptions) -> Result<(), OpenError> {
    let Some(sync) = &store.inner.sync else { return Ok(()) };
    let hello = ConnectRequest::new(store.store_id(), options.payload.clone());
    sync.start(Arc::downgrade(&store.inner), hello, options)
        .map_err(|error| EventlogError::NoThread(error.to_string()))?;
    if let InitialSync::Wait(timeout) = options.initial
        && !options.held
        && !store.wait_synced(timeout)?
    {
        tracing::warn!("the store opens before it is synced: the backend took too long");
    }
    Ok(())
}

/// What outlives the process, and who owns it.
struct Kept {
    lock: Option<DirectoryLock>,
    log: Eventlog,
    snapshot: Option<Snapshot>,
    client_id: String,
}

impl Kept {
    fn open(options: &Options) -> Result<Self, OpenError> {
        match &options.directory {
            Some(directory) => Self::in_directory(&directory.join(&options.store_id), options),
            None => Ok(Self {
                lock: None,
                log: Eventlog::new(MemoryLog::default()),
                snapshot: None,
                client_id: options.client_id.clone().unwrap_or_else(new_id),
            }),
        }
    }

    fn in_directory(directory: &Path, options: &Options) -> Result<Self, OpenError> {
        let lock = DirectoryLock::acquire(directory).map_err(|error| match error {
            LockError::Held => OpenError::Locked { path: directory.to_owned() },
            LockError::Io(error) => {
                OpenError::Directory { path: directory.to_owned(), reason: error.to_string() }
            }
        })?;
        let log = FileLog::open(&directory.join("eventlog.db"), options.durability, new_id)?;
        let snapshot =
            Snapshot { path: directory.join("state.snapshot"), log_id: log.log_id().to_owned() };
        let client_id = options.client_id.clone().unwrap_or_else(|| log.client_id().to_owned());
        Ok(Self { lock: Some(lock), log: Eventlog::new(log), snapshot: Some(snapshot), client_id })
    }
}

/// Makes the state: from the snapshot and the events after it, or from all events. With a backend,
/// pending events lie above what is confirmed.
fn boot(
    options: &mut Options,
    schema: &'static SchemaDef,
    kept: Kept,
) -> Result<(Core, String), OpenError> {
    let Kept { lock, log, snapshot, client_id } = kept;
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
    let snapshots = snapshot
        .map(|snapshot| {
            Snapshots::start(snapshot, schema, log.clone(), sync.is_some(), snapshot_bytes)
        })
        .transpose()?;
    let total = if progress.0.is_some() { log.count(state.head)? } else { 0 };
    progress.report(BootStage::Replay, 0, total);
    let mut report = |done| {
        progress.report(BootStage::Replay, done, total);
        ControlFlow::Continue(())
    };
    let unknown = &options.unknown_events;
    let mut replay = Replay { unknown, progress: Some(&mut report), ..Replay::quiet(&log) };
    let replayed = replay.run(&mut state, confirmed)?;
    if let Some(snapshots) = &snapshots {
        snapshots.after_replay(&mut state, replayed);
    }
    if let Some(engine) = &sync {
        let mut report = |done| {
            progress.report(BootStage::Replay, replayed + done, total);
            ControlFlow::Continue(())
        };
        let mut replay = Replay { unknown, progress: Some(&mut report), ..Replay::quiet(&log) };
        if !mutant!("open without what is pending") {
            replay.run_pending(&mut state, head)?;
        }
        state.head = engine.state().local_head;
    }
    shapes.record(&log)?;
    progress.report(BootStage::Done, total, total);
    let live = Registry::new(schema);
    let unknown_events = std::mem::take(&mut options.unknown_events);
    Ok((Core { state, live, snapshots, log, sync, unknown_events, _lock: lock }, client_id))
}

fn engine(log: &Eventlog, options: &SyncOptions) -> Result<Engine, EventlogError> {
    let (state, backend_id) = sync_state(log)?;
    let seed = xxh3_64(new_id().as_bytes());
    Ok(Engine::new(state, backend_id, options.on_reset, seed))
}

fn restore(
    snapshot: &Snapshot,
    schema: &'static SchemaDef,
    confirmed: SeqNum,
    progress: &mut Progress,
) -> Result<Option<(State, u64)>, StateError> {
    let mut read = |done, total| progress.report(BootStage::Snapshot, done, total);
    match snapshot.read(schema, confirmed, &mut read) {
        Ok(restored) => Ok(Some(restored)),
        Err(reason) => {
            tracing::info!(%reason, "no snapshot is used: the state is made from the eventlog");
            if let Unusable::Ahead(_) = reason {
                // It has events that the log lost, or that others may come before.
                snapshot.remove()?;
            }
            Ok(None)
        }
    }
}

/// The boot callback, which may panic without harm.
struct Progress(Option<Box<dyn FnMut(Boot)>>);

impl Progress {
    fn report(&mut self, stage: BootStage, done: u64, total: u64) {
        let Some(callback) = &mut self.0 else { return };
        let told = catch_unwind(AssertUnwindSafe(|| callback(Boot { stage, done, total })));
        if told.is_err() {
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
            ReplayError::Unknown { seq, name } => Self::UnknownEvent { seq, name },
            // Nobody stops it.
            ReplayError::Stopped => Self::Eventlog(EventlogError::Closed),
        }
    }
}
