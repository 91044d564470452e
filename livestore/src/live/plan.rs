//! The way in which each kind of query is kept up to date.

use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use super::dependency::{Dependency, Lookup};
use super::list::List;
use super::maintain::cardinality::{ListMaintainer, LiveCardinality, Maintainer};
use super::maintain::groups::Groups;
use super::maintain::list::TableList;
use super::maintain::point::Point;
use super::maintain::rerun::Rerun;
use super::maintain::{Maintain, MaintainList, Plan, Tier};
use super::query::{Live, LivePlan};
use super::row::SharedRow;
use crate::schema::{Document, GetDocument, SchemaDef};
use crate::sqlite::Rows;
use crate::table::{
    ColumnRef, Comparison, Expression, GetRow, Predicate, Query, QueryError, Raw, Reader, Select,
    SelectAst, Source, Table,
};
use crate::value::Value;

impl<S, O, C> Live for Select<S, O, C>
where
    S: Source + 'static,
    O: Send + Sync + 'static,
    C: LiveCardinality<O> + 'static,
{
    type Value = C::Value;

    fn key(&self, _: &Reader<'_>) -> Result<u128, QueryError> {
        let (sql, binds) = self.parts().0.to_sql(C::AT_MOST)?;
        Ok(hash(&sql, &binds))
    }

    fn plan(self, _: &Reader<'_>, _: &'static SchemaDef) -> Result<LivePlan<C::Value>, QueryError> {
        let (select, decode) = self.parts();
        let asked = Arc::new(select.clone());
        let mut dependencies = Dependency::of_select(select);
        let (tier, reason) = tier(select, C::AT_MOST);
        let first = dependencies.first().cloned();
        let list: Option<Box<dyn MaintainList<O>>> = match (tier, first) {
            (Tier::Rows, Some(dependency)) => {
                // Any column can decide where a row stands in the list.
                dependencies.iter_mut().for_each(|dependency| dependency.columns = None);
                Some(Box::new(TableList::new(select, dependency, decode, C::AT_MOST)))
            }
            (Tier::Groups, Some(dependency)) => Groups::new(select, dependency, decode)
                .map(|groups| Box::new(groups) as Box<dyn MaintainList<O>>),
            _ => None,
        };
        let (tier, maintain) = match list {
            Some(list) => {
                let Maintainer(maintain) = C::maintain(ListMaintainer(list));
                (tier, maintain)
            }
            None => {
                let ast = Arc::clone(&asked);
                let run = move |reader: &Reader<'_>| {
                    let rows = reader.select_at_most(&ast, C::AT_MOST, decode)?;
                    C::value(&rows.into_iter().map(SharedRow::new).collect::<List<O>>())
                };
                let rerun = Rerun::new(Box::new(run), dependencies.clone());
                (Tier::Rerun, Box::new(rerun) as Box<dyn Maintain<C::Value>>)
            }
        };
        let label = Box::new(move || match asked.to_sql(C::AT_MOST) {
            Ok((sql, binds)) => label(&sql, &binds),
            Err(error) => crate::error::ErrorChain::new(&error).to_string(),
        });
        Ok(LivePlan(Plan { tier, reason, label, dependencies, maintain }))
    }
}

const TOO_WIDE: &str = "its table has too many columns to tell which row changed";

/// The best tier for a SELECT, and the reason why it has no better one.
pub(super) fn tier(select: &SelectAst, at_most: Option<u64>) -> (Tier, &'static str) {
    let plain = |node: &Expression| matches!(node, Expression::Column(_));
    let all_plain = select.list.iter().all(plain);
    let limited = select.limit.is_some() || select.offset.is_some();
    let counts_some = select.counted && !select.counts_all_rows();
    if !Rows::fit_columns(select.from.columns.len()) {
        (Tier::Rerun, TOO_WIDE)
    } else if select.filters.iter().any(Predicate::has_search) {
        (Tier::Rerun, "it searches the texts of a table")
    } else if !select.joins.is_empty() {
        (Tier::Rerun, "it joins tables")
    } else if counts_some {
        (Tier::Rerun, "it counts what is limited, grouped or distinct")
    } else if select.distinct {
        (Tier::Rerun, "its rows are distinct")
    } else if !select.having.is_empty() {
        (Tier::Rerun, "it has conditions on groups")
    } else if !select.counted && all_plain && select.group_by.is_empty() {
        if select.order_by.iter().all(|order| plain(&order.node)) {
            (Tier::Rows, "it reads columns of one table")
        } else {
            (Tier::Rerun, "it is ordered by an aggregate")
        }
    } else if limited
        || !select.order_by.is_empty()
        || (at_most.is_some() && !select.group_by.is_empty())
    {
        // A group that is not returned must not fail the query, as a sum that overflows would.
        (Tier::Rerun, "its groups are ordered or limited")
    } else {
        (Tier::Groups, "it counts or adds up rows of one table")
    }
}

impl<T: Table + Send + Sync> Live for GetRow<T> {
    type Value = Option<SharedRow<T>>;

    fn key(&self, _: &Reader<'_>) -> Result<u128, QueryError> {
        Ok(hash(T::NAME, self.key()?))
    }

