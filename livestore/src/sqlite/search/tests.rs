use proptest::prelude::*;
use rusqlite::Connection;

use super::index::Index;
use super::{IS_FOUND, MAX_TOUCHED, SEARCH, Searched, words_of};
use crate::sqlite::{Access, Db, TableNames};

fn names() -> TableNames {
    TableNames { table: "no\"te", columns: vec!["rank", "te\"xt"] }
}

/// A table that has what FTS5 calls its own columns, with these texts.
fn db(texts: &[&str]) -> Db {
    let db = Db::new(Connection::open_in_memory().unwrap()).unwrap();
    // As a state's is.
    db.run_all("PRAGMA recursive_triggers = ON; PRAGMA temp_store = MEMORY;").unwrap();
    db.run_all(
        "CREATE TABLE \"no\"\"te\" (id INT NOT NULL, rank TEXT, \"te\"\"xt\" TEXT, done INTEGER, \
         PRIMARY KEY (id)) STRICT",
    )
    .unwrap();
    for (id, text) in texts.iter().enumerate() {
        put(&db, id as i64, text);
    }
    db
}

fn put(db: &Db, id: i64, text: &str) {
    let sql = "INSERT OR REPLACE INTO \"no\"\"te\" VALUES (?1, NULL, ?2, 0)";
    db.prepare(sql).unwrap().execute((id, text)).unwrap();
}

fn write(db: &Db, sql: &str) {
    let sql = sql.replace("note", "\"no\"\"te\"").replace("text", "\"te\"\"xt\"");
    db.prepare_checked(&sql, Access::Materialize).unwrap().execute([]).unwrap();
}

/// What is found, in whichever way a statement has it.
fn found(db: &Db, text: &str) -> Vec<i64> {
    let words = words_of(text);
    db.prepare_search(names(), &words).unwrap();
    let listed = format!("_rowid_ IN (SELECT value FROM json_each({SEARCH}('no\"te', ?1)))");
    let row_by_row = format!("{IS_FOUND}('no\"te', ?1, _rowid_)");
    let [listed, row_by_row] = [listed, row_by_row].map(|condition| {
        let sql = format!("SELECT id FROM \"no\"\"te\" WHERE {condition} ORDER BY id");
        let mut statement = db.prepare(&sql).unwrap();
        let ids = statement.query_map([&words], |row| row.get(0)).unwrap();
        ids.collect::<Result<Vec<i64>, _>>().unwrap()
    });
    assert_eq!(listed, row_by_row, "{text}");
    listed
}

/// What an index finds that is made now.
fn fresh(db: &Db, text: &str) -> Vec<i64> {
    let found = Index::of(&db.conn, &names()).unwrap().find(&words_of(text)).unwrap().to_json();
    let sql = "SELECT id FROM \"no\"\"te\" WHERE _rowid_ IN (SELECT value FROM json_each(?1)) ORDER BY id";
    let mut statement = db.prepare(sql).unwrap();
    let ids = statement.query_map([found], |row| row.get(0)).unwrap();
    ids.collect::<Result<_, _>>().unwrap()
}

#[test]
fn rows_are_found_by_the_beginnings_of_their_words() {
    let db = db(&[
        "Crash report at startup",
        "Das Café läuft über",
        "re-open the window",
        "ΟΔΥΣΣΕΥΣ, e\u{301}te\u{301}",
        "say \"hello\" AND goodbye",
        "日本語の文",
        "",
    ]);
    for (text, expected) in [
        ("crash", vec![0]),
        ("rep cra", vec![0]),
        ("crash rep", vec![0]),
        ("rash", vec![]),
        ("crash window", vec![]),
        ("CAFE uber", vec![1]),
        ("café", vec![1]),
        ("re-op", vec![2]),
        ("re-window", vec![]),
        ("οδυσσευς", vec![3]),
        ("ete", vec![3]),
        ("\"hello", vec![4]),
        ("and", vec![4]),
        ("AND", vec![4]),
        ("日本", vec![5]),
        ("本", vec![]),
    ] {
        assert_eq!(found(&db, text), expected, "{text}");
    }
}

#[test]
fn nothing_that_is_typed_is_an_error() {
    let db = db(&["a b"]);
    for text in [
        "\"",
        "\"a",
        "a\"b",
        "'",
        "a AND",
        "AND",
        "OR",
        "NOT a",
        "NEAR(a b)",
        "NEAR(",
        "a*",
        "*a",
        "-a",
        "a -b",
        "^a",
        "rank:a",
        "{a b}: c",
        "a + b",
        "(a",
        "a)",
        "a\\",
        "a;b",
        "a--",
        "%a_",
        "?1",
        ":a",
        "$a",
        "a\0b",
        "\u{feff}a",
        "a\u{301}",
        "é",
        "Ⓐ",
        "\u{e000}a",
        "a😀",
        "½",
        "٣",
        "1.5e",
        "a,b;c",
        "\u{10ffff}a",
        "text_0:a",
        "words:a",
    ] {
        if !words_of(text).is_empty() {
            found(&db, text);
        }
    }
    let many: String = (0..2_000).map(|n| format!("w{n}-x ")).collect();
    assert_eq!(found(&db, &many), [0; 0]);
    assert_eq!(found(&db, &"a-".repeat(100_000)), [0; 0]);
    assert_eq!(found(&db, &"a".repeat(1 << 20)), [0; 0]);
}

