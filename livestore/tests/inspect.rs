//! A store's folder as a tool sees it: what is in it is found, and nothing is changed.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests look at files")]

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use livestore_testing::sample::todos::{App, TodoEvent};

use livestore::eventlog::EventlogError;
use livestore::inspect::{Folder, InspectError, SnapshotProblem, folder_of, folders};
use livestore::prelude::*;
use livestore::schema::Schema;
use livestore::value::Value;

fn created(n: u64) -> TodoEvent {
    TodoEvent::Created { id: format!("t{n}"), text: format!("number {n}"), created_at: now() }
}

fn open(directory: &Path) -> Store<App> {
    Store::<App>::builder("todos").directory(directory).open().unwrap()
}

/// The names, bytes and times of all files of a folder.
fn files_of(folder: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let entry = |entry: fs::DirEntry| {
        let modified = entry.metadata().unwrap().modified().unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, (fs::read(entry.path()).unwrap(), modified))
    };
    entries.map(entry).collect()
}

/// Copies files as a crash, or a backup, leaves them.
fn copy(from: &Path, to: &Path, names: &[&str]) {
    fs::create_dir_all(to).unwrap();
    for name in names {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

fn names(folder: &Folder) -> Vec<String> {
    folder.events().map(|event| event.unwrap().args).collect()
}

#[test]
fn a_folder_at_rest_is_read_and_stays_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    store.commit((0..100).map(created).collect::<Vec<_>>()).unwrap();
    drop(store);
    let path = data.path().join("todos");
    let before = files_of(&path);
    let folder = Folder::open(&path).unwrap();
    let info = folder.info().unwrap();
    assert_eq!((info.events, info.pending, info.head.global), (100, 0, 100));
    assert_eq!((info.store_id.as_str(), info.is_open), ("todos", false));
    assert_eq!(folder.events().after(SeqNum::new(10)).to(SeqNum::new(20)).count(), 10);
    assert_eq!(folder.names().unwrap().first().unwrap().events, 100);
    assert!(!folder.has_changed().unwrap());
    drop(folder);
    assert_eq!(files_of(&path), before);
    assert_eq!(folders(data.path()).unwrap(), std::slice::from_ref(&path));
    assert_eq!(folder_of(data.path(), "todos"), path);
}

#[test]
fn a_store_that_is_open_is_followed() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("todos");
    drop(open(data.path()));
    // It begins as a folder at rest, and goes on as one that a store writes.
    let folder = Folder::open(&path).unwrap();
    assert_eq!(folder.head().unwrap(), SeqNum::ROOT);
    let store = open(data.path());
    assert!(folder.is_open().unwrap());
    let mut events = folder.events();
    assert!(events.next().is_none());
    for n in 0..50 {
        store.commit(created(n)).unwrap();
        assert!(folder.has_changed().unwrap(), "{n}");
        assert!(!folder.has_changed().unwrap(), "{n}");
        assert_eq!(events.next().unwrap().unwrap().seq, SeqNum::new(n + 1));
        assert!(events.next().is_none());
    }
    drop(store);
    assert_eq!(folder.head().unwrap(), SeqNum::new(50));
    assert!(!folder.is_open().unwrap());
    let store = open(data.path());
    assert_eq!(store.head().unwrap(), SeqNum::new(50));
    assert!(folder.is_open().unwrap());
}

/// What a crash leaves is in the WAL. It is read there, and stays there.
#[test]
fn what_a_crash_has_left_is_read_where_it_is() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    store.commit((0..100).map(created).collect::<Vec<_>>()).unwrap();
    let path = data.path().join("todos");
    let all = ["eventlog.db", "eventlog.db-wal", "eventlog.db-shm"];
    for names in [&all[..], &all[..2]] {
        let copied = tempfile::tempdir().unwrap();
        copy(&path, copied.path(), names);
        let mut before = files_of(copied.path());
        let folder = Folder::open(copied.path()).unwrap();
        assert_eq!(folder.info().unwrap().events, 100);
        assert_eq!(folder.events().count(), 100);
        drop(folder);
        let mut after = files_of(copied.path());
        // SQLite notes in the index who reads.
        assert_eq!(
            before.remove("eventlog.db-shm").is_some(),
            after.remove("eventlog.db-shm").is_some()
        );
        assert_eq!(after, before, "{names:?}");
    }
}

