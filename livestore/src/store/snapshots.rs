//! When snapshots are made.
//!
//! While the store runs, a background thread makes them from the last snapshot and the log, with a
//! state of its own: no commit waits for it. After an opening that replayed much, a copy of the state
//! is written in the background; at the end, the store's own state is written.
//!
//! A snapshot is worth its bytes if there are few of them for each event that it saves from being
//! replayed, or if replaying those events makes opening noticeably slower: that is paid once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::edge::Background;
use crate::edge::primitives::{Mutex, lock};
use crate::event::SeqNum;
use crate::eventlog::{EventlogError, is_after};
use crate::schema::SchemaDef;
use crate::state::{Replay, ReplayError, Snapshot, SnapshotError, State, StateCopy, StateError};
use crate::sync::merge::SyncState;

/// While the store runs, a snapshot is made after this many events at the earliest: fewer are
/// replayed in a fraction of a second. A simulation makes more snapshots.
const MIN_EVENTS: u64 = if cfg!(simulation) { 10 } else { 10_000 };

/// A snapshot writes at most this many bytes per event that it saves from being replayed.
const BYTES_PER_EVENT: u64 = 1_024;

/// An opening that replays for this long is slow.
const SLOW_REPLAY: Duration = Duration::from_millis(50);

/// …unless reading the snapshot takes much longer still: about half a second for each gigabyte.
const SNAPSHOT_BYTES_PER_NANOSECOND: u64 = 4;

/// The time that the replay of an event takes at least, for events that were not replayed yet.
const MIN_TIME_PER_EVENT: Duration = Duration::from_micros(4);

/// The number of events whose replay shows how long one takes. With fewer, the time says more about
/// what else the machine does just then.
const MIN_MEASURED: u64 = 100;

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
    /// Whether there is a backend, even if the log does not know it yet.
    syncs: bool,
    /// Events since the last snapshot.
    events: AtomicU64,
    /// The last snapshot's length.
    bytes: AtomicU64,
    /// The nanoseconds that the replay of an event takes.
    time_per_event: AtomicU64,
    /// The state that opening the store has replayed, to be written next, and the number of events
    /// that it saves from being replayed again.
    replayed: Mutex<Option<(StateCopy, u64)>>,
    /// Whether the store is closing.
    stopped: AtomicBool,
}

impl Snapshots {
    /// `syncs`: whether there is a backend; `bytes`: the length of the snapshot that was used.
    pub(super) fn new(
        snapshot: Snapshot,
        schema: &'static SchemaDef,
        syncs: bool,
        bytes: Option<u64>,
    ) -> Self {
        let maker = Arc::new(Maker {
            snapshot,
            schema,
            syncs,
            events: AtomicU64::new(0),
            bytes: AtomicU64::new(bytes.unwrap_or(0)),
            time_per_event: AtomicU64::new(nanoseconds(MIN_TIME_PER_EVENT)),
            replayed: Mutex::new(None),
            stopped: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&maker);
        let background = Background::new("livestore-snapshot", move || theirs.make());
        Self { maker, background }
    }

    /// The place of the snapshot.
    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.maker.snapshot
    }

    /// Counts events that were replayed while opening. If that took long, or they were many, the state
    /// is written: a copy of it, so that the store need not wait.
    pub(super) fn after_replay(&self, state: &mut State, events: u64, took: Duration) {
        let Self { maker, background } = self;
        maker.events.fetch_add(events, Ordering::Relaxed);
        if events >= MIN_MEASURED {
            maker.time_per_event.fetch_max(nanoseconds(took) / events, Ordering::Relaxed);
        }
        let is_due = maker.is_slow(events) || (events >= MIN_EVENTS && maker.is_cheap(events));
        if !is_due || !maker.may_write(state.head) {
            return;
        }
        match StateCopy::of(state) {
            Ok(copy) => {
                *lock(&maker.replayed) = Some((copy, events));
                background.wake();
            }
            Err(error) => tracing::warn!(%error, "no snapshot was written"),
        }
    }

