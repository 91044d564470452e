//! The `ast` as SQL.

use std::fmt::Write as _;

use super::QueryError;
use super::ast::{
    Aggregate, ColumnRef, Comparison, Direction, Expression, Join, Nulls, OrderBy, SelectAst,
    TableRef,
};
use super::predicate::{Predicate, SIDE_BY_SIDE};
use crate::sqlite::{CONTAINS_TEXT, IS_FOUND, REAL_OF_BITS, SEARCH, Searched, quote};
use crate::value::Value;

/// A list with more values than this is bound as one.
const MAX_LIST_BINDS: usize = 256;

/// The number of `?`s that SQLite allows in a statement.
const MAX_BINDS: usize = 32_766;

/// SQL text with the values of its `?`s.
pub(crate) type BoundSql = (String, Vec<Value<'static>>);

impl SelectAst {
    /// The SELECT, returning no more than `at_most` rows.
    pub(crate) fn to_sql(&self, at_most: Option<u64>) -> Result<BoundSql, QueryError> {
        self.to_sql_of(Searched::Listed, at_most)
    }

    /// The SELECT, which has what its searches find in this way.
    pub(crate) fn to_sql_of(
        &self,
        searched: Searched,
        at_most: Option<u64>,
    ) -> Result<BoundSql, QueryError> {
        self.check()?;
        let mut writer = SqlWriter::new(!self.joins.is_empty());
        writer.searched = searched;
        writer.outer = self.joins.iter().any(|join| join.left);
        if !self.counted {
            writer.select(self, Returned::List, at_most.into_iter().chain(self.limit).min())?;
        } else if self.counts_all_rows() {
            writer.select(self, Returned::Count, None)?;
        } else {
            let needs_list = self.distinct || self.group_by.is_empty() && self.is_grouped();
            let returned = if needs_list { Returned::List } else { Returned::One };
            writer.text.push_str("SELECT COUNT(*) FROM (");
            writer.select(self, returned, self.limit)?;
            writer.text.push(')');
        }
        writer.finish()
    }

    /// Whether it is counted without being limited, grouped or distinct.
    pub(crate) fn counts_all_rows(&self) -> bool {
        let limited = self.limit.is_some() || self.offset.is_some();
        self.counted && !limited && !self.distinct && !self.is_grouped()
    }

    /// Finds what SQLite would refuse, or answer at will.
    fn check(&self) -> Result<(), QueryError> {
        if let Some(column) = self.ungrouped_column() {
            return Err(QueryError::Ungrouped { column: column.full_name() });
        }
        let is_returned = |node: &Expression| match self.list.is_empty() {
            true => matches!(node, Expression::Column(_)),
            false => self.list.contains(node),
        };
        match self.order_by.iter().find(|order| !is_returned(&order.node)) {
            Some(order) if self.distinct => {
                Err(QueryError::OrderOfDistinct { column: order.node.description() })
            }
            _ => Ok(()),
        }
    }
}

/// The results of a SELECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Returned {
    /// Its list.
    List,
    /// The number of rows.
    Count,
    /// A number, for each row.
    One,
}

/// Writes SQL text and collects the binds.
pub(super) struct SqlWriter {
    text: String,
    binds: Vec<Value<'static>>,
    /// Whether columns need their table's name.
    qualified: bool,
    /// Whether any column may be NULL, because a left join found no row.
    outer: bool,
    searched: Searched,
}

impl SqlWriter {
    pub(super) fn new(qualified: bool) -> Self {
        let (text, searched) = (String::with_capacity(160), Searched::Listed);
        Self { text, binds: Vec::new(), qualified, outer: false, searched }
    }

    pub(super) fn finish(self) -> Result<BoundSql, QueryError> {
        match self.binds.len() {
            0..=MAX_BINDS => Ok((self.text, self.binds)),
            count => Err(QueryError::TooManyValues { count, max: MAX_BINDS }),
        }
    }

