//! Opening a store: lock the directory, open the log, make the state.

mod opened_files;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
#[cfg(not(target_family = "wasm"))]
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use self::opened_files::Files;
#[cfg(target_family = "wasm")]
pub(super) use self::waiting::open_files_with_image;
pub(super) use self::waiting::{open, open_with_image, warn_not_synced};
use super::activity::LogVersion;
use super::builder::{Options, WithoutFiles};
use super::exclusive::Exclusive;
use super::image::{self, Opened};
use super::load_history::Loading;
use super::order::Order;
use super::own_commits::OwnCommits;
use super::session::{Joined, Joining, Seeker, Sessions, Setup};
use super::shapes::{IncompatibleEvents, Shapes};
use super::snapshots::Snapshots;
use super::sync::{Syncing, Waiting};
use super::tail::Tail;
use super::trace::Applied;
use super::undo::UndoStack;
use super::{Core, Inner, Log, OpenError, Store, folder, id};
use crate::ambient::{IdSource, Impurity, is_impure, new_id};
#[cfg(not(target_family = "wasm"))]
use crate::edge::pause;
use crate::edge::{ReadFile, Stopwatch, catch_panic, files};
use crate::event::{SeqNum, new_session_id};
use crate::eventlog::{Eventlog, EventlogError, SharedLog};
use crate::live::{PendingTracker, Registry, signal};
use crate::schema::{Schema, SchemaDef};
use crate::session::Reads;
use crate::state::{
    Boot, BootStage, Replay, ReplayError, Snapshot, State, StateError, UnknownEvents, Unusable,
};
use crate::sync::SyncOptions;
use crate::sync::engine::Engine;
use crate::sync::merge::SyncState;

/// The number of events that a debug build replays to verify a snapshot.
const MAX_VERIFIED: u64 = 1_000;

/// The file of the log in a store's folder.
pub(crate) const EVENTLOG: &str = "eventlog.db";

/// The file of the state's snapshot there.
pub(crate) const SNAPSHOT: &str = "state.snapshot";

/// How often a session looks for a leader that does not listen yet, and how long it waits between.
#[cfg(not(target_family = "wasm"))]
const ATTEMPTS: u32 = 200;
#[cfg(not(target_family = "wasm"))]
const PAUSE: Duration = Duration::from_millis(5);

/// Opens the store, and does not wait for its backend.
pub(super) fn open_at_once<S: Schema>(
    mut options: Options,
    schema: &'static SchemaDef,
) -> Result<Store<S>, OpenError> {
    // Its log says nothing to a session that has types.
    options.single_process |= schema.is_untyped();
    let span = span(&options);
    let _entered = span.enter();
    let ids = prepare(&options, schema)?;
    // In a browser nothing can wait for another session here.
    #[cfg(target_family = "wasm")]
    let files = Files::open(&options)?;
    #[cfg(not(target_family = "wasm"))]
    let files = match find(&options, schema, &ids)? {
        Found::Free(files) => files,
        Found::Led(joined, folder) => return follow(options, schema, ids, *joined, folder),
    };
    lead(options, schema, ids, files)
}

/// The span of an opening.
fn span(options: &Options) -> tracing::Span {
    tracing::info_span!(
        "open",
        db.system.name = "livestore",
        db.namespace = options.store_id,
        db.operation.name = "open",
    )
}

/// Opens the store over its files.
fn lead<S: Schema>(
    options: Options,
    schema: &'static SchemaDef,
    ids: Ids,
    files: Files,
) -> Result<Store<S>, OpenError> {
    let lock = files.lock.clone();
    // What was opened is closed before it is removed.
    start(options, schema, ids, files).inspect_err(|_| {
        if let Some(lock) = &lock {
            lock.remove_made();
        }
    })
}

/// Opens the store as a session of the leader, for as long as it takes to find that.
#[cfg(target_family = "wasm")]
pub(super) async fn open_without_files<S: Schema>(
    options: Options,
    schema: &'static SchemaDef,
) -> Result<Store<S>, OpenError> {
    let ids = prepare(&options, schema)?;
    let folder = options.folder()?;
    let mut reads = Reads::Everything;
    loop {
        let log = folder.join(EVENTLOG);
        let joining = joining(&options, &folder, &log, schema, &ids, reads.clone());
        let Some(joined) = joining.join().await? else { continue };
        if joined.has_usable_snapshot(schema) {
            return follow(options, schema, ids, joined, folder);
        }
        reads = Reads::all();
    }
}

