//! Lists of rows that are cheap to copy and cheap to change.
//!
//! A list of 100,000 rows is a shallow tree of chunks. A copy shares all of them; a change copies
//! the chunk it is in, and only if somebody else still looks at it.

use std::fmt;
use std::ops::{Index, Range, RangeInclusive};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::row::Row;

/// Rows a chunk has at most; it is split beyond. Few, as a copy of a chunk touches them all.
const CHUNK: usize = 32;
/// Chunks a group has at most.
const GROUP: usize = 64;

/// An immutable list of rows: what a live query over several rows is.
///
/// Cloning shares all rows, at a cost of one step per 2,000. Reading by index takes a search in each
/// of three levels.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/mod.rs"));
/// # fn main() -> livestore::Result<()> {
/// # let store = Store::<App>::builder("todos").open()?;
/// let todos = store.live(Todo::all())?;
/// let before = todos.get();
/// store.commit(TodoEvent::Created { id: "a".into(), text: "Milk".into(), created_at: now() })?;
/// let after = todos.get();
/// assert_eq!((before.len(), after.len()), (0, 1));
/// let texts: Vec<&str> = after.iter().map(|todo| todo.text.as_str()).collect();
/// assert_eq!(texts, ["Milk"]);
/// assert_eq!(after.get(1), None);
/// for todo in &*after {
///     println!("{}", todo.text);
/// }
/// # Ok(())
/// # }
/// ```
pub struct List<T> {
    groups: Branch<Group<T>>,
}

type Group<T> = Branch<Chunk<T>>;

/// Nodes of the tree, side by side.
struct Branch<N> {
    children: Vec<Child<N>>,
}

struct Child<N> {
    /// The index behind its last row, in the branch.
    end: usize,
    node: Arc<N>,
}

struct Chunk<T> {
    rows: Vec<Row<T>>,
}

impl<T> List<T> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at `index`.
    pub fn get(&self, index: usize) -> Option<&Row<T>> {
        self.groups.get(index)
    }

    /// The first row.
    pub fn first(&self) -> Option<&Row<T>> {
        self.get(0)
    }

    /// The last row.
    pub fn last(&self) -> Option<&Row<T>> {
        self.get(self.len().checked_sub(1)?)
    }

    /// The rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Row<T>> + '_ {
        self.groups.nodes().flat_map(Branch::nodes).flat_map(|chunk| &chunk.rows)
    }

    /// Whether it shows the same; outside of `range`, they are known to.
    pub(super) fn looks_like(&self, other: &Self, mut range: Range<usize>) -> bool {
        let same = |at| Row::look_alike(self.get(at), other.get(at));
        self.len() == other.len() && range.all(same)
    }

    /// Whether all rows of `range` show the same.
    pub(super) fn looks_uniform(&self, range: RangeInclusive<usize>) -> bool {
        let first = self.get(*range.start());
        range.map(|at| self.get(at)).all(|row| Row::look_alike(first, row))
    }

    /// Puts a row at `index`, which is at most the length.
    pub(super) fn insert(&mut self, index: usize, row: Row<T>) {
        self.groups.put(index.min(self.len()), row);
    }

    /// Takes the row at `index` out.
    pub(super) fn remove(&mut self, index: usize) -> Option<Row<T>> {
        self.groups.remove(index)
    }

    /// Puts another row in the place of the one at `index`.
    pub(super) fn replace(&mut self, index: usize, row: Row<T>) {
        if let Some(old) = self.groups.get_mut(index) {
            *old = row;
        }
    }
}

/// A part of the tree.
trait Node: Clone + Default {
    type Row;

    fn len(&self) -> usize;
    fn get(&self, index: usize) -> Option<&Self::Row>;
    /// Not of what others look at: that is copied first.
    fn get_mut(&mut self, index: usize) -> Option<&mut Self::Row>;
    /// What is too much then is split off.
    fn insert(&mut self, index: usize, row: Self::Row) -> Option<Self>;
    fn remove(&mut self, index: usize) -> Option<Self::Row>;
}

impl<T> Node for Chunk<T> {
    type Row = Row<T>;

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn get(&self, index: usize) -> Option<&Row<T>> {
        self.rows.get(index)
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut Row<T>> {
        self.rows.get_mut(index)
    }

    fn insert(&mut self, index: usize, row: Row<T>) -> Option<Self> {
        self.rows.insert(index, row);
        // A list that is filled at its end leaves full chunks behind.
        let keep = if index == CHUNK { CHUNK } else { CHUNK / 2 };
        (self.rows.len() > CHUNK).then(|| Self { rows: self.rows.split_off(keep) })
    }

    fn remove(&mut self, index: usize) -> Option<Row<T>> {
        (index < self.rows.len()).then(|| self.rows.remove(index))
    }
}

impl<N> Branch<N> {
    fn len(&self) -> usize {
        self.end_of(self.children.len())
    }

    fn nodes(&self) -> impl Iterator<Item = &N> + '_ {
        self.children.iter().map(|child| &*child.node)
    }

    /// Where the first `count` children end.
    fn end_of(&self, count: usize) -> usize {
        count.checked_sub(1).and_then(|last| self.children.get(last)).map_or(0, |child| child.end)
    }

    /// The child with the row at `index`, and the row's index there.
    fn find(&self, index: usize) -> (usize, usize) {
        let at = self.children.partition_point(|child| child.end <= index);
        (at, index - self.end_of(at))
    }
}

