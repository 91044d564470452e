//! Every function and operator over extreme values: what `sql!` infers holds for what SQLite returns.
//!
//! The functions are those of the table that `sql!` itself uses, so none can be forgotten.

use std::fmt::Write as _;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::catalog::{Catalog, StorageClass};
use super::infer::functions::{FUNCTIONS, Kind};
use super::infer::{Must, Ty, TypeCheck, Typed, infer};
use super::parse::expr::OPERATORS;
use super::parse::parse;
use super::prepare::Database;
use super::table_tokens;
use super::token::tokens;

/// A table with columns of every class, some of a type that only the compiler knows.
const TABLES: &str = r#"
    { "v" [("key" not_null: i64) ("i": Option<i64>) ("u" not_null: u8) ("un": Option<u8>)
           ("n" not_null: i64) ("b" not_null: bool) ("r" not_null: f64) ("rn": Option<f64>)
           ("t" not_null: String) ("tn": Option<String>) ("x" not_null: Vec<u8>)
           ("e" not_null: Status) ("id" not_null: Uuid)]
      [0] [] }
"#;

/// How the types that only the compiler knows are stored.
const STORED: [(&str, StorageClass); 2] = [("e", StorageClass::Text), ("id", StorageClass::Blob)];

const INTEGERS: [&str; 8] = [
    "0",
    "1",
    "-1",
    "255",
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775807",
    "-9223372036854775807 - 1",
];
const REALS: [&str; 9] = [
    "0.0",
    "-0.0",
    "1.5",
    "-1e18",
    "9e999",
    "-9e999",
    "5e-324",
    "1.7976931348623157e308",
    "9.3e18",
];
const TEXTS: [&str; 15] = [
    "''",
    "'a'",
    "'é'",
    "'́'",
    "'%😀_'",
    "'12'",
    "'1e999'",
    "'now'",
    "'subsec'",
    "'-4714-11-24'",
    "'9999-12-31 23:59:60'",
    "'[1,{\"a\":null,\"é\":1e999}]'",
    "'{\"a\":[]}'",
    "char(0) || 'b'",
    "replace(hex(zeroblob(300)), '00', 'é')",
];
const BLOBS: [&str; 5] = ["x''", "x'00'", "x'ff'", "x'c3'", "jsonb('{\"a\":\"é\"}')"];

/// What stands for an argument: a column, or a literal.
const OPERANDS: [&str; 22] = [
    "i",
    "u",
    "un",
    "n",
    "b",
    "r",
    "rn",
    "t",
    "tn",
    "x",
    "e",
    "id",
    "NULL",
    "300",
    "-1",
    "0",
    "1.5",
    "'a'",
    "'$.a'",
    "x'c3'",
    "TRUE",
    "9223372036854775808",
];

/// Fewer, for a second argument.
const SECOND: [&str; 11] = ["un", "n", "rn", "t", "tn", "x", "e", "NULL", "300", "'$.a'", "1.5"];

/// Fewer still, for a third.
const SOME: [&str; 6] = ["un", "n", "rn", "t", "x", "NULL"];

struct World {
    catalog: Catalog,
    checker: Database,
    conn: Connection,
}

