//! The changes of a list, row by row.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use futures_core::Stream;

use super::list::List;
use super::row::SharedRow;
use super::subscription::{Subscription, TaskWaker};
use super::window::Window;
use crate::edge::primitives::{Mutex, lock};

/// The number of unread steps beyond which a reader gets the whole list instead.
const MAX_UNREAD: usize = 1_024;

/// One step from an old list to a new one.
///
/// All indexes are positions in the list as it is when the step is taken: after the steps before it,
/// and before those after it. Applied in order, the steps lead exactly to the new list.
///
/// ```
/// use livestore::live::Diff;
///
/// fn draw(step: &Diff<String>) {
///     match step {
///         Diff::Insert { index, row } => println!("new row {index}: {}", **row),
///         Diff::Remove { index } => println!("row {index} is gone"),
///         Diff::Update { index, row } => println!("row {index} is now: {}", **row),
///         Diff::Move { from, to } => println!("row {from} moves to {to}"),
///         Diff::Reset { rows } => println!("{} rows", rows.len()),
///     }
/// }
/// ```
pub enum Diff<T> {
    /// A row is inserted. The row that was at `index`, and all behind it, move back by one.
    Insert {
        /// The position of the new row, from 0 up to the length of the list.
        index: usize,
        /// The new row.
        row: SharedRow<T>,
    },
    /// A row is removed. All rows behind it move up by one.
    Remove {
        /// The position of the row that is removed.
        index: usize,
    },
    /// A row has new values, and stays where it is.
    Update {
        /// The position of the row.
        index: usize,
        /// The row with its new values.
        row: SharedRow<T>,
    },
    /// A row moves, and keeps its values: it is removed at `from`, then inserted at `to`.
    Move {
        /// The position of the row before it moves.
        from: usize,
        /// The position of the row after it has moved.
        to: usize,
    },
    /// The whole list is replaced: at the start, after a query was run again, and for a reader that
    /// is far behind.
    Reset {
        /// All rows of the new list.
        rows: List<T>,
    },
}

impl<T> Diff<T> {
    /// Takes the step in a `Vec`, such as the widgets of a list on a screen. `make` turns a row into
    /// an item of it.
    ///
    /// ```
    /// use livestore::live::Diff;
    ///
    /// fn show<T: Clone>(steps: &[Diff<T>], shown: &mut Vec<T>) {
    ///     steps.iter().for_each(|step| step.apply(shown, Clone::clone));
    /// }
    /// ```
    pub fn apply<U>(&self, list: &mut Vec<U>, make: impl Fn(&T) -> U) {
        match self {
            Self::Insert { index, row } => list.insert((*index).min(list.len()), make(row)),
            Self::Remove { index } if *index < list.len() => drop(list.remove(*index)),
            Self::Update { index, row } => {
                if let Some(old) = list.get_mut(*index) {
                    *old = make(row);
                }
            }
            Self::Move { from, to } if *from < list.len() => {
                let row = list.remove(*from);
                list.insert((*to).min(list.len()), row);
            }
            Self::Remove { .. } | Self::Move { .. } => {}
            Self::Reset { rows } => *list = rows.iter().map(|row| make(row)).collect(),
        }
    }

    /// The positions at which a list of `len` rows can have different rows after the steps.
    pub(super) fn touched(steps: &[Self], mut len: usize) -> Range<usize> {
        // Nothing changes before `first`, nor in the last `behind` rows.
        let (mut first, mut behind) = (len, len);
        for step in steps {
            let (from, to) = match *step {
                Self::Insert { index, .. } => (index, index),
                Self::Remove { index } | Self::Update { index, .. } => (index, index + 1),
                Self::Move { from, to } => (from.min(to), from.max(to) + 1),
                Self::Reset { .. } => (0, len),
            };
            first = first.min(from);
            behind = behind.min(len.saturating_sub(to));
            len = match step {
                Self::Insert { .. } => len + 1,
                Self::Remove { .. } => len.saturating_sub(1),
                Self::Update { .. } | Self::Move { .. } => len,
                Self::Reset { rows } => rows.len(),
            };
        }
        first..len.saturating_sub(behind)
    }

    /// Takes the step in a [`List`], which shares its rows: none is copied.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// let todos = store.live(Todo::all())?;
    /// let (mut diffs, mut shown) = (todos.diffs(), List::default());
    /// store.commit(TodoEvent::Created { id: "a".into(), text: "Milk".into(), created_at: now() })?;
    /// while let Some(steps) = diffs.try_next() {
    ///     steps.iter().for_each(|step| step.patch(&mut shown));
    /// }
    /// assert_eq!(shown, *todos.get());
    /// # Ok(())
    /// # }
    /// ```
    pub fn patch(&self, list: &mut List<T>) {
        match self {
            Self::Insert { index, row } => list.insert(*index, row.clone()),
            Self::Remove { index } => drop(list.remove(*index)),
            Self::Update { index, row } => list.replace(*index, row.clone()),
            Self::Move { from, to } => {
                if let Some(row) = list.remove(*from) {
                    list.insert(*to, row);
                }
            }
            Self::Reset { rows } => *list = rows.clone(),
        }
    }
}

