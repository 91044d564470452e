//! One order in which a statement changes rows, whether their table is watched or not.
//!
//! SQLite changes rows as it finds them, in the order of whatever index it uses. If the table has a
//! trigger, it finds all of them first, then changes them in the order of their row ids. A watched
//! table has triggers, so watching could decide whether `UPDATE t SET rank = rank + 1` violates a
//! unique index on this client and on no other (law 3). Therefore every table that a materializer's
//! own SQL writes gets triggers that do nothing, and keeps them. Typed writes need none: where the
//! order matters, their SQL has its own.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use rusqlite::hooks::AuthAction;

use super::quoting::quote;
use super::{SqliteError, lock};

/// The tables whose rows change in the order of their row ids.
#[derive(Debug, Default)]
pub(super) struct RowOrder {
    written: WrittenTables,
    /// The tables that have the triggers.
    ordered: RefCell<BTreeSet<String>>,
}

/// The tables that SQL writes, noted while it is prepared.
#[derive(Debug, Default, Clone)]
pub(super) struct WrittenTables(Arc<Mutex<BTreeSet<String>>>);

impl WrittenTables {
    pub(super) fn note(&self, action: &AuthAction<'_>) {
        if let AuthAction::Insert { table_name } | AuthAction::Update { table_name, .. } = action {
            lock(&self.0).insert((*table_name).to_owned());
        }
    }
}

impl RowOrder {
    pub(super) fn written_tables(&self) -> WrittenTables {
        self.written.clone()
    }

    /// Gives the tables that were noted their triggers.
    pub(super) fn add_triggers(&self, conn: &Connection) -> Result<(), SqliteError> {
        let written = std::mem::take(&mut *lock(&self.written.0));
        for table in written {
            if !self.ordered.borrow().contains(&table) {
                conn.execute_batch(&trigger_ddl(&table))?;
                self.ordered.borrow_mut().insert(table);
            }
        }
        Ok(())
    }

    /// Creates the triggers that a rollback has dropped.
    pub(super) fn restore_triggers(&self, conn: &Connection) -> Result<(), SqliteError> {
        let ordered = self.ordered.borrow();
        ordered.iter().try_for_each(|table| Ok(conn.execute_batch(&trigger_ddl(table))?))
    }
}

/// Inserts need a trigger, too: without one, rows copied from another table can keep its row ids. A
/// deletion has the same result in any order.
fn trigger_ddl(table: &str) -> String {
    let trigger = |event: &str| {
        format!(
            "CREATE TEMP TRIGGER IF NOT EXISTS {} AFTER {event} ON main.{} \
             WHEN 0 BEGIN SELECT 1; END;",
            quote(&format!("__livestore_order_{event}_{table}")),
            quote(table),
        )
    };
    trigger("INSERT") + &trigger("UPDATE")
}

#[cfg(test)]
mod tests {
    use crate::sqlite::{Access, Db};

    #[test]
    fn only_tables_that_may_be_written_get_triggers() {
        let db = Db::new(rusqlite::Connection::open_in_memory().unwrap()).unwrap();
        db.run_all("CREATE TABLE t (x INTEGER); CREATE TABLE __livestore_x (x INTEGER);").unwrap();
        for denied in ["UPDATE sqlite_schema SET name = ''", "UPDATE __livestore_x SET x = 1"] {
            assert!(db.prepare_checked(denied, Access::Materialize).is_err());
        }
        db.prepare_checked("UPDATE t SET x = 1", Access::Materialize).unwrap();
        let of = "SELECT group_concat(DISTINCT tbl_name) FROM temp.sqlite_schema";
        let tables: String = db.prepare(of).unwrap().query_row([], |row| row.get(0)).unwrap();
        assert_eq!(tables, "t");
    }
}