impl<N: Node> Branch<N> {
    /// Puts a row in, whatever comes of the branch's length.
    fn put(&mut self, index: usize, row: N::Row) {
        // Behind the last row of a child rather than before the first of the next.
        let (at, within) = index.checked_sub(1).map_or((0, 0), |before| {
            let (at, within) = self.find(before);
            (at, within + 1)
        });
        if self.children.is_empty() {
            self.children.push(Child { end: 0, node: Arc::default() });
        }
        let Some(child) = self.children.get_mut(at) else { return };
        let split = Arc::make_mut(&mut child.node).insert(within, row);
        self.children.iter_mut().skip(at).for_each(|child| child.end += 1);
        if let (Some(half), Some(child)) = (split, self.children.get_mut(at)) {
            let end = child.end;
            child.end -= half.len();
            self.children.insert(at + 1, Child { end, node: Arc::new(half) });
        }
    }
}

impl<N: Node> Node for Branch<N> {
    type Row = N::Row;

    fn len(&self) -> usize {
        self.len()
    }

    fn get(&self, index: usize) -> Option<&N::Row> {
        let (at, within) = self.find(index);
        self.children.get(at)?.node.get(within)
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut N::Row> {
        let (at, within) = self.find(index);
        Arc::make_mut(&mut self.children.get_mut(at)?.node).get_mut(within)
    }

    fn insert(&mut self, index: usize, row: N::Row) -> Option<Self> {
        self.put(index, row);
        if self.children.len() <= GROUP {
            return None;
        }
        let half = self.children.split_off(GROUP / 2);
        Some(half.into_iter().map(|child| child.node).collect())
    }

    fn remove(&mut self, index: usize) -> Option<N::Row> {
        let (at, within) = self.find(index);
        let node = Arc::make_mut(&mut self.children.get_mut(at)?.node);
        let row = node.remove(within)?;
        let is_empty = node.len() == 0;
        self.children.iter_mut().skip(at).for_each(|child| child.end -= 1);
        if is_empty {
            self.children.remove(at);
        }
        Some(row)
    }
}

impl<N: Node> FromIterator<Arc<N>> for Branch<N> {
    fn from_iter<I: IntoIterator<Item = Arc<N>>>(nodes: I) -> Self {
        let mut end = 0;
        let child = |node: Arc<N>| {
            end += node.len();
            Child { end, node }
        };
        Self { children: nodes.into_iter().map(child).collect() }
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a Row<T>;
    type IntoIter = Box<dyn Iterator<Item = &'a Row<T>> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<T> FromIterator<Row<T>> for List<T> {
    fn from_iter<I: IntoIterator<Item = Row<T>>>(rows: I) -> Self {
        let mut rows = rows.into_iter();
        let mut chunks = std::iter::from_fn(|| {
            let rows: Vec<_> = rows.by_ref().take(CHUNK).collect();
            (!rows.is_empty()).then(|| Arc::new(Chunk { rows }))
        });
        let groups = std::iter::from_fn(|| {
            let group: Group<T> = chunks.by_ref().take(GROUP).collect();
            (group.len() > 0).then(|| Arc::new(group))
        });
        Self { groups: groups.collect() }
    }
}

impl<T> Clone for Chunk<T> {
    fn clone(&self) -> Self {
        let mut rows = Vec::with_capacity(CHUNK + 1);
        rows.extend(self.rows.iter().cloned());
        Self { rows }
    }
}

impl<T> Default for Chunk<T> {
    fn default() -> Self {
        Self { rows: Vec::new() }
    }
}

impl<N> Clone for Branch<N> {
    fn clone(&self) -> Self {
        Self { children: self.children.clone() }
    }
}

impl<N> Default for Branch<N> {
    fn default() -> Self {
        Self { children: Vec::new() }
    }
}

impl<N> Clone for Child<N> {
    fn clone(&self) -> Self {
        Self { end: self.end, node: Arc::clone(&self.node) }
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self { groups: self.groups.clone() }
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { groups: Branch::default() }
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|(left, right)| **left == **right)
    }
}

impl<T: PartialEq> PartialEq<[T]> for List<T> {
    fn eq(&self, other: &[T]) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(left, right)| **left == *right)
    }
}

impl<T: fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// # Panics
/// When there is no row at the index; [`get`](List::get) does not.
impl<T> Index<usize> for List<T> {
    type Output = T;

    #[expect(clippy::expect_used, reason = "as slices do")]
    fn index(&self, index: usize) -> &T {
        self.get(index).expect("the list has no such index")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_list_is_a_vec(start in 0usize..20_000, steps in prop::collection::vec((0u8..3, any::<prop::sample::Index>()), 0..400)) {
            let mut model: Vec<usize> = (0..start).collect();
            let mut list: List<usize> = model.iter().map(|&n| Row::new(n)).collect();
            let before = list.clone();
            for (n, (step, at)) in steps.into_iter().enumerate() {
                match (step, model.len()) {
                    (0, len) | (_, len @ 0) => {
                        let at = at.index(len + 1);
                        model.insert(at, n);
                        list.insert(at, Row::new(n));
                    }
                    (1, len) => {
                        let at = at.index(len);
                        prop_assert_eq!(*list.remove(at).unwrap(), model.remove(at));
                    }
                    (_, len) => {
                        let at = at.index(len);
                        model[at] = n;
                        list.replace(at, Row::new(n));
                    }
                }
                prop_assert_eq!(list.len(), model.len());
            }
            prop_assert!(list.iter().map(|row| **row).eq(model.iter().copied()));
            prop_assert!((0..list.len()).all(|at| list.get(at).map(|row| **row) == model.get(at).copied()));
            prop_assert_eq!(list.get(list.len()), None);
            prop_assert!(before.iter().map(|row| **row).eq(0..start));
        }
    }
}
