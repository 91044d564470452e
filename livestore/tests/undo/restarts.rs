//! Steps outlive the process.

use livestore::prelude::*;
use livestore_testing::Clients;
use tempfile::TempDir;

use crate::app::*;

fn open_in(directory: &TempDir, window: &str, durability: Durability) -> Store<Board> {
    let builder = Store::builder("board").directory(directory.path());
    builder.window_id(window).durability(durability).open().unwrap()
}

#[test]
fn steps_are_there_after_a_restart() {
    for durability in [Durability::Buffered, Durability::Written, Durability::Synced] {
        let directory = TempDir::new().unwrap();
        let open = || open_in(&directory, "main", durability);
        let store = open();
        store.commit(added("a")).unwrap();
        store.commit(titled("a", "one")).unwrap();
        store.commit(titled("a", "two")).unwrap();
        store.undo().unwrap();
        store.close().unwrap();

        let store = open();
        assert_eq!(can(&store), (true, true));
        store.redo().unwrap();
        assert_eq!(cards(&store), ["a two"]);
        store.undo().unwrap();
        store.undo().unwrap();
        store.close().unwrap();

        let store = open();
        store.undo().unwrap();
        assert_eq!(cards(&store), [""; 0]);
        assert_eq!(store.undo(), Err(UndoError::Nothing));
        store.commit(added("b")).unwrap();
        store.close().unwrap();
        assert_eq!(can(&open()), (true, false), "{durability:?}");
    }
}

#[test]
fn each_window_has_its_own() {
    let directory = TempDir::new().unwrap();
    let open = |window| open_in(&directory, window, Durability::Written);
    let store = open("left");
    store.commit(added("a")).unwrap();
    store.close().unwrap();
    let store = open("right");
    assert_eq!(can(&store), (false, false));
    store.commit(added("b")).unwrap();
    store.close().unwrap();
    let store = open("left");
    store.undo().unwrap();
    assert_eq!(cards(&store), ["b B"]);
}

#[test]
fn the_hundred_are_the_last_ones() {
    let directory = TempDir::new().unwrap();
    let open = || open_in(&directory, "main", Durability::Written);
    let store = open();
    store.commit(added("a")).unwrap();
    for n in 0..120 {
        store.commit(titled("a", &n.to_string())).unwrap();
    }
    store.close().unwrap();
    let store = open();
    let mut undone = 0;
    while store.undo().is_ok() {
        undone += 1;
    }
    assert_eq!((undone, cards(&store)), (100, vec!["a 19".to_owned()]));
}

#[test]
fn what_others_do_while_it_is_closed_counts() {
    let clients = Clients::<Board>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit(added("a")).unwrap();
    alice.commit(titled("a", "Alice's")).unwrap();
    clients.sync().unwrap();
    let alice = clients.restart(alice).unwrap();
    bob.commit(titled("a", "Bob's")).unwrap();
    clients.sync().unwrap();
    assert_eq!(alice.undo(), Err(UndoError::Changed));
    assert_eq!(cards(&alice), ["a Bob's"]);
}

#[test]
fn what_is_pending_over_a_restart_is_asked_again_behind_a_rebase() {
    let clients = Clients::<Board>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    bob.commit(added("a")).unwrap();
    clients.sync().unwrap();
    alice.offline();
    alice.commit(titled("a", "Alice's")).unwrap();
    alice.close().unwrap();
    bob.commit(titled("a", "Bob's")).unwrap();
    clients.sync().unwrap();
    let alice = clients.open("alice").unwrap();
    clients.sync().unwrap();
    clients.assert_converged();
    assert_eq!(cards(&alice), ["a Alice's"]);
    alice.undo().unwrap();
    assert_eq!(cards(&alice), ["a Bob's"]);
}

#[test]
fn a_crash_loses_no_step() {
    let clients = Clients::<Board>::new();
    let alice = clients.open("alice").unwrap();
    alice.commit(added("a")).unwrap();
    alice.commit(titled("a", "one")).unwrap();
    alice.undo().unwrap();
    let alice = clients.crash(alice).unwrap();
    assert_eq!(can(&alice), (true, true));
    alice.redo().unwrap();
    assert_eq!(cards(&alice), ["a one"]);
}

mod later {
    //! The board in a version that has no titles any more.

    use livestore::prelude::*;

    use super::Card;

    #[derive(Event)]
    pub enum CardEvent {
        #[event(name = "v1.CardAdded")]
        Added { id: String, title: String, is_done: bool },
    }

    impl Materialize for CardEvent {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            let Self::Added { id, title, is_done } = self;
            state.insert(&Card { id: id.clone(), title: title.clone(), is_done: *is_done })
        }
    }

    impl Undo for CardEvent {
        type Events = Option<Self>;

        fn undo(&self, _: &Reader<'_>) -> Result<Option<Self>, QueryError> {
            Ok(None)
        }
    }

    livestore::schema! { pub Board { tables: [Card], events: [CardEvent], undo: [CardEvent] } }
}

#[test]
fn a_version_without_the_event_says_so() {
    let directory = TempDir::new().unwrap();
    let store = open_in(&directory, "main", Durability::Written);
    store.commit(added("a")).unwrap();
    store.close().unwrap();
    let builder = Store::<later::Board>::builder("board").directory(directory.path());
    let store = builder.window_id("main").open().unwrap();
    let error = store.undo().unwrap_err();
    // Its removal is what the version does not know; or what it would overwrite, which is nothing now.
    assert!(
        matches!(&error, UndoError::UnknownEvent { event } if event == "v1.CardRemoved")
            || error == UndoError::Changed,
        "{error:?}"
    );
    assert_eq!(store.undo(), Err(UndoError::Nothing));
}
