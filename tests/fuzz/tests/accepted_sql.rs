//! What `sql!` accepts while compiling, a store prepares and runs: every function and operator, in every
//! place of a query and of a write, over a table of each kind.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "a test, not an API")]

use livestore::SqliteErrorKind;
use livestore::prelude::*;
use livestore::table::{RowError, RowReader};
use livestore::value::Value;
use livestore_macros_core::{SqlFunction, accepted_sql, sql_functions, sql_operators};

#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[column_type(integer)]
pub enum Status {
    Open = 1,
    Done = 2,
}

#[derive(ColumnType, Debug, Clone, PartialEq)]
pub struct Tag(String);

#[table(
    check = "rank >= 0 OR note IS NULL",
    index(name = "item_rank", columns(rank)),
    index(columns(tag, status))
)]
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    #[column(primary_key)]
    pub id: i64,
    pub rank: i64,
    #[column(unique)]
    pub note: Option<String>,
    pub score: f64,
    pub status: Status,
    pub tag: Option<Tag>,
    #[column(default = true)]
    pub flag: bool,
    pub bytes: Vec<u8>,
    pub at: Option<Timestamp>,
    pub doc: Json<Vec<String>>,
}

/// Names that have to be quoted, a key of two columns, and a foreign key.
#[table(name = "order", primary_key(group, rowid))]
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    #[column(name = "group")]
    pub group: String,
    pub rowid: i64,
    #[column(name = "select by", references = Item::ID, on_delete = cascade)]
    pub item: Option<i64>,
}

#[client_document]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Screen {
    pub zoom: u8,
}

/// Runs statements as a materializer does.
#[derive(Event, Debug, Clone)]
#[event(name = "v1.Ran")]
pub struct Ran {
    pub statements: Vec<String>,
}

impl Materialize for Ran {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let failed = self.statements.iter().filter_map(|sql| {
            let error = state.sql(sql, zeros(sql)).err()?;
            // An aggregate has a row, even over none, which need not suit the table.
            let is_of_the_row = matches!(
                &error,
                MaterializeError::Sql { source, .. }
                    if source.kind() == SqliteErrorKind::Constraint
            );
            if is_of_the_row {
                return None;
            }
            Some(format!("{sql}: {}", livestore::ErrorChain::new(&error)))
        });
        let failed: Vec<_> = failed.collect();
        match &*failed {
            [] => Ok(()),
            failed => Err(MaterializeError::custom(failed.join("\n"))),
        }
    }
}

livestore::schema! { pub App { tables: [Item, Order], documents: [Screen], events: [Ran] } }

macro_rules! tables {
    ($tables:literal $($rest:tt)*) => {
        $tables
    };
}

/// The tables, as `schema!` hands them to `sql!`.
const TABLES: &str = App! { [tables] };

/// A row of any columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Any;

impl Row for Any {
    const COLUMNS: &'static [&'static str] = &[];

    fn decode(_: &RowReader<'_>) -> Result<Self, RowError> {
        Ok(Self)
    }
}

const OPERANDS: [&str; 5] = ["note", "rank", "bytes", "status", "NULL"];

fn call(SqlFunction { name, is_window, .. }: SqlFunction, args: &[&str]) -> String {
    match (name, args) {
        ("->" | "->>", [left, right]) => format!("{left} {name} {right}"),
        ("current_date" | "current_time" | "current_timestamp", _) => name.to_owned(),
        _ if is_window => format!("{name}({}) OVER (ORDER BY id)", args.join(", ")),
        _ => format!("{name}({})", args.join(", ")),
    }
}

/// Calls of the function with each number of arguments, and each operand as the first one.
fn calls(function: SqlFunction) -> Vec<String> {
    let (least, most) = function.args;
    let counts = least..=most.min(least + 1);
    let args = |count: usize, first: usize| -> Vec<&str> {
        OPERANDS.iter().cycle().skip(first).take(count).copied().collect()
    };
    let calls = counts.flat_map(|count| (0..OPERANDS.len()).map(move |first| args(count, first)));
    let mut calls: Vec<_> = calls.map(|args| call(function, &args)).collect();
    calls.dedup();
    calls
}

