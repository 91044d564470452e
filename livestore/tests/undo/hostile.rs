//! Events whose `undo` misbehaves, and the states that undo finds.

use livestore::prelude::*;
use livestore_testing::sample::notes;

use crate::app::{Card, can};

#[derive(Event, Debug, Clone)]
pub enum Odd {
    #[event(name = "v1.Panics")]
    Panics,
    #[event(name = "v1.AsksTheClock")]
    AsksTheClock,
    #[event(name = "v1.AsksForAnId")]
    AsksForAnId,
    #[event(name = "v1.OpensAStore")]
    OpensAStore,
    #[event(name = "v1.NeverEnds")]
    NeverEnds,
    #[event(name = "v1.Fails")]
    Fails,
    /// Its inverse cannot be applied.
    #[event(name = "v1.Added")]
    Added { id: String },
    /// Its inverse has no JSON form.
    #[event(name = "v1.Scaled")]
    Scaled { by: f64 },
}

impl Materialize for Odd {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Added { id } => {
                state.insert(&Card { id: id.clone(), title: String::new(), is_done: false })
            }
            _ => Ok(()),
        }
    }
}

impl Undo for Odd {
    type Events = Vec<Self>;

    fn undo(&self, before: &Reader<'_>) -> Result<Vec<Self>, QueryError> {
        match self {
            Self::Panics => panic!("out of ideas"),
            Self::AsksTheClock => drop(livestore::now().to_string()),
            Self::AsksForAnId => drop(new_id()),
            Self::OpensAStore => drop(Store::<OddBoard>::builder("other").open()),
            Self::NeverEnds => drop(before.query(raw::<(i64,)>(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n",
                (),
            ))),
            Self::Fails => drop(before.query(raw::<(i64,)>("SELECT 1 FROM nothing", ()))?),
            Self::Added { id } => return Ok(vec![Self::Added { id: id.clone() }]),
            Self::Scaled { by } => return Ok(vec![Self::Scaled { by: 1.0 / by }]),
        }
        Ok(vec![self.clone()])
    }
}

livestore::schema! { pub OddBoard { tables: [Card], events: [Odd], undo: [Odd] } }

#[test]
fn an_undo_that_misbehaves_is_refused_with_the_commit() {
    let store = Store::<OddBoard>::builder("odd").open().unwrap();
    for (event, expected) in [
        (Odd::Panics, "panicked: out of ideas"),
        (Odd::AsksTheClock, "called `now()`"),
        (Odd::AsksForAnId, "called `new_id()`"),
        (Odd::OpensAStore, "used a store"),
        (Odd::NeverEnds, "instructions of SQLite"),
        (Odd::Fails, "nothing"),
        (Odd::Scaled { by: 0.0 }, "v1.Scaled"),
    ] {
        let error = store.commit([Odd::Added { id: format!("{event:?}") }, event]).unwrap_err();
        let CommitError::Undo { reason, .. } = &error else { panic!("{error:?}") };
        assert!(reason.contains(expected), "{reason}");
        assert_eq!(store.head().unwrap(), SeqNum::ROOT);
        assert_eq!(store.query(Card::all().count()).unwrap(), 0);
    }
    assert_eq!(store.undo(), Err(UndoError::Nothing));
}

#[test]
fn events_that_cannot_be_applied_undo_nothing() {
    let store = Store::<OddBoard>::builder("odd").open().unwrap();
    store.commit(Odd::Added { id: "a".into() }).unwrap();
    let error = store.undo().unwrap_err();
    assert!(matches!(error, UndoError::Inapplicable { event: "v1.Added", .. }), "{error:?}");
    assert_eq!(store.query(Card::all().count()).unwrap(), 1);
    assert_eq!(store.undo(), Err(UndoError::Nothing));
}

#[test]
fn a_schema_without_undo_has_nothing_to_undo() {
    let store = Store::<notes::App>::builder("notes").open().unwrap();
    store.commit(notes::added("a")).unwrap();
    assert_eq!(store.undo(), Err(UndoError::Nothing));
    assert_eq!(store.redo(), Err(UndoError::Nothing));
    assert!(!*store.can_undo().unwrap().get());
    drop(store.undo_group().unwrap());
}

#[test]
fn a_closed_store_says_so() {
    let store = crate::app::open();
    let other = store.clone();
    let group = other.undo_group().unwrap();
    assert_eq!(can(&store), (false, false));
    store.close().unwrap();
    assert_eq!(other.undo(), Err(UndoError::Closed));
    assert_eq!(other.redo(), Err(UndoError::Closed));
    assert!(other.can_undo().is_err() && other.undo_group().is_err());
    drop(group);
}
