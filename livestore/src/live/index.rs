//! From a changed row to the live queries that it can matter to.
//!
//! The time that takes depends on the number of queries found, not on the number of all queries.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_64;

use super::dependency::{Lookup, Range};
use crate::sqlite::{ColumnSet, Rows};
use crate::table::order;
use crate::value::Value;

/// The position of a live query among those of its store. It is reused when the query is dropped.
pub(super) type QueryId = usize;

/// A dependency of a live query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DependencyId {
    pub(super) query: QueryId,
    /// The dependency's position among those of the query.
    pub(super) dependency: usize,
}

/// A place in the index, from which a target can be removed.
#[derive(Debug, Clone, Copy)]
pub(super) enum IndexPlace {
    Equal { column: usize, hash: u64 },
    Range { column: usize },
    Any,
}

/// The live queries that read one table.
#[derive(Debug, Default)]
pub(super) struct TableIndex {
    /// By the columns' positions in the table.
    columns: Vec<ColumnIndex>,
    /// The targets that any row can matter to.
    any: Vec<DependencyId>,
    /// The number of places in use.
    len: usize,
    /// The columns that matter to one of the queries, or to one that was removed.
    captured: ColumnSet,
}

/// The live queries that are found by the value of a column.
#[derive(Debug, Default)]
struct ColumnIndex {
    equal: HashMap<u64, DependencyIds, BuildHasherDefault<PassThrough>>,
    ranges: Ranges,
}

/// One target or more; mostly one.
#[derive(Debug)]
enum DependencyIds {
    One(DependencyId),
    Many(Vec<DependencyId>),
}

impl TableIndex {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The columns whose changes must be captured; `None` if no query reads the table.
    pub(super) fn captured(&self) -> Option<ColumnSet> {
        (!self.is_empty()).then_some(self.captured)
    }

    /// Adds a target. Calls `placed` with each place that it is put in.
    pub(super) fn insert(
        &mut self,
        lookup: Lookup,
        columns: ColumnSet,
        target: DependencyId,
        mut placed: impl FnMut(IndexPlace),
    ) {
        self.captured = self.captured.union(columns);
        let mut placed = |place| {
            self.len += 1;
            placed(place);
        };
        match lookup {
            Lookup::Equal { column, values } => {
                let index = column_index(&mut self.columns, column);
                for hash in values.iter().map(hash) {
                    index.insert_equal(hash, target);
                    placed(IndexPlace::Equal { column, hash });
                }
            }
            Lookup::Range(range) => {
                let column = range.column;
                column_index(&mut self.columns, column).ranges.insert(range, target);
                placed(IndexPlace::Range { column });
            }
            Lookup::Any => {
                self.any.push(target);
                placed(IndexPlace::Any);
            }
        }
    }

    /// Removes a query from a place that it was put in.
    pub(super) fn remove(&mut self, place: IndexPlace, query: QueryId) {
        self.len -= 1;
        match place {
            IndexPlace::Equal { column, hash } => {
                column_index(&mut self.columns, column).remove_equal(hash, query);
            }
            IndexPlace::Range { column } => {
                column_index(&mut self.columns, column).ranges.remove(query);
            }
            IndexPlace::Any => self.any.retain(|target| target.query != query),
        }
        if self.is_empty() {
            self.captured = ColumnSet::default();
        }
    }

    /// Calls `found` with every target that the change can matter to, with some more than once.
    pub(super) fn affected(&mut self, rows: &Rows, mut found: impl FnMut(DependencyId)) {
        let Rows::One { old, new } = rows else {
            return self.all(found);
        };
        self.any.iter().copied().for_each(&mut found);
        for (position, column) in self.columns.iter_mut().enumerate() {
            let before = old.as_ref().and_then(|old| old.values.get(position));
            let after = new.as_ref().and_then(|new| new.values.get(position));
            column.find(before, &mut found);
            if after != before {
                column.find(after, &mut found);
            }
        }
    }

    fn all(&self, mut found: impl FnMut(DependencyId)) {
        self.any.iter().copied().for_each(&mut found);
        for ColumnIndex { equal, ranges } in &self.columns {
            equal.values().flat_map(DependencyIds::as_slice).copied().for_each(&mut found);
            ranges.sorted.iter().map(|(_, target)| *target).for_each(&mut found);
        }
    }
}

fn column_index(columns: &mut Vec<ColumnIndex>, position: usize) -> &mut ColumnIndex {
    if columns.len() <= position {
        columns.resize_with(position + 1, ColumnIndex::default);
    }
    #[expect(clippy::indexing_slicing, reason = "made on the line before")]
    &mut columns[position]
}

impl ColumnIndex {
    fn insert_equal(&mut self, hash: u64, target: DependencyId) {
        let targets = self.equal.entry(hash);
        targets.and_modify(|all| all.push(target)).or_insert(DependencyIds::One(target));
    }

