//! Errors: each says its own part, widens into one, and keeps its cause.

use std::error::Error as _;

use livestore::eventlog::EventlogError;
use livestore::prelude::*;
use livestore::store::{CloseError, HistoryError, ReadError};
use livestore::table::RowError;
use livestore::value::ValueError;
use livestore::{Error, ErrorChain};

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
}

#[derive(Event)]
#[event(name = "v1.Refused")]
struct Refused {}

impl Materialize for Refused {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.sql("INSERT INTO todo (id) VALUES (NULL)", ()).map(drop)
    }
}

livestore::schema! { Refusing { tables: [Todo], events: [Refused] } }

#[track_caller]
fn assert_says_its_own_part(error: &(dyn std::error::Error + 'static)) {
    let mut error = error;
    while let Some(source) = error.source() {
        let (outer, inner) = (error.to_string(), source.to_string());
        assert!(!outer.contains(&inner), "`{outer}` repeats `{inner}`");
        error = source;
    }
}

#[test]
fn no_message_repeats_its_source() {
    let store = Store::<Refusing>::builder("errors").open().unwrap();
    let commit = store.commit(Refused {}).unwrap_err();
    assert_eq!(commit.to_string(), "event 0 of the commit, v1.Refused, cannot be applied");
    assert!(commit.source().unwrap().source().is_some(), "{commit:?}");
    assert_says_its_own_part(&commit);
    let row = RowError { column: "n".to_owned(), source: ValueError::NotANumber };
    assert_says_its_own_part(&MaterializeError::Row { table: "t", source: row.clone() });
    assert_says_its_own_part(&QueryError::from(row));
    let query = store.query(raw::<(i64,)>("SELECT sum(9223372036854775807) FROM todo, todo", ()));
    assert_says_its_own_part(&query.unwrap_err());
    let query = store.query(raw::<(i64,)>("SELECT ?", (f64::NAN,))).unwrap_err();
    assert_says_its_own_part(&query);
    assert_says_its_own_part(&CloseError::Unwritten(EventlogError::Closed));
    assert_says_its_own_part(&Error::from(commit));
}

#[test]
fn a_chain_names_every_cause_once() {
    let row = RowError { column: "n".to_owned(), source: ValueError::NotANumber };
    let error = MaterializeError::Row { table: "todo", source: row };
    assert_eq!(
        ErrorChain::new(&error).to_string(),
        "a row of table `todo` cannot be stored: column `n` has a value that does not fit: \
         NaN cannot be stored; use an Option to say that a number is missing"
    );
}

#[test]
fn a_closed_store_says_so_in_the_same_words_everywhere() {
    let store = Store::<Refusing>::builder("closed").open().unwrap();
    let other = store.clone();
    store.close().unwrap();
    let errors: [Error; 6] = [
        other.commit(Refused {}).unwrap_err().into(),
        other.query(Todo::all().count()).unwrap_err().into(),
        other.quarantined().unwrap_err().into(),
        other.inspect().unwrap_err().into(),
        other.flush().unwrap_err().into(),
        other.state_at(SeqNum::ROOT).map(drop).unwrap_err().into(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "the store is closed; open it again");
    }
    assert_eq!(other.sync_status().unwrap_err(), ReadError::Closed);
    assert_eq!(other.state_at(SeqNum::ROOT).map(drop).unwrap_err(), HistoryError::Closed);
}
