//! Stores that sync with one another, in one program.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test, not an API"
)]

use std::sync::{Arc, Mutex};

use livestore::live::Reactive;
use livestore::prelude::*;
use livestore::sync::{MAX_EVENTS, NetworkStatus, OnBackendReset, StopReason, SyncOptions};
use livestore_sync::{InProcess, NextPush};
use livestore_testing::sample::notes::{Note, NoteEvent, added, written};
use livestore_testing::{StoreDirectory, TIMEOUT, assert_converged, wait_until};
use proptest::prelude::*;

/// Ends the transaction that the store has begun, if there is a note with this id.
#[derive(Event, Debug, Clone)]
#[event(name = "v1.RolledBack")]
pub struct RolledBack {
    pub id: String,
}

impl Materialize for RolledBack {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.sql("INSERT OR ROLLBACK INTO note VALUES (?, '')", (&self.id,)).map(|_| ())
    }
}

livestore::schema! { pub App { tables: [Note], events: [NoteEvent, RolledBack] } }

fn open(backend: &InProcess, client: &str) -> Store<App> {
    Store::<App>::builder("notes").client_id(client).sync(backend.clone()).open().unwrap()
}

fn synced(stores: &[&Store<App>]) {
    livestore_testing::sync(stores).unwrap();
    assert_converged(stores);
}

#[test]
fn a_store_that_was_just_opened_is_connecting() {
    for _ in 0..50 {
        let store = open(&InProcess::new(), "a");
        let (status, live) = (store.network_status(), store.live_sync_status().unwrap().get());
        assert_ne!(
            (status.unwrap(), &live.network),
            (NetworkStatus::Paused, &NetworkStatus::Paused)
        );
        store.pause_sync();
        assert_eq!(store.network_status().unwrap(), NetworkStatus::Paused);
        store.resume_sync();
        wait_until(|| store.network_status().unwrap() == NetworkStatus::Online);
    }
    let options = SyncOptions::new(InProcess::new()).start_paused();
    let store = Store::<App>::builder("notes").sync(options).open().unwrap();
    assert_eq!(store.network_status().unwrap(), NetworkStatus::Paused);
}

#[test]
fn two_stores_see_each_others_events() {
    let backend = InProcess::new();
    let (a, b) = (open(&backend, "a"), open(&backend, "b"));
    let notes = b.live(Note::all().order_by(Note::ID.asc())).unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&calls);
    let _guard = notes.subscribe(move |notes| noted.lock().unwrap().push(notes.len()));
    a.commit([written("1"), written("2")]).unwrap();
    wait_until(|| notes.get().len() == 2);
    assert_eq!(*calls.lock().unwrap(), [2]);
    b.commit(written("3")).unwrap();
    synced(&[&a, &b]);
    assert_eq!(backend.events("notes").len(), 3);
    assert_eq!(a.events().pending().into_iter().count(), 0);
    assert_eq!(a.events().confirmed().into_iter().count(), 3);
}

#[test]
fn offline_commits_are_rebased_on_return_with_one_notification() {
    let backend = InProcess::new();
    let (a, b) = (open(&backend, "a"), open(&backend, "b"));
    a.commit(written("0")).unwrap();
    synced(&[&a, &b]);
    a.pause_sync();
    wait_until(|| a.network_status().unwrap() == NetworkStatus::Paused);
    a.commit([written("a1"), written("a2")]).unwrap();
    a.commit(NoteEvent::Seen { id: "a1".into() }).unwrap();
    assert_eq!(a.sync_status().unwrap().pending, 2, "a client-only event is not pushed");
    assert_eq!(a.events().pending().into_iter().count(), 3);
    b.commit(written("b1")).unwrap();
    assert!(b.wait_synced(TIMEOUT).unwrap());

    let notes = a.live(Note::all().order_by(Note::ID.asc())).unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&calls);
    let _guard = notes.subscribe(move |notes| {
        noted.lock().unwrap().push(notes.iter().map(|note| note.id.clone()).collect::<Vec<_>>());
    });
    a.resume_sync();
    synced(&[&b, &a][..1]);
    assert!(a.wait_synced(TIMEOUT).unwrap());
    wait_until(|| b.query(Note::all().count()).unwrap() == 4);
    assert_eq!(*calls.lock().unwrap(), [["0", "a1", "a2", "b1"]]);
    // The client-only event stayed, behind the event that it stood behind.
    let seen = a.events().named("v1.NoteSeen").into_iter().next().unwrap().unwrap();
    assert_eq!(seen.seq.to_string(), "e4.1r1");
    assert_eq!(a.query(Note::get("a1")).unwrap().unwrap().text, "seen");
    assert_eq!((a.verify_replay(), b.verify_replay()), (Ok(()), Ok(())));
    assert_eq!(b.query(Note::get("a1")).unwrap().unwrap().text, "text of a1");
    assert!(backend.events("notes").iter().all(|event| event.name != "v1.NoteSeen"));
}

