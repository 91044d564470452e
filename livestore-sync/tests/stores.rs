//! Stores that sync with one another, in one program.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test, not an API"
)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use livestore::live::Reactive;
use livestore::prelude::*;
use livestore::sync::{NetworkStatus, OnBackendReset, StopReason, SyncOptions};
use livestore_sync::{InProcess, NextPush};
use proptest::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    #[column(primary_key)]
    pub id: String,
    pub text: String,
}

#[derive(Event, Debug, Clone)]
pub enum NoteEvent {
    #[event(name = "v1.Added")]
    Added { id: String, text: String },
    #[event(name = "v1.Changed")]
    Changed { id: String, text: String },
    #[event(name = "v1.Unique")]
    Unique { id: String },
    #[event(name = "v1.Seen", client_only)]
    Seen { id: String },
    #[event(name = "v1.RolledBack")]
    RolledBack { id: String },
}

impl Materialize for NoteEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self.clone() {
            Self::Added { id, text } => state.upsert(&Note { id, text }),
            Self::Changed { id, text } => {
                state.run(Note::update().set(Note::TEXT, text).filter(Note::ID.eq(id)))
            }
            Self::Unique { id } => state.insert(&Note { id, text: "unique".into() }),
            Self::Seen { id } => {
                state.run(Note::update().set(Note::TEXT, "seen").filter(Note::ID.eq(id)))
            }
            Self::RolledBack { id } => {
                state.sql("INSERT OR ROLLBACK INTO note VALUES (?, '')", (id,)).map(|_| ())
            }
        }
    }
}

livestore::schema! { pub App { tables: [Note], events: [NoteEvent] } }

const PATIENCE: Duration = Duration::from_secs(60);

fn added(id: impl Into<String>) -> NoteEvent {
    let id = id.into();
    NoteEvent::Added { text: format!("text of {id}"), id }
}

fn open(backend: &InProcess, client: &str) -> Store<App> {
    Store::<App>::builder("notes").client_id(client).sync(backend.clone()).open().unwrap()
}

fn synced(stores: &[&Store<App>]) {
    // What one pushes last, the others must still pull.
    for _ in 0..2 {
        for store in stores {
            assert!(store.wait_synced(PATIENCE).unwrap(), "{:?}", store.sync_status());
        }
        let heads = || stores.iter().map(|store| store.sync_status().unwrap().upstream_head.global);
        let head = heads().max().unwrap();
        for store in stores {
            wait(|| store.sync_status().unwrap().upstream_head.global >= head);
        }
    }
    let log = |store: &Store<App>| {
        let events = store.events().into_iter().map(Result::unwrap);
        let synced = events.filter(|event| !event.is_client_only());
        synced.map(|event| (event.seq.global, event.args, event.client_id)).collect::<Vec<_>>()
    };
    for store in stores {
        assert_eq!(log(store), log(stores[0]));
        assert_eq!(
            store.query(Note::all().order_by(Note::ID.asc())).unwrap(),
            stores[0].query(Note::all().order_by(Note::ID.asc())).unwrap()
        );
    }
}

fn wait(mut done: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "it takes too long");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn two_stores_see_each_others_events() {
    let backend = InProcess::new();
    let (a, b) = (open(&backend, "a"), open(&backend, "b"));
    let notes = b.live(Note::all().order_by(Note::ID.asc())).unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&calls);
    let _guard = notes.subscribe(move |notes| noted.lock().unwrap().push(notes.len()));
    a.commit([added("1"), added("2")]).unwrap();
    wait(|| notes.get().len() == 2);
    assert_eq!(*calls.lock().unwrap(), [2]);
    b.commit(added("3")).unwrap();
    synced(&[&a, &b]);
    assert_eq!(backend.events("notes").len(), 3);
    assert_eq!(a.events().pending().into_iter().count(), 0);
    assert_eq!(a.events().confirmed().into_iter().count(), 3);
}

