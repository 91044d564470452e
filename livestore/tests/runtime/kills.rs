//! SIGKILL at any moment: every acknowledged commit is there when the store opens again, and the
//! state is what the whole log makes.

use std::thread::sleep;
use std::time::{Duration, Instant};

use livestore::prelude::*;

use crate::app::App;
use crate::child::{BATCH, Role, Running, batch, command, last_of};
use crate::kit::{Home, Random, log_of};

/// How many crashes a folder goes through before a new one takes its place: replays stay short.
const CRASHES_PER_FOLDER: usize = 5;

/// Kills a child that commits, up to 50 ms after its first commit; `kept` is the word it says
/// about what must not be lost.
fn kill_commits(durability: Durability, kept: &str, crashes: usize) {
    let mut random = Random::new(crashes as u64);
    let mut home = Home::new();
    for crash in 0..crashes {
        if crash % CRASHES_PER_FOLDER == 0 {
            home = Home::new();
        }
        let mut child = Running::start(command(Role::Commit(durability), home.path()));
        let first: u64 = child.wait_for(kept).parse().unwrap();
        sleep(Duration::from_micros(random.below(50_000)));
        let said = child.kill();
        let last = last_of(&said, kept).unwrap_or(first);
        assert_whole(&home, last);
        assert_batches(&home);
    }
}

/// Nothing up to `last` is lost, and the state is that of a full replay, whether or not a
/// snapshot is used.
#[track_caller]
fn assert_whole(home: &Home, last: u64) {
    let has_snapshot = home.snapshot().exists();
    let replayed = home.replayed_hash::<App>();
    let (store, boot) = home.boot::<App>();
    assert!(store.head().unwrap().global >= last, "an acknowledged commit is lost");
    let all = log_of(&store).len() as u64;
    assert_eq!(boot.replayed() < all, has_snapshot, "a snapshot is whole or absent");
    assert_eq!(store.state_hash().unwrap(), replayed);
    assert_eq!(store.quarantined().unwrap(), []);
}

/// The log has whole commits only, with the events that were committed.
#[track_caller]
fn assert_batches(home: &Home) {
    let log = log_of(&home.open::<App>());
    assert_eq!(log.len() as u64 % BATCH, 0, "half a commit is in the log");
    for (commit, found) in log.chunks(BATCH as usize).enumerate() {
        let expected = batch(commit as u64 * BATCH + 1);
        let found: Vec<_> = found.iter().map(|event| event.decode().unwrap()).collect();
        assert_eq!(expected, found);
    }
}

#[test]
fn written_commits_survive() {
    kill_commits(Durability::Written, "ack", 50);
}

#[test]
fn synced_commits_survive() {
    kill_commits(Durability::Synced, "ack", 30);
}

#[test]
fn flushed_commits_survive() {
    kill_commits(Durability::Buffered, "flushed", 40);
}

#[test]
fn a_store_that_opens_and_closes_survives() {
    let mut random = Random::new(1);
    let mut home = Home::new();
    for crash in 0..40 {
        if crash % CRASHES_PER_FOLDER == 0 {
            home = Home::new();
        }
        let mut child = Running::start(command(Role::Reopen, home.path()));
        let first: u64 = child.wait_for("ack").parse().unwrap();
        sleep(Duration::from_micros(random.below(50_000)));
        let last = last_of(&child.kill(), "ack").unwrap_or(first);
        assert_whole(&home, last);
    }
}

#[test]
fn a_store_that_writes_a_snapshot_survives() {
    let mut half_written = 0;
    // Some kills come before the file is there, or after it is whole.
    for kill in 0_u64.. {
        assert!(kill < 100, "no kill hit a snapshot that was being written");
        if kill >= 4 && half_written > 0 {
            break;
        }
        let home = Home::new();
        let temporary = home.folder().join("state.tmp");
        let mut child = Running::start(command(Role::Pad, home.path()));
        let first: u64 = child.wait_for("ack").parse().unwrap();
        wait_until(|| temporary.exists());
        sleep(Duration::from_millis(kill % 4));
        let last = last_of(&child.kill(), "ack").unwrap_or(first);
        half_written += usize::from(temporary.exists());
        assert_whole(&home, last);
    }
}

#[test]
fn a_store_that_opens_survives() {
    let mut random = Random::new(2);
    let home = Home::new();
    let store = home.open::<App>();
    let events: Vec<_> = (0..1_000).flat_map(|n| batch(n * BATCH + 1)).collect();
    store.commit(events).unwrap();
    let hash = store.state_hash().unwrap();
    store.close().unwrap();
    for _ in 0..30 {
        // So that the next opening replays all events, too. A slow one writes a snapshot itself.
        let _ = std::fs::remove_file(home.snapshot());
        let child = Running::start(command(Role::Hold, home.path()));
        sleep(Duration::from_micros(random.below(150_000)));
        child.kill();
        let (store, boot) = home.copy().boot::<App>();
        assert_eq!(boot.replayed() == 0, home.snapshot().exists(), "a snapshot is whole or absent");
        assert_eq!(store.state_hash().unwrap(), hash);
    }
    assert_eq!(home.replayed_hash::<App>(), hash);
    assert_batches(&home);
}

#[test]
fn the_first_open_of_a_directory_survives() {
    let mut random = Random::new(3);
    for _ in 0..30 {
        let home = Home::new();
        let child = Running::start(command(Role::Hold, home.path()));
        wait_until(|| home.folder().exists());
        sleep(Duration::from_micros(random.below(8_000)));
        child.kill();
        home.open::<App>().commit(batch(1)).unwrap();
    }
}

/// Waits for something that happens within the minute, and looks often.
#[track_caller]
fn wait_until(mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never happened");
        sleep(Duration::from_micros(50));
    }
}
