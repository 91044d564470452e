//! Opening a store: own the directory, open the log, make the state.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use super::builder::Options;
use super::snapshots::Snapshots;
use super::tail::Tail;
use super::{Core, Inner, OpenError, Store, id};
use crate::edge::{DirectoryLock, LockError};
use crate::event::SeqNum;
use crate::eventlog::{Eventlog, EventlogError, FileLog, MemoryLog};
use crate::live::Registry;
use crate::live::primitives::Mutex;
use crate::schema::{Schema, SchemaDef};
use crate::state::{Boot, BootStage, Replay, ReplayError, Snapshot, State, StateError, Unusable};
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
    let head = kept.log.head()?;
    let core = boot(&mut options, schema, kept, head)?;
    tracing::debug!(%head, "the store is open");
    Ok(Store::from_inner(Arc::new(Inner {
        client_id: core.1.into(),
        session_id: options.session_id.into(),
        store_id: options.store_id,
        schema,
        schema_hash,
        core: Mutex::new(Some(core.0)),
        tail: Arc::new(Tail::new(head)),
    })))
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

/// Makes the state: from the snapshot and the events after it, or from all events.
fn boot(
    options: &mut Options,
    schema: &'static SchemaDef,
    kept: Kept,
    head: SeqNum,
) -> Result<(Core, String), OpenError> {
    let Kept { lock, log, snapshot, client_id } = kept;
    let mut progress = Progress(options.on_boot.take());
    let restored = match &snapshot {
        Some(snapshot) => restore(snapshot, schema, head, &mut progress)?,
        None => None,
    };
    let (mut state, snapshot_bytes) = match restored {
        Some((state, bytes)) => (state, Some(bytes)),
        None => (State::empty(schema)?, None),
    };
    let total = if progress.0.is_some() { log.count(state.head)? } else { 0 };
    progress.report(BootStage::Replay, 0, total);
    let replayed = Replay {
        log: &log,
        unknown: &options.unknown_events,
        progress: &mut |done| {
            progress.report(BootStage::Replay, done, total);
            ControlFlow::Continue(())
        },
    }
    .run(&mut state, head)?;
    progress.report(BootStage::Done, total, total);
    let snapshots = snapshot
        .map(|snapshot| Snapshots::start(snapshot, schema, log.clone(), snapshot_bytes))
        .transpose()?;
    if let Some(snapshots) = &snapshots {
        snapshots.after_replay(&mut state, replayed);
    }
    let live = Registry::new(schema);
    Ok((Core { state, live, snapshots, log, _lock: lock }, client_id))
}

fn restore(
    snapshot: &Snapshot,
    schema: &'static SchemaDef,
    head: SeqNum,
    progress: &mut Progress,
) -> Result<Option<(State, u64)>, StateError> {
    let mut read = |done, total| progress.report(BootStage::Snapshot, done, total);
    match snapshot.read(schema, head, &mut read) {
        Ok(restored) => Ok(Some(restored)),
        Err(reason) => {
            tracing::info!(%reason, "no snapshot is used: the state is made from the eventlog");
            if let Unusable::Ahead(_) = reason {
                // The log lost events that it has; others will take their numbers.
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
