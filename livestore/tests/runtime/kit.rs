//! Helpers that the tests share: stores in folders, the content of their logs, copies of both, and
//! random numbers from a seed.

use std::fs;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use livestore::prelude::*;
use livestore::state::{Boot, BootStage};
use livestore_testing::StoreDirectory;

/// The id of every test's store.
pub const STORE: &str = "todos";

/// The directory of a test's store.
pub struct Home(StoreDirectory);

impl Home {
    pub fn new() -> Self {
        Self(StoreDirectory::new(STORE))
    }

    pub fn open<S: Schema>(&self) -> Store<S> {
        self.0.open().unwrap()
    }

    pub fn wal(&self) -> PathBuf {
        self.folder().join("eventlog.db-wal")
    }

    /// Opens the store and says what the opening went through.
    pub fn boot<S: Schema>(&self) -> (Store<S>, Stages) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::clone(&seen);
        let store = self.builder().on_boot(move |boot| theirs.lock().unwrap().push(boot));
        let store = store.open().unwrap();
        let seen = seen.lock().unwrap().clone();
        (store, Stages(seen))
    }

    /// The files as they are now: what a crash would leave.
    pub fn copy(&self) -> Self {
        Self(self.0.copy())
    }

    /// The hash of the state that the whole log makes.
    pub fn replayed_hash<S: Schema>(&self) -> u64 {
        let copy = self.copy();
        let _ = fs::remove_file(copy.snapshot());
        let (store, boot) = copy.boot::<S>();
        assert_eq!(boot.replayed(), log_of(&store).len() as u64);
        store.state_hash().unwrap()
    }

    /// The log, as SQLite has it.
    pub fn sqlite(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.eventlog()).unwrap()
    }
}

impl Deref for Home {
    type Target = StoreDirectory;

    fn deref(&self) -> &StoreDirectory {
        &self.0
    }
}

/// The calls of the boot callback.
pub struct Stages(pub Vec<Boot>);

impl Stages {
    /// How many events were replayed: all, or those after the snapshot.
    pub fn replayed(&self) -> u64 {
        let done = self.0.last().unwrap();
        assert_eq!((done.stage, done.done), (BootStage::Done, done.total));
        done.total
    }
}

/// Every event of the log.
pub fn log_of<S: Schema>(store: &Store<S>) -> Vec<EncodedEvent> {
    store.events().into_iter().collect::<Result<_, _>>().unwrap()
}

/// The numbers of every event of the log, as text.
pub fn seqs<S: Schema>(store: &Store<S>) -> Vec<String> {
    log_of(store).iter().map(|event| event.seq.to_string()).collect()
}

/// Chance that is the same in every run: SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
