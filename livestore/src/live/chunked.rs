//! Sequences in chunks, which are cheap to edit anywhere.
//!
//! A sequence is a tree of [branches](Branch), whose leaves are [chunks](Chunk) of items. What stands
//! behind [`Shared`] is shared with the copies of the sequence.

use std::cmp::Ordering;
use std::sync::Arc;

/// A sequence of subtrees.
#[derive(Clone)]
pub(super) struct Chunked<N> {
    root: Branch<N, { usize::MAX }>,
}

/// A sequence that is cheap to copy, too: a copy shares all items. 100,000 of them are a tree of
/// three levels: the sequence has groups, a group has chunks, a chunk has items. An edit copies the
/// chunk and the group that it is in, and those only if a copy still shares them.
///
/// Its chunks are small, as an edit of a shared one touches all of its items.
pub(super) type SharedChunks<T> = Chunked<Shared<Branch<Shared<Chunk<T, 32>>, 64>>>;

/// A sequence that is not copied. Nothing is shared, so that an item is found with few steps.
pub(super) type OwnedChunks<T> = Chunked<Chunk<T, 128>>;

/// Subtrees side by side, at most `MAX` of them.
#[derive(Clone)]
pub(super) struct Branch<N, const MAX: usize> {
    children: Vec<Child<N>>,
}

#[derive(Clone)]
struct Child<N> {
    /// The index behind the child's last item, counted from the start of the branch.
    end: usize,
    node: N,
}

/// Items side by side, at most `MAX` of them.
pub(super) struct Chunk<T, const MAX: usize> {
    items: Vec<T>,
}

/// A subtree that copies share until one of them edits it.
#[derive(Default)]
pub(super) struct Shared<N>(Arc<N>);

