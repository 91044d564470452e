//! Random writes: typed ones and SQL, some of which fail.

use super::dice::Dice;
use super::tables::RandomTable;
use crate::sqlite::quote;
use crate::table::{MaterializeError, Writer};
use crate::value::Value;

/// One statement of a materializer.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) sql: String,
    pub(super) binds: Vec<Value<'static>>,
}

impl Write {
    pub(super) fn run(&self, writer: &mut Writer<'_>) -> Result<(), MaterializeError> {
        writer.sql(&self.sql, self.binds.clone()).map(|_| ())
    }

    pub(super) fn random(dice: &mut Dice<'_>, tables: &[RandomTable]) -> Self {
        let table = &tables[dice.below(tables.len())];
        let name = quote(table.def.name);
        let kind = dice.below(20);
        match kind {
            0..7 => Self::row(dice, table, &table.def.sql().upsert),
            7 => Self::row(dice, table, &table.def.sql().insert),
            8 => Self::row(dice, table, &table.def.sql().insert_or_ignore),
            9 => Self::row(dice, table, &instead(&table.def.sql().insert, "REPLACE")),
            10 => {
                let instead_of_fail = dice.pick(&["FAIL", "ROLLBACK", "IGNORE"]);
                Self::row(dice, table, &instead(&table.def.sql().insert, instead_of_fail))
            }
            11..15 => Self::update(dice, table),
            15..18 => {
                let (condition, binds) = condition(dice, table);
                Self { sql: format!("DELETE FROM {name}{condition}"), binds }
            }
            18 => Self::copy(dice, table),
            _ => {
                let (condition, binds) = condition(dice, table);
                let to = dice.pick(&["_rowid_ + 10", "-_rowid_", "_rowid_"]);
                Self { sql: format!("UPDATE {name} SET _rowid_ = {to}{condition}"), binds }
            }
        }
    }

    fn row(dice: &mut Dice<'_>, table: &RandomTable, sql: &str) -> Self {
        let binds = table.holds.iter().map(|holds| holds.value(dice)).collect();
        Self { sql: sql.to_owned(), binds }
    }

    /// Sets one column, the key perhaps, to a value or to what another column has.
    fn update(dice: &mut Dice<'_>, table: &RandomTable) -> Self {
        let index = dice.below(table.holds.len());
        let (holds, column) = (table.holds[index], quote(table.def.column_name(index)));
        let or = if dice.percent(20) { dice.pick(&["OR REPLACE ", "OR IGNORE "]) } else { "" };
        let (where_, more) = condition(dice, table);
        let (to, mut binds) = match dice.below(6) {
            4 if holds.is_integer() => (format!("{column} + 1"), Vec::new()),
            5 => {
                let same: Vec<usize> =
                    (0..table.holds.len()).filter(|&n| table.holds[n].joins(holds)).collect();
                (quote(table.def.column_name(dice.pick(&same))), Vec::new())
            }
            _ => ("?".to_owned(), vec![holds.value(dice)]),
        };
        binds.extend(more);
        let name = quote(table.def.name);
        Self { sql: format!("UPDATE {or}{name} SET {column} = {to}{where_}"), binds }
    }

    /// Copies rows within the table, under another key.
    fn copy(dice: &mut Dice<'_>, table: &RandomTable) -> Self {
        let name = quote(table.def.name);
        let others = (1..table.holds.len())
            .map(|index| format!(", {}", quote(table.def.column_name(index))))
            .collect::<String>();
        let (condition, more) = condition(dice, table);
        let mut binds = vec![table.holds[0].value(dice)];
        binds.extend(more);
        Self {
            sql: format!("INSERT OR REPLACE INTO {name} SELECT ?{others} FROM {name}{condition}"),
            binds,
        }
    }
}

fn instead(insert: &str, of_failing: &str) -> String {
    insert.replacen("INSERT ", &format!("INSERT OR {of_failing} "), 1)
}

/// ` WHERE …`, or none: all rows.
fn condition(dice: &mut Dice<'_>, table: &RandomTable) -> (String, Vec<Value<'static>>) {
    let index = dice.below(table.holds.len());
    let column = quote(table.def.column_name(index));
    let value = table.holds[index].value(dice);
    match dice.below(10) {
        9 => (String::new(), Vec::new()),
        8 => (format!(" WHERE {column} IS NULL"), Vec::new()),
        7 => (format!(" WHERE {column} > ?"), vec![value]),
        _ => (format!(" WHERE {column} IS ?"), vec![value]),
    }
}
