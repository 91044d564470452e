//! What changed: by an event, in a row, between two states.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;

use livestore::SeqNum;
use livestore::state::{StateView, TableInfo as Table};
use livestore::tools::RowChange as Change;
use livestore::value::Value;

use super::cell::{cells, value};
use super::data::{find, key_of, quote};
use super::log::Places;
use super::{Host, Refused, Running, Target, lock};
use crate::protocol::{
    Cell, HistoryChange, RefusalCode, RowChange, RowHistory, Source, StateDiff, TableDiff,
};

/// The most changes of a row that are shown, and the most rows of a difference.
const MAX_CHANGES: usize = 1_000;

/// The most rows of a table that are compared.
const MAX_COMPARED: u64 = 2_000_000;

impl Host {
    pub(super) fn row_history(
        &self,
        table: &str,
        key: &[Cell],
        running: &Running,
    ) -> Result<RowHistory, Refused> {
        let table = find(&lock(&*self.sources.state(&Source::Now)?), table)?;
        let key = key.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        let places = key_places(&table);
        if key.len() != places.len() {
            let message = format!("the key of `{}` has {} columns", table.name, places.len());
            return Err(Refused::new(RefusalCode::BadCall, message));
        }
        let is_row = |row: &Option<Vec<Value<'_>>>| {
            row.as_ref().is_some_and(|row| key_at(row, &places).is_some_and(|found| found == key))
        };
        let (mut changes, mut total) = (VecDeque::new(), 0);
        let standing = Places::of(&*self.target)?;
        let mut is_unknown = false;
        self.target.trace(&table.name, &mut |event, change| {
            if running.is_cancelled() {
                return ControlFlow::Break(());
            }
            let Some(change) = change else {
                is_unknown = true;
                return ControlFlow::Break(());
            };
            if is_row(&change.before) || is_row(&change.after) {
                total += 1;
                let Change { before, after, .. } = change;
                changes.push_back(HistoryChange {
                    event: standing.row(event),
                    before: before.as_deref().map(cells),
                    after: after.as_deref().map(cells),
                });
                if changes.len() > MAX_CHANGES {
                    changes.pop_front();
                }
            }
            ControlFlow::Continue(())
        })?;
        running.check()?;
        if is_unknown {
            let message =
                format!("`{}` has too many columns for a history of its rows", table.name);
            return Err(Refused::new(RefusalCode::Unsupported, message));
        }
        let columns = table.columns.into_iter().map(|column| column.name).collect();
        Ok(RowHistory { columns, changes: changes.into(), total })
    }

    pub(super) fn diff(
        &self,
        from: &Source,
        to: &Source,
        limit: u64,
        running: &Running,
    ) -> Result<StateDiff, Refused> {
        let (from, to) = (self.sources.state(from)?, self.sources.state(to)?);
        let mut tables = Vec::new();
        if std::sync::Arc::ptr_eq(&from, &to) {
            return Ok(StateDiff { tables });
        }
        let limit = usize::try_from(limit).unwrap_or(MAX_CHANGES).min(MAX_CHANGES);
        let names = lock(&from).tables()?;
        for table in names {
            running.check()?;
            let before = read(&lock(&from), &table, running)?;
            let after = read(&lock(&to), &table, running)?;
            tables.extend(compare(&table, &before, &after, limit));
        }
        Ok(StateDiff { tables })
    }
}

/// The rows that an event has changed; `None` if that cannot be known.
pub(super) fn changes_of(
    target: &dyn Target,
    seq: SeqNum,
) -> Result<Option<Vec<RowChange>>, Refused> {
    let changes = target.changes(seq)?;
    let change = |Change { table, before, after, .. }: &Change| RowChange {
        table: (*table).to_owned(),
        before: before.as_deref().map(cells),
        after: after.as_deref().map(cells),
    };
    Ok(changes.map(|changes| changes.iter().take(MAX_CHANGES).map(change).collect()))
}

/// The rows of a table by their keys, which are ordered as text.
type Rows = BTreeMap<String, Vec<Value<'static>>>;

fn read(state: &StateView, table: &Table, running: &Running) -> Result<Rows, Refused> {
    if state.count(&table.name)? > MAX_COMPARED {
        let message = format!("`{}` has too many rows to be compared", table.name);
        return Err(Refused::new(RefusalCode::Unsupported, message));
    }
    let names = table.columns.iter().map(|column| quote(&column.name)).collect::<Vec<_>>();
    let select = format!("SELECT {} FROM {}", names.join(", "), quote(&table.name));
    let places = key_places(table);
    running.reading(state, || {
        let mut rows = Rows::new();
        state.query(&select)?.for_each(|row| {
            let key = format!("{:?}", key_at(row, &places));
            rows.insert(key, row.iter().cloned().map(Value::into_owned).collect());
            ControlFlow::Continue(())
        })?;
        Ok(rows)
    })
}

/// `None` if nothing differs.
fn compare(table: &Table, before: &Rows, after: &Rows, limit: usize) -> Option<TableDiff> {
    let columns = table.columns.iter().map(|column| column.name.clone()).collect();
    let table = table.name.clone();
    let mut diff = TableDiff {
        table: table.clone(),
        columns,
        added: 0,
        removed: 0,
        changed: 0,
        rows: Vec::new(),
    };
    let mut note = |before: Option<&Vec<Value<'_>>>, after: Option<&Vec<Value<'_>>>| {
        if diff.rows.len() < limit {
            let (before, after) = (before.map(|row| cells(row)), after.map(|row| cells(row)));
            diff.rows.push(RowChange { table: table.clone(), before, after });
        }
    };
    let (mut added, mut removed, mut changed) = (0, 0, 0);
    for (key, row) in before {
        match after.get(key) {
            Some(now) if now == row => {}
            Some(now) => {
                changed += 1;
                note(Some(row), Some(now));
            }
            None => {
                removed += 1;
                note(Some(row), None);
            }
        }
    }
    for (_, row) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
        added += 1;
        note(None, Some(row));
    }
    (diff.added, diff.removed, diff.changed) = (added, removed, changed);
    (added + removed + changed > 0).then_some(diff)
}

/// The positions of the primary key's columns.
fn key_places(table: &Table) -> Vec<usize> {
    let place = |name: &str| table.columns.iter().position(|column| column.name == name);
    key_of(table).into_iter().filter_map(place).collect()
}

fn key_at<'a>(row: &[Value<'a>], places: &[usize]) -> Option<Vec<Value<'a>>> {
    places.iter().map(|place| row.get(*place).cloned()).collect()
}
