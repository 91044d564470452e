//! An eventlog that is not as it was written: the true events, or an error, and never a panic.

use std::fs;

use livestore::eventlog::EventlogError;
use livestore::prelude::*;
use livestore::state::Boot;

use crate::app::{App, TodoEvent, completed, created};
use crate::kit::{Home, Random, log_of};

/// A closed store with the events `e1` to `e120`.
fn closed() -> (Home, Vec<EncodedEvent>) {
    let home = Home::new();
    let store = home.open::<App>();
    for n in 0..60 {
        store.commit([created(n), completed(n / 2)]).unwrap();
    }
    let log = log_of(&store);
    store.close().unwrap();
    (home, log)
}

/// The files of a store that crashed, with the events in the WAL; with `checkpointed`, some of
/// them in the main file, too.
fn crashed(checkpointed: bool) -> (Home, Vec<EncodedEvent>) {
    let home = Home::new();
    let store = home.open::<App>();
    for n in 0..60 {
        if checkpointed && n == 40 {
            home.sqlite().query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        }
        store.commit((created(n), TodoEvent::Viewed { id: n.to_string() })).unwrap();
    }
    (home.copy(), log_of(&store))
}

/// Opens the store and reads every event.
fn read(home: &Home) -> Result<Vec<EncodedEvent>, EventlogError> {
    let store = match home.builder::<App>().on_boot(|_: Boot| ()).open() {
        Ok(store) => store,
        Err(OpenError::Eventlog(error)) => return Err(error),
        Err(error) => panic!("{error:?}"),
    };
    let events: Result<Vec<_>, _> = store.events().into_iter().collect();
    if let Ok(events) = &events {
        let followed: Vec<_> = store.events().follow().take(events.len()).collect();
        assert_eq!(followed, events.iter().cloned().map(Ok).collect::<Vec<_>>());
        assert_eq!(store.quarantined().unwrap(), []);
    }
    events
}

fn is_about_the_file(error: &EventlogError) -> bool {
    use EventlogError::{Corrupt, NewerFormat, NotAnEventlog};
    matches!(error, Corrupt { .. } | NotAnEventlog { .. } | NewerFormat { .. })
}

/// The first events of `log`, or an error that says what is wrong.
#[track_caller]
fn assert_prefix_or_error(home: &Home, log: &[EncodedEvent], what: &str) -> Option<usize> {
    match read(home) {
        Ok(events) => {
            assert!(log.starts_with(&events), "{what}: other events than were written");
            Some(events.len())
        }
        Err(error) => {
            assert!(is_about_the_file(&error), "{what}: {error:?}");
            None
        }
    }
}

/// `steps` offsets into a file, its borders included.
fn offsets(length: usize, steps: usize) -> impl Iterator<Item = usize> {
    (0..=steps).map(move |step| length * step / steps)
}

#[test]
fn a_truncated_log_gives_its_first_events_or_an_error() {
    let (home, log) = closed();
    let bytes = fs::read(home.eventlog()).unwrap();
    for length in offsets(bytes.len(), 150) {
        for with_snapshot in [false, true] {
            let copy = home.copy();
            fs::write(copy.eventlog(), &bytes[..length]).unwrap();
            if !with_snapshot {
                fs::remove_file(copy.snapshot()).unwrap();
            }
            assert_prefix_or_error(&copy, &log, &format!("{length} bytes"));
        }
    }
}

#[test]
fn a_truncated_wal_gives_its_first_events() {
    let (home, log) = crashed(false);
    let bytes = fs::read(home.wal()).unwrap();
    let mut found = Vec::new();
    for length in offsets(bytes.len(), 150) {
        let copy = home.copy();
        fs::write(copy.wal(), &bytes[..length]).unwrap();
        let events = assert_prefix_or_error(&copy, &log, &format!("{length} bytes"));
        found.push(events.unwrap());
    }
    assert!(found.is_sorted(), "a longer WAL has more events: {found:?}");
    assert_eq!((found[0], found[150]), (0, log.len()));
}

#[test]
fn a_truncated_wal_of_a_log_with_checkpoints_gives_its_first_events_or_an_error() {
    let (home, log) = crashed(true);
    let bytes = fs::read(home.wal()).unwrap();
    for length in offsets(bytes.len(), 150) {
        let copy = home.copy();
        fs::write(copy.wal(), &bytes[..length]).unwrap();
        assert_prefix_or_error(&copy, &log, &format!("{length} bytes"));
    }
}

