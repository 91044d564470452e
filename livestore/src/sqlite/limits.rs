//! SQLite's limits, in our words.

/// The beginning of SQLite's message, and ours.
const LIMITS: &[(&str, &str)] = &[
    (
        "Expression tree is too large",
        "the SQL is nested too deeply, and more than 1,000 `AND`, `OR` or operators in a row count as \
         that: put the values into a list, as in `x IN (SELECT value FROM json_each(?))`",
    ),
    (
        "Recursion limit",
        "the SQL is nested too deeply: take a part of it into a `WITH`, or into a query of its own",
    ),
    (
        "parser stack overflow",
        "the SQL is nested too deeply: take a part of it into a `WITH`, or into a query of its own",
    ),
    (
        "too many SQL variables",
        "the SQL has more than 32,766 binds: bind a list as one JSON text, as in \
         `x IN (SELECT value FROM json_each(?))`",
    ),
    (
        "variable number must be between",
        "the number after a `?` may be at most 32,766: bind a list as one JSON text, as in \
         `x IN (SELECT value FROM json_each(?))`",
    ),
    ("too many columns", "the SQL has more than 2,000 columns: select fewer"),
    (
        "too many terms in",
        "the SQL has too many terms: SQLite joins at most 500 queries with `UNION`, and orders or groups \
         by at most 2,000 columns",
    ),
    (
        "too many FROM clause terms",
        "the SQL reads more than 200 tables: take a part of it into a `WITH`",
    ),
    (
        "at most 64 tables in a join",
        "the SQL joins more than 64 tables: take a part of it into a query of its own",
    ),
    ("too many arguments on function", "a function has more than 1,000 arguments"),
    (
        "LIKE or GLOB pattern too complex",
        "the pattern of a `LIKE` or `GLOB` is longer than 50,000 bytes",
    ),
    ("query string is too large", "the SQL is longer than 1,000,000,000 bytes: bind the values"),
    ("string or blob too big", "a text or blob is longer than 1,000,000,000 bytes"),
];

/// Returns our words for SQLite's message, if it says that a limit was exceeded.
pub(super) fn words(message: &str) -> Option<&'static str> {
    LIMITS.iter().find(|(start, _)| message.starts_with(start)).map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use crate::sqlite::{Access, Db, SqliteError, SqliteErrorKind};

    #[track_caller]
    fn limit(sql: &str) -> String {
        let db = Db::new(rusqlite::Connection::open_in_memory().unwrap()).unwrap();
        let run = || {
            db.prepare_checked(sql, Access::Query)?.query_row([], |_| Ok(())).map_err(Into::into)
        };
        let error: SqliteError = run().unwrap_err();
        assert_eq!(error.kind(), SqliteErrorKind::Limit, "{error}");
        error.to_string()
    }

    #[test]
    fn what_exceeds_a_limit_says_which() {
        let many = |part: &str, count| vec![part; count].join(",");
        assert!(limit(&format!("SELECT {}", vec!["1"; 1002].join(" OR "))).contains("1,000 `AND`"));
        assert!(limit(&format!("SELECT {}", many("?", 32_767))).contains("32,766 binds"));
        assert!(limit("SELECT ?32767").contains("32,766"));
        assert!(limit(&format!("SELECT {}", many("1", 2001))).contains("2,000 columns"));
        assert!(limit(&vec!["SELECT 1"; 501].join(" UNION ALL ")).contains("500 queries"));
        assert!(limit(&format!("SELECT char({})", many("1", 1001))).contains("1,000 arguments"));
        assert!(limit("SELECT 1 LIKE hex(zeroblob(30000))").contains("50,000 bytes"));
        assert!(limit("SELECT zeroblob(1000000001)").contains("1,000,000,000 bytes"));
        let tables = vec!["(SELECT 1)"; 201].join(",");
        assert!(limit(&format!("SELECT 1 FROM {tables}")).contains("200 tables"));
        let nested = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(limit(&nested).contains("nested too deeply"));
    }
}
