//! `sql!` and SQL as text over values at the edges of their types.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "a test, not an API")]

use livestore::prelude::*;
use livestore::{ErrorChain, SqliteErrorKind};

#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Open,
    Done,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    #[column(primary_key)]
    pub id: String,
    pub level: u8,
    pub small: Option<u8>,
    pub status: Option<Status>,
    pub done: bool,
    pub count: u64,
    pub due: Option<Timestamp>,
    pub score: f64,
    pub name: String,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Owner {
    #[column(primary_key)]
    pub id: String,
    /// Names that SQLite has, too.
    pub rowid: String,
    pub oid: u8,
}

#[derive(Event, Debug, Clone)]
#[event(name = "v1.Seeded")]
pub struct Seeded {
    pub id: String,
}

#[derive(Event, Debug, Clone)]
#[event(name = "v1.SqlRun")]
pub struct SqlRun {
    pub sql: String,
}

impl Materialize for Seeded {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        for (id, level, score) in [("a", 1, f64::INFINITY), ("b", 3, f64::NEG_INFINITY)] {
            state.insert(&Item {
                id: id.into(),
                level,
                small: None,
                status: None,
                done: true,
                count: 1,
                due: None,
                score,
                name: String::new(),
            })?;
        }
        state.insert(&Owner { id: self.id.clone(), rowid: "mine".into(), oid: 7 })
    }
}

impl Materialize for SqlRun {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.sql(&self.sql, ()).map(|_| ())
    }
}

livestore::schema! { pub App { tables: [Item, Owner], events: [Seeded, SqlRun] } }

fn store() -> Store<App> {
    let store = Store::<App>::builder("values").open().unwrap();
    store.commit(Seeded { id: "ada".into() }).unwrap();
    store
}

/// All rows of the only column.
macro_rules! column {
    ($sql:literal as $ty:ty) => {{
        let rows: Vec<($ty,)> = store().query(sql!(App as ($ty,), $sql)).unwrap();
        rows.into_iter().map(|row| row.0).collect::<Vec<_>>()
    }};
}

#[test]
fn a_default_may_be_what_the_column_cannot_hold() {
    assert_eq!(column!("SELECT coalesce(small, -1) FROM item" as i64), [-1, -1]);
    assert_eq!(
        column!("SELECT CASE WHEN level > 1 THEN level ELSE 999 END FROM item" as i64),
        [999, 3]
    );
    assert_eq!(column!("SELECT coalesce(status, 'none') FROM item" as String), ["none", "none"]);
    assert_eq!(column!("SELECT iif(done, 2, done) FROM item" as i64), [2, 2]);
    assert_eq!(column!("SELECT min(count, -1) FROM item" as i64), [-1, -1]);
    assert_eq!(column!("SELECT coalesce(due, -1) FROM item" as i64), [-1, -1]);
    let previous = column!("SELECT lag(level, 1, 300) OVER (ORDER BY id) FROM item" as Option<i64>);
    assert_eq!(previous, [Some(300), Some(1)]);
    let all = column!("SELECT level FROM item UNION ALL SELECT 1000 ORDER BY 1" as i64);
    assert_eq!(all, [1, 3, 1000]);
    let joined = column!(
        "SELECT level FROM item RIGHT JOIN (SELECT 300 AS level) USING (level)" as Option<i64>
    );
    assert_eq!(joined, [Some(300)]);
    let same = column!("SELECT coalesce(small, level) FROM item" as u8);
    assert_eq!(same, [1, 3]);
}

#[test]
fn a_row_id_may_be_missing() {
    let left = column!("SELECT i.rowid FROM owner LEFT JOIN item i ON i.id = 'z'" as Option<i64>);
    assert_eq!(left, [None]);
    let none = column!("SELECT max(oid) FROM owner WHERE id = 'z'" as Option<u8>);
    assert_eq!(none, [None]);
    let store = store();
    let row =
        store.query(sql!(App, "SELECT count(*) AS n, _rowid_ FROM item WHERE id = 'z'").one());
    assert_eq!(row.unwrap()._rowid_, None);
    // Columns of these names hide SQLite's.
    let owner = store.query(sql!(App, "SELECT rowid, oid FROM owner").one()).unwrap();
    assert_eq!((owner.rowid.as_str(), owner.oid), ("mine", 7));
    let live = store.live(Owner::all()).unwrap();
    store.commit(SqlRun { sql: "INSERT INTO owner VALUES ('0', 'yours', 1)".into() }).unwrap();
    let rows: Vec<Owner> = live.get().iter().map(|row| (**row).clone()).collect();
    assert_eq!(rows, store.query(Owner::all()).unwrap());
}

#[test]
fn infinities_cancel_each_other_out() {
    assert_eq!(column!("SELECT score - score FROM item" as Option<f64>), [None, None]);
    assert_eq!(column!("SELECT score * 0 FROM item" as Option<f64>), [None, None]);
    assert_eq!(column!("SELECT score * 2 FROM item WHERE id = 'a'" as f64), [f64::INFINITY]);
    assert_eq!(column!("SELECT sum(score) FROM item GROUP BY done" as Option<f64>), [None]);
    assert_eq!(column!("SELECT total(score) FROM item" as Option<f64>), [None]);
    assert_eq!(column!("SELECT total(level) FROM item" as f64), [4.0]);
    let store = store();
    assert_eq!(store.query(Item::all().select(Item::SCORE.sum())).unwrap(), [None]);
    let one = Item::filter(Item::ID.eq("a")).select(Item::SCORE.sum());
    assert_eq!(store.query(one).unwrap(), [Some(f64::INFINITY)]);
}