#[test]
fn a_flipped_byte_in_the_wal_gives_its_first_events() {
    let mut random = Random::new(6);
    for (home, log) in [crashed(false), crashed(true)] {
        let mut bytes = fs::read(home.wal()).unwrap();
        for offset in offsets(bytes.len() - 1, 120) {
            let flip = 1 << random.below(8);
            bytes[offset] ^= flip;
            let copy = home.copy();
            fs::write(copy.wal(), &bytes).unwrap();
            assert_prefix_or_error(&copy, &log, &format!("byte {offset} of the WAL"));
            bytes[offset] ^= flip;
        }
    }
}

#[test]
fn a_flipped_byte_in_the_log_gives_the_true_events_or_an_error() {
    let (home, log) = closed();
    fs::remove_file(home.snapshot()).unwrap();
    let mut bytes = fs::read(home.eventlog()).unwrap();
    let mut random = Random::new(7);
    let header = 0..100;
    let elsewhere: Vec<_> = offsets(bytes.len() - 1, 300).collect();
    for offset in header.chain(elsewhere) {
        let flip = [0xff, 1 << random.below(8)][random.below(2) as usize];
        bytes[offset] ^= flip;
        let copy = home.copy();
        fs::write(copy.eventlog(), &bytes).unwrap();
        let what = format!("byte {offset} ^ {flip:#x}");
        if let Some(events) = assert_prefix_or_error(&copy, &log, &what) {
            assert_eq!(events, log.len(), "{what}: events are lost");
        }
        bytes[offset] ^= flip;
    }
}

/// Runs SQL over the log of a closed store, behind the back of its checksums and its chain: the
/// damage is noticed at `seq`, and the file is left as it is.
#[track_caller]
fn assert_corrupt(home: &Home, sql: &str, seq: &str) {
    let _ = fs::remove_file(home.snapshot());
    assert_ne!(home.sqlite().execute(sql, []).unwrap(), 0, "{sql}");
    let before = fs::read(home.eventlog()).unwrap();
    match read(home) {
        Err(EventlogError::Corrupt { at, .. }) => {
            assert_eq!(at, Some(seq.parse().unwrap()), "{sql}")
        }
        other => panic!("{sql}: {other:?}"),
    }
    assert_eq!(fs::read(home.eventlog()).unwrap(), before, "the log was written to");
}

/// A closed store with the events `e1`, `e1.1`, `e1.2`, `e1.3` and `e2`.
fn closed_with_client_only_events() -> Home {
    let home = Home::new();
    let viewed = || TodoEvent::Viewed { id: "a".into() };
    let events = [created("a"), viewed(), viewed(), viewed(), created("b")];
    home.open::<App>().commit(events).unwrap();
    home
}

#[test]
fn a_missing_event_is_noticed() {
    let (home, _) = closed();
    for (missing, noticed) in [(1, "e2"), (50, "e51"), (119, "e120")] {
        let sql = format!("DELETE FROM eventlog WHERE seq_global = {missing}");
        assert_corrupt(&home.copy(), &sql, noticed);
    }
}

#[test]
fn a_missing_client_only_event_is_noticed() {
    let sql = "DELETE FROM eventlog WHERE seq_client = 2";
    assert_corrupt(&closed_with_client_only_events(), sql, "e1.3");
}

#[test]
fn a_missing_last_client_only_event_is_noticed() {
    let sql = "DELETE FROM eventlog WHERE seq_client = 3";
    assert_corrupt(&closed_with_client_only_events(), sql, "e2");
}

#[test]
fn a_changed_event_is_noticed() {
    let (home, _) = closed();
    for (change, noticed) in [
        ("args = '{}'", "e7"),
        ("args = CAST(x'ff' || args AS TEXT)", "e7"),
        ("name = 'v1.Other'", "e7"),
        ("seq_generation = 1", "e7r1"),
        ("parent_global = 5", "e7"),
        ("client_id = 'other'", "e7"),
        ("session_id = 'other'", "e7"),
        ("schema_hash = 0", "e7"),
        ("continues = 1 - continues", "e7"),
        ("checksum = 0", "e7"),
        ("seq_global = 1000", "e1000"),
    ] {
        let sql = format!("UPDATE eventlog SET {change} WHERE seq_global = 7");
        assert_corrupt(&home.copy(), &sql, noticed);
    }
}

