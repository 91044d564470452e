//! SQL as text, for every shape the builder lacks.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::checked;
use super::query::{Fetch, fetch};
use super::{
    Cardinality, First, Many, One, Optional, Query, QueryError, Reader, Row, RowError, RowReader,
};
use crate::value::{ColumnType, Value, ValueError};

/// A query in SQL, with `?` for each of `params`, whose rows become `R`.
///
/// If the text is a literal, use [`sql!`](crate::sql), which checks it while compiling.
///
/// It can read any table of the schema and write nothing. Values belong into `params`, never into
/// the text.
///
/// ```
/// # use livestore::prelude::*;
/// let longest = raw::<(String, i64)>(
///     "SELECT id, length(text) AS n FROM todo WHERE completed = ? ORDER BY n DESC LIMIT 3",
///     (false,),
/// );
/// ```
///
/// A live query may call no function that reads a clock or is random: nothing would say when its result
/// changes. Bind the time, and start the query again when it is time: on a timer, say. Functions of dates
/// are let through by [`sql!`](crate::sql) alone, which sees whether they read the clock.
///
/// `R` is a table or a struct that derives [`Row`] (fields by column name), or a tuple (by
/// position; for one column `(T,)`).
pub fn raw<R: Row>(sql: impl Into<String>, params: impl Params) -> Raw<R> {
    Raw {
        sql: Cow::Owned(sql.into()),
        params: params.into_values(),
        reads: "",
        purity: Purity::Unknown,
        columns: R::COLUMNS,
        decode: R::decode,
        of: PhantomData,
    }
}

/// A query in SQL. [`raw`] and [`sql!`](crate::sql) make it: the latter for the schema `S`.
pub struct Raw<R, C = Many, S = AnySchema> {
    sql: Cow<'static, str>,
    params: Result<Vec<Value<'static>>, ValueError>,
    /// The tables and columns it reads, in the format of [`checked::reads`]; empty if not known.
    reads: &'static str,
    purity: Purity,
    /// The columns to decode, by name; empty: by position.
    columns: &'static [&'static str],
    decode: fn(&RowReader<'_>) -> Result<R, RowError>,
    of: PhantomData<fn() -> (C, S)>,
}

/// The schema of SQL that was not checked against one.
#[derive(Debug)]
pub struct AnySchema(());

/// Tables and columns that a live query reads.
type LiveReads = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// Whether the result changes only where a row does.
#[derive(Debug, Clone, Copy)]
enum Purity {
    /// Only SQLite knows.
    Unknown,
    Pure,
    /// It calls this function.
    Impure(&'static str),
}

impl<R, S> Raw<R, Many, S> {
    pub(super) fn checked(
        sql: &'static str,
        params: Result<Vec<Value<'static>>, ValueError>,
        reads: &'static str,
        decode: fn(&RowReader<'_>) -> Result<R, RowError>,
    ) -> Self {
        Self {
            sql: Cow::Borrowed(sql),
            params,
            reads,
            purity: Purity::Pure,
            columns: &[],
            decode,
            of: PhantomData,
        }
    }

    /// Says that it calls this function. `sql!` calls it.
    #[doc(hidden)]
    #[must_use]
    pub fn impure(self, function: &'static str) -> Self {
        Self { purity: Purity::Impure(function), ..self }
    }
}

impl<R, C, S> Raw<R, C, S> {
    /// The SQL and its binds.
    pub(crate) fn parts(&self) -> Result<(&str, &[Value<'static>]), QueryError> {
        let params = self.params.as_deref().map_err(|source| QueryError::Value {
            column: format!("a `?` of `{}`", self.sql),
            source: source.clone(),
        })?;
        Ok((&self.sql, params))
    }

    /// The tables and columns that it reads, for a live query.
    ///
    /// # Errors
    /// When its result may change although no row does, or SQLite refuses it.
    pub(crate) fn live_reads(&self, reader: &Reader<'_>) -> Result<LiveReads, QueryError> {
        let owned = |reads: Vec<(String, String)>| {
            Ok(reads.into_iter().map(|(table, column)| (table.into(), column.into())).collect())
        };
        match self.purity {
            Purity::Impure(function) => {
                Err(QueryError::Impure { sql: self.sql.to_string(), function: function.to_owned() })
            }
            Purity::Unknown => owned(reader.live_reads_of(self.parts()?.0)?),
            Purity::Pure if self.reads.is_empty() => owned(reader.reads_of(self.parts()?.0)?),
            Purity::Pure => {
                let reads = checked::reads(self.reads).into_iter();
                Ok(reads.map(|(table, column)| (table.into(), column.into())).collect())
            }
        }
    }

    /// The same query, returning all rows.
    pub(crate) fn into_many(self) -> Raw<R, Many, S> {
        self.as_()
    }

    fn as_<D>(self) -> Raw<R, D, S> {
        let Self { sql, params, reads, purity, columns, decode, of: _ } = self;
        Raw { sql, params, reads, purity, columns, decode, of: PhantomData }
    }
}

impl<R, S> Raw<R, Many, S> {
    /// The first row, as an `Option`.
    #[must_use]
    pub fn first(self) -> Raw<R, First, S> {
        self.as_()
    }

