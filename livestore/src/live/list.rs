//! Lists of rows that are cheap to copy and cheap to change.
//!
//! A list of 100,000 rows is a shallow tree of chunks. A copy shares all of them; a change copies
//! the chunk it is in, and only if somebody else still looks at it.

use std::fmt;
use std::ops::{Deref, Index};
use std::sync::Arc;

/// Rows a chunk has at most; it is split beyond.
const CHUNK: usize = 128;
/// Chunks a group has at most.
const GROUP: usize = 64;

/// An immutable list of rows: what a live query over several rows is.
///
/// Cloning takes constant time. Reading by index takes a walk over three levels, the widest as long
/// as the list has groups of some 8,000 rows.
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
/// # Ok(())
/// # }
/// ```
pub struct List<T> {
    groups: Vec<Arc<Group<T>>>,
    len: usize,
}

struct Group<T> {
    chunks: Vec<Arc<Chunk<T>>>,
    len: usize,
}

struct Chunk<T> {
    rows: Vec<Row<T>>,
}

/// A row of a list. It derefs to the row; cloning shares it.
pub struct Row<T>(Arc<T>);

/// Where a row stands.
#[derive(Clone, Copy)]
struct Place {
    group: usize,
    chunk: usize,
    row: usize,
}

impl<T> List<T> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The row at `index`.
    pub fn get(&self, index: usize) -> Option<&Row<T>> {
        let place = self.place(index)?;
        self.groups.get(place.group)?.chunks.get(place.chunk)?.rows.get(place.row)
    }

    /// The first row.
    pub fn first(&self) -> Option<&Row<T>> {
        self.get(0)
    }

    /// Whether it is made of the very same rows: a look at where they are, not at what they are.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same = |(left, right): (&Row<T>, &Row<T>)| Arc::ptr_eq(&left.0, &right.0);
        self.len == other.len && self.iter().zip(other.iter()).all(same)
    }

    /// The rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Row<T>> + '_ {
        self.groups.iter().flat_map(|group| &group.chunks).flat_map(|chunk| &chunk.rows)
    }

    /// The rows, in order, from index `start` on.
    pub(super) fn iter_from(&self, start: usize) -> impl Iterator<Item = &Row<T>> + '_ {
        let place = self.place(start).unwrap_or(Place { group: usize::MAX, chunk: 0, row: 0 });
        self.groups
            .iter()
            .enumerate()
            .skip(place.group)
            .flat_map(move |(group, it)| {
                let first = if group == place.group { place.chunk } else { 0 };
                it.chunks.iter().enumerate().skip(first).map(move |(chunk, it)| (group, chunk, it))
            })
            .flat_map(move |(group, chunk, it)| {
                let here = group == place.group && chunk == place.chunk;
                it.rows.iter().skip(if here { place.row } else { 0 })
            })
    }

    /// The first index whose row does not meet `before`; those before it must all meet it.
    pub(super) fn partition_point(&self, mut before: impl FnMut(&T) -> bool) -> usize {
        let groups = self.groups.partition_point(|group| {
            let last = group.chunks.last().and_then(|chunk| chunk.rows.last());
            last.is_some_and(|row| before(row))
        });
        let mut index = self.groups.iter().take(groups).map(|group| group.len).sum::<usize>();
        let Some(group) = self.groups.get(groups) else { return index };
        let chunks =
            group.chunks.partition_point(|chunk| chunk.rows.last().is_some_and(|row| before(row)));
        index += group.chunks.iter().take(chunks).map(|chunk| chunk.rows.len()).sum::<usize>();
        let Some(chunk) = group.chunks.get(chunks) else { return index };
        index + chunk.rows.partition_point(|row| before(row))
    }

    /// Puts a row at `index`, which is at most the length.
    pub(super) fn insert(&mut self, index: usize, row: Row<T>) {
        let index = index.min(self.len);
        // Behind the last row of a chunk rather than before the first of the next.
        let place = match index.checked_sub(1).and_then(|before| self.place(before)) {
            Some(place) => Place { row: place.row + 1, ..place },
            None => Place { group: 0, chunk: 0, row: 0 },
        };
        if self.groups.is_empty() {
            self.groups.push(Arc::new(Group { chunks: Vec::new(), len: 0 }));
        }
        if let Some(group) = self.groups.get_mut(place.group) {
            let group = Arc::make_mut(group);
            group.insert(place, row);
            if group.chunks.len() > GROUP {
                let half = group.split();
                self.groups.insert(place.group + 1, Arc::new(half));
            }
            self.len += 1;
        }
    }

    /// Takes the row at `index` out.
    pub(super) fn remove(&mut self, index: usize) -> Option<Row<T>> {
        let place = self.place(index)?;
        let group = Arc::make_mut(self.groups.get_mut(place.group)?);
        let chunk = Arc::make_mut(group.chunks.get_mut(place.chunk)?);
        let row = chunk.rows.remove(place.row);
        if chunk.rows.is_empty() {
            group.chunks.remove(place.chunk);
        }
        group.len -= 1;
        if group.len == 0 {
            self.groups.remove(place.group);
        }
        self.len -= 1;
        Some(row)
    }

    /// Puts another row in the place of the one at `index`.
    pub(super) fn replace(&mut self, index: usize, row: Row<T>) {
        let place = self.place(index);
        let Some(place) = place else { return };
        let Some(group) = self.groups.get_mut(place.group) else { return };
        let Some(chunk) = Arc::make_mut(group).chunks.get_mut(place.chunk) else { return };
        if let Some(old) = Arc::make_mut(chunk).rows.get_mut(place.row) {
            *old = row;
        }
    }

    fn place(&self, index: usize) -> Option<Place> {
        let mut left = index;
        for (group, it) in self.groups.iter().enumerate() {
            if left >= it.len {
                left -= it.len;
                continue;
            }
            for (chunk, it) in it.chunks.iter().enumerate() {
                if left < it.rows.len() {
                    return Some(Place { group, chunk, row: left });
                }
                left -= it.rows.len();
            }
        }
        None
    }
}

