//! The inferred types of statements, and type mismatches.

use super::catalog::{Catalog, StorageClass};
use super::constant::Constant;
use super::infer::{Inferred, Must, OutputColumn, Ty, Typed, infer};
use super::parse::parse;
use super::report::Report;
use super::table_tokens;
use super::text::SqlText;
use super::token::tokens;

/// As the macros write them.
const TABLES: &str = r#"
    { "todo"
      [("id" not_null: i64) ("text" not_null: String) ("done" not_null default: bool)
       ("owner": Option<UserId>) ("score": Option<f64>)]
      [0] [] }
    { "user" [("id" not_null: UserId) ("name" not_null: String)] [0] [("by_name" unique [1])] }
"#;

const ID: Ty = Ty::Column(0, 0);
const TEXT: Ty = Ty::Column(0, 1);
const DONE: Ty = Ty::Column(0, 2);
const OWNER: Ty = Ty::Column(0, 3);
const SCORE: Ty = Ty::Column(0, 4);
const USER_ID: Ty = Ty::Column(1, 0);
const NAME: Ty = Ty::Column(1, 1);

fn catalog() -> Catalog {
    table_tokens::read(TABLES.parse().unwrap()).unwrap()
}

/// Computes literals only.
fn constant(sql: &str) -> Option<Constant> {
    #[cfg(feature = "checked-sql")]
    return super::prepare::Database::open("").unwrap().constant(sql);
    #[cfg(not(feature = "checked-sql"))]
    super::constant::of_literal(sql)
}

fn inferred(sql: &str) -> Inferred {
    #[cfg(feature = "checked-sql")]
    let prepared = super::prepare::Database::open(&catalog().ddl())
        .and_then(|database| database.prepare(sql))
        .unwrap();
    let parsed = parse(&tokens(sql)).unwrap();
    let inferred = infer(&catalog(), sql, &parsed, &constant);
    #[cfg(feature = "checked-sql")]
    {
        let columns = inferred.outputs.as_ref().map_or(0, Vec::len);
        assert_eq!((prepared.columns, prepared.params), (columns, parsed.params), "{sql}");
        assert_eq!(prepared.is_write, inferred.outputs.is_none(), "{sql}");
    }
    inferred
}

/// Returns a type as short text, with a `?` if it may be null.
fn short(Typed { ty, nullable }: Typed) -> String {
    let name = match ty {
        ID => "id",
        TEXT => "text",
        DONE => "done",
        OWNER => "owner",
        SCORE => "score",
        USER_ID => "user.id",
        NAME => "name",
        Ty::Column(..) => "column",
        Ty::Stored(_, _, class) => {
            return short(Typed { ty: class.into(), nullable }) + " if stored so";
        }
        Ty::TextUnlessBlob(..) => return short(Typed { ty: Ty::Text, nullable }) + " unless blob",
        Ty::Unknown => "unknown",
        Ty::Null => "null",
        Ty::Integer => "i64",
        Ty::Count => "u64",
        Ty::Real => "f64",
        Ty::Text => "String",
        Ty::Blob => "Vec<u8>",
        Ty::Bool => "bool",
    };
    format!("{name}{}", if nullable { "?" } else { "" })
}

fn types(sql: &str) -> String {
    let outputs = inferred(sql).outputs.unwrap();
    outputs.iter().map(|output| short(output.typed)).collect::<Vec<_>>().join(" ")
}

fn binds(sql: &str) -> String {
    let bind = |bind: &Option<Typed>| bind.map_or("any".to_owned(), short);
    inferred(sql).binds.iter().map(bind).collect::<Vec<_>>().join(" ")
}

fn names(sql: &str) -> Vec<Option<String>> {
    inferred(sql).outputs.unwrap().into_iter().map(|OutputColumn { name, .. }| name).collect()
}

fn mismatch(sql: &str) -> Option<String> {
    let inferred = inferred(sql);
    let mismatch = inferred.mismatches.first()?;
    Some(format!("{} at `{}`", mismatch.message, &sql[mismatch.span.clone()]))
}

#[test]
fn columns_have_the_types_of_their_fields() {
    assert_eq!(types("SELECT id, t.owner, T.score FROM todo AS t"), "id owner? score?");
    assert_eq!(types("SELECT * FROM todo"), "id text done owner? score?");
    assert_eq!(
        types("SELECT u.*, t.id FROM todo t JOIN user u ON u.id = t.owner"),
        "user.id name id"
    );
    assert_eq!(types("SELECT x.a FROM (SELECT text AS a, 1 FROM todo) AS x"), "text");
    assert_eq!(types("SELECT rowid FROM todo"), "i64");
    assert_eq!(types("SELECT id COLLATE NOCASE FROM todo ORDER BY text COLLATE BINARY"), "id");
}

