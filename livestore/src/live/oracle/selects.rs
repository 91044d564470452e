//! Random SELECTs: whatever the builder can build.

use super::cells::{integer, text};
use super::dice::Dice;
use super::tables::{Holds, RandomTable};
use crate::sqlite::{fold, words_of};
use crate::table::{
    Aggregate, ColumnRef, Comparison, Direction, Expression, Join, Nulls, OrderBy, Predicate,
    SelectAst, Sorting, TableRef,
};
use crate::value::Value;

/// A table of the query.
#[derive(Clone, Copy)]
struct Joined<'t> {
    name: TableRef,
    table: &'t RandomTable,
}

pub(super) fn random_select(dice: &mut Dice<'_>, tables: &[RandomTable]) -> SelectAst {
    let from = &tables[dice.below(tables.len())];
    let mut ast = SelectAst::new(from.def);
    let mut joined = vec![Joined { name: from.def.into(), table: from }];
    if dice.percent(25) {
        for table in tables {
            join(dice, &mut ast, &mut joined, table);
        }
        // The same table again, under an alias.
        for (table, alias) in tables.iter().zip(["x", "y", "z", "w"]) {
            if dice.percent(15) {
                join_as(dice, &mut ast, &mut joined, table, Some(alias));
            }
        }
    }
    if dice.percent(70) {
        ast.filters = vec![predicate(dice, &joined, 2)];
        ast.filters.extend(dice.some(2, |dice| predicate(dice, &joined, 1)));
    }
    match dice.below(10) {
        0..4 => {}
        4..6 => ast.list = (0..1 + dice.below(3)).map(|_| plain(dice, &joined)).collect(),
        6 => {
            ast.counted = true;
            ast.list = (0..dice.below(2)).map(|_| plain(dice, &joined)).collect();
        }
        7 => ast.list = (0..1 + dice.below(3)).map(|_| aggregate(dice, &joined)).collect(),
        _ => groups(dice, &mut ast, &joined),
    }
    if dice.percent(3) {
        ast.group_by.push(any_column(dice, &joined));
    }
    ast.distinct = dice.percent(10);
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

/// A list of whole rows of one table.
pub(super) fn random_list(dice: &mut Dice<'_>, table: &RandomTable) -> SelectAst {
    let mut ast = SelectAst::new(table.def);
    let joined = [Joined { name: table.def.into(), table }];
    if dice.percent(60) {
        ast.filters = vec![predicate(dice, &joined, 1)];
    }
    ast.distinct = dice.percent(5);
    ast.order_by = (0..dice.below(3)).map(|_| order(dice, &ast, &joined)).collect();
    if dice.percent(25) {
        ast.limit = Some(dice.pick(&[1, 2, 3, 0, 5]));
        ast.offset = dice.pick(&[None, None, Some(1), Some(2)]);
    }
    ast
}

/// One or two pairs of columns that can link rows of two tables, if there are any.
pub(super) fn random_links(
    dice: &mut Dice<'_>,
    left: &RandomTable,
    right: &RandomTable,
) -> Option<Vec<(ColumnRef, ColumnRef)>> {
    let pairs: Vec<_> = pairs(left, left.def.into(), right, right.def.into()).collect();
    let count = 1 + usize::from(dice.percent(15));
    (!pairs.is_empty()).then(|| (0..count).map(|_| dice.pick(&pairs)).collect())
}

/// The columns of two tables that can be compared.
fn pairs(
    left: &RandomTable,
    left_name: TableRef,
    right: &RandomTable,
    right_name: TableRef,
) -> impl Iterator<Item = (ColumnRef, ColumnRef)> {
    left.holds.iter().enumerate().flat_map(move |(l, left_holds)| {
        let fits =
            right.holds.iter().enumerate().filter(move |(_, holds)| left_holds.joins(**holds));
        fits.map(move |(r, _)| (ColumnRef::new(left_name, l), ColumnRef::new(right_name, r)))
    })
}

fn join<'t>(
    dice: &mut Dice<'_>,
    ast: &mut SelectAst,
    joined: &mut Vec<Joined<'t>>,
    table: &'t RandomTable,
) {
    if joined.iter().all(|other| other.name != table.def.into()) && dice.percent(70) {
        join_as(dice, ast, joined, table, None);
    }
}

fn join_as<'t>(
    dice: &mut Dice<'_>,
    ast: &mut SelectAst,
    joined: &mut Vec<Joined<'t>>,
    table: &'t RandomTable,
    alias: Option<&'static str>,
) {
    let name = TableRef { def: table.def, alias };
    let mut pairs = Vec::new();
    for left in joined.iter() {
        pairs.extend(self::pairs(left.table, left.name, table, name));
    }
    if pairs.is_empty() {
        return;
    }
    let mut on = vec![dice.pick(&pairs)];
    if dice.percent(15) {
        on.push(dice.pick(&pairs));
    }
    ast.joins.push(Join { table: name, left: dice.percent(50), on });
    joined.push(Joined { name, table });
}

fn groups(dice: &mut Dice<'_>, ast: &mut SelectAst, joined: &[Joined<'_>]) {
    let by = (0..1 + dice.below(2)).filter_map(|_| column(dice, joined, |_| true));
    ast.group_by = by.collect();
    ast.list = ast.group_by.iter().map(|column| Expression::Column(*column)).collect();
    let more = (0..dice.below(3)).map(|_| aggregate(dice, joined)).collect::<Vec<_>>();
    ast.list.extend(more);
    if dice.percent(30) {
        ast.having = vec![having(dice, joined)];
    }
}