#[test]
fn an_event_that_no_longer_applies_is_kept_and_told() {
    let backend = InProcess::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&told);
    let a = Store::<App>::builder("notes")
        .client_id("a")
        .sync(SyncOptions::new(backend.clone()).start_paused())
        .on_quarantined(move |event| {
            noted.lock().unwrap().push(event.args.clone());
            panic!("harmless");
        })
        .open()
        .unwrap();
    let b = open(&backend, "b");
    a.commit([added("x")]).unwrap();
    a.commit(written("after")).unwrap();
    b.commit(added("x")).unwrap();
    assert!(b.wait_synced(TIMEOUT).unwrap());
    a.resume_sync();
    synced(&[&a, &b]);
    wait_until(|| b.query(Note::all().count()).unwrap() == 2);
    assert_eq!(*told.lock().unwrap(), [r#"{"id":"x","text":"text of x"}"#]);
    assert_eq!(a.quarantined().unwrap().len(), 1);
    let args = |store: &Store<App>| store.quarantined().unwrap()[0].args.clone();
    assert_eq!(args(&a), args(&b));
    // The callback's panic has not ended the sync.
    a.commit(written("later")).unwrap();
    synced(&[&a, &b]);
}

#[test]
fn lost_answers_and_lost_pushes_neither_double_nor_lose() {
    let backend = InProcess::new();
    let (a, b) = (open(&backend, "a"), open(&backend, "b"));
    synced(&[&a, &b]);
    let kinds = [NextPush::Fail, NextPush::Lose, NextPush::LoseAck, NextPush::LoseBroadcast];
    for (n, kind) in kinds.into_iter().enumerate() {
        backend.on_next_push(kind);
        a.commit(written(format!("{n}"))).unwrap();
        wait_until(|| {
            a.resume_sync();
            b.resume_sync();
            backend.events("notes").len() == n + 1
        });
        synced(&[&a, &b]);
    }
    assert_eq!(backend.events("notes").len(), 4);
}

#[test]
fn what_is_pending_survives_a_restart() {
    let backend = InProcess::new();
    let directory = tempfile::tempdir().unwrap();
    let open = |held: bool| {
        let options = SyncOptions::new(backend.clone());
        let options = if held { options.start_paused() } else { options };
        Store::<App>::builder("notes").directory(directory.path()).sync(options).open().unwrap()
    };
    let b = self::open(&backend, "b");
    let a = open(false);
    a.commit(written("0")).unwrap();
    assert!(a.wait_synced(TIMEOUT).unwrap());
    a.pause_sync();
    wait_until(|| a.network_status().unwrap() == NetworkStatus::Paused);
    a.commit(written("1")).unwrap();
    a.close().unwrap();
    b.commit(written("b")).unwrap();
    assert!(b.wait_synced(TIMEOUT).unwrap());
    let a = open(true);
    let status = a.sync_status().unwrap();
    assert_eq!((status.pending, status.upstream_head.global), (1, 1));
    assert_eq!(a.query(Note::all().count()).unwrap(), 2);
    a.resume_sync();
    synced(&[&a, &b]);
    a.close().unwrap();
    let a = open(true);
    assert_eq!(a.sync_status().unwrap().pending, 0);
    assert_eq!(a.query(Note::all().count()).unwrap(), 3);
    assert_eq!(a.head().unwrap().to_string(), "e3r1");
}

#[test]
fn a_client_that_is_restored_from_a_backup_doubles_nothing() {
    let backend = InProcess::new();
    let directory = StoreDirectory::new("notes");
    let open = |directory: &StoreDirectory, held: bool| {
        let options = SyncOptions::new(backend.clone());
        let options = if held { options.start_paused() } else { options };
        directory.builder::<App>().sync(options).open().unwrap()
    };
    let a = open(&directory, true);
    a.commit([written("1"), written("2")]).unwrap();
    a.close().unwrap();
    let backup = directory.copy();
    // What is pending in the backup gets in, and more comes behind it.
    let a = open(&directory, false);
    a.commit(written("3")).unwrap();
    assert!(a.wait_synced(TIMEOUT).unwrap());
    a.close().unwrap();

    let a = open(&backup, true);
    assert_eq!(a.sync_status().unwrap().pending, 2);
    a.commit(written("4")).unwrap();
    a.resume_sync();
    let b = self::open(&backend, "b");
    synced(&[&a, &b]);
    assert_eq!(backend.events("notes").len(), 4);
    assert_eq!(a.query(Note::all().count()).unwrap(), 4);
}

/// A cloned machine, a laptop that was moved: what is committed in both copies is two people's work.
#[test]
fn equal_events_of_two_copies_of_a_directory_are_two() {
    let backend = InProcess::new();
    let directory = StoreDirectory::new("notes");
    let open = |directory: &StoreDirectory| {
        directory.builder::<App>().sync(backend.clone()).open().unwrap()
    };
    let one = open(&directory);
    one.commit(written("before")).unwrap();
    assert!(one.wait_synced(TIMEOUT).unwrap());
    one.close().unwrap();
    let copy = directory.copy();

    let (one, two) = (open(&directory), open(&copy));
    assert_eq!(one.client_id(), two.client_id());
    assert_ne!(one.session_id(), two.session_id());
    synced(&[&one, &two]);
    for store in [&one, &two] {
        store.pause_sync();
        store.commit([written("same"), written("same")]).unwrap();
    }
    one.resume_sync();
    assert!(one.wait_synced(TIMEOUT).unwrap());
    two.resume_sync();
    synced(&[&one, &two]);
    assert_eq!(backend.events("notes").len(), 5);
}

/// What was pending when the directory was copied is one event: it was committed once.
#[test]
fn what_was_pending_in_a_copied_directory_is_pushed_once() {
    let backend = InProcess::new();
    let directory = StoreDirectory::new("notes");
    let open = |directory: &StoreDirectory, held| {
        let options = SyncOptions::new(backend.clone());
        let options = if held { options.start_paused() } else { options };
        directory.builder::<App>().sync(options).open().unwrap()
    };
    let one = open(&directory, true);
    one.commit([written("a"), written("b")]).unwrap();
    one.close().unwrap();
    let copy = directory.copy();

    let one = open(&directory, false);
    assert!(one.wait_synced(TIMEOUT).unwrap());
    let two = open(&copy, false);
    synced(&[&one, &two]);
    assert_eq!(backend.events("notes").len(), 2);
}

/// A renamed folder would push one store's events to another one.
#[test]
fn a_renamed_folder_pushes_nothing() {
    let backend = InProcess::new();
    let directory = tempfile::tempdir().unwrap();
    let open = |id: &str| {
        Store::<App>::builder(id).directory(directory.path()).sync(backend.clone()).open()
    };
    let a = open("team-a").unwrap();
    a.commit(written("secret")).unwrap();
    assert!(a.wait_synced(TIMEOUT).unwrap());
    a.close().unwrap();
    std::fs::rename(directory.path().join("team-a"), directory.path().join("team-b")).unwrap();
    let error = open("team-b").unwrap_err();
    assert!(matches!(&error, OpenError::OtherStore { found, .. } if found == "team-a"), "{error}");
    assert_eq!(backend.events("team-b").len(), 0);
}

#[test]
fn a_store_that_gets_a_backend_later_offers_what_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let alone = Store::<App>::builder("notes").directory(directory.path()).open().unwrap();
    for n in 0..250 {
        alone.commit(written(format!("{n:03}"))).unwrap();
    }
    assert!(alone.sync_status().unwrap().network == NetworkStatus::None);
    alone.close().unwrap();
    let backend = InProcess::new();
    let b = open(&backend, "b");
    b.commit(written("b")).unwrap();
    assert!(b.wait_synced(TIMEOUT).unwrap());
    let a = Store::<App>::builder("notes").directory(directory.path()).sync(backend.clone()).open();
    let a = a.unwrap();
    synced(&[&a, &b]);
    wait_until(|| b.query(Note::all().count()).unwrap() == 251);
    assert_eq!(backend.events("notes").len(), 251);
}

