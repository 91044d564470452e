//! Others' events that do not fit into the state: sync stops, nothing is half done, and it goes on once
//! there is room.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test, not an API"
)]

use livestore::live::Reactive;
use livestore::prelude::*;
use livestore::sync::{NetworkStatus, StopReason, SyncOptions};
use livestore_sync::InProcess;
use livestore_testing::{StoreDirectory, TIMEOUT, wait_until};

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    #[column(primary_key)]
    pub id: String,
    pub text: String,
}

/// Small events that make large rows.
#[derive(Event, Debug, Clone)]
pub enum PageEvent {
    #[event(name = "v1.Written")]
    Written { id: String, bytes: usize },
    #[event(name = "v1.Removed")]
    Removed { id: String },
}

impl Materialize for PageEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Written { id, bytes } => {
                state.upsert(&Page { id: id.clone(), text: "x".repeat(*bytes) })
            }
            Self::Removed { id } => state.run(Page::delete().filter(Page::ID.eq(id))),
        }
    }
}

livestore::schema! { pub App { tables: [Page], events: [PageEvent] } }

const LIMIT: u64 = 512 * 1024;

fn written(id: impl ToString) -> PageEvent {
    PageEvent::Written { id: id.to_string(), bytes: 32_000 }
}

fn open(home: &StoreDirectory, backend: &InProcess, limit: u64) -> Store<App> {
    home.builder::<App>().sync(backend.clone()).max_state_bytes(limit).open().unwrap()
}

fn is_stopped(store: &Store<App>) -> bool {
    let network = store.network_status().unwrap();
    matches!(network, NetworkStatus::Stopped(StopReason::StateFull { .. }))
}

fn seqs(store: &Store<App>) -> Vec<String> {
    store.events().into_iter().map(|event| event.unwrap().seq.to_string()).collect()
}

/// A backend with this many pages of another client.
fn backend_with(pages: u64) -> (InProcess, Store<App>) {
    let backend = InProcess::new();
    let other = Store::<App>::builder("pages").sync(backend.clone()).open().unwrap();
    for n in 0..pages {
        other.commit(written(format!("other {n}"))).unwrap();
    }
    assert!(other.wait_synced(TIMEOUT).unwrap());
    (backend, other)
}

#[test]
fn a_new_client_stops_and_opens_again_with_more_room() {
    let (backend, _other) = backend_with(40);
    let home = StoreDirectory::new("pages");
    for _ in 0..2 {
        let store = open(&home, &backend, LIMIT);
        wait_until(|| is_stopped(&store));
        assert!(store.network_status().unwrap().to_string().contains("no room"));
        assert_eq!(store.query(Page::all().count()).unwrap(), 0);
        assert_eq!(store.events().confirmed().into_iter().count(), 0);
        assert_eq!(store.quarantined().unwrap(), []);
        // What fits is still taken, and stays pending.
        store.commit(PageEvent::Removed { id: "nothing".into() }).unwrap();
        store.close().unwrap();
    }
    let store = open(&home, &backend, u64::MAX);
    assert!(store.wait_synced(TIMEOUT).unwrap());
    assert_eq!(store.query(Page::all().count()).unwrap(), 40);
    assert_eq!((store.quarantined().unwrap(), backend.events("pages").len()), (vec![], 42));
}

#[test]
fn what_is_pending_stays_and_sync_goes_on_when_there_is_room() {
    let (backend, other) = backend_with(0);
    let home = StoreDirectory::new("pages");
    let store = open(&home, &backend, LIMIT);
    store.commit(written("base")).unwrap();
    assert!(store.wait_synced(TIMEOUT).unwrap());
    assert!(other.wait_synced(TIMEOUT).unwrap());
    store.pause_sync();
    wait_until(|| store.network_status().unwrap() == NetworkStatus::Paused);
    (0..10).for_each(|n| drop(store.commit([written(n), written(format!("{n}, too"))]).err()));
    let (before, hash) = (seqs(&store), store.state_hash().unwrap());
    let pages = store.query(Page::all().count()).unwrap();
    assert!(pages > 8, "{pages}");
    let titles = store.live(Page::all().order_by(Page::ID.asc()).select(Page::ID)).unwrap();
    for n in 0..8 {
        other.commit(written(format!("other {n}"))).unwrap();
    }
    assert!(other.wait_synced(TIMEOUT).unwrap());

    for _ in 0..2 {
        store.resume_sync();
        wait_until(|| is_stopped(&store));
        assert_eq!((seqs(&store), store.state_hash().unwrap()), (before.clone(), hash));
        assert_eq!(store.quarantined().unwrap(), []);
        assert_eq!(titles.get().len() as u64, pages);
    }
    let pending = store.sync_status().unwrap().pending as u64;
    assert_eq!(pending, pages - 1);

    let removed = (0..10).flat_map(|n| [n.to_string(), format!("{n}, too")]);
    for id in removed {
        store.commit(PageEvent::Removed { id }).unwrap();
    }
    store.resume_sync();
    assert!(store.wait_synced(TIMEOUT).unwrap(), "{:?}", store.sync_status());
    assert_eq!(titles.get().len(), 9);
    livestore_testing::sync(&[&store, &other]).unwrap();
    assert_eq!(store.state_hash(), other.state_hash());
    let hash = store.state_hash().unwrap();
    store.close().unwrap();
    let again = home.builder::<App>().open().unwrap();
    assert_eq!(again.state_hash().unwrap(), hash);
}

#[test]
fn a_commit_that_does_not_fit_leaves_what_is_pending() {
    let (backend, other) = backend_with(0);
    let home = StoreDirectory::new("pages");
    let options = SyncOptions::new(backend).start_paused();
    let store = home.builder::<App>().sync(options).max_state_bytes(LIMIT).open().unwrap();
    let refused = (0..100).find(|n| store.commit(written(n)).is_err()).unwrap();
    assert!(matches!(store.commit(written("more")), Err(CommitError::StateFull(_))));
    assert_eq!(store.sync_status().unwrap().pending, refused);
    assert_eq!(store.query(Page::all().count()).unwrap(), refused as u64);
    store.resume_sync();
    livestore_testing::sync(&[&store, &other]).unwrap();
    assert_eq!(store.state_hash(), other.state_hash());
}