    fn remove_equal(&mut self, hash: u64, query: QueryId) {
        let Entry::Occupied(mut entry) = self.equal.entry(hash) else { return };
        match entry.get_mut() {
            DependencyIds::Many(all) if all.iter().any(|target| target.query != query) => {
                all.retain(|target| target.query != query);
            }
            _ => {
                entry.remove();
            }
        }
    }

    fn find(&mut self, value: Option<&Value<'_>>, found: &mut impl FnMut(DependencyId)) {
        let Some(value) = value else { return };
        if !self.equal.is_empty()
            && let Some(targets) = self.equal.get(&hash(value))
        {
            targets.as_slice().iter().copied().for_each(&mut *found);
        }
        self.ranges.find(value, found);
    }
}

impl DependencyIds {
    fn push(&mut self, target: DependencyId) {
        match self {
            Self::One(first) => *self = Self::Many(vec![*first, target]),
            Self::Many(all) => all.push(target),
        }
    }

    fn as_slice(&self) -> &[DependencyId] {
        match self {
            Self::One(target) => std::slice::from_ref(target),
            Self::Many(all) => all,
        }
    }
}

/// The hasher of keys that are hashes themselves.
#[derive(Debug, Default)]
pub(super) struct PassThrough(u64);

impl Hasher for PassThrough {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= xxh3_64(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 ^= hash;
    }
}

/// The smallest number that is greater than every `i64`.
const I64_END: f64 = 9_223_372_036_854_775_808.0;

/// Equal values have equal hashes. A collision costs time, but gives no wrong result.
fn hash(value: &Value<'_>) -> u64 {
    match value {
        Value::Null => 0,
        Value::Integer(integer) => xxh3_64(&integer.to_le_bytes()),
        // 1.0 equals 1.
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
        Value::Real(real) if real.fract() == 0.0 && (-I64_END..I64_END).contains(real) => {
            xxh3_64(&(*real as i64).to_le_bytes())
        }
        Value::Real(real) => xxh3_64(&real.to_le_bytes()),
        Value::Text(text) => xxh3_64(text.as_bytes()),
        Value::Blob(bytes) => xxh3_64(bytes),
    }
}

/// An interval tree in an array, sorted by the low end. The root of a range of positions is in its
/// middle.
#[derive(Debug, Default)]
struct Ranges {
    sorted: Vec<(Range, DependencyId)>,
    /// For each position, the position of the highest high end in the subtree that is rooted there.
    highest: Vec<usize>,
    stale: bool,
}

impl Ranges {
    fn insert(&mut self, range: Range, target: DependencyId) {
        self.sorted.push((range, target));
        self.stale = true;
    }

    fn remove(&mut self, query: QueryId) {
        self.sorted.retain(|(_, target)| target.query != query);
        self.stale = true;
    }

    /// Calls `found` for every range that has `value`.
    fn find(&mut self, value: &Value<'_>, found: &mut impl FnMut(DependencyId)) {
        if self.sorted.is_empty() || *value == Value::Null {
            return;
        }
        if self.stale {
            self.sorted.sort_by(|(left, _), (right, _)| order_low(&left.low, &right.low));
            self.highest = vec![0; self.sorted.len()];
            self.build(0, self.sorted.len());
            self.stale = false;
        }
        self.visit(0, self.sorted.len(), value, found);
    }

    /// Fills `highest` for the subtree over `from..to`. Returns the position of its highest high end.
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

    fn visit(
        &self,
        from: usize,
        to: usize,
        value: &Value<'_>,
        found: &mut impl FnMut(DependencyId),
    ) {
        if from >= to {
            return;
        }
        let root = usize::midpoint(from, to);
        let highest = self.highest.get(root).copied().unwrap_or(root);
        if self.ends_before(highest, value) {
            return;
        }
        self.visit(from, root, value, found);
        let Some((range, target)) = self.sorted.get(root) else { return };
        if range.low.as_ref().is_some_and(|low| order(low, value).is_gt()) {
            return;
        }
        if !self.ends_before(root, value) {
            found(*target);
        }
        self.visit(root + 1, to, value, found);
    }

    fn ends_before(&self, position: usize, value: &Value<'_>) -> bool {
        self.high(position).is_some_and(|high| order(high, value).is_lt())
    }

    fn high(&self, position: usize) -> Option<&Value<'static>> {
        self.sorted.get(position).and_then(|(range, _)| range.high.as_ref())
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
    use crate::sqlite::Image;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_finds_the_ranges_it_is_in(
            ranges in prop::collection::vec((prop::option::of(-20i64..20), prop::option::of(-20i64..20)), 0..60),
            value in -25i64..25,
        ) {
            let mut tree = Ranges::default();
            for (query, (low, high)) in ranges.iter().enumerate() {
                let (low, high) = (low.map(Value::Integer), high.map(Value::Integer));
                tree.insert(Range { column: 0, low, high }, DependencyId { query, dependency: 0 });
            }
            let mut found = Vec::new();
            tree.find(&Value::Integer(value), &mut |target| found.push(target.query));
            found.sort_unstable();
            let has = |(low, high): &(Option<i64>, Option<i64>)| {
                low.is_none_or(|low| low <= value) && high.is_none_or(|high| value <= high)
            };
            let expected: Vec<usize> = (0..ranges.len()).filter(|n| has(&ranges[*n])).collect();
            prop_assert_eq!(found, expected);
            tree.find(&Value::Null, &mut |_| panic!("NULL is in no range"));
        }

