//! Where the state comes from when a store opens.

use livestore::prelude::*;
use livestore::state::BootStage;
use livestore_testing::wait_until;

use crate::app::{App, Todo, TodoEvent, counted, created};
use crate::kit::{Home, Stages};
use crate::versions::{first, louder, wider};

fn stages(boot: &Stages) -> Vec<(BootStage, u64, u64)> {
    boot.0.iter().map(|boot| (boot.stage, boot.done, boot.total)).collect()
}

/// Commits events one by one, and returns the hash of the state.
fn commit(home: &Home, numbers: std::ops::Range<u64>) -> u64 {
    let store = home.open::<App>();
    for n in numbers {
        store.commit(created(n)).unwrap();
    }
    store.state_hash().unwrap()
}

#[test]
fn a_snapshot_and_its_tail_make_the_state_of_a_full_replay() {
    let home = Home::new();
    commit(&home, 0..100);
    let store = home.open::<App>();
    store.commit([created("a"), TodoEvent::Deleted { id: "7".into() }]).unwrap();
    // A crash: the snapshot is two events old.
    let crashed = home.copy();
    let (again, boot) = crashed.boot::<App>();
    let bytes = std::fs::metadata(home.snapshot()).unwrap().len();
    assert_eq!(
        stages(&boot),
        [
            (BootStage::Snapshot, bytes, bytes),
            (BootStage::Replay, 0, 2),
            (BootStage::Replay, 2, 2),
            (BootStage::Done, 2, 2),
        ]
    );
    assert_eq!(again.state_hash().unwrap(), store.state_hash().unwrap());
    assert_eq!(again.state_hash().unwrap(), home.replayed_hash::<App>());
}

#[test]
fn a_full_replay_reports_every_page() {
    let home = Home::new();
    commit(&home, 0..1_300);
    std::fs::remove_file(home.snapshot()).unwrap();
    let (store, boot) = home.boot::<App>();
    let replayed = |done| (BootStage::Replay, done, 1_300);
    assert_eq!(
        stages(&boot),
        [
            replayed(0),
            replayed(512),
            replayed(1_024),
            replayed(1_300),
            (BootStage::Done, 1_300, 1_300),
        ]
    );
    assert_eq!(store.query(Todo::all().count()).unwrap(), 1_300);
}

#[test]
fn a_new_store_boots_from_nothing() {
    let (_, boot) = Home::new().boot::<App>();
    assert_eq!(stages(&boot), [(BootStage::Replay, 0, 0), (BootStage::Done, 0, 0)]);
}