impl<T> Group<T> {
    fn insert(&mut self, place: Place, row: Row<T>) {
        if self.chunks.is_empty() {
            self.chunks.push(Arc::new(Chunk { rows: Vec::with_capacity(CHUNK) }));
        }
        let Some(chunk) = self.chunks.get_mut(place.chunk) else { return };
        let chunk = Arc::make_mut(chunk);
        chunk.rows.insert(place.row, row);
        self.len += 1;
        if chunk.rows.len() > CHUNK {
            // A list that is filled at its end leaves full chunks behind.
            let at_end = place.row + 1 == chunk.rows.len();
            let rows = chunk.rows.split_off(if at_end { CHUNK } else { CHUNK / 2 });
            self.chunks.insert(place.chunk + 1, Arc::new(Chunk { rows }));
        }
    }

    fn split(&mut self) -> Self {
        let chunks = self.chunks.split_off(self.chunks.len() / 2);
        let len = chunks.iter().map(|chunk| chunk.rows.len()).sum();
        self.len -= len;
        Self { chunks, len }
    }
}

impl<T> FromIterator<Row<T>> for List<T> {
    fn from_iter<I: IntoIterator<Item = Row<T>>>(rows: I) -> Self {
        let mut rows = rows.into_iter();
        let mut chunks = Vec::new();
        loop {
            let chunk: Vec<_> = rows.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                break;
            }
            chunks.push(Arc::new(Chunk { rows: chunk }));
        }
        let group = |chunks: &[Arc<Chunk<T>>]| {
            let len = chunks.iter().map(|chunk| chunk.rows.len()).sum();
            Arc::new(Group { chunks: chunks.to_vec(), len })
        };
        let groups: Vec<_> = chunks.chunks(GROUP).map(group).collect();
        let len = groups.iter().map(|group| group.len).sum();
        Self { groups, len }
    }
}

impl<T> Row<T> {
    pub(super) fn new(row: T) -> Self {
        Self(Arc::new(row))
    }
}

impl<T> Deref for Row<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for Row<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Clone for Chunk<T> {
    fn clone(&self) -> Self {
        let mut rows = Vec::with_capacity(CHUNK + 1);
        rows.extend(self.rows.iter().cloned());
        Self { rows }
    }
}

impl<T> Clone for Group<T> {
    fn clone(&self) -> Self {
        Self { chunks: self.chunks.clone(), len: self.len }
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self { groups: self.groups.clone(), len: self.len }
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { groups: Vec::new(), len: 0 }
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len
            && self.iter().zip(other.iter()).all(|(left, right)| **left == **right)
    }
}

impl<T: PartialEq> PartialEq<[T]> for List<T> {
    fn eq(&self, other: &[T]) -> bool {
        self.len == other.len() && self.iter().zip(other).all(|(left, right)| **left == *right)
    }
}

impl<T: fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for Row<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Row<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
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
            let middle = model.len() / 2;
            prop_assert!(list.iter_from(middle).map(|row| **row).eq(model[middle..].iter().copied()));
            prop_assert!(before.iter().map(|row| **row).eq(0..start));
        }
    }

    #[test]
    fn the_partition_point_is_a_vecs() {
        let list: List<usize> = (0..30_000).map(|n| Row::new(n * 2)).collect();
        for n in [0, 1, 2, 127, 128, 16_383, 16_384, 59_998, 59_999, 70_000] {
            assert_eq!(list.partition_point(|&row| row < n), n.div_ceil(2).min(30_000), "{n}");
        }
    }
}
