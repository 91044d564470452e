//! Steps of one session.

use std::sync::{Arc, Mutex};

use livestore::prelude::*;

use crate::app::*;

#[test]
fn undo_and_redo_go_back_and_forth() {
    let store = open();
    store.commit(added("a")).unwrap();
    store.commit(titled("a", "one")).unwrap();
    store.commit(marked("a", true)).unwrap();
    store.commit(removed("a")).unwrap();
    let states = [vec!["a one!"], vec!["a one"], vec!["a A"], vec![]];
    for state in &states {
        store.undo().unwrap();
        assert_eq!(cards(&store), *state);
    }
    assert_eq!(store.undo(), Err(UndoError::Nothing));
    for state in [vec!["a A"], vec!["a one"], vec!["a one!"], vec![]] {
        store.redo().unwrap();
        assert_eq!(cards(&store), state);
    }
    assert_eq!(store.redo(), Err(UndoError::Nothing));
    // What was done again can be undone again.
    for state in &states {
        store.undo().unwrap();
        assert_eq!(cards(&store), *state);
    }
}

#[test]
fn the_log_has_both() {
    let store = open();
    store.commit(added("a")).unwrap();
    let undone = store.undo().unwrap();
    assert_eq!(undone.last(), Some(SeqNum::new(2)));
    assert_eq!(names(&store), ["v1.CardAdded", "v1.CardRemoved"]);
}

#[test]
fn a_commit_of_several_events_is_one_step() {
    let store = open();
    store.commit([added("a"), added("b"), titled("a", "one")]).unwrap();
    store.commit((marked("a", true), marked("b", true))).unwrap();
    store.commit(CardEvent::DoneRemoved).unwrap();
    assert_eq!(cards(&store), [""; 0]);
    store.undo().unwrap();
    assert_eq!(cards(&store), ["a one!", "b B!"]);
    store.undo().unwrap();
    assert_eq!(cards(&store), ["a one", "b B"]);
    store.undo().unwrap();
    assert_eq!(cards(&store), [""; 0]);
    store.redo().unwrap();
    assert_eq!(cards(&store), ["a one", "b B"]);
}

#[test]
fn a_group_is_one_step() {
    let store = open();
    store.commit(added("a")).unwrap();
    let group = store.undo_group().unwrap();
    store.commit(titled("a", "one")).unwrap();
    {
        let _inner = store.undo_group().unwrap();
        store.commit(titled("a", "two")).unwrap();
    }
    store.commit(Mailed { text: "hello".into() }).unwrap();
    store.commit(marked("a", true)).unwrap();
    drop(group);
    store.commit(added("b")).unwrap();
    store.undo().unwrap();
    assert_eq!(cards(&store), ["a two!"]);
    store.undo().unwrap();
    assert_eq!(cards(&store), ["a A"]);
    store.redo().unwrap();
    assert_eq!(cards(&store), ["a two!"]);
    store.undo().unwrap();
    store.undo().unwrap();
    assert_eq!(cards(&store), [""; 0]);
}

#[test]
fn a_group_costs_as_much_as_its_commits() {
    let store = open();
    store.commit(added("a")).unwrap();
    for commits in [1, 10, 100] {
        let group = store.undo_group().unwrap();
        let committed = asked(|| {
            for n in 0..commits {
                store.commit(titled("a", &format!("{commits} {n}"))).unwrap();
            }
        });
        drop(group);
        // Each event is asked, and what undoes it.
        assert_eq!(committed, 2 * commits);
        // What undoes it is asked before it is applied, and what undoes that in turn behind the commit.
        assert_eq!(asked(|| drop(store.undo().unwrap())), 2 * commits);
        // Of a commit of several events, all but the first are asked once more, each in the state before it.
        assert_eq!(asked(|| drop(store.redo().unwrap())), 3 * commits - 1);
    }
    assert_eq!(cards(&store), ["a 100 99"]);
}

#[test]
fn undo_ends_the_step_of_a_group() {
    let store = open();
    let _group = store.undo_group().unwrap();
    store.commit(added("a")).unwrap();
    store.commit(added("b")).unwrap();
    store.undo().unwrap();
    assert_eq!(cards(&store), [""; 0]);
    store.commit(added("c")).unwrap();
    store.commit(added("d")).unwrap();
    store.undo().unwrap();
    assert_eq!(cards(&store), [""; 0]);
    assert_eq!(store.undo(), Err(UndoError::Nothing));
}

