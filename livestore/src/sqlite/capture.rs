//! Which rows a commit changes, with their values before and after.
//!
//! Temporary triggers hand both images of every changed row to a function of ours: whatever
//! changes a row, typed or raw SQL, an upsert or a cascade, is seen. Only tables that are watched
//! have triggers, so the others pay nothing.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;

use super::{SqliteError, text_of, value_of};
use crate::table::{TableDef, quote};
use crate::value::{Value, ValueError};

/// The function that the triggers call. Users' SQL may not: see `access`.
pub(super) const FUNCTION: &str = "__livestore_change";

/// SQLite's limit for a function's arguments.
const MOST_ARGUMENTS: usize = 127;

/// The memory of a longer text is not used again: it would be kept for short ones.
const MOST_REUSED: usize = 4_096;

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
    /// A change that was heard of: the next one takes its place, and allocates little.
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

    /// Everybody has heard of what was taken. Most commits change one row, as did the one before:
    /// its memory is used again.
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

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.lock().changes.len()
    }

    /// A statement failed, and made those behind the first `before`. SQLite has undone them, or
    /// some of them: which rows are others is not known.
    pub(crate) fn doubt(&self, before: usize) {
        self.lock().changes.iter_mut().skip(before).for_each(|change| change.rows = Rows::Some);
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
        let flags = FunctionFlags::SQLITE_UTF8;
        Ok(conn.create_aggregate_function(FUNCTION, -1, flags, self.clone())?)
    }
}

/// An aggregate over the one row of arguments that a trigger has. Where a trigger calls any other
/// function, SQLite keeps a journal of the statement, even of one that [cannot fail half
/// way](crate::table::Update).
impl Aggregate<(), rusqlite::types::Null> for Changes {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<()> {
        Ok(())
    }

    fn step(&self, context: &mut Context<'_>, (): &mut ()) -> rusqlite::Result<()> {
        let mut captured = self.lock();
        let table = usize::try_from(context.get::<i64>(0)?).unwrap_or(usize::MAX);
        let spare = captured.spare.take().map(|change| change.rows);
        // What has no image, such as text that is not UTF-8, must not fail because it is watched.
        let rows = rows_of(context, spare).unwrap_or(Rows::Some);
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

/// What the arguments say; `spare` is what nobody needs any more.
fn rows_of(context: &Context<'_>, spare: Option<Rows>) -> rusqlite::Result<Rows> {
    let event: u8 = context.get(1)?;
    let (old, new) = match spare {
        Some(Rows::One { old, new }) => (old, new),
        _ => (None, None),
    };
    let (end, half) = (context.len(), 2 + (context.len() - 2) / 2);
    Ok(if event == Event::Insert as u8 {
        Rows::One { old: None, new: Some(image(context, 2..end, new)?) }
    } else if event == Event::Delete as u8 {
        Rows::One { old: Some(image(context, 2..end, old)?), new: None }
    } else if event == Event::Update as u8 {
        let (old, new) = (image(context, 2..half, old)?, image(context, half..end, new)?);
        Rows::One { old: Some(old), new: Some(new) }
    } else {
        Rows::Some
    })
}

/// The row in the arguments: its rowid and its values.
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

/// Puts a value in the place of another, a text into the other's memory.
fn fill(slot: &mut Value<'static>, value: ValueRef<'_>) -> Result<(), ValueError> {
    match (slot, value) {
        (Value::Text(Cow::Owned(text)), ValueRef::Text(bytes))
            if text.capacity() <= MOST_REUSED =>
        {
            text.clear();
            text.push_str(text_of(bytes)?);
        }
        (slot, value) => *slot = value_of(value)?.into_owned(),
    }
    Ok(())
}
