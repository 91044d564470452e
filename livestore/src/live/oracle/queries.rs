//! Random queries: SELECTs, windows over them, nested rows, rows by key, and some SQL.

use std::ops::Range;
use std::sync::Arc;

use super::cells::{At, Cells, Flat, FromCells, Picky, any_width, cells};
use super::dice::Dice;
use super::selects::{random_links, random_list, random_select};
use super::watch::{Watch, Watcher};
use super::world::World;
use crate::live::{LiveCardinality, WindowQuery};
use crate::sqlite::quote;
use crate::table::{
    Cardinality, First, Many, Nested, One, Optional, RowError, RowReader, Select, SelectAst, Table,
    raw,
};

type Decode<O> = fn(&RowReader<'_>) -> Result<O, RowError>;

macro_rules! decoders {
    ($($width:literal)*) => {
        [$(cells::<$width, O>),*]
    };
}

/// By a row's width.
fn decoders<O: FromCells>() -> [Decode<O>; 33] {
    decoders!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
}

/// A SELECT that is read as rows of no type.
pub(super) fn select<O: FromCells, C>(ast: SelectAst) -> Select<At<0>, O, C> {
    let all: usize = ast.tables().map(|table| table.def.columns.len()).sum();
    let width = match (ast.counted, ast.list.len()) {
        (true, _) => 1,
        (false, 0) => all,
        (false, width) => width,
    };
    // Wider rows are never read with something behind their own columns.
    Select::of(ast, decoders().get(width).copied().unwrap_or(any_width))
}

/// Starts a random query.
pub(super) fn start(
    dice: &mut Dice<'_>,
    world: &mut World,
) -> Result<Option<Box<dyn Watcher>>, String> {
    match dice.below(10) {
        7 if dice.percent(60) => return nested(dice, world),
        8 => return point(dice, world),
        9 => return sql(dice, world),
        _ => {}
    }
    let ast = random_select(dice, &world.tables);
    if !ast.counted && dice.percent(20) {
        return window(dice, ast, world);
    }
    let cardinality = dice.below(12);
    match dice.percent(20) {
        true => watch_rows::<Picky>(cardinality, ast, world),
        false => watch_rows::<Cells>(cardinality, ast, world),
    }
}

fn watch_rows<O: FromCells + Flat>(
    cardinality: usize,
    ast: SelectAst,
    world: &mut World,
) -> Result<Option<Box<dyn Watcher>>, String> {
    match (ast.counted, cardinality) {
        (true, _) | (_, 11) => watch::<O, One>(ast, world),
        (_, 9) => watch::<O, First>(ast, world),
        (_, 10) => watch::<O, Optional>(ast, world),
        _ => watch::<O, Many>(ast, world),
    }
}

fn watch<O, C>(ast: SelectAst, world: &mut World) -> Result<Option<Box<dyn Watcher>>, String>
where
    O: FromCells,
    C: LiveCardinality<O, Value: Flat> + Cardinality<O, Output: Flat> + 'static,
{
    let query = select::<O, C>(ast.clone());
    let limit = ast.limit.into_iter().chain(C::AT_MOST).min();
    Watch::start(query, Some(SelectAst { limit, ..ast }), world)
}

/// A window over the rows of a list.
fn window(
    dice: &mut Dice<'_>,
    ast: SelectAst,
    world: &mut World,
) -> Result<Option<Box<dyn Watcher>>, String> {
    let limit = ast.limit.or(Some(u64::MAX));
    let shown = Some(SelectAst { limit, ..ast.clone() });
    match dice.percent(20) {
        true => {
            let query = WindowQuery::new(select::<Picky, Many>(ast), random_range(dice));
            let wanted = Some(Arc::clone(query.wanted()));
            Watch::start_window(query, shown, wanted, world)
        }
        false => {
            let query = WindowQuery::new(select::<Cells, Many>(ast), random_range(dice));
            let wanted = Some(Arc::clone(query.wanted()));
            Watch::start_window(query, shown, wanted, world)
        }
    }
}

pub(super) fn random_range(dice: &mut Dice<'_>) -> Range<usize> {
    let start = dice.pick(&[0, 0, 1, 2, 3, 5, 7, 9, usize::MAX]);
    start..start.saturating_add(dice.pick(&[2, 1, 3, 5, 0, 20, usize::MAX]))
}

fn point(dice: &mut Dice<'_>, world: &mut World) -> Result<Option<Box<dyn Watcher>>, String> {
    let position = dice.below(world.tables.len());
    let table = &world.tables[position];
    let key: Vec<_> =
        table.def.primary_key.iter().map(|&column| table.holds[column].value(dice)).collect();
    match position {
        0 => Watch::start(At::<0>::get(key), None, world),
        1 => Watch::start(At::<1>::get(key), None, world),
        2 => Watch::start(At::<2>::get(key), None, world),
        _ => Watch::start(At::<3>::get(key), None, world),
    }
}

/// The rows of a table, each with those of another one, or of the same.
fn nested(dice: &mut Dice<'_>, world: &mut World) -> Result<Option<Box<dyn Watcher>>, String> {
    match dice.below(world.tables.len()) {
        0 => nested_in::<0>(dice, world),
        1 => nested_in::<1>(dice, world),
        2 => nested_in::<2>(dice, world),
        _ => nested_in::<3>(dice, world),
    }
}

fn nested_in<const P: usize>(
    dice: &mut Dice<'_>,
    world: &mut World,
) -> Result<Option<Box<dyn Watcher>>, String> {
    let position = dice.below(world.tables.len());
    let (parent, child) = (&world.tables[P], &world.tables[position]);
    let Some(on) = random_links(dice, parent, child) else { return Ok(None) };
    let (parents, children) = (random_list(dice, parent), random_list(dice, child));
    match position {
        0 => Watch::start(Nested::<At<P>, At<0>>::new(parents, on, children), None, world),
        1 => Watch::start(Nested::<At<P>, At<1>>::new(parents, on, children), None, world),
        2 => Watch::start(Nested::<At<P>, At<2>>::new(parents, on, children), None, world),
        _ => Watch::start(Nested::<At<P>, At<3>>::new(parents, on, children), None, world),
    }
}

/// SQL as text, over a table, one of its columns, and another table.
fn sql(dice: &mut Dice<'_>, world: &mut World) -> Result<Option<Box<dyn Watcher>>, String> {
    let table = &world.tables[dice.below(world.tables.len())];
    let other = &world.tables[dice.below(world.tables.len())];
    let index = dice.below(table.holds.len());
    let (a, b) = (quote(table.def.name), quote(other.def.name));
    let x = quote(table.def.column_name(index));
    let y = quote(other.def.column_name(dice.below(other.holds.len())));
    let text = match dice.below(17) {
        0 => format!("SELECT * FROM {a} ORDER BY _rowid_"),
        1 => format!("SELECT count(*) FROM {a}"),
        2 => format!("SELECT 1 FROM {a}"),
        3 => format!(
            "SELECT l.{x}, r.{y} FROM {a} l JOIN {b} r ON l.{x} = r.{y} ORDER BY l._rowid_, r._rowid_"
        ),
        4 => format!(
            "SELECT \"key\" FROM {a} WHERE {x} IN (SELECT {y} FROM {b}) ORDER BY 1, _rowid_"
        ),
        5 => format!("SELECT {x} FROM {a} UNION SELECT {y} FROM {b} ORDER BY 1"),
        6 => format!("SELECT max(rowid) FROM {a}"),
        7 => format!("SELECT (SELECT count(*) FROM {b}), (SELECT max({x}) FROM {a})"),
        8 => format!("SELECT 1 WHERE EXISTS (SELECT 1 FROM {a} WHERE {x} IS NULL)"),
        9 => format!("SELECT {x}, row_number() OVER (ORDER BY {x}, _rowid_) FROM {a} ORDER BY 2"),
        10 => format!("SELECT DISTINCT {x} FROM {a} ORDER BY 1"),
        11 => format!(
            "WITH w AS (SELECT {x} AS v FROM {a}) SELECT v, count(*) FROM w GROUP BY v ORDER BY v"
        ),
        12 => format!("SELECT sum({x}) FROM {a}"),
        13 => format!("SELECT abs({x}) FROM {a} ORDER BY _rowid_"),
        14 => format!("SELECT json_extract({x}, '$[0]') FROM {a} ORDER BY _rowid_"),
        15 => format!("SELECT {x}, sum(\"key\") OVER (ORDER BY _rowid_) FROM {a} ORDER BY _rowid_"),
        _ => {
            let value = table.holds[index].value(dice);
            let text = format!("SELECT {x} FROM {a} WHERE {x} >= ? ORDER BY 1, _rowid_");
            return Watch::start(raw::<Cells>(text, vec![value]), None, world);
        }
    };
    Watch::start(raw::<Cells>(text, ()), None, world)
}
