//! Random queries: whatever the builder can build, and some SQL.

use super::cells::{At, Cells, Flat, FromCells, Picky, any_width, cells, integer, text};
use super::dice::Dice;
use super::tables::{Holds, RandomTable};
use super::watch::{Watch, Watcher};
use super::world::World;
use crate::live::LiveCardinality;
use crate::sqlite::quote;
use crate::table::{
    Aggregate, Cardinality, ColumnRef, Comparison, Direction, Expression, First, Join, Many, One,
    Optional, Predicate, RowError, RowReader, Select, SelectAst, Table, raw,
};
use crate::value::Value;

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
    let all: usize = ast.tables().map(|table| table.columns.len()).sum();
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
        8 => return point(dice, world),
        9 => return sql(dice, world),
        _ => {}
    }
    let ast = random_select(dice, &world.tables);
    let cardinality = dice.below(12);
    match dice.percent(12) {
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

pub(super) fn random_select(dice: &mut Dice<'_>, tables: &[RandomTable]) -> SelectAst {
    let from = &tables[dice.below(tables.len())];
    let mut ast = SelectAst::new(from.def);
    let mut joined = vec![from];
    if dice.percent(25) {
        for table in tables {
            join(dice, &mut ast, &mut joined, table);
        }
    }
    if dice.percent(70) {
        ast.filters = vec![predicate(dice, &joined, 2)];
        ast.filters.extend(dice.some(2, |dice| predicate(dice, &joined, 1)));
    }
    match dice.below(10) {
        0..4 => {}
        4..6 => ast.list = (0..1 + dice.below(3)).map(|_| plain(dice, &joined)).collect(),
        6 => ast.counted = true,
        7 => ast.list = (0..1 + dice.below(3)).map(|_| aggregate(dice, &joined)).collect(),
        _ => groups(dice, &mut ast, &joined),
    }
    if dice.percent(3) {
        ast.group_by.push(
            column(dice, &joined, |_| true).unwrap_or(ColumnRef { table: from.def, index: 0 }),
        );
    }
    if dice.percent(60) {
        ast.order_by = (0..1 + dice.below(2)).map(|_| order(dice, &ast, &joined)).collect();
    }
    if dice.percent(30) {
        ast.limit = Some(dice.pick(&[1, 2, 3, 0, 5, u64::MAX]));
    }
    if dice.percent(20) {
        ast.offset = Some(dice.pick(&[1, 2, 0, u64::MAX]));
    }
    ast
}

fn join<'t>(
    dice: &mut Dice<'_>,
    ast: &mut SelectAst,
    joined: &mut Vec<&'t RandomTable>,
    table: &'t RandomTable,
) {
    if joined.iter().any(|other| std::ptr::eq(other.def, table.def)) || dice.percent(30) {
        return;
    }
    let mut pairs = Vec::new();
    for left in joined.iter() {
        for (l, left_holds) in left.holds.iter().enumerate() {
            for (r, right_holds) in table.holds.iter().enumerate() {
                if left_holds.joins(*right_holds) {
                    let left = ColumnRef { table: left.def, index: l };
                    pairs.push((left, ColumnRef { table: table.def, index: r }));
                }
            }
        }
    }
    if pairs.is_empty() {
        return;
    }
    let mut on = vec![dice.pick(&pairs)];
    if dice.percent(15) {
        on.push(dice.pick(&pairs));
    }
    ast.joins.push(Join { table: table.def, left: dice.percent(50), on });
    joined.push(table);
}

fn groups(dice: &mut Dice<'_>, ast: &mut SelectAst, joined: &[&RandomTable]) {
    let by = (0..1 + dice.below(2)).filter_map(|_| column(dice, joined, |_| true));
    ast.group_by = by.collect();
    ast.list = ast.group_by.iter().map(|column| Expression::Column(*column)).collect();
    let more = (0..dice.below(3)).map(|_| aggregate(dice, joined)).collect::<Vec<_>>();
    ast.list.extend(more);
}

fn order(dice: &mut Dice<'_>, ast: &SelectAst, joined: &[&RandomTable]) -> (Expression, Direction) {
    let node = if ast.list.is_empty() || dice.percent(30) {
        plain(dice, joined)
    } else {
        dice.pick(&ast.list)
    };
    (node, dice.pick(&[Direction::Ascending, Direction::Descending]))
}

