//! Lists of rows, as live queries give them.

use std::fmt;
use std::ops::{Index, Range, RangeInclusive};

use serde::{Serialize, Serializer};

use super::chunked::SharedChunks;
use super::row::SharedRow;

/// An immutable list of rows: the value of a live query that returns several rows.
///
/// A clone shares all rows; it takes one step per 2,000 rows. Reading by index takes a binary search
/// in each of three levels.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::todos::*;
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
    rows: SharedChunks<SharedRow<T>>,
}

impl<T> List<T> {
    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the list has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the row at `index`, or `None` if the list is shorter.
    pub fn get(&self, index: usize) -> Option<&SharedRow<T>> {
        self.rows.get(index)
    }

    /// Returns the first row, or `None` if the list is empty.
    pub fn first(&self) -> Option<&SharedRow<T>> {
        self.get(0)
    }

    /// Returns the last row, or `None` if the list is empty.
    pub fn last(&self) -> Option<&SharedRow<T>> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Iterates over the rows, in the query's order.
    pub fn iter(&self) -> impl Iterator<Item = &SharedRow<T>> + '_ {
        self.rows.iter()
    }

    /// Whether both lists have rows with the same values. Outside of `range`, they are known to.
    pub(super) fn matches(&self, other: &Self, mut range: Range<usize>) -> bool {
        let same = |at| SharedRow::both_match(self.get(at), other.get(at));
        self.len() == other.len() && range.all(same)
    }

    /// Whether all rows of `range` have the same values.
    pub(super) fn is_uniform(&self, range: RangeInclusive<usize>) -> bool {
        let first = self.get(*range.start());
        range.map(|at| self.get(at)).all(|row| SharedRow::both_match(first, row))
    }

    /// Inserts a row at `index`, or at the end if the list is shorter.
    pub(super) fn insert(&mut self, index: usize, row: SharedRow<T>) {
        self.rows.insert(index, row);
    }

    /// Removes the row at `index`.
    pub(super) fn remove(&mut self, index: usize) -> Option<SharedRow<T>> {
        self.rows.remove(index)
    }

    /// Replaces the row at `index`.
    pub(super) fn replace(&mut self, index: usize, row: SharedRow<T>) {
        if let Some(old) = self.rows.get_mut(index) {
            *old = row;
        }
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a SharedRow<T>;
    type IntoIter = Box<dyn Iterator<Item = &'a SharedRow<T>> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<T> FromIterator<SharedRow<T>> for List<T> {
    fn from_iter<I: IntoIterator<Item = SharedRow<T>>>(rows: I) -> Self {
        Self { rows: rows.into_iter().collect() }
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self { rows: self.rows.clone() }
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { rows: SharedChunks::default() }
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
/// When the list has no row at the index; [`get`](List::get) returns `None` instead.
impl<T> Index<usize> for List<T> {
    type Output = T;

    #[expect(clippy::expect_used, reason = "as slices do")]
    fn index(&self, index: usize) -> &T {
        self.get(index).expect("the index is within the list")
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
            let mut list: List<usize> = model.iter().map(|&n| SharedRow::new(n)).collect();
            let before = list.clone();
            for (n, (step, at)) in steps.into_iter().enumerate() {
                match (step, model.len()) {
                    (0, len) | (_, len @ 0) => {
                        let at = at.index(len + 1);
                        model.insert(at, n);
                        list.insert(at, SharedRow::new(n));
                    }
                    (1, len) => {
                        let at = at.index(len);
                        prop_assert_eq!(*list.remove(at).unwrap(), model.remove(at));
                    }
                    (_, len) => {
                        let at = at.index(len);
                        model[at] = n;
                        list.replace(at, SharedRow::new(n));
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
