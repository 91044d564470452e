//! Items in order, which are found by comparison and known by position.

use std::cmp::Ordering;

use crate::table::order;
use crate::value::Value;

/// Items a chunk has at most; it is split beyond.
const CHUNK: usize = 128;

/// Items in order. Nobody shares them, so they stand side by side.
pub(super) struct Sorted<T> {
    /// None is empty.
    chunks: Vec<Chunk<T>>,
}

struct Chunk<T> {
    /// The position of its first item.
    start: usize,
    items: Vec<T>,
}

/// What an item is ordered by: mostly one value, which is at hand here.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    first: Value<'static>,
    rest: Box<[Value<'static>]>,
}

impl Key {
    pub(super) fn new(values: impl IntoIterator<Item = Value<'static>>) -> Self {
        let mut values = values.into_iter();
        Self { first: values.next().unwrap_or(Value::Null), rest: values.collect() }
    }

    /// The values; a `NULL` where there are none.
    pub(super) fn values(&self) -> impl Iterator<Item = &Value<'static>> {
        std::iter::once(&self.first).chain(&*self.rest)
    }

    /// How it stands to as many values.
    pub(super) fn order<'a>(
        &self,
        mut values: impl Iterator<Item = &'a Value<'static>>,
    ) -> Ordering {
        let first = values.next().map_or(Ordering::Equal, |value| order(&self.first, value));
        first.then_with(|| {
            let mut rest = self.rest.iter().zip(values).map(|(left, right)| order(left, right));
            rest.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
        })
    }
}

impl<T> Sorted<T> {
    pub(super) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |chunk| chunk.start + chunk.items.len())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| &chunk.items)
    }

    pub(super) fn get(&self, at: usize) -> Option<&T> {
        let (chunk, within) = self.place(at);
        self.chunks.get(chunk)?.items.get(within)
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        let (chunk, within) = self.place(at);
        self.chunks.get_mut(chunk)?.items.get_mut(within)
    }

    /// Where the wanted item is, or else would be. `compare` says how an item stands to it.
    pub(super) fn search(&self, compare: impl Fn(&T) -> Ordering) -> Result<usize, usize> {
        let is_before = |chunk: &Chunk<T>| chunk.items.last().is_some_and(|it| compare(it).is_lt());
        let chunk = self.chunks.partition_point(is_before);
        let Some(Chunk { start, items }) = self.chunks.get(chunk) else { return Err(self.len()) };
        match items.binary_search_by(compare) {
            Ok(within) => Ok(start + within),
            Err(within) => Err(start + within),
        }
    }

    /// Puts an item at `at`, which is at most the length.
    pub(super) fn insert(&mut self, at: usize, item: T) {
        // Behind the last item of a chunk rather than before the first of the next.
        let (chunk, within) = at.checked_sub(1).map_or((0, 0), |before| {
            let (chunk, within) = self.place(before);
            (chunk, within + 1)
        });
        if self.chunks.is_empty() {
            self.chunks.push(Chunk { start: 0, items: Vec::new() });
        }
        let Some(Chunk { start, items }) = self.chunks.get_mut(chunk) else { return };
        items.insert(within, item);
        if items.len() > CHUNK {
            let half = items.split_off(CHUNK / 2);
            // One less than where it starts: it is counted up with those behind.
            let half = Chunk { start: *start + items.len() - 1, items: half };
            self.chunks.insert(chunk + 1, half);
        }
        self.chunks.iter_mut().skip(chunk + 1).for_each(|chunk| chunk.start += 1);
    }

    pub(super) fn remove(&mut self, at: usize) -> Option<T> {
        let (chunk, within) = self.place(at);
        let items = &mut self.chunks.get_mut(chunk)?.items;
        let item = (within < items.len()).then(|| items.remove(within))?;
        let is_empty = items.is_empty();
        self.chunks.iter_mut().skip(chunk + 1).for_each(|chunk| chunk.start -= 1);
        if is_empty {
            self.chunks.remove(chunk);
        }
        Some(item)
    }

    /// The chunk with the item at `at`, and the item's position there.
    fn place(&self, at: usize) -> (usize, usize) {
        let chunk = self.chunks.partition_point(|chunk| chunk.start <= at).saturating_sub(1);
        (chunk, at - self.chunks.get(chunk).map_or(0, |chunk| chunk.start))
    }
}

impl<T> FromIterator<T> for Sorted<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let (mut items, mut start) = (items.into_iter(), 0);
        let chunks = std::iter::from_fn(|| {
            let items: Vec<_> = items.by_ref().take(CHUNK).collect();
            let chunk = Chunk { start, items };
            start += chunk.items.len();
            (!chunk.items.is_empty()).then_some(chunk)
        });
        Self { chunks: chunks.collect() }
    }
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorted_items_are_a_sorted_vec(
            start in 0u32..1_000,
            steps in prop::collection::vec((any::<bool>(), 0u32..3_000), 0..600),
        ) {
            let mut model: Vec<u32> = (0..start).map(|n| n * 3).collect();
            let mut sorted: Sorted<u32> = model.iter().copied().collect();
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