#[test]
fn functions_of_nothing() {
    assert_eq!(column!("SELECT unicode(name) FROM item" as Option<i64>), [None, None]);
    let text = column!("SELECT name || char(233) || level FROM item" as String);
    assert_eq!(text, ["é1", "é3"]);
}

#[test]
fn integers_that_leave_64_bits_fail_the_query() {
    let store = store();
    let sum = sql!(App, "SELECT 9223372036854775807 + level AS n FROM item");
    let error = store.query(sum).unwrap_err();
    assert!(ErrorChain::new(&error).to_string().contains("out of range for i64"), "{error:?}");
}

#[test]
fn a_query_may_count_the_rows_of_its_own_tables() {
    let store = store();
    let counted = sql!(App, "WITH n (x) AS (VALUES (1), (2)) SELECT count(*) AS n FROM n").one();
    assert_eq!(store.query(counted).unwrap().n, 2);
    let nested = sql!(App, "SELECT count(*) AS n FROM (SELECT level FROM item) AS part").one();
    assert_eq!(store.query(nested).unwrap().n, 2);
    let json = sql!(App, "SELECT count(*) AS n FROM json_each('[1,2,3]')").one();
    assert_eq!(store.query(json).unwrap().n, 3);
}

#[test]
fn a_live_query_reads_no_clock() {
    let store = store();
    let refused = |error: QueryError, function: &str| {
        let QueryError::Impure { function: found, .. } = &error else { panic!("{error:?}") };
        assert_eq!(found, function);
        assert!(error.to_string().contains("bind the time"), "{error}");
    };
    let clock = || sql!(App, "SELECT id FROM item WHERE due / 1000 < unixepoch()");
    store.query(clock()).unwrap();
    refused(store.live(clock()).unwrap_err(), "unixepoch");
    refused(store.live(sql!(App, "SELECT random() AS n FROM item")).unwrap_err(), "random");
    let column = sql!(App, "SELECT date(name) AS day FROM item");
    refused(store.live(column).unwrap_err(), "date");
    let bound = sql!(App, "SELECT datetime(?1) AS day FROM item", "now");
    refused(store.live(bound).unwrap_err(), "datetime");
    let zone = sql!(App, "SELECT time(level, 'unixepoch', 'localtime') AS t FROM item");
    refused(store.live(zone).unwrap_err(), "time");
    let today = sql!(App, "SELECT id FROM item WHERE name < CURRENT_DATE");
    refused(store.live(today.first()).unwrap_err(), "current_date");
    let nested = sql!(App, "SELECT id FROM item WHERE id IN (SELECT strftime('%Y'))");
    refused(store.live(nested).unwrap_err(), "strftime");
    for function in ["unixepoch()", "date(name)", "julianday('now')", "changes()", "randomblob(1)"]
    {
        let text = raw::<(String,)>(format!("SELECT id FROM item WHERE {function} > 0"), ());
        let name = function.split('(').next().unwrap();
        store.query(&text).unwrap();
        refused(store.live(text).unwrap_err(), name);
    }
    // The same result, whatever the time is.
    let days = sql!(
        App,
        "SELECT date(due / 1000, 'unixepoch') AS day, count(*) AS n FROM item GROUP BY 1"
    );
    assert_eq!(store.live(days).unwrap().get().len(), 1);
}

#[test]
fn an_error_has_the_sql_once_and_nothing_of_ours() {
    let store = store();
    let text = |error: &(dyn std::error::Error + 'static)| ErrorChain::new(error).to_string();
    let error = store.query(raw::<(String,)>("SELECT nope FROM item", ())).unwrap_err();
    assert_eq!(
        text(&error),
        "SQLite refused `SELECT nope FROM item`: no such column: nope, at offset 7"
    );
    let error = store.live(raw::<(String,)>("SELECT id FROM nope", ())).unwrap_err();
    assert_eq!(text(&error), "SQLite refused `SELECT id FROM nope`: no such table: nope");
    let sql = "UPDATE item SET nope = 1";
    let error = text(&store.commit(SqlRun { sql: sql.into() }).unwrap_err());
    assert!(error.contains("SQLite refused `UPDATE item SET nope = 1`: no such column"), "{error}");
    assert_eq!(error.matches(sql).count(), 1, "{error}");
    assert!(!error.contains("--m") && !error.contains("table `UPDATE"), "{error}");
}

#[test]
fn a_limit_of_sqlite_is_a_typed_error() {
    let store = store();
    let sql = format!("SELECT id FROM item WHERE {}", vec!["level = 1"; 1001].join(" OR "));
    let error = store.query(raw::<(String,)>(sql.as_str(), ())).unwrap_err();
    let QueryError::Sql { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(source.kind(), SqliteErrorKind::Limit);
    let write = format!("DELETE FROM item WHERE {}", vec!["level = 1"; 1001].join(" OR "));
    let error = store.commit(SqlRun { sql: write }).unwrap_err();
    assert!(ErrorChain::new(&error).to_string().contains("json_each"), "{error:?}");
    let pattern = sql!(App, "SELECT id FROM item WHERE name LIKE ?", "%".repeat(50_001));
    let error = store.query(pattern).unwrap_err();
    assert!(ErrorChain::new(&error).to_string().contains("longer than 50,000 bytes"), "{error:?}");
}