/// Checks what can be checked before anything is opened.
fn prepare(options: &Options, schema: &'static SchemaDef) -> Result<Ids, OpenError> {
    if is_impure(Impurity::Store) {
        return Err(OpenError::InMaterializer);
    }
    id::check(&options.store_id)?;
    if let Some(sync) = &options.sync {
        sync.payload.check()?;
        sync.backend.check()?;
    }
    id::check_session(options.client_id.as_deref(), &options.window_id)?;
    let schema_hash = schema.hash().map_err(StateError::from)?;
    let session_id = new_session_id(&options.window_id).into();
    Ok(Ids { session_id, schema_hash })
}

/// A store's files, or the session that has them open.
#[cfg(not(target_family = "wasm"))]
enum Found {
    Free(Files),
    /// Another session leads; its folder.
    Led(Box<Joined>, PathBuf),
}

/// Opens the store's files, or finds the session that has them open.
#[cfg(not(target_family = "wasm"))]
fn find(options: &Options, schema: &'static SchemaDef, ids: &Ids) -> Result<Found, OpenError> {
    let mut attempts = 0;
    let mut reads = if options.without_files.is_some() { Reads::Everything } else { Reads::Files };
    loop {
        let folder = match Files::open(options) {
            Ok(files) => return Ok(Found::Free(files)),
            Err(OpenError::Locked { path }) if !options.single_process => path,
            Err(error) => return Err(error),
        };
        let log = folder.join(EVENTLOG);
        match joining(options, &folder, &log, schema, ids, reads.clone()).join()? {
            Some(joined) if joined.has_usable_snapshot(schema) => {
                return Ok(Found::Led(Box::new(joined), folder));
            }
            Some(_) => reads = Reads::all(),
            None => {}
        }
        // The leader may be about to listen, or has just gone.
        attempts += 1;
        if attempts == ATTEMPTS || !pause(PAUSE) {
            return Err(OpenError::Locked { path: folder });
        }
    }
}

fn joining<'a>(
    options: &'a Options,
    folder: &'a Path,
    log: &'a Path,
    schema: &'static SchemaDef,
    ids: &'a Ids,
    reads: Reads,
) -> Joining<'a> {
    let Ids { session_id, schema_hash } = ids;
    let (store_id, schema_hash) = (&options.store_id, *schema_hash);
    let has_backend = options.sync.is_some() && options.without_files.is_none();
    Joining { folder, log, store_id, session_id, schema, schema_hash, reads, has_backend }
}

fn start<S: Schema>(
    mut options: Options,
    schema: &'static SchemaDef,
    ids: Ids,
    mut files: Files,
) -> Result<Store<S>, OpenError> {
    let client_id = std::mem::take(&mut files.client_id).into();
    let image = options.image.take();
    let opened = image.map(|image| files.new_store(&options, schema, &ids).open_with(image));
    let core = boot_leader(&mut options, schema, files, opened.unwrap_or_default(), &ids)?;
    let sync = options.sync.take();
    let hub = core.hub.clone();
    let sessions = match &hub {
        Some(_) => Sessions::of(Setup {
            folder: options.folder()?,
            durability: options.durability,
            sync: sync.clone(),
            without_files: false,
        }),
        None => Sessions::none(),
    };
    let store = make(options, schema, client_id, ids, core, sync.as_ref(), sessions);
    if let Some(options) = &sync {
        start_sync(&store, options)?;
    }
    if let Some(hub) = hub {
        hub.attach(Arc::downgrade(&store.inner));
    }
    Ok(store)
}

/// Boots a store that has the log.
fn boot_leader(
    options: &mut Options,
    schema: &'static SchemaDef,
    files: Files,
    opened: Opened,
    ids: &Ids,
) -> Result<Core, OpenError> {
    let is_from_image = opened.state.is_some();
    let order = |options: &Options| {
        let Some(sync) = &options.sync else { return Ok(Order::Own) };
        let mut engine = engine(&files.log, sync, sync.starts_paused)?;
        if is_from_image {
            engine.expect_proof();
        }
        Ok::<_, OpenError>(Order::Backend(Box::new(engine)))
    };
    let first = order(options)?;
    match boot(options, schema, files.clone(), first, opened, ids) {
        Err(OpenError::Eventlog(error @ EventlogError::NotReceived { .. }))
            if options.sync.is_some() =>
        {
            tracing::warn!(%error, "no state can be made of the log: all events are pulled again");
            image::begin_again(&files.log)?;
            let again = order(options)?;
            boot(options, schema, files, again, Opened::default(), ids)
        }
        booted => booted,
    }
}

