//! Tables and their rows.

use std::ops::ControlFlow;

use livestore::state::{StateView, TableInfo as Table};
use livestore::value::Value;

use super::cell::{Detail, cell, value};
use super::{Host, Refused, Running, lock};
use crate::protocol::{
    Cell, ColumnInfo, Filter, FilterOp, RefusalCode, RowPlace, RowsPage, SchemaInfo, Sort, Source,
    TableInfo,
};

/// The most rows of a page.
const MAX_ROWS: u64 = 1_000;

/// The rows that a page wants.
pub(super) struct Wanted {
    pub(super) table: String,
    pub(super) sort: Vec<Sort>,
    pub(super) filter: Vec<Filter>,
    pub(super) offset: u64,
    pub(super) limit: u64,
}

impl Host {
    pub(super) fn schema(&self) -> Result<SchemaInfo, Refused> {
        let documents = self.target.documents();
        let state = self.sources.state(&Source::Now)?;
        let state = lock(&state);
        let mut tables = state
            .tables()?
            .into_iter()
            .map(|table| {
                let is_document = documents.contains(&&*table.name);
                let rows = state.count(&table.name)?;
                Ok(TableInfo {
                    is_document,
                    rows,
                    columns: columns(&table),
                    sql: table.sql,
                    name: table.name,
                })
            })
            .collect::<Result<Vec<_>, Refused>>()?;
        tables.sort_by_key(|table| table.is_document);
        Ok(SchemaInfo { tables, events: self.target.events()? })
    }

    pub(super) fn rows(
        &self,
        source: &Source,
        wanted: &Wanted,
        running: &Running,
    ) -> Result<RowsPage, Refused> {
        let state = self.sources.state(source)?;
        let state = lock(&state);
        let table = find(&state, &wanted.table)?;
        running.reading(&state, || rows(&state, &table, wanted))
    }

    pub(super) fn row_place(
        &self,
        source: &Source,
        wanted: &Wanted,
        key: &[Cell],
        running: &Running,
    ) -> Result<RowPlace, Refused> {
        let state = self.sources.state(source)?;
        let state = lock(&state);
        let table = find(&state, &wanted.table)?;
        let key = key.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        running.reading(&state, || row_place(&state, &table, wanted, key))
    }
}

fn columns(table: &Table) -> Vec<ColumnInfo> {
    let column = |column: &livestore::state::TableColumn| ColumnInfo {
        name: column.name.clone(),
        sql_type: column.kind.clone(),
        nullable: column.nullable,
        key: column.key,
    };
    table.columns.iter().map(column).collect()
}

/// The table of this name.
pub(super) fn find(state: &StateView, name: &str) -> Result<Table, Refused> {
    let found = state.tables()?.into_iter().find(|table| table.name == name);
    found.ok_or_else(|| Refused::new(RefusalCode::NotFound, format!("there is no table `{name}`")))
}

/// The columns of its primary key, in order.
pub(super) fn key_of(table: &Table) -> Vec<&str> {
    let mut key: Vec<_> = table.columns.iter().filter(|column| column.key > 0).collect();
    key.sort_by_key(|column| column.key);
    key.into_iter().map(|column| &*column.name).collect()
}

/// The rows that are wanted, in their order, as parts of SQL.
struct Selection {
    /// `FROM` and `WHERE`.
    from: String,
    params: Vec<Value<'static>>,
    order: String,
}