#[test]
fn the_events_before_the_damage_can_be_read() {
    for sql in [
        "DELETE FROM eventlog WHERE seq_global = 50",
        "UPDATE eventlog SET checksum = 0 WHERE seq_global = 50",
    ] {
        let (home, log) = closed();
        home.sqlite().execute(sql, []).unwrap();
        let store = home.open::<App>();
        let intact = log.partition_point(|event| event.seq < SeqNum::new(50));
        let mut events = store.events().into_iter();
        for event in &log[..intact] {
            assert_eq!(events.next().unwrap().as_ref(), Ok(event));
        }
        assert!(matches!(events.next(), Some(Err(EventlogError::Corrupt { .. }))));
        assert_eq!(events.next(), None);
        assert_eq!(store.events().range(..50).into_iter().filter(Result::is_ok).count(), intact);
        store.state_at(log[intact - 1].seq).unwrap();
        assert!(store.state_at(SeqNum::new(60)).is_err());
    }
}

#[test]
fn what_sqlite_says_of_the_damage_is_the_source() {
    for (sql, at, says) in [
        ("UPDATE eventlog SET name = CAST(x'ff' AS TEXT) WHERE seq_global = 50", Some(50), "utf-8"),
        ("ALTER TABLE eventlog RENAME COLUMN seq_client TO client", None, "no such column"),
        ("UPDATE eventlog SET checksum = 0 WHERE seq_global = 50", Some(50), ""),
    ] {
        let (home, _) = closed();
        home.sqlite().execute_batch(sql).unwrap();
        let error = read(&home).unwrap_err();
        let EventlogError::Corrupt { at: found, detail, source } = &error else {
            panic!("{sql}: {error:?}");
        };
        assert_eq!(found.map(|seq| seq.global), at, "{sql}");
        let source = source.as_ref().map_or_else(String::new, ToString::to_string);
        assert!(source.contains(says) && source.is_empty() == says.is_empty(), "{sql}: {source}");
        let is_told_twice = !source.is_empty() && error.to_string().contains(&source);
        assert!(!detail.is_empty() && !is_told_twice, "{error}");
        assert_eq!(std::error::Error::source(&error).is_some(), !says.is_empty());
    }
}

#[test]
fn a_range_that_starts_at_a_missing_event_is_noticed() {
    let home = closed_with_client_only_events();
    home.sqlite()
        .execute("DELETE FROM eventlog WHERE seq_client = 0 AND seq_global = 1", [])
        .unwrap();
    // The snapshot spares the replay, so the store opens.
    let store = home.open::<App>();
    let first = store.events().range(1..).into_iter().next().unwrap();
    assert!(matches!(first, Err(EventlogError::Corrupt { .. })), "{first:?}");
}

#[test]
fn a_follower_notices_a_missing_event() {
    let (home, _) = closed();
    home.sqlite().execute("DELETE FROM eventlog WHERE seq_global = 50", []).unwrap();
    let store = home.open::<App>();
    let mut events = store.events().follow();
    let error = events.find_map(Result::err).unwrap();
    assert!(matches!(error, EventlogError::Corrupt { .. }), "{error:?}");
    assert!(events.next().is_none(), "an error ends it");
}

#[test]
fn a_damaged_log_is_left_alone_by_a_running_store() {
    let (home, _) = closed();
    home.sqlite().execute("DELETE FROM eventlog WHERE seq_global = 50", []).unwrap();
    let store = home.open::<App>();
    store.commit(created("new")).unwrap();
    let hash = store.state_hash().unwrap();
    assert!(store.reset_state().is_err());
    assert!(store.state_at(SeqNum::new(60)).is_err());
    assert!(store.fork(SeqNum::new(60)).is_err());
    assert_eq!(store.state_hash().unwrap(), hash, "the old state stays");
    store.state_at(SeqNum::new(49)).unwrap();
}

#[test]
fn a_log_without_its_own_tables_is_refused() {
    for sql in ["DROP TABLE meta", "DROP TABLE eventlog"] {
        let (home, _) = closed();
        home.sqlite().execute_batch(sql).unwrap();
        let error = read(&home).unwrap_err();
        assert!(is_about_the_file(&error), "{sql}: {error:?}");
    }
}
