//! A full disk, as a limit on the length of files: the system refuses to write beyond it.

use livestore::prelude::*;

use crate::app::{App, TodoEvent};
use crate::child::{BATCH, Role, Running, batch, command, command_on_full_disk, last_of, rest_of};
use crate::kit::{Home, log_of};

fn fill(home: &Home, durability: Durability, kilobytes: u64) -> Vec<String> {
    Running::start(command_on_full_disk(Role::Fill(durability), home.path(), kilobytes)).finish()
}

fn refusals(said: &[String]) -> Vec<String> {
    said.iter().filter_map(|line| rest_of(line, "refused")).collect()
}

/// The log has exactly the events up to `last`.
#[track_caller]
fn assert_log_ends_at(home: &Home, last: u64) {
    let store = home.open::<App>();
    let found: Vec<TodoEvent> =
        log_of(&store).iter().map(|event| event.decode().unwrap()).collect();
    let expected: Vec<_> = (1..last).step_by(BATCH as usize).flat_map(batch).collect();
    assert_eq!(found, expected);
    assert_eq!(store.state_hash().unwrap(), home.replayed_hash::<App>());
}

#[test]
fn commits_are_refused_and_those_before_are_kept() {
    let home = Home::new();
    for kilobytes in [128, 200, 333, 512] {
        let said = fill(&home, Durability::Written, kilobytes);
        let last = last_of(&said, "ack").unwrap();
        let refused = refusals(&said);
        assert_eq!(refused.len(), 5);
        assert!(refused.iter().all(|error| error.starts_with("Eventlog(")), "{refused:?}");
        assert_log_ends_at(&home, last);
        // There is room again.
        home.open::<App>().commit(batch(last + 1)).unwrap();
        assert_log_ends_at(&home, last + BATCH);
    }
}

#[test]
fn buffered_commits_are_refused_once_nothing_can_be_written() {
    let home = Home::new();
    let said = fill(&home, Durability::Buffered, 256);
    let refused = refusals(&said);
    assert!(refused.iter().all(|error| error.starts_with("Eventlog(Unwritten(")), "{refused:?}");
    assert!(said.iter().any(|line| line.starts_with("closed Err(Unwritten(")), "{said:?}");

    // Some acknowledged commits were buffered and are lost with the process: it was told.
    let acknowledged = last_of(&said, "ack").unwrap();
    let store = home.open::<App>();
    let last = store.head().unwrap().global;
    assert!(0 < last && last < acknowledged && last.is_multiple_of(BATCH));

    // There is room again: others take their numbers.
    for first in (last + 1..=acknowledged + BATCH).step_by(BATCH as usize) {
        store.commit(batch(first)).unwrap();
    }
    assert_log_ends_at(&home.copy(), store.head().unwrap().global);
    assert_eq!(home.copy().open::<App>().state_hash(), store.state_hash());
}

#[test]
fn a_snapshot_that_cannot_be_written_is_done_without() {
    let home = Home::new();
    let said = Running::start(command(Role::Swell, home.path())).finish();
    assert_eq!(last_of(&said, "ack"), Some(600));
    let before = std::fs::read(home.snapshot()).unwrap();

    let said = Running::start(command_on_full_disk(Role::Swell, home.path(), 400)).finish();
    assert_eq!(last_of(&said, "ack"), Some(1_200));
    assert!(said.contains(&"closed Ok(())".to_owned()), "{said:?}");

    assert_eq!(std::fs::read(home.snapshot()).unwrap(), before, "the old snapshot stays");
    assert!(!home.folder().join("state.tmp").exists());
    let replayed = home.replayed_hash::<App>();
    let (store, boot) = home.boot::<App>();
    assert_eq!(boot.replayed(), 600);
    assert_eq!(store.head().unwrap(), SeqNum::new(1_200));
    assert_eq!(store.state_hash().unwrap(), replayed);
}