#[test]
fn a_column_has_the_name_of_its_declaration() {
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(names("SELECT ID, text AS t, 1 + 1 FROM todo"), [name("id"), name("t"), None]);
}

#[test]
fn an_outer_join_makes_null() {
    let from = |join: &str| types(&format!("SELECT todo.text, name FROM todo {join} user ON TRUE"));
    assert_eq!(from("JOIN"), "text name");
    assert_eq!(from("LEFT JOIN"), "text name?");
    assert_eq!(from("RIGHT OUTER JOIN"), "text? name");
    assert_eq!(from("FULL JOIN"), "text? name?");
    assert_eq!(
        types(
            "SELECT a.id, b.id, c.id FROM todo a LEFT JOIN todo b ON b.id = a.id JOIN todo c ON TRUE"
        ),
        "id id? id"
    );
    assert_eq!(
        types("SELECT a.id, b.id, c.id FROM todo a LEFT JOIN (todo b JOIN todo c) ON TRUE"),
        "id id? id?"
    );
    assert_eq!(
        types("SELECT n FROM user u LEFT JOIN (SELECT name AS n FROM user) x ON x.n = u.name"),
        "name?"
    );
    assert_eq!(
        types("WITH x AS (SELECT name FROM todo LEFT JOIN user ON TRUE) SELECT * FROM x"),
        "name?"
    );
}

#[test]
fn joined_columns_are_shown_once() {
    assert_eq!(
        types("SELECT * FROM todo a JOIN todo b USING (id, text, done, owner)"),
        "id text done owner? score? score?"
    );
    assert_eq!(types("SELECT * FROM todo NATURAL JOIN user"), "id text done owner? score? name");
}

#[test]
fn aggregates() {
    assert_eq!(
        types("SELECT count(*), max(id), sum(id), avg(id), total(id) FROM todo"),
        "u64 id? i64? f64? f64"
    );
    assert_eq!(types("SELECT text, max(id), sum(score) FROM todo GROUP BY text"), "text id f64?");
    assert_eq!(types("SELECT text, count(*) FROM todo"), "text? u64");
    assert_eq!(types("SELECT max(id) FILTER (WHERE done) FROM todo GROUP BY text"), "id?");
    assert_eq!(types("SELECT max(owner), min(1, 2.5) FROM todo"), "owner? unknown");
    assert_eq!(types("SELECT (SELECT count(*) FROM user) FROM todo"), "u64?");
    assert_eq!(types("SELECT text FROM todo WHERE id = (SELECT max(id) FROM todo)"), "text");
}

#[test]
fn windows() {
    let sql = "SELECT rank() OVER w, lag(text) OVER w, sum(id) OVER (PARTITION BY text ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) \
               FROM todo WINDOW w AS (PARTITION BY done ORDER BY id)";
    assert_eq!(types(sql), "i64 text? i64?");
}

#[test]
fn expressions() {
    assert_eq!(
        types("SELECT id + 1, id / 2, -score, id * 1.5, text || id FROM todo"),
        "i64 i64? f64? f64 String"
    );
    assert_eq!(
        types("SELECT owner || 'x', owner + 1, ~id, id & 3 FROM todo"),
        "String? unless blob unknown? i64 i64"
    );
    assert_eq!(
        types("SELECT id = 1, owner = 'x', owner IS NULL, NOT done, text LIKE 'a%' FROM todo"),
        "bool bool? bool bool bool"
    );
    assert_eq!(
        types("SELECT id IN (1, 2), score BETWEEN 1 AND 2, EXISTS (SELECT 1) FROM todo"),
        "bool bool? bool"
    );
    assert_eq!(
        types("SELECT coalesce(score, 0.5), ifnull(owner, 'x'), coalesce(score, NULL) FROM todo"),
        "f64 String if stored so score?"
    );
    assert_eq!(
        types("SELECT CASE WHEN done THEN text ELSE 'x' END, CASE id WHEN 1 THEN 2 END FROM todo"),
        "String i64?"
    );
    assert_eq!(
        types(
            "SELECT iif(done, id, 0), nullif(id, 0), CAST(text AS INTEGER), CAST(score AS VARCHAR(3)) FROM todo"
        ),
        "i64 id? i64 String?"
    );
    assert_eq!(
        types("SELECT length(text), upper(owner), round(id), x'00', NULL, 0x10, 1e3 FROM todo"),
        "i64 String? unless blob f64 Vec<u8> null? i64 f64"
    );
    assert_eq!(
        types("SELECT value, text -> '$' FROM todo, json_each(todo.text)"),
        "unknown? unknown?"
    );
}