    /// The only row. No row, or several, fail the query.
    #[must_use]
    pub fn one(self) -> Raw<R, One, S> {
        self.as_()
    }

    /// The only row, as an `Option`. Several fail the query.
    #[must_use]
    pub fn optional(self) -> Raw<R, Optional, S> {
        self.as_()
    }
}

#[diagnostic::do_not_recommend]
impl<R, C: Cardinality<R>, S> Query for Raw<R, C, S> {
    type Output = C::Output;

    fn run(&self, reader: &Reader<'_>) -> Result<C::Output, QueryError> {
        let (sql, params) = self.parts()?;
        let statement = reader.prepare_raw(sql)?;
        let positions = positions(self.columns, sql, &statement)?;
        let positions = Some(positions.as_slice());
        let ready = Fetch { sql, statement, positions, hash: reader.hash };
        C::collect(fetch(ready, params, self.decode)?)
    }
}

/// The position of each of the columns in the result.
fn positions(
    columns: &[&'static str],
    sql: &str,
    statement: &rusqlite::Statement<'_>,
) -> Result<Vec<usize>, QueryError> {
    columns
        .iter()
        .map(|&column| {
            statement.column_index(column).map_err(|_| QueryError::NoColumn {
                sql: sql.to_owned(),
                column,
                found: statement.column_names().map(str::to_owned).collect(),
            })
        })
        .collect()
}

/// The values of a statement's `?`s: `()`, a tuple of up to sixteen, or a `Vec<Value>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand for the `?`s of an SQL text",
    label = "expected a tuple of column types",
    note = "write `()` for none and `(value,)` for one"
)]
pub trait Params {
    /// The SQL values.
    ///
    /// # Errors
    /// When one has no SQL form.
    fn into_values(self) -> Result<Vec<Value<'static>>, ValueError>;
}

/// One value for a `?`: any column type, or `&str`.
pub trait Bind {
    /// The SQL value.
    ///
    /// # Errors
    /// When it has no SQL form.
    fn bind(self) -> Result<Value<'static>, ValueError>;
}

impl<V: ColumnType> Bind for V {
    fn bind(self) -> Result<Value<'static>, ValueError> {
        self.encode().map(Value::into_owned)
    }
}

impl Bind for &String {
    fn bind(self) -> Result<Value<'static>, ValueError> {
        Ok(Value::text(self.clone()))
    }
}

impl Bind for &str {
    fn bind(self) -> Result<Value<'static>, ValueError> {
        Ok(Value::text(self.to_owned()))
    }
}

#[diagnostic::do_not_recommend]
impl Params for () {
    fn into_values(self) -> Result<Vec<Value<'static>>, ValueError> {
        Ok(Vec::new())
    }
}

#[diagnostic::do_not_recommend]
impl Params for Vec<Value<'static>> {
    fn into_values(self) -> Result<Vec<Value<'static>>, ValueError> {
        Ok(self)
    }
}

macro_rules! tuple_params {
    ($(($($V:ident $index:tt),+))*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($V: Bind),+> Params for ($($V,)+) {
            fn into_values(self) -> Result<Vec<Value<'static>>, ValueError> {
                Ok(vec![$(self.$index.bind()?),+])
            }
        }
    )*};
}

tuple_params! {
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

impl<R, C, S> Clone for Raw<R, C, S> {
    fn clone(&self) -> Self {
        Self { sql: self.sql.clone(), params: self.params.clone(), ..*self }
    }
}

impl<R, C, S> fmt::Debug for Raw<R, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("sql", &self.sql).field("params", &self.params).finish()
    }
}