#[test]
fn another_backend_stops_the_store_or_resets_it() {
    let backend = InProcess::new();
    let a = open(&backend, "a");
    let options = SyncOptions::new(backend.clone()).on_backend_reset(OnBackendReset::Reset);
    let b = Store::<App>::builder("notes").client_id("b").sync(options).open().unwrap();
    a.commit([written("1"), written("2")]).unwrap();
    synced(&[&a, &b]);
    b.pause_sync();
    wait_until(|| b.network_status().unwrap() == NetworkStatus::Paused);
    b.commit(written("pending")).unwrap();
    let notes = b.live(Note::all().count()).unwrap();
    backend.reset();
    a.resume_sync();
    wait_until(|| {
        matches!(
            a.network_status().unwrap(),
            NetworkStatus::Stopped(StopReason::OtherBackend { .. })
        )
    });
    assert_eq!(a.query(Note::all().count()).unwrap(), 2);
    b.resume_sync();
    assert!(b.wait_synced(TIMEOUT).unwrap());
    wait_until(|| backend.events("notes").len() == 1);
    assert_eq!(b.query(Note::all().count()).unwrap(), 1);
    wait_until(|| **notes.get() == 1);
    b.commit(written("more")).unwrap();
    assert!(b.wait_synced(TIMEOUT).unwrap());
}