    fn select(
        &mut self,
        select: &SelectAst,
        returned: Returned,
        limit: Option<u64>,
    ) -> Result<(), QueryError> {
        self.text.push_str(if select.distinct { "SELECT DISTINCT " } else { "SELECT " });
        match returned {
            Returned::List => self.list(select),
            Returned::Count => self.text.push_str("COUNT(*)"),
            Returned::One => self.text.push('1'),
        }
        self.text.push_str(" FROM ");
        self.name(select.from.name);
        select.joins.iter().for_each(|join| self.join(join));
        self.filters(&select.filters)?;
        self.separated(" GROUP BY ", &select.group_by, |sql, column| sql.column(*column));
        self.conditions(" HAVING ", &select.having)?;
        self.separated(" ORDER BY ", &select.order_by, |sql, order| sql.order(*order));
        let limited = limit.is_some() || select.offset.is_some();
        if returned == Returned::List {
            self.tie(select);
        }
        if limited {
            // Not as a `?`: SQLite looks at it when it plans, and would plan anew at every run.
            let _ = write!(self.text, " LIMIT {}", count(limit));
        }
        if select.offset.is_some() {
            self.text.push_str(" OFFSET ");
            self.bind(Value::Integer(count(select.offset)));
        }
        Ok(())
    }

    /// Rows that are ordered alike, or not at all, get an order nevertheless, so that equal states give
    /// equal results whatever index SQLite follows: groups that of their columns; rows of one table
    /// that of their insertion, or against it if the order is a descending one.
    fn tie(&mut self, select: &SelectAst) {
        let clause = if select.order_by.is_empty() { " ORDER BY " } else { ", " };
        let plain = |node: &Expression| matches!(node, Expression::Column(_));
        if select.distinct {
            self.text.push_str(clause);
            self.list(select);
        } else if !select.group_by.is_empty() {
            self.separated(clause, &select.group_by, |sql, column| sql.column(*column));
        } else if select.joins.is_empty() && select.list.iter().all(plain) {
            self.text.push_str(clause);
            self.node(Expression::RowId(select.from.into()));
            if select.tie() == Direction::Descending {
                self.text.push_str(" DESC");
            }
        }
    }

    fn order(&mut self, order: OrderBy) {
        let sorting = order.sorting;
        self.node(order.node);
        if sorting.nocase {
            self.text.push_str(" COLLATE NOCASE");
        }
        if sorting.direction == Direction::Descending {
            self.text.push_str(" DESC");
        }
        // What SQLite does anyway is not written: an index serves that best.
        match (sorting.direction, sorting.nulls) {
            (Direction::Ascending, Some(Nulls::Last)) => self.text.push_str(" NULLS LAST"),
            (Direction::Descending, Some(Nulls::First)) => self.text.push_str(" NULLS FIRST"),
            _ => {}
        }
    }

    fn list(&mut self, select: &SelectAst) {
        if select.list.is_empty() {
            self.items(select.all_columns(), Self::column);
        } else {
            self.items(select.list.iter().copied(), Self::node);
        }
    }

    fn join(&mut self, join: &Join) {
        self.text.push_str(if join.left { " LEFT JOIN " } else { " JOIN " });
        self.table(join.table);
        self.text.push_str(" ON ");
        for (n, (left, right)) in join.on.iter().enumerate() {
            if n > 0 {
                self.text.push_str(" AND ");
            }
            self.column(*left);
            self.text.push_str(" = ");
            self.column(*right);
        }
    }

    /// ` WHERE …`, if there is something to say.
    pub(super) fn filters(&mut self, filters: &[Predicate]) -> Result<(), QueryError> {
        self.conditions(" WHERE ", filters)
    }

    fn conditions(&mut self, intro: &str, conditions: &[Predicate]) -> Result<(), QueryError> {
        if conditions.is_empty() {
            return Ok(());
        }
        self.text.push_str(intro);
        self.side_by_side(" AND ", conditions)
    }

