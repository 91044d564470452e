//! A server's database, and what it exports.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use livestore_server::cli::{read_batches, write_line};
use livestore_server::store::{
    Durability, EventStore, SqliteStore, StoreId, StoreLimits, StoredEvent,
};

use crate::{FIRST, copy, golden};

/// Sequence number, name, args, time.
const EVENTS: [(u64, &str, &str, &str); 3] = [
    (1, "v1.Noted", r#"{"id":"a"}"#, "2026-11-22T13:05:09.001Z"),
    (2, "v1.Grüße", "null", "2026-11-22T13:05:09.002Z"),
    (3, "v9.Painted", "{ }", "2026-11-22T13:05:09.003Z"),
];

#[track_caller]
fn assert_events(events: &[StoredEvent]) {
    assert_eq!(events.len(), EVENTS.len());
    for (stored, (seq, name, args, time)) in events.iter().zip(EVENTS) {
        let event = stored.event();
        assert_eq!(
            (event.seq, event.parent, &*event.name, &*event.args),
            (seq, seq - 1, name, args)
        );
        assert_eq!((&*event.client_id, &*event.session_id), ("typescript", "tab"));
        assert_eq!(stored.created_at().to_string(), time);
    }
}

#[test]
fn the_database_is_read() {
    let home = copy(FIRST, "events.db", "events.db");
    let store = SqliteStore::open(home.path(), Durability::Synced, StoreLimits::NONE).unwrap();
    let listed: Vec<_> = store
        .list()
        .unwrap()
        .into_iter()
        .map(|(id, opened)| (id.to_string(), opened.backend_id, opened.head, opened.bytes))
        .collect();
    assert_eq!(
        listed,
        STORES.map(|(id, backend, head, bytes)| (id.into(), backend.into(), head, bytes))
    );
    let mut events = Vec::new();
    let mut visit = |stored| {
        events.push(stored);
        ControlFlow::Continue(())
    };
    store.read(&StoreId::new("golden").unwrap(), 0, &mut visit).unwrap();
    assert_events(&events);
}

/// Store, backend id, head, bytes.
const STORES: [(&str, &str, u64, u64); 2] =
    [("empty/ü", "nCtE-JZpwVFJ6qcN2ZyrJ", 0, 0), ("golden", "xo4yC_TIgJQvpMkiA5du8", 3, 84)];

#[test]
fn the_export_is_read_and_written() {
    let text = fs::read(golden(FIRST).join("export.jsonl")).unwrap();
    let mut events = Vec::new();
    let mut take = |batch: Vec<StoredEvent>| {
        events.extend(batch);
        Ok(())
    };
    assert_eq!(read_batches(Path::new("export"), &text[..], &mut take).unwrap(), 3);
    assert_events(&events);
    let mut again = Vec::new();
    events.iter().for_each(|stored| write_line(&mut again, stored).unwrap());
    assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(text).unwrap());
}
