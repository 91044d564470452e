//! The backend in the same program.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

mod support;

use std::sync::{Arc, Mutex};

use livestore::sync::{
    BackendMessage, ConnectRequest, Connection, Cursor, MessageSender, More, SyncBackend, SyncError,
};
use livestore_sync::{InProcess, NextPush};
use support::{Store, event};

/// A store that has pulled all there is.
fn pulling(backend: &InProcess) -> Store {
    let mut store = Store::connect(backend, None);
    assert_eq!(store.next(), BackendMessage::Connected);
    store.link().pull(None);
    while store.next_page().more != More::No {}
    store
}

fn push(store: &mut Store, seqs: std::ops::RangeInclusive<u64>) {
    store.link().push(seqs.map(|seq| event(seq, "{}")).collect(), None);
}

#[test]
fn a_push_is_told_to_all_and_accepted() {
    let backend = InProcess::new();
    let (mut a, b) = (pulling(&backend), pulling(&backend));
    let elsewhere = Store::connect_to(&backend, "st2", None);
    push(&mut a, 1..=2);
    for page in [a.next_page(), b.next_page()] {
        assert_eq!(page.events, [event(1, "{}"), event(2, "{}")]);
        assert_eq!(page.backend_id, backend.backend_id());
    }
    assert_eq!(a.next(), BackendMessage::Pushed);
    assert_eq!(backend.events("st1").len(), 2);
    assert_eq!(elsewhere.next(), BackendMessage::Connected);
    elsewhere.expect_silence();
}

#[test]
fn a_push_must_follow_the_last_event_unless_it_is_the_same_again() {
    let backend = InProcess::new();
    let mut a = pulling(&backend);
    push(&mut a, 1..=3);
    assert_eq!(a.next_page().events.len(), 3);
    assert_eq!(a.next(), BackendMessage::Pushed);

    push(&mut a, 2..=3);
    assert_eq!(a.next(), BackendMessage::Pushed);
    a.link().push(vec![event(2, "7")], None);
    let ahead = SyncError::ServerAhead { head: 3, parent: 1 };
    assert_eq!(a.next(), BackendMessage::PushFailed(ahead));
    push(&mut a, 3..=4);
    let ahead = SyncError::ServerAhead { head: 3, parent: 2 };
    assert_eq!(a.next(), BackendMessage::PushFailed(ahead));
    a.link().push(vec![event(4, "{}"), event(6, "{}")], None);
    assert!(matches!(a.next(), BackendMessage::PushFailed(SyncError::Invalid(_))));
    a.link().push(vec![], None);
    assert_eq!(a.next(), BackendMessage::Pushed);
    a.expect_silence();
    assert_eq!(backend.events("st1").len(), 3);
}

#[test]
fn a_pull_comes_in_pages_after_the_cursor() {
    let backend = InProcess::new();
    let mut a = pulling(&backend);
    push(&mut a, 1..=250);
    let mut b = Store::connect(&backend, None);
    assert_eq!(b.next(), BackendMessage::Connected);
    b.link().pull(Some(Cursor { backend_id: backend.backend_id(), head: 10 }));
    let pages = [b.next_page(), b.next_page(), b.next_page()];
    assert_eq!(pages.each_ref().map(|page| page.events.len()), [100, 100, 40]);
    assert_eq!(
        pages.each_ref().map(|page| page.more),
        [More::Known(140), More::Known(40), More::No]
    );
    assert_eq!(pages[0].events[0].seq, 11);
}

#[test]
fn off_the_net_links_are_lost_until_it_is_back() {
    let backend = InProcess::new();
    let a = pulling(&backend);
    backend.set_online(false);
    a.next_lost();
    Store::connect(&backend, None).next_lost();
    backend.set_online(true);
    pulling(&backend);
}

#[test]
fn the_next_push_can_go_wrong_in_four_ways() {
    let backend = InProcess::new();
    let witness = pulling(&backend);
    let mut a = pulling(&backend);

    backend.on_next_push(NextPush::Fail);
    push(&mut a, 1..=1);
    assert!(matches!(a.next(), BackendMessage::PushFailed(SyncError::Failed(_))));
    backend.on_next_push(NextPush::Lose);
    push(&mut a, 1..=1);
    a.next_lost();
    assert!(backend.events("st1").is_empty());

    let mut a = pulling(&backend);
    backend.on_next_push(NextPush::LoseAck);
    push(&mut a, 1..=1);
    a.next_lost();
    let mut a = pulling(&backend);
    backend.on_next_push(NextPush::LoseBroadcast);
    push(&mut a, 2..=2);
    assert_eq!(a.next(), BackendMessage::Pushed);
    a.next_lost();
    assert_eq!(
        [witness.next_page().events, witness.next_page().events].concat(),
        backend.events("st1")
    );
    assert_eq!(backend.events("st1").len(), 2);
}

#[test]
fn a_reset_backend_is_another_one() {
    let backend = InProcess::new();
    let a = pulling(&backend);
    let received = backend.backend_id();
    backend.reset();
    a.next_lost();
    let mismatch =
        SyncError::BackendIdMismatch { expected: backend.backend_id(), received: received.clone() };

    let mut b = Store::connect(&backend, None);
    assert_eq!(b.next(), BackendMessage::Connected);
    b.link().push(vec![event(1, "{}")], Some(received.clone()));
    assert_eq!(b.next(), BackendMessage::PushFailed(mismatch.clone()));
    b.link().pull(Some(Cursor { backend_id: received, head: 3 }));
    assert_eq!(b.next(), BackendMessage::PullFailed(mismatch));
    b.next_lost();
}

#[test]
fn what_is_told_may_call_back() {
    let backend = InProcess::new();
    let link: Arc<Mutex<Option<Box<dyn Connection>>>> = Arc::default();
    let told = Arc::new(Mutex::new(Vec::new()));
    let (mine, log) = (Arc::clone(&link), Arc::clone(&told));
    let messages = MessageSender::new(move |message| {
        if let BackendMessage::Pulled(page) = &message
            && let Ok(mut link) = mine.try_lock()
            && let Some(link) = &mut *link
        {
            let seq = page.events.last().map_or(0, |event| event.seq);
            if seq < 3 {
                link.push(vec![event(seq + 1, "{}")], None);
            }
        }
        log.lock().unwrap().push(message);
    });
    *link.lock().unwrap() = Some(backend.connect(ConnectRequest::new("st1", None), messages));
    let mut other = Store::connect(&backend, None);
    link.lock().unwrap().as_mut().unwrap().pull(None);
    push(&mut other, 1..=1);

    let told = told.lock().unwrap();
    let pages = told.iter().filter(|message| matches!(message, BackendMessage::Pulled(_))).count();
    let acks = told.iter().filter(|&message| *message == BackendMessage::Pushed).count();
    assert_eq!((told.len(), pages, acks), (7, 4, 2), "{told:?}");
    assert_eq!(backend.events("st1").len(), 3);
}

#[test]
fn a_dropped_link_hears_nothing() {
    let backend = InProcess::new();
    let (mut a, mut b) = (pulling(&backend), pulling(&backend));
    drop(b.link.take());
    b.expect_end();
    push(&mut a, 1..=1);
    assert_eq!(a.next_page().events.len(), 1);
}