fn operations() -> Vec<String> {
    const WORDS: [&str; 16] = [
        "AND",
        "OR",
        "IS",
        "IS NOT",
        "IS DISTINCT FROM",
        "LIKE",
        "NOT LIKE",
        "GLOB",
        "REGEXP",
        "MATCH",
        "BETWEEN 0 AND",
        "COLLATE NOCASE =",
        "COLLATE RTRIM <",
        "NOTNULL =",
        "ISNULL +",
        "NOT NULL =",
    ];
    let binary = sql_operators().chain(WORDS).flat_map(|operator| {
        let pairs = OPERANDS.iter().zip(OPERANDS.iter().cycle().skip(1));
        pairs.map(move |(left, right)| format!("{left} {operator} {right}"))
    });
    let others = [
        "-rank",
        "+note",
        "~rank",
        "NOT flag",
        "rank IN (1, 2)",
        "rank NOT IN (SELECT id FROM item)",
        "note IN (SELECT value FROM json_each(doc))",
        "EXISTS (SELECT 1 FROM \"order\")",
        "CASE WHEN flag THEN 1 ELSE rank END",
        "CASE status WHEN 1 THEN note END",
        "CAST(score AS INTEGER)",
        "CAST(rank AS TEXT)",
        "CAST(note AS NUMERIC)",
        "(rank, id) = (1, 2)",
        "(rank, id) IN (SELECT 1, 2)",
        "(SELECT max(rank) FROM item)",
        "count(*)",
        "count(*) FILTER (WHERE flag)",
        "count(DISTINCT rank)",
        "group_concat(note ORDER BY rank)",
        "sum(rank) OVER (PARTITION BY flag ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
        "sum(rank) OVER (ORDER BY id RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES)",
        "max(rank) OVER (ORDER BY id GROUPS UNBOUNDED PRECEDING)",
        "?",
        "?1 + ?1",
        "note LIKE ? ESCAPE '!'",
        "item.rank",
        "main.item.rank",
        "item.rowid",
        "_rowid_",
        "\"rank\"",
        "[note]",
        "`tag`",
        "TRUE",
        "x'00'",
        "0x7f",
        "1e3",
        "1_000",
        "'it''s'",
        "json_extract(doc, '$[0]')",
    ];
    binary.chain(others.map(str::to_owned)).collect()
}

fn expressions() -> Vec<String> {
    sql_functions().flat_map(calls).chain(operations()).collect()
}

/// The places of a query in which an expression may stand.
fn reads(expr: &str) -> [String; 9] {
    [
        format!("SELECT {expr} FROM item"),
        format!("SELECT {expr} AS \"it: i64?\" FROM item"),
        format!("SELECT id FROM item WHERE {expr}"),
        format!("SELECT id FROM item ORDER BY {expr} DESC NULLS LAST, id LIMIT 1 OFFSET 0"),
        format!("SELECT flag FROM item GROUP BY {expr} HAVING {expr}"),
        format!("SELECT o.\"group\" FROM item LEFT JOIN \"order\" AS o ON {expr}"),
        format!(
            "WITH x AS (SELECT {expr} AS y FROM item) SELECT y FROM x UNION SELECT 1 -- the end"
        ),
        format!("SELECT (SELECT {expr}) FROM item;"),
        format!("SELECT value FROM item, json_each(item.doc) WHERE {expr} /* the end"),
    ]
}

/// The places of a write.
fn writes(expr: &str) -> [String; 9] {
    [
        format!("UPDATE item SET note = {expr}"),
        format!("UPDATE item SET rank = 1 WHERE {expr} -- the end"),
        format!("UPDATE OR IGNORE item SET (rank, note) = (SELECT 1, {expr})"),
        format!("UPDATE \"order\" SET \"select by\" = {expr} FROM item WHERE item.id = rowid;"),
        format!("DELETE FROM item WHERE {expr}"),
        format!("DELETE FROM \"order\" WHERE \"group\" IN (SELECT {expr} FROM item)"),
        format!(
            "INSERT INTO \"order\" (\"group\", rowid) SELECT 'a', {expr} FROM item WHERE true \
             ON CONFLICT (rowid, \"group\") DO UPDATE SET \"select by\" = excluded.rowid"
        ),
        format!(
            "WITH x AS (SELECT {expr} AS y FROM item) INSERT OR REPLACE INTO \"order\" (\"group\", rowid) \
             SELECT y, 1 FROM x"
        ),
        format!(
            "INSERT INTO item (id, rank, score, status, bytes, doc) SELECT 1, 1, 0.5, 1, x'', '[]' \
             FROM item WHERE true ON CONFLICT (note) DO UPDATE SET note = excluded.note WHERE {expr}"
        ),
    ]
}