/// A folder that was opened without an index is opened by a store, which makes one.
#[test]
fn a_store_that_takes_over_what_a_crash_has_left_is_followed() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    store.commit((0..10).map(created).collect::<Vec<_>>()).unwrap();
    let copied = tempfile::tempdir().unwrap();
    let path = copied.path().join("todos");
    copy(&data.path().join("todos"), &path, &["eventlog.db", "eventlog.db-wal"]);
    let folder = Folder::open(&path).unwrap();
    assert_eq!(names(&folder).len(), 10);
    let store = open(copied.path());
    for n in 10..20 {
        store.commit(created(n)).unwrap();
        assert_eq!(names(&folder).len() as u64, n + 1);
    }
    drop(store);
    assert_eq!(names(&folder).len(), 20);
}

#[cfg(unix)]
#[test]
fn a_path_with_odd_characters_is_read() {
    let data = tempfile::tempdir().unwrap();
    let odd = data.path().join("a b?c#d%20é&x=1");
    drop(open(&odd));
    assert_eq!(Folder::open(&odd.join("todos")).unwrap().store_id(), "todos");
}

#[test]
fn what_is_no_store_says_so() {
    let data = tempfile::tempdir().unwrap();
    let open = |path: &Path| Folder::open(path).unwrap_err();
    assert!(matches!(open(data.path()), InspectError::NoStore { .. }));
    assert!(matches!(open(&data.path().join("none")), InspectError::NoStore { .. }));
    fs::write(data.path().join("eventlog.db"), "no database").unwrap();
    let error = open(data.path());
    assert!(
        matches!(error, InspectError::Eventlog(EventlogError::NotAnEventlog { .. })),
        "{error}"
    );
    fs::write(data.path().join("eventlog.db"), "").unwrap();
    let error = open(data.path());
    assert!(
        matches!(error, InspectError::Eventlog(EventlogError::NotAnEventlog { .. })),
        "{error}"
    );
    assert_eq!(
        folders(&data.path().join("none")).unwrap_err().kind(),
        std::io::ErrorKind::NotFound
    );
}

/// A log of version 0.1 is read without being migrated.
#[test]
fn an_earlier_format_is_read_and_stays_as_it_is() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/0.1");
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("golden");
    copy(&golden, &path, &["eventlog.db"]);
    let before = files_of(&path);
    let folder = Folder::open(&path).unwrap();
    let info = folder.info().unwrap();
    assert_eq!(info.store_id, "golden");
    assert_eq!(folder.events().map(Result::unwrap).count() as u64, info.events);
    assert!(info.events > 0);
    drop(folder);
    assert_eq!(files_of(&path), before);
}

#[test]
fn the_snapshot_is_read_without_its_schema() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    store.commit((0..12_000).map(created).collect::<Vec<_>>()).unwrap();
    drop(store);
    let path = data.path().join("todos");
    let before = files_of(&path);
    let folder = Folder::open(&path).unwrap();
    let info = folder.snapshot_info().unwrap();
    let length = fs::metadata(path.join("state.snapshot")).unwrap().len();
    assert_eq!((info.head, info.bytes), (SeqNum::new(12_000), length));
    let state = folder.snapshot().unwrap();
    assert_eq!((state.head(), state.schema_hash()), (SeqNum::new(12_000), App::def().hash().ok()));
    let tables: Vec<_> = state.tables().unwrap().into_iter().map(|table| table.name).collect();
    assert!(tables.contains(&"todo".to_owned()), "{tables:?}");
    assert_eq!(state.count("todo").unwrap(), 12_000);
    let query = state.query("SELECT id, text FROM todo ORDER BY rowid").unwrap();
    assert_eq!(query.columns(), ["id", "text"]);
    let mut rows = Vec::new();
    let visit = |values: &[Value<'_>]| {
        rows.push(format!("{values:?}"));
        if rows.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    query.for_each(visit).unwrap();
    assert_eq!(rows.len(), 2);
    for sql in
        ["DELETE FROM todo", "ATTACH 'x' AS y", "SELECT 1; SELECT 2", "PRAGMA user_version = 1"]
    {
        assert!(state.query(sql).is_err(), "{sql}");
    }
    assert!(state.explain("SELECT * FROM todo").unwrap().concat().contains("SCAN todo"));
    drop((state, folder));
    assert_eq!(files_of(&path), before);
}

