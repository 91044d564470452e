//! `sql!`: checked queries and writes, run against a store.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "a test, not an API")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use livestore::prelude::*;

/// Tables in a module of their own, one with a private column.
mod models {
    use livestore::prelude::*;

    #[derive(ColumnType, Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Status {
        Open,
        Done,
    }

    #[derive(ColumnType, Debug, Clone, PartialEq)]
    pub struct UserId(pub String);

    #[table]
    #[derive(Debug, Clone, PartialEq)]
    pub struct User {
        #[column(primary_key)]
        pub id: UserId,
        pub name: String,
        pub age: Option<u32>,
    }

    #[table(name = "todos")]
    #[derive(Debug, Clone, PartialEq)]
    pub(crate) struct Todo {
        #[column(primary_key)]
        pub(crate) id: i64,
        pub(crate) text: String,
        pub(crate) status: Status,
        pub(crate) owner: Option<UserId>,
        pub(crate) due: Option<Timestamp>,
        #[column(name = "createdAt")]
        pub(crate) created_at: Timestamp,
        #[column(default = false)]
        pub(crate) r#type: bool,
        pub(crate) score: f64,
    }

    pub mod inner {
        use livestore::prelude::*;

        /// Named like a table of another module.
        #[table(name = "inner_todo")]
        #[derive(Debug, Clone, PartialEq)]
        pub struct Todo {
            #[column(primary_key)]
            pub id: String,
            hidden: Hidden,
        }

        #[derive(ColumnType, Debug, Clone, PartialEq)]
        struct Hidden(i64);

        impl Todo {
            pub fn new(id: &str) -> Self {
                Self { id: id.to_owned(), hidden: Hidden(7) }
            }
        }
    }
}

use models::{Status, Todo, User, UserId};

#[client_document]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct UiState {
    pub zoom: u8,
}

#[derive(Event, Debug, Clone)]
pub enum Happened {
    #[event(name = "v1.TodoAdded")]
    TodoAdded { id: i64, text: String, owner: Option<String> },
    #[event(name = "v1.UserAdded")]
    UserAdded { id: String, name: String, age: Option<u32> },
    #[event(name = "v1.TodoScored")]
    Scored { id: i64, score: f64 },
    #[event(name = "v1.TodoDone")]
    Done { id: i64 },
    #[event(name = "v1.TodosCleared")]
    Cleared,
    #[event(name = "v1.InnerAdded")]
    Inner { id: String },
}

impl Materialize for Happened {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::TodoAdded { id, text, owner } => state.run(sql!(
                App,
                "INSERT INTO todos (id, text, status, owner, createdAt, score)"
                "VALUES (?1, ?2, ?3, ?4, ?5, 0.5)",
                id,
                text.as_str(),
                Status::Open,
                owner.clone().map(UserId),
                Timestamp::from_millis(*id),
            )),
            Self::UserAdded { id, name, age } => state.run(sql!(
                App,
                "INSERT INTO user VALUES (?, ?, ?)
                 ON CONFLICT (id) DO UPDATE SET name = excluded.name, age = coalesce(?3, age)",
                UserId(id.clone()),
                name,
                *age,
            )),
            Self::Scored { id, score } => {
                let met = state.execute(sql!(
                    App,
                    "UPDATE todos SET score = ? WHERE id = ?",
                    score,
                    *id
                ))?;
                assert_eq!(met, 1);
                Ok(())
            }
            Self::Done { id } => {
                let (text,) = state.query(
                    sql!(App as (String,), "SELECT text FROM todos WHERE id = ?", id).one(),
                )?;
                state.run(sql!(
                    App,
                    "UPDATE todos SET status = ?, text = ? || ' (done)' WHERE id = ?",
                    Status::Done,
                    text,
                    id
                ))
            }
            Self::Cleared => {
                state.run(sql!(App, "DELETE FROM todos WHERE status = ?", Status::Done))
            }
            Self::Inner { id } => state.insert(&models::inner::Todo::new(id)),
        }
    }
}

livestore::schema! {
    pub App { tables: [Todo, User, models::inner::Todo], documents: [UiState], events: [Happened] }
}

