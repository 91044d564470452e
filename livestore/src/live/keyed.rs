//! The changes of a list, for items that stay with their rows.

use std::collections::HashMap;
use std::hash::Hash;

use super::diff::Diff;
use super::row::SharedRow;

impl<T> Diff<T> {
    /// Takes the step in a list of items, each with the key of its row, such as the signals or widgets
    /// of a list on a screen. An item stays with its row: it is made by `make` when the row comes, and
    /// passed to `update` with each new version of it; it moves as the row does.
    ///
    /// Returns whether an item has come, gone or moved. If not, the list itself need not be drawn again.
    ///
    /// The keys of the rows of a list must differ. Where two are equal, their items may be made anew.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::notes::*;
    /// # fn main() -> livestore::Result<()> {
    /// use livestore::live::{Reactive, Signal, signal};
    ///
    /// let store = Store::<App>::builder("notes").open()?;
    /// let mut diffs = store.live(Note::all().order_by(Note::ID.asc()))?.diffs();
    /// let mut shown: Vec<(String, Signal<String>)> = Vec::new();
    /// let mut has_changed = || {
    ///     let steps = diffs.try_next().unwrap_or_default();
    ///     let key = |note: &Note| note.id.clone();
    ///     let take = |step: &Diff<Note>| {
    ///         step.apply_keyed(
    ///             &mut shown,
    ///             key,
    ///             |note| signal(note.text.clone()),
    ///             |text, note| text.set(note.text.clone()),
    ///         )
    ///     };
    ///     // Each step has to be taken.
    ///     steps.iter().map(take).fold(false, |any, one| any | one)
    /// };
    /// assert!(!has_changed());                                  // an empty list, as before
    /// store.commit(added("milk"))?;
    /// assert!(has_changed());
    /// store.commit(NoteEvent::Changed { id: "milk".into(), text: "2 litres".into() })?;
    /// assert!(!has_changed());
    /// assert_eq!(*shown[0].1.get(), "2 litres");
    /// # Ok(())
    /// # }
    /// ```
    pub fn apply_keyed<K: Eq + Hash, I>(
        &self,
        items: &mut Vec<(K, I)>,
        key: impl Fn(&T) -> K,
        make: impl Fn(&SharedRow<T>) -> I,
        mut update: impl FnMut(&mut I, &SharedRow<T>),
    ) -> bool {
        let make = |row: &SharedRow<T>| (key(row), make(row));
        match self {
            Self::Update { index, row } => match items.get_mut(*index) {
                Some((old, item)) if *old == key(row) => {
                    update(item, row);
                    return false;
                }
                Some(item) => *item = make(row),
                None => return false,
            },
            Self::Insert { index, row } => items.insert((*index).min(items.len()), make(row)),
            Self::Remove { index } if *index < items.len() => drop(items.remove(*index)),
            Self::Move { from, to } if *from < items.len() => {
                let item = items.remove(*from);
                items.insert((*to).min(items.len()), item);
            }
            Self::Remove { .. } | Self::Move { .. } => return false,
            Self::Reset { rows } => {
                let is_same = items.len() == rows.len()
                    && items.iter().zip(rows).all(|((old, _), row)| *old == key(row));
                if is_same {
                    items.iter_mut().zip(rows).for_each(|((_, item), row)| update(item, row));
                    return false;
                }
                let mut before: HashMap<K, I> = items.drain(..).collect();
                items.extend(rows.iter().map(|row| match before.remove_entry(&key(row)) {
                    Some((key, mut item)) => {
                        update(&mut item, row);
                        (key, item)
                    }
                    None => make(row),
                }));
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::live::List;
    use proptest::prelude::*;

    /// A row: a key and a text.
    type Row = (u8, u8);

    /// An item knows which one it is.
    #[derive(Debug, Clone, PartialEq)]
    struct Item {
        made: usize,
        text: u8,
    }

    /// Takes the steps in both kinds of lists.
    #[derive(Default)]
    struct Screen {
        rows: Vec<Row>,
        items: Vec<(u8, Item)>,
        made: Cell<usize>,
        updates: Cell<usize>,
    }

    impl Screen {
        fn take(&mut self, step: &Diff<Row>) -> bool {
            let Self { rows, items, made, updates } = self;
            step.apply(rows, |row| *row);
            step.apply_keyed(
                items,
                |row| row.0,
                |row| Item { made: made.replace(made.get() + 1), text: row.1 },
                |item, row| {
                    updates.set(updates.get() + 1);
                    item.text = row.1;
                },
            )
        }
    }

    fn row(key: u8, text: u8) -> SharedRow<Row> {
        SharedRow::new((key, text))
    }

    fn reset(rows: &[Row]) -> Diff<Row> {
        Diff::Reset { rows: rows.iter().map(|&(key, text)| row(key, text)).collect::<List<_>>() }
    }

    #[test]
    fn an_item_stays_with_its_row() {
        let mut screen = Screen::default();
        assert!(screen.take(&reset(&[(1, 0), (2, 0), (3, 0)])));
        assert!(!screen.take(&Diff::Update { index: 1, row: row(2, 9) }));
        assert!(screen.take(&Diff::Move { from: 1, to: 0 }));
        assert_eq!(screen.items[0], (2, Item { made: 1, text: 9 }));
        assert!(screen.take(&Diff::Remove { index: 0 }));
        assert!(screen.take(&Diff::Insert { index: 2, row: row(2, 9) }));
        assert_eq!(screen.items[2], (2, Item { made: 3, text: 9 }));
        assert_eq!(screen.updates.get(), 1);
    }

    #[test]
    fn a_list_that_is_read_again_has_the_same_items() {
        let mut screen = Screen::default();
        screen.take(&reset(&[(1, 0), (2, 0), (3, 0)]));
        assert!(!screen.take(&reset(&[(1, 0), (2, 5), (3, 0)])));
        assert!(screen.take(&reset(&[(3, 0), (4, 0), (1, 7)])));
        let made: Vec<_> = screen.items.iter().map(|(key, item)| (*key, item.made)).collect();
        assert_eq!(made, [(3, 2), (4, 3), (1, 0)]);
    }

    #[test]
    fn a_row_with_another_key_is_another_row() {
        let mut screen = Screen::default();
        screen.take(&reset(&[(1, 0)]));
        assert!(screen.take(&Diff::Update { index: 0, row: row(2, 0) }));
        assert_eq!(screen.items, [(2, Item { made: 1, text: 0 })]);
    }

    fn steps() -> impl Strategy<Value = Vec<(u8, usize, usize, Row)>> {
        prop::collection::vec((0u8..5, 0usize..8, 0usize..8, any::<Row>()), 0..60)
    }

    proptest! {
        /// Whatever the steps are, even those that no list can take, and with keys that are not unique.
        #[test]
        fn the_items_show_the_rows(steps in steps()) {
            let mut screen = Screen::default();
            for (kind, index, to, (key, text)) in steps {
                let row = row(key % 8, text);
                let before: Vec<_> = screen.items.iter().map(|(key, item)| (*key, item.made)).collect();
                let has_changed = screen.take(&match kind {
                    0 => Diff::Insert { index, row },
                    1 => Diff::Remove { index },
                    2 => Diff::Update { index, row },
                    3 => Diff::Move { from: index, to },
                    _ => reset(&[*row, (key % 5, 1), (key % 3, 2)]),
                });
                let shown: Vec<_> = screen.items.iter().map(|(key, item)| (*key, item.text)).collect();
                prop_assert_eq!(&shown, &screen.rows);
                let after: Vec<_> = screen.items.iter().map(|(key, item)| (*key, item.made)).collect();
                prop_assert!(has_changed || before == after);
            }
        }
    }
}
