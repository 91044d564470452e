//! A client's eventlog and snapshot.

use std::sync::{Arc, Mutex};

use livestore::prelude::*;
use livestore::state::{Boot, BootStage, QuarantineReason};
use tempfile::TempDir;

use crate::app::{App, Note, Ui};
use crate::{CLIENT, FIRST, copy};

const LOG: &str = "golden/eventlog.db";
const SNAPSHOT: &str = "golden/state.snapshot";

fn builder(home: &TempDir) -> livestore::store::Builder<App> {
    Store::builder("golden").directory(home.path()).unknown_events(UnknownEvents::Ignore)
}

/// A log that was written by a released version.
struct Log {
    format: &'static str,
    /// The id that was made with the log.
    client_id: &'static str,
    /// The session that committed what is pending.
    session_id: &'static str,
    /// Whether it says that `e4` and `e4.1` are one commit.
    knows_commits: bool,
}

const LOGS: [Log; 2] = [
    Log {
        format: FIRST,
        client_id: "4ysVRuPo-pB8fzDNJkIhr",
        session_id: "static",
        knows_commits: false,
    },
    Log {
        format: CLIENT,
        client_id: "lL08RjZdc2p-odBTZjqgy",
        session_id: "static~Bm21mlNpqK-38CYMhN0YZ",
        knows_commits: true,
    },
];

/// The logs are read, and read again: the first time may have migrated them.
#[test]
fn the_events_are_read() {
    for log in LOGS {
        let home = copy(log.format, "eventlog.db", LOG);
        assert_events(&log, &home);
        assert_events(&log, &home);
    }
}

fn assert_events(log: &Log, home: &TempDir) {
    let store = builder(home).open().unwrap();
    let session = log.session_id;
    let note = r#"{"id":"a","text":"Buy milk","at":"2026-11-22T13:05:09.210Z"}"#;
    let mine = r#"{"id":"b","text":"Grüße\n\"𝄞\"","at":"2026-11-22T13:05:09.210Z","weight":0.1}"#;
    let pending = r#"{"id":"c","text":"pending","at":"2026-11-22T13:05:09.210Z","weight":-1e+21}"#;
    let table = [
        ("e1", "e0", "v1.Noted", note, "typescript", "tab"),
        ("e2", "e1", "v1.Noted", note, "typescript", "tab"),
        ("e3", "e2", "v9.Painted", r#"{"color":[1,2.5]}"#, "typescript", "tab"),
        ("e4", "e3", "v1.Noted", mine, "rust", session),
        ("e4.1", "e4", "UiSet", r#"{"id":"static","value":{"filter":"open"}}"#, "rust", session),
        ("e5", "e4", "v1.Noted", pending, "rust", session),
    ];
    let events: Vec<_> = store.events().into_iter().map(Result::unwrap).collect();
    let read: Vec<_> = events
        .iter()
        .map(|event| {
            let (name, args) = (&*event.name, event.args.as_str());
            (
                event.seq.to_string(),
                event.parent.to_string(),
                name,
                args,
                &*event.client_id,
                &*event.session_id,
            )
        })
        .collect();
    let table = table.map(|(seq, parent, name, args, client, session)| {
        (seq.to_owned(), parent.to_owned(), name, args, client, session)
    });
    assert_eq!(read, table);
    assert_eq!(store.client_id(), log.client_id);
    let continues = events.iter().map(|event| event.continues);
    let second_of_two = log.knows_commits;
    assert_eq!(continues.collect::<Vec<_>>(), [false, false, false, false, second_of_two, false]);
    let confirmed = events.iter().map(|event| event.sync_metadata.is_some());
    assert_eq!(confirmed.collect::<Vec<_>>(), [true, true, true, true, false, false]);
}

#[test]
fn the_heads_are_read() {
    for log in LOGS {
        let home = copy(log.format, "eventlog.db", LOG);
        let sync = livestore::sync::SyncOptions::new(livestore_sync::InProcess::new());
        let store = builder(&home).sync(sync).open().unwrap();
        store.pause_sync();
        let status = store.sync_status().unwrap();
        let heads = (status.local_head.to_string(), status.upstream_head.to_string());
        assert_eq!((heads, status.pending), (("e5".into(), "e4".into()), 1));
    }
}

/// What every state made of this log is.
#[track_caller]
fn assert_state(store: &Store<App>) {
    let notes: Vec<Note> = store.query(Note::all().order_by(Note::ID.asc())).unwrap();
    let shown = notes.iter().map(|note| (&*note.id, &*note.text, note.at.as_millis(), note.weight));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            ("a", "Buy milk", 1_795_352_709_210, None),
            ("b", "Grüße\n\"𝄞\"", 1_795_352_709_210, Some(0.1)),
            ("c", "pending", 1_795_352_709_210, Some(-1e21)),
        ]
    );
    assert_eq!(store.query(Ui::get()).unwrap(), Ui { filter: "open".to_owned() });
    let quarantined = store.quarantined().unwrap();
    let places = quarantined.iter().map(|event| {
        (event.seq.to_string(), event.name.as_str(), event.reason == QuarantineReason::Unknown)
    });
    let expected = [("e2".to_owned(), "v1.Noted", false), ("e3".to_owned(), "v9.Painted", true)];
    assert_eq!(places.collect::<Vec<_>>(), expected);
    assert_eq!(store.state_hash().unwrap(), STATE_HASH);
}