#[test]
fn a_query_that_never_ends_is_interrupted() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    store.commit((0..12_000).map(created).collect::<Vec<_>>()).unwrap();
    drop(store);
    let folder = Folder::open(&data.path().join("todos")).unwrap();
    let state = folder.snapshot().unwrap();
    let interrupt = state.interrupt();
    let sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";
    let mut rows = 0;
    let visit = |_: &[Value<'_>]| {
        rows += 1;
        if rows == 1_000 {
            interrupt.interrupt();
        }
        ControlFlow::Continue(())
    };
    let error = state.query(sql).unwrap().for_each(visit).unwrap_err();
    assert_eq!(error.kind(), livestore::SqliteErrorKind::Interrupted);
}

#[test]
fn with_a_schema_any_point_is_replayed() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    store.commit((0..20).map(created).collect::<Vec<_>>()).unwrap();
    let folder = Folder::open(&data.path().join("todos")).unwrap();
    assert!(matches!(folder.snapshot(), Err(InspectError::Snapshot(SnapshotProblem::Missing))));
    for n in [0, 7, 20] {
        let state = folder.replay(App::def(), SeqNum::new(n)).unwrap();
        assert_eq!(state.count("todo").unwrap(), n);
    }
    let error = folder.replay(App::def(), SeqNum::new(21)).unwrap_err();
    assert!(matches!(error, InspectError::NoSuchEvent { .. }));
    store.commit((20..12_000).map(created).collect::<Vec<_>>()).unwrap();
    drop(store);
    assert_eq!(folder.compare_snapshot(App::def()).unwrap(), (SeqNum::new(12_000), None));
}

/// A store opens, writes and closes again and again while the folder is read: each reading is whole.
#[test]
fn what_is_written_meanwhile_is_never_read_in_part() {
    let data = tempfile::tempdir().unwrap();
    drop(open(data.path()));
    let path = data.path().join("todos");
    let directory = data.path().to_owned();
    let writer = std::thread::spawn(move || {
        for n in 0..40 {
            let store = open(&directory);
            store.commit((0..50).map(|m| created(n * 50 + m)).collect::<Vec<_>>()).unwrap();
        }
    });
    let folder = Folder::open(&path).unwrap();
    let mut last = 0;
    while last < 2_000 {
        let count = folder.events().map(Result::unwrap).count();
        assert!(count >= last && count % 50 == 0, "{count} after {last}");
        last = count;
    }
    writer.join().unwrap();
}

/// The number of rows of a state's table.
fn todos(state: &livestore::inspect::StateView) -> u64 {
    state.count("todo").unwrap()
}

