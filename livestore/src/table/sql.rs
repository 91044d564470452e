//! The `ast` as SQL.

use std::fmt::Write as _;

use super::QueryError;
use super::ast::{
    Aggregate, ColumnRef, Comparison, Direction, Expression, Join, Predicate, SelectAst,
};
use crate::sqlite::quote;
use crate::value::Value;

/// A list with more values than this is bound as one.
const MAX_BINDS: usize = 256;

/// SQL text with the values of its `?`s.
pub(crate) type BoundSql = (String, Vec<Value<'static>>);

impl SelectAst {
    /// The SELECT, returning no more than `at_most` rows.
    pub(crate) fn to_sql(&self, at_most: Option<u64>) -> Result<BoundSql, QueryError> {
        self.check_tables()?;
        let mut writer = SqlWriter::new(!self.joins.is_empty());
        writer.outer = self.joins.iter().any(|join| join.left);
        let limited = self.limit.is_some() || self.offset.is_some() || !self.group_by.is_empty();
        if self.counted && limited {
            writer.text.push_str("SELECT COUNT(*) FROM (");
            writer.select(self, "1", self.limit)?;
            writer.text.push(')');
        } else if self.counted {
            writer.select(self, "COUNT(*)", None)?;
        } else {
            writer.select(self, "", at_most.into_iter().chain(self.limit).min())?;
        }
        Ok((writer.text, writer.binds))
    }

    /// The columns of a table that occurs twice would be ambiguous.
    fn check_tables(&self) -> Result<(), QueryError> {
        for (position, join) in self.joins.iter().enumerate() {
            if self.tables().take(position + 1).any(|table| table.name == join.table.name) {
                return Err(QueryError::JoinedWithItself { table: join.table.name });
            }
        }
        Ok(())
    }
}

/// Writes SQL text and collects the binds.
pub(super) struct SqlWriter {
    text: String,
    binds: Vec<Value<'static>>,
    /// Whether columns need their table's name.
    qualified: bool,
    /// Whether any column may be NULL, because a left join found no row.
    outer: bool,
}

impl SqlWriter {
    pub(super) fn new(qualified: bool) -> Self {
        Self { text: String::with_capacity(160), binds: Vec::new(), qualified, outer: false }
    }

    pub(super) fn finish(self) -> BoundSql {
        (self.text, self.binds)
    }

    fn select(
        &mut self,
        select: &SelectAst,
        list: &str,
        limit: Option<u64>,
    ) -> Result<(), QueryError> {
        self.text.push_str("SELECT ");
        match list {
            "" => self.list(select),
            list => self.text.push_str(list),
        }
        self.text.push_str(" FROM ");
        self.name(select.from.name);
        select.joins.iter().for_each(|join| self.join(join));
        self.filters(&select.filters)?;
        self.separated(" GROUP BY ", &select.group_by, |sql, column| sql.column(*column));
        self.separated(" ORDER BY ", &select.order_by, |sql, (node, direction)| {
            sql.node(*node);
            if *direction == Direction::Descending {
                sql.text.push_str(" DESC");
            }
        });
        let limited = limit.is_some() || select.offset.is_some();
        if list.is_empty() {
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
        if !select.group_by.is_empty() {
            self.separated(clause, &select.group_by, |sql, column| sql.column(*column));
        } else if select.joins.is_empty() && select.list.iter().all(plain) {
            self.text.push_str(clause);
            self.node(Expression::RowId(select.from));
            if let Some((_, Direction::Descending)) = select.order_by.last() {
                self.text.push_str(" DESC");
            }
        }
    }

    fn list(&mut self, select: &SelectAst) {
        if select.list.is_empty() {
            let columns = select.tables().flat_map(|table| {
                (0..table.columns.len())
                    .map(move |index| Expression::Column(ColumnRef { table, index }))
            });
            self.items(columns, Self::node);
        } else {
            self.items(select.list.iter().copied(), Self::node);
        }
    }

    fn join(&mut self, join: &Join) {
        self.text.push_str(if join.left { " LEFT JOIN " } else { " JOIN " });
        self.name(join.table.name);
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
        for (n, filter) in filters.iter().enumerate() {
            self.text.push_str(if n == 0 { " WHERE " } else { " AND " });
            self.predicate(filter)?;
        }
        Ok(())
    }

    fn predicate(&mut self, predicate: &Predicate) -> Result<(), QueryError> {
        match predicate {
            Predicate::Compare(column, comparison, value) => {
                self.column(*column);
                self.text.push_str(operator(*comparison, self.outer || column.is_nullable()));
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
            Predicate::Contains(column, value) => {
                self.text.push_str("EXISTS (SELECT 1 FROM json_each(");
                self.column(*column);
                self.text.push_str(") WHERE value = ");
                self.bind(value.clone());
                self.text.push(')');
            }
            Predicate::And(all) => self.nested(" AND ", all)?,
            Predicate::Or(any) => self.nested(" OR ", any)?,
            Predicate::Not(inner) => {
                self.text.push_str("NOT (");
                self.predicate(inner)?;
                self.text.push(')');
            }
            Predicate::Invalid(column, source) => {
                return Err(QueryError::Value {
                    column: format!("{}.{}", column.table.name, column.name()),
                    source: source.clone(),
                });
            }
        }
        Ok(())
    }

    /// `NULL` in the list matches `NULL`, as `eq` does.
    fn is_in(&mut self, column: ColumnRef, values: &[Value<'static>]) {
        let has_null = values.contains(&Value::Null);
        self.text.push('(');
        self.column(column);
        self.text.push_str(" IN (");
        let values: Vec<_> = values.iter().filter(|value| **value != Value::Null).collect();
        match as_json(&values) {
            Some(json) => {
                self.text.push_str("SELECT value FROM json_each(");
                self.bind(json);
                self.text.push(')');
            }
            None => self.items(values.into_iter(), |sql, value| sql.bind(value.clone())),
        }
        self.text.push(')');
        if has_null {
            self.text.push_str(" OR ");
            self.column(column);
            self.text.push_str(" IS NULL");
        }
        self.text.push(')');
    }

    fn nested(&mut self, separator: &str, parts: &[Predicate]) -> Result<(), QueryError> {
        self.text.push('(');
        for (n, part) in parts.iter().enumerate() {
            if n > 0 {
                self.text.push_str(separator);
            }
            self.predicate(part)?;
        }
        self.text.push(')');
        Ok(())
    }

    fn node(&mut self, node: Expression) {
        match node {
            Expression::Column(column) => self.column(column),
            Expression::CountAll => self.text.push_str("COUNT(*)"),
            Expression::RowId(table) => {
                self.name(table.name);
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
            self.name(column.table.name);
            self.text.push('.');
        }
        self.name(column.name());
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

impl ColumnRef {
    pub(crate) fn name(self) -> &'static str {
        self.table.column_name(self.index)
    }

    fn is_nullable(self) -> bool {
        self.table.columns.get(self.index).is_none_or(|column| column.nullable)
    }
}

/// A number of rows; SQL's "no limit" is -1.
fn count(rows: Option<u64>) -> i64 {
    rows.map_or(-1, |rows| i64::try_from(rows).unwrap_or(i64::MAX))
}

/// A list that is too long for one `?` each, as a JSON array.
fn as_json(values: &[&Value<'_>]) -> Option<Value<'static>> {
    if values.len() <= MAX_BINDS {
        return None;
    }
    let item = |value: &&Value<'_>| match value {
        Value::Integer(integer) => Some(serde_json::Value::from(*integer)),
        Value::Text(text) => Some(serde_json::Value::from(text.as_ref())),
        Value::Null | Value::Real(_) | Value::Blob(_) => None,
    };
    let items: Option<Vec<_>> = values.iter().map(item).collect();
    Some(Value::text(serde_json::Value::from(items?).to_string()))
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
