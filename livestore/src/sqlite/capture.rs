//! Capturing the rows that a commit changes, with their values before and after.
//!
//! Temporary triggers pass both images of every changed row to a function of this module, so that
//! any change is captured: by typed or raw SQL, by an upsert or a cascade. Only tables that are
//! watched have triggers; others pay nothing.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;

use super::quoting::quote;
use super::{SqliteError, text_of, value_of};
use crate::value::{Value, ValueError};

/// The function that the triggers call. SQL of users may not call it: see `access`.
pub(super) const FUNCTION: &str = "__livestore_change";

/// SQLite's limit for the number of arguments of a function.
const MAX_ARGUMENTS: usize = 127;

/// The number of bytes up to which the memory of a text is reused. More would be wasted on short
/// texts.
const MAX_REUSED: usize = 4_096;

/// The table's names, from which its triggers are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableNames {
    pub(crate) table: &'static str,
    /// The names of all columns, in order.
    pub(crate) columns: Vec<&'static str>,
}

/// The values of a row before or after a change, of all columns in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Image {
    pub(crate) rowid: i64,
    /// NULL for columns that are not captured.
    pub(crate) values: Box<[Value<'static>]>,
}

/// A set of columns of a table, by position.
///
/// It never has columns beyond the 64th: the rows of such a wide table are not captured anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ColumnSet(u64);

impl ColumnSet {
    pub(crate) const ALL: Self = Self(u64::MAX);

    pub(crate) fn of(columns: &[usize]) -> Self {
        Self(columns.iter().fold(0, |all, &column| all | bit(column)))
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn contains(self, column: usize) -> bool {
        self.0 & bit(column) != 0
    }
}

fn bit(column: usize) -> u64 {
    u32::try_from(column).ok().and_then(|column| 1u64.checked_shl(column)).unwrap_or(0)
}

/// A change of a table by a commit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// The table, by its position in the schema.
    pub(crate) table: usize,
    pub(crate) rows: Rows,
}

/// The rows that a change affects.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rows {
    /// One row, before and after the change. `None` before an insert and after a deletion.
    One { old: Option<Image>, new: Option<Image> },
    /// Any number of rows, not known which: there were too many changes, or the table has too many
    /// columns.
    Unknown,
}

impl Change {
    /// Returns the net changes, row by row: a row that was changed twice is changed once, and one
    /// that has its old values again is not changed.
    ///
    /// Deletions come first, so that two rows never have the same row id at the same time. A row
    /// that gets a new row id is deleted and inserted, and so is one whose row id is taken by
    /// another row.
    pub(crate) fn net(mut changes: Vec<Self>) -> Vec<Self> {
        if changes.len() < 2 {
            changes.retain(Self::has_effect);
            return changes;
        }
        let (mut deletions, mut rest) = (Vec::new(), Vec::new());
        for Merged { table, rows, is_reused } in merged(changes) {
            let change = |old, new| Self { table, rows: Rows::One { old, new } };
            match rows {
                Rows::One { old, new } if old == new => {}
                Rows::One { old: Some(old), new: Some(new) }
                    if is_reused || old.rowid != new.rowid =>
                {
                    deletions.push(change(Some(old), None));
                    rest.push(change(None, Some(new)));
                }
                Rows::One { old, new: None } => deletions.push(change(old, None)),
                rows => rest.push(Self { table, rows }),
            }
        }
        deletions.append(&mut rest);
        deletions
    }

    fn has_effect(&self) -> bool {
        match &self.rows {
            Rows::One { old, new } => old != new,
            Rows::Unknown => true,
        }
    }
}

/// All changes of a row.
struct Merged {
    table: usize,
    rows: Rows,
    /// Whether the row was deleted, and another one inserted with its row id.
    is_reused: bool,
}

