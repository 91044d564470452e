//! The columns that an expression can name.

use super::super::ast::{Expr, ExprKind, Name};
use super::{Ty, Typed};

/// The tables that a SELECT reads, and those of the queries around it.
pub(super) struct Scope<'a> {
    pub(super) relations: Vec<Relation>,
    pub(super) parent: Option<&'a Scope<'a>>,
    pub(super) ctes: Ctes,
    /// Whether aggregates are over groups, which have at least one row.
    pub(super) grouped: bool,
    /// Result columns that other clauses can name.
    pub(super) aliases: Vec<Field>,
}

#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    /// The type of its row id, if it has one.
    pub(super) row_id: Option<Typed>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) typed: Typed,
    /// The type without the table's name: after a `RIGHT JOIN … USING`, the value may be that of the
    /// other table.
    pub(super) unqualified: Typed,
    /// The same as a column of this name before it (`USING`), which `*` shows once.
    pub(super) merged: bool,
}

/// Common table expressions.
#[derive(Debug, Clone, Default)]
pub(super) struct Ctes(pub(super) Vec<Relation>);

impl<'a> Scope<'a> {
    pub(super) fn new(parent: Option<&'a Scope<'a>>, ctes: Ctes) -> Self {
        Self { relations: Vec::new(), parent, ctes, grouped: false, aliases: Vec::new() }
    }

    /// Returns the column's type, which is unknown if there is no such column.
    pub(super) fn lookup(&self, table: Option<&Name>, column: &Name) -> Typed {
        self.find(table, column)
            .or_else(|| self.row_id(table, column))
            .or_else(|| self.alias(table, column))
            .or_else(|| self.parent.map(|parent| parent.lookup(table, column)))
            .unwrap_or(Ty::Unknown.nullable())
    }

    /// Whether an aggregate of these arguments is over rows of a query around this one: they name columns,
    /// and none is of this query.
    pub(super) fn is_of_outer_query(&self, args: &[&Expr]) -> bool {
        let mut columns = Vec::new();
        args.iter().for_each(|arg| push_columns(arg, &mut columns));
        let is_inside = |(table, column): &(Option<&Name>, &Name)| {
            self.find(*table, column).or_else(|| self.row_id(*table, column)).is_some()
        };
        self.parent.is_some() && !columns.is_empty() && !columns.iter().any(is_inside)
    }

    fn find(&self, table: Option<&Name>, column: &Name) -> Option<Typed> {
        self.named(table)
            .flat_map(|relation| &relation.fields)
            .find(|field| column.is(&field.name))
            .map(|field| match table {
                Some(_) => field.typed,
                None => field.unqualified,
            })
    }

    /// SQLite's own name of a row id, which a column of that name hides.
    fn row_id(&self, table: Option<&Name>, column: &Name) -> Option<Typed> {
        let is_row_id = ["rowid", "_rowid_", "oid"].iter().any(|name| column.is(name));
        if is_row_id { self.named(table).find_map(|relation| relation.row_id) } else { None }
    }

    fn named(&self, table: Option<&Name>) -> impl Iterator<Item = &Relation> {
        self.relations
            .iter()
            .filter(move |relation| table.is_none_or(|table| table.is(&relation.name)))
    }

    fn alias(&self, table: Option<&Name>, column: &Name) -> Option<Typed> {
        let alias = |field: &&Field| table.is_none() && column.is(&field.name);
        self.aliases.iter().find(alias).map(|field| field.typed)
    }
}

impl Field {
    pub(super) fn new(name: String, typed: Typed) -> Self {
        Self { name, typed, unqualified: typed, merged: false }
    }
}

impl Relation {
    pub(super) fn make_nullable(&mut self) {
        for field in &mut self.fields {
            field.typed.nullable = true;
            field.unqualified.nullable = true;
        }
        self.row_id = self.row_id.map(|typed| typed.ty.nullable());
    }
}

impl Ctes {
    pub(super) fn get(&self, name: &Name) -> Option<&Relation> {
        self.0.iter().rev().find(|relation| name.is(&relation.name))
    }
}

/// Adds the columns that an expression names outside of its subqueries.
fn push_columns<'e>(expr: &'e Expr, columns: &mut Vec<(Option<&'e Name>, &'e Name)>) {
    if let ExprKind::Column { table, column } = &expr.kind {
        columns.push((table.as_ref(), column));
    }
    expr.children().into_iter().for_each(|child| push_columns(child, columns));
}
