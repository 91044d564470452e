//! A machine with one client on it.

use std::path::PathBuf;

use livestore::prelude::*;
use livestore::simulation;
use livestore::store::Builder;
use livestore::sync::SyncEvent;
use livestore::{Durability, Store};
use livestore_simulation::disk::{Disk, Faults};
use livestore_sync::InProcess;

use super::app::{App, Notes};
use super::ledger::{Ledger, Said};

pub type Notebook = Store<Notes>;

/// A disk and what was done on it.
pub struct Machine {
    pub disk: Disk,
    pub ledger: Ledger,
    pub backend: InProcess,
    /// What the backend has before, as the preparation has left it.
    pub upstream: Vec<SyncEvent>,
    /// Whether what was asked of a server was told to be done.
    pub is_done: bool,
    pub durability: Durability,
    /// The durability whose promise it is held to.
    pub claims: Durability,
    /// Whether what is written, but not synced, outlives what will happen.
    pub loses_power: bool,
    /// Whether the disk has said of what is lost that it is durable.
    pub lied: bool,
    /// Whether a fault is to be expected.
    pub faulty: bool,
}

impl Machine {
    pub fn home(&self) -> PathBuf {
        self.disk.root().join("machine")
    }

    pub fn is_down(&self) -> bool {
        self.disk.is_down(&self.home())
    }

    /// From now on the disk works.
    pub fn calm(&mut self) {
        self.disk.set_faults(&self.home(), Faults::default());
        self.faulty = false;
    }

    pub fn builder<S: App>(&self) -> Builder<S> {
        Store::<S>::builder("notes").directory(self.home()).durability(self.durability)
    }

    /// Opens the store; `None` if a fault has it fail.
    pub fn open<S: App>(&mut self) -> Option<Store<S>> {
        self.opened(self.builder::<S>().open())
    }

    pub fn opened<S: App>(&self, opened: Result<Store<S>, OpenError>) -> Option<Store<S>> {
        match opened {
            Ok(store) => {
                run_jobs();
                Some(store)
            }
            Err(error) => {
                assert!(self.faulty, "the store does not open: {error}");
                None
            }
        }
    }

    /// Commits the events as one, and lets the background run.
    pub fn commit<S: App>(&mut self, store: &Store<S>, ids: &[&str]) {
        let events: Vec<S::Added> = ids.iter().map(|id| S::added(id)).collect();
        let said = match store.commit(events) {
            Ok(_) if self.is_promised() => Said::Promised,
            Ok(_) => Said::Done,
            Err(error) => {
                assert!(self.faulty, "{ids:?} are not committed: {error}");
                if self.is_down() { Said::Nothing } else { Said::Failed }
            }
        };
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        self.ledger.write(&ids, said);
        run_jobs();
    }

    pub fn flush<S: App>(&mut self, store: &Store<S>) {
        let flushed = store.flush().is_ok();
        if flushed && !self.loses_power {
            self.ledger.promise();
        }
    }

    /// After whatever has happened, the store that still runs works as if nothing had.
    pub fn live_on<S: App>(&mut self, store: &Store<S>) {
        if self.is_down() || !self.faulty {
            return;
        }
        self.calm();
        if let Err(error) = store.commit(Vec::<S::Added>::new()) {
            assert!(matches!(error, CommitError::Closed), "{error}");
            return;
        }
        assert_consistent(store);
        self.commit(store, &["after"]);
        assert_consistent(store);
    }

    pub fn close<S: App>(&mut self, store: Store<S>) {
        match store.close() {
            Ok(()) if !self.loses_power && !self.is_down() => self.ledger.promise(),
            Ok(()) => {}
            Err(error) => assert!(self.faulty, "{error}"),
        }
    }

    /// Opens the files again, on a disk that works, and compares them with what was said.
    pub fn check<S: App>(&mut self) {
        self.revive();
        let store = self.open::<S>().unwrap();
        self.compare(&store);
        store.close().unwrap();
        // This time from the snapshot.
        let store = self.open::<S>().unwrap();
        self.compare(&store);
        store.close().unwrap();
    }

    /// The disk works, and the process is started again.
    pub fn revive(&mut self) {
        self.calm();
        if self.is_down() {
            self.ledger.ended();
            self.disk.restart(&self.home());
        }
    }

    pub fn compare_with_backend(&self, store: &Notebook) {
        let order: Vec<String> =
            self.backend.events("notes").iter().map(|event| id_of(&event.args)).collect();
        assert_eq!(log(store), order, "the log is not the backend's order");
        let (others, own): (Vec<_>, Vec<_>) = order.into_iter().partition(|id| id.starts_with('o'));
        assert!(others.is_sorted(), "{others:?}");
        self.ledger.check(&own).unwrap();
        assert_state(store);
    }

    fn compare<S: App>(&self, store: &Store<S>) {
        self.ledger.check(&log(store)).unwrap();
        assert_state(store);
    }

    pub fn is_promised(&self) -> bool {
        match self.claims {
            Durability::Buffered => false,
            Durability::Written => !self.loses_power,
            Durability::Synced => true,
        }
    }
}

/// What threads would do.
pub fn run_jobs() {
    for _ in 0..1_000 {
        let due = simulation::due();
        if due.is_empty() {
            return;
        }
        due.into_iter().for_each(|due| simulation::run(due.job));
    }
    panic!("the background does not come to rest");
}

/// The ids of the events in the log.
pub fn log<S: App>(store: &Store<S>) -> Vec<String> {
    store.events().into_iter().map(|event| id_of(&event.unwrap().args)).collect()
}

pub fn id_of(args: &str) -> String {
    let args: serde_json::Value = serde_json::from_str(args).unwrap();
    args["id"].as_str().unwrap().to_owned()
}

/// The state is what the whole log makes anew.
fn assert_state<S: App>(store: &Store<S>) {
    assert_consistent(store);
    let before = store.state_hash().unwrap();
    store.reset_state().unwrap();
    assert_eq!(store.state_hash().unwrap(), before, "the state is not what the log makes");
}

/// The state has what the log has.
fn assert_consistent<S: App>(store: &Store<S>) {
    let mut log = log(store);
    let mut state = S::ids(store);
    log.sort();
    state.sort();
    assert_eq!(log, state, "the state is not the log's");
}
