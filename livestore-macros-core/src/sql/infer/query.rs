//! The result columns of queries.

use super::super::ast::{
    Arm, Cte, Expr, ExprKind, Joined, Name, Query, ResultColumn, Select, Source,
};
use super::functions::is_aggregate;
use super::scope::{Ctes, Field, Relation, Scope};
use super::{Infer, OutputColumn, Ty, Typed};

impl Infer<'_> {
    /// Infers the result's columns; `wanted` are the types of the columns that they are inserted into.
    pub(super) fn query(
        &mut self,
        query: &Query,
        parent: Option<&Scope<'_>>,
        ctes: &Ctes,
        wanted: &[Typed],
    ) -> Vec<OutputColumn> {
        let ctes = self.ctes(&query.ctes, parent, ctes);
        let mut outputs: Option<Vec<OutputColumn>> = None;
        for arm in &query.arms {
            let found = self.arm(arm, query, parent, &ctes, wanted);
            outputs = Some(match outputs {
                None => found,
                Some(before) => self.union(before, &found),
            });
        }
        let scope = Scope::new(parent, ctes);
        for limit in &query.limits {
            self.expect(limit, Ty::Integer.always(), &scope);
        }
        outputs.unwrap_or_default()
    }

    fn union(&self, before: Vec<OutputColumn>, found: &[OutputColumn]) -> Vec<OutputColumn> {
        let pairs = before.into_iter().zip(found);
        pairs
            .map(|(left, right)| OutputColumn {
                typed: self.either(left.typed, right.typed),
                ..left
            })
            .collect()
    }

    pub(super) fn ctes(&mut self, ctes: &[Cte], parent: Option<&Scope<'_>>, outer: &Ctes) -> Ctes {
        let mut known = outer.clone();
        for cte in ctes {
            let name = cte.name.text.clone();
            let mut relation = Relation { name, fields: Vec::new(), row_id: None };
            // A recursive one has the types of its first arm, then those of all arms, until they are stable.
            let first = Query {
                ctes: Vec::new(),
                arms: Vec::new(),
                order_by: Vec::new(),
                limits: Vec::new(),
            };
            let nested = self.ctes(&cte.query.ctes, parent, &known);
            if let Some(arm) = cte.query.arms.first() {
                relation.fields = fields(cte, self.arm(arm, &first, parent, &nested, &[]));
            }
            // Each round makes at least one type wider, or one nullable.
            let rounds = 4 * relation.fields.len() + 2;
            for _ in 0..rounds {
                let mut with_itself = known.clone();
                with_itself.0.push(relation.clone());
                let next = fields(cte, self.query(&cte.query, parent, &with_itself, &[]));
                let is_stable = next == relation.fields;
                relation.fields = next;
                if is_stable {
                    break;
                }
            }
            known.0.push(relation);
        }
        known
    }

    fn arm(
        &mut self,
        arm: &Arm,
        query: &Query,
        parent: Option<&Scope<'_>>,
        ctes: &Ctes,
        wanted: &[Typed],
    ) -> Vec<OutputColumn> {
        match arm {
            Arm::Select(select) => self.select(select, query, parent, ctes, wanted),
            Arm::Values(rows) => self.values(rows, parent, ctes, wanted),
        }
    }

    fn values(
        &mut self,
        rows: &[Vec<Expr>],
        parent: Option<&Scope<'_>>,
        ctes: &Ctes,
        wanted: &[Typed],
    ) -> Vec<OutputColumn> {
        let scope = Scope::new(parent, ctes.clone());
        let mut outputs: Option<Vec<OutputColumn>> = None;
        for row in rows {
            let typed = row.iter().enumerate().map(|(at, expr)| OutputColumn {
                name: Some(format!("column{}", at + 1)),
                typed: self.result(expr, wanted.get(at), &scope),
                span: expr.span.clone(),
            });
            let found: Vec<_> = typed.collect();
            outputs = Some(match outputs {
                None => found,
                Some(before) => self.union(before, &found),
            });
        }
        outputs.unwrap_or_default()
    }

    fn select(
        &mut self,
        select: &Select,
        query: &Query,
        parent: Option<&Scope<'_>>,
        ctes: &Ctes,
        wanted: &[Typed],
    ) -> Vec<OutputColumn> {
        let mut scope = Scope::new(parent, ctes.clone());
        self.joins(&select.from, &mut scope);
        scope.grouped = !select.group_by.is_empty();
        if let Some(filter) = &select.filter {
            self.expr(filter, &scope);
        }
        if !scope.grouped && has_aggregate(select, &query.order_by) {
            scope.relations.iter_mut().for_each(Relation::make_nullable);
        }
        let before = std::mem::take(&mut self.aggregates_outside);
        let mut outputs = self.result_columns(&select.columns, wanted, &scope);
        if self.aggregates_outside && !scope.grouped {
            scope.relations.iter_mut().for_each(Relation::make_nullable);
            outputs = self.result_columns(&select.columns, wanted, &scope);
        }
        self.aggregates_outside |= before;
        scope.aliases = named(&outputs);
        let rest = select.group_by.iter().chain(&select.having).chain(&select.windows);
        for expr in rest.chain(&query.order_by) {
            self.expr(expr, &scope);
        }
        outputs
    }

    fn result_columns(
        &mut self,
        columns: &[ResultColumn],
        wanted: &[Typed],
        scope: &Scope<'_>,
    ) -> Vec<OutputColumn> {
        let mut outputs = Vec::new();
        for column in columns {
            match column {
                ResultColumn::All(table) => outputs.extend(all(table.as_ref(), scope)),
                ResultColumn::Expr { expr, alias } => {
                    let typed = self.result(expr, wanted.get(outputs.len()), scope);
                    outputs.push(self.output(expr, alias.as_ref(), typed));
                }
            }
        }
        outputs
    }

    fn result(&mut self, expr: &Expr, wanted: Option<&Typed>, scope: &Scope<'_>) -> Typed {
        match wanted {
            Some(&wanted) => self.assign(expr, wanted, scope),
            None => self.expr(expr, scope),
        }
    }

    fn output(&self, expr: &Expr, alias: Option<&Name>, typed: Typed) -> OutputColumn {
        let name = match (alias, &expr.kind) {
            (Some(alias), _) => Some(alias.text.clone()),
            (None, ExprKind::Column { column, .. }) => Some(self.declared(column, typed.ty)),
            _ => None,
        };
        let span = alias.map_or_else(|| expr.span.clone(), |alias| alias.span.clone());
        OutputColumn { name, typed, span }
    }

    /// Returns a column's name as it is declared: SQLite names a result column so, whatever the case in the
    /// query.
    fn declared(&self, column: &Name, ty: Ty) -> String {
        let declared = match ty {
            Ty::Column(table, column) => self.catalog.column(table, column),
            _ => None,
        };
        declared
            .filter(|known| column.is(&known.name))
            .map_or(&column.text, |known| &known.name)
            .clone()
    }

    pub(super) fn joins(&mut self, joins: &[Joined], scope: &mut Scope<'_>) {
        for joined in joins {
            let mut added = self.source(&joined.source, scope);
            if joined.join.right {
                scope.relations.iter_mut().for_each(Relation::make_nullable);
            }
            if joined.join.left {
                added.iter_mut().for_each(Relation::make_nullable);
            }
            self.merge(joined, &mut scope.relations, &mut added);
            scope.relations.extend(added);
            if let Some(on) = &joined.on {
                self.expr(on, scope);
            }
        }
    }

    /// Marks the columns of `USING` or `NATURAL`, which are the same as those of the tables before.
    fn merge(&self, joined: &Joined, before: &mut [Relation], added: &mut [Relation]) {
        for field in added.iter_mut().flat_map(|relation| &mut relation.fields) {
            let mut fields = before.iter_mut().flat_map(|relation| &mut relation.fields);
            let first = fields.find(|first| first.name.eq_ignore_ascii_case(&field.name));
            let used = joined.using.iter().any(|name| name.is(&field.name));
            let Some(first) = first.filter(|_| used || joined.join.natural) else { continue };
            field.merged = true;
            if joined.join.right {
                first.unqualified = self.either(first.unqualified, field.unqualified);
            }
        }
    }

    fn source(&mut self, source: &Source, scope: &Scope<'_>) -> Vec<Relation> {
        match source {
            Source::Table { name, alias } => {
                let mut relation = self.table(name, &scope.ctes);
                relation.name = alias.as_ref().unwrap_or(name).text.clone();
                vec![relation]
            }
            Source::Function { name, args, alias } => {
                for arg in args {
                    self.expr(arg, scope);
                }
                let name = alias.as_ref().unwrap_or(name).text.clone();
                let row_id = Some(Ty::Integer.nullable());
                vec![Relation { name, fields: json_fields(), row_id }]
            }
            Source::Query { query, alias } => {
                let outputs = self.query(query, scope.parent, &scope.ctes, &[]);
                let name = alias.as_ref().map(|alias| alias.text.clone()).unwrap_or_default();
                vec![Relation { name, fields: named(&outputs), row_id: None }]
            }
            Source::Joins(joins) => {
                let mut inner = Scope::new(scope.parent, scope.ctes.clone());
                self.joins(joins, &mut inner);
                inner.relations
            }
        }
    }

    pub(super) fn table(&self, name: &Name, ctes: &Ctes) -> Relation {
        if let Some(cte) = ctes.get(name) {
            return cte.clone();
        }
        let fields = self.catalog.table(name).map(|(position, table)| {
            let columns = table.columns.iter().enumerate();
            columns
                .map(|(at, column)| {
                    Field::new(
                        column.name.clone(),
                        Ty::Column(position, at).or_null(column.nullable),
                    )
                })
                .collect()
        });
        let row_id = Some(Ty::Integer.always());
        Relation { name: name.text.clone(), fields: fields.unwrap_or_default(), row_id }
    }
}

