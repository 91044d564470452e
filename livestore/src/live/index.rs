//! From a changed row to the live queries it may matter to, in time that follows how many those
//! are and not how many there are in all.

use std::collections::HashMap;
use std::ops::Bound;

use xxhash_rust::xxh3::xxh3_64;

use super::interest::Access;
use crate::sqlite::Rows;
use crate::table::order;
use crate::value::Value;

/// Names a live query of a store.
pub(super) type NodeId = u64;

/// The live queries that read one table.
#[derive(Debug, Default)]
pub(super) struct TableIndex {
    /// By a column's value.
    equal: HashMap<usize, HashMap<u64, Vec<NodeId>>>,
    /// By a column's range.
    ranges: HashMap<usize, Ranges>,
    /// Those that may care for any row.
    any: Vec<NodeId>,
    len: usize,
}

impl TableIndex {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn insert(&mut self, access: &Access, node: NodeId) {
        self.len += 1;
        match access {
            Access::Equal { column, values } => {
                let by_value = self.equal.entry(*column).or_default();
                for value in values {
                    by_value.entry(hash(value)).or_default().push(node);
                }
            }
            Access::Range { column, low, high } => {
                let range = Range { low: value(low), high: value(high), node };
                self.ranges.entry(*column).or_default().insert(range);
            }
            Access::Any => self.any.push(node),
        }
    }

    pub(super) fn remove(&mut self, access: &Access, node: NodeId) {
        self.len -= 1;
        match access {
            Access::Equal { column, values } => {
                let Some(by_value) = self.equal.get_mut(column) else { return };
                for value in values {
                    let hash = hash(value);
                    if let Some(nodes) = by_value.get_mut(&hash) {
                        nodes.retain(|other| *other != node);
                        if nodes.is_empty() {
                            by_value.remove(&hash);
                        }
                    }
                }
                if by_value.is_empty() {
                    self.equal.remove(column);
                }
            }
            Access::Range { column, .. } => {
                if let Some(ranges) = self.ranges.get_mut(column) {
                    ranges.remove(node);
                }
            }
            Access::Any => self.any.retain(|other| *other != node),
        }
    }

    /// Calls `found` with every query that the change may matter to, some more than once.
    pub(super) fn affected(&mut self, rows: &Rows, mut found: impl FnMut(NodeId)) {
        let Rows::One { old, new } = rows else {
            return self.all(found);
        };
        self.any.iter().for_each(|node| found(*node));
        for image in [old, new].into_iter().flatten() {
            for (column, by_value) in &self.equal {
                let value = image.values.get(*column).unwrap_or(&Value::Null);
                let nodes = by_value.get(&hash(value));
                nodes.into_iter().flatten().for_each(|node| found(*node));
            }
            for (column, ranges) in &mut self.ranges {
                ranges.at(image.values.get(*column).unwrap_or(&Value::Null), &mut found);
            }
        }
    }

    fn all(&self, found: impl FnMut(NodeId)) {
        let equal = self.equal.values().flat_map(HashMap::values).flatten();
        let ranges =
            self.ranges.values().flat_map(|ranges| &ranges.sorted).map(|range| &range.node);
        self.any.iter().chain(equal).chain(ranges).copied().for_each(found);
    }
}

/// Equal values have equal hashes; a collision costs a look, not a mistake.
fn hash(value: &Value<'_>) -> u64 {
    match value {
        Value::Null => 0,
        Value::Integer(integer) => xxh3_64(&integer.to_le_bytes()),
        // 1.0 equals 1.
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
        Value::Real(real) if real.fract() == 0.0 && real.abs() < 9e18 => {
            xxh3_64(&(*real as i64).to_le_bytes())
        }
        Value::Real(real) => xxh3_64(&real.to_le_bytes()),
        Value::Text(text) => xxh3_64(text.as_bytes()),
        Value::Blob(bytes) => xxh3_64(bytes),
    }
}

/// A hash of several values.
pub(super) fn hash_all<'a>(values: impl IntoIterator<Item = &'a Value<'static>>) -> u64 {
    let add = |sum: u64, value| sum.rotate_left(5) ^ hash(value);
    values.into_iter().fold(0, add)
}

fn value(bound: &Bound<Value<'static>>) -> Option<Value<'static>> {
    match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(value.clone()),
        Bound::Unbounded => None,
    }
}

