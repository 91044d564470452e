//! Others change the same cards meanwhile.

use livestore::prelude::*;
use livestore::store::ConfirmError;
use livestore_testing::{Client, Clients};

use crate::app::*;

/// Alice and Bob, who have the card "a".
fn two() -> (Clients<Board>, Client<Board>, Client<Board>) {
    let clients = Clients::<Board>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    bob.commit(added("a")).unwrap();
    clients.sync().unwrap();
    (clients, alice, bob)
}

/// What alice has done comes behind what bob has done, offline both.
fn rebase(
    clients: &Clients<Board>,
    alice: &Client<Board>,
    by_alice: impl FnOnce(),
    by_bob: impl FnOnce(),
) {
    alice.offline();
    by_alice();
    by_bob();
    // Bob alone is online.
    clients.sync().unwrap();
    alice.online();
    clients.sync().unwrap();
    clients.assert_converged();
}

#[test]
fn what_others_did_is_not_undone() {
    let (clients, alice, bob) = two();
    assert_eq!(alice.undo(), Err(UndoError::Nothing));
    alice.commit(added("b")).unwrap();
    clients.sync().unwrap();
    bob.commit(titled("b", "Bob's")).unwrap();
    bob.commit(added("c")).unwrap();
    clients.sync().unwrap();
    bob.undo().unwrap();
    assert_eq!(cards(&bob), ["a A", "b Bob's"]);
}

#[test]
fn what_others_have_changed_since_stays() {
    let (clients, alice, bob) = two();
    alice.commit(titled("a", "Alice's")).unwrap();
    clients.sync().unwrap();
    bob.commit(titled("a", "Bob's")).unwrap();
    clients.sync().unwrap();
    assert_eq!(can(&alice), (true, false));
    assert_eq!(alice.undo(), Err(UndoError::Changed));
    assert_eq!(cards(&alice), ["a Bob's"]);
    assert_eq!(can(&alice), (false, false), "the step is of no use any more");
    bob.undo().unwrap();
    clients.sync().unwrap();
    assert_eq!(cards(&alice), ["a Alice's"]);
}

#[test]
fn the_steps_before_one_that_others_changed_can_still_be_undone() {
    let (clients, alice, bob) = two();
    alice.commit(marked("a", true)).unwrap();
    alice.commit(titled("a", "Alice's")).unwrap();
    clients.sync().unwrap();
    bob.commit(titled("a", "Bob's")).unwrap();
    clients.sync().unwrap();
    assert_eq!(alice.undo(), Err(UndoError::Changed));
    alice.undo().unwrap();
    assert_eq!(cards(&alice), ["a Bob's"]);
}

#[test]
fn another_column_of_the_row_is_left_alone() {
    let (clients, alice, bob) = two();
    alice.commit(titled("a", "Alice's")).unwrap();
    clients.sync().unwrap();
    bob.commit(marked("a", true)).unwrap();
    clients.sync().unwrap();
    alice.undo().unwrap();
    assert_eq!(cards(&alice), ["a A!"]);
    clients.sync().unwrap();
    clients.assert_converged();
}

#[test]
fn a_row_that_others_removed_is_not_brought_back() {
    let (clients, alice, bob) = two();
    alice.commit(titled("a", "Alice's")).unwrap();
    clients.sync().unwrap();
    bob.commit(removed("a")).unwrap();
    clients.sync().unwrap();
    assert_eq!(alice.undo(), Err(UndoError::Changed));
    assert_eq!(cards(&alice), [""; 0]);
}

#[test]
fn a_row_that_others_work_on_is_not_removed() {
    let (clients, alice, bob) = two();
    alice.commit(added("b")).unwrap();
    clients.sync().unwrap();
    bob.commit(titled("b", "Bob's")).unwrap();
    clients.sync().unwrap();
    assert_eq!(alice.undo(), Err(UndoError::Changed));
    assert_eq!(cards(&alice), ["a A", "b Bob's"]);
}

#[test]
fn redo_sees_what_others_did() {
    let (clients, alice, bob) = two();
    alice.commit(titled("a", "Alice's")).unwrap();
    alice.undo().unwrap();
    clients.sync().unwrap();
    bob.commit(titled("a", "Bob's")).unwrap();
    clients.sync().unwrap();
    assert_eq!(alice.redo(), Err(UndoError::Changed));
    assert_eq!(cards(&alice), ["a Bob's"]);
}

