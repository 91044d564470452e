//! A snapshot that is not what it should be is as if it were not there.

use std::fs;

use livestore::prelude::*;

use crate::app::{App, UiState, completed, created};
use crate::kit::{Home, Random};

/// The length of the header, whose numbers follow its magic of 8 bytes.
const HEADER: usize = 88;
const FORMAT: usize = 8;
const SCHEMA: usize = 16;
const STORE: usize = 24;
const HISTORY: usize = 32;
const HEAD: usize = 40;
const CHECKSUM_OF_THE_LOG: usize = 64;
const LENGTH: usize = 72;

/// How many events `closed` commits.
const EVENTS: u64 = 120;

/// A closed store with a snapshot, and the hash of its state.
fn closed() -> (Home, u64) {
    let home = Home::new();
    let store = home.open::<App>();
    for n in 0..40 {
        store.commit((created(n), completed(n / 2), UiState::set().zoom(n as u8))).unwrap();
    }
    let hash = store.state_hash().unwrap();
    store.close().unwrap();
    (home, hash)
}

/// Opens the store with these bytes as its snapshot: it must not be used.
#[track_caller]
fn assert_ignored(home: &Home, hash: u64, snapshot: &[u8], what: &str) {
    let copy = home.copy();
    fs::write(copy.snapshot(), snapshot).unwrap();
    let (store, boot) = copy.boot::<App>();
    assert_eq!(boot.replayed(), EVENTS, "{what}: it was used");
    assert_eq!(store.state_hash().unwrap(), hash, "{what}");
    assert_eq!(store.head().unwrap(), SeqNum { client: 1, ..SeqNum::new(80) });
}

#[test]
fn a_truncated_snapshot_is_ignored() {
    let (home, hash) = closed();
    let bytes = fs::read(home.snapshot()).unwrap();
    let lengths = (0..HEADER).chain((HEADER..bytes.len()).step_by(bytes.len() / 100));
    for length in lengths.chain([bytes.len() - 1]) {
        assert_ignored(&home, hash, &bytes[..length], &format!("{length} bytes"));
    }
    let longer = [&bytes[..], b"x"].concat();
    assert_ignored(&home, hash, &longer, "one byte more");
}

#[test]
fn a_snapshot_with_a_flipped_byte_is_ignored() {
    let (home, hash) = closed();
    let mut bytes = fs::read(home.snapshot()).unwrap();
    let mut random = Random::new(8);
    let elsewhere = (HEADER..bytes.len()).step_by(bytes.len() / 150);
    for offset in (0..HEADER).chain(elsewhere) {
        let flip = 1 << random.below(8);
        bytes[offset] ^= flip;
        assert_ignored(&home, hash, &bytes, &format!("byte {offset} ^ {flip:#x}"));
        bytes[offset] ^= flip;
    }
}

#[test]
fn a_snapshot_with_other_numbers_in_its_header_is_ignored() {
    let (home, hash) = closed();
    let bytes = fs::read(home.snapshot()).unwrap();
    let head = [HEAD, HEAD + 8, HEAD + 16, CHECKSUM_OF_THE_LOG];
    for field in [FORMAT, SCHEMA, STORE, HISTORY, LENGTH].into_iter().chain(head) {
        for number in [0, 1, 2, 79, 81, u64::MAX] {
            let mut changed = bytes.clone();
            changed[field..field + 8].copy_from_slice(&number.to_le_bytes());
            if changed != bytes {
                assert_ignored(&home, hash, &changed, &format!("{number} at {field}"));
            }
        }
    }
}

#[test]
fn another_file_is_no_snapshot() {
    let (home, hash) = closed();
    let log = fs::read(home.eventlog()).unwrap();
    assert_ignored(&home, hash, b"", "an empty file");
    assert_ignored(&home, hash, "Dear diary, ".repeat(100).as_bytes(), "a text");
    assert_ignored(&home, hash, &log, "an SQLite file");
    assert_ignored(&home, hash, &vec![0; 100_000], "zeros");
}

#[test]
fn a_snapshot_of_another_log_is_ignored() {
    let (home, hash) = closed();
    let (other, _) = closed();
    let bytes = fs::read(other.snapshot()).unwrap();
    assert_ignored(&home, hash, &bytes, "another log");
}

#[test]
fn a_snapshot_ahead_of_the_log_is_ignored() {
    let (home, hash) = closed();
    assert_ignored(&home, hash, &snapshot_with(&home, &["later"]), "ahead");
}

/// The snapshot that the store would have with some more todos.
fn snapshot_with(home: &Home, todos: &[&str]) -> Vec<u8> {
    let ahead = home.copy();
    // Without one, the store finds a snapshot worth its while.
    fs::remove_file(ahead.snapshot()).unwrap();
    ahead.open::<App>().commit(todos.iter().map(created).collect::<Vec<_>>()).unwrap();
    fs::read(ahead.snapshot()).unwrap()
}

/// A power cut can take the log's last events and leave the snapshot that has them.
#[test]
fn a_snapshot_that_was_ahead_is_not_used_once_the_log_has_caught_up() {
    let (home, _) = closed();
    fs::write(home.snapshot(), snapshot_with(&home, &["lost 1", "lost 2"])).unwrap();
    let store = home.open::<App>();
    store.commit([created("kept 1"), created("kept 2"), created("kept 3")]).unwrap();
    // A crash, so that no newer snapshot is written.
    let crashed = home.copy();
    assert_eq!(crashed.open::<App>().state_hash(), store.state_hash());
}

#[test]
fn an_ignored_snapshot_is_replaced_by_the_next() {
    let (home, _) = closed();
    fs::write(home.snapshot(), b"damaged").unwrap();
    home.open::<App>().close().unwrap();
    let (_, boot) = home.boot::<App>();
    assert_eq!(boot.replayed(), 0, "the replayed events are worth a snapshot");
}