const STATE_HASH: u64 = 0xb2e7_165f_0459_d714;

#[test]
fn the_log_makes_the_state() {
    for log in LOGS {
        let (store, replayed) = boot(&copy(log.format, "eventlog.db", LOG));
        assert_eq!(replayed, 6);
        assert_state(&store);
    }
}

#[test]
fn the_snapshot_has_the_confirmed_state() {
    let home = copy(CLIENT, "eventlog.db", LOG);
    crate::add(&home, CLIENT, "state.snapshot", SNAPSHOT);
    let (store, replayed) = boot(&home);
    assert_eq!(replayed, 1, "only what is pending");
    assert_state(&store);
}

#[test]
fn a_snapshot_of_an_earlier_format_is_made_again() {
    let home = copy(FIRST, "eventlog.db", LOG);
    crate::add(&home, FIRST, "state.snapshot", SNAPSHOT);
    let (store, replayed) = boot(&home);
    assert_eq!(replayed, 6);
    assert_state(&store);
}

/// The store, and how many events made its state.
fn boot(home: &TempDir) -> (Store<App>, u64) {
    let last = Arc::new(Mutex::new(None::<Boot>));
    let theirs = Arc::clone(&last);
    let builder = builder(home).on_boot(move |boot| *theirs.lock().unwrap() = Some(boot));
    let store = builder.open().unwrap();
    let boot = last.lock().unwrap().take().unwrap();
    assert_eq!(boot.stage, BootStage::Done);
    (store, boot.total)
}

#[test]
fn the_tables_of_the_log_are_these() {
    let first = tables(&copy(FIRST, "eventlog.db", LOG), 1);
    assert_eq!(first, TABLES.map(|(table, columns)| (table.to_owned(), columns.to_owned())));
    // A migrated log has the same tables as a new one.
    let migrated = copy(FIRST, "eventlog.db", LOG);
    builder(&migrated).open().unwrap().close().unwrap();
    for home in [migrated, copy(CLIENT, "eventlog.db", LOG)] {
        let columns = |(table, columns): (&str, &str)| match table {
            "eventlog" => (table.to_owned(), format!("{columns}, continues INTEGER")),
            _ => (table.to_owned(), columns.to_owned()),
        };
        assert_eq!(tables(&home, 2), TABLES.map(columns));
    }
}

/// The tables of format 1.
const TABLES: [(&str, &str); 3] = [
    ("event_shapes", "name TEXT, shape TEXT"),
    (
        "eventlog",
        "seq_global INTEGER, seq_client INTEGER, seq_generation INTEGER, parent_global INTEGER, \
         parent_client INTEGER, parent_generation INTEGER, name TEXT, args TEXT, client_id TEXT, \
         session_id TEXT, schema_hash INTEGER, checksum INTEGER, sync_metadata TEXT",
    ),
    ("meta", "key TEXT, value TEXT"),
];

/// The tables of a log that has this format, with their columns.
fn tables(home: &TempDir, format: i64) -> Vec<(String, String)> {
    let log = rusqlite::Connection::open(home.path().join(LOG)).unwrap();
    let number = |pragma| log.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((number("application_id"), number("user_version")), (0x4c53_6576, format));
    let mut columns = log
        .prepare(
            "SELECT t.name, group_concat(c.name || ' ' || c.type, ', ') FROM pragma_table_list t, \
             pragma_table_info(t.name) c WHERE t.name NOT LIKE 'sqlite_%' GROUP BY t.name \
             ORDER BY t.name",
        )
        .unwrap();
    let rows = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}