#[test]
fn offline_commits_are_rebased_on_return_with_one_notification() {
    let backend = InProcess::new();
    let (a, b) = (open(&backend, "a"), open(&backend, "b"));
    a.commit(added("0")).unwrap();
    synced(&[&a, &b]);
    a.pause_sync();
    wait(|| a.network_status().unwrap() == NetworkStatus::Paused);
    a.commit([added("a1"), added("a2")]).unwrap();
    a.commit(NoteEvent::Seen { id: "a1".into() }).unwrap();
    assert_eq!(a.sync_status().unwrap().pending, 3);
    assert_eq!(a.events().pending().into_iter().count(), 3);
    b.commit(added("b1")).unwrap();
    assert!(b.wait_synced(PATIENCE).unwrap());

    let notes = a.live(Note::all().order_by(Note::ID.asc())).unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&calls);
    let _guard = notes.subscribe(move |notes| {
        noted.lock().unwrap().push(notes.iter().map(|note| note.id.clone()).collect::<Vec<_>>());
    });
    a.resume_sync();
    synced(&[&b, &a][..1]);
    assert!(a.wait_synced(PATIENCE).unwrap());
    wait(|| b.query(Note::all().count()).unwrap() == 4);
    assert_eq!(*calls.lock().unwrap(), [["0", "a1", "a2", "b1"]]);
    // The client-only event stayed, behind the event that it stood behind.
    let seen = a.events().named("v1.Seen").into_iter().next().unwrap().unwrap();
    assert_eq!(seen.seq.to_string(), "e4.1r1");
    assert_eq!(a.query(Note::get("a1")).unwrap().unwrap().text, "seen");
    assert_eq!(b.query(Note::get("a1")).unwrap().unwrap().text, "text of a1");
    assert!(backend.events("notes").iter().all(|event| event.name != "v1.Seen"));
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
    a.commit([NoteEvent::Unique { id: "x".into() }]).unwrap();
    a.commit(added("after")).unwrap();
    b.commit(NoteEvent::Unique { id: "x".into() }).unwrap();
    assert!(b.wait_synced(PATIENCE).unwrap());
    a.resume_sync();
    synced(&[&a, &b]);
    wait(|| b.query(Note::all().count()).unwrap() == 2);
    assert_eq!(*told.lock().unwrap(), [r#"{"id":"x"}"#]);
    assert_eq!(a.quarantined().unwrap().len(), 1);
    let args = |store: &Store<App>| store.quarantined().unwrap()[0].args.clone();
    assert_eq!(args(&a), args(&b));
    // The callback's panic has not ended the sync.
    a.commit(added("later")).unwrap();
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
        a.commit(added(format!("{n}"))).unwrap();
        wait(|| {
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
    a.commit(added("0")).unwrap();
    assert!(a.wait_synced(PATIENCE).unwrap());
    a.pause_sync();
    wait(|| a.network_status().unwrap() == NetworkStatus::Paused);
    a.commit(added("1")).unwrap();
    a.close().unwrap();
    b.commit(added("b")).unwrap();
    assert!(b.wait_synced(PATIENCE).unwrap());
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

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            std::fs::create_dir_all(&to).unwrap();
            copy(&path, &to);
        } else {
            std::fs::copy(path, to).unwrap();
        }
    }
}

#[test]
fn a_client_that_is_restored_from_a_backup_doubles_nothing() {
    let backend = InProcess::new();
    let (directory, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = |directory: &Path, held: bool| {
        let options = SyncOptions::new(backend.clone());
        let options = if held { options.start_paused() } else { options };
        Store::<App>::builder("notes").directory(directory).sync(options).open().unwrap()
    };
    let a = open(directory.path(), true);
    a.commit([added("1"), added("2")]).unwrap();
    a.close().unwrap();
    copy(directory.path(), backup.path());
    // What is pending in the backup gets in, and more comes behind it.
    let a = open(directory.path(), false);
    a.commit(added("3")).unwrap();
    assert!(a.wait_synced(PATIENCE).unwrap());
    a.close().unwrap();

    let a = open(backup.path(), true);
    assert_eq!(a.sync_status().unwrap().pending, 2);
    a.commit(added("4")).unwrap();
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
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let open = |name: &str| {
        Store::<App>::builder("notes").directory(path(name)).sync(backend.clone()).open().unwrap()
    };
    let one = open("one");
    one.commit(added("before")).unwrap();
    assert!(one.wait_synced(PATIENCE).unwrap());
    one.close().unwrap();
    copy(&path("one"), &path("two"));

    let (one, two) = (open("one"), open("two"));
    assert_eq!(one.client_id(), two.client_id());
    assert_ne!(one.session_id(), two.session_id());
    synced(&[&one, &two]);
    for store in [&one, &two] {
        store.pause_sync();
        store.commit([added("same"), added("same")]).unwrap();
    }
    one.resume_sync();
    assert!(one.wait_synced(PATIENCE).unwrap());
    two.resume_sync();
    synced(&[&one, &two]);
    assert_eq!(backend.events("notes").len(), 5);
}

/// What was pending when the directory was copied is one event: it was committed once.
#[test]
fn what_was_pending_in_a_copied_directory_is_pushed_once() {
    let backend = InProcess::new();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let open = |name: &str, held| {
        let options = SyncOptions::new(backend.clone());
        let options = if held { options.start_paused() } else { options };
        Store::<App>::builder("notes").directory(path(name)).sync(options).open().unwrap()
    };
    let one = open("one", true);
    one.commit([added("a"), added("b")]).unwrap();
    one.close().unwrap();
    copy(&path("one"), &path("two"));

    let one = open("one", false);
    assert!(one.wait_synced(PATIENCE).unwrap());
    let two = open("two", false);
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
    a.commit(added("secret")).unwrap();
    assert!(a.wait_synced(PATIENCE).unwrap());
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
        alone.commit(added(format!("{n:03}"))).unwrap();
    }
    assert!(alone.sync_status().unwrap().network == NetworkStatus::None);
    alone.close().unwrap();
    let backend = InProcess::new();
    let b = open(&backend, "b");
    b.commit(added("b")).unwrap();
    assert!(b.wait_synced(PATIENCE).unwrap());
    let a = Store::<App>::builder("notes").directory(directory.path()).sync(backend.clone()).open();
    let a = a.unwrap();
    synced(&[&a, &b]);
    wait(|| b.query(Note::all().count()).unwrap() == 251);
    assert_eq!(backend.events("notes").len(), 251);
}

#[test]
fn another_backend_stops_the_store_or_resets_it() {
    let backend = InProcess::new();
    let a = open(&backend, "a");
    let options = SyncOptions::new(backend.clone()).on_backend_reset(OnBackendReset::Reset);
    let b = Store::<App>::builder("notes").client_id("b").sync(options).open().unwrap();
    a.commit([added("1"), added("2")]).unwrap();
    synced(&[&a, &b]);
    b.pause_sync();
    wait(|| b.network_status().unwrap() == NetworkStatus::Paused);
    b.commit(added("pending")).unwrap();
    let notes = b.live(Note::all().count()).unwrap();
    backend.reset();
    a.resume_sync();
    wait(|| {
        matches!(
            a.network_status().unwrap(),
            NetworkStatus::Stopped(StopReason::OtherBackend { .. })
        )
    });
    assert_eq!(a.query(Note::all().count()).unwrap(), 2);
    b.resume_sync();
    assert!(b.wait_synced(PATIENCE).unwrap());
    wait(|| backend.events("notes").len() == 1);
    assert_eq!(b.query(Note::all().count()).unwrap(), 1);
    wait(|| **notes.get() == 1);
    b.commit(added("more")).unwrap();
    assert!(b.wait_synced(PATIENCE).unwrap());
}

#[test]
fn a_reset_takes_client_only_events_before_the_first_synced_one() {
    let backend = InProcess::new();
    let options = SyncOptions::new(backend.clone()).on_backend_reset(OnBackendReset::Reset);
    let store = Store::<App>::builder("notes").sync(options).open().unwrap();
    let seen = || NoteEvent::Seen { id: "1".into() };
    store.commit(seen()).unwrap();
    wait(|| store.network_status().unwrap() == NetworkStatus::Online);
    store.pause_sync();
    wait(|| store.network_status().unwrap() == NetworkStatus::Paused);
    backend.reset();
    store.resume_sync();
    wait(|| store.network_status().unwrap() == NetworkStatus::Online);
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
        assert!(store.wait_synced(PATIENCE).unwrap());
        store
    };
    let store = open();
    store.commit(added("lost")).unwrap();
    synced(&[&store]);
    store.close().unwrap();
    let path = data.path().join("notes/state.snapshot");
    let snapshot = std::fs::read(&path).unwrap();
    backend.reset();
    let store = open();
    store.commit([added("1"), added("2")]).unwrap();
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
    let large = NoteEvent::Added { id: "x".into(), text: "y".repeat(1_000_000) };
    let error = store.commit(large).unwrap_err();
    assert!(matches!(error, CommitError::TooLarge { index: 0, .. }), "{error}");
    assert_eq!(store.query(Note::all().count()).unwrap(), 0);
    store.commit(added("1")).unwrap();
}

