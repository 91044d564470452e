//! The rights of SQL that a user wrote: a query reads, a materializer also writes rows. Neither can
//! reach other files, change the schema or control transactions; a materializer has no clock, no
//! randomness, and cannot write the store's own tables.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::functions::{CHANGING, KNOWN, OF_THE_BUILD, is_one_of};
use super::{capture, search};

/// The rights of SQL, by who wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Access {
    /// This crate.
    Internal,
    /// An app, to read.
    Query,
    /// An app, for a live query: its result may change only where a row does.
    Live,
    /// A materializer, to read and write rows.
    Materialize,
}

impl Access {
    /// Tells statements with different rights apart in the cache.
    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Self::Internal => "i",
            Self::Query => "q",
            Self::Live => "l",
            Self::Materialize => "m",
        }
    }
}

pub(super) fn authorize(access: u8, context: &AuthContext<'_>) -> Authorization {
    let action = &context.action;
    let allowed = match access {
        _ if is_capture(context) => true,
        access if access == Access::Query as u8 => may_query(action),
        access if access == Access::Live as u8 => {
            may_query(action) && !calls(action, CHANGING) && !reads_sqlite(action)
        }
        access if access == Access::Materialize as u8 => may_materialize(action),
        _ => true,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

/// Whether one of the crate's triggers calls a function that captures or notes changes.
fn is_capture(context: &AuthContext<'_>) -> bool {
    let in_trigger = context.accessor.is_some_and(|name| name.starts_with("__livestore"));
    in_trigger && calls(&context.action, &[capture::FUNCTION, search::FUNCTION])
}

fn may_query(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => is_one_of(function_name, KNOWN),
        _ => false,
    }
}

fn may_materialize(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Insert { table_name }
        | AuthAction::Delete { table_name }
        | AuthAction::Update { table_name, .. } => {
            !table_name.starts_with("__livestore") && !table_name.starts_with("sqlite_")
        }
        _ => {
            let changes = calls(action, CHANGING) || reads_sqlite(action);
            may_query(action) && !changes && !calls(action, OF_THE_BUILD)
        }
    }
}

fn calls(action: &AuthAction<'_>, names: &[&str]) -> bool {
    matches!(action, AuthAction::Function { function_name } if is_one_of(function_name, names))
}

/// Whether it reads a table in which SQLite shows itself. What is in it depends on more than rows: on the
/// build, the pages, the triggers of live queries.
fn reads_sqlite(action: &AuthAction<'_>) -> bool {
    let AuthAction::Read { table_name, .. } = action else { return false };
    let begins = |with: &str| {
        table_name.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    begins("sqlite_") || begins("pragma_") || table_name.eq_ignore_ascii_case("dbstat")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::{Db, SqliteErrorKind};

    fn db() -> Db {
        let db = Db::new(rusqlite::Connection::open_in_memory().unwrap()).unwrap();
        db.run_all("CREATE TABLE t (x INTEGER) STRICT; CREATE TABLE __livestore_x (x INTEGER);")
            .unwrap();
        db
    }

    #[track_caller]
    fn assert_denied(db: &Db, access: Access, sql: &str) {
        let error = db.prepare_checked(sql, access).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), SqliteErrorKind::Denied, "{sql}: {error}");
    }

    #[test]
    fn a_query_cannot_write() {
        let db = db();
        for sql in [
            "INSERT INTO t VALUES (1)",
            "DELETE FROM t",
            "WITH a AS (SELECT 1) UPDATE t SET x = 1",
            "DROP TABLE t",
            "CREATE TABLE u (x)",
            "SAVEPOINT a",
            "BEGIN",
            "COMMIT",
            "PRAGMA user_version = 1",
            "PRAGMA journal_mode",
            "ATTACH ':memory:' AS other",
            "SELECT load_extension('x')",
            "SELECT soundex('x')",
            "SELECT sqlite_compileoption_used('x')",
        ] {
            assert_denied(&db, Access::Query, sql);
        }
        db.prepare_checked("SELECT x, datetime('now') FROM t", Access::Query).unwrap();
        db.prepare_checked("SELECT name FROM sqlite_schema, pragma_page_count", Access::Query)
            .unwrap();
    }

    #[test]
    fn a_materializer_has_no_clock_no_chance_and_no_other_tables() {
        let db = db();
        for sql in [
            "INSERT INTO t VALUES (random())",
            "INSERT INTO t SELECT unixepoch()",
            "UPDATE t SET x = RANDOM()",
            "SELECT CURRENT_TIMESTAMP",
            "INSERT INTO t SELECT length(sqlite_version())",
            "INSERT INTO __livestore_x VALUES (1)",
            "INSERT INTO t SELECT count(*) FROM sqlite_temp_schema",
            "UPDATE t SET x = (SELECT rootpage FROM sqlite_master)",
            "UPDATE t SET x = (SELECT count(*) FROM pragma_compile_options)",
            "INSERT INTO t SELECT page_count FROM pragma_page_count",
            "INSERT INTO t SELECT schema_version FROM PRAGMA_schema_version()",
            "DROP TABLE t",
            "ROLLBACK",
        ] {
            assert_denied(&db, Access::Materialize, sql);
        }
        db.prepare_checked("INSERT INTO t VALUES (abs(?1))", Access::Materialize).unwrap();
        let json = "INSERT INTO t SELECT e.value FROM json_each(?1) AS e";
        db.prepare_checked(json, Access::Materialize).unwrap();
    }

    #[test]
    fn a_live_query_changes_only_with_a_row() {
        let db = db();
        for sql in [
            "SELECT random()",
            "SELECT x FROM t WHERE x < unixepoch()",
            "SELECT CURRENT_DATE",
            "SELECT date(?1)",
            "SELECT (SELECT changes())",
            "SELECT name FROM sqlite_temp_schema",
            "SELECT page_count FROM pragma_page_count",
        ] {
            assert_denied(&db, Access::Live, sql);
        }
        db.prepare_checked("SELECT abs(x), sqlite_version() FROM t", Access::Live).unwrap();
    }

    #[test]
    fn a_cached_statement_is_not_lent_to_weaker_access() {
        let db = db();
        db.run("SAVEPOINT a").unwrap();
        assert_denied(&db, Access::Query, "SAVEPOINT a");
        db.prepare_checked("SELECT random()", Access::Query).unwrap();
        assert_denied(&db, Access::Materialize, "SELECT random()");
    }

    #[test]
    fn a_second_statement_is_refused() {
        let error = db().prepare_checked("SELECT 1; SELECT 2", Access::Query).map(|_| ());
        assert!(error.is_err());
    }
}
