//! When snapshots are taken.
//!
//! While the store runs, a background thread makes them from the last snapshot and the log, with a
//! state of its own: no commit waits for it. At the end, the store's own state is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::edge::Background;
use crate::eventlog::{Eventlog, EventlogError};
use crate::schema::SchemaDef;
use crate::state::{Replay, ReplayError, Snapshot, State, StateError, UnknownEvents};

/// No snapshot while running before this many events: they are replayed in some 50 ms.
const FEWEST: u64 = 10_000;

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
    /// Events since the last snapshot.
    events: AtomicU64,
    /// The last snapshot's length.
    bytes: AtomicU64,
}

impl Snapshots {
    /// `bytes`: the length of the snapshot that was used; `events`: how many were replayed after
    /// it.
    pub(super) fn start(
        snapshot: Snapshot,
        schema: &'static SchemaDef,
        log: Eventlog,
        bytes: Option<u64>,
        events: u64,
    ) -> Result<Self, EventlogError> {
        let maker = Arc::new(Maker {
            snapshot,
            schema,
            log,
            events: AtomicU64::new(0),
            bytes: AtomicU64::new(bytes.unwrap_or(0)),
        });
        let theirs = Arc::clone(&maker);
        let background = Background::spawn("livestore-snapshot", move || theirs.make())
            .map_err(|error| EventlogError::NoThread(error.to_string()))?;
        let snapshots = Self { maker, background };
        snapshots.after_commit(events);
        Ok(snapshots)
    }

    /// Counts committed events; has a snapshot made when it is due.
    pub(super) fn after_commit(&self, events: u64) {
        let events = self.maker.events.fetch_add(events, Ordering::Relaxed) + events;
        if events >= FEWEST && self.maker.is_worth_it(events) {
            self.background.poke();
        }
    }

    /// Waits for the background thread, and then writes the state, if replaying it would take
    /// noticeably longer than reading it.
    pub(super) fn close(self, state: &mut State) {
        let Self { maker, background } = self;
        drop(background);
        let events = maker.events.load(Ordering::Relaxed);
        if events > 0
            && maker.is_worth_it(events)
            && let Err(error) = maker.snapshot.write(state)
        {
            tracing::warn!(%error, "no snapshot was written; the next open replays the eventlog");
        }
    }

    /// Forgets the snapshot.
    pub(super) fn remove(&self) -> Result<(), StateError> {
        self.maker.snapshot.remove()
    }
}

impl Maker {
    fn is_worth_it(&self, events: u64) -> bool {
        events.saturating_mul(BYTES_PER_EVENT) >= self.bytes.load(Ordering::Relaxed)
    }

    fn make(&self) {
        // Not before: a store that is closed first writes the snapshot itself.
        self.events.store(0, Ordering::Relaxed);
        match self.try_make() {
            Ok(bytes) => self.bytes.store(bytes, Ordering::Relaxed),
            Err(error) => tracing::warn!(?error, "no snapshot was written"),
        }
    }

    fn try_make(&self) -> Result<u64, ReplayError> {
        let head = self.log.head().map_err(ReplayError::Eventlog)?;
        let mut state = match self.snapshot.read(self.schema, head, &mut |_, _| ()) {
            Ok((state, _)) => state,
            Err(_) => State::empty(self.schema)?,
        };
        let mut replay = Replay {
            log: &self.log,
            // The store itself has spoken of them.
            unknown: &UnknownEvents::Ignore,
            progress: &mut |_| (),
        };
        replay.run(&mut state, head)?;
        Ok(self.snapshot.write(&mut state)?)
    }
}