        #[test]
        fn a_target_is_found_until_it_is_removed(
            wants in prop::collection::vec((want(), any::<bool>()), 0..12),
            old in prop::option::of((-3i64..3, -3i64..3)),
            new in prop::option::of((-3i64..3, -3i64..3)),
        ) {
            let mut index = TableIndex::default();
            let mut places = Vec::new();
            for (query, (want, _)) in wants.iter().enumerate() {
                let target = DependencyId { query, dependency: 0 };
                let columns = ColumnSet::of(&[query]);
                index.insert(want.lookup(), columns, target, |place| places.push((query, place)));
            }
            places.retain(|(query, place)| {
                let stays = wants[*query].1;
                if !stays {
                    index.remove(*place, *query);
                }
                stays
            });
            let left: Vec<usize> = (0..wants.len()).filter(|node| wants[*node].1).collect();
            let wanted = |node: &usize| [old, new].iter().flatten().any(|row| wants[*node].0.has(*row));
            let found = |index: &mut TableIndex, rows: &Rows| {
                let mut found = Vec::new();
                index.affected(rows, |target| found.push(target.query));
                found.sort_unstable();
                found.dedup();
                found
            };
            let one = Rows::One { old: old.map(image), new: new.map(image) };
            let any = |node: &usize| matches!(wants[*node].0, Want::Any) || wanted(node);
            let expected: Vec<usize> = left.iter().copied().filter(any).collect();
            prop_assert_eq!(found(&mut index, &one), expected);
            prop_assert_eq!(found(&mut index, &Rows::Unknown), left.clone());
            prop_assert_eq!(index.captured().is_none(), places.is_empty());
            for (query, place) in places {
                index.remove(place, query);
            }
            prop_assert_eq!((index.is_empty(), index.captured()), (true, None));
            prop_assert!(index.columns.iter().all(|column| column.equal.is_empty()), "nothing stays");
            prop_assert_eq!(found(&mut index, &Rows::Unknown), Vec::<usize>::new());
            let target = DependencyId { query: 0, dependency: 0 };
            index.insert(Lookup::Any, ColumnSet::of(&[63]), target, |_| ());
            prop_assert_eq!(index.captured(), Some(ColumnSet::of(&[63])), "and nobody's from before");
        }
    }

    #[test]
    fn equal_numbers_have_equal_hashes() {
        let whole = [0.0, -0.0, 1.0, -3.0, 9.1e18, -I64_END, I64_END, f64::INFINITY];
        for real in whole.into_iter().chain([1.5, -0.5, f64::NEG_INFINITY]) {
            #[expect(clippy::cast_possible_truncation, reason = "the nearest integer is meant")]
            let integer = Value::Integer(real as i64);
            let is_equal = order(&integer, &Value::Real(real)).is_eq();
            assert_eq!(hash(&integer) == hash(&Value::Real(real)), is_equal, "{real}");
        }
    }

    /// A condition on a row with two numbers.
    #[derive(Debug, Clone)]
    enum Want {
        Equal(usize, Vec<i64>),
        Range(usize, Option<i64>, Option<i64>),
        Any,
    }

    fn want() -> impl Strategy<Value = Want> {
        let low = || prop::option::of(-3i64..3);
        prop_oneof![
            (0..2usize, prop::collection::btree_set(-3i64..3, 1..4))
                .prop_map(|(column, values)| Want::Equal(column, values.into_iter().collect())),
            (0..2usize, low(), low())
                .prop_map(|(column, low, high)| Want::Range(column, low, high)),
            Just(Want::Any),
        ]
    }

    impl Want {
        fn lookup(&self) -> Lookup {
            match self.clone() {
                Self::Equal(column, values) => Lookup::Equal {
                    column,
                    values: values.into_iter().map(Value::Integer).collect(),
                },
                Self::Range(column, low, high) => {
                    let (low, high) = (low.map(Value::Integer), high.map(Value::Integer));
                    Lookup::Range(Range { column, low, high })
                }
                Self::Any => Lookup::Any,
            }
        }

        fn has(&self, (first, second): (i64, i64)) -> bool {
            let at = |column: &usize| [first, second][*column];
            match self {
                Self::Equal(column, values) => values.contains(&at(column)),
                Self::Range(column, low, high) => {
                    low.is_none_or(|low| low <= at(column))
                        && high.is_none_or(|high| at(column) <= high)
                }
                Self::Any => true,
            }
        }
    }

    fn image((first, second): (i64, i64)) -> Image {
        Image { rowid: 1, values: Box::new([Value::Integer(first), Value::Integer(second)]) }
    }
}
