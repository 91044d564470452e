//! The steps that changes make in a list, and whether the list has changed after them.
//!
//! Rows that exchange their places, or go and come back, leave a list with the values that it had.
//! Then nobody is notified.

use crate::live::diff::Diff;
use crate::live::list::List;
use crate::live::row::{RowFingerprint, SharedRow};

pub(in crate::live) struct Steps<O> {
    all: Vec<Diff<O>>,
    /// The sum of the fingerprints of the rows that came, less those of the rows that went. Not 0
    /// if the list has changed.
    balance: RowFingerprint,
}

impl<O> Steps<O> {
    pub(in crate::live) fn all(&self) -> &[Diff<O>] {
        &self.all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.balance = 0;
    }

    pub(super) fn insert(&mut self, index: usize, row: SharedRow<O>) {
        self.balance = self.balance.wrapping_add(row.fingerprint());
        self.all.push(Diff::Insert { index, row });
    }

    pub(super) fn remove(&mut self, index: usize, row: &SharedRow<O>) {
        self.balance = self.balance.wrapping_sub(row.fingerprint());
        self.all.push(Diff::Remove { index });
    }

    pub(super) fn update(&mut self, index: usize, old: &SharedRow<O>, row: SharedRow<O>) {
        let difference = row.fingerprint().wrapping_sub(old.fingerprint());
        self.balance = self.balance.wrapping_add(difference);
        self.all.push(Diff::Update { index, row });
    }

    pub(super) fn relocate(&mut self, from: usize, to: usize) {
        self.all.push(Diff::Move { from, to });
    }

    /// Takes the steps in the list and returns true, unless it would have the same values after
    /// them.
    pub(in crate::live) fn apply(&self, list: &mut List<O>) -> bool {
        match &*self.all {
            _ if self.balance != 0 => self.take(list),
            [] => return false,
            [Diff::Move { from, to }] => {
                if list.is_uniform(*from.min(to)..=*from.max(to)) {
                    return false;
                }
                self.take(list);
            }
            all => {
                let before = list.clone();
                self.take(list);
                if list.matches(&before, Diff::touched(all, before.len())) {
                    *list = before;
                    return false;
                }
            }
        }
        true
    }

    fn take(&self, list: &mut List<O>) {
        self.all.iter().for_each(|step| step.patch(list));
    }
}

impl<O> Default for Steps<O> {
    fn default() -> Self {
        Self { all: Vec::new(), balance: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::RowReader;
    use crate::value::Value;
    use prop::sample::Index;
    use proptest::prelude::*;

    fn row(value: i64) -> SharedRow<i64> {
        SharedRow::read(&RowReader::of_values(&[Value::Integer(value)], None), 1, |row| row.get(0))
            .unwrap()
    }

    proptest! {
        #[test]
        fn a_list_with_the_same_values_has_not_changed(
            before in prop::collection::vec(0i64..2, 0..12),
            changes in prop::collection::vec((0u8..4, any::<Index>(), any::<Index>(), 0i64..2), 0..6),
        ) {
            let mut list: List<i64> = before.iter().copied().map(row).collect();
            let (mut steps, mut after) = (Steps::default(), before.clone());
            for (kind, at, to, shown) in changes {
                if kind == 0 || after.is_empty() {
                    let index = at.index(after.len() + 1);
                    after.insert(index, shown);
                    steps.insert(index, row(shown));
                    continue;
                }
                let (at, to) = (at.index(after.len()), to.index(after.len()));
                let old = after.remove(at);
                match kind {
                    1 => steps.remove(at, &row(old)),
                    2 => {
                        after.insert(at, shown);
                        steps.update(at, &row(old), row(shown));
                    }
                    _ => {
                        after.insert(to, old);
                        steps.relocate(at, to);
                    }
                }
            }
            prop_assert_eq!(steps.apply(&mut list), !steps.all().is_empty() && after != before);
            prop_assert_eq!(&list, after.as_slice());
        }
    }
}