fn having(dice: &mut Dice<'_>, joined: &[Joined<'_>]) -> Predicate {
    let of_one = |dice: &mut Dice<'_>| {
        let of = match aggregate(dice, joined) {
            Expression::Aggregate(Aggregate::Min | Aggregate::Max, _) => Expression::CountAll,
            other => other,
        };
        Predicate::CompareAggregate(of, comparison(dice), integer(dice))
    };
    match dice.below(4) {
        0 => Predicate::any([of_one(dice), of_one(dice)]),
        1 => of_one(dice).negated(),
        _ => of_one(dice),
    }
}

fn order(dice: &mut Dice<'_>, ast: &SelectAst, joined: &[Joined<'_>]) -> OrderBy {
    // Of groups and of distinct rows, only what is returned has one value.
    let is_free = !ast.distinct && !ast.is_grouped();
    let node = if ast.list.is_empty() || dice.percent(if is_free { 30 } else { 2 }) {
        plain(dice, joined)
    } else {
        dice.pick(&ast.list)
    };
    let sorting = Sorting {
        direction: dice.pick(&[Direction::Ascending, Direction::Descending]),
        nulls: dice.pick(&[None, Some(Nulls::First), Some(Nulls::Last)]),
        nocase: dice.percent(40),
    };
    OrderBy { node, sorting }
}

fn plain(dice: &mut Dice<'_>, joined: &[Joined<'_>]) -> Expression {
    Expression::Column(any_column(dice, joined))
}

fn any_column(dice: &mut Dice<'_>, joined: &[Joined<'_>]) -> ColumnRef {
    column(dice, joined, |_| true).unwrap_or(ColumnRef::new(joined[0].name, 0))
}

fn aggregate(dice: &mut Dice<'_>, joined: &[Joined<'_>]) -> Expression {
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
    joined: &[Joined<'_>],
    fits: impl Fn(Holds) -> bool,
) -> Option<ColumnRef> {
    let all = joined.iter().flat_map(|table| {
        let columns = table.table.holds.iter().enumerate().filter(|(_, holds)| fits(**holds));
        columns.map(|(index, _)| ColumnRef::new(table.name, index))
    });
    let all: Vec<_> = all.collect();
    (!all.is_empty()).then(|| dice.pick(&all))
}

fn holds(column: ColumnRef, joined: &[Joined<'_>]) -> Holds {
    let table = joined.iter().find(|table| table.name == column.table);
    table.map_or(Holds::Integers, |table| table.table.holds[column.index])
}

fn predicate(dice: &mut Dice<'_>, joined: &[Joined<'_>], depth: usize) -> Predicate {
    let kind = dice.below(if depth > 0 { 10 } else { 7 });
    if kind >= 7 {
        let mut parts =
            || vec![predicate(dice, joined, depth - 1), predicate(dice, joined, depth - 1)];
        return match kind {
            7 => Predicate::any(parts()),
            8 => Predicate::all(parts()),
            _ => predicate(dice, joined, depth - 1).negated(),
        };
    }
    let column = any_column(dice, joined);
    let holds = holds(column, joined);
    if holds == Holds::Arrays && dice.percent(70) {
        let item = if dice.percent(40) { text(dice) } else { integer(dice) };
        return Predicate::Contains(column, item);
    }
    if !column.table.def.searched.is_empty() && dice.percent(10) {
        let typed = dice.pick(&["a", "b", "A b", "ab a", "ä", "1", "a-b", "é", "ß"]);
        return Predicate::Search(column.table, words_of(typed));
    }
    match kind {
        4 => Predicate::Between(column, operand(dice, holds), operand(dice, holds)),
        5 => Predicate::is_in(column, list(dice, holds)),
        6 if holds.is_text() && dice.percent(50) => {
            Predicate::ContainsText(column, fold(&pattern(dice)))
        }
        6 if holds.is_text() => Predicate::Like(column, Value::text(pattern(dice))),
        6 => match self::column(dice, joined, |other| holds.joins(other)) {
            Some(other) => Predicate::CompareColumns(column, comparison(dice), other),
            None => Predicate::Compare(column, comparison(dice), operand(dice, holds)),
        },
        _ => Predicate::Compare(column, comparison(dice), operand(dice, holds)),
    }
}

fn comparison(dice: &mut Dice<'_>) -> Comparison {
    dice.pick(&[
        Comparison::Is,
        Comparison::IsNot,
        Comparison::Lt,
        Comparison::Le,
        Comparison::Gt,
        Comparison::Ge,
    ])
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
    if dice.percent(10) {
        // Longer than an index takes, or than each value is bound by itself.
        values.extend((0..dice.pick(&[70, 300])).filter_map(|n| match holds {
            Holds::Integers | Holds::MaybeIntegers => Some(Value::Integer(n)),
            Holds::Texts | Holds::MaybeTexts => Some(Value::text(n.to_string())),
            Holds::MaybeReals => Some(Value::Real(n as f64 / 3.0)),
            Holds::MaybeBytes => Some(Value::Blob(n.to_le_bytes().to_vec().into())),
            Holds::Arrays => None,
        }));
    }
    values
}

fn pattern(dice: &mut Dice<'_>) -> String {
    let part = ["a", "%", "_", "A", "ä", "Ä", "b", "\0", "\u{301}", "😀", "%%"];
    dice.some(5, |dice| dice.pick(&part)).concat()
}