/// Expands `*` or `todo.*`.
fn all(table: Option<&Name>, scope: &Scope<'_>) -> Vec<OutputColumn> {
    let span = table.map(|table| table.span.clone()).unwrap_or_default();
    let relations = scope.relations.iter();
    relations
        .filter(|relation| table.is_none_or(|table| table.is(&relation.name)))
        .flat_map(|relation| &relation.fields)
        .filter(|field| table.is_some() || !field.merged)
        .map(|field| OutputColumn {
            name: Some(field.name.clone()),
            typed: if table.is_some() { field.typed } else { field.unqualified },
            span: span.clone(),
        })
        .collect()
}

fn fields(cte: &Cte, outputs: Vec<OutputColumn>) -> Vec<Field> {
    let mut fields = named(&outputs);
    for (field, name) in fields.iter_mut().zip(&cte.columns) {
        field.name.clone_from(&name.text);
    }
    fields
}

fn named(outputs: &[OutputColumn]) -> Vec<Field> {
    let field =
        |output: &OutputColumn| Field::new(output.name.clone().unwrap_or_default(), output.typed);
    outputs.iter().map(field).collect()
}

/// Returns the columns of `json_each` and `json_tree`, where values of JSON have no type.
fn json_fields() -> Vec<Field> {
    let field = |(name, typed): (&str, Typed)| Field::new(name.to_owned(), typed);
    [
        ("key", Ty::Unknown.nullable()),
        ("value", Ty::Unknown.nullable()),
        ("type", Ty::Text.always()),
        ("atom", Ty::Unknown.nullable()),
        ("id", Ty::Integer.always()),
        ("parent", Ty::Integer.nullable()),
        ("fullkey", Ty::Text.always()),
        ("path", Ty::Text.always()),
    ]
    .map(field)
    .into()
}

fn has_aggregate(select: &Select, order_by: &[Expr]) -> bool {
    let columns = select.columns.iter().filter_map(|column| match column {
        ResultColumn::Expr { expr, .. } => Some(expr),
        ResultColumn::All(_) => None,
    });
    select.having.is_some() || columns.chain(order_by).any(calls_aggregate)
}

/// Whether an expression calls an aggregate, outside of its subqueries.
fn calls_aggregate(expr: &Expr) -> bool {
    let is = match &expr.kind {
        ExprKind::Call(call) => is_aggregate(call),
        _ => false,
    };
    is || expr.children().into_iter().any(calls_aggregate)
}