#[test]
fn a_materializers_rollback_leaves_what_is_pending() {
    let backend = InProcess::new();
    let a = open(&backend, "a");
    a.commit(added("0")).unwrap();
    assert!(a.wait_synced(PATIENCE).unwrap());
    a.pause_sync();
    wait(|| a.network_status().unwrap() == NetworkStatus::Paused);
    a.commit(added("1")).unwrap();
    let notes = a.live(Note::all().count()).unwrap();
    assert!(a.commit(NoteEvent::RolledBack { id: "1".into() }).is_err());
    assert_eq!((a.query(Note::all().count()).unwrap(), **notes.get()), (2, 2));
    a.commit(added("2")).unwrap();
    assert_eq!((a.query(Note::all().count()).unwrap(), **notes.get()), (3, 3));
    a.resume_sync();
    assert!(a.wait_synced(PATIENCE).unwrap());
    assert_eq!(backend.events("notes").len(), 3);
}

#[test]
fn a_rollback_while_pending_events_are_applied_again_harms_no_others() {
    let backend = InProcess::new();
    let held = SyncOptions::new(backend.clone()).start_paused();
    let a = Store::<App>::builder("notes").client_id("a").sync(held).open().unwrap();
    let b = open(&backend, "b");
    let notes = a.live(Note::all().count()).unwrap();
    let rolled_back = NoteEvent::RolledBack { id: "1".into() };
    a.commit(added("2")).unwrap();
    a.commit(rolled_back).unwrap();
    a.commit(added("3")).unwrap();
    // It comes first, and "1" is there when `a` wants to add it.
    b.commit(added("1")).unwrap();
    synced(&[&b]);
    a.resume_sync();
    synced(&[&a, &b]);
    assert_eq!((a.query(Note::all().count()).unwrap(), **notes.get()), (3, 3));
    let hash = a.state_hash().unwrap();
    a.reset_state().unwrap();
    assert_eq!((a.state_hash().unwrap(), b.state_hash().unwrap()), (hash, hash));

    // What nothing is held below is rebased all the same.
    a.pause_sync();
    wait(|| a.network_status().unwrap() == NetworkStatus::Paused);
    a.commit(NoteEvent::Unique { id: "4".into() }).unwrap();
    b.commit(NoteEvent::Unique { id: "4".into() }).unwrap();
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
    a.commit([added("a1"), added("a2")]).unwrap();
    assert!(follow.try_next().is_none());
    b.commit(added("b1")).unwrap();
    assert!(b.wait_synced(PATIENCE).unwrap());
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
    for n in 0..count / 100 {
        let batch: Vec<_> = (0..100).map(|k| added(format!("{n}-{k}"))).collect();
        a.commit(batch).unwrap();
    }
    let b = open(&backend, "b");
    b.commit(added("b")).unwrap();
    assert!(b.wait_synced(PATIENCE).unwrap());
    a.resume_sync();
    assert!(a.wait_synced(Duration::from_secs(60)).unwrap());
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
                    let event = NoteEvent::Added { id: id.to_string(), text };
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
        wait(|| {
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