#[test]
fn every_way_to_change_a_row_is_noticed() {
    let db = db(&["apple", "banana", "cherry"]);
    assert_eq!(found(&db, "apple"), [0]);
    for (sql, text, expected) in [
        ("INSERT INTO note VALUES (3, 'apple', NULL, 0)", "apple", vec![0, 3]),
        ("UPDATE note SET text = 'apple' WHERE id = 1", "apple", vec![0, 1, 3]),
        ("UPDATE note SET text = NULL WHERE id = 0", "apple", vec![1, 3]),
        ("INSERT OR REPLACE INTO note VALUES (1, 'x', 'y', 0)", "apple", vec![3]),
        (
            "INSERT INTO note VALUES (1, 'apple', '', 0) ON CONFLICT (id) DO UPDATE SET rank = excluded.rank",
            "apple",
            vec![1, 3],
        ),
        ("UPDATE note SET _rowid_ = _rowid_ + 100", "apple", vec![1, 3]),
        ("UPDATE note SET id = id + 10, done = 1", "apple", vec![11, 13]),
        ("UPDATE OR REPLACE note SET id = 11 WHERE id = 12", "apple", vec![13]),
        ("INSERT INTO note SELECT id + 100, text, rank, 0 FROM note", "apple", vec![13, 113]),
        ("DELETE FROM note WHERE id = 13", "apple", vec![113]),
        ("DELETE FROM note", "apple", vec![]),
        ("INSERT INTO note VALUES (7, 'apple', 'apple', 0)", "apple", vec![7]),
    ] {
        write(&db, sql);
        assert_eq!(found(&db, text), expected, "{sql}");
        assert_eq!(fresh(&db, text), expected, "{sql}");
    }
}

#[test]
fn only_rows_whose_texts_change_are_read_again() {
    let db = db(&["apple", "banana"]);
    found(&db, "apple");
    db.run("SAVEPOINT whole").unwrap();
    write(&db, "UPDATE note SET done = 1, text = text");
    assert_eq!(super::lock(&db.search.0)[0].touched, [0; 0]);
    write(&db, "UPDATE note SET text = 'x' WHERE id = 1");
    assert_eq!(super::lock(&db.search.0)[0].touched, [2]);
}

#[test]
fn text_that_is_not_utf8_is_searched_all_the_same() {
    let db = db(&[]);
    found(&db, "a");
    db.run("INSERT INTO \"no\"\"te\" VALUES (1, CAST(X'6162ff206364' AS TEXT), 'b', 0)").unwrap();
    assert_eq!((found(&db, "cd"), found(&db, "ab")), (vec![1], vec![1]));
}

#[test]
fn so_many_changes_that_they_are_not_noted() {
    let db = db(&["apple"]);
    found(&db, "apple");
    db.open_savepoint("SAVEPOINT confirmed").unwrap();
    let many = MAX_TOUCHED + 10;
    write(
        &db,
        &format!(
            "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {many}) \
             INSERT INTO note SELECT i, 'banana ' || i, '', 0 FROM n"
        ),
    );
    assert!(super::lock(&db.search.0)[0].touched.len() <= MAX_TOUCHED);
    assert_eq!(found(&db, "banana").len(), many);
    write(&db, "UPDATE note SET rank = 'apple' WHERE id = 5");
    assert_eq!(found(&db, "apple"), [0, 5]);
    db.run("ROLLBACK TO confirmed").unwrap();
    db.run("RELEASE confirmed").unwrap();
    db.rolled_back(false).unwrap();
    assert_eq!((found(&db, "apple"), found(&db, "banana")), (vec![0], vec![]));
}

#[test]
fn the_sql_of_an_app_reaches_no_index() {
    let db = db(&["apple"]);
    found(&db, "apple");
    for access in [Access::Query, Access::Live, Access::Materialize] {
        for sql in [
            "SELECT livestore_search('no\"te', 'apple')",
            "SELECT livestore_is_found('no\"te', 'apple', 1)",
            "SELECT __livestore_touch(0, 1)",
            "SELECT * FROM words",
            "INSERT INTO words (words) VALUES ('delete-all')",
            "DROP TRIGGER temp.__livestore_search_INSERT_0",
            "CREATE VIRTUAL TABLE temp.w USING fts5(a)",
        ] {
            assert!(db.prepare_checked(sql, access).is_err(), "{access:?} {sql}");
        }
    }
    assert_eq!(found(&db, "apple"), [0]);
}

