//! A commit is all or nothing; a store is open once; what is closed says so.

use std::thread;

use livestore::SqliteErrorKind;
use livestore::event::EncodeError;
use livestore::eventlog::EventlogError;
use livestore::prelude::*;
use livestore::store::{CloseError, HistoryError, ReadError};

use crate::app::{
    App, Counter, Misbehaved, Rated, Todo, TodoEvent, UiState, completed, counted, created,
};
use crate::kit::{Home, log_of, seqs};

/// Commits what must fail, and checks that nothing came of it.
#[track_caller]
fn refused(events: impl livestore::schema::Commit<App>) -> CommitError {
    let home = Home::new();
    let store = home.open::<App>();
    store.commit([created("a"), created("b")]).unwrap();
    let before = (store.state_hash().unwrap(), store.head().unwrap(), log_of(&store));

    let error = store.commit(events).unwrap_err();

    assert_eq!((store.state_hash().unwrap(), store.head().unwrap(), log_of(&store)), before);
    store.commit(created("c")).unwrap();
    assert_eq!(seqs(&store), ["e1", "e2", "e3"]);
    let hash = store.state_hash().unwrap();
    store.close().unwrap();
    assert_eq!(home.open::<App>().state_hash().unwrap(), hash);
    assert_eq!(home.replayed_hash::<App>(), hash);
    error
}

#[test]
fn a_failing_materializer_undoes_the_whole_commit() {
    let error = refused((created("x"), Misbehaved::Refused, created("y")));
    assert_eq!(
        error,
        CommitError::Materialize {
            index: 1,
            event: "v1.Refused",
            source: MaterializeError::custom("not today"),
        }
    );
}

#[test]
fn a_panicking_materializer_undoes_the_whole_commit() {
    let error = refused((created("x"), created("y"), Misbehaved::Panicked));
    let source = MaterializeError::Panicked { message: "out of ideas".into() };
    assert_eq!(error, CommitError::Materialize { index: 2, event: "v1.Panicked", source });
}

#[test]
fn a_constraint_violation_undoes_the_whole_commit() {
    let error = refused([created("x"), completed("a"), created("b")]);
    let CommitError::Materialize { index: 2, event: "v1.TodoCreated", source } = &error else {
        panic!("{error:?}");
    };
    let MaterializeError::Write { table, source } = source else { panic!("{source:?}") };
    assert_eq!((table.as_str(), source.kind()), ("todo", SqliteErrorKind::Constraint));
}

#[test]
fn an_integer_that_overflows_its_column_is_refused() {
    let error = refused([counted("n", i64::MAX), counted("n", 1)]);
    let CommitError::Materialize { index: 1, event: "v1.Counted", source } = &error else {
        panic!("{error:?}");
    };
    let MaterializeError::Sql { source, .. } = source else { panic!("{source:?}") };
    assert_eq!(source.kind(), SqliteErrorKind::Constraint);
}

#[test]
fn an_integer_that_overflows_its_columns_type_is_refused() {
    let rated = |stars| Rated { id: "a".into(), stars };
    assert!(matches!(refused([rated(200), rated(100)]), CommitError::Materialize { index: 1, .. }));
}

#[test]
fn a_materializer_cannot_end_the_commit() {
    let error = refused((created("x"), Misbehaved::RolledBack));
    assert!(matches!(error, CommitError::Materialize { index: 1, .. }), "{error:?}");
}

#[test]
fn a_sum_that_overflows_64_bits_fails_the_query_only() {
    let store = Store::<App>::builder("todos").open().unwrap();
    store.commit([counted("m", i64::MAX), counted("n", 1)]).unwrap();
    let sum = Counter::all().select(Counter::VALUE.sum());
    let Err(QueryError::Sql { source, .. }) = store.query(sum.one()) else { panic!("no error") };
    assert_eq!(source.kind(), SqliteErrorKind::Overflow);
    assert_eq!(store.query(Counter::all().count()).unwrap(), 2);
}

#[test]
fn a_failing_event_in_a_batch_of_thousands_leaves_nothing() {
    let mut events: Vec<_> = (0..3_000).map(created).collect();
    events.push(created(0));
    assert!(matches!(refused(events), CommitError::Materialize { index: 3_000, .. }));
}

#[test]
fn an_event_that_cannot_be_encoded_is_refused() {
    // JSON's keys are texts.
    let pairs = [((1, 2), 3)].into();
    let error = refused((created("x"), Misbehaved::Unwritable { pairs }));
    let CommitError::Encode(error) = error else { panic!("{error:?}") };
    assert_eq!(error.event, "v1.Unwritable");
    assert!(matches!(error.source, EncodeError::Field { field, .. } if field == "pairs"));
}