/// Merges the changes of each row, in the order of each row's last change.
fn merged(changes: Vec<Change>) -> impl Iterator<Item = Merged> {
    let mut merged: Vec<Option<Merged>> = Vec::with_capacity(changes.len());
    // The position in `merged` of the row that has this row id, or had it last.
    let mut last: HashMap<(usize, i64), usize> = HashMap::with_capacity(changes.len());
    for Change { table, rows } in changes {
        let Rows::One { old, new } = rows else {
            merged.push(Some(Merged { table, rows, is_reused: false }));
            continue;
        };
        let (from, to) = (old.as_ref().or(new.as_ref()), new.as_ref().or(old.as_ref()));
        let to = to.map(|to| (table, to.rowid));
        let earlier = from.and_then(|from| last.remove(&(table, from.rowid)));
        let (first, is_reused) = match earlier.and_then(|at| merged.get_mut(at)?.take()) {
            Some(Merged { rows: Rows::One { old: first, .. }, is_reused, .. }) => {
                (first, is_reused || old.is_none())
            }
            _ => (old, false),
        };
        last.extend(to.map(|to| (to, merged.len())));
        merged.push(Some(Merged { table, rows: Rows::One { old: first, new }, is_reused }));
    }
    merged.into_iter().flatten()
}

impl Rows {
    /// Whether changes of a table with this number of columns are captured row by row.
    pub(crate) fn fit_columns(columns: usize) -> bool {
        2 + 2 * (1 + columns) <= MAX_ARGUMENTS
    }
}

/// The changes that were captured since they were last taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(Arc<Mutex<Captured>>);

#[derive(Debug, Default)]
struct Captured {
    changes: Vec<Change>,
    /// The number of changes at the last [`begin`](Changes::begin).
    before: usize,
    /// A change that is not needed any more: its memory is reused for the next one.
    spare: Option<Change>,
}

impl Changes {
    fn lock(&self) -> MutexGuard<'_, Captured> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self) -> Vec<Change> {
        let mut captured = self.lock();
        captured.before = 0;
        std::mem::take(&mut captured.changes)
    }

    /// Takes back changes that are not needed any more. Most commits change one row, and so does the
    /// next one: the memory is reused.
    pub(crate) fn recycle(&self, mut changes: Vec<Change>) {
        if changes.len() == 1 {
            let mut captured = self.lock();
            captured.spare = changes.pop();
            if captured.changes.is_empty() {
                captured.changes = changes;
            }
        }
    }

    pub(crate) fn clear(&self) {
        drop(self.take());
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().changes.len()
    }

    /// Marks all but the first `before` changes as unknown: they are of a statement that failed, and
    /// SQLite has undone all or some of them.
    pub(crate) fn mark_unknown(&self, before: usize) {
        self.lock().changes.iter_mut().skip(before).for_each(|change| change.rows = Rows::Unknown);
    }

    /// Marks the point to which [`undo`](Self::undo) goes back.
    pub(crate) fn begin(&self) {
        let mut captured = self.lock();
        captured.before = captured.changes.len();
    }

    /// Removes the changes since [`begin`](Self::begin).
    pub(crate) fn undo(&self) {
        let mut captured = self.lock();
        let before = captured.before;
        captured.changes.truncate(before);
    }

    /// Registers the function with the connection.
    pub(super) fn install(&self, conn: &Connection) -> Result<(), SqliteError> {
        let flags = FunctionFlags::SQLITE_UTF8;
        Ok(conn.create_aggregate_function(FUNCTION, -1, flags, self.clone())?)
    }
}

/// An aggregate over the one row of arguments that a trigger passes. If a trigger calls a function of
/// any other kind, SQLite keeps a journal of the statement, even of one that cannot fail half way.
impl Aggregate<(), rusqlite::types::Null> for Changes {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<()> {
        Ok(())
    }

    fn step(&self, context: &mut Context<'_>, (): &mut ()) -> rusqlite::Result<()> {
        let mut captured = self.lock();
        let table = usize::try_from(context.get::<i64>(0)?).unwrap_or(usize::MAX);
        let spare = captured.spare.take().map(|change| change.rows);
        // A row that has no image, such as one with text that is not UTF-8, must not fail because it
        // is watched.
        let rows = rows_of(context, spare).unwrap_or(Rows::Unknown);
        captured.changes.push(Change { table, rows });
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        _: Option<()>,
    ) -> rusqlite::Result<rusqlite::types::Null> {
        Ok(rusqlite::types::Null)
    }
}

