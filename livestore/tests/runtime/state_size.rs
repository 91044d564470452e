//! A state that has no room: what does not fit is refused, and is no worse an event for that.

use livestore::SqliteErrorKind;
use livestore::prelude::*;
use livestore::schema::Commit;

use crate::app::{App, Todo, TodoEvent, created};
use crate::kit::{Home, log_of};

const LIMIT: u64 = 256 * 1024;

/// A row of 16 kB.
fn padded(n: u64) -> TodoEvent {
    TodoEvent::Padded { id: n.to_string(), bytes: 16_000 }
}

/// Commits rows until one is refused; returns how many there are.
#[track_caller]
fn fill<S: Schema, E: Commit<S>>(store: &Store<S>, event: impl Fn(u64) -> E) -> u64 {
    let refused = (0..1_000).find_map(|n| Some((n, store.commit(event(n)).err()?)));
    let (rows, error) = refused.expect("1,000 rows do not fit");
    assert_full(&error);
    rows
}

#[track_caller]
fn assert_full(error: &CommitError) {
    let CommitError::StateFull(source) = error else { panic!("{error:?}") };
    assert_eq!(source.kind(), SqliteErrorKind::Full);
    assert!(error.to_string().contains("does not fit"), "{error}");
}

#[test]
fn a_commit_that_does_not_fit_is_not_logged_and_the_store_works_on() {
    let home = Home::new();
    let open = || home.builder::<App>().max_state_bytes(LIMIT).open().unwrap();
    let store = open();
    let rows = fill(&store, padded);
    assert!((5..20).contains(&rows), "{rows}");
    let hash = store.state_hash().unwrap();
    assert_full(&store.commit(padded(rows)).unwrap_err());
    assert_full(&store.commit([created("a"), padded(rows)]).unwrap_err());
    assert_eq!(store.state_hash().unwrap(), hash);
    assert_eq!((store.head().unwrap().global, log_of(&store).len() as u64), (rows, rows));

    store.commit(TodoEvent::Deleted { id: "0".into() }).unwrap();
    store.commit(padded(0)).unwrap();
    assert_full(&store.commit(padded(rows)).unwrap_err());
    let hash = store.state_hash().unwrap();
    store.close().unwrap();

    for without_snapshot in [false, true] {
        if without_snapshot {
            let _ = std::fs::remove_file(home.snapshot());
        }
        let store = open();
        assert_eq!((store.state_hash().unwrap(), store.quarantined().unwrap()), (hash, vec![]));
        assert_full(&store.commit(padded(rows)).unwrap_err());
        store.reset_state().unwrap();
        assert_full(&store.commit(padded(rows)).unwrap_err());
    }
}

#[test]
fn a_log_that_takes_more_than_the_limit_opens_and_can_be_made_smaller() {
    let home = Home::new();
    let store = home.open::<App>();
    (0..60).for_each(|n| drop(store.commit(padded(n)).unwrap()));
    store.close().unwrap();
    for limit in [0, LIMIT] {
        let store = home.builder::<App>().max_state_bytes(limit).open().unwrap();
        assert_eq!(store.query(Todo::all().count()).unwrap(), 60);
        assert_full(&store.commit(padded(60)).unwrap_err());
    }
    let store = home.builder::<App>().max_state_bytes(LIMIT).open().unwrap();
    store.commit(TodoEvent::Deleted { id: "0".into() }).unwrap();
    store.commit(padded(60)).unwrap();
    assert_full(&store.commit(padded(61)).unwrap_err());
    store.close().unwrap();
    home.open::<App>().commit(padded(61)).unwrap();
}

#[test]
fn a_fork_has_the_limit_of_its_store() {
    let store = Store::<App>::builder("s").max_state_bytes(LIMIT).open().unwrap();
    let rows = fill(&store, padded);
    let fork = store.fork(store.head().unwrap()).unwrap();
    assert_full(&fork.commit(padded(rows)).unwrap_err());
    assert_eq!(store.state_at(SeqNum::new(3)).unwrap().query(Todo::all().count()).unwrap(), 3);
}

/// Events that make something else of an error than the error that it is.
#[derive(Event, Debug, Clone)]
enum Hidden {
    #[event(name = "v1.Ignored")]
    Ignored { id: String },
    #[event(name = "v1.Reworded")]
    Reworded { id: String },
    #[event(name = "v1.Unwrapped")]
    Unwrapped { id: String },
    #[event(name = "v1.InSql")]
    InSql { id: String },
}

impl Materialize for Hidden {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let row = |id: &str| Todo { id: id.into(), text: "x".repeat(16_000), completed: false };
        match self {
            Self::Ignored { id } => {
                let _ = state.upsert(&row(id));
                Ok(())
            }
            Self::Reworded { id } => state.upsert(&row(id)).map_err(MaterializeError::custom),
            Self::Unwrapped { id } => {
                state.upsert(&row(id)).unwrap();
                Ok(())
            }
            Self::InSql { id } => {
                let sql = "INSERT INTO todo VALUES (?, printf('%.*c', 16000, 'x'), 0)";
                state.sql(sql, (id.as_str(),)).map(drop)
            }
        }
    }
}

livestore::schema! { Hiding { tables: [Todo], events: [Hidden] } }

#[test]
fn a_materializer_cannot_hide_that_there_is_no_room() {
    let events: [fn(u64) -> Hidden; 4] = [
        |n| Hidden::Ignored { id: n.to_string() },
        |n| Hidden::Reworded { id: n.to_string() },
        |n| Hidden::Unwrapped { id: n.to_string() },
        |n| Hidden::InSql { id: n.to_string() },
    ];
    for event in events {
        let store = Store::<Hiding>::builder("s").max_state_bytes(LIMIT).open().unwrap();
        let rows = fill(&store, event);
        assert_eq!(store.query(Todo::all().count()).unwrap(), rows, "{:?}", event(0));
        let hash = store.state_hash().unwrap();
        store.reset_state().unwrap();
        assert_eq!((store.state_hash().unwrap(), store.quarantined().unwrap()), (hash, vec![]));
    }
}

#[test]
fn the_log_of_a_state_that_does_not_fit_is_read_without_it() {
    let home = Home::new();
    let store = home.builder::<App>().open().unwrap();
    for n in 0..3 {
        store.commit(padded(n)).unwrap();
    }
    let events = log_of(&store);
    let locked = home.builder::<App>().single_process().open_log().unwrap_err();
    assert!(matches!(locked, OpenError::Locked { .. }), "{locked:?}");
    store.close().unwrap();

    let log = home.builder::<App>().max_state_bytes(1).open_log().unwrap();
    assert_eq!(log.events().collect::<Result<Vec<_>, _>>().unwrap(), events);
    assert_eq!(log.head().unwrap(), SeqNum::new(3));
    let single = home.builder::<App>().single_process();
    assert!(matches!(single.open(), Err(OpenError::Locked { .. })));
    drop(log);
    home.builder::<App>().open().unwrap();
}

#[test]
fn a_log_that_is_not_there_is_not_created() {
    let home = Home::new();
    let error = home.builder::<App>().open_log().unwrap_err();
    assert!(matches!(error, OpenError::NoLog { .. }), "{error:?}");
    assert!(std::fs::read_dir(home.path()).unwrap().next().is_none());
    let in_memory = Store::<App>::builder("todos").open_log().unwrap_err();
    assert!(in_memory.to_string().contains("no eventlog of store \"todos\""), "{in_memory}");
}