#[test]
fn a_reset_takes_client_only_events_before_the_first_synced_one() {
    let backend = InProcess::new();
    let options = SyncOptions::new(backend.clone()).on_backend_reset(OnBackendReset::Reset);
    let store = Store::<App>::builder("notes").sync(options).open().unwrap();
    let seen = || NoteEvent::Seen { id: "1".into() };
    store.commit(seen()).unwrap();
    wait_until(|| store.network_status().unwrap() == NetworkStatus::Online);
    store.pause_sync();
    wait_until(|| store.network_status().unwrap() == NetworkStatus::Paused);
    backend.reset();
    store.resume_sync();
    wait_until(|| store.network_status().unwrap() == NetworkStatus::Online);
    assert_eq!(store.events().into_iter().count(), 0);
    store.commit(seen()).unwrap();
    assert_eq!(store.head().unwrap().to_string(), "e0.1");
}

#[test]
fn a_snapshot_from_before_a_reset_is_none_of_the_new_log() {
    let (backend, data) = (InProcess::new(), tempfile::tempdir().unwrap());
    let open = || {
        let options = SyncOptions::new(backend.clone()).on_backend_reset(OnBackendReset::Reset);
        let store = Store::<App>::builder("notes").directory(data.path()).sync(options);
        let store = store.open().unwrap();
        assert!(store.wait_synced(TIMEOUT).unwrap());
        store
    };
    let store = open();
    store.commit(written("lost")).unwrap();
    synced(&[&store]);
    store.close().unwrap();
    let path = data.path().join("notes/state.snapshot");
    let snapshot = std::fs::read(&path).unwrap();
    backend.reset();
    let store = open();
    store.commit([written("1"), written("2")]).unwrap();
    synced(&[&store]);
    store.close().unwrap();
    // A power cut brings the file back that the reset had removed.
    std::fs::write(&path, snapshot).unwrap();
    let ids: Vec<String> =
        open().query(Note::all()).unwrap().into_iter().map(|note| note.id).collect();
    assert_eq!(ids, ["1", "2"]);
}

