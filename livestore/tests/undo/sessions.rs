//! Several sessions of one client.

use livestore::prelude::*;
use livestore_testing::{TIMEOUT, wait_until};
use tempfile::TempDir;

use crate::app::*;

fn open_in(directory: &TempDir, window: &str) -> Store<Board> {
    let builder = Store::builder("board").directory(directory.path());
    builder.window_id(window).open().unwrap()
}

/// Waits until both have the same events.
fn agree(left: &Store<Board>, right: &Store<Board>) {
    let head = |store: &Store<Board>| store.head().unwrap();
    wait_until(|| head(left) == head(right) && cards(left) == cards(right));
}

#[test]
fn each_session_undoes_its_own() {
    let directory = TempDir::new().unwrap();
    let (left, right) = (open_in(&directory, "left"), open_in(&directory, "right"));
    left.commit(added("a")).unwrap();
    agree(&left, &right);
    assert_eq!(can(&right), (false, false));
    let receipt = right.commit(added("b")).unwrap();
    assert!(receipt.wait_confirmed(TIMEOUT).unwrap().is_some());
    agree(&left, &right);
    left.undo().unwrap();
    agree(&left, &right);
    assert_eq!(cards(&right), ["b B"]);
    right.undo().unwrap();
    agree(&left, &right);
    assert_eq!(cards(&left), [""; 0]);
    right.redo().unwrap();
    left.redo().unwrap();
    agree(&left, &right);
    assert_eq!(cards(&left), ["a A", "b B"]);
}

#[test]
fn what_another_session_changed_since_stays() {
    let directory = TempDir::new().unwrap();
    let (left, right) = (open_in(&directory, "left"), open_in(&directory, "right"));
    right.commit(added("a")).unwrap();
    right.commit(titled("a", "right")).unwrap();
    agree(&left, &right);
    left.commit(titled("a", "left")).unwrap();
    agree(&left, &right);
    assert_eq!(right.undo(), Err(UndoError::Changed));
    left.undo().unwrap();
    agree(&left, &right);
    assert_eq!(cards(&right), ["a right"]);
}

#[test]
fn the_leader_stores_the_steps_of_other_sessions() {
    let directory = TempDir::new().unwrap();
    let left = open_in(&directory, "left");
    let right = open_in(&directory, "right");
    right.commit(added("a")).unwrap();
    right.commit(titled("a", "one")).unwrap();
    right.commit(titled("a", "two")).unwrap();
    right.undo().unwrap();
    agree(&left, &right);
    right.close().unwrap();
    assert_eq!(can(&left), (false, false));

    // As long as the leader has not noticed that it was closed, this is a second session of that window, which has
    // steps of its own.
    let mut with_steps = None;
    wait_until(|| {
        let opened = open_in(&directory, "right");
        match can(&opened) {
            (true, true) => with_steps = Some(opened),
            _ => opened.close().unwrap(),
        }
        with_steps.is_some()
    });
    let right = with_steps.unwrap();
    right.redo().unwrap();
    assert_eq!(cards(&right), ["a two"]);
    right.undo().unwrap();
    agree(&left, &right);
    // Both end; the next one leads.
    right.close().unwrap();
    left.close().unwrap();
    let right = open_in(&directory, "right");
    right.undo().unwrap();
    right.undo().unwrap();
    assert_eq!((cards(&right), right.undo()), (Vec::new(), Err(UndoError::Nothing)));
}

#[test]
fn two_sessions_in_one_window_do_not_share_steps() {
    let directory = TempDir::new().unwrap();
    let (one, two) = (open_in(&directory, "main"), open_in(&directory, "main"));
    one.commit(added("a")).unwrap();
    two.commit(added("b")).unwrap();
    agree(&one, &two);
    two.undo().unwrap();
    agree(&one, &two);
    assert_eq!(cards(&one), ["a A"]);
    assert_eq!(two.undo(), Err(UndoError::Nothing));
    two.close().unwrap();
    one.close().unwrap();
    let one = open_in(&directory, "main");
    assert_eq!(can(&one), (true, false), "the leader's");
    one.undo().unwrap();
    assert_eq!(cards(&one), [""; 0]);
}

#[test]
fn a_session_that_takes_over_stores_its_steps() {
    let directory = TempDir::new().unwrap();
    let (left, right) = (open_in(&directory, "left"), open_in(&directory, "right"));
    right.commit(added("a")).unwrap();
    right.commit(titled("a", "one")).unwrap();
    agree(&left, &right);
    left.close().unwrap();
    // Without a backend, that is when right leads.
    let receipt = right.commit(titled("a", "two")).unwrap();
    assert!(receipt.wait_confirmed(TIMEOUT).unwrap().is_some());
    right.close().unwrap();
    let right = open_in(&directory, "right");
    right.undo().unwrap();
    right.undo().unwrap();
    right.undo().unwrap();
    assert_eq!(cards(&right), [""; 0]);
}
