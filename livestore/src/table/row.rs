//! Rows: between SQLite's values and Rust's.

use std::fmt;

use rusqlite::CachedStatement;

use super::TableDef;
use crate::sqlite::value_of;
use crate::value::{ColumnType, Value, ValueError};

/// A type that one row of a result becomes.
///
/// Tables have it, tuples of column types have it (by position), and `#[derive(Row)]` gives it to
/// any struct (by column name).
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::todos::*;
/// # fn main() -> livestore::Result<()> {
/// #[derive(Row, Debug, PartialEq)]
/// #[row(from = Todo)]                     // only needed for `select_as`
/// struct Line {
///     id: String,                         // the column of the same name
///     #[row(expr = Todo::TEXT)]
///     title: String,                      // any column or expression
/// }
///
/// let store = Store::<App>::builder("todos").open()?;
/// store.commit(TodoEvent::Created { id: "a".into(), text: "Milk".into(), created_at: now() })?;
/// let line = Line { id: "a".into(), title: "Milk".into() };
/// assert_eq!(store.query(Todo::all().select_as::<Line>().one())?, line);
///
/// let sql = "SELECT id, upper(text) AS title FROM todo WHERE completed = ?";
/// assert_eq!(store.query(raw::<Line>(sql, (false,)).one())?.title, "MILK");
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a row",
    label = "not a row",
    note = "use a table, a tuple such as `(String, i64)` (one column: `(i64,)`), or add `#[derive(Row)]`"
)]
pub trait Row: Sized {
    /// The names of the columns it reads; empty when it reads by position.
    const COLUMNS: &'static [&'static str];

    /// Reads the row; [`get`](RowReader::get) counts in the order of [`COLUMNS`](Self::COLUMNS).
    ///
    /// # Errors
    /// When a value is not what its field takes.
    fn decode(row: &RowReader<'_>) -> Result<Self, RowError>;
}

/// A value that does not fit its column or field.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("column `{column}` has a value that does not fit")]
pub struct RowError {
    /// The column.
    pub column: String,
    /// The reason.
    pub source: ValueError,
}

/// One row of a result.
#[derive(Debug)]
pub struct RowReader<'r> {
    row: RowSource<'r>,
    /// The position in the result of each of [`Row::COLUMNS`]; `None`: in order.
    positions: Option<&'r [usize]>,
    offset: usize,
}

/// The source of a row's values.
#[derive(Debug, Clone, Copy)]
enum RowSource<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Values(&'r [Value<'r>]),
}

impl<'r> RowReader<'r> {
    pub(super) fn new(row: &'r rusqlite::Row<'r>, positions: Option<&'r [usize]>) -> Self {
        Self { row: RowSource::Sqlite(row), positions, offset: 0 }
    }

    /// A row that is not, or no longer, SQLite's.
    pub(crate) fn of_values(values: &'r [Value<'r>], positions: Option<&'r [usize]>) -> Self {
        Self { row: RowSource::Values(values), positions, offset: 0 }
    }

    /// The same row, read from column `offset` on: the second table of a join.
    pub(super) fn skip(&self, offset: usize) -> Self {
        Self { row: self.row, positions: None, offset: self.offset + offset }
    }

    /// The value of column `index`.
    ///
    /// # Errors
    /// When there is no such column or its value is not a `V`.
    pub fn get<V: ColumnType>(&self, index: usize) -> Result<V, RowError> {
        self.get_with(index, V::decode)
    }

    /// The value of column `index`, read through a function.
    ///
    /// # Errors
    /// When there is no such column or the function fails.
    pub fn get_with<V>(
        &self,
        index: usize,
        decode: fn(Value<'_>) -> Result<V, ValueError>,
    ) -> Result<V, RowError> {
        self.value(index)
            .and_then(decode)
            .map_err(|source| RowError { column: self.column_name(index), source })
    }

    /// The value of column `index`, as it is.
    pub(crate) fn get_value(&self, index: usize) -> Result<Value<'static>, RowError> {
        self.get_ref(index).map(Value::into_owned)
    }

    /// A look at the value of column `index`.
    pub(crate) fn get_ref(&self, index: usize) -> Result<Value<'_>, RowError> {
        self.value(index).map_err(|source| RowError { column: self.column_name(index), source })
    }

    pub(super) fn is_null(&self, index: usize) -> bool {
        matches!(self.value(index), Ok(Value::Null))
    }

    fn value(&self, index: usize) -> Result<Value<'_>, ValueError> {
        let position = self.position(index);
        match self.row {
            RowSource::Sqlite(row) => value_of(row.get_ref(position).map_err(ValueError::custom)?),
            RowSource::Values(values) => values
                .get(position)
                .map(Value::borrowed)
                .ok_or_else(|| ValueError::custom("there is no such column")),
        }
    }

    fn position(&self, index: usize) -> usize {
        self.positions
            .and_then(|positions| positions.get(index).copied())
            .unwrap_or(self.offset + index)
    }

    fn column_name(&self, index: usize) -> String {
        let position = self.position(index);
        let name = match self.row {
            RowSource::Sqlite(row) => row.as_ref().column_name(position).ok().map(str::to_owned),
            RowSource::Values(_) => None,
        };
        name.unwrap_or_else(|| position.to_string())
    }
}

/// Takes a row's values, column by column.
pub struct RowWriter<'a> {
    sink: &'a mut dyn RowSink,
    table: &'static TableDef,
    next: usize,
}

/// The destination of a row's values.
pub(super) trait RowSink {
    fn put(&mut self, index: usize, value: Value<'_>) -> Result<(), ValueError>;
}

impl RowSink for CachedStatement<'_> {
    fn put(&mut self, index: usize, value: Value<'_>) -> Result<(), ValueError> {
        self.raw_bind_parameter(index + 1, value).map_err(ValueError::custom)
    }
}

impl<'a> RowWriter<'a> {
    pub(super) fn new(sink: &'a mut dyn RowSink, table: &'static TableDef) -> Self {
        Self { sink, table, next: 0 }
    }

    /// Takes the next column's value, as [`ColumnType::encode`] gives it.
    ///
    /// # Errors
    /// When the value has no SQL form.
    pub fn push(&mut self, value: Result<Value<'_>, ValueError>) -> Result<(), RowError> {
        let index = self.next;
        self.next += 1;
        value.and_then(|value| self.sink.put(index, value)).map_err(|source| RowError {
            column: format!("{}.{}", self.table.name, self.table.column_name(index)),
            source,
        })
    }
}

impl fmt::Debug for RowWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowWriter").field("table", &self.table.name).finish_non_exhaustive()
    }
}

macro_rules! tuple_rows {
    ($(($($V:ident $index:tt),+))*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($V: ColumnType),+> Row for ($($V,)+) {
            const COLUMNS: &'static [&'static str] = &[];

            fn decode(row: &RowReader<'_>) -> Result<Self, RowError> {
                Ok(($(row.get::<$V>($index)?,)+))
            }
        }
    )*};
}

tuple_rows! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15)
}