    fn plan(
        self,
        _: &Reader<'_>,
        _: &'static SchemaDef,
    ) -> Result<LivePlan<Self::Value>, QueryError> {
        let table = T::def();
        let lookup = match (table.primary_key.first(), self.key()?.first()) {
            (Some(&column), Some(value)) => Lookup::Equal { column, values: vec![value.clone()] },
            _ => Lookup::Any,
        };
        let query = Arc::new(self);
        let asked = Arc::clone(&query);
        let dependencies = vec![Dependency { lookup, ..Dependency::all(table) }];
        let (tier, reason, maintain): (_, _, Box<dyn Maintain<Self::Value>>) =
            if Rows::fit_columns(table.columns.len()) {
                (Tier::Point, "it is one row, by primary key", Box::new(Point(query)))
            } else {
                let run = move |reader: &Reader<'_>| Ok(query.run(reader)?.map(SharedRow::new));
                let rerun = Rerun::new(Box::new(run), dependencies.clone());
                (Tier::Rerun, TOO_WIDE, Box::new(rerun))
            };
        Ok(LivePlan(Plan {
            tier,
            reason,
            label: Box::new(move || label(&T::def().sql().get, asked.key().unwrap_or_default())),
            dependencies,
            maintain,
        }))
    }
}

impl<R, C, S> Live for Raw<R, C, S>
where
    S: 'static,
    R: Send + Sync + 'static,
    C: LiveCardinality<R> + 'static,
{
    type Value = C::Value;

    fn key(&self, _: &Reader<'_>) -> Result<u128, QueryError> {
        let (sql, params) = self.parts()?;
        Ok(hash(sql, params))
    }

    fn plan(
        self,
        reader: &Reader<'_>,
        schema: &'static SchemaDef,
    ) -> Result<LivePlan<C::Value>, QueryError> {
        let dependencies = dependencies_on(&self.live_reads(reader)?, schema);
        let all = Arc::new(self.into_many());
        let asked = Arc::clone(&all);
        let run = move |reader: &Reader<'_>| {
            C::value(&all.run(reader)?.into_iter().map(SharedRow::new).collect::<List<R>>())
        };
        Ok(LivePlan(Plan {
            tier: Tier::Rerun,
            reason: "it is SQL as text",
            label: Box::new(move || match asked.parts() {
                Ok((sql, params)) => label(sql, params),
                Err(error) => crate::error::ErrorChain::new(&error).to_string(),
            }),
            maintain: Box::new(Rerun::new(Box::new(run), dependencies.clone())),
            dependencies,
        }))
    }
}

/// The dependencies of SQL that reads these columns of these tables.
fn dependencies_on<T: AsRef<str>>(reads: &[(T, T)], schema: &SchemaDef) -> Vec<Dependency> {
    schema
        .tables()
        .filter_map(|table| {
            let of_table = |(name, _): &&(T, T)| name.as_ref().eq_ignore_ascii_case(table.name());
            let columns: Vec<&str> =
                reads.iter().filter(of_table).map(|(_, column)| column.as_ref()).collect();
            if columns.is_empty() {
                return None;
            }
            let position = |name: &&str| {
                table.column_names().position(|other| other.eq_ignore_ascii_case(name))
            };
            // The row id is no column of the table, and a count reads none: then all of them matter.
            let known: Option<Vec<usize>> = columns.iter().map(position).collect();
            Some(Dependency { columns: known, ..Dependency::all(table) }.in_any_order())
        })
        .collect()
}

impl<D: Document + Send + Sync> Live for GetDocument<D> {
    type Value = D;

    fn key(&self, reader: &Reader<'_>) -> Result<u128, QueryError> {
        Ok(hash(D::NAME, &[Value::text(self.document_id(reader))]))
    }

    fn plan(self, reader: &Reader<'_>, _: &'static SchemaDef) -> Result<LivePlan<D>, QueryError> {
        let table = D::def().table();
        let id = Value::text(self.document_id(reader).to_owned());
        let dependency = Dependency {
            table,
            lookup: Lookup::Equal { column: 0, values: vec![id.clone()] },
            filters: vec![Predicate::Compare(ColumnRef::new(table, 0), Comparison::Is, id)],
            columns: None,
        };
        let dependencies = vec![dependency];
        let asked = self.document_id(reader).to_owned();
        let run = move |reader: &Reader<'_>| self.run(reader);
        Ok(LivePlan(Plan {
            tier: Tier::Rerun,
            reason: "it is a client document",
            label: Box::new(move || format!("client document {} {asked:?}", D::NAME)),
            maintain: Box::new(Rerun::new(Box::new(run), dependencies.clone())),
            dependencies,
        }))
    }
}

/// SQL, followed by the values of its parameters.
pub(super) fn label(sql: &str, binds: &[Value<'_>]) -> String {
    let literal = |value: &Value<'_>| match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(integer) => integer.to_string(),
        Value::Real(real) => real.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(bytes) => format!("{} bytes", bytes.len()),
    };
    match binds {
        [] => sql.to_owned(),
        binds => format!("{sql} -- {}", binds.iter().map(literal).collect::<Vec<_>>().join(", ")),
    }
}

pub(super) fn hash(text: &str, values: &[Value<'_>]) -> u128 {
    let mut hash = Xxh3::new();
    let mut add = |kind: u8, bytes: &[u8]| {
        hash.update(&[kind]);
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(0, text.as_bytes());
    for value in values {
        match value {
            Value::Null => add(1, &[]),
            Value::Integer(integer) => add(2, &integer.to_le_bytes()),
            Value::Real(real) => add(3, &real.to_le_bytes()),
            Value::Text(text) => add(4, text.as_bytes()),
            Value::Blob(bytes) => add(5, bytes),
        }
    }
    hash.digest128()
}