impl World {
    fn new() -> Self {
        let catalog = table_tokens::read(TABLES.parse().unwrap()).unwrap();
        let checker = Database::open(&catalog.ddl()).unwrap();
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE v (key INT PRIMARY KEY, i INTEGER, u INTEGER, un INTEGER, n INTEGER, \
             b INTEGER, r REAL, rn REAL, t TEXT, tn TEXT, x BLOB, e TEXT, id BLOB) STRICT",
        )
        .unwrap();
        for at in 0..15 {
            let pick = |values: &[&str]| values[at % values.len()].to_owned();
            let or_null =
                |values: &[&str]| if at % 4 == 3 { "NULL".to_owned() } else { pick(values) };
            let small = ["0", "1", "255"];
            let row = [
                at.to_string(),
                or_null(&INTEGERS),
                pick(&small),
                or_null(&small),
                pick(&INTEGERS),
                (at % 2).to_string(),
                pick(&REALS),
                or_null(&REALS),
                pick(&TEXTS),
                or_null(&TEXTS),
                pick(&BLOBS),
                pick(&["'open'", "'done'"]),
                pick(&BLOBS),
            ];
            conn.execute_batch(&format!("INSERT INTO v VALUES ({})", row.join(", "))).unwrap();
        }
        Self { catalog, checker, conn }
    }

    /// Infers the type of the query's column; `None` if `sql!` refuses the query.
    fn inferred(&self, sql: &str) -> Option<(Ty, bool)> {
        let tokens = tokens(sql);
        let (parsed, _) = (parse(&tokens).ok()?, self.checker.prepare(sql).ok()?);
        let inferred = infer(&self.catalog, sql, &parsed, &|expr| self.checker.constant(expr));
        let refused = inferred.checks.iter().any(|check| !self.is_met(check));
        if refused || !inferred.mismatches.is_empty() {
            return None;
        }
        let Typed { ty, nullable } = inferred.outputs?.first()?.typed;
        Some((ty, nullable))
    }

    fn is_met(&self, check: &TypeCheck) -> bool {
        let class = |(table, column): (usize, usize)| {
            let column = self.catalog.column(table, column).unwrap();
            let stored = STORED.iter().find(|(name, _)| *name == column.name);
            column.class().or(stored.map(|(_, class)| *class)).unwrap()
        };
        let is = class(check.column);
        let compares = |other: StorageClass| is == other || is.is_number() && other.is_number();
        match check.must {
            Must::CompareWith(other) => compares(other),
            Must::CompareWithColumn(table, column) => compares(class((table, column))),
            Must::BeStoredAs(other) => is == other,
            Must::NotBeStoredAsBlob => is != StorageClass::Blob,
            Must::Have(_) | Must::HaveAnOrder => true,
        }
    }

    /// Checks one query, whose rows are the values of one expression. Returns whether it has a type.
    fn check(&self, sql: &str, failures: &mut Vec<String>) -> bool {
        let Some((ty, nullable)) = self.inferred(sql) else { return false };
        if let Ty::Stored(table, column, _) | Ty::TextUnlessBlob(table, column) = ty {
            let must = match ty {
                Ty::Stored(_, _, class) => Must::BeStoredAs(class),
                _ => Must::NotBeStoredAsBlob,
            };
            let mismatch = super::infer::Mismatch { span: 0..0, message: String::new() };
            if !self.is_met(&TypeCheck { column: (table, column), must, mismatch }) {
                return false;
            }
        }
        if nullable && ty == Ty::Unknown {
            // That claims nothing.
            return false;
        }
        let ty = Typed { ty, nullable };
        // An error of SQLite's is no value: then each pair of rows is asked for alone.
        if self.check_rows(sql, [], ty, failures).is_err() && sql.ends_with(FROM) {
            let pair = format!("{sql} WHERE a.key = ?1 AND c.key = ?2");
            for (one, two) in (0..225).map(|both| (both / 15, both % 15)) {
                let _: rusqlite::Result<()> = self.check_rows(&pair, [one, two], ty, failures);
            }
        }
        !matches!(ty.ty, Ty::Unknown | Ty::Null)
    }

    fn check_rows<const N: usize>(
        &self,
        sql: &str,
        binds: [i64; N],
        ty: Typed,
        failures: &mut Vec<String>,
    ) -> rusqlite::Result<()> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(binds))?;
        while let Some(row) = rows.next()? {
            if let Some(problem) = self.problem(ty, row) {
                failures.push(format!("{sql} {binds:?}: {problem}"));
                break;
            }
        }
        Ok(())
    }

    /// Says how a value is not of the type.
    fn problem(&self, Typed { ty, nullable }: Typed, row: &Row<'_>) -> Option<String> {
        let value = row.get_ref(0).unwrap();
        let fits = match (ty, value) {
            (_, ValueRef::Null) => nullable,
            (Ty::Unknown, _) => true,
            (Ty::Null, _) => false,
            (Ty::Column(table, column), value) => self.is_of_column(table, column, value),
            (Ty::Stored(_, _, class), value) => has_class(class, value),
            (Ty::Integer, ValueRef::Real(real)) => leaves_64_bits(real),
            (Ty::Integer, value) => has_class(StorageClass::Integer, value),
            (Ty::Count, value) => matches!(value, ValueRef::Integer(0..)),
            (Ty::Bool, value) => matches!(value, ValueRef::Integer(0 | 1)),
            // Text like digits in arithmetic is an integer, which is read as the real number it is.
            (Ty::Real, value) => has_class(StorageClass::Real, value),
            (Ty::Text | Ty::TextUnlessBlob(..), value) => has_class(StorageClass::Text, value),
            (Ty::Blob, value) => has_class(StorageClass::Blob, value),
        };
        (!fits)
            .then(|| format!("{value:?} is not {}{ty:?}", if nullable { "NULL or " } else { "" }))
    }

    fn is_of_column(&self, table: usize, column: usize, value: ValueRef<'_>) -> bool {
        let column = self.catalog.column(table, column).unwrap();
        let stored = STORED.iter().find(|(name, _)| *name == column.name);
        match (column.class().or(stored.map(|(_, class)| *class)), value) {
            (Some(StorageClass::Integer), ValueRef::Integer(integer)) => {
                column.range().is_none_or(|(least, most)| (least..=most).contains(&integer))
            }
            (Some(StorageClass::Text), ValueRef::Text(text)) if column.name == "e" => {
                [&b"open"[..], b"done"].contains(&text)
            }
            (Some(class), value) => has_class(class, value),
            (None, _) => false,
        }
    }
}

