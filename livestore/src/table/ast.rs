//! Queries as data: what the typed builders build and `sql` writes out.

use super::TableDef;
use super::predicate::Predicate;

/// A table in a query: as itself, or under an alias.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableRef {
    pub(crate) def: &'static TableDef,
    pub(crate) alias: Option<&'static str>,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ColumnRef {
    pub(crate) table: TableRef,
    pub(crate) index: usize,
}

/// An expression that has a value for each row or group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Expression {
    Column(ColumnRef),
    CountAll,
    Aggregate(Aggregate, ColumnRef),
    /// The place of a row among all that were ever inserted.
    RowId(TableRef),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Count,
    Sum,
    SumReal,
    Min,
    Max,
    Avg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Equal; `NULL` equals `NULL`.
    Is,
    /// Not equal; `NULL` differs from every value.
    IsNot,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A whole SELECT.
#[derive(Debug, Clone)]
pub(crate) struct SelectAst {
    pub(crate) from: &'static TableDef,
    pub(crate) joins: Vec<Join>,
    /// Return equal rows once.
    pub(crate) distinct: bool,
    /// The expressions to return; empty: all columns of all tables.
    pub(crate) list: Vec<Expression>,
    pub(crate) filters: Vec<Predicate>,
    pub(crate) group_by: Vec<ColumnRef>,
    /// Conditions on groups.
    pub(crate) having: Vec<Predicate>,
    pub(crate) order_by: Vec<OrderBy>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
    /// Return how many rows there are instead of the rows.
    pub(crate) counted: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub(crate) table: TableRef,
    pub(crate) left: bool,
    pub(crate) on: Vec<(ColumnRef, ColumnRef)>,
}

/// An item of ORDER BY.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OrderBy {
    pub(crate) node: Expression,
    pub(crate) sorting: Sorting,
}

/// The way in which values are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sorting {
    pub(crate) direction: Direction,
    /// Where NULL stands; `None`: first if ascending, last if descending.
    pub(crate) nulls: Option<Nulls>,
    /// Whether texts that differ in the case of ASCII letters alone are equal.
    pub(crate) nocase: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    First,
    Last,
}

impl OrderBy {
    /// Whether values that are equal to `other` are equal to this, too.
    pub(crate) fn is_implied_by(self, other: Self) -> bool {
        self.node == other.node && (self.sorting.nocase || !other.sorting.nocase)
    }
}

impl From<Direction> for Sorting {
    fn from(direction: Direction) -> Self {
        Self { direction, nulls: None, nocase: false }
    }
}

impl TableRef {
    /// The name that the query knows it by.
    pub(crate) fn name(self) -> &'static str {
        self.alias.unwrap_or(self.def.name)
    }
}

impl From<&'static TableDef> for TableRef {
    fn from(def: &'static TableDef) -> Self {
        Self { def, alias: None }
    }
}

impl PartialEq for TableRef {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.def, other.def) && self.alias == other.alias
    }
}

impl ColumnRef {
    pub(crate) fn new(table: impl Into<TableRef>, index: usize) -> Self {
        Self { table: table.into(), index }
    }

    pub(crate) fn name(self) -> &'static str {
        self.table.def.column_name(self.index)
    }

    /// The column with its table, for messages.
    pub(crate) fn full_name(self) -> String {
        format!("{}.{}", self.table.name(), self.name())
    }

    pub(crate) fn is_nullable(self) -> bool {
        self.table.def.columns.get(self.index).is_none_or(|column| column.nullable)
    }
}

impl Expression {
    fn is_aggregate(self) -> bool {
        matches!(self, Self::Aggregate(..) | Self::CountAll)
    }

    /// What it is called in messages.
    pub(crate) fn description(self) -> String {
        match self {
            Self::Column(column) => column.full_name(),
            Self::Aggregate(aggregate, column) => {
                format!("{aggregate:?} of {}", column.full_name())
            }
            Self::CountAll => "the number of rows".to_owned(),
            Self::RowId(table) => format!("the row id of {}", table.name()),
        }
    }