    fn predicate(&mut self, predicate: &Predicate) -> Result<(), QueryError> {
        match predicate {
            Predicate::Compare(column, comparison, value) => {
                self.column(*column);
                self.text.push_str(operator(*comparison, self.is_nullable(*column)));
                self.bind(value.clone());
            }
            Predicate::CompareColumns(left, comparison, right) => {
                let nullable = self.is_nullable(*left) || self.is_nullable(*right);
                self.column(*left);
                self.text.push_str(operator(*comparison, nullable));
                self.column(*right);
            }
            Predicate::CompareAggregate(of, comparison, value) => {
                self.node(*of);
                self.text.push_str(operator(*comparison, true));
                self.bind(value.clone());
            }
            Predicate::Between(column, low, high) => {
                self.column(*column);
                self.text.push_str(" BETWEEN ");
                self.bind(low.clone());
                self.text.push_str(" AND ");
                self.bind(high.clone());
            }
            Predicate::In(column, values) => self.is_in(*column, values),
            Predicate::Like(column, pattern) => {
                self.column(*column);
                self.text.push_str(" LIKE ");
                self.bind(pattern.clone());
            }
            Predicate::ContainsText(column, folded) => {
                let _ = write!(self.text, "{CONTAINS_TEXT}(");
                self.column(*column);
                self.text.push_str(", ");
                self.bind(Value::text(folded.clone()));
                self.text.push(')');
            }
            Predicate::Search(table, words) => self.search(*table, words),
            Predicate::Contains(column, value) => {
                self.text.push_str("EXISTS (SELECT 1 FROM json_each(");
                self.column(*column);
                self.text.push_str(") WHERE value = ");
                self.bind(value.clone());
                self.text.push(')');
            }
            Predicate::And(parts) => self.parts(" AND ", "1", parts.as_slice())?,
            Predicate::Or(parts) if parts.as_slice().len() > MAX_LIST_BINDS => {
                let listed = parts.listed(|column| self.is_nullable(column));
                self.parts(" OR ", "0", &listed)?;
            }
            Predicate::Or(parts) => self.parts(" OR ", "0", parts.as_slice())?,
            Predicate::Not(inner) => {
                self.text.push_str("NOT (");
                self.predicate(inner)?;
                self.text.push(')');
            }
            Predicate::Invalid(error) => return Err((**error).clone()),
        }
        Ok(())
    }

    fn is_nullable(&self, column: ColumnRef) -> bool {
        self.outer || column.is_nullable()
    }

    /// `NULL` in the list matches `NULL`, as `eq` does.
    fn search(&mut self, table: TableRef, words: &str) {
        match self.searched {
            Searched::Listed => {
                self.node(Expression::RowId(table));
                let _ = write!(self.text, " IN (SELECT value FROM json_each({SEARCH}(");
            }
            Searched::RowByRow => {
                let _ = write!(self.text, "{IS_FOUND}(");
            }
        }
        self.bind(Value::text(table.def.name));
        self.text.push_str(", ");
        self.bind(Value::text(words.to_owned()));
        match self.searched {
            Searched::Listed => self.text.push_str(")))"),
            Searched::RowByRow => {
                self.text.push_str(", ");
                self.node(Expression::RowId(table));
                self.text.push(')');
            }
        }
    }