/// Opens the store as a session of the leader that was found.
fn follow<S: Schema>(
    mut options: Options,
    schema: &'static SchemaDef,
    ids: Ids,
    joined: Joined,
    folder: PathBuf,
) -> Result<Store<S>, OpenError> {
    let Joined { mut follower, client_id, mailbox, assembler, snapshot, conflicts, no_image, undo } =
        joined;
    let received = snapshot;
    let without_files = options.without_files.take();
    let setup = Setup {
        durability: options.durability,
        sync: options.sync.clone(),
        without_files: without_files.is_some(),
        folder,
    };
    if setup.sync.as_ref().is_some_and(|sync| sync.starts_paused) {
        follower.start_paused();
    }
    if let Some(WithoutFiles { journal }) = without_files {
        follower.keep_journal(journal);
    }
    let log = Eventlog::new(follower.log().clone());
    let files = Files {
        lock: None,
        snapshot: Some(Snapshot { path: setup.folder.join(SNAPSHOT), log: log.clone() }),
        received: received.map(|bytes| Arc::new(ReadFile::of(bytes))),
        log,
        client_id: String::new(),
        hub: None,
    };
    let order = Order::Leader(Box::new(follower));
    let opened = Opened { state: None, no_image };
    let mut core = boot(&mut options, schema, files, order, opened, &ids)?;
    core.conflicts = signal(conflicts);
    core.undo = UndoStack::of_session(Arc::clone(&core.window_id), undo);
    let sync = options.sync.take();
    let sessions = Sessions::of(setup);
    let store: Store<S> = make(options, schema, client_id, ids, core, sync.as_ref(), sessions);
    let seeker = Seeker::new(Arc::downgrade(&store.inner), Arc::clone(&mailbox), assembler);
    let started = store.inner.sessions.start(mailbox, seeker);
    started.map_err(|error| EventlogError::NoThread(error.into()))?;
    Ok(store)
}

/// Who a session is.
struct Ids {
    session_id: Arc<str>,
    schema_hash: i64,
}

fn make<S: Schema>(
    options: Options,
    schema: &'static SchemaDef,
    client_id: Arc<str>,
    ids: Ids,
    core: Core,
    sync: Option<&SyncOptions>,
    sessions: Sessions,
) -> Store<S> {
    tracing::debug!(head = %core.state.head, "the store is open");
    let Ids { session_id, schema_hash } = ids;
    let conflicts = core.conflicts.clone();
    Store::from_inner(Arc::new(Inner {
        client_id,
        session_id,
        window_id: options.window_id.into(),
        store_id: options.store_id,
        schema,
        schema_hash,
        handles: AtomicUsize::new(0),
        tail: Arc::new(Tail::new(core.confirmed_head())),
        status: signal(core.sync_status()),
        probe: Arc::clone(&core.probe),
        core: Exclusive::new(Some(core)),
        sync: sync.map(Syncing::new),
        sessions,
        waiting: Waiting::default(),
        loading: Loading::default(),
        on_quarantined: options.on_quarantined,
        conflicts,
        traces_sql: options.traces_sql,
    }))
}

fn start_sync<S: Schema>(store: &Store<S>, options: &SyncOptions) -> Result<(), OpenError> {
    let Some(sync) = &store.inner.sync else { return Ok(()) };
    sync.start(Arc::downgrade(&store.inner), store.store_id(), options.starts_paused)
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
    match Files::in_folder(&folder, options) {
        Ok(Files { lock, log, .. }) => Ok(Log::new(log, lock)),
        Err(OpenError::Locked { .. }) if !options.single_process => read_log(&folder, options),
        Err(error) => Err(error),
    }
}

/// Opens the log of a store that another session has open.
fn read_log(folder: &Path, options: &Options) -> Result<Log, OpenError> {
    let path = folder.join(EVENTLOG);
    let log = SharedLog::open(&path)?;
    if log.store_id() != options.store_id {
        let (found, store_id) = (log.store_id().to_owned(), options.store_id.clone());
        return Err(OpenError::OtherStore { path, found, store_id });
    }
    Ok(Log::new(Eventlog::new(log), None))
}