fn store() -> Store<App> {
    let store = Store::<App>::builder("sql").open().unwrap();
    let added = |id, text: &str, owner: Option<&str>| Happened::TodoAdded {
        id,
        text: text.to_owned(),
        owner: owner.map(str::to_owned),
    };
    let user = |id: &str, age| Happened::UserAdded { id: id.into(), name: id.to_uppercase(), age };
    store.commit([user("ada", Some(36)), user("bob", None)]).unwrap();
    store
        .commit([
            added(1, "Milk", Some("ada")),
            added(2, "Bread", None),
            added(3, "Tea", Some("bob")),
        ])
        .unwrap();
    store.commit([Happened::Done { id: 3 }, Happened::Scored { id: 2, score: 4.0 }]).unwrap();
    store
}

#[test]
fn a_record_has_the_types_of_the_fields() {
    let found = store()
        .query(
            sql!(App, "SELECT id, status, owner, due, createdAt, type FROM todos WHERE id = ?", 1)
                .one(),
        )
        .unwrap();
    let (id, status, owner): (i64, Status, Option<UserId>) =
        (found.id, found.status.clone(), found.owner.clone());
    assert_eq!((id, status, owner), (1, Status::Open, Some(UserId("ada".into()))));
    let (due, created_at, flag): (Option<Timestamp>, Timestamp, bool) =
        (found.due, found.createdAt, found.r#type);
    assert_eq!((due, created_at, flag), (None, Timestamp::from_millis(1), false));
    assert_eq!(found.clone(), found);
    assert!(format!("{found:?}").starts_with("Record { id: 1, status: Open"));
}

#[test]
fn tuples_and_structs() {
    #[derive(Debug, PartialEq)]
    struct Size {
        name: String,
        todos: u64,
    }
    let store = store();
    let sizes = store
        .query(sql!(
            App as Size,
            "SELECT name, count(todos.id) AS todos"
            "FROM user LEFT JOIN todos ON todos.owner = user.id"
            "GROUP BY user.id ORDER BY name"
        ))
        .unwrap();
    let size = |name: &str, todos| Size { name: name.into(), todos };
    assert_eq!(sizes, [size("ADA", 1), size("BOB", 1)]);
    let row: (i64, Option<f64>, Option<String>) = store
        .query(
            sql!(
                App as (i64, Option<f64>, Option<String>),
                "SELECT max(id) + 1 AS \"n!\", max(score), group_concat(text) FROM todos"
            )
            .one(),
        )
        .unwrap();
    assert_eq!((row.0, row.1), (4, Some(4.0)));
    let whole =
        store.query(sql!(App as User, "SELECT * FROM user WHERE id = 'ada'").one()).unwrap();
    assert_eq!(whole, store.query(User::get(UserId("ada".into()))).unwrap().unwrap());
}

#[test]
fn a_row_that_a_join_leaves_out_is_none() {
    let store = store();
    let rows = store
        .query(sql!(
            App,
            "SELECT t.text, u.name, u.age FROM todos t LEFT JOIN user AS u ON u.id = t.owner ORDER BY t.id"
        ))
        .unwrap();
    let names: Vec<Option<String>> = rows.iter().map(|row| row.name.clone()).collect();
    let ages: Vec<Option<u32>> = rows.iter().map(|row| row.age).collect();
    assert_eq!(names, [Some("ADA".to_owned()), None, Some("BOB".to_owned())]);
    assert_eq!(ages, [Some(36), None, None]);
    assert_eq!(rows[2].text, "Tea (done)");
}

#[test]
fn an_alias_annotates_a_type() {
    let store = store();
    let row = store
        .query(
            sql!(
                App,
                r#"SELECT id AS "id: u8", score * 2 AS double, due AS "due?", owner AS "owner!",
                          json_extract('[5]', '$[0]') AS "five: u16"
                   FROM todos WHERE owner IS NOT NULL ORDER BY double DESC LIMIT 1"#
            )
            .one(),
        )
        .unwrap();
    let typed: (u8, f64, Option<Timestamp>, UserId, u16) =
        (row.id, row.double, row.due, row.owner, row.five);
    assert_eq!((typed.0, typed.1, typed.2, typed.4), (1, 1.0, None, 5));
}

#[test]
fn a_null_in_a_column_that_is_never_null_is_an_error() {
    let found = store().query(sql!(App, "SELECT due AS \"due!\" FROM todos"));
    assert!(matches!(found.unwrap_err(), QueryError::Row(error) if error.column == "due"));
}

#[test]
fn binds_have_the_type_of_the_column_they_are_compared_with() {
    let store = store();
    let owner = UserId("ada".into());
    let one = store
        .query(sql!(
            App as (i64,),
            "SELECT id FROM todos WHERE owner = ? AND text LIKE ? AND status IN (?, ?) AND due IS ? LIMIT ?",
            &owner,
            "M%",
            Status::Open,
            Status::Done,
            None::<Timestamp>,
            10,
        ))
        .unwrap();
    assert_eq!(one, [(1,)]);
}

#[test]
fn documents_can_be_read() {
    let store = store();
    store.commit(UiState::set().zoom(3)).unwrap();
    let zoom = store
        .query(
            sql!(App, r#"SELECT json_extract(value, '$.zoom') AS "zoom: u8" FROM UiState"#).one(),
        )
        .unwrap();
    assert_eq!(zoom.zoom, 3);
}

#[test]
fn tables_with_the_same_name_in_two_modules() {
    let store = store();
    store.commit(Happened::Inner { id: "x".into() }).unwrap();
    let (id,) = store.query(sql!(App as (String,), "SELECT id FROM inner_todo").one()).unwrap();
    assert_eq!(id, "x");
}

#[test]
fn recursive_and_windowed() {
    let store = store();
    let numbers = store
        .query(sql!(
            App as (i64,),
            "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?) SELECT x FROM n",
            3
        ))
        .unwrap();
    assert_eq!(numbers, [(1,), (2,), (3,)]);
    let ranked = store
        .query(sql!(
            App,
            "SELECT text, row_number() OVER (ORDER BY score DESC, id) AS place FROM todos"
        ))
        .unwrap();
    let first: &i64 = &ranked[0].place;
    assert_eq!((*first, ranked[0].text.as_str()), (1, "Bread"));
}

/// `inspect` counts the runs of a live query.
#[test]
fn a_live_query_depends_on_the_columns_it_reads() {
    let store = store();
    let live = store.live(sql!(App, "SELECT id, text FROM todos ORDER BY id")).unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let _guard = live.subscribe(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let runs = || store.inspect().unwrap().queries.first().map(|query| query.runs);
    let before = runs();
    store.commit(Happened::Scored { id: 1, score: 9.0 }).unwrap();
    assert_eq!(runs(), before, "`score` is not read");
    store.commit(Happened::Done { id: 1 }).unwrap();
    assert_eq!(live.get()[0].text, "Milk (done)");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn tables_declared_in_a_function() {
    #[table]
    #[derive(Debug)]
    pub struct Note {
        #[column(primary_key)]
        pub id: String,
    }
    livestore::schema! { pub Notes { tables: [Note] } }
    let store = Store::<Notes>::builder("notes").open().unwrap();
    assert!(store.query(sql!(Notes, "SELECT id FROM note")).unwrap().is_empty());
}

/// Tables with the names of derives, which macros do not share a namespace with.
mod named_as_derives {
    use livestore::prelude::*;

    #[table]
    #[derive(Debug)]
    pub struct Event {
        #[column(primary_key)]
        pub id: i64,
        pub title: String,
    }

    #[table(name = "rows")]
    #[derive(Debug)]
    pub struct Row {
        #[column(primary_key)]
        pub id: i64,
    }

    #[derive(Event)]
    #[event(name = "v1.Planned")]
    pub struct Planned {
        pub id: i64,
        pub title: String,
    }

    impl Materialize for Planned {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.run(sql!(Calendar, "INSERT INTO rows (id) VALUES (?)", self.id))?;
            state.insert(&Event { id: self.id, title: self.title.clone() })
        }
    }

    #[derive(Row, Debug, PartialEq)]
    pub struct Title {
        pub title: String,
    }

    livestore::schema! { pub Calendar { tables: [Event, Row], events: [Planned] } }
}

#[test]
fn a_table_may_have_the_name_of_a_derive() {
    use named_as_derives::{Calendar, Planned, Title};
    let store = Store::<Calendar>::builder("calendar").open().unwrap();
    store.commit(Planned { id: 1, title: "Lunch".into() }).unwrap();
    let titles = sql!(Calendar as Title, "SELECT e.title FROM event e JOIN rows r ON r.id = e.id");
    assert_eq!(store.query(titles).unwrap(), [Title { title: "Lunch".into() }]);
}