/// Ranges, both ends included; `None` is no end.
#[derive(Debug)]
struct Range {
    low: Option<Value<'static>>,
    high: Option<Value<'static>>,
    node: NodeId,
}

/// An interval tree in an array: sorted by the low end, and over each half its highest high end.
#[derive(Debug, Default)]
struct Ranges {
    sorted: Vec<Range>,
    /// The position, in `sorted`, of the highest high end of the subtree rooted there.
    highest: Vec<usize>,
    stale: bool,
}

impl Ranges {
    fn insert(&mut self, range: Range) {
        self.sorted.push(range);
        self.stale = true;
    }

    fn remove(&mut self, node: NodeId) {
        self.sorted.retain(|range| range.node != node);
        self.stale = true;
    }

    /// Calls `found` for every range that `value` is in.
    fn at(&mut self, value: &Value<'_>, found: &mut impl FnMut(NodeId)) {
        if *value == Value::Null {
            return;
        }
        if self.stale {
            self.sorted.sort_by(|left, right| order_low(&left.low, &right.low));
            self.highest = vec![0; self.sorted.len()];
            self.build(0, self.sorted.len());
            self.stale = false;
        }
        self.visit(0, self.sorted.len(), value, found);
    }

    /// Fills `highest` for the subtree over `from..to`; says where its highest high end is.
    fn build(&mut self, from: usize, to: usize) -> Option<usize> {
        if from >= to {
            return None;
        }
        let root = usize::midpoint(from, to);
        let (left, right) = (self.build(from, root), self.build(root + 1, to));
        let highest = [left, right]
            .into_iter()
            .flatten()
            .fold(root, |best, other| if self.reaches_higher(other, best) { other } else { best });
        if let Some(slot) = self.highest.get_mut(root) {
            *slot = highest;
        }
        Some(highest)
    }

    fn reaches_higher(&self, this: usize, that: usize) -> bool {
        match (self.high(this), self.high(that)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(this), Some(that)) => order(this, that).is_gt(),
        }
    }

    fn visit(&self, from: usize, to: usize, value: &Value<'_>, found: &mut impl FnMut(NodeId)) {
        if from >= to {
            return;
        }
        let root = usize::midpoint(from, to);
        let highest = self.highest.get(root).copied().unwrap_or(root);
        if self.ends_before(highest, value) {
            return;
        }
        self.visit(from, root, value, found);
        let Some(range) = self.sorted.get(root) else { return };
        if range.low.as_ref().is_some_and(|low| order(low, value).is_gt()) {
            return;
        }
        if !self.ends_before(root, value) {
            found(range.node);
        }
        self.visit(root + 1, to, value, found);
    }

    fn ends_before(&self, position: usize, value: &Value<'_>) -> bool {
        self.high(position).is_some_and(|high| order(high, value).is_lt())
    }

    fn high(&self, position: usize) -> Option<&Value<'static>> {
        self.sorted.get(position).and_then(|range| range.high.as_ref())
    }
}

fn order_low(left: &Option<Value<'_>>, right: &Option<Value<'_>>) -> std::cmp::Ordering {
    match (left, right) {
        (None, None) => std::cmp::Ordering::Equal,
        (None, Some(_)) => std::cmp::Ordering::Less,
        (Some(_), None) => std::cmp::Ordering::Greater,
        (Some(left), Some(right)) => order(left, right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_finds_the_ranges_it_is_in(
            ranges in prop::collection::vec((prop::option::of(-20i64..20), prop::option::of(-20i64..20)), 0..60),
            value in -25i64..25,
        ) {
            let mut tree = Ranges::default();
            for (node, (low, high)) in ranges.iter().enumerate() {
                let (low, high) = (low.map(Value::Integer), high.map(Value::Integer));
                tree.insert(Range { low, high, node: node as u64 });
            }
            let mut found = Vec::new();
            tree.at(&Value::Integer(value), &mut |node| found.push(node));
            found.sort_unstable();
            let has = |(low, high): &(Option<i64>, Option<i64>)| {
                low.is_none_or(|low| low <= value) && high.is_none_or(|high| value <= high)
            };
            let expected: Vec<u64> = (0..ranges.len() as u64).filter(|n| has(&ranges[*n as usize])).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
