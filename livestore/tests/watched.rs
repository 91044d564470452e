//! A live query changes nothing about what an event does: law 3.
//!
//! With the triggers that watch a table, SQLite changes rows in another order than without. Where
//! that could matter, they are changed in the same order whether somebody watches or not.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Song {
    #[column(primary_key)]
    pub id: String,
    #[column(index)]
    pub list: i64,
    #[column(unique)]
    pub rank: i64,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Archived {
    #[column(primary_key)]
    pub id: String,
    #[column(index)]
    pub list: i64,
    pub rank: i64,
}

#[derive(Event, Debug, Clone)]
pub enum SongEvent {
    #[event(name = "v1.Added")]
    Added { id: String, list: i64, rank: i64 },
    #[event(name = "v1.Moved")]
    Moved { by: i64 },
    #[event(name = "v1.MovedInSql")]
    MovedInSql { by: i64, fails: bool },
    #[event(name = "v1.Removed")]
    Removed { id: String },
    #[event(name = "v1.Archived")]
    Archived,
}

impl Materialize for SongEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self.clone() {
            Self::Added { id, list, rank } => state.insert(&Song { id, list, rank }),
            Self::Moved { by } => {
                state.run(Song::update().add(Song::RANK, by).filter(Song::LIST.ge(0)))
            }
            Self::MovedInSql { by, fails } => {
                state.sql("UPDATE song SET rank = rank + ? WHERE list >= 0", (by,))?;
                if fails { Err(MaterializeError::custom("it fails")) } else { Ok(()) }
            }
            Self::Removed { id } => state.run(Song::delete().filter(Song::ID.eq(id))),
            Self::Archived => state.sql("INSERT INTO archived SELECT * FROM song", ()).map(|_| ()),
        }
    }
}

livestore::schema! { pub App { tables: [Song, Archived], events: [SongEvent] } }

/// Commits the events one by one, and returns which of them could be committed, and the state.
fn outcome(events: &[SongEvent], watch: bool) -> (Vec<bool>, u64, Vec<(i64,)>) {
    let store = Store::<App>::builder("songs").open().unwrap();
    let live = || {
        (
            store.live(Song::all().order_by(Song::RANK.asc())).unwrap(),
            store.live(Archived::all()).unwrap(),
        )
    };
    let _watched = watch.then(live);
    let kept = events.iter().map(|event| store.commit(event.clone()).is_ok()).collect();
    let row_ids = store.query(raw("SELECT _rowid_ FROM archived", ())).unwrap();
    (kept, store.state_hash().unwrap(), row_ids)
}

#[track_caller]
fn assert_same(events: &[SongEvent]) {
    assert_eq!(outcome(events, false), outcome(events, true));
}

fn added(id: &str, list: i64, rank: i64) -> SongEvent {
    SongEvent::Added { id: id.into(), list, rank }
}

/// Through the index on `list`, "b" would come first and make room for "a".
fn two() -> Vec<SongEvent> {
    vec![added("a", 1, 1), added("b", 0, 2)]
}

#[test]
fn a_typed_update_meets_a_unique_index_either_way() {
    assert_same(&[two(), vec![SongEvent::Moved { by: 1 }]].concat());
    assert_same(&[two(), vec![SongEvent::Moved { by: -1 }]].concat());
}

#[test]
fn an_update_in_sql_meets_a_unique_index_either_way() {
    for by in [1, -1] {
        assert_same(&[two(), vec![SongEvent::MovedInSql { by, fails: false }]].concat());
    }
}

#[test]
fn an_update_in_sql_does_so_after_a_rollback_too() {
    let moved = |fails| SongEvent::MovedInSql { by: 1, fails };
    assert_same(
        &[two(), vec![SongEvent::MovedInSql { by: 5, fails: true }, moved(false)]].concat(),
    );
    assert_same(&[vec![moved(true)], two(), vec![moved(false)]].concat());
}

#[test]
fn copied_rows_get_the_same_row_ids() {
    let removed = SongEvent::Removed { id: "a".into() };
    assert_same(&[two(), vec![removed, SongEvent::Archived]].concat());
}