fn has_class(class: StorageClass, value: ValueRef<'_>) -> bool {
    match (class, value) {
        (StorageClass::Integer, ValueRef::Integer(_))
        | (StorageClass::Real, ValueRef::Real(_))
        | (StorageClass::Blob, ValueRef::Blob(_)) => true,
        (StorageClass::Text, ValueRef::Text(text)) => std::str::from_utf8(text).is_ok(),
        _ => false,
    }
}

/// The documented exception: a query whose integers leave 64 bits fails.
fn leaves_64_bits(real: f64) -> bool {
    real.abs() >= 9.2e18
}

/// The operand as a column of one of two rows.
fn of(alias: &str, operand: &str) -> String {
    let is_column = operand.chars().all(|c| c.is_ascii_lowercase());
    if is_column { format!("{alias}.{operand}") } else { operand.to_owned() }
}

/// All lists of operands of this length.
fn operands(count: usize) -> Vec<Vec<String>> {
    let first = || OPERANDS.iter().map(|operand| of("a", operand));
    let second = || SECOND.iter().map(|operand| of("c", operand));
    match count {
        0 => vec![Vec::new()],
        1 => first().map(|one| vec![one]).collect(),
        2 => first().flat_map(|one| second().map(move |two| vec![one.clone(), two])).collect(),
        _ => {
            let some = |alias| move || SOME.iter().map(move |operand| of(alias, operand));
            let (one, two) = (some("a"), some("c"));
            let mut all = Vec::new();
            for (one, two, three) in one().flat_map(|a| two().flat_map(move |b| one_more(&a, &b))) {
                let mut list = vec![one, two, three];
                list.resize(count, "a.u".to_owned());
                all.push(list);
            }
            all
        }
    }
}

fn one_more(one: &str, two: &str) -> Vec<(String, String, String)> {
    SOME.iter().map(|three| (one.to_owned(), two.to_owned(), of("a", three))).collect()
}

/// All pairs of rows.
const FROM: &str = "FROM v AS a, v AS c";

#[track_caller]
fn assert_sound(queries: impl Iterator<Item = String>) -> usize {
    let world = World::new();
    let (mut failures, mut typed) = (Vec::new(), 0);
    for sql in queries {
        typed += usize::from(world.check(&sql, &mut failures));
    }
    let shown = failures.iter().take(40).fold(String::new(), |mut text, failure| {
        let _ = writeln!(text, "{failure}");
        text
    });
    assert!(failures.is_empty(), "{} types do not hold:\n{shown}", failures.len());
    typed
}

fn arities((least, most): (usize, usize)) -> std::ops::RangeInclusive<usize> {
    least..=most.min(least + 2).min(4)
}

#[test]
fn the_functions_are_those_of_sqlite() {
    /// Not there on every platform, or good for nothing in a query.
    const LEFT_OUT: [&str; 29] = [
        "bm25",
        "fts3_tokenizer",
        "fts5",
        "fts5_get_locale",
        "fts5_insttoken",
        "fts5_locale",
        "fts5_source_id",
        "highlight",
        "load_extension",
        "match",
        "matchinfo",
        "offsets",
        "optimize",
        "rtreecheck",
        "rtreedepth",
        "rtreenode",
        "snippet",
        "soundex",
        "sqlite_compileoption_get",
        "sqlite_compileoption_used",
        "sqlite_log",
        "sqlite_source_id",
        "subtype",
        "median",
        "percentile",
        "percentile_cont",
        "percentile_disc",
        "sqlite_offset",
        "unknown",
    ];
    let world = World::new();
    let of_sqlite = |sql: &str| {
        let mut statement = world.conn.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.collect::<rusqlite::Result<Vec<String>>>().unwrap()
    };
    let theirs = of_sqlite("SELECT DISTINCT name FROM pragma_function_list");
    let ours = |name: &&String| FUNCTIONS.iter().any(|function| function.name == name.as_str());
    let forgotten: Vec<_> =
        theirs.iter().filter(|name| !ours(name) && !LEFT_OUT.contains(&name.as_str())).collect();
    assert!(forgotten.is_empty(), "SQLite has functions that have no type: {forgotten:?}");
    let missing = FUNCTIONS.iter().filter(|f| !theirs.iter().any(|name| name == f.name));
    assert_eq!(missing.map(|f| f.name).collect::<Vec<_>>(), [""; 0], "SQLite has no such function");
}