#[test]
fn unions_and_values() {
    assert_eq!(types("SELECT id, text FROM todo UNION ALL SELECT id, NULL FROM todo"), "id text?");
    assert_eq!(types("SELECT text FROM todo UNION SELECT name FROM user"), "text");
    assert_eq!(types("SELECT owner FROM todo UNION SELECT id FROM user"), "unknown?");
    assert_eq!(types("SELECT text FROM todo EXCEPT SELECT 'x' ORDER BY 1 LIMIT 1"), "String");
    assert_eq!(types("VALUES (1, 'a'), (2, NULL)"), "i64 String?");
}

#[test]
fn recursive() {
    let sql = "WITH RECURSIVE up (x, y) AS (SELECT id, score FROM todo UNION ALL SELECT x, NULL FROM up) SELECT * FROM up";
    assert_eq!(types(sql), "id score?");
    let sql = "WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT nullif(x + 1, 9) FROM n) SELECT x FROM n";
    assert_eq!(types(sql), "i64?");
}

#[test]
fn binds_have_the_type_of_what_they_stand_beside() {
    assert_eq!(
        binds("SELECT 1 FROM todo WHERE done = ? AND ? < id AND score IS ?"),
        "done id score?"
    );
    assert_eq!(
        binds("SELECT 1 FROM todo WHERE id IN (?, ?) AND text LIKE ? AND id BETWEEN ? AND ?"),
        "id id String id id"
    );
    assert_eq!(binds("SELECT 1 FROM todo WHERE owner = ? LIMIT ? OFFSET ?"), "owner i64 i64");
    assert_eq!(
        binds("SELECT 1 FROM todo WHERE text = ?2 AND (?1 IS NULL OR done = ?1)"),
        "done text"
    );
    assert_eq!(binds("SELECT 1 FROM todo WHERE (id, text) = (?, ?)"), "id text");
    assert_eq!(binds("SELECT 1 FROM todo WHERE ? IN (SELECT name FROM user)"), "name");
    assert_eq!(
        binds("SELECT coalesce(score, ?), ? FROM todo GROUP BY text HAVING count(*) > ?"),
        "score? any u64"
    );
    assert_eq!(
        binds("SELECT 1 FROM todo t LEFT JOIN user u ON u.id = ? WHERE length(t.text) > ?"),
        "user.id i64"
    );
    assert_eq!(binds("SELECT CASE text WHEN ? THEN 1 END FROM todo"), "text");
}

#[test]
fn writes() {
    assert_eq!(
        binds("INSERT INTO todo (text, owner, id) VALUES (?, ?, ?), (?1, NULL, 1)"),
        "text owner? id"
    );
    assert_eq!(binds("INSERT OR IGNORE INTO user VALUES (?, ?)"), "user.id name");
    assert_eq!(binds("INSERT INTO user SELECT ?, name FROM user WHERE name = ?"), "user.id name");
    assert_eq!(
        binds(
            "INSERT INTO user VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET name = excluded.name || ?3, id = ?4 WHERE name <> ?5"
        ),
        "user.id name any user.id name"
    );
    assert_eq!(
        binds("UPDATE todo AS t SET done = ?, score = score + ? WHERE t.id = ?"),
        "done any id"
    );
    assert_eq!(
        binds("UPDATE todo SET (done, text) = (?, ?), owner = ? FROM user WHERE user.name = ?"),
        "done text owner? name"
    );
    assert_eq!(binds("REPLACE INTO user DEFAULT VALUES"), "");
    assert_eq!(
        binds(
            "WITH x AS (SELECT id FROM user WHERE name = ?) DELETE FROM todo WHERE owner IN (SELECT id FROM x)"
        ),
        "name"
    );
}

#[test]
fn a_row_without_a_required_column_is_a_mismatch() {
    assert_eq!(
        mismatch("INSERT INTO todo (id) VALUES (1)").unwrap(),
        "a new row needs a value for `todo.text`: name it here, or give it a default at `todo`"
    );
    assert_eq!(
        mismatch("INSERT OR IGNORE INTO user DEFAULT VALUES").unwrap(),
        "a new row needs values for `user.id`, `user.name`: name them here, or give them a default \
         at `user`"
    );
    assert_eq!(mismatch("INSERT INTO todo (TEXT, id) VALUES ('', 1)"), None);
    assert_eq!(mismatch("INSERT INTO user VALUES ('a', 'b')"), None);
}

