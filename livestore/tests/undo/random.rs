//! Random commits, undos and redos. Whoever undoes a lot and redoes all of it has what he had.

use livestore::prelude::*;
use livestore_testing::Clients;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::app::*;

#[derive(Debug, Clone)]
enum Action {
    Commit(Vec<CardEvent>),
    Group(Vec<CardEvent>),
    Undo,
    Redo,
}

fn event() -> impl Strategy<Value = CardEvent> {
    let id = prop::sample::select(vec!["a", "b", "c"]);
    let title = prop::sample::select(vec!["x", "y"]);
    (0..5_u8, id, title, any::<bool>()).prop_map(|(kind, id, title, is_done)| match kind {
        0 => CardEvent::Added { id: id.into(), title: title.into(), is_done },
        1 => titled(id, title),
        2 => marked(id, is_done),
        3 => removed(id),
        _ => CardEvent::DoneRemoved,
    })
}

fn action() -> impl Strategy<Value = Action> {
    let events = || prop::collection::vec(event(), 1..4);
    prop_oneof![
        4 => events().prop_map(Action::Commit),
        1 => events().prop_map(Action::Group),
        3 => Just(Action::Undo),
        2 => Just(Action::Redo),
    ]
}

/// Commits what can be applied.
fn act(store: &Store<Board>, action: &Action) {
    match action {
        Action::Commit(events) => _ = store.commit(events),
        Action::Group(events) => {
            let _group = store.undo_group().unwrap();
            for event in events {
                let _ = store.commit(event);
            }
        }
        Action::Undo => expected(store.undo().err()),
        Action::Redo => expected(store.redo().err()),
    }
}

/// What can come between, where others change the same cards.
fn expected(error: Option<UndoError>) {
    let is_expected = matches!(
        error,
        None | Some(
            UndoError::Nothing
                | UndoError::Changed
                | UndoError::NotApplied { .. }
                | UndoError::Inapplicable { .. }
        )
    );
    assert!(is_expected, "{error:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// One alone: every undo is exact, and so is every redo.
    #[test]
    fn alone_it_is_exact(actions in prop::collection::vec(action(), 1..40)) {
        let store = open();
        // The states to come back to, and to go on to.
        let (mut past, mut future) = (Vec::new(), Vec::new());
        for action in &actions {
            let before = cards(&store);
            match action {
                Action::Undo => match store.undo() {
                    Ok(_) => {
                        prop_assert_eq!(cards(&store), past.pop().unwrap());
                        future.push(before);
                    }
                    error => prop_assert_eq!((error, past.len()), (Err(UndoError::Nothing), 0)),
                },
                Action::Redo => match store.redo() {
                    Ok(_) => {
                        prop_assert_eq!(cards(&store), future.pop().unwrap());
                        past.push(before);
                    }
                    error => prop_assert_eq!((error, future.len()), (Err(UndoError::Nothing), 0)),
                },
                action => {
                    act(&store, action);
                    // What changes something is a step, and ends what could be redone. What changes nothing
                    // in sum may be one.
                    if cards(&store) != before || steps(&store) > past.len() {
                        past.push(before);
                        future.clear();
                    }
                }
            }
        }
        let now = cards(&store);
        let mut undone = 0;
        while let Some(state) = past.pop() {
            store.undo().unwrap();
            prop_assert_eq!(cards(&store), state);
            undone += 1;
        }
        prop_assert_eq!(store.undo(), Err(UndoError::Nothing));
        prop_assert_eq!(cards(&store), Vec::<String>::new());
        for _ in 0..undone {
            store.redo().unwrap();
        }
        prop_assert_eq!(cards(&store), now);
    }
}

/// The number of steps that can be undone: they are undone, and done again.
fn steps(store: &Store<Board>) -> usize {
    let mut count = 0;
    while store.undo().is_ok() {
        count += 1;
    }
    for _ in 0..count {
        store.redo().unwrap();
    }
    count
}

/// Two of them, online and offline: whatever they undo, they agree, and no undo fails but for a reason that
/// the app can show.
#[test]
fn two_agree() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let round = (prop::collection::vec((any::<bool>(), action()), 1..12), any::<bool>());
    for _ in 0..25 {
        let clients = Clients::<Board>::new();
        let all = [clients.open("alice").unwrap(), clients.open("bob").unwrap()];
        for _ in 0..4 {
            let (actions, is_offline) = round.new_tree(&mut runner).unwrap().current();
            if is_offline {
                all[0].offline();
            }
            for (by_bob, action) in actions {
                act(&all[usize::from(by_bob)], &action);
            }
            clients.sync().unwrap();
            all[0].online();
            clients.sync().unwrap();
            clients.assert_converged();
            all.iter().for_each(|client| client.verify_replay().unwrap());
        }
    }
}
