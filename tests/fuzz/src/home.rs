//! A store in a folder, made once and then copied for each input.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use livestore::Store;
use livestore::event::EncodedEvent;
use livestore::store::OpenError;
use tempfile::TempDir;

use crate::app::{App, NoteEvent, noted};

/// The files of a closed store, and what is in them.
pub(crate) struct Original {
    pub(crate) log: Vec<u8>,
    pub(crate) snapshot: Vec<u8>,
    pub(crate) events: Vec<EncodedEvent>,
    pub(crate) hash: u64,
}

/// The same one for all inputs.
pub(crate) fn original() -> &'static Original {
    static ORIGINAL: OnceLock<Original> = OnceLock::new();
    ORIGINAL.get_or_init(make)
}

#[expect(clippy::disallowed_methods, reason = "a fuzz target is an edge")]
fn make() -> Original {
    let home = Home::new();
    let store = home.open().unwrap();
    for n in 0..4 {
        let star = NoteEvent::Starred { id: format!("n{n}"), by: n };
        store.commit([noted(n), NoteEvent::Seen { id: "n0".to_owned() }, star]).unwrap();
    }
    let events = store.events().into_iter().map(Result::unwrap).collect();
    let hash = store.state_hash().unwrap();
    store.close().unwrap();
    let log = fs::read(home.log()).unwrap();
    Original { log, snapshot: fs::read(home.snapshot()).unwrap(), events, hash }
}

/// A directory for a store, removed at the end.
pub(crate) struct Home(TempDir);

impl Home {
    fn new() -> Self {
        // In memory, where there is such a place: thousands are made.
        let home = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self(home.unwrap())
    }

    /// A home with these files.
    #[expect(clippy::disallowed_methods, reason = "a fuzz target is an edge")]
    pub(crate) fn with(log: &[u8], snapshot: Option<&[u8]>) -> Self {
        let home = Self::new();
        fs::create_dir_all(home.0.path().join("fuzz")).unwrap();
        fs::write(home.log(), log).unwrap();
        if let Some(snapshot) = snapshot {
            fs::write(home.snapshot(), snapshot).unwrap();
        }
        home
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.0.path().join("fuzz/eventlog.db")
    }

    fn snapshot(&self) -> PathBuf {
        self.0.path().join("fuzz/state.snapshot")
    }

    pub(crate) fn open(&self) -> Result<Store<App>, OpenError> {
        Store::builder("fuzz").directory(self.0.path()).client_id("c").open()
    }
}

/// Does all that a store can do with what it has. It may fail.
pub(crate) fn use_all(store: &Store<App>) {
    use livestore::prelude::*;
    let _ = store.query(crate::app::Note::all());
    let _ = store.commit(noted(100));
    let _ = store.commit(NoteEvent::Seen { id: "n1".to_owned() });
    let _ = store.state_hash();
    let _ = store.quarantined();
    let _ = store.reset_state();
}