#[test]
fn comparing_incompatible_types_is_a_mismatch() {
    assert_eq!(
        mismatch("SELECT 1 FROM todo WHERE done = 'yes'").unwrap(),
        "`todo.done` (`bool`) cannot be compared with or set to a text: write `TRUE` or \
         `FALSE` at `'yes'`"
    );
    assert!(mismatch("SELECT 1 FROM todo WHERE 5 = text").is_some());
    assert!(mismatch("UPDATE todo SET text = id").is_some());
    assert!(mismatch("INSERT INTO todo (id, text) VALUES (1, 2)").is_some());
    assert!(mismatch("SELECT 1 FROM todo WHERE id IN (1, '2')").is_some());
    // Only the compiler knows how an owner is stored.
    assert_eq!(mismatch("SELECT 1 FROM todo WHERE owner = 5 AND id = 1.0 AND done = 1"), None);
}

const NONE: [&str; 0] = [];

/// The places of the mistakes in a statement.
fn mistakes(sql: &str) -> Vec<&str> {
    let inferred = inferred(sql);
    let mut places: Vec<_> = inferred.mismatches.into_iter().map(|it| it.span).collect();
    places.sort_by_key(|place| place.start);
    places.dedup();
    places.into_iter().map(|place| &sql[place]).collect()
}

#[test]
fn each_value_that_a_column_may_be_set_to_is_checked() {
    let of_case = "UPDATE todo SET text = CASE WHEN done THEN 5 WHEN id = 1 THEN NULL ELSE 'a' END";
    assert_eq!(mistakes(of_case), ["5", "NULL"]);
    assert_eq!(mistakes("UPDATE todo SET text = iif(done, 'a', id)"), ["id"]);
    assert_eq!(mistakes("UPDATE todo SET done = iif(id = 1, 0, id = 2, 1, 2)"), ["2"]);
    assert_eq!(mistakes("UPDATE todo SET text = coalesce(NULL, iif(done, 1, 'a'))"), ["1"]);
    assert_eq!(mistakes("INSERT INTO todo (id, text) VALUES (ifnull(?, 'x'), '')"), ["'x'"]);
    assert_eq!(mistakes("INSERT INTO user SELECT 1, coalesce(text, 2) FROM todo"), ["2"]);
    // One may be null, and so may what is given for it.
    assert_eq!(mistakes("UPDATE todo SET owner = CASE WHEN done THEN NULL ELSE ? END"), NONE);
    assert_eq!(binds("UPDATE todo SET text = coalesce(?, text)"), "text?");
    assert_eq!(binds("UPDATE todo SET text = CASE WHEN ? THEN ? ELSE ? END"), "any text? text?");
    // The same where they are compared.
    assert_eq!(mistakes("SELECT 1 FROM todo WHERE id > coalesce(?, 'a')"), ["'a'"]);
    assert_eq!(mistakes("SELECT 1 FROM todo WHERE text = iif(done, 'a', NULL)"), NONE);
}

#[test]
fn an_integer_column_has_whole_numbers_only() {
    assert_eq!(mistakes("SELECT 1 FROM todo WHERE id = 1.5 OR id < 1.5"), ["1.5"]);
    assert_eq!(mistakes("SELECT 1 FROM todo WHERE id IN (1, 2.5)"), ["2.5"]);
    assert_eq!(mistakes("SELECT 1 FROM todo WHERE score = 1.5"), NONE);
}

#[test]
fn patterns_are_for_texts() {
    assert_eq!(
        mismatch("SELECT 1 FROM todo WHERE id LIKE '1%'").unwrap(),
        "`todo.id` (`i64`) is not stored as text, which patterns are for: write `CAST(id AS TEXT)` \
         at `id`"
    );
    assert_eq!(mistakes("SELECT glob('1*', id) FROM todo WHERE done NOT LIKE '1'"), ["id", "done"]);
    let of_text = "SELECT 1 FROM todo WHERE text LIKE ? ESCAPE '!' AND CAST(id AS TEXT) GLOB '1*'";
    assert_eq!(mistakes(of_text), NONE);
    // Only the compiler knows how an owner is stored.
    let checks = inferred("SELECT 1 FROM todo WHERE owner LIKE 'a%'").checks;
    assert_eq!(checks.first().unwrap().must, Must::BeStoredAs(StorageClass::Text));
}