impl Selection {
    fn of(table: &Table, wanted: &Wanted) -> Result<Self, Refused> {
        let column = |name: &str| {
            let found = table.columns.iter().find(|column| column.name == name);
            let none = || format!("table `{}` has no column `{name}`", table.name);
            found
                .map(|column| quote(&column.name))
                .ok_or_else(|| Refused::new(RefusalCode::NotFound, none()))
        };
        let mut params = Vec::new();
        let mut conditions = Vec::new();
        for Filter { column: name, op, value: operand } in &wanted.filter {
            let name = column(name)?;
            conditions.push(match op {
                FilterOp::IsNull => format!("{name} IS NULL"),
                FilterOp::IsNotNull => format!("{name} IS NOT NULL"),
                FilterOp::Contains => {
                    format!("instr(lower(CAST({name} AS TEXT)), lower(?)) > 0")
                }
                op => format!("{name} {} ?", operator(*op)),
            });
            if !matches!(op, FilterOp::IsNull | FilterOp::IsNotNull) {
                params.push(value(operand)?);
            }
        }
        let condition = match &conditions[..] {
            [] => "true".to_owned(),
            conditions => conditions.join(" AND "),
        };
        let mut order = Vec::new();
        for Sort { column: name, descending } in &wanted.sort {
            order.push(format!("{}{}", column(name)?, if *descending { " DESC" } else { "" }));
        }
        order.extend(key_of(table).into_iter().map(quote));
        let from = format!("FROM {} WHERE {condition}", quote(&table.name));
        Ok(Self { from, params, order: order.join(", ") })
    }
}

fn row_place(
    state: &StateView,
    table: &Table,
    wanted: &Wanted,
    key: Vec<Value<'static>>,
) -> Result<RowPlace, Refused> {
    let columns: Vec<_> = key_of(table).into_iter().map(quote).collect();
    if key.len() != columns.len() || columns.is_empty() {
        let message = format!("the key of `{}` has {} columns", table.name, columns.len());
        return Err(Refused::new(RefusalCode::BadCall, message));
    }
    let Selection { from, params, order } = Selection::of(table, wanted)?;
    let (columns, holes) = (columns.join(", "), vec!["?"; key.len()].join(", "));
    let is_there = format!("SELECT count(*) {from} AND ({columns}) = ({holes})");
    let with_key = [params, key].concat();
    let offset = if one_number(state, &is_there, with_key.clone())? == 0 {
        None
    } else {
        let before = match wanted.sort.is_empty() {
            // The index of the key knows it without sorting.
            true => format!("SELECT count(*) {from} AND ({columns}) < ({holes})"),
            false => format!(
                "SELECT place FROM (SELECT row_number() OVER (ORDER BY {order}) - 1 AS place, {columns} {from}) \
                 WHERE ({columns}) = ({holes})"
            ),
        };
        Some(one_number(state, &before, with_key)?)
    };
    Ok(RowPlace { offset, seq: state.head().to_string() })
}

fn rows(state: &StateView, table: &Table, wanted: &Wanted) -> Result<RowsPage, Refused> {
    let Selection { from, params, order } = Selection::of(table, wanted)?;
    let names: Vec<_> = table.columns.iter().map(|column| column.name.clone()).collect();
    let selected = names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ");
    let select = format!(
        "SELECT {selected} {from} ORDER BY {order} LIMIT {} OFFSET {}",
        wanted.limit.min(MAX_ROWS),
        wanted.offset,
    );
    let keys: Vec<_> =
        (0..).zip(&table.columns).filter(|(_, column)| column.key > 0).map(|(n, _)| n).collect();
    let mut found = Vec::new();
    state.query(&select)?.bind(params.clone()).for_each(|row| {
        // The page asks for a row by its key.
        let detail = |n| if keys.contains(&n) { Detail::Whole } else { Detail::Start };
        found.push(row.iter().enumerate().map(|(n, value)| cell(value, detail(n))).collect());
        ControlFlow::Continue(())
    })?;
    let total = one_number(state, &format!("SELECT count(*) {from}"), params)?;
    Ok(RowsPage { columns: names, rows: found, total, seq: state.head().to_string() })
}

fn one_number(state: &StateView, sql: &str, params: Vec<Value<'static>>) -> Result<u64, Refused> {
    let mut number = 0;
    state.query(sql)?.bind(params).for_each(|row| {
        if let [Value::Integer(found)] = row {
            number = found.cast_unsigned();
        }
        ControlFlow::Break(())
    })?;
    Ok(number)
}

fn operator(op: FilterOp) -> &'static str {
    match op {
        FilterOp::Ne => "<>",
        FilterOp::Lt => "<",
        FilterOp::Le => "<=",
        FilterOp::Gt => ">",
        FilterOp::Ge => ">=",
        _ => "=",
    }
}

pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
