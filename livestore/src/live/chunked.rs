//! A sequence in chunks: cheap to edit anywhere, and cheap to copy.
//!
//! 100,000 items are a tree of three levels: the sequence has groups, a group has chunks, a chunk
//! has items. A copy shares all of it. An edit copies the chunk and the group it is in, and those
//! only if a copy still shares them.

use std::cmp::Ordering;
use std::sync::Arc;

/// A sequence of chunks with at most `CHUNK` items each, in groups of at most `GROUP` chunks.
///
/// Small chunks suit sequences that are shared, where an edit copies a chunk; large ones suit those
/// that are not.
pub(super) struct Chunked<T, const CHUNK: usize, const GROUP: usize> {
    groups: Branch<Branch<Chunk<T, CHUNK>, GROUP>, { usize::MAX }>,
}

/// Subtrees side by side, at most `MAX` of them.
struct Branch<N, const MAX: usize> {
    children: Vec<Child<N>>,
}

struct Child<N> {
    /// The index behind the child's last item, counted from the start of the branch.
    end: usize,
    node: Arc<N>,
}

struct Chunk<T, const MAX: usize> {
    items: Vec<T>,
}

impl<T, const CHUNK: usize, const GROUP: usize> Chunked<T, CHUNK, GROUP> {
    pub(super) fn len(&self) -> usize {
        self.groups.end_of(self.groups.children.len())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.groups.nodes().flat_map(Branch::nodes).flat_map(|chunk| &chunk.items)
    }
}

impl<T: Clone, const CHUNK: usize, const GROUP: usize> Chunked<T, CHUNK, GROUP> {
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        self.groups.get(index)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.groups.get_mut(index)
    }

    /// Inserts an item at `index`, or at the end if the sequence is shorter.
    pub(super) fn insert(&mut self, index: usize, item: T) {
        self.groups.insert(index.min(self.len()), item);
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<T> {
        self.groups.remove(index)
    }

    /// Finds an item of a sorted sequence: its index, or else the index at which it would be
    /// inserted. `compare` says how an item compares to the wanted one.
    pub(super) fn search(&self, compare: impl Fn(&T) -> Ordering) -> Result<usize, usize> {
        self.groups.search(&compare)
    }
}

/// A part of the tree.
trait Subtree: Clone + Default {
    type Item;

    fn len(&self) -> usize;
    fn last(&self) -> Option<&Self::Item>;
    fn get(&self, index: usize) -> Option<&Self::Item>;
    /// Copies what is shared first.
    fn get_mut(&mut self, index: usize) -> Option<&mut Self::Item>;
    /// Inserts at an index of at most the length. Returns the half to put behind this subtree if it
    /// has grown too large.
    fn insert(&mut self, index: usize, item: Self::Item) -> Option<Self>;
    fn remove(&mut self, index: usize) -> Option<Self::Item>;
    fn search(&self, compare: &impl Fn(&Self::Item) -> Ordering) -> Result<usize, usize>;
}

impl<T: Clone, const MAX: usize> Subtree for Chunk<T, MAX> {
    type Item = T;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn last(&self) -> Option<&T> {
        self.items.last()
    }

    fn get(&self, index: usize) -> Option<&T> {
        self.items.get(index)
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.items.get_mut(index)
    }

    fn insert(&mut self, index: usize, item: T) -> Option<Self> {
        self.items.insert(index, item);
        // A sequence that grows at its end leaves full chunks behind.
        let keep = if index == MAX { MAX } else { MAX / 2 };
        (self.items.len() > MAX).then(|| Self { items: self.items.split_off(keep) })
    }

    fn remove(&mut self, index: usize) -> Option<T> {
        (index < self.items.len()).then(|| self.items.remove(index))
    }

    fn search(&self, compare: &impl Fn(&T) -> Ordering) -> Result<usize, usize> {
        self.items.binary_search_by(compare)
    }
}

impl<N, const MAX: usize> Branch<N, MAX> {
    fn nodes(&self) -> impl Iterator<Item = &N> {
        self.children.iter().map(|child| &*child.node)
    }

    /// The index behind the last item of the first `count` children.
    fn end_of(&self, count: usize) -> usize {
        count.checked_sub(1).and_then(|last| self.children.get(last)).map_or(0, |child| child.end)
    }

    /// The child that has the item at `index`, and the item's index there.
    fn find(&self, index: usize) -> (usize, usize) {
        let at = self.children.partition_point(|child| child.end <= index);
        (at, index - self.end_of(at))
    }
}

impl<N: Subtree, const MAX: usize> Subtree for Branch<N, MAX> {
    type Item = N::Item;

    fn len(&self) -> usize {
        self.end_of(self.children.len())
    }

    fn last(&self) -> Option<&N::Item> {
        self.children.last()?.node.last()
    }