fn plain(dice: &mut Dice<'_>, joined: &[&RandomTable]) -> Expression {
    let first = ColumnRef { table: joined[0].def, index: 0 };
    Expression::Column(column(dice, joined, |_| true).unwrap_or(first))
}

fn aggregate(dice: &mut Dice<'_>, joined: &[&RandomTable]) -> Expression {
    let (aggregate, fits): (_, fn(Holds) -> bool) = match dice.below(7) {
        0 => return Expression::CountAll,
        1 => (Aggregate::Count, |_| true),
        2 | 3 => (Aggregate::Sum, Holds::is_integer),
        4 => (Aggregate::Min, |_| true),
        5 => (Aggregate::Max, |_| true),
        _ if dice.percent(50) => (Aggregate::Avg, Holds::is_integer),
        _ => (Aggregate::SumReal, |holds| holds == Holds::MaybeReals),
    };
    column(dice, joined, fits)
        .map_or(Expression::CountAll, |column| Expression::Aggregate(aggregate, column))
}

/// A column that fits, if there is one.
fn column(
    dice: &mut Dice<'_>,
    joined: &[&RandomTable],
    fits: impl Fn(Holds) -> bool,
) -> Option<ColumnRef> {
    let all = joined.iter().flat_map(|table| {
        let columns = table.holds.iter().enumerate().filter(|(_, holds)| fits(**holds));
        columns.map(|(index, _)| ColumnRef { table: table.def, index })
    });
    let all: Vec<_> = all.collect();
    (!all.is_empty()).then(|| dice.pick(&all))
}

fn holds(column: ColumnRef, joined: &[&RandomTable]) -> Holds {
    let table = joined.iter().find(|table| std::ptr::eq(table.def, column.table));
    table.map_or(Holds::Integers, |table| table.holds[column.index])
}

fn predicate(dice: &mut Dice<'_>, joined: &[&RandomTable], depth: usize) -> Predicate {
    let kind = dice.below(if depth > 0 { 10 } else { 7 });
    if kind >= 7 {
        let mut parts =
            || vec![predicate(dice, joined, depth - 1), predicate(dice, joined, depth - 1)];
        return match kind {
            7 => Predicate::Or(parts()),
            8 => Predicate::And(parts()),
            _ => Predicate::Not(Box::new(predicate(dice, joined, depth - 1))),
        };
    }
    let column =
        column(dice, joined, |_| true).unwrap_or(ColumnRef { table: joined[0].def, index: 0 });
    let holds = holds(column, joined);
    if holds == Holds::Arrays && dice.percent(70) {
        let item = if dice.percent(40) { text(dice) } else { integer(dice) };
        return Predicate::Contains(column, item);
    }
    match kind {
        4 => Predicate::Between(column, operand(dice, holds), operand(dice, holds)),
        5 => Predicate::In(column, list(dice, holds)),
        6 if holds.is_text() => Predicate::Like(column, Value::text(pattern(dice))),
        _ => {
            let comparisons = [
                Comparison::Is,
                Comparison::IsNot,
                Comparison::Lt,
                Comparison::Le,
                Comparison::Gt,
                Comparison::Ge,
            ];
            Predicate::Compare(column, dice.pick(&comparisons), operand(dice, holds))
        }
    }
}

/// A value as the builder accepts it: NaN has no SQL form.
fn operand(dice: &mut Dice<'_>, holds: Holds) -> Value<'static> {
    match holds.value(dice) {
        Value::Real(real) if real.is_nan() => Value::Null,
        value => value,
    }
}

fn list(dice: &mut Dice<'_>, holds: Holds) -> Vec<Value<'static>> {
    let mut values = dice.some(5, |dice| operand(dice, holds));
    if dice.percent(10) && !values.is_empty() {
        // Longer than an index takes, or than there are binds for.
        let times = dice.pick(&[70, 300]);
        values = values.iter().cloned().cycle().take(times).collect();
    }
    values
}

fn pattern(dice: &mut Dice<'_>) -> String {
    let part = ["a", "%", "_", "A", "ä", "Ä", "b", "\0", "\u{301}", "😀", "%%"];
    dice.some(5, |dice| dice.pick(&part)).concat()
}
