//! A store in a folder, made once and then copied for each input.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use livestore::Store;
use livestore::event::EncodedEvent;
use livestore::store::OpenError;
use livestore_testing::StoreDirectory;

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
    Original { log, snapshot: fs::read(home.0.snapshot()).unwrap(), events, hash }
}

/// A directory for a store, removed at the end.
pub(crate) struct Home(StoreDirectory);

impl Home {
    fn new() -> Self {
        // In memory, where there is such a place: thousands are made.
        let memory = Path::new("/dev/shm");
        let parent = if memory.exists() { memory.to_owned() } else { std::env::temp_dir() };
        Self(StoreDirectory::new_in(parent, "fuzz"))
    }

    /// A home with these files.
    #[expect(clippy::disallowed_methods, reason = "a fuzz target is an edge")]
    pub(crate) fn with(log: &[u8], snapshot: Option<&[u8]>) -> Self {
        let home = Self::new();
        fs::create_dir_all(home.0.folder()).unwrap();
        fs::write(home.log(), log).unwrap();
        if let Some(snapshot) = snapshot {
            fs::write(home.0.snapshot(), snapshot).unwrap();
        }
        home
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.0.eventlog()
    }

    pub(crate) fn open(&self) -> Result<Store<App>, OpenError> {
        self.0.builder().client_id("c").open()
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
