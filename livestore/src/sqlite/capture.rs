//! Which rows a commit changes, with their values before and after.
//!
//! Temporary triggers hand both images of every changed row to a function of ours: whatever
//! changes a row, typed or raw SQL, an upsert or a cascade, is seen. Only tables that are watched
//! have triggers, so the others pay nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use super::{SqliteError, value_of};
use crate::table::{TableDef, quote};
use crate::value::Value;

/// The function that the triggers call. Users' SQL may not: see `access`.
pub(super) const FUNCTION: &str = "__livestore_change";

/// SQLite's limit for a function's arguments.
const MOST_ARGUMENTS: usize = 127;

/// A row, all columns in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Image {
    pub(crate) rowid: i64,
    /// NULL where nobody asked for the column.
    pub(crate) values: Box<[Value<'static>]>,
}

/// Some of a table's columns, by position.
///
/// One beyond the 64th is never among them: such a wide table's rows are not captured anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Columns(u64);

impl Columns {
    pub(crate) const ALL: Self = Self(u64::MAX);

    pub(crate) fn of(columns: &[usize]) -> Self {
        Self(columns.iter().fold(0, |all, &column| all | bit(column)))
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, column: usize) -> bool {
        self.0 & bit(column) != 0
    }
}

fn bit(column: usize) -> u64 {
    u32::try_from(column).ok().and_then(|column| 1u64.checked_shl(column)).unwrap_or(0)
}

/// Something that a commit did to a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// The table, by its position in the schema.
    pub(crate) table: usize,
    pub(crate) rows: Rows,
}

/// Which rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rows {
    /// One, as it was and as it is.
    One { old: Option<Image>, new: Option<Image> },
    /// Some: there are too many to tell, or the table has too many columns.
    Some,
}

impl Change {
    /// What the changes amount to, row by row: a row that is changed twice is changed once, and one
    /// that is as it was is not changed.
    ///
    /// Rows that go come first, so that at no point two have the same row id. One that gets another
    /// row id goes and comes, and so does one whose row id another row gets.
    pub(crate) fn net(mut changes: Vec<Self>) -> Vec<Self> {
        if changes.len() < 2 {
            changes.retain(Self::is_one);
            return changes;
        }
        let (mut gone, mut rest) = (Vec::new(), Vec::new());
        for Merged { table, rows, is_reused } in merged(changes) {
            let change = |old, new| Self { table, rows: Rows::One { old, new } };
            match rows {
                Rows::One { old, new } if old == new => {}
                Rows::One { old: Some(old), new: Some(new) }
                    if is_reused || old.rowid != new.rowid =>
                {
                    gone.push(change(Some(old), None));
                    rest.push(change(None, Some(new)));
                }
                Rows::One { old, new: None } => gone.push(change(old, None)),
                rows => rest.push(Self { table, rows }),
            }
        }
        gone.append(&mut rest);
        gone
    }

    /// Whether anything is another.
    fn is_one(&self) -> bool {
        match &self.rows {
            Rows::One { old, new } => old != new,
            Rows::Some => true,
        }
    }
}

/// All changes of a row.
struct Merged {
    table: usize,
    rows: Rows,
    /// The row was deleted, and then another was inserted with its row id.
    is_reused: bool,
}

/// Row by row, in the order of the last change of each.
fn merged(changes: Vec<Change>) -> impl Iterator<Item = Merged> {
    let mut merged: Vec<Option<Merged>> = Vec::with_capacity(changes.len());
    // Where the row with this id is, as it stands now or stood last.
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
    /// Whether a change of the table is told row by row: not if it has too many columns.
    pub(crate) fn are_known_of(table: &TableDef) -> bool {
        2 + 2 * (1 + table.columns.len()) <= MOST_ARGUMENTS
    }
}

/// The changes since they were last taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(Arc<Mutex<Captured>>);

#[derive(Debug, Default)]
struct Captured {
    changes: Vec<Change>,
    /// How many there were when something began that may be undone.
    before: usize,
}