#[test]
fn an_unknown_syntax_is_reported_with_its_place() {
    let error = parse(&tokens("SELECT 1 FROM todo WHERE")).map(|_| ()).unwrap_err();
    assert_eq!((error.span, error.expected.as_str()), (24..24, "an expression"));
}

#[cfg(feature = "checked-sql")]
mod sqlite {
    use super::super::prepare::{Database, PrepareError, Prepared};
    use super::catalog;

    fn prepare(sql: &str) -> Result<Prepared, PrepareError> {
        Database::open(&catalog().ddl()).unwrap().prepare(sql)
    }

    fn prepare_error(sql: &str) -> PrepareError {
        prepare(sql).unwrap_err()
    }

    #[test]
    fn says_what_a_query_reads() {
        let sql = "SELECT t.id FROM todo t JOIN user ON user.id = owner WHERE EXISTS (SELECT 1 FROM user)";
        let mut reads = prepare(sql).unwrap().reads;
        reads.sort();
        let read = |table: &str, column: &str| (table.to_owned(), column.to_owned());
        let wanted =
            [read("todo", "id"), read("todo", "owner"), read("user", ""), read("user", "id")];
        assert_eq!(reads, wanted);
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let error = prepare_error("SELECT idd FROM todo");
        assert_eq!((error.message.as_str(), error.offset), ("no such column: idd", Some(7)));
        let error = prepare_error("SELECT id FROM todo WHERE");
        assert_eq!((error.message.as_str(), error.offset), ("incomplete input", None));
        assert_eq!(prepare_error("SELECT id FROM nope").message, "no such table: nope");
        assert!(prepare_error("SELECT \"milk\" FROM todo").message.contains("single-quotes"));
        assert!(prepare_error("SELECT 1; SELECT 2").message.starts_with("Multiple statements"));
        assert!(
            prepare_error("INSERT INTO user VALUES (1, 2) ON CONFLICT (id, name) DO NOTHING")
                .message
                .contains("ON CONFLICT")
        );
    }

    #[test]
    fn knows_rows_only() {
        for sql in ["PRAGMA user_version", "ATTACH ':memory:' AS x", "DROP TABLE todo", "BEGIN"] {
            assert!(prepare_error(sql).is_other_statement, "{sql}");
        }
    }
}

#[test]
fn a_bind_of_a_huge_number_takes_no_memory() {
    let is_read = |sql: &str| super::parse::parse(&tokens(sql)).is_ok();
    assert!(is_read("SELECT ?32766"));
    for sql in ["SELECT ?32766, ?", "SELECT ?32767", "SELECT ?244444444444444444"] {
        assert!(!is_read(sql), "{sql}");
    }
}

#[test]
fn sql_ends_at_no_nul() {
    for sql in ["SELECT 1 \0 , ?", "SELECT 1 -- \0\n, 2"] {
        let text = SqlText::new(vec![syn::LitStr::new(sql, proc_macro2::Span::call_site())]);
        let error = Report { text: &text, tokens: &tokens(sql) }.tokens().unwrap_err();
        assert!(error.to_string().contains("this NUL character"), "{error}");
    }
}

#[test]
fn json_functions_get_their_arguments_in_pairs() {
    let label = "a label is text, and this is";
    let help = "write the text, or `CAST(… AS TEXT)` around it";
    let no_value =
        |what: &str| format!("this {what} has no value: write `, ` and a value behind it");
    for (call, expected) in [
        ("json_object('id', id, 'text')", format!("{} at `'text'`", no_value("label"))),
        ("jsonb_object(id, text)", format!("{label} `todo.id` (`i64`): {help} at `id`")),
        ("json_object('a', 1, NULL, 2)", format!("{label} NULL: {help} at `NULL`")),
        ("json_set('[]', '$[0]')", format!("{} at `'$[0]'`", no_value("path"))),
        ("jsonb_array_insert('[]', '$[0]', 1, text)", format!("{} at `text`", no_value("path"))),
    ] {
        assert_eq!(mismatch(&format!("SELECT {call} FROM todo")), Some(expected), "{call}");
    }
    for call in [
        "json_object()",
        "json_object('a', NULL, text, id, CAST(id AS TEXT), 1)",
        "json_set('[]')",
        "json_replace('[]', '$[0]', text)",
        "json_remove('[]', '$[0]')",
    ] {
        assert_eq!(mismatch(&format!("SELECT {call} FROM todo")), None, "{call}");
    }
    // The compiler knows what an owner's id is.
    let checks = inferred("SELECT json_object(owner, 1) FROM todo").checks;
    assert!(matches!(&*checks, [check] if check.must == Must::BeStoredAs(StorageClass::Text)));
}
