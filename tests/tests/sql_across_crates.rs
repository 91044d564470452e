//! `sql!` over a table that another crate declares.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use livestore::prelude::*;
use livestore_tests::shared::{self, Name};

#[derive(Event, Debug, Clone)]
#[event(name = "v1.PersonMet")]
struct Met {
    id: i64,
    name: String,
}

impl Materialize for Met {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let name = Name(self.name.clone());
        state.run(sql!(app::App, "INSERT INTO person (id, name) VALUES (?, ?)", self.id, name))
    }
}

mod app {
    livestore::schema! {
        pub(crate) App { tables: [crate::shared::Person], events: [crate::Met] }
    }
}

#[test]
fn the_columns_have_their_types() {
    let store = Store::<app::App>::builder("people").open().unwrap();
    store.commit(Met { id: 1, name: "Ada".into() }).unwrap();
    let found = store
        .query(
            sql!(app::App, "SELECT name, seen FROM person WHERE name = ?", Name("Ada".into()))
                .one(),
        )
        .unwrap();
    let (name, seen): (Name, Option<Timestamp>) = (found.name, found.seen);
    assert_eq!((name.0.as_str(), seen), ("Ada", None));
}