    fn get(&self, index: usize) -> Option<&N::Item> {
        let (at, within) = self.find(index);
        self.children.get(at)?.node.get(within)
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut N::Item> {
        let (at, within) = self.find(index);
        Arc::make_mut(&mut self.children.get_mut(at)?.node).get_mut(within)
    }

    fn insert(&mut self, index: usize, item: N::Item) -> Option<Self> {
        // Behind the last item of a child rather than before the first of the next.
        let (at, within) = index.checked_sub(1).map_or((0, 0), |before| {
            let (at, within) = self.find(before);
            (at, within + 1)
        });
        if self.children.is_empty() {
            self.children.push(Child { end: 0, node: Arc::default() });
        }
        let split = Arc::make_mut(&mut self.children.get_mut(at)?.node).insert(within, item);
        self.children.iter_mut().skip(at).for_each(|child| child.end += 1);
        if let (Some(half), Some(child)) = (split, self.children.get_mut(at)) {
            let end = child.end;
            child.end -= half.len();
            self.children.insert(at + 1, Child { end, node: Arc::new(half) });
        }
        (self.children.len() > MAX).then(|| {
            let half = self.children.split_off(MAX / 2);
            half.into_iter().map(|child| child.node).collect()
        })
    }

    fn remove(&mut self, index: usize) -> Option<N::Item> {
        let (at, within) = self.find(index);
        let node = Arc::make_mut(&mut self.children.get_mut(at)?.node);
        let item = node.remove(within)?;
        let is_empty = node.len() == 0;
        self.children.iter_mut().skip(at).for_each(|child| child.end -= 1);
        if is_empty {
            self.children.remove(at);
        }
        Some(item)
    }

    fn search(&self, compare: &impl Fn(&N::Item) -> Ordering) -> Result<usize, usize> {
        let is_before = |child: &Child<N>| child.node.last().is_some_and(|it| compare(it).is_lt());
        let at = self.children.partition_point(is_before);
        let start = self.end_of(at);
        match self.children.get(at).map(|child| child.node.search(compare)) {
            Some(Ok(within)) => Ok(start + within),
            Some(Err(within)) => Err(start + within),
            None => Err(start),
        }
    }
}

impl<N: Subtree, const MAX: usize> FromIterator<Arc<N>> for Branch<N, MAX> {
    fn from_iter<I: IntoIterator<Item = Arc<N>>>(nodes: I) -> Self {
        let mut end = 0;
        let child = |node: Arc<N>| {
            end += node.len();
            Child { end, node }
        };
        Self { children: nodes.into_iter().map(child).collect() }
    }
}

impl<T: Clone, const CHUNK: usize, const GROUP: usize> FromIterator<T>
    for Chunked<T, CHUNK, GROUP>
{
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut items = items.into_iter();
        let mut chunks = std::iter::from_fn(|| {
            let items: Vec<_> = items.by_ref().take(CHUNK).collect();
            (!items.is_empty()).then(|| Arc::new(Chunk { items }))
        });
        let groups = std::iter::from_fn(|| {
            let group: Branch<_, GROUP> = chunks.by_ref().take(GROUP).collect();
            (!group.children.is_empty()).then(|| Arc::new(group))
        });
        Self { groups: groups.collect() }
    }
}

impl<T: Clone, const MAX: usize> Clone for Chunk<T, MAX> {
    fn clone(&self) -> Self {
        // It is copied to be changed: with room for the item that makes it split.
        let mut items = Vec::with_capacity(MAX + 1);
        items.extend(self.items.iter().cloned());
        Self { items }
    }
}

impl<T, const MAX: usize> Default for Chunk<T, MAX> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<N, const MAX: usize> Clone for Branch<N, MAX> {
    fn clone(&self) -> Self {
        Self { children: self.children.clone() }
    }
}

impl<N, const MAX: usize> Default for Branch<N, MAX> {
    fn default() -> Self {
        Self { children: Vec::new() }
    }
}

impl<N> Clone for Child<N> {
    fn clone(&self) -> Self {
        Self { end: self.end, node: Arc::clone(&self.node) }
    }
}

impl<T, const CHUNK: usize, const GROUP: usize> Clone for Chunked<T, CHUNK, GROUP> {
    fn clone(&self) -> Self {
        Self { groups: self.groups.clone() }
    }
}

impl<T, const CHUNK: usize, const GROUP: usize> Default for Chunked<T, CHUNK, GROUP> {
    fn default() -> Self {
        Self { groups: Branch::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_sorted_sequence_is_a_sorted_vec(
            start in 0u32..1_000,
            steps in prop::collection::vec((any::<bool>(), 0u32..3_000), 0..600),
        ) {
            let mut model: Vec<u32> = (0..start).map(|n| n * 3).collect();
            let mut sorted: Chunked<u32, 16, 4> = model.iter().copied().collect();
            for (insert, wanted) in steps {
                let found = sorted.search(|item| item.cmp(&wanted));
                prop_assert_eq!(found, model.binary_search(&wanted));
                match found {
                    Err(at) if insert => {
                        sorted.insert(at, wanted);
                        model.insert(at, wanted);
                    }
                    Ok(at) => prop_assert_eq!(sorted.remove(at), Some(model.remove(at))),
                    Err(_) => {}
                }
                prop_assert_eq!(sorted.len(), model.len());
            }
            prop_assert!(sorted.iter().eq(&model));
            prop_assert!((0..model.len()).all(|at| sorted.get(at) == model.get(at)));
            prop_assert_eq!(sorted.get(model.len()), None);
        }
    }
}
