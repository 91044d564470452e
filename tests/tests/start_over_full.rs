//! Starting over with a state that has no room: the log stays as it was, and the store answers. The
//! limit of SQLite's memory is the process's: this file has one test.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test, not an API"
)]

use std::sync::atomic::{AtomicU64, Ordering};

use livestore::prelude::*;
use livestore::sync::{NetworkStatus, OnBackendReset, StopReason, SyncOptions};
use livestore_sync::InProcess;
use livestore_testing::{StoreDirectory, TIMEOUT, wait_until};

const MEMORY: u64 = 64 << 20;

/// The length of a note whose book is not there.
static BYTES_WITHOUT_BOOK: AtomicU64 = AtomicU64::new(4 * MEMORY);

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    #[column(primary_key)]
    pub id: String,
    pub bytes: Vec<u8>,
}

#[derive(Event, Debug, Clone)]
pub enum NoteEvent {
    #[event(name = "v1.BookOpened")]
    BookOpened,
    #[event(name = "v1.NoteWritten")]
    Written { id: String },
}

impl Materialize for NoteEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::BookOpened => state.insert(&Note { id: "book".into(), bytes: vec![] }),
            Self::Written { id } => {
                let has_book = state.query(Note::get("book"))?.is_some();
                let len = if has_book { 1 } else { BYTES_WITHOUT_BOOK.load(Ordering::Relaxed) };
                let sql = "INSERT INTO note (id, bytes) VALUES (?, zeroblob(?))";
                state.sql(sql, (id.as_str(), len.cast_signed())).map(drop)
            }
        }
    }
}

livestore::schema! { pub App { tables: [Note], events: [NoteEvent] } }

#[test]
fn starting_over_without_room_leaves_the_log() {
    let (backend, home) = (InProcess::new(), StoreDirectory::new("notes"));
    let open = || {
        let options = SyncOptions::new(backend.clone()).on_backend_reset(OnBackendReset::Reset);
        home.builder::<App>().sync(options.start_paused()).open().unwrap()
    };
    let store = open();
    store.resume_sync();
    store.commit(NoteEvent::BookOpened).unwrap();
    assert!(store.wait_synced(TIMEOUT).unwrap());
    store.pause_sync();
    wait_until(|| store.network_status().unwrap() == NetworkStatus::Paused);
    store.commit(NoteEvent::Written { id: "pending".into() }).unwrap();
    let notes = store.live(Note::all().count()).unwrap();
    let log = || store.events().into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    let (before, hash) = (log(), store.state_hash().unwrap());

    let sqlite = rusqlite::Connection::open_in_memory().unwrap();
    sqlite.execute_batch(&format!("PRAGMA hard_heap_limit = {MEMORY}")).unwrap();
    backend.reset();
    for _ in 0..2 {
        store.resume_sync();
        wait_until(|| {
            let network = store.network_status().unwrap();
            matches!(network, NetworkStatus::Stopped(StopReason::StateFull { .. }))
        });
        let after = (log(), store.state_hash().unwrap(), store.quarantined().unwrap());
        assert_eq!(after, (before.clone(), hash, vec![]));
        assert_eq!(**notes.get(), 2);
    }
    store.commit(NoteEvent::Written { id: "more".into() }).unwrap();
    let hash = store.state_hash().unwrap();
    store.close().unwrap();
    let store = open();
    assert_eq!(store.state_hash().unwrap(), hash);

    BYTES_WITHOUT_BOOK.store(2, Ordering::Relaxed);
    store.resume_sync();
    assert!(store.wait_synced(TIMEOUT).unwrap(), "{:?}", store.sync_status());
    assert_eq!(backend.events("notes").len(), 2);
    let note = |id: &str| Note { id: id.into(), bytes: vec![0; 2] };
    assert_eq!(
        store.query(Note::all().order_by(Note::ID.asc())).unwrap(),
        [note("more"), note("pending")]
    );
}