    /// Counts committed events; has a snapshot made when it is due.
    pub(super) fn after_commit(&self, events: u64) {
        let events = self.maker.events.fetch_add(events, Ordering::Relaxed) + events;
        if events >= MIN_EVENTS && self.maker.is_cheap(events) {
            self.background.wake();
        }
    }

    /// Stops the background thread, and writes the state itself, if that is worth it.
    pub(super) fn close(self, state: &mut State) {
        let maker = self.stop();
        let events = maker.events.load(Ordering::Relaxed);
        if events == 0 || !(maker.is_cheap(events) || maker.is_slow(events)) {
            return;
        }
        // What is pending may be rebased.
        match state.rollback_pending() {
            Ok(_) => drop(maker.write(state)),
            Err(error) => tracing::warn!(%error, "no snapshot was written"),
        }
    }

    /// Stops making snapshots: another session will.
    pub(super) fn abandon(self) {
        drop(self.stop());
    }

    /// Removes the snapshot, and stops making one: the log has a new history, or the state is made
    /// anew of `events` events.
    pub(super) fn start_over(&mut self, events: u64) -> Result<(), StateError> {
        let maker = &self.maker;
        let new = Self::new(maker.snapshot.clone(), maker.schema, maker.syncs, None);
        new.maker.events.store(events, Ordering::Relaxed);
        let maker = std::mem::replace(self, new).stop();
        maker.snapshot.remove()
    }

    /// Waits until the background thread has ended; what it is making, it does not write.
    fn stop(self) -> Arc<Maker> {
        let Self { maker, background } = self;
        maker.stopped.store(true, Ordering::Relaxed);
        drop(background);
        maker
    }
}

impl Maker {
    /// Whether a snapshot writes few bytes for each of these events.
    fn is_cheap(&self, events: u64) -> bool {
        events.saturating_mul(BYTES_PER_EVENT) >= self.bytes.load(Ordering::Relaxed)
    }

    /// Whether the replay of these events would make opening noticeably slower.
    fn is_slow(&self, events: u64) -> bool {
        let replay = events.saturating_mul(self.time_per_event.load(Ordering::Relaxed));
        let read = self.bytes.load(Ordering::Relaxed) / SNAPSHOT_BYTES_PER_NANOSECOND;
        replay >= nanoseconds(SLOW_REPLAY).max(read)
    }

    /// The background thread's job.
    fn make(&self) {
        let replayed = lock(&self.replayed).take();
        if let Some((copy, events)) = replayed
            && self.may_write(copy.head)
            && self.note(self.snapshot.write_copy(&copy))
        {
            self.events.fetch_sub(events, Ordering::Relaxed);
        }
        let events = self.events.load(Ordering::Relaxed);
        if events < MIN_EVENTS || !self.is_cheap(events) {
            return;
        }
        let events = self.events.swap(0, Ordering::Relaxed);
        let written = match self.make_state() {
            Ok(_) if self.stopped.load(Ordering::Relaxed) => false,
            Ok(mut state) => self.write(&mut state),
            Err(error) => {
                tracing::warn!(?error, "no snapshot was made");
                false
            }
        };
        if !written {
            self.events.fetch_add(events, Ordering::Relaxed);
        }
    }

    /// Writes the state; returns whether it could.
    fn write(&self, state: &mut State) -> bool {
        self.may_write(state.head) && self.note(self.snapshot.write(state))
    }

    /// Returns whether the state may be written: not if a part of it is pending, because the store
    /// had a backend before.
    fn may_write(&self, head: SeqNum) -> bool {
        !self.end().is_ok_and(|end| is_after(head, end))
    }

    /// Stores the snapshot's new length; returns whether it was written.
    fn note(&self, written: Result<u64, SnapshotError>) -> bool {
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
        Replay::new(&self.snapshot.log).stop(&self.stopped).run(&mut state, end)?;
        Ok(state)
    }

    /// The last event that will not be rebased.
    fn end(&self) -> Result<SeqNum, EventlogError> {
        if self.syncs || self.snapshot.log.upstream()?.is_some() {
            SyncState::read_confirmed_head(&self.snapshot.log)
        } else {
            self.snapshot.log.head()
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
