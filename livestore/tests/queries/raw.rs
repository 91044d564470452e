//! SQL as text.

use livestore::ErrorChain;
use livestore::prelude::*;
use livestore::value::{Value, ValueError};
use livestore::{SqliteErrorKind, Timestamp};

use crate::library::{Book, Genre, library};

#[derive(Row, Debug, PartialEq)]
struct Length {
    #[row(name = "length")]
    letters: i64,
    id: String,
}

#[test]
fn rows_are_read_by_name() {
    let store = library();
    let sql = "SELECT price, id, title, length(title) AS length FROM book WHERE pages = ? \
               ORDER BY length DESC";
    let rows = store.query(raw::<Length>(sql, (204,))).unwrap();
    let row = |id: &str, letters| Length { id: id.into(), letters };
    assert_eq!(rows, [row("b4", 10), row("b1", 7)]);
    let whole = raw::<Book>("SELECT *, 1 AS more FROM book WHERE genre = ?", (Genre::Poetry,));
    assert_eq!(store.query(whole.first()).unwrap().unwrap().genre, Genre::Poetry);
}

#[test]
fn tuples_are_read_by_position() {
    let store = library();
    let sql = "SELECT author, sum(pages), count(*) FROM book GROUP BY author ORDER BY author";
    let rows = store.query(raw::<(Option<String>, Option<i64>, u8)>(sql, ())).unwrap();
    assert_eq!(rows[0], (None, Some(204), 1));
    assert_eq!(rows[3], (Some("lem".into()), Some(204), 2));
    let (only,) = store.query(raw::<(i64,)>("SELECT 7;", ()).one()).unwrap();
    assert_eq!(only, 7);
}

#[test]
fn params_of_every_kind() {
    let store = library();
    let sql = "SELECT ?, ?2, ?, ?4, ?, ?, ?, ?";
    type Eight = (i8, bool, f64, String, String, Vec<u8>, Option<i64>, Timestamp);
    let now = Timestamp::from_millis(5);
    let params = (-1_i8, true, 0.5, "it's", &String::from("ü"), vec![0_u8, 255], None::<i64>, now);
    let row = store.query(raw::<Eight>(sql, params).one()).unwrap();
    assert_eq!(row, (-1, true, 0.5, "it's".into(), "ü".into(), vec![0, 255], None, now));
    let values = vec![Value::Integer(1), Value::text("a")];
    let row = store.query(raw::<(i64, String)>("SELECT ?, ?", values).one()).unwrap();
    assert_eq!(row, (1, "a".into()));
}

#[test]
fn one_optional_and_first() {
    let store = library();
    let ids = || raw::<(String,)>("SELECT id FROM book WHERE lendable = ? ORDER BY id", (true,));
    assert_eq!(store.query(ids().first()).unwrap(), Some(("b1".into(),)));
    assert_eq!(store.query(ids().one()), Err(QueryError::SeveralRows));
    assert_eq!(store.query(ids().optional()), Err(QueryError::SeveralRows));
    let none = || raw::<(String,)>("SELECT id FROM book WHERE id = ?", ("x",));
    assert_eq!(store.query(none().one()), Err(QueryError::NoRow));
    assert_eq!(store.query(none().optional()), Ok(None));
}

#[test]
fn a_column_that_is_not_there_is_named() {
    let error = library().query(raw::<Length>("SELECT id, 1 AS len FROM book", ())).unwrap_err();
    let QueryError::NoColumn { column, found, .. } = &error else { panic!("{error}") };
    assert_eq!(*column, "length");
    assert_eq!(found, &["id", "len"]);
}

#[test]
fn a_value_of_another_type_is_named() {
    let store = library();
    let error = store.query(raw::<(i64,)>("SELECT title FROM book", ())).unwrap_err();
    let QueryError::Row(error) = error else { panic!("{error}") };
    let text = |error| ErrorChain::new(&error).to_string();
    let fault = "column `title` has a value that does not fit: expected INTEGER, found TEXT";
    assert_eq!(text(error), fault);
    let QueryError::Row(error) = store.query(raw::<(u8,)>("SELECT 256 AS n", ())).unwrap_err()
    else {
        panic!("another error")
    };
    assert_eq!(text(error), "column `n` has a value that does not fit: 256 is out of range for u8");
    let error = store.query(raw::<(String,)>("SELECT author FROM book", ())).unwrap_err();
    let fault = "column `author` has a value that does not fit: expected TEXT, found NULL";
    assert_eq!(ErrorChain::new(&error).to_string(), fault);
    let error = store.query(raw::<(Genre,)>("SELECT 'novel' AS genre", ())).unwrap_err();
    let chain = ErrorChain::new(&error).to_string();
    assert!(chain.contains("\"novel\" is not one of"), "{chain}");
    assert!(store.query(raw::<(i64, i64)>("SELECT 1", ())).is_err());
}

#[test]
fn a_param_without_sql_form_fails_the_query() {
    let error = library().query(raw::<(f64,)>("SELECT ?", (f64::NAN,))).unwrap_err();
    assert!(matches!(error, QueryError::Value { source: ValueError::NotANumber, .. }), "{error}");
}

#[test]
fn wrong_sql_says_what_and_where() {
    let store = library();
    for sql in [
        "SELEC 1",
        "",
        "SELECT id FROM books",
        "SELECT 'open",
        "SELECT 1; SELECT 2",
        "SELECT ?",
        "SELECT 1 /* ? */ WHERE ?1 = ?2 AND ?2",
    ] {
        let error = store.query(raw::<(i64,)>(sql, (1, 2, 3))).unwrap_err();
        assert!(matches!(&error, QueryError::Sql { sql: at, .. } if at == sql), "{sql}: {error}");
    }
}

#[test]
fn a_query_cannot_write() {
    let store = library();
    let before = store.state_hash().unwrap();
    for sql in [
        "DELETE FROM book",
        "UPDATE book SET pages = 0 RETURNING id",
        "INSERT INTO author VALUES ('x', 'x', 1)",
        "WITH x AS (SELECT 1) DELETE FROM book",
        "DROP TABLE book",
        "PRAGMA user_version = 7",
        "SAVEPOINT mine",
        "ATTACH ':memory:' AS other",
    ] {
        let error = store.query(raw::<(String,)>(sql, ())).unwrap_err();
        let QueryError::Sql { source, .. } = &error else { panic!("{error}") };
        assert_eq!(source.kind(), SqliteErrorKind::Denied, "{sql}: {error}");
    }
    assert_eq!(store.state_hash().unwrap(), before);
}
