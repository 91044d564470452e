//! In which order a statement changes rows.
//!
//! SQLite changes rows as it finds them, through whatever index it looks; but where there is a
//! trigger, it finds all of them first, and changes them in the order of their row ids. A watched
//! table has triggers, so being watched could decide whether `UPDATE t SET rank = rank + 1` meets
//! a unique index, on this client and no other (law 3). Therefore every table that a materializer's
//! own SQL writes has triggers from then on, which do nothing. Typed writes need none: where the
//! order matters, their SQL settles it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use rusqlite::hooks::AuthAction;

use super::{SqliteError, lock};
use crate::table::quote;

#[derive(Debug, Default)]
pub(super) struct Order {
    written: Written,
    settled: RefCell<BTreeSet<String>>,
}

/// The tables that SQL writes, noted while it is prepared.
#[derive(Debug, Default, Clone)]
pub(super) struct Written(Arc<Mutex<BTreeSet<String>>>);

impl Written {
    pub(super) fn note(&self, action: &AuthAction<'_>) {
        if let AuthAction::Insert { table_name } | AuthAction::Update { table_name, .. } = action {
            lock(&self.0).insert((*table_name).to_owned());
        }
    }
}

impl Order {
    pub(super) fn written(&self) -> Written {
        self.written.clone()
    }

    /// Settles the order for the tables that were noted.
    pub(super) fn settle(&self, conn: &Connection) -> Result<(), SqliteError> {
        let written = std::mem::take(&mut *lock(&self.written.0));
        for table in written {
            if !self.settled.borrow().contains(&table) {
                conn.execute_batch(&ddl(&table))?;
                self.settled.borrow_mut().insert(table);
            }
        }
        Ok(())
    }

    pub(super) fn settle_again(&self, conn: &Connection) -> Result<(), SqliteError> {
        let settled = self.settled.borrow();
        settled.iter().try_for_each(|table| Ok(conn.execute_batch(&ddl(table))?))
    }
}

/// An insert's trigger counts, too: without one, rows copied from another table can keep its row
/// ids. A deletion comes out the same in any order.
fn ddl(table: &str) -> String {
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
    fn what_may_not_be_written_is_left_alone() {
        let db = Db::new(rusqlite::Connection::open_in_memory().unwrap()).unwrap();
        db.run_all("CREATE TABLE t (x INTEGER); CREATE TABLE __livestore_x (x INTEGER);").unwrap();
        for refused in ["UPDATE sqlite_schema SET name = ''", "UPDATE __livestore_x SET x = 1"] {
            assert!(db.prepare_checked(refused, Access::Materialize).is_err());
        }
        db.prepare_checked("UPDATE t SET x = 1", Access::Materialize).unwrap();
        let of = "SELECT group_concat(DISTINCT tbl_name) FROM temp.sqlite_schema";
        let tables: String = db.prepare(of).unwrap().query_row([], |row| row.get(0)).unwrap();
        assert_eq!(tables, "t");
    }
}
