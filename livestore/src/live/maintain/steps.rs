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
