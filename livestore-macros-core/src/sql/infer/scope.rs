//! The columns that an expression can name.

use super::super::ast::Name;
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
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) typed: Typed,
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
            .or_else(|| self.alias(table, column))
            .or_else(|| self.parent.map(|parent| parent.lookup(table, column)))
            .unwrap_or_else(|| unknown(column))
    }

    fn find(&self, table: Option<&Name>, column: &Name) -> Option<Typed> {
        self.relations
            .iter()
            .filter(|relation| table.is_none_or(|table| table.is(&relation.name)))
            .flat_map(|relation| &relation.fields)
            .find(|field| column.is(&field.name))
            .map(|field| field.typed)
    }

    fn alias(&self, table: Option<&Name>, column: &Name) -> Option<Typed> {
        let alias = |field: &&Field| table.is_none() && column.is(&field.name);
        self.aliases.iter().find(alias).map(|field| field.typed)
    }
}

impl Relation {
    pub(super) fn make_nullable(&mut self) {
        self.fields.iter_mut().for_each(|field| field.typed.nullable = true);
    }
}

impl Ctes {
    pub(super) fn get(&self, name: &Name) -> Option<&Relation> {
        self.0.iter().rev().find(|relation| name.is(&relation.name))
    }
}

fn unknown(column: &Name) -> Typed {
    let is_row_id = ["rowid", "_rowid_", "oid"].iter().any(|name| column.is(name));
    if is_row_id { Ty::Integer.always() } else { Ty::Unknown.nullable() }
}