#[test]
fn a_search_that_finds_much_goes_row_by_row() {
    let texts: Vec<String> = (0..100).map(|n| format!("all a{}", n % 10)).collect();
    let db = db(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let searched = |words: &str| db.prepare_search(names(), words).unwrap();
    assert_eq!(searched("all"), Searched::RowByRow);
    assert_eq!(searched("a3"), Searched::Listed);
    assert_eq!(searched("none"), Searched::Listed);
    // More than are remembered, in one statement.
    for n in 0..20 {
        assert_eq!(found(&db, &format!("a{}", n % 10)).len(), 10);
        assert_eq!(found(&db, "a").len(), 100);
    }
    let is_found = format!("SELECT {IS_FOUND}('no\"te', 'all', NULL)");
    let none: Option<bool> =
        db.prepare(&is_found).unwrap().query_row([], |row| row.get(0)).unwrap();
    assert_eq!(none, None, "a row that a left join has not found");
    // Most rows go, and what is much changes with their number.
    write(&db, "DELETE FROM note WHERE id % 10 <> 3");
    assert_eq!(searched("a3"), Searched::RowByRow);
    assert_eq!(found(&db, "all").len(), 10);
}

#[derive(Debug, Clone)]
enum Step {
    Put(i64, &'static str),
    Delete(i64),
    Move(i64),
    Search,
    Open(&'static str),
    Release,
    /// To the savepoint that was opened last; with `false`, to the first one.
    Rollback(bool),
    /// As a materializer's `OR ROLLBACK` does.
    Lose,
}

fn step() -> impl Strategy<Value = Step> {
    let text = prop::sample::select(vec!["apple", "banana", "apple banana", ""]);
    prop_oneof![
        4 => (0..6i64, text).prop_map(|(id, text)| Step::Put(id, text)),
        2 => (0..6i64).prop_map(Step::Delete),
        1 => (0..6i64).prop_map(Step::Move),
        3 => Just(Step::Search),
        1 => Just(Step::Open("SAVEPOINT confirmed")),
        2 => Just(Step::Open("SAVEPOINT whole")),
        2 => Just(Step::Release),
        2 => any::<bool>().prop_map(Step::Rollback),
        1 => Just(Step::Lose),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever happens to its rows, and in whichever savepoint it is made, an index finds what a new one
    /// does.
    #[test]
    fn an_index_finds_what_a_new_one_finds(steps in prop::collection::vec(step(), 1..40)) {
        let db = db(&["apple", "banana"]);
        // A savepoint of commits lies above the pending ones', and there is never a third.
        let mut open: Vec<&str> = Vec::new();
        for step in steps {
            match step {
                Step::Put(id, text) => put(&db, id, text),
                Step::Delete(id) => write(&db, &format!("DELETE FROM note WHERE id = {id}")),
                Step::Move(id) => write(
                    &db,
                    &format!("UPDATE OR REPLACE note SET _rowid_ = {} WHERE id = {id}", id + 1),
                ),
                Step::Search => {
                    prop_assert_eq!(found(&db, "apple ban"), fresh(&db, "apple ban"));
                    db.check_searches().map_err(TestCaseError::fail)?;
                }
                Step::Open(sql) => {
                    let name = &sql["SAVEPOINT ".len()..];
                    let fits = match open.last() {
                        None => true,
                        Some(last) => *last == "confirmed" && name == "whole",
                    };
                    if fits {
                        db.open_savepoint(sql).unwrap();
                        open.push(name);
                    }
                }
                Step::Release => {
                    if let Some(name) = open.pop() {
                        db.run(&format!("RELEASE {name}")).unwrap();
                    }
                }
                Step::Rollback(to_last) => {
                    let is_whole = open.last() == Some(&"whole");
                    let name = if to_last { open.last() } else { open.first() }.copied();
                    if let Some(name) = name {
                        db.run(&format!("ROLLBACK TO {name}")).unwrap();
                        db.run(&format!("RELEASE {name}")).unwrap();
                        db.rolled_back(to_last && is_whole).unwrap();
                        open.truncate(if to_last { open.len() - 1 } else { 0 });
                    }
                }
                Step::Lose => {
                    if !open.is_empty() {
                        db.run("ROLLBACK").unwrap();
                        db.rolled_back(false).unwrap();
                        open.clear();
                    }
                }
            }
        }
        prop_assert_eq!(found(&db, "apple"), fresh(&db, "apple"));
    }
}