#[test]
fn an_empty_commit_changes_nothing() {
    let store = Store::<App>::builder("todos").open().unwrap();
    assert_eq!(store.commit(Vec::<TodoEvent>::new()).unwrap().last(), None);
    assert_eq!(store.commit(None::<TodoEvent>).unwrap().as_slice(), []);
    assert_eq!(store.head().unwrap(), SeqNum::ROOT);
}

#[test]
fn a_closed_store_says_so() {
    let home = Home::new();
    let store = home.open::<App>();
    let other = store.clone();
    store.commit(created("a")).unwrap();
    store.close().unwrap();

    assert_eq!(other.commit(created("b")), Err(CommitError::Closed));
    assert_eq!(other.commit(Vec::<TodoEvent>::new()), Err(CommitError::Closed));
    assert_eq!(other.query(Todo::all().count()), Err(QueryError::Closed));
    assert_eq!(other.query(UiState::get()), Err(QueryError::Closed));
    assert_eq!(other.flush(), Err(EventlogError::Closed));
    assert_eq!(other.head(), Err(ReadError::Closed));
    assert_eq!(other.state_hash(), Err(ReadError::Closed));
    assert_eq!(other.quarantined(), Err(ReadError::Closed));
    assert_eq!(other.reset_state(), Err(HistoryError::Closed));
    assert!(matches!(other.state_at(SeqNum::ROOT), Err(HistoryError::Closed)));
    assert!(matches!(other.fork(SeqNum::ROOT), Err(HistoryError::Closed)));
    let events: Vec<_> = other.events().into_iter().collect();
    assert_eq!(events, [Err(EventlogError::Closed)]);
    assert_eq!(other.events().follow().next(), None);
    assert_eq!(other.store_id(), "todos");
    assert_eq!(other.close(), Ok::<(), CloseError>(()));
    assert_eq!(seqs(&home.open::<App>()), ["e1"]);
}

#[test]
fn a_store_is_in_use_until_the_last_handle_is_gone() {
    let home = Home::new();
    let store = home.open::<App>();
    let clone = store.clone();
    let locked = || {
        matches!(
            home.builder::<App>().single_process().open(),
            Err(OpenError::Locked { path }) if path == home.folder()
        )
    };
    assert!(locked());
    drop(store);
    assert!(locked());
    // What reads the log does not keep the store open.
    let events = clone.events();
    let follow = clone.events().follow();
    drop(clone);
    home.open::<App>();
    drop((events, follow));
}

#[test]
fn stores_of_other_ids_share_the_directory() {
    let home = Home::new();
    let first = home.open::<App>();
    let second = Store::<App>::builder("other").directory(home.path()).open().unwrap();
    first.commit(created("a")).unwrap();
    assert_eq!(second.head().unwrap(), SeqNum::ROOT);
    assert_ne!(first.client_id(), second.client_id());
}

#[test]
fn threads_commit_and_query_at_once() {
    const THREADS: usize = 4;
    const COMMITS: usize = 50;
    let home = Home::new();
    let store = home.open::<App>();
    thread::scope(|scope| {
        for name in 0..THREADS {
            let store = store.clone();
            scope.spawn(move || {
                for n in 0..COMMITS {
                    let name = name.to_string();
                    let committed = store.commit([counted(&name, 1), counted("all", 1)]).unwrap();
                    let &[first, second] = committed.as_slice() else { panic!("two events") };
                    assert_eq!(first.global + 1, second.global);
                    let mine = store.query(Counter::get(name.as_str())).unwrap().unwrap();
                    assert_eq!(mine.value, (n + 1) as i64);
                    // Every query sees whole commits.
                    let sum = raw::<(i64,)>(
                        "SELECT SUM(CASE name WHEN 'all' THEN -value ELSE value END) FROM counter",
                        (),
                    );
                    assert_eq!(store.query(sum.one()).unwrap(), (0,));
                }
            });
        }
    });
    let dense: Vec<_> = (1..=2 * THREADS * COMMITS).map(|n| format!("e{n}")).collect();
    assert_eq!(seqs(&store), dense);
    let all = store.query(Counter::get("all")).unwrap().unwrap();
    assert_eq!(all.value, (THREADS * COMMITS) as i64);
    let hash = store.state_hash().unwrap();
    store.close().unwrap();
    assert_eq!(home.replayed_hash::<App>(), hash);
}

#[test]
fn client_only_events_count_behind_the_last_synced_one() {
    let store = Store::<App>::builder("todos").open().unwrap();
    let viewed = || TodoEvent::Viewed { id: "a".into() };
    store
        .commit((viewed(), created("a"), viewed(), UiState::set().zoom(2u8), created("b")))
        .unwrap();
    assert_eq!(seqs(&store), ["e0.1", "e1", "e1.1", "e1.2", "e2"]);
    let parents: Vec<_> = log_of(&store).iter().map(|event| event.parent.to_string()).collect();
    assert_eq!(parents, ["e0", "e0", "e1", "e1.1", "e1"]);
}