impl<N: Subtree> Chunked<N> {
    pub(super) fn len(&self) -> usize {
        self.root.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &N::Item> {
        self.root.iter()
    }

    pub(super) fn get(&self, index: usize) -> Option<&N::Item> {
        self.root.get(index)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut N::Item> {
        self.root.get_mut(index)
    }

    /// Inserts an item at `index`, or at the end if the sequence is shorter.
    pub(super) fn insert(&mut self, index: usize, item: N::Item) {
        self.root.insert(index.min(self.len()), item);
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<N::Item> {
        self.root.remove(index)
    }

    /// Finds an item of a sorted sequence: its index, or else the index at which it would be
    /// inserted. `compare` says how an item compares to the wanted one.
    pub(super) fn search(&self, compare: impl Fn(&N::Item) -> Ordering) -> Result<usize, usize> {
        self.root.search(&compare)
    }
}

/// A part of the tree.
pub(super) trait Subtree: Default {
    type Item;

    /// Makes a subtree of as many of the items as it may have.
    fn fill(items: &mut impl Iterator<Item = Self::Item>) -> Self;
    fn len(&self) -> usize;
    fn iter(&self) -> impl Iterator<Item = &Self::Item>;
    fn last(&self) -> Option<&Self::Item>;
    fn get(&self, index: usize) -> Option<&Self::Item>;
    fn get_mut(&mut self, index: usize) -> Option<&mut Self::Item>;
    /// Inserts at an index of at most the length. Returns the half to put behind this subtree if it
    /// has grown too large.
    fn insert(&mut self, index: usize, item: Self::Item) -> Option<Self>;
    fn remove(&mut self, index: usize) -> Option<Self::Item>;
    fn search(&self, compare: &impl Fn(&Self::Item) -> Ordering) -> Result<usize, usize>;
}

impl<T, const MAX: usize> Subtree for Chunk<T, MAX> {
    type Item = T;

    fn fill(items: &mut impl Iterator<Item = T>) -> Self {
        Self { items: items.take(MAX).collect() }
    }

    fn len(&self) -> usize {
        self.items.len()
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
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

    fn fill(items: &mut impl Iterator<Item = N::Item>) -> Self {
        let nodes = std::iter::from_fn(|| {
            let node = N::fill(items);
            (node.len() > 0).then_some(node)
        });
        nodes.take(MAX).collect()
    }

    fn len(&self) -> usize {
        self.end_of(self.children.len())
    }

    fn iter(&self) -> impl Iterator<Item = &N::Item> {
        self.children.iter().flat_map(|child| child.node.iter())
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
        self.children.get_mut(at)?.node.get_mut(within)
    }

    fn insert(&mut self, index: usize, item: N::Item) -> Option<Self> {
        // Behind the last item of a child rather than before the first of the next.
        let (at, within) = index.checked_sub(1).map_or((0, 0), |before| {
            let (at, within) = self.find(before);
            (at, within + 1)
        });
        if self.children.is_empty() {
            self.children.push(Child { end: 0, node: N::default() });
        }
        let split = self.children.get_mut(at)?.node.insert(within, item);
        self.children.iter_mut().skip(at).for_each(|child| child.end += 1);
        if let (Some(half), Some(child)) = (split, self.children.get_mut(at)) {
            let end = child.end;
            child.end -= half.len();
            self.children.insert(at + 1, Child { end, node: half });
        }
        (self.children.len() > MAX).then(|| {
            let half = self.children.split_off(MAX / 2);
            half.into_iter().map(|child| child.node).collect()
        })
    }

    fn remove(&mut self, index: usize) -> Option<N::Item> {
        let (at, within) = self.find(index);
        let node = &mut self.children.get_mut(at)?.node;
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

/// A node that is shared is copied before it is edited.
impl<N: Subtree + Clone> Subtree for Shared<N> {
    type Item = N::Item;

    fn fill(items: &mut impl Iterator<Item = N::Item>) -> Self {
        Self(Arc::new(N::fill(items)))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn iter(&self) -> impl Iterator<Item = &N::Item> {
        self.0.iter()
    }

    fn last(&self) -> Option<&N::Item> {
        self.0.last()
    }

    fn get(&self, index: usize) -> Option<&N::Item> {
        self.0.get(index)
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut N::Item> {
        Arc::make_mut(&mut self.0).get_mut(index)
    }

    fn insert(&mut self, index: usize, item: N::Item) -> Option<Self> {
        Arc::make_mut(&mut self.0).insert(index, item).map(|half| Self(Arc::new(half)))
    }

    fn remove(&mut self, index: usize) -> Option<N::Item> {
        Arc::make_mut(&mut self.0).remove(index)
    }

    fn search(&self, compare: &impl Fn(&N::Item) -> Ordering) -> Result<usize, usize> {
        self.0.search(compare)
    }
}

impl<N: Subtree, const MAX: usize> FromIterator<N> for Branch<N, MAX> {
    fn from_iter<I: IntoIterator<Item = N>>(nodes: I) -> Self {
        let mut end = 0;
        let child = |node: N| {
            end += node.len();
            Child { end, node }
        };
        Self { children: nodes.into_iter().map(child).collect() }
    }
}

impl<N: Subtree> FromIterator<N::Item> for Chunked<N> {
    fn from_iter<I: IntoIterator<Item = N::Item>>(items: I) -> Self {
        Self { root: Branch::fill(&mut items.into_iter()) }
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

impl<N> Clone for Shared<N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T, const MAX: usize> Default for Chunk<T, MAX> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<N, const MAX: usize> Default for Branch<N, MAX> {
    fn default() -> Self {
        Self { children: Vec::new() }
    }
}

impl<N> Default for Chunked<N> {
    fn default() -> Self {
        Self { root: Branch::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Splits soon, at every level.
    type Small = Chunked<Shared<Branch<Chunk<u32, 16>, 4>>>;

    proptest! {
        #[test]
        fn a_sorted_sequence_is_a_sorted_vec(
            start in 0u32..1_000,
            steps in prop::collection::vec((any::<bool>(), 0u32..3_000), 0..600),
        ) {
            let mut model: Vec<u32> = (0..start).map(|n| n * 3).collect();
            let mut sorted: Small = model.iter().copied().collect();
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
