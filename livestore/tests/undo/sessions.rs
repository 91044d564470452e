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

/// The number of sessions that this one knows of.
fn sessions(store: &Store<Board>) -> usize {
    store.tools().sessions().unwrap().len()
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

    // Whether or not the leader has noticed that it was closed.
    let right = open_in(&directory, "right");
    assert_eq!(can(&right), (true, true));
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

#[test]
fn a_window_that_is_opened_again_while_its_session_is_still_there_has_its_steps() {
    let directory = TempDir::new().unwrap();
    let (left, gone) = (open_in(&directory, "left"), open_in(&directory, "right"));
    gone.commit(added("a")).unwrap();
    gone.commit(titled("a", "one")).unwrap();
    gone.undo().unwrap();
    agree(&left, &gone);

    // As far as the leader knows, both are open.
    let right = open_in(&directory, "right");
    assert_eq!(can(&right), (true, true));
    right.redo().unwrap();
    right.commit(titled("a", "two")).unwrap();
    agree(&left, &right);
    // What the earlier one does and undoes now is its own: nothing of it is stored.
    agree(&left, &gone);
    gone.commit(titled("a", "gone")).unwrap();
    gone.undo().unwrap();
    agree(&left, &gone);
    gone.close().unwrap();
    wait_until(|| sessions(&left) == 2);

    agree(&left, &right);
    right.undo().unwrap();
    agree(&left, &right);
    right.close().unwrap();
    let right = open_in(&directory, "right");
    assert_eq!((cards(&right), can(&right)), (vec!["a one".to_owned()], (true, true)));
    right.undo().unwrap();
    right.undo().unwrap();
    assert_eq!((cards(&right), right.undo()), (Vec::new(), Err(UndoError::Nothing)));
}

#[test]
fn of_two_sessions_in_one_window_one_can_undo_what_both_know() {
    let directory = TempDir::new().unwrap();
    let (left, one) = (open_in(&directory, "left"), open_in(&directory, "right"));
    one.commit(added("a")).unwrap();
    one.commit(titled("a", "one")).unwrap();
    agree(&left, &one);
    let two = open_in(&directory, "right");
    two.undo().unwrap();
    agree(&left, &two);
    agree(&left, &one);
    assert_eq!(one.undo(), Err(UndoError::Changed));
    assert_eq!(cards(&one), ["a A"]);
}

#[test]
fn when_the_last_session_of_a_window_ends_those_of_the_one_that_is_left_are_stored() {
    let directory = TempDir::new().unwrap();
    let (left, stays) = (open_in(&directory, "left"), open_in(&directory, "right"));
    stays.commit(added("a")).unwrap();
    agree(&left, &stays);
    let brief = open_in(&directory, "right");
    brief.commit(added("b")).unwrap();
    agree(&left, &brief);
    agree(&left, &stays);
    stays.commit(added("c")).unwrap();
    agree(&left, &stays);
    brief.close().unwrap();
    wait_until(|| sessions(&stays) == 2);
    let receipt = stays.commit(added("d")).unwrap();
    assert!(receipt.wait_confirmed(TIMEOUT).unwrap().is_some());
    stays.close().unwrap();
    left.close().unwrap();

    let right = open_in(&directory, "right");
    for _ in ["d", "c", "a"] {
        right.undo().unwrap();
    }
    assert_eq!((cards(&right), right.undo()), (vec!["b B".to_owned()], Err(UndoError::Nothing)));
}