    fn is_in(&mut self, column: ColumnRef, values: &[Value<'static>]) {
        let has_null = values.contains(&Value::Null);
        self.text.push('(');
        self.column(column);
        self.text.push_str(" IN (");
        let values: Vec<_> = values.iter().filter(|value| **value != Value::Null).collect();
        if values.len() <= MAX_LIST_BINDS {
            self.items(values.into_iter(), |sql, value| sql.bind(value.clone()));
        } else {
            let (value, json) = as_json(&values);
            let _ = write!(self.text, "SELECT {value} FROM json_each(");
            self.bind(Value::text(json));
            self.text.push(')');
        }
        self.text.push(')');
        if has_null {
            self.text.push_str(" OR ");
            self.column(column);
            self.text.push_str(" IS NULL");
        }
        self.text.push(')');
    }

    fn parts(
        &mut self,
        separator: &str,
        empty: &str,
        parts: &[Predicate],
    ) -> Result<(), QueryError> {
        self.text.push('(');
        match parts {
            [] => self.text.push_str(empty),
            parts => self.side_by_side(separator, parts)?,
        }
        self.text.push(')');
        Ok(())
    }

    /// Many parts are written in halves of halves, since SQLite counts each part of `a OR b OR c` as
    /// one level.
    fn side_by_side(&mut self, separator: &str, parts: &[Predicate]) -> Result<(), QueryError> {
        if parts.len() > SIDE_BY_SIDE {
            let (left, right) = parts.split_at(parts.len() / 2);
            self.text.push('(');
            self.side_by_side(separator, left)?;
            let _ = write!(self.text, "){separator}(");
            self.side_by_side(separator, right)?;
            self.text.push(')');
            return Ok(());
        }
        for (n, part) in parts.iter().enumerate() {
            if n > 0 {
                self.text.push_str(separator);
            }
            self.predicate(part)?;
        }
        Ok(())
    }

    fn node(&mut self, node: Expression) {
        match node {
            Expression::Column(column) => self.column(column),
            Expression::CountAll => self.text.push_str("COUNT(*)"),
            Expression::RowId(table) => {
                self.name(table.name());
                self.text.push_str("._rowid_");
            }
            Expression::Aggregate(aggregate, column) => {
                let (open, close) = match aggregate {
                    Aggregate::Count => ("COUNT(", ")"),
                    Aggregate::Sum => ("COALESCE(SUM(", "), 0)"),
                    Aggregate::SumReal => ("TOTAL(", ")"),
                    Aggregate::Min => ("MIN(", ")"),
                    Aggregate::Max => ("MAX(", ")"),
                    Aggregate::Avg => ("AVG(", ")"),
                };
                self.text.push_str(open);
                self.column(column);
                self.text.push_str(close);
            }
        }
    }

    pub(super) fn column(&mut self, column: ColumnRef) {
        if self.qualified {
            self.name(column.table.name());
            self.text.push('.');
        }
        self.name(column.name());
    }

    fn table(&mut self, table: TableRef) {
        self.name(table.def.name);
        if let Some(alias) = table.alias {
            self.text.push_str(" AS ");
            self.name(alias);
        }
    }

    pub(super) fn bind(&mut self, value: Value<'static>) {
        self.binds.push(value);
        self.text.push('?');
    }

    pub(super) fn push(&mut self, sql: &str) {
        self.text.push_str(sql);
    }

    pub(super) fn name(&mut self, name: &str) {
        if name.contains('"') {
            self.text.push_str(&quote(name));
        } else {
            let _ = write!(self.text, "\"{name}\"");
        }
    }

    fn separated<T>(&mut self, intro: &str, items: &[T], write: impl Fn(&mut Self, &T)) {
        if !items.is_empty() {
            self.text.push_str(intro);
            self.items(items.iter(), write);
        }
    }

    pub(super) fn items<T>(
        &mut self,
        items: impl Iterator<Item = T>,
        write: impl Fn(&mut Self, T),
    ) {
        for (n, item) in items.enumerate() {
            if n > 0 {
                self.text.push_str(", ");
            }
            write(self, item);
        }
    }
}

/// A number of rows; SQL's "no limit" is -1.
fn count(rows: Option<u64>) -> i64 {
    rows.map_or(-1, |rows| i64::try_from(rows).unwrap_or(i64::MAX))
}

/// A list that is too long for one `?` each, as a JSON array, and how SQL reads an item of it.
///
/// JSON has no bytes, and SQLite reads neither every real nor a text with a NUL in it as it was written.
fn as_json(values: &[&Value<'_>]) -> (String, String) {
    let has_nul = |value: &&Value<'_>| matches!(value, Value::Text(text) if text.contains('\0'));
    let value = match values.first() {
        Some(Value::Real(_)) => format!("{REAL_OF_BITS}(value)"),
        Some(Value::Blob(_)) => "unhex(value)".to_owned(),
        Some(Value::Text(_)) if values.iter().any(has_nul) => {
            "CAST(unhex(value) AS TEXT)".to_owned()
        }
        _ => "value".to_owned(),
    };
    let is_hex = value != "value";
    let item = |value: &&Value<'_>| match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(integer) => serde_json::Value::from(*integer),
        Value::Real(real) => serde_json::Value::from(real.to_bits().cast_signed()),
        Value::Text(text) if is_hex => serde_json::Value::from(hex(text.as_bytes())),
        Value::Text(text) => serde_json::Value::from(text.as_ref()),
        Value::Blob(bytes) => serde_json::Value::from(hex(bytes)),
    };
    (value, values.iter().map(item).collect::<serde_json::Value>().to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// `=` is `IS` for values that are never NULL, and indexes serve it best.
fn operator(comparison: Comparison, nullable: bool) -> &'static str {
    match comparison {
        Comparison::Is if nullable => " IS ",
        Comparison::IsNot if nullable => " IS NOT ",
        Comparison::Is => " = ",
        Comparison::IsNot => " <> ",
        Comparison::Lt => " < ",
        Comparison::Le => " <= ",
        Comparison::Gt => " > ",
        Comparison::Ge => " >= ",
    }
}