#[test]
fn an_event_that_no_backend_takes_is_refused_at_once() {
    let store = Store::<App>::builder("notes").open().unwrap();
    let large = NoteEvent::Written { id: "x".into(), text: "y".repeat(1_000_000) };
    let error = store.commit(large).unwrap_err();
    assert!(matches!(error, CommitError::TooLarge { index: 0, .. }), "{error}");
    assert_eq!(store.query(Note::all().count()).unwrap(), 0);
    store.commit(written("1")).unwrap();
}

#[test]
fn a_materializers_rollback_leaves_what_is_pending() {
    let backend = InProcess::new();
    let a = open(&backend, "a");
    a.commit(written("0")).unwrap();
    assert!(a.wait_synced(TIMEOUT).unwrap());
    a.pause_sync();
    wait_until(|| a.network_status().unwrap() == NetworkStatus::Paused);
    a.commit(written("1")).unwrap();
    let notes = a.live(Note::all().count()).unwrap();
    assert!(a.commit(RolledBack { id: "1".into() }).is_err());
    assert_eq!((a.query(Note::all().count()).unwrap(), **notes.get()), (2, 2));
    a.commit(written("2")).unwrap();
    assert_eq!((a.query(Note::all().count()).unwrap(), **notes.get()), (3, 3));
    a.resume_sync();
    assert!(a.wait_synced(TIMEOUT).unwrap());
    assert_eq!(backend.events("notes").len(), 3);
}

#[test]
fn a_rollback_while_pending_events_are_applied_again_harms_no_others() {
    let backend = InProcess::new();
    let held = SyncOptions::new(backend.clone()).start_paused();
    let a = Store::<App>::builder("notes").client_id("a").sync(held).open().unwrap();
    let b = open(&backend, "b");
    let notes = a.live(Note::all().count()).unwrap();
    let rolled_back = RolledBack { id: "1".into() };
    a.commit(written("2")).unwrap();
    a.commit(rolled_back).unwrap();
    a.commit(written("3")).unwrap();
    // It comes first, and "1" is there when `a` wants to add it.
    b.commit(written("1")).unwrap();
    synced(&[&b]);
    a.resume_sync();
    synced(&[&a, &b]);
    assert_eq!((a.query(Note::all().count()).unwrap(), **notes.get()), (3, 3));
    let hash = a.state_hash().unwrap();
    a.reset_state().unwrap();
    assert_eq!((a.state_hash().unwrap(), b.state_hash().unwrap()), (hash, hash));

    // What nothing is held below is rebased all the same.
    a.pause_sync();
    wait_until(|| a.network_status().unwrap() == NetworkStatus::Paused);
    a.commit(added("4")).unwrap();
    b.commit(added("4")).unwrap();
    synced(&[&b]);
    a.resume_sync();
    synced(&[&a, &b]);
    assert_eq!(a.state_hash(), b.state_hash());
    assert_eq!(**notes.get(), 4);
}

#[test]
fn a_follower_gets_each_event_once_it_is_confirmed() {
    let backend = InProcess::new();
    let options = SyncOptions::new(backend.clone()).start_paused();
    let a = Store::<App>::builder("notes").client_id("a").sync(options).open().unwrap();
    let b = open(&backend, "b");
    let mut follow = a.events().follow();
    a.commit([written("a1"), written("a2")]).unwrap();
    assert!(follow.try_next().is_none());
    b.commit(written("b1")).unwrap();
    assert!(b.wait_synced(TIMEOUT).unwrap());
    a.resume_sync();
    let ids: Vec<String> = (0..3).map(|_| follow.next().unwrap().unwrap().args).collect();
    assert!(ids[0].contains("b1") && ids[1].contains("a1") && ids[2].contains("a2"), "{ids:?}");
    assert!(follow.try_next().is_none());
}