/// The changes of a live list, as a stream or by [`try_next`](Self::try_next).
///
/// Each item is the changes of one commit, batch or rebase. The first item is a
/// [`Reset`](Diff::Reset) with the list as it is now. A reader that is more than 1,024 steps behind
/// gets a `Reset` in place of all steps that it has not read, so that unread steps take little
/// memory. An item without steps says that the query [fails](super::Reactive::error), or no longer
/// does. [`LiveQuery::diffs`] has an example.
///
/// [`LiveQuery::diffs`]: super::LiveQuery::diffs
pub struct Diffs<T> {
    unread: Arc<Mutex<Unread<T>>>,
    waker: Arc<TaskWaker>,
    _guard: Subscription,
}

/// Receives the changes of a live query's value.
#[doc(hidden)]
pub trait DiffSink<V>: Default + Send + Sync + 'static {
    /// The value is replaced.
    fn reset(&self, value: &V);

    /// The query has begun to fail, or works again, and the value is as it was.
    fn touch(&self, value: &V);
}

/// Only lists have readers of diffs.
impl<V> DiffSink<V> for () {
    fn reset(&self, _: &V) {}

    fn touch(&self, _: &V) {}
}

/// The readers of a list's diffs.
#[doc(hidden)]
pub struct DiffReaders<T>(Mutex<Vec<Weak<Mutex<Unread<T>>>>>);

/// The changes that a reader has not read yet.
struct Unread<T> {
    changes: VecDeque<Vec<Diff<T>>>,
    /// The number of steps in all changes; a change without steps counts as one.
    steps: usize,
}

impl<T> Default for DiffReaders<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T: Send + Sync + 'static> DiffSink<List<T>> for DiffReaders<T> {
    fn reset(&self, list: &List<T>) {
        if !lock(&self.0).is_empty() {
            self.send(&[Diff::Reset { rows: list.clone() }], list);
        }
    }

    fn touch(&self, list: &List<T>) {
        self.send(&[], list);
    }
}

impl<T: Send + Sync + 'static> DiffSink<Window<T>> for DiffReaders<T> {
    fn reset(&self, window: &Window<T>) {
        self.reset(&window.rows);
    }

    fn touch(&self, window: &Window<T>) {
        self.touch(&window.rows);
    }
}

impl<T> DiffReaders<T> {
    /// Adds a reader, which starts with `list`. `guard` wakes it after each change.
    pub(super) fn open(
        &self,
        list: &List<T>,
        waker: Arc<TaskWaker>,
        guard: Subscription,
    ) -> Diffs<T> {
        let unread = Arc::new(Mutex::new(Unread::reset(list)));
        lock(&self.0).push(Arc::downgrade(&unread));
        Diffs { unread, waker, _guard: guard }
    }

    /// Sends the steps to every reader; `list` is the list after them.
    pub(super) fn send(&self, steps: &[Diff<T>], list: &List<T>) {
        lock(&self.0).retain(|unread| {
            let unread = unread.upgrade();
            unread.inspect(|unread| lock(unread).push(steps, list)).is_some()
        });
    }
}

impl<T> Unread<T> {
    /// Only the whole list.
    fn reset(list: &List<T>) -> Self {
        let changes = VecDeque::from([vec![Diff::Reset { rows: list.clone() }]]);
        Self { changes, steps: 1 }
    }

    fn push(&mut self, steps: &[Diff<T>], list: &List<T>) {
        if self.steps + steps.len() > MAX_UNREAD {
            *self = Self::reset(list);
        } else {
            self.steps += steps.len().max(1);
            self.changes.push_back(steps.to_vec());
        }
    }

    fn pop(&mut self) -> Option<Vec<Diff<T>>> {
        let steps = self.changes.pop_front()?;
        self.steps -= steps.len().max(1);
        Some(steps)
    }
}

impl<T> Diffs<T> {
    /// Returns the next changes, or `None` if there are none yet. It does not wait.
    pub fn try_next(&mut self) -> Option<Vec<Diff<T>>> {
        lock(&self.unread).pop()
    }
}

impl<T> Stream for Diffs<T> {
    type Item = Vec<Diff<T>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // The waker first: a change between the two wakes the task once too often, never too seldom.
        self.waker.register(context);
        self.try_next().map_or(Poll::Pending, |steps| Poll::Ready(Some(steps)))
    }
}

impl<T> Clone for Diff<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Insert { index, row } => Self::Insert { index: *index, row: row.clone() },
            Self::Remove { index } => Self::Remove { index: *index },
            Self::Update { index, row } => Self::Update { index: *index, row: row.clone() },
            Self::Move { from, to } => Self::Move { from: *from, to: *to },
            Self::Reset { rows } => Self::Reset { rows: rows.clone() },
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Diff<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Insert { index, row } => write!(f, "Insert({index}, {row:?})"),
            Self::Remove { index } => write!(f, "Remove({index})"),
            Self::Update { index, row } => write!(f, "Update({index}, {row:?})"),
            Self::Move { from, to } => write!(f, "Move({from}, {to})"),
            Self::Reset { rows } => write!(f, "Reset({rows:?})"),
        }
    }
}

impl<T> fmt::Debug for Diffs<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diffs").finish_non_exhaustive()
    }
}