impl Changes {
    fn lock(&self) -> MutexGuard<'_, Captured> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self) -> Vec<Change> {
        std::mem::take(&mut *self.lock()).changes
    }

    pub(crate) fn clear(&self) {
        drop(self.take());
    }

    /// What comes may be [undone](Self::undo).
    pub(crate) fn begin(&self) {
        let mut captured = self.lock();
        captured.before = captured.changes.len();
    }

    /// Forgets what came since [`begin`](Self::begin).
    pub(crate) fn undo(&self) {
        let mut captured = self.lock();
        let before = captured.before;
        captured.changes.truncate(before);
    }

    /// Makes the function known to the connection.
    pub(super) fn install(&self, conn: &Connection) -> Result<(), SqliteError> {
        let changes = self.clone();
        let flags = FunctionFlags::SQLITE_UTF8;
        Ok(conn.create_scalar_function(FUNCTION, -1, flags, move |context| {
            let change = change_of(context)?;
            changes.lock().changes.push(change);
            Ok(rusqlite::types::Null)
        })?)
    }
}

/// What a trigger says happened: the function's second argument. The images follow.
#[derive(Clone, Copy)]
enum Event {
    Insert = 1,
    Update = 2,
    Delete = 3,
}

impl Event {
    const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];

    fn sql(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }

    /// The rows whose images there are.
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

/// The triggers that watch a table.
pub(super) fn watch_ddl(position: usize, table: &TableDef, columns: Columns) -> String {
    Event::ALL.map(|event| trigger_ddl(position, table, columns, event)).concat()
}

/// The end of watching.
pub(super) fn unwatch_ddl(position: usize) -> String {
    Event::ALL
        .map(|event| format!("DROP TRIGGER IF EXISTS temp.{};", event.trigger(position)))
        .concat()
}

fn trigger_ddl(position: usize, table: &TableDef, columns: Columns, event: Event) -> String {
    let mut arguments = format!("{position}, {}", event as u8);
    for row in event.rows() {
        arguments += &format!(", {row}._rowid_");
        for (column, name) in table.column_names().enumerate() {
            arguments += &match columns.has(column) {
                true => format!(", {row}.{}", quote(name)),
                false => ", NULL".to_owned(),
            };
        }
    }
    if !Rows::are_known_of(table) {
        arguments = format!("{position}, 0");
    }
    format!(
        "CREATE TEMP TRIGGER {} AFTER {} ON main.{} BEGIN SELECT {FUNCTION}({arguments}); END;",
        event.trigger(position),
        event.sql(),
        quote(table.name()),
    )
}

fn change_of(context: &Context<'_>) -> rusqlite::Result<Change> {
    let table = usize::try_from(context.get::<i64>(0)?).unwrap_or(usize::MAX);
    let event: u8 = context.get(1)?;
    let half = (context.len() - 2) / 2;
    let rows = if event == Event::Insert as u8 {
        Rows::One { old: None, new: Some(image(context, 2, context.len())?) }
    } else if event == Event::Delete as u8 {
        Rows::One { old: Some(image(context, 2, context.len())?), new: None }
    } else if event == Event::Update as u8 {
        let (old, new) = (image(context, 2, 2 + half)?, image(context, 2 + half, context.len())?);
        Rows::One { old: Some(old), new: Some(new) }
    } else {
        Rows::Some
    };
    Ok(Change { table, rows })
}

/// The row in the arguments `from..to`: its rowid and its values.
fn image(context: &Context<'_>, from: usize, to: usize) -> rusqlite::Result<Image> {
    let mut values = Vec::with_capacity(to - from - 1);
    for index in from + 1..to {
        let value = value_of(context.get_raw(index));
        let value = value.map_err(|error| rusqlite::Error::UserFunctionError(error.into()))?;
        values.push(value.into_owned());
    }
    Ok(Image { rowid: context.get(from)?, values: values.into() })
}
