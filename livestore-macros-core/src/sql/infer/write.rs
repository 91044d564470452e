//! INSERT, UPDATE, DELETE: an assigned value has the type of its column.

use super::super::ast::{Conflict, Expr, ExprKind, Name, Set, Write, WriteKind};
use super::scope::{Ctes, Relation, Scope};
use super::{Infer, Mismatch, Ty, Typed};

impl Infer<'_> {
    pub(super) fn write(&mut self, write: &Write) {
        let ctes = self.ctes(&write.ctes, None, &Ctes::default());
        self.replaces = write.replaces;
        let mut scope = Scope::new(None, ctes);
        let table = self.table(&write.table, &Ctes::default());
        let name = write.alias.as_ref().unwrap_or(&write.table).text.clone();
        scope.relations.push(Relation { name, ..table.clone() });
        match &write.kind {
            WriteKind::Insert { columns, rows, conflicts } => {
                if !columns.is_empty() || rows.is_none() {
                    self.check_required(&write.table, columns);
                }
                if let Some(rows) = rows {
                    let wanted = wanted(columns, &table);
                    self.query(rows, None, &scope.ctes, &wanted);
                }
                scope.relations.push(Relation { name: "excluded".to_owned(), ..table.clone() });
                for conflict in conflicts {
                    self.conflict(conflict, &table, &scope);
                }
            }
            WriteKind::Update { sets, from, filter } => {
                self.joins(from, &mut scope);
                self.sets(sets, &table, &scope);
                self.filter(filter.as_ref(), &scope);
            }
            WriteKind::Delete { filter } => {
                self.filter(filter.as_ref(), &scope);
            }
        }
    }

    /// Reports required columns that are not named: such a row could never be inserted.
    fn check_required(&mut self, table: &Name, named: &[Name]) {
        let Some((_, known)) = self.catalog.table(table) else { return };
        let required = known.columns.iter().filter(|column| column.is_required());
        let left_out = required.filter(|column| !named.iter().any(|name| name.is(&column.name)));
        let left_out: Vec<_> =
            left_out.map(|column| format!("`{}.{}`", known.name, column.name)).collect();
        let (values, them) = match left_out.as_slice() {
            [] => return,
            [_] => ("a value", "it"),
            _ => ("values", "them"),
        };
        let names = left_out.join(", ");
        let message = format!(
            "a new row needs {values} for {names}: name {them} here, or give {them} a default"
        );
        self.mismatches.push(Mismatch { span: table.span.clone(), message });
    }

    fn filter(&mut self, filter: Option<&Expr>, scope: &Scope<'_>) {
        if let Some(filter) = filter {
            self.expr(filter, scope);
        }
    }

    fn conflict(&mut self, conflict: &Conflict, table: &Relation, scope: &Scope<'_>) {
        self.sets(&conflict.sets, table, scope);
        let rest = conflict.target.iter().chain(&conflict.target_filter).chain(&conflict.filter);
        for expr in rest {
            self.expr(expr, scope);
        }
    }

    fn sets(&mut self, sets: &[Set], table: &Relation, scope: &Scope<'_>) {
        for set in sets {
            let wanted = wanted(&set.columns, table);
            match (&set.value.kind, wanted.as_slice()) {
                (ExprKind::Row(values), wanted) if wanted.len() > 1 => {
                    for (value, &wanted) in values.iter().zip(wanted) {
                        self.assign(value, wanted, scope);
                    }
                }
                (ExprKind::Query(query), wanted) => {
                    self.query(query, Some(scope), &scope.ctes, wanted);
                }
                (_, &[wanted]) => {
                    self.assign(&set.value, wanted, scope);
                }
                _ => {
                    self.expr(&set.value, scope);
                }
            }
        }
    }
}

/// Returns the types of the named columns, or of all columns if none is named.
fn wanted(columns: &[Name], table: &Relation) -> Vec<Typed> {
    let typed = |name: &Name| {
        let field = table.fields.iter().find(|field| name.is(&field.name));
        field.map_or(Ty::Unknown.nullable(), |field| field.typed)
    };
    if columns.is_empty() {
        table.fields.iter().map(|field| field.typed).collect()
    } else {
        columns.iter().map(typed).collect()
    }
}
