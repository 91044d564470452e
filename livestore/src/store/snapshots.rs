//! When snapshots are taken.
//!
//! While the store runs, a background thread makes them from the last snapshot and the log, with a
//! state of its own: no commit waits for it. At the end, the store's own state is written.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::settle::SettleError;
use crate::edge::Background;
use crate::event::SeqNum;
use crate::eventlog::{Eventlog, EventlogError, Upstream, is_after};
use crate::live::primitives::{Mutex, lock};
use crate::schema::SchemaDef;
use crate::state::{Copied, Replay, ReplayError, Snapshot, State, StateError};

/// No snapshot while running before this many events: they are replayed in a fraction of a second.
/// A simulation is to see many.
const FEWEST: u64 = if cfg!(simulation) { 10 } else { 10_000 };

/// A snapshot writes at most this many bytes per event that it saves from being replayed.
const BYTES_PER_EVENT: u64 = 1_024;

/// A store's snapshots.
#[derive(Debug)]
pub(super) struct Snapshots {
    maker: Arc<Maker>,
    background: Background,
}

#[derive(Debug)]
struct Maker {
    snapshot: Snapshot,
    schema: &'static SchemaDef,
    log: Eventlog,
    /// There is a backend, even if the log has not heard of it yet.
    syncs: bool,
    /// Events since the last snapshot.
    events: AtomicU64,
    /// The last snapshot's length.
    bytes: AtomicU64,
    /// What opening the store has replayed, to be written next, and the number of events that it
    /// saves from being replayed again.
    replayed: Mutex<Option<(Copied, u64)>>,
    /// The store is closing.
    stopped: AtomicBool,
}

impl Snapshots {
    /// `syncs`: whether there is a backend; `bytes`: the length of the snapshot that was used.
    pub(super) fn start(
        snapshot: Snapshot,
        schema: &'static SchemaDef,
        log: Eventlog,
        syncs: bool,
        bytes: Option<u64>,
    ) -> Result<Self, EventlogError> {
        let maker = Arc::new(Maker {
            snapshot,
            schema,
            log,
            syncs,
            events: AtomicU64::new(0),
            bytes: AtomicU64::new(bytes.unwrap_or(0)),
            replayed: Mutex::new(None),
            stopped: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&maker);
        let background = Background::spawn("livestore-snapshot", move || theirs.make())
            .map_err(|error| EventlogError::NoThread(error.to_string()))?;
        Ok(Self { maker, background })
    }

    /// Counts events that were replayed while opening, and has the state that took so long to make
    /// written. The store need not wait until it is: a copy is taken.
    pub(super) fn after_replay(&self, state: &mut State, events: u64) {
        let Self { maker, background } = self;
        maker.events.fetch_add(events, Ordering::Relaxed);
        if events < FEWEST || !maker.is_worth_it(events) || !maker.may_write(state.head) {
            return;
        }
        match Copied::of(state) {
            Ok(copy) => {
                *lock(&maker.replayed) = Some((copy, events));
                background.poke();
            }
            Err(error) => tracing::warn!(%error, "no snapshot was written"),
        }
    }

    /// Counts committed events; has a snapshot made when it is due.
    pub(super) fn after_commit(&self, events: u64) {
        let events = self.maker.events.fetch_add(events, Ordering::Relaxed) + events;
        if events >= FEWEST && self.maker.is_worth_it(events) {
            self.background.poke();
        }
    }

    /// Stops the background thread, and writes the state itself, if replaying it would take
    /// noticeably longer than reading it.
    pub(super) fn close(self, state: &mut State) {
        let Self { maker, background } = self;
        maker.stopped.store(true, Ordering::Relaxed);
        drop(background);
        let events = maker.events.load(Ordering::Relaxed);
        if events == 0 || !maker.is_worth_it(events) {
            return;
        }
        if mutant!("snapshot what is pending") {
            drop(maker.snapshot.write(state));
            return;
        }
        // What is pending may be rebased.
        match state.rewind() {
            Ok(_) => drop(maker.write(state)),
            Err(error) => tracing::warn!(%error, "no snapshot was written"),
        }
    }

    /// Forgets the snapshot, and one that is just being made: the log is another one, with this id.
    pub(super) fn start_over(self, log_id: String) -> Result<Self, SettleError> {
        let Self { maker, background } = self;
        maker.stopped.store(true, Ordering::Relaxed);
        drop(background);
        maker.snapshot.remove()?;
        let snapshot = Snapshot { path: maker.snapshot.path.clone(), log_id };
        Self::start(snapshot, maker.schema, maker.log.clone(), maker.syncs, None)
            .map_err(SettleError::Replay)
    }

    /// Forgets the snapshot.
    pub(super) fn remove(&self) -> Result<(), StateError> {
        *lock(&self.maker.replayed) = None;
        self.maker.snapshot.remove()
    }
}

impl Maker {
    fn is_worth_it(&self, events: u64) -> bool {
        events.saturating_mul(BYTES_PER_EVENT) >= self.bytes.load(Ordering::Relaxed)
    }

    /// The background thread's job.
    fn make(&self) {
        let replayed = lock(&self.replayed).take();
        if let Some((copy, events)) = replayed {
            if self.may_write(copy.head) && self.note(self.snapshot.write_copy(&copy)) {
                self.events.fetch_sub(events, Ordering::Relaxed);
            }
        }
        let events = self.events.load(Ordering::Relaxed);
        if events < FEWEST || !self.is_worth_it(events) {
            return;
        }
        let events = self.events.swap(0, Ordering::Relaxed);
        let written = match self.make_state() {
            Ok(mut state) => self.write(&mut state),
            Err(ReplayError::Stopped) => false,
            Err(error) => {
                tracing::warn!(?error, "no snapshot was made");
                false
            }
        };
        if !written {
            self.events.fetch_add(events, Ordering::Relaxed);
        }
    }

    /// Writes the state; says whether it could.
    fn write(&self, state: &mut State) -> bool {
        self.may_write(state.head) && self.note(self.snapshot.write(state))
    }

    /// Not if some of the state is pending, from when the store had a backend.
    fn may_write(&self, head: SeqNum) -> bool {
        !self.end().is_ok_and(|end| is_after(head, end))
    }

    /// Notes how long the snapshot is now; says whether it was written.
    fn note(&self, written: Result<u64, StateError>) -> bool {
        match written {
            Ok(bytes) => {
                self.bytes.store(bytes, Ordering::Relaxed);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "no snapshot was written; the next open replays more");
                false
            }
        }
    }

    fn make_state(&self) -> Result<State, ReplayError> {
        let end = self.end().map_err(ReplayError::Eventlog)?;
        let mut state = match self.snapshot.read(self.schema, end, &mut |_, _| ()) {
            Ok((state, _)) => state,
            Err(_) => State::empty(self.schema)?,
        };
        let mut progress = |_| match self.stopped.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let mut replay = Replay { progress: Some(&mut progress), ..Replay::quiet(&self.log) };
        replay.run(&mut state, end)?;
        Ok(state)
    }

    /// The end of what will not be rebased.
    fn end(&self) -> Result<SeqNum, EventlogError> {
        match self.log.upstream()? {
            Some(upstream) => Ok(upstream.end()),
            // Nothing has its place yet.
            None if self.syncs && !mutant!("snapshot what was never pulled") => {
                Ok(Upstream::default().end())
            }
            None => self.log.head(),
        }
    }
}
