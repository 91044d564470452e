//! The promise of each durability, while nothing goes wrong.

use std::time::{Duration, Instant};

use livestore::prelude::*;

use crate::app::{App, created};
use crate::kit::{Home, log_of, seqs};

#[test]
fn every_durability_keeps_what_was_committed() {
    for durability in [Durability::Buffered, Durability::Written, Durability::Synced] {
        let home = Home::new();
        let open = || home.builder::<App>().durability(durability).open().unwrap();
        let store = open();
        store.commit([created("a"), created("b")]).unwrap();
        store.commit(created("c")).unwrap();
        store.flush().unwrap();
        let hash = store.state_hash().unwrap();
        store.close().unwrap();
        let store = open();
        assert_eq!(seqs(&store), ["e1", "e2", "e3"], "{durability:?}");
        assert_eq!(store.state_hash().unwrap(), hash);
    }
}

#[test]
fn written_events_are_in_the_files_when_the_commit_returns() {
    for durability in [Durability::Written, Durability::Synced] {
        let home = Home::new();
        let store = home.builder::<App>().durability(durability).open().unwrap();
        for n in 1..=20 {
            store.commit(created(n)).unwrap();
            let crashed = home.copy().open::<App>();
            assert_eq!(log_of(&crashed), log_of(&store));
            assert_eq!(crashed.state_hash(), store.state_hash());
        }
    }
}

#[test]
fn flush_writes_what_is_buffered() {
    let home = Home::new();
    let store = home.builder::<App>().durability(Durability::Buffered).open().unwrap();
    for n in 1..=20 {
        store.commit([created(2 * n), created(2 * n + 1)]).unwrap();
        store.flush().unwrap();
        assert_eq!(seqs(&home.copy().open::<App>()).len(), 2 * n);
    }
}

#[test]
fn dropping_the_store_writes_what_is_buffered() {
    let home = Home::new();
    let open = || home.builder::<App>().durability(Durability::Buffered).open().unwrap();
    for n in 1..=20 {
        let store = open();
        store.commit(created(n)).unwrap();
        drop(store);
        assert_eq!(open().head().unwrap(), SeqNum::new(n));
    }
}

#[test]
fn buffered_events_are_read_back_at_once() {
    let home = Home::new();
    let store = home.builder::<App>().durability(Durability::Buffered).open().unwrap();
    for n in 1..=50 {
        store.commit(created(n)).unwrap();
        let last = store.events().after(SeqNum::new(n - 1)).into_iter().next().unwrap().unwrap();
        assert_eq!(last.seq, SeqNum::new(n));
    }
}

#[test]
fn buffered_events_reach_the_file_on_their_own() {
    let home = Home::new();
    let store = home.builder::<App>().durability(Durability::Buffered).open().unwrap();
    store.commit([created("a"), created("b")]).unwrap();
    let written = || seqs(&home.copy().open::<App>()).len();
    let begun = Instant::now();
    while written() != 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "they are only in memory");
        std::thread::sleep(Duration::from_millis(5));
    }
}