#[track_caller]
fn assert_none(failures: &[String]) {
    let shown = failures.iter().take(30).cloned().collect::<Vec<_>>().join("\n");
    assert!(
        failures.is_empty(),
        "{} statements that `sql!` accepts fail:\n{shown}",
        failures.len()
    );
}

#[test]
fn every_query_that_is_accepted_runs_also_live() {
    let store = Store::<App>::builder("s").open().unwrap();
    let (mut accepted, mut failures) = (0, Vec::new());
    for sql in expressions().iter().flat_map(|expr| reads(expr)) {
        let Some(plain) = accepted_sql(TABLES, &sql) else { continue };
        accepted += 1;
        let query = || raw::<Any>(plain.as_str(), zeros(&plain));
        if let Err(error) = store.query(query()) {
            failures.push(format!("{sql}: {}", livestore::ErrorChain::new(&error)));
        } else if let Err(error) = store.live(query()) {
            let is_impure = matches!(error, QueryError::Impure { .. });
            if !is_impure {
                failures.push(format!("live, {sql}: {}", livestore::ErrorChain::new(&error)));
            }
        }
    }
    assert_none(&failures);
    assert!(accepted > 1_500, "{accepted}");
}

#[test]
fn every_write_that_is_accepted_runs_also_on_watched_tables() {
    let store = Store::<App>::builder("s").open().unwrap();
    let statements = expressions();
    let statements = statements.iter().flat_map(|expr| writes(expr));
    let accepted: Vec<_> = statements.filter_map(|sql| accepted_sql(TABLES, &sql)).collect();
    assert!(accepted.len() > 1_000, "{}", accepted.len());
    let run = || {
        let failed = accepted
            .chunks(1_000)
            .filter_map(|statements| store.commit(Ran { statements: statements.to_vec() }).err());
        failed.map(|error| livestore::ErrorChain::new(&error).to_string()).collect::<Vec<_>>()
    };
    assert_none(&run());
    let _items = store.live(Item::all()).unwrap();
    let _orders = store.live(Order::all()).unwrap();
    assert_none(&run());
}

/// A value for each bind; `?1` is always the same one.
fn zeros(sql: &str) -> Vec<Value<'static>> {
    let binds = if sql.contains("?1") { 1 } else { sql.matches('?').count() };
    vec![Value::Integer(0); binds]
}

#[test]
fn statements_of_other_shapes() {
    const STATEMENTS: [&str; 20] = [
        "VALUES (1), (2)",
        "SELECT * FROM item",
        "SELECT item.*, o.* FROM item JOIN \"order\" AS o ON o.\"select by\" = item.id",
        "SELECT id FROM item INDEXED BY item_rank WHERE rank = 1",
        "SELECT id FROM item NOT INDEXED WHERE rank = 1",
        "SELECT id, value FROM screen",
        "SELECT s.value ->> 'zoom' FROM screen AS s",
        "SELECT count(*) FROM item, json_tree(doc)",
        "SELECT key, value FROM json_each('[1]')",
        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT n FROM c",
        "WITH x AS NOT MATERIALIZED (SELECT 1 AS a) SELECT a FROM x",
        "SELECT rank FROM item INTERSECT SELECT id FROM item EXCEPT SELECT 1 ORDER BY 1 LIMIT 2",
        "SELECT DISTINCT rank FROM item NATURAL JOIN \"order\"",
        "SELECT a.id FROM item AS a FULL JOIN item AS b USING (id)",
        "SELECT row_number() OVER w FROM item WINDOW w AS (PARTITION BY flag ORDER BY id)",
        "SELECT rowid, oid, _rowid_ FROM item",
        "SELECT rowid, oid, _rowid_ FROM \"order\"",
        "SELECT \"group\", [rowid], `select by` FROM main.\"order\"",
        "SELECT id FROM item WHERE (rank, id) > (?1, ?1)",
        "SELECT id FROM item WHERE note = ?1 COLLATE NOCASE",
    ];
    let store = Store::<App>::builder("s").open().unwrap();
    let mut accepted = 0;
    for sql in STATEMENTS {
        let Some(plain) = accepted_sql(TABLES, sql) else { continue };
        accepted += 1;
        let query = raw::<Any>(plain.as_str(), zeros(&plain));
        store.query(query).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    assert!(accepted >= 14, "{accepted}");
}