    /// The column that it reads, if it reads one.
    pub(crate) fn column(self) -> Option<ColumnRef> {
        match self {
            Self::Column(column) | Self::Aggregate(_, column) => Some(column),
            Self::CountAll | Self::RowId(_) => None,
        }
    }
}

impl SelectAst {
    pub(crate) fn new(from: &'static TableDef) -> Self {
        Self {
            from,
            joins: Vec::new(),
            distinct: false,
            list: Vec::new(),
            filters: Vec::new(),
            group_by: Vec::new(),
            having: Vec::new(),
            order_by: Vec::new(),
            limit: None,
            offset: None,
            counted: false,
        }
    }

    /// The columns of `table` that the result depends on, ascending; `None`: all.
    pub(crate) fn columns_of(&self, table: TableRef) -> Option<Vec<usize>> {
        if self.returns_rows() {
            return None;
        }
        let mut columns = Vec::new();
        let mut add = |column: ColumnRef| {
            if column.table == table {
                columns.push(column.index);
            }
        };
        self.returned().filter_map(Expression::column).for_each(&mut add);
        let conditions = self.filters.iter().chain(&self.having);
        conditions.for_each(|condition| condition.columns(&mut add));
        self.group_by.iter().copied().for_each(&mut add);
        let on = self.joins.iter().flat_map(|join| &join.on);
        on.flat_map(|(left, right)| [*left, *right]).for_each(&mut add);
        columns.sort_unstable();
        columns.dedup();
        Some(columns)
    }

    /// Calls `visit` with every table that it searches, and the words.
    pub(crate) fn searches(&self, visit: &mut dyn FnMut(&'static TableDef, &str)) {
        self.filters.iter().for_each(|filter| filter.searches(visit));
    }

    /// Whether a row of the result stands for a group of rows.
    pub(crate) fn is_grouped(&self) -> bool {
        !self.group_by.is_empty()
            || !self.having.is_empty()
            || self.returned().any(Expression::is_aggregate)
    }

    /// A column whose rows may differ within a group: SQLite would return that of any row.
    pub(crate) fn ungrouped_column(&self) -> Option<ColumnRef> {
        if !self.is_grouped() {
            return None;
        }
        let listed = self.returned().filter_map(|node| match node {
            Expression::Column(column) => Some(column),
            _ => None,
        });
        let rows = self.returns_rows().then(|| self.all_columns());
        rows.into_iter().flatten().chain(listed).find(|column| !self.is_same_in_group(*column))
    }

    /// Whether all rows of a group have the same value in this column: they are grouped by it, or by
    /// its table's primary key.
    fn is_same_in_group(&self, column: ColumnRef) -> bool {
        let is_key = |index| self.group_by.contains(&ColumnRef { index, ..column });
        let key = column.table.def.primary_key;
        is_key(column.index) || (!key.is_empty() && key.iter().copied().all(is_key))
    }

    /// The direction of the row ids of rows that are ordered alike.
    pub(crate) fn tie(&self) -> Direction {
        self.order_by.last().map_or(Direction::Ascending, |order| order.sorting.direction)
    }

    /// Whether it returns whole rows.
    fn returns_rows(&self) -> bool {
        self.list.is_empty() && !self.counted
    }

    /// The expressions that are returned or ordered by.
    fn returned(&self) -> impl Iterator<Item = Expression> {
        self.list.iter().copied().chain(self.order_by.iter().map(|order| order.node))
    }

    /// All columns of all tables, in order.
    pub(crate) fn all_columns(&self) -> impl Iterator<Item = ColumnRef> {
        self.tables().flat_map(|table| {
            (0..table.def.columns.len()).map(move |index| ColumnRef { table, index })
        })
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = TableRef> {
        std::iter::once(self.from.into()).chain(self.joins.iter().map(|join| join.table))
    }
}
