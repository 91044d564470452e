//! What changed in a list, row by row.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use futures_core::Stream;

use super::list::List;
use super::row::Row;
use super::value::{Subscription, Wake};
use crate::edge::primitives::{Mutex, lock};

/// Steps a reader may be behind; beyond, it gets the list anew.
const MOST_BEHIND: usize = 1_024;

/// One step from an old list to the new one. Applied in order, they make it exactly.
pub enum Diff<T> {
    /// The row is new, and stands at `index` from now on.
    Insert {
        /// Where.
        index: usize,
        /// The row.
        row: Row<T>,
    },
    /// The row at `index` is gone.
    Remove {
        /// Where it stood.
        index: usize,
    },
    /// The row at `index` has other values.
    Update {
        /// Where.
        index: usize,
        /// The row as it is now.
        row: Row<T>,
    },
    /// The row at `from` is taken out, and put in again at `to`.
    Move {
        /// Where it stood.
        from: usize,
        /// Where it stands once it is taken out and put in.
        to: usize,
    },
    /// The list is another one.
    Reset {
        /// All of it.
        rows: List<T>,
    },
}

impl<T> Diff<T> {
    /// Takes the step.
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

    /// Where steps that a list of `len` rows takes may leave other rows.
    pub(super) fn touched(steps: &[Self], mut len: usize) -> Range<usize> {
        // Before the first place, and behind the last as counted from the end, nothing changes.
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

    /// Takes the step in a list whose rows it shares.
    pub(super) fn edit(&self, list: &mut List<T>) {
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

/// The changes of a live list, as they come: a stream, and [`try_next`](Self::try_next).
///
/// Each item is what one commit or rebase has changed; the first is a [`Reset`](Diff::Reset) with
/// the list as it is. A reader that is more than 1,024 steps behind gets a `Reset`, too, in the
/// place of all that it has not read: what waits for it stays small. [`LiveQuery::diffs`] has an
/// example.
///
/// [`LiveQuery::diffs`]: super::LiveQuery::diffs
pub struct Diffs<T> {
    inbox: Arc<Mutex<Inbox<T>>>,
    wake: Arc<Wake>,
    _guard: Subscription,
}

/// The sending end.
#[doc(hidden)]
pub struct DiffHub<T> {
    inboxes: Mutex<Vec<Weak<Mutex<Inbox<T>>>>>,
}

/// What a reader has not read.
struct Inbox<T> {
    waiting: VecDeque<Vec<Diff<T>>>,
    /// How many steps those are.
    steps: usize,
}

impl<T> Default for DiffHub<T> {
    fn default() -> Self {
        Self { inboxes: Mutex::new(Vec::new()) }
    }
}

impl<T> DiffHub<T> {
    /// Whether anybody wants to know.
    fn is_wanted(&self) -> bool {
        !lock(&self.inboxes).is_empty()
    }

    /// A new reader, which knows `list`. `guard` has it woken at the end of each wave.
    pub(super) fn open(&self, list: &List<T>, wake: Arc<Wake>, guard: Subscription) -> Diffs<T> {
        let inbox = Arc::new(Mutex::new(Inbox::reset(list)));
        lock(&self.inboxes).push(Arc::downgrade(&inbox));
        Diffs { inbox, wake, _guard: guard }
    }

    /// Tells every reader that the list is another one.
    pub(super) fn reset(&self, list: &List<T>) {
        if self.is_wanted() {
            self.send(&[Diff::Reset { rows: list.clone() }], list);
        }
    }

    /// Tells every reader; `list` is what the steps lead to.
    pub(super) fn send(&self, steps: &[Diff<T>], list: &List<T>) {
        lock(&self.inboxes).retain(|inbox| {
            let inbox = inbox.upgrade();
            inbox.inspect(|inbox| lock(inbox).push(steps, list)).is_some()
        });
    }
}

impl<T> Inbox<T> {
    /// Nothing but the list.
    fn reset(list: &List<T>) -> Self {
        let waiting = VecDeque::from([vec![Diff::Reset { rows: list.clone() }]]);
        Self { waiting, steps: 1 }
    }

    fn push(&mut self, steps: &[Diff<T>], list: &List<T>) {
        if self.steps + steps.len() > MOST_BEHIND {
            *self = Self::reset(list);
        } else {
            self.steps += steps.len();
            self.waiting.push_back(steps.to_vec());
        }
    }

    fn pop(&mut self) -> Option<Vec<Diff<T>>> {
        let steps = self.waiting.pop_front()?;
        self.steps -= steps.len();
        Some(steps)
    }
}

impl<T> Diffs<T> {
    /// The next changes, if there are any already.
    pub fn try_next(&mut self) -> Option<Vec<Diff<T>>> {
        lock(&self.inbox).pop()
    }
}

impl<T> Stream for Diffs<T> {
    type Item = Vec<Diff<T>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // The waker first: a change between the two wakes us once too often, never too seldom.
        self.wake.set(context);
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
