//! Conditions, decided here instead of by SQLite.
//!
//! Must agree with SQLite on every value: the property tests hold it to that.

use std::cmp::Ordering;

use super::ast::{ColumnRef, Comparison, Direction, Nulls, Sorting};
use super::predicate::Predicate;
use super::text::like;
use crate::sqlite::contains_folded;
use crate::value::Value;

impl Predicate {
    /// Whether a row of the condition's one table meets it; `None` is SQL's "unknown".
    pub(crate) fn holds(&self, row: &[Value<'_>]) -> Option<bool> {
        match self {
            Self::Compare(column, comparison, value) => {
                compare(at(row, *column), *comparison, value)
            }
            Self::Between(column, low, high) => {
                let value = at(row, *column);
                and(compare(value, Comparison::Ge, low), compare(value, Comparison::Le, high))
            }
            Self::In(column, values) => is_in(at(row, *column), values),
            Self::CompareColumns(left, comparison, right) => {
                compare(at(row, *left), *comparison, at(row, *right))
            }
            Self::Like(column, pattern) => match (at(row, *column), pattern) {
                (Value::Text(text), Value::Text(pattern)) => Some(like(pattern, text)),
                _ => None,
            },
            Self::ContainsText(column, folded) => match at(row, *column) {
                Value::Text(text) => Some(contains_folded(text, folded)),
                _ => None,
            },
            Self::Contains(column, value) => Some(contains(at(row, *column), value)),
            Self::And(parts) => every(parts.iter().map(|part| part.holds(row))),
            Self::Or(parts) => not(every(parts.iter().map(|part| not(part.holds(row))))),
            Self::Not(inner) => not(inner.holds(row)),
            Self::Search(..) | Self::CompareAggregate(..) | Self::Invalid(_) => None,
        }
    }

    /// Whether [`holds`](Self::holds) is certain about the row: not for a search, and not if a column that
    /// should have a JSON array has something else, on which SQLite fails, or finds more than an array in it.
    pub(crate) fn can_decide(&self, row: &[Value<'_>]) -> bool {
        match self {
            Self::Contains(column, _) => match at(row, *column) {
                Value::Text(json) => {
                    serde_json::from_str::<Vec<serde::de::IgnoredAny>>(json).is_ok()
                }
                value => *value == Value::Null,
            },
            Self::And(parts) | Self::Or(parts) => parts.iter().all(|part| part.can_decide(row)),
            Self::Not(inner) => inner.can_decide(row),
            Self::Search(..) => false,
            _ => true,
        }
    }
}

/// SQLite's order: NULL, numbers, text, bytes.
pub(crate) fn order(left: &Value<'_>, right: &Value<'_>) -> Ordering {
    match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
        (Value::Real(left), Value::Real(right)) => {
            left.partial_cmp(right).unwrap_or(Ordering::Equal)
        }
        (Value::Integer(left), Value::Real(right)) => order_mixed(*left, *right),
        (Value::Real(left), Value::Integer(right)) => order_mixed(*right, *left).reverse(),
        (Value::Text(left), Value::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Value::Blob(left), Value::Blob(right)) => left.cmp(right),
        _ => rank(left).cmp(&rank(right)),
    }
}

impl Sorting {
    /// Compares values as they are sorted.
    pub(crate) fn compare(self, left: &Value<'_>, right: &Value<'_>) -> Ordering {
        let by_null = (*left != Value::Null).cmp(&(*right != Value::Null));
        match (by_null.is_eq(), self.nulls) {
            (false, Some(Nulls::First)) => return by_null,
            (false, Some(Nulls::Last)) => return by_null.reverse(),
            _ => {}
        }
        let ordering = match (left, right) {
            (Value::Text(left), Value::Text(right)) if self.nocase => order_nocase(left, right),
            _ => order(left, right),
        };
        match self.direction {
            Direction::Ascending => ordering,
            Direction::Descending => ordering.reverse(),
        }
    }
}

/// SQLite's NOCASE. It compares no characters behind a NUL, only how many there are.
fn order_nocase(left: &str, right: &str) -> Ordering {
    let (lengths, both) = (left.len().cmp(&right.len()), left.bytes().zip(right.bytes()));
    let fold = |(left, right): (u8, u8)| (left.to_ascii_lowercase(), right.to_ascii_lowercase());
    let decides = |(left, right): &(u8, u8)| left != right || *left == 0;
    match both.map(fold).find(decides) {
        Some((left, right)) if left != right => left.cmp(&right),
        _ => lengths,
    }
}

fn rank(value: &Value<'_>) -> u8 {
    match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    }
}

/// An `f64` is not exact where integers are large; `i128` is.
fn order_mixed(integer: i64, real: f64) -> Ordering {
    if real >= 9_223_372_036_854_775_808.0 {
        return Ordering::Less;
    }
    if real < -9_223_372_036_854_775_808.0 {
        return Ordering::Greater;
    }
    #[expect(clippy::cast_possible_truncation, reason = "in range, and the rest is compared next")]
    let whole = real.trunc() as i64;
    integer.cmp(&whole).then_with(|| 0.0.partial_cmp(&real.fract()).unwrap_or(Ordering::Equal))
}

fn at<'r, 'v>(row: &'r [Value<'v>], column: ColumnRef) -> &'r Value<'v> {
    row.get(column.index).unwrap_or(&Value::Null)
}

/// `Is` and `IsNot` treat NULL as a value, the others do not.
fn compare(left: &Value<'_>, comparison: Comparison, right: &Value<'_>) -> Option<bool> {
    let ordering = order(left, right);
    match comparison {
        Comparison::Is => Some(ordering.is_eq()),
        Comparison::IsNot => Some(ordering.is_ne()),
        _ if *left == Value::Null || *right == Value::Null => None,
        Comparison::Lt => Some(ordering.is_lt()),
        Comparison::Le => Some(ordering.is_le()),
        Comparison::Gt => Some(ordering.is_gt()),
        Comparison::Ge => Some(ordering.is_ge()),
    }
}

/// As it is written out: `x IN (…)`, `OR x IS NULL` if NULL is listed, which is then the first.
fn is_in(value: &Value<'_>, list: &[Value<'_>]) -> Option<bool> {
    let found = list.binary_search_by(|item| order(item, value)).is_ok();
    let only_values = list.last().is_some_and(|item| *item != Value::Null);
    if *value == Value::Null && !found && only_values { None } else { Some(found) }
}

/// SQL's `AND` over all parts.
fn every(mut parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut unknown = false;
    let is_false = parts.any(|part| {
        unknown |= part.is_none();
        part == Some(false)
    });
    if is_false { Some(false) } else { (!unknown).then_some(true) }
}

fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn not(value: Option<bool>) -> Option<bool> {
    value.map(|value| !value)
}

/// `EXISTS (SELECT 1 FROM json_each(column) WHERE value = ?)`.
fn contains(json: &Value<'_>, value: &Value<'_>) -> bool {
    let Value::Text(json) = json else { return false };
    let Ok(items) = serde_json::from_str::<Vec<serde_json::Value>>(json) else { return false };
    items.iter().any(|item| {
        let item = match item {
            serde_json::Value::Bool(bool) => Value::Integer(i64::from(*bool)),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Value::Integer(integer),
                (None, Some(real)) => Value::Real(real),
                (None, None) => return false,
            },
            serde_json::Value::String(text) => Value::text(text.as_str()),
            _ => return false,
        };
        *value != Value::Null && order(&item, value).is_eq()
    })
}