fn of_kind(kind: Kind) -> impl Iterator<Item = (&'static str, Vec<String>)> {
    let functions = FUNCTIONS.iter().filter(move |function| function.kind == kind);
    functions.flat_map(|function| {
        let args = arities(function.args).flat_map(operands);
        args.map(|args| (function.name, args))
    })
}

#[test]
fn scalar_functions() {
    let queries = of_kind(Kind::Scalar).map(|(name, args)| match name {
        "->" | "->>" => format!("SELECT ({} {name} {}) {FROM}", args[0], args[1]),
        name if name.starts_with("current_") => format!("SELECT {name} {FROM}"),
        name => format!("SELECT {name}({}) {FROM}", args.join(", ")),
    });
    assert!(assert_sound(queries) > 4_000);
}

#[test]
fn functions_whose_result_depends_on_a_literal() {
    let calls = [
        "char(0)",
        "char(55296)",
        "char(65, a.n)",
        "format('%s', a.t)",
        "format('%.1s', a.t)",
        "format('%d %c', a.n, a.t)",
        "format(a.t, a.r)",
        "format('%.3f', a.r)",
        "format('%!.1s', a.t)",
        "unixepoch(a.n)",
        "unixepoch(a.t)",
        "unixepoch(a.n, 'subsec')",
        "unixepoch('subsec')",
        "unixepoch('now', a.t)",
        "unixepoch(a.r / a.n, 'unixepoch')",
        "iif(a.b, 1, a.b, a.t, NULL)",
        "iif(a.b, 1, a.b, 2)",
        "iif(a.b, a.u, c.b, c.u, 300)",
        "json_extract(a.t, '$')",
        "lower(json_extract(a.t, '$'))",
        "substr(a.t, 2, 1)",
        "replace(a.n, '', 'x')",
        "total(a.n)",
        "unistr('\\d800')",
        "coalesce(a.un, (SELECT c.un))",
    ];
    assert!(assert_sound(calls.iter().map(|call| format!("SELECT {call} {FROM}"))) > 10);
}

#[test]
fn aggregates() {
    let queries = of_kind(Kind::Aggregate).flat_map(|(name, args)| {
        let call = format!("{name}({})", args.join(", "));
        [
            format!("SELECT {call} {FROM}"),
            format!("SELECT {call} FROM v AS a, v AS c WHERE a.key < 0"),
            format!("SELECT {call} FROM v AS a, v AS c GROUP BY a.key"),
            format!("SELECT {call} FROM v AS a, v AS c GROUP BY a.key, c.key"),
            format!("SELECT {call} FILTER (WHERE c.b) FROM v AS a, v AS c GROUP BY a.key, c.b"),
            format!(
                "SELECT {call} OVER (ORDER BY a.key ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) {FROM}"
            ),
        ]
    });
    assert!(assert_sound(queries) > 800);
}

#[test]
fn window_functions() {
    let queries = of_kind(Kind::Window).flat_map(|(name, args)| {
        let call = format!("SELECT {name}({})", args.join(", "));
        [
            format!("{call} OVER (ORDER BY a.key, c.key) {FROM}"),
            format!("{call} OVER (PARTITION BY a.b ORDER BY a.key ROWS 1 PRECEDING) {FROM}"),
        ]
    });
    assert!(assert_sound(queries) > 150);
}

#[test]
fn operators() {
    const WORDS: [&str; 12] = [
        "AND",
        "OR",
        "IS",
        "IS NOT",
        "IS NOT DISTINCT FROM",
        "LIKE",
        "GLOB",
        "NOT LIKE",
        "IN",
        "NOT BETWEEN 0 AND",
        "COLLATE NOCASE ||",
        "NOTNULL +",
    ];
    let symbols = OPERATORS.iter().map(|(operator, ..)| *operator);
    let binary = symbols.chain(WORDS).flat_map(|operator| {
        operands(2).into_iter().map(move |args| match operator {
            "IN" => format!("SELECT ({} IN ({}, c.tn)) {FROM}", args[0], args[1]),
            "NOTNULL +" => format!("SELECT (({} NOTNULL) + {}) {FROM}", args[0], args[1]),
            _ => format!("SELECT ({} {operator} {}) {FROM}", args[0], args[1]),
        })
    });
    let unary = ["-", "+", "~", "NOT "].into_iter().flat_map(|operator| {
        operands(1).into_iter().map(move |args| format!("SELECT ({operator}{}) {FROM}", args[0]))
    });
    assert!(assert_sound(binary.chain(unary)) > 3_000);
}

