//! What a store does not expect: texts of every kind, names that are words of SQL, SQL that reaches out of its
//! materializer, subscribers that use the store.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use std::sync::{Arc, Mutex};

use livestore::live::LiveQuery;
use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    #[column(primary_key)]
    pub id: String,
    pub n: i64,
    pub text: String,
}

#[table(name = "order")]
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    #[column(primary_key)]
    pub group: i64,
    #[column(index)]
    pub from: String,
    pub größe: i64,
}

#[derive(Event, Debug, Clone)]
pub enum ItemEvent {
    #[event(name = "v1.ItemSet")]
    Set { id: String, n: i64, text: String },
    #[event(name = "v1.Ordered")]
    Ordered { group: i64 },
    #[event(name = "v1.SqlRun")]
    Sql { sql: String },
}

impl Materialize for ItemEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Set { id, n, text } => {
                state.upsert(&Item { id: id.clone(), n: *n, text: text.clone() })
            }
            Self::Ordered { group } => {
                state.insert(&Select { group: *group, from: "x".to_owned(), größe: 1 })
            }
            Self::Sql { sql } => state.sql(sql, ()).map(drop),
        }
    }
}

livestore::schema! { pub App { tables: [Item, Select], events: [ItemEvent] } }

fn store() -> Store<App> {
    Store::builder("items").open().unwrap()
}

fn set(id: &str, n: i64, text: &str) -> ItemEvent {
    ItemEvent::Set { id: id.into(), n, text: text.into() }
}

fn sql(sql: &str) -> ItemEvent {
    ItemEvent::Sql { sql: sql.into() }
}

#[test]
fn every_text_comes_back() {
    let texts = [
        "",
        "\0",
        "a\0b",
        "\u{feff}bom",
        "\u{10ffff}",
        "\r\n\t\u{1b}[2J",
        "'\";--",
        "e\u{301}",
        "\u{202e}",
        "%_\\",
        "null",
        "1e400",
        "\u{d7ff}\u{e000}",
    ];
    let directory = tempfile::tempdir().unwrap();
    let open = || Store::<App>::builder("items").directory(directory.path()).open().unwrap();
    let all = || Item::all().order_by(Item::ID.asc());
    let store = open();
    let live: LiveQuery<_> = store.live(all()).unwrap();
    for text in texts {
        store.commit(set(text, 1, text)).unwrap();
        assert_eq!(store.query(Item::get(text)).unwrap().unwrap().text, text);
        assert_eq!(store.query(Item::filter(Item::TEXT.eq(text)).count()).unwrap(), 1, "{text:?}");
        let same = store.query(sql!(App, "SELECT id FROM item WHERE text = ?", text)).unwrap();
        assert_eq!(same.len(), 1, "{text:?}");
    }
    let fresh = store.query(all()).unwrap();
    assert_eq!(live.get().iter().map(|row| (**row).clone()).collect::<Vec<_>>(), fresh);
    store.verify_replay().unwrap();
    store.close().unwrap();
    assert_eq!(open().query(all()).unwrap(), fresh);
}

#[test]
fn names_may_be_words_of_sql() {
    let store = store();
    let live = store.live(Select::filter(Select::FROM.eq("x"))).unwrap();
    for group in [-1, 0, i64::MAX] {
        store.commit(ItemEvent::Ordered { group }).unwrap();
    }
    assert_eq!(live.get().len(), 3);
    let last = Select::filter(Select::GRÖSSE.eq(1)).order_by(Select::GROUP.desc()).limit(1);
    assert_eq!(store.query(last).unwrap()[0].group, i64::MAX);
    let by_sql = sql!(App, r#"SELECT "group", größe FROM "order" WHERE "from" = 'x'"#);
    assert_eq!(store.query(by_sql).unwrap().len(), 3);
}

#[test]
fn sql_of_a_materializer_reaches_rows_only() {
    let store = store();
    store.commit(set("a", 1, "x")).unwrap();
    let hash = store.state_hash().unwrap();
    for refused in [
        "",
        ";",
        "-- x",
        "COMMIT",
        "SAVEPOINT x",
        "ROLLBACK TO x",
        "PRAGMA writable_schema = ON",
        "ATTACH ':memory:' AS x",
        "CREATE TEMP TABLE x (a)",
        "VACUUM",
        "ANALYZE",
        "UPDATE sqlite_schema SET sql = ''",
        "DELETE FROM item; DELETE FROM item",
        "INSERT OR ROLLBACK INTO item SELECT * FROM item",
        "UPDATE item SET text = typeof(current_timestamp)",
        "UPDATE item SET text = date(x) FROM (SELECT 'now' AS x)",
        "UPDATE item SET n = (SELECT count(*) FROM pragma_database_list)",
        "UPDATE item SET n = (SELECT count(*) FROM sqlite_temp_schema)",
    ] {
        assert!(store.commit(sql(refused)).is_err(), "{refused}");
        assert_eq!(store.state_hash().unwrap(), hash, "{refused}");
    }
    // A statement of one word is not taken for a table.
    let error = store.commit(sql("COMMIT")).unwrap_err();
    let text = livestore::ErrorChain::new(&error).to_string();
    assert!(text.contains("SQLite refused `COMMIT`"), "{text}");
    store.commit(sql("UPDATE item SET n = n + 1")).unwrap();
    store.verify_replay().unwrap();
    assert_eq!(store.query(Item::get("a")).unwrap().unwrap().n, 2);
}

#[test]
fn a_subscriber_may_commit_query_and_begin_anew() {
    let store = store();
    let live = store.live(Item::all().count()).unwrap();
    let calls = Arc::new(Mutex::new(0));
    let _guard = live.subscribe({
        let (calls, live, store) = (Arc::clone(&calls), live.clone(), store.clone());
        move |_| {
            let call = {
                let mut calls = calls.lock().unwrap();
                *calls += 1;
                *calls
            };
            assert_eq!(**live.get(), store.query(Item::all().count()).unwrap());
            let _another = store.live(Item::filter(Item::N.eq(call))).unwrap();
            if call == 3 {
                store.reset_state().unwrap();
            }
            if call < 5 {
                store.commit(set(&call.to_string(), call, "")).unwrap();
            }
        }
    });
    store.commit(set("first", 0, "")).unwrap();
    assert_eq!((*calls.lock().unwrap(), **live.get()), (5, 5));
}

#[test]
fn a_subscriber_may_close_the_store() {
    let store = store();
    let live = store.live(Item::all().count()).unwrap();
    let closing = Mutex::new(Some(store.clone()));
    let _guard = live.subscribe(move |_| {
        if let Some(store) = closing.lock().unwrap().take() {
            store.close().unwrap();
        }
    });
    store.commit(set("a", 1, "")).unwrap();
    let error = store.commit(set("b", 1, "")).unwrap_err();
    assert!(matches!(error, CommitError::Closed), "{error}");
}