/// The trap of every undo that is computed once: it would bring back what was there before *both*.
#[test]
fn behind_a_rebase_undo_restores_what_others_have_made() {
    let (clients, alice, bob) = two();
    rebase(
        &clients,
        &alice,
        || drop(alice.commit(titled("a", "Alice's")).unwrap()),
        || drop(bob.commit(titled("a", "Bob's")).unwrap()),
    );
    assert_eq!(cards(&alice), ["a Alice's"]);
    alice.undo().unwrap();
    assert_eq!(cards(&alice), ["a Bob's"]);
    alice.redo().unwrap();
    assert_eq!(cards(&alice), ["a Alice's"]);
}

#[test]
fn behind_a_rebase_a_whole_group_is_asked_again() {
    let (clients, alice, bob) = two();
    rebase(
        &clients,
        &alice,
        || {
            alice.commit(added("before")).unwrap();
            let _group = alice.undo_group().unwrap();
            alice.commit([titled("a", "one"), titled("a", "two")]).unwrap();
            alice.commit(marked("a", true)).unwrap();
            alice.commit(CardEvent::DoneRemoved).unwrap();
        },
        || {
            drop(
                bob.commit((
                    titled("a", "Bob's"),
                    CardEvent::Added { id: "b".into(), title: "B".into(), is_done: true },
                ))
                .unwrap(),
            )
        },
    );
    assert_eq!(cards(&alice), ["before BEFORE"]);
    alice.undo().unwrap();
    assert_eq!(cards(&alice), ["a Bob's", "b B!", "before BEFORE"]);
    alice.undo().unwrap();
    assert_eq!(cards(&alice), ["a Bob's", "b B!"]);
}

#[test]
fn what_changes_nothing_behind_a_rebase_is_no_step_any_more() {
    let (clients, alice, bob) = two();
    rebase(
        &clients,
        &alice,
        || drop(alice.commit(marked("a", true)).unwrap()),
        || drop(bob.commit(marked("a", true)).unwrap()),
    );
    assert_eq!(can(&alice), (false, false));
    assert_eq!(alice.undo(), Err(UndoError::Nothing));
    assert_eq!(cards(&alice), ["a A!"]);
}

#[test]
fn a_command_that_decides_otherwise_is_undone_as_it_decided() {
    let (clients, alice, bob) = two();
    rebase(
        &clients,
        &alice,
        || assert_eq!(alice.execute(AddNext).unwrap().output, "1"),
        || assert_eq!(bob.execute(AddNext).unwrap().output, "1"),
    );
    assert_eq!(cards(&alice), ["1 next", "2 next", "a A"]);
    alice.undo().unwrap();
    assert_eq!(cards(&alice), ["1 next", "a A"]);
}

#[test]
fn what_is_quarantined_is_not_undone() {
    let (clients, alice, bob) = two();
    let mut receipt = None;
    rebase(
        &clients,
        &alice,
        || receipt = Some(alice.commit(added("b")).unwrap()),
        || drop(bob.commit(titled("a", "Bob's")).and_then(|_| bob.commit(added("b"))).unwrap()),
    );
    assert_eq!(alice.quarantined().unwrap().len(), 1);
    let error = alice.undo().unwrap_err();
    assert!(
        matches!(error, UndoError::NotApplied { source: ConfirmError::Quarantined { .. } }),
        "{error:?}"
    );
    assert_eq!(cards(&alice), ["a Bob's", "b B"]);
    assert_eq!(alice.undo(), Err(UndoError::Nothing));
}

#[test]
fn what_is_quarantined_and_pending_is_not_undone() {
    let (clients, alice, bob) = two();
    alice.offline();
    alice.commit(added("b")).unwrap();
    bob.commit(added("b")).unwrap();
    clients.sync().unwrap();
    // It knows of bob's card, and cannot push its own: pushes wait for the end of the pull.
    alice.online();
    clients.sync().unwrap();
    let error = alice.undo().unwrap_err();
    assert!(matches!(error, UndoError::NotApplied { .. }), "{error:?}");
}