#[test]
fn a_hundred_thousand_pending_events_go_out() {
    let backend = InProcess::new();
    let options = SyncOptions::new(backend.clone()).start_paused();
    let a = Store::<App>::builder("notes").client_id("a").sync(options).open().unwrap();
    let count = if cfg!(debug_assertions) { 10_000 } else { 100_000 };
    for n in 0..count / MAX_EVENTS {
        let batch: Vec<_> = (0..MAX_EVENTS).map(|k| written(format!("{n}-{k}"))).collect();
        a.commit(batch).unwrap();
    }
    let b = open(&backend, "b");
    b.commit(written("b")).unwrap();
    assert!(b.wait_synced(TIMEOUT).unwrap());
    a.resume_sync();
    assert!(a.wait_synced(TIMEOUT).unwrap());
    assert_eq!(backend.events("notes").len(), count + 1);
    assert_eq!(a.query(Note::all().count()).unwrap(), count as u64 + 1);
}

#[derive(Debug, Clone)]
enum Step {
    Commit(usize, u8),
    Seen(usize, u8),
    Hold(usize),
    Resume(usize),
    Fail(u8),
    Restart(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let store = 0..3usize;
    prop_oneof![
        6 => (store.clone(), 0..6u8).prop_map(|(at, id)| Step::Commit(at, id)),
        1 => (store.clone(), 0..6u8).prop_map(|(at, id)| Step::Seen(at, id)),
        1 => store.clone().prop_map(Step::Hold),
        2 => store.clone().prop_map(Step::Resume),
        1 => (0..4u8).prop_map(Step::Fail),
        1 => store.prop_map(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn stores_converge(steps in prop::collection::vec(step(), 1..40)) {
        let backend = InProcess::new();
        let directory = tempfile::tempdir().unwrap();
        let open = |at: usize| {
            let options = SyncOptions::new(backend.clone());
            let path = directory.path().join(at.to_string());
            let builder = Store::<App>::builder("notes").directory(path).client_id(format!("c{at}"));
            builder.durability(Durability::Buffered).sync(options).open().unwrap()
        };
        let mut stores: Vec<Option<Store<App>>> = (0..3).map(|at| Some(open(at))).collect();
        let mut committed = 0;
        for step in steps {
            match step {
                Step::Commit(at, id) => {
                    let text = format!("{at} {committed}");
                    let event = NoteEvent::Written { id: id.to_string(), text };
                    stores[at].as_ref().unwrap().commit(event).unwrap();
                    committed += 1;
                }
                Step::Seen(at, id) => {
                    let seen = NoteEvent::Seen { id: format!("none {id}") };
                    stores[at].as_ref().unwrap().commit(seen).unwrap();
                }
                Step::Hold(at) => stores[at].as_ref().unwrap().pause_sync(),
                Step::Resume(at) => stores[at].as_ref().unwrap().resume_sync(),
                Step::Fail(n) => backend.on_next_push(match n {
                    0 => NextPush::Fail,
                    1 => NextPush::Lose,
                    2 => NextPush::LoseAck,
                    _ => NextPush::LoseBroadcast,
                }),
                Step::Restart(at) => {
                    stores[at].take().unwrap().close().unwrap();
                    stores[at] = Some(open(at));
                }
            }
        }
        let stores: Vec<_> = stores.iter().flatten().collect();
        wait_until(|| {
            stores.iter().for_each(|store| store.resume_sync());
            backend.events("notes").len() == committed
        });
        synced(&stores);
        for store in &stores {
            let hash = store.state_hash().unwrap();
            store.reset_state().unwrap();
            prop_assert_eq!(store.state_hash().unwrap(), hash);
        }
    }
}