/// The operation that fired a trigger: the function's second argument. The images follow it.
#[derive(Clone, Copy)]
enum Operation {
    Insert = 1,
    Update = 2,
    Delete = 3,
}

impl Operation {
    const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];

    fn sql(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }

    /// The rows whose images the trigger passes.
    fn rows(self) -> &'static [&'static str] {
        match self {
            Self::Insert => &["NEW"],
            Self::Update => &["OLD", "NEW"],
            Self::Delete => &["OLD"],
        }
    }

    fn trigger(self, position: usize) -> String {
        quote(&format!("__livestore_{}_{position}", self.sql()))
    }
}

/// The DDL of the triggers that watch a table.
pub(super) fn watch_ddl(position: usize, names: &TableNames, columns: ColumnSet) -> String {
    Operation::ALL.map(|operation| trigger_ddl(position, names, columns, operation)).concat()
}

/// The DDL that drops these triggers.
pub(super) fn unwatch_ddl(position: usize) -> String {
    Operation::ALL
        .map(|operation| format!("DROP TRIGGER IF EXISTS temp.{};", operation.trigger(position)))
        .concat()
}

fn trigger_ddl(
    position: usize,
    names: &TableNames,
    columns: ColumnSet,
    operation: Operation,
) -> String {
    let mut arguments = format!("{position}, {}", operation as u8);
    for row in operation.rows() {
        arguments += &format!(", {row}._rowid_");
        for (column, name) in names.columns.iter().enumerate() {
            arguments += &match columns.contains(column) {
                true => format!(", {row}.{}", quote(name)),
                false => ", NULL".to_owned(),
            };
        }
    }
    if !Rows::fit_columns(names.columns.len()) {
        arguments = format!("{position}, 0");
    }
    format!(
        "CREATE TEMP TRIGGER {} AFTER {} ON main.{} BEGIN SELECT {FUNCTION}({arguments}); END;",
        operation.trigger(position),
        operation.sql(),
        quote(names.table),
    )
}

/// Reads the arguments, into the memory of `spare`.
fn rows_of(context: &Context<'_>, spare: Option<Rows>) -> rusqlite::Result<Rows> {
    let operation: u8 = context.get(1)?;
    let (old, new) = match spare {
        Some(Rows::One { old, new }) => (old, new),
        _ => (None, None),
    };
    let (end, half) = (context.len(), 2 + (context.len() - 2) / 2);
    Ok(if operation == Operation::Insert as u8 {
        Rows::One { old: None, new: Some(image(context, 2..end, new)?) }
    } else if operation == Operation::Delete as u8 {
        Rows::One { old: Some(image(context, 2..end, old)?), new: None }
    } else if operation == Operation::Update as u8 {
        let (old, new) = (image(context, 2..half, old)?, image(context, half..end, new)?);
        Rows::One { old: Some(old), new: Some(new) }
    } else {
        Rows::Unknown
    })
}

/// Reads a row from the arguments: its row id, then its values.
fn image(
    context: &Context<'_>,
    arguments: Range<usize>,
    spare: Option<Image>,
) -> rusqlite::Result<Image> {
    let width = arguments.len() - 1;
    let values = spare.map(|image| image.values).filter(|values| values.len() == width);
    let mut values = values.unwrap_or_else(|| vec![Value::Null; width].into());
    for (slot, index) in values.iter_mut().zip(arguments.start + 1..) {
        fill(slot, context.get_raw(index))
            .map_err(|error| rusqlite::Error::UserFunctionError(error.into()))?;
    }
    Ok(Image { rowid: context.get(arguments.start)?, values })
}

/// Replaces a value, and reuses the memory of a text.
fn fill(slot: &mut Value<'static>, value: ValueRef<'_>) -> Result<(), ValueError> {
    match (slot, value) {
        (Value::Text(Cow::Owned(text)), ValueRef::Text(bytes)) if text.capacity() <= MAX_REUSED => {
            text.clear();
            text.push_str(text_of(bytes)?);
        }
        (slot, value) => *slot = value_of(value)?.into_owned(),
    }
    Ok(())
}
