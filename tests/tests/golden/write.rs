//! Writes the files: `cargo test -p livestore-tests --test golden -- --ignored`.
//!
//! Ids are random, so that the files are others each time; only a new format is a reason.

use std::fs;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use livestore::prelude::*;
use livestore::sync::{ConnectRequest, MessageSender, SyncBackend, SyncEvent, SyncOptions};
use livestore_server::cli::write_line;
use livestore_server::store::{
    Durability, EventStore, Reply, SqliteStore, StoreError, StoreId, StoreLimits, StoredEvent,
};
use livestore_sync::InProcess;

use crate::app::{App, Ui, noted};
use crate::{CLIENT, FIRST, golden};

/// A client with confirmed, quarantined, client-only and pending events.
#[test]
#[ignore = "it writes what the others read"]
fn write_a_client() {
    fs::create_dir_all(golden(CLIENT)).unwrap();
    let home = tempfile::tempdir().unwrap();
    let backend = InProcess::new();
    others(&backend);
    let store = Store::<App>::builder("golden").directory(home.path()).client_id("rust");
    let store = store.sync(backend).unknown_events(UnknownEvents::Ignore).open().unwrap();
    assert!(store.wait_synced(Duration::from_secs(20)).unwrap());
    let ui = Ui::set().filter("open".to_owned());
    store.commit((noted("b", "Grüße\n\"𝄞\"", Some(0.1)), ui)).unwrap();
    assert!(store.wait_synced(Duration::from_secs(20)).unwrap());
    store.pause_sync();
    store.commit(noted("c", "pending", Some(-1e21))).unwrap();
    println!("client {}, session {}", store.client_id(), store.session_id());
    println!("state hash: {:#x}", store.state_hash().unwrap());
    store.close().unwrap();
    for file in ["eventlog.db", "state.snapshot"] {
        fs::copy(home.path().join("golden").join(file), golden(CLIENT).join(file)).unwrap();
    }
}

/// The snapshot of the client's log alone, when only its format is new.
#[test]
#[ignore = "it writes what the others read"]
fn write_a_snapshot() {
    let home = crate::copy(CLIENT, "eventlog.db", "golden/eventlog.db");
    let store = Store::<App>::builder("golden").directory(home.path());
    let store = store.unknown_events(UnknownEvents::Ignore);
    // What is pending is no part of it.
    let store = store.sync(SyncOptions::new(InProcess::new()).start_paused()).open().unwrap();
    store.close().unwrap();
    let snapshot = "state.snapshot";
    fs::copy(home.path().join("golden").join(snapshot), golden(CLIENT).join(snapshot)).unwrap();
}

/// What others pushed: a note, the same once more, which fails, and one of a newer app.
fn others(backend: &InProcess) {
    let mut link = backend.connect(ConnectRequest::new("golden", None), MessageSender::new(drop));
    let note = r#"{"id":"a","text":"Buy milk","at":"2026-11-22T13:05:09.210Z"}"#;
    let events = [("v1.Noted", note), ("v1.Noted", note), ("v9.Painted", r#"{"color":[1,2.5]}"#)];
    let events = (1..).zip(events).map(|(seq, (name, args))| event(seq, name, args));
    link.push(events.collect(), None);
    while backend.events("golden").len() < 3 {
        std::thread::yield_now();
    }
}

/// Two stores of a server, one of them empty.
#[test]
#[ignore = "it writes what the others read"]
fn write_a_server() {
    fs::create_dir_all(golden(FIRST)).unwrap();
    let home = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(home.path(), Durability::Synced, StoreLimits::NONE).unwrap();
    let (id, other) = (StoreId::new("golden").unwrap(), StoreId::new("empty/ü").unwrap());
    ask(|reply| store.open(&id, reply));
    ask(|reply| store.open(&other, reply));
    let events = [("v1.Noted", r#"{"id":"a"}"#), ("v1.Grüße", "null"), ("v9.Painted", "{ }")];
    let events = (1..).zip(events).map(|(seq, (name, args))| {
        let millis = 1_795_352_709_000 + i64::try_from(seq).unwrap();
        StoredEvent::new(event(seq, name, args), Timestamp::from_millis(millis))
    });
    let events: Arc<[StoredEvent]> = events.collect();
    let mut export = Vec::new();
    events.iter().for_each(|stored| write_line(&mut export, stored).unwrap());
    fs::write(golden(FIRST).join("export.jsonl"), export).unwrap();
    ask(|reply| store.append(&id, events, reply));
    println!("{:?}", store.list().unwrap());
    // A file alone, without a WAL.
    let backup = tempfile::tempdir().unwrap();
    SqliteStore::reader(home.path()).unwrap().backup(backup.path()).unwrap();
    fs::copy(backup.path().join("events.db"), golden(FIRST).join("events.db")).unwrap();
}

fn event(seq: u64, name: &str, args: &str) -> SyncEvent {
    SyncEvent {
        seq,
        parent: seq - 1,
        name: name.into(),
        args: args.into(),
        client_id: "typescript".into(),
        session_id: "tab".into(),
        metadata: None,
    }
}

fn ask<T: Send + 'static>(question: impl FnOnce(Reply<T>)) -> T {
    let (sender, answer) = mpsc::channel::<Result<T, StoreError>>();
    question(Box::new(move |result| drop(sender.send(result))));
    answer.recv().unwrap().unwrap()
}