#[test]
fn a_running_app_shows_its_state_its_sync_and_its_sessions() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("todos");
    let store = open(data.path());
    store.commit(created(1)).unwrap();
    let folder = Folder::open(&path).unwrap();
    let running = folder.running().unwrap().unwrap();
    assert_eq!(running.status, store.sync_status().unwrap());
    let ids = |sessions: &[livestore::tools::SessionInfo]| -> Vec<(String, bool)> {
        sessions.iter().map(|session| (session.id.clone(), session.leads)).collect()
    };
    let own = |store: &Store<App>, leads| (store.session_id().to_owned(), leads);
    assert_eq!(ids(&running.sessions), [own(&store, true)]);
    let state = folder.state().unwrap();
    assert_eq!((todos(&state), state.head()), (1, SeqNum::new(1)));
    // A copy stays as it is.
    store.commit(created(2)).unwrap();
    assert_eq!((todos(&state), todos(&folder.state().unwrap())), (1, 2));

    // Another session of the app comes: all know of it, and the tool asks whoever leads.
    let second = open(data.path());
    let both = [own(&store, true), own(&second, false)];
    livestore_testing::wait_until(|| {
        let known = |store: &Store<App>| ids(&store.tools().sessions().unwrap());
        known(&store) == both && known(&second) == both
    });
    assert_eq!(ids(&folder.running().unwrap().unwrap().sessions), both);
    second.commit(created(3)).unwrap();
    second.flush().unwrap();
    assert_eq!(todos(&folder.state().unwrap()), 3);
    let second_leads = [own(&second, true)];
    store.close().unwrap();
    livestore_testing::wait_until(|| ids(&second.tools().sessions().unwrap()) == second_leads);
    livestore_testing::wait_until(|| {
        folder.running().unwrap().is_some_and(|running| ids(&running.sessions) == second_leads)
    });
    second.close().unwrap();
    assert_eq!(folder.running().unwrap(), None);
    assert!(folder.running_state().unwrap().is_none());
    assert_eq!(todos(&folder.state().unwrap()), todos(&folder.snapshot().unwrap()));
}

#[test]
fn what_is_pending_in_a_running_app_is_in_the_state_that_it_shows() {
    let clients = livestore_testing::Clients::<App>::new();
    let options = livestore::sync::SyncOptions::new(clients.backend().clone());
    let data = tempfile::tempdir().unwrap();
    let builder = Store::<App>::builder("todos").directory(data.path());
    let store = builder.sync(options).open().unwrap();
    store.pause_sync();
    store.commit([created(1), created(2)]).unwrap();
    let folder = Folder::open(&data.path().join("todos")).unwrap();
    assert_eq!(folder.running().unwrap().unwrap().status.pending, 2);
    let state = folder.running_state().unwrap().unwrap();
    assert_eq!((todos(&state), state.head()), (2, SeqNum::new(2)));
}

/// An app that has the store to itself does not answer.
#[test]
fn a_store_that_is_not_shared_shows_its_snapshot_only() {
    let data = tempfile::tempdir().unwrap();
    let store =
        Store::<App>::builder("todos").directory(data.path()).single_process().open().unwrap();
    store.commit((0..2_000).map(created).collect::<Vec<_>>()).unwrap();
    let folder = Folder::open(&data.path().join("todos")).unwrap();
    assert!(folder.is_open().unwrap());
    assert_eq!(folder.running().unwrap(), None);
    store.close().unwrap();
    assert_eq!(todos(&folder.state().unwrap()), 2_000);
}

#[test]
fn events_are_skipped_alike_from_either_end() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    (0..30).for_each(|n| drop(store.commit(created(n)).unwrap()));
    let follower = open(data.path());
    follower.commit([created(30), created(31)]).unwrap();
    let folder = Folder::open(&data.path().join("todos")).unwrap();
    follower.flush().unwrap();
    let memory = Store::<App>::builder("todos").open().unwrap();
    memory.commit((0..32).map(created).collect::<Vec<_>>()).unwrap();
    let head = SeqNum::new(32);
    for count in [0, 1, 2, 3, 20, 31, 32, 33, 1_000] {
        let expected = 32_u64.checked_sub(count as u64).filter(|seq| *seq > 0).map(SeqNum::new);
        for store in [&store, &follower, &memory] {
            livestore_testing::wait_until(|| store.head().unwrap() == head);
            assert_eq!(store.tools().skip_events_back(head, count).unwrap(), expected, "{count}");
        }
        assert_eq!(folder.skip_back(head, count).unwrap(), expected, "{count}");
    }
    let from_the_middle = store.tools().skip_events_back(SeqNum::new(10), 4).unwrap();
    assert_eq!(from_the_middle, Some(SeqNum::new(6)));
    assert_eq!(store.tools().count_events(SeqNum::ROOT).unwrap(), 32);
}
