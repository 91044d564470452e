//! The steps that changes make in a list, and whether they lead anywhere.
//!
//! Rows that exchange their places, or go and come back, leave a list that shows what it showed:
//! then nobody is told.

use crate::live::diff::Diff;
use crate::live::list::List;
use crate::live::row::{Look, Row};

pub(super) struct Steps<O> {
    all: Vec<Diff<O>>,
    /// The looks of the rows that came, less those of the rows that went: 0 if they are the same.
    balance: Look,
}

impl<O> Steps<O> {
    pub(super) fn all(&self) -> &[Diff<O>] {
        &self.all
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.balance = 0;
    }

    pub(super) fn insert(&mut self, index: usize, row: Row<O>) {
        self.balance = self.balance.wrapping_add(row.look());
        self.all.push(Diff::Insert { index, row });
    }

    pub(super) fn remove(&mut self, index: usize, row: &Row<O>) {
        self.balance = self.balance.wrapping_sub(row.look());
        self.all.push(Diff::Remove { index });
    }

    pub(super) fn update(&mut self, index: usize, old: &Row<O>, row: Row<O>) {
        self.balance = self.balance.wrapping_add(row.look()).wrapping_sub(old.look());
        self.all.push(Diff::Update { index, row });
    }

    pub(super) fn relocate(&mut self, from: usize, to: usize) {
        self.all.push(Diff::Move { from, to });
    }

    /// Has the list take the steps, if it shows something else then. Says whether it does.
    pub(super) fn edit(&self, list: &mut List<O>) -> bool {
        match &*self.all {
            _ if self.balance != 0 => self.apply(list),
            [Diff::Move { from, to }] => {
                if list.looks_uniform(*from.min(to)..=*from.max(to)) {
                    return false;
                }
                self.apply(list);
            }
            all => {
                let before = list.clone();
                self.apply(list);
                if list.looks_like(&before, Diff::touched(all, before.len())) {
                    *list = before;
                    return false;
                }
            }
        }
        true
    }

    fn apply(&self, list: &mut List<O>) {
        self.all.iter().for_each(|step| step.edit(list));
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

    fn row(shown: i64) -> Row<i64> {
        Row::read(&RowReader::of_values(&[Value::Integer(shown)], None), 1, |row| row.get(0))
            .unwrap()
    }

    proptest! {
        #[test]
        fn a_list_that_shows_the_same_is_not_another(
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
            prop_assert_eq!(steps.edit(&mut list), !steps.all().is_empty() && after != before);
            prop_assert_eq!(&list, after.as_slice());
        }
    }
}
