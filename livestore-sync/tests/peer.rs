//! Both network backends against a real server: `LIVESTORE_SYNC_URL=http://127.0.0.1:8787`.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

mod support;

use std::time::Duration;

use livestore::sync::{BackendMessage, Cursor, SyncBackend, SyncError};
use livestore_sync::{Http, WebSocket};
use support::{Store, event};

/// The server to test against, or nothing, said aloud.
fn url() -> Option<String> {
    let url = std::env::var("LIVESTORE_SYNC_URL").ok();
    if url.is_none() {
        eprintln!("skipped: LIVESTORE_SYNC_URL is not set");
    }
    url
}

#[test]
fn a_websocket_to_a_real_server() {
    let Some(url) = url() else { return };
    let url = url.replacen("http", "ws", 1);
    conversation(&WebSocket::new(&url));
    long_log(&WebSocket::new(&url));
    let store = Store::connect(&WebSocket::new(&url), Some(r#"{"authToken":"wrong"}"#));
    assert!(matches!(store.next(), BackendMessage::PullFailed(SyncError::Refused(_))));
    store.next_lost();
}

#[test]
fn http_to_a_real_server() {
    let Some(url) = url() else { return };
    let backend = Http::new(&url).poll_every(Duration::from_millis(200));
    conversation(&backend);
    long_log(&backend);
    let store = Store::connect(&backend, Some(r#"{"authToken":"wrong"}"#));
    assert!(matches!(store.next(), BackendMessage::PullFailed(SyncError::Refused(_))));
    store.next_lost();
}

/// Two stores: one pushes, both hear it, the other is behind, and one is of another backend.
fn conversation(backend: &dyn SyncBackend) {
    let store_id = livestore::new_id();
    let connect = || {
        let mut store = Store::connect_to(backend, &store_id, None);
        assert_eq!(store.next(), BackendMessage::Connected);
        store.link().pull(None);
        let page = store.next_page();
        assert!(page.events.is_empty());
        (store, page.backend_id)
    };
    let ((mut a, backend_id), (mut b, _)) = (connect(), connect());
    let args = r#"{"id":"1","text":"é\"\n\u0001","n":9007199254740991,"deep":[[{"a":null}]]}"#;
    a.link().push(vec![event(1, args)], Some(backend_id.clone()));
    hear_event(&a, true);
    hear_event(&b, false);

    b.link().push(vec![event(1, "{}")], Some(backend_id.clone()));
    let ahead = BackendMessage::PushFailed(SyncError::ServerAhead { head: 1, parent: 0 });
    hear(&b, |message| *message == ahead);
    a.link().push(vec![event(2, "{}")], Some("another".to_owned()));
    let received = "another".to_owned();
    let mismatch = SyncError::BackendIdMismatch { expected: backend_id, received };
    hear(&a, |message| *message == BackendMessage::PushFailed(mismatch.clone()));

    let cursor = Cursor { backend_id: "another".to_owned(), head: 1 };
    let mut c = Store::connect_to(backend, &store_id, None);
    assert_eq!(c.next(), BackendMessage::Connected);
    c.link().pull(Some(cursor));
    assert_eq!(c.next(), BackendMessage::PullFailed(mismatch));
    c.next_lost();
}

fn hear_event(store: &Store, pushed: bool) {
    let (mut event, mut ack) = (false, !pushed);
    while !(event && ack) {
        match store.next() {
            BackendMessage::Pulled(page) => event |= page.events.iter().any(|event| event.seq == 1),
            BackendMessage::Pushed => ack = true,
            other => panic!("{other:?}"),
        }
    }
}

/// Waits for a message; pages may come before.
fn hear(store: &Store, wanted: impl Fn(&BackendMessage) -> bool) {
    loop {
        let message = store.next();
        if wanted(&message) {
            return;
        }
        assert!(matches!(message, BackendMessage::Pulled(_)), "{message:?}");
    }
}

/// A thousand events are pushed, and pulled by a store that knows none.
fn long_log(backend: &dyn SyncBackend) {
    let store_id = livestore::new_id();
    let mut a = Store::connect_to(backend, &store_id, None);
    assert_eq!(a.next(), BackendMessage::Connected);
    for batch in 0..10 {
        let events = (1..=100).map(|n| event(batch * 100 + n, r#"{"text":"x"}"#)).collect();
        a.link().push(events, None);
        assert_eq!(a.next(), BackendMessage::Pushed);
    }
    let mut b = Store::connect_to(backend, &store_id, None);
    assert_eq!(b.next(), BackendMessage::Connected);
    b.link().pull(None);
    let mut seqs = Vec::new();
    while seqs.len() < 1000 {
        seqs.extend(b.next_page().events.iter().map(|event| event.seq));
    }
    assert!(seqs.into_iter().eq(1..=1000));
}