#[test]
fn what_was_withdrawn_is_not_undone() {
    let (clients, alice, bob) = two();
    rebase(
        &clients,
        &alice,
        || drop(alice.execute(Finish { id: "a".into() }).unwrap()),
        || drop(bob.execute(Finish { id: "a".into() }).unwrap()),
    );
    let error = alice.undo().unwrap_err();
    let UndoError::NotApplied { source: ConfirmError::Withdrawn { reason } } = error else {
        panic!("{error:?}")
    };
    assert_eq!(reason, "there is nothing to finish");
    assert_eq!(cards(&alice), ["a A!"], "it is bob's");
}

#[test]
fn an_undo_that_is_pending_is_rebased_as_any_commit() {
    let (clients, alice, bob) = two();
    rebase(
        &clients,
        &alice,
        || {
            alice.commit(added("b")).unwrap();
            alice.undo().unwrap();
        },
        || drop(bob.commit(titled("a", "Bob's")).unwrap()),
    );
    assert_eq!(cards(&alice), ["a Bob's"]);
    alice.redo().unwrap();
    clients.sync().unwrap();
    clients.assert_converged();
    assert_eq!(cards(&bob), ["a Bob's", "b B"]);
}

/// The trap of a group: its first commit would bring back what was there before somebody else's change, which
/// its second has overwritten.
#[test]
fn what_others_have_changed_within_a_group_stays() {
    let (clients, alice, bob) = two();
    alice.commit(added("before")).unwrap();
    let group = alice.undo_group().unwrap();
    alice.commit(titled("a", "one")).unwrap();
    clients.sync().unwrap();
    bob.commit(titled("a", "Bob's")).unwrap();
    clients.sync().unwrap();
    alice.commit(titled("a", "two")).unwrap();
    drop(group);
    assert_eq!(alice.undo(), Err(UndoError::Changed));
    assert_eq!(cards(&alice), ["a two", "before BEFORE"]);
    alice.undo().unwrap();
    assert_eq!(cards(&alice), ["a two"], "the step before it");
}

#[test]
fn what_others_have_changed_elsewhere_within_a_group_is_left_alone() {
    let (clients, alice, bob) = two();
    let group = alice.undo_group().unwrap();
    alice.commit(titled("a", "one")).unwrap();
    clients.sync().unwrap();
    bob.commit(marked("a", true)).unwrap();
    clients.sync().unwrap();
    alice.commit(titled("a", "two")).unwrap();
    drop(group);
    alice.undo().unwrap();
    assert_eq!(cards(&alice), ["a A!"]);
    alice.redo().unwrap();
    assert_eq!(cards(&alice), ["a two!"]);
}

#[test]
fn behind_a_rebase_a_group_of_which_only_the_end_was_pending_is_asked_again() {
    let (clients, alice, bob) = two();
    let group = alice.undo_group().unwrap();
    alice.commit(titled("a", "one")).unwrap();
    clients.sync().unwrap();
    rebase(
        &clients,
        &alice,
        || {
            alice.commit(marked("a", true)).unwrap();
            alice.commit(titled("a", "two")).unwrap();
        },
        || drop(bob.commit(titled("a", "Bob's")).unwrap()),
    );
    drop(group);
    assert_eq!(cards(&alice), ["a two!"]);
    assert_eq!(alice.undo(), Err(UndoError::Changed));
    assert_eq!(cards(&alice), ["a two!"]);
}

#[test]
fn within_a_group_other_commits_of_the_session_count_too() {
    let (_clients, alice, _bob) = two();
    let group = alice.undo_group().unwrap();
    alice.commit(titled("a", "one")).unwrap();
    alice.commit(Forced { id: "a".into(), title: "forced".into() }).unwrap();
    alice.commit(titled("a", "two")).unwrap();
    drop(group);
    assert_eq!(alice.undo(), Err(UndoError::Changed));
    assert_eq!(cards(&alice), ["a two"]);
}

#[test]
fn a_group_that_others_have_broken_stays_so_over_a_restart() {
    let (clients, alice, bob) = two();
    let group = alice.undo_group().unwrap();
    alice.commit(titled("a", "one")).unwrap();
    clients.sync().unwrap();
    bob.commit(titled("a", "Bob's")).unwrap();
    clients.sync().unwrap();
    alice.commit(titled("a", "two")).unwrap();
    drop(group);
    clients.sync().unwrap();
    let alice = clients.restart(alice).unwrap();
    assert_eq!(alice.undo(), Err(UndoError::Changed));
    assert_eq!(cards(&alice), ["a two"]);
}