#[test]
fn expressions_of_several_words() {
    const CASTS: [&str; 13] = [
        "INTEGER",
        "TEXT",
        "BLOB",
        "REAL",
        "NUMERIC",
        "VARCHAR(3)",
        "DOUBLE PRECISION",
        "FLOATING POINT",
        "BLOB INT",
        "UNSIGNED BIG INT",
        "CHAR BLOB",
        "REAL BLOB",
        "NATIVE CHARACTER(70)",
    ];
    let casts = CASTS.iter().flat_map(|cast| {
        operands(1)
            .into_iter()
            .map(move |args| format!("SELECT CAST({} AS {cast}) {FROM}", args[0]))
    });
    let cases = operands(2).into_iter().flat_map(|args| {
        let (one, two) = (&args[0], &args[1]);
        [
            format!("SELECT CASE WHEN a.b THEN {one} ELSE {two} END {FROM}"),
            format!("SELECT CASE {one} WHEN {two} THEN c.u WHEN 1 THEN {two} END {FROM}"),
            format!("SELECT {one} {FROM} UNION ALL SELECT {two} {FROM}"),
            format!("SELECT (SELECT {one} WHERE c.b) {FROM}"),
            format!("SELECT x FROM (SELECT {one} AS x {FROM} EXCEPT SELECT {two} {FROM})"),
            format!(
                "WITH w (x) AS (VALUES ({}), (300)) SELECT x FROM w",
                two.replace("c.", "1 + ")
            ),
        ]
    });
    assert!(assert_sound(casts.chain(cases)) > 300);
}

#[test]
fn columns_of_joins_and_beside_aggregates() {
    let columns = ["key", "i", "u", "un", "t", "e", "id", "rowid", "_rowid_", "oid"];
    let joins = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"];
    let joined = columns.iter().flat_map(|column| {
        joins.iter().flat_map(move |join| {
            let from = format!("FROM (SELECT 1 AS one) {join} v AS c ON c.key = 99");
            let both = format!("FROM v AS a {join} v AS c ON c.key = a.key + 9");
            [
                format!("SELECT c.{column} {from}"),
                format!("SELECT {column} {from}"),
                format!("SELECT a.{column} {both}"),
                format!("SELECT c.{column} {both}"),
                format!("SELECT max(c.{column}, 300) {both}"),
            ]
        })
    });
    let aggregated = columns.iter().flat_map(|column| {
        [
            format!("SELECT {column}, count(*) FROM v WHERE key < 0"),
            format!("SELECT {column} FROM v WHERE key < 0 HAVING count(*) = 0"),
            format!("SELECT {column} FROM v WHERE key < 0 ORDER BY count(*)"),
            format!("SELECT {column}, count(*) OVER () FROM v"),
            format!("SELECT {column} FROM v GROUP BY {column}"),
            format!("SELECT (SELECT {column} FROM v WHERE key < 0) FROM v"),
        ]
    });
    let using = [
        "SELECT u FROM v RIGHT JOIN (SELECT 300 AS u) USING (u)",
        "SELECT u FROM v NATURAL FULL JOIN (SELECT 300 AS u)",
        "SELECT * FROM (SELECT u FROM v) RIGHT JOIN (SELECT 300 AS u) USING (u)",
        "SELECT v.u FROM v RIGHT JOIN (SELECT 300 AS u) USING (u)",
        "SELECT u FROM v LEFT JOIN (SELECT 300 AS u) USING (u)",
        "SELECT 5 IN wide FROM (SELECT 1) JOIN v",
        "WITH wide (x) AS (VALUES (1), (NULL)) SELECT u IN wide FROM v",
        "WITH RECURSIVE w (a, b, c, d, e, f) AS (SELECT 1, 1, 1, 1, 1, 1 UNION ALL \
         SELECT b, c, d, e, f, NULL FROM w WHERE b IS NOT NULL) SELECT a FROM w",
        "WITH RECURSIVE w (a) AS (SELECT u FROM v UNION SELECT a * 2 FROM w WHERE a < 9999) SELECT a FROM w",
        "SELECT (SELECT sum(a.key)) FROM v AS a WHERE key < 0",
        "SELECT t, (SELECT max(a.key)) FROM v AS a WHERE key < 0",
    ];
    let queries = joined.chain(aggregated).chain(using.map(str::to_owned));
    assert!(assert_sound(queries) > 200);
}