/// Makes the state: from the snapshot and the events after it, or from all events. With a backend,
/// pending events lie above what is confirmed.
fn boot(
    options: &mut Options,
    schema: &'static SchemaDef,
    files: Files,
    order: Order,
    opened: Opened,
    ids: &Ids,
) -> Result<Core, OpenError> {
    let Files { lock, log, snapshot, received, hub, .. } = files;
    // Without types there is no state to write, and the app's is none of its business.
    let snapshot = snapshot.filter(|_| !schema.is_untyped());
    let leads = !matches!(order, Order::Leader(_));
    let mut shapes = Shapes::read(&log, schema)?;
    if options.incompatible_events == IncompatibleEvents::Fail {
        shapes.check(&log)?;
    }
    let head = log.head()?;
    let confirmed = order.state().map_or(head, |state| state.confirmed_head);
    let mut progress = Progress(options.on_boot.take());
    let restored = match (opened.state, &snapshot) {
        (Some(state), _) => Some((state, 0)),
        (None, Some(snapshot)) => {
            let read = |report: &mut dyn FnMut(u64, u64)| match &received {
                Some(file) => snapshot.read_from(file, schema, confirmed, report),
                None => snapshot.read(schema, confirmed, report),
            };
            restore(snapshot, read, leads, &mut progress)?
        }
        (None, None) => None,
    };
    let (mut state, snapshot_bytes) = match restored {
        Some((state, bytes)) => (state, Some(bytes)),
        None => (State::empty(schema)?, None),
    };
    // Those of a leader are its own matter.
    let snapshots = snapshot
        .filter(|_| leads)
        .map(|snapshot| Snapshots::new(snapshot, schema, order.syncs(), snapshot_bytes));
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
    if let Some(sync) = order.state() {
        let mut report = |done| progress.report(BootStage::Replay, replayed + done, total);
        let mut replay = Replay::new(&log).unknown(&options.unknown_events).progress(&mut report);
        replay.run_pending(&mut state, head)?;
        check_known(&state, &options.unknown_events)?;
        state.head = sync.local_head;
    }
    if leads {
        shapes.record(&log)?;
    }
    progress.report(BootStage::Done, total, total);
    let live = Registry::new(schema);
    let unknown_events = std::mem::take(&mut options.unknown_events);
    let window_id: Arc<str> = options.window_id.as_str().into();
    let refused = state.refused().map_err(StateError::from)?;
    let steps = (leads && schema.has_undo()).then(|| log.undo_steps(&options.window_id));
    let undo = UndoStack::new(Arc::clone(&window_id), steps.transpose()?);
    let conflicts = signal(if leads { log.conflicts()? } else { Vec::new() });
    let max_state_bytes = options.max_state_bytes;
    state.limit(max_state_bytes).map_err(StateError::from)?;
    let core = Core {
        state,
        live,
        snapshots,
        log,
        order,
        hub,
        announced: None,
        histories: 0,
        rebases: 0,
        probe: Arc::default(),
        activities: Vec::new(),
        applied: Applied::new(&options.store_id),
        refused,
        next_attempt: None,
        unknown_events,
        max_state_bytes,
        window_id,
        own_commits: OwnCommits::new(Arc::clone(&ids.session_id)),
        command_ids: IdSource::default(),
        pending_rows: PendingTracker::default(),
        undo,
        conflicts,
        no_image: opened.no_image,
        log_version: LogVersion::default(),
        lock,
    };
    Ok(core)
}

/// Enforces the policy to fail. A snapshot may have been made under a more lenient one.
fn check_known(state: &State, policy: &UnknownEvents) -> Result<(), OpenError> {
    let UnknownEvents::Fail = policy else { return Ok(()) };
    match state.first_unknown().map_err(StateError::from)? {
        Some(event) => Err(OpenError::UnknownEvent { seq: event.seq, name: event.name }),
        None => Ok(()),
    }
}

/// The engine of a store that syncs, at once or when the app resumes it.
pub(super) fn engine(
    log: &Eventlog,
    options: &SyncOptions,
    is_paused: bool,
) -> Result<Engine, EventlogError> {
    let (state, backend_id) = SyncState::read(log)?;
    let seed = xxh3_64(new_id().as_bytes());
    let mut engine = Engine::new(state, backend_id, options.on_reset, seed);
    if !is_paused {
        engine.expect_start();
    }
    Ok(engine)
}

fn restore(
    snapshot: &Snapshot,
    read: impl FnOnce(&mut dyn FnMut(u64, u64)) -> Result<(State, u64), Unusable>,
    leads: bool,
    progress: &mut Progress,
) -> Result<Option<(State, u64)>, StateError> {
    match read(&mut |done, total| progress.report(BootStage::Snapshot, done, total)) {
        Ok((state, _)) if is_outdated(&state, &snapshot.log) => Ok(None),
        Ok(restored) => Ok(Some(restored)),
        Err(reason) => {
            tracing::info!(%reason, "no snapshot is used: the state is made from the eventlog");
            if let Unusable::Ahead(_) = reason
                && leads
            {
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
        let called = catch_panic(|| callback(Boot { stage, done, total }));
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