#[test]
fn two_groups_are_two_steps() {
    let store = open();
    for id in ["a", "b"] {
        let _group = store.undo_group().unwrap();
        store.commit(added(id)).unwrap();
        store.commit(titled(id, "one")).unwrap();
    }
    store.undo().unwrap();
    assert_eq!(cards(&store), ["a one"]);
}

#[test]
fn a_new_commit_ends_redo_and_one_that_cannot_be_undone_does_not() {
    let store = open();
    store.commit(added("a")).unwrap();
    store.undo().unwrap();
    store.commit(Ui::set().filter("b")).unwrap();
    store.commit(Mailed { text: "hello".into() }).unwrap();
    assert_eq!(can(&store), (false, true));
    store.redo().unwrap();
    store.undo().unwrap();
    store.commit(added("b")).unwrap();
    assert_eq!(can(&store), (true, false));
    assert_eq!(store.redo(), Err(UndoError::Nothing));
}

#[test]
fn what_changes_nothing_is_no_step() {
    let store = open();
    store.commit(titled("nobody", "x")).unwrap();
    store.commit(CardEvent::DoneRemoved).unwrap();
    assert_eq!(can(&store), (false, false));
    store.commit(added("a")).unwrap();
    store.commit(marked("a", false)).unwrap();
    store.undo().unwrap();
    assert_eq!(cards(&store), [""; 0]);
}

#[test]
fn of_a_mixed_commit_what_can_be_undone_is() {
    let store = open();
    store.commit((added("a"), Ui::set().filter("mine"), Mailed { text: "hello".into() })).unwrap();
    store.undo().unwrap();
    assert_eq!(cards(&store), [""; 0]);
    assert_eq!(store.query(Ui::get()).unwrap().filter, "mine");
}

#[test]
fn a_failed_commit_is_no_step_and_leaves_redo() {
    let store = open();
    store.commit(added("a")).unwrap();
    store.commit(added("b")).unwrap();
    store.undo().unwrap();
    assert!(store.commit([added("c"), added("a")]).is_err());
    assert_eq!(can(&store), (true, true));
    store.redo().unwrap();
    assert_eq!(cards(&store), ["a A", "b B"]);
}

#[test]
fn commands_are_undone_as_commits_are() {
    let store = open();
    store.commit(added("a")).unwrap();
    store.execute(Finish { id: "a".into() }).unwrap();
    assert_eq!(cards(&store), ["a A!"]);
    store.undo().unwrap();
    assert_eq!(cards(&store), ["a A"]);
    store.redo().unwrap();
    assert_eq!(cards(&store), ["a A!"]);
}

#[test]
fn what_can_be_done_is_live() {
    let store = open();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = |which: &'static str| {
        let seen = Arc::clone(&seen);
        move |can: &bool| seen.lock().unwrap().push((which, *can))
    };
    let (undo, redo) = (store.can_undo().unwrap(), store.can_redo().unwrap());
    let _undo = undo.subscribe(note("undo"));
    let _redo = redo.subscribe(note("redo"));
    let changes = || std::mem::take(&mut *seen.lock().unwrap());
    store.commit(added("a")).unwrap();
    assert_eq!(changes(), [("undo", true)]);
    store.commit(added("b")).unwrap();
    assert_eq!(changes(), []);
    store.undo().unwrap();
    assert_eq!(changes(), [("redo", true)]);
    store.undo().unwrap();
    assert_eq!(changes(), [("undo", false)]);
    store.commit(added("c")).unwrap();
    let mut both = changes();
    both.sort_unstable();
    assert_eq!(both, [("redo", false), ("undo", true)]);
}

#[test]
fn a_hundred_steps_can_be_undone() {
    let store = open();
    store.commit(added("a")).unwrap();
    for n in 0..150 {
        store.commit(titled("a", &n.to_string())).unwrap();
    }
    let mut undone = 0;
    while store.undo().is_ok() {
        undone += 1;
    }
    assert_eq!((undone, cards(&store)), (100, vec!["a 49".to_owned()]));
    while store.redo().is_ok() {
        undone -= 1;
    }
    assert_eq!((undone, cards(&store)), (0, vec!["a 149".to_owned()]));
}

#[test]
fn threads_undo_each_step_once() {
    let store = open();
    for n in 0..40 {
        store.commit(added(&format!("{n:02}"))).unwrap();
    }
    let undo_all = || {
        let mut undone = 0;
        while store.undo().is_ok() {
            undone += 1;
        }
        undone
    };
    let undone: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(undo_all)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((undone, cards(&store)), (40, Vec::new()));
}