#[test]
fn a_panicking_boot_callback_does_no_harm() {
    let home = Home::new();
    let hash = commit(&home, 0..10);
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let theirs = std::sync::Arc::clone(&calls);
    let builder = home.builder::<App>().on_boot(move |_| {
        theirs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        panic!("no progress");
    });
    assert_eq!(builder.open().unwrap().state_hash().unwrap(), hash);
    assert_eq!(calls.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn another_table_shape_rebuilds_the_state() {
    let home = Home::new();
    let store = home.open::<first::Notes>();
    store.commit([first::written("a", "Hello"), first::written("b", "you")]).unwrap();
    store.close().unwrap();

    let (store, boot) = home.boot::<wider::Notes>();
    assert_eq!(boot.replayed(), 2);
    let lengths = wider::Note::all().order_by(wider::Note::ID.asc()).select(wider::Note::LENGTH);
    assert_eq!(store.query(lengths).unwrap(), [5, 3]);
    store.close().unwrap();

    // The way back is a rebuild, too.
    let (store, boot) = home.boot::<first::Notes>();
    assert_eq!(boot.replayed(), 2);
    assert_eq!(store.query(first::Note::all().count()).unwrap(), 2);
}

#[test]
fn another_version_of_a_materializer_rebuilds_the_state() {
    let home = Home::new();
    home.open::<first::Notes>().commit(first::written("a", "Hello")).unwrap();
    let text = |store: &Store<_>| store.query(louder::Note::get("a")).unwrap().unwrap().text;
    let (store, boot) = home.boot::<louder::Notes>();
    assert_eq!(boot.replayed(), 1);
    assert_eq!(text(&store), "HELLO");
    store.close().unwrap();
    let (store, boot) = home.boot::<louder::Notes>();
    assert_eq!(boot.replayed(), 0);
    assert_eq!(text(&store), "HELLO");
}

#[test]
fn the_old_snapshot_stays_until_the_new_one_is_whole() {
    let home = Home::new();
    commit(&home, 0..10);
    let old = std::fs::read(home.snapshot()).unwrap();
    let store = home.open::<App>();
    store.commit((10..110).map(created).collect::<Vec<_>>()).unwrap();
    assert_eq!(std::fs::read(home.snapshot()).unwrap(), old);
    // What is half written stands beside it.
    let crashed = home.copy();
    std::fs::write(crashed.folder().join("state.tmp"), b"half a snapsh").unwrap();
    let (again, boot) = crashed.boot::<App>();
    assert_eq!(boot.replayed(), 100);
    assert_eq!(again.state_hash(), store.state_hash());
    again.close().unwrap();
    assert_ne!(std::fs::read(crashed.snapshot()).unwrap(), old);
    assert!(!crashed.folder().join("state.tmp").exists());
}

/// Many small events, whose replay is slow, behind a snapshot that is large.
const TAIL: u64 = 13_000;

/// A store with a snapshot of 15 MB.
fn large() -> Home {
    let home = Home::new();
    let store = home.open::<App>();
    let padded = |n: u32| TodoEvent::Padded { id: n.to_string(), bytes: 1_000_000 };
    store.commit((0..15).map(padded).collect::<Vec<_>>()).unwrap();
    store.close().unwrap();
    home
}

fn count(store: &Store<App>, events: u64) {
    store.commit((0..events).map(|_| counted("n", 1)).collect::<Vec<_>>()).unwrap();
}

#[test]
fn a_slow_tail_is_saved_by_closing_the_store() {
    let home = large();
    let store = home.open::<App>();
    count(&store, TAIL);
    let hash = store.state_hash().unwrap();
    store.close().unwrap();
    let (store, boot) = home.boot::<App>();
    assert_eq!((boot.replayed(), store.state_hash().unwrap()), (0, hash));
}

#[test]
fn a_slow_tail_is_replayed_by_one_opening_after_a_crash() {
    let home = large();
    let store = home.open::<App>();
    count(&store, TAIL);
    let crashed = home.copy();
    let before = std::fs::read(crashed.snapshot()).unwrap();
    let (store, boot) = crashed.boot::<App>();
    assert_eq!(boot.replayed(), TAIL);
    wait_until(|| std::fs::read(crashed.snapshot()).unwrap() != before);
    let again = crashed.copy();
    let (other, boot) = again.boot::<App>();
    assert_eq!(boot.replayed(), 0);
    assert_eq!(other.state_hash().unwrap(), store.state_hash().unwrap());
}

#[test]
fn a_short_tail_does_not_write_a_large_snapshot() {
    let home = large();
    let before = std::fs::read(home.snapshot()).unwrap();
    for opened in 0..3 {
        let (store, boot) = home.boot::<App>();
        assert_eq!(boot.replayed(), opened * 5);
        count(&store, 5);
        store.close().unwrap();
    }
    assert!(std::fs::read(home.snapshot()).unwrap() == before, "15 events are too few");
}

#[test]
fn a_snapshot_is_made_while_the_store_runs() {
    let home = Home::new();
    let store = home.open::<App>();
    let commit = |ids: std::ops::Range<u64>| {
        store.commit(ids.map(created).collect::<Vec<_>>()).unwrap();
    };
    commit(0..9_999);
    assert!(!home.snapshot().exists());
    commit(9_999..10_000);
    while !home.snapshot().exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    commit(10_000..10_100);
    let (again, boot) = home.copy().boot::<App>();
    assert_eq!(boot.replayed(), 100);
    assert_eq!(again.state_hash(), store.state_hash());
}

#[test]
fn closing_while_a_snapshot_is_made_leaves_a_whole_one() {
    for extra in [1, 50, 500] {
        let home = Home::new();
        let store = home.open::<App>();
        store.commit((0..10_000).map(created).collect::<Vec<_>>()).unwrap();
        store.commit((10_000..10_000 + extra).map(created).collect::<Vec<_>>()).unwrap();
        let hash = store.state_hash().unwrap();
        store.close().unwrap();
        let (store, boot) = home.boot::<App>();
        assert!(boot.replayed() <= extra, "the snapshot is whole");
        assert_eq!(store.state_hash().unwrap(), hash);
    }
}

#[test]
fn ids_are_kept_or_chosen() {
    let home = Home::new();
    let store = home.open::<App>();
    let made = store.client_id().to_owned();
    assert!(!made.is_empty());
    assert_eq!((store.store_id(), store.window_id()), ("todos", "static"));
    let session = store.session_id().to_owned();
    store.close().unwrap();
    let again = home.open::<App>();
    assert_eq!((again.client_id(), again.window_id()), (&*made, "static"));
    assert_ne!(again.session_id(), session, "a session is one opening");
    again.close().unwrap();

    let chosen = home.builder::<App>().client_id("phone").window_id("tab 1").open().unwrap();
    assert_eq!((chosen.client_id(), chosen.window_id()), ("phone", "tab 1"));
    chosen.commit(created("a")).unwrap();
    let event = chosen.events().into_iter().next().unwrap().unwrap();
    assert_eq!((&*event.client_id, &*event.session_id), ("phone", chosen.session_id()));
}

#[test]
fn a_store_without_a_directory_leaves_no_trace() {
    let store = Store::<App>::builder("todos").open().unwrap();
    store.commit(created("a")).unwrap();
    store.flush().unwrap();
    store.close().unwrap();
    let again = Store::<App>::builder("todos").open().unwrap();
    assert_eq!(again.head().unwrap(), SeqNum::ROOT);
}
