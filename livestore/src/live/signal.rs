//! Values that the app itself sets.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::cell::ValueCell;
use super::graph::{ComputeError, GraphNode, ValueNode};
use super::inspect::{NodeReport, Timing, ValueKind, ValueReport};
use super::observers::Observers;
use super::propagation::{deliver, enqueue};
use super::reactive::{NodeRef, Reactive};
use crate::ambient::{Impurity, is_impure};
use crate::edge::primitives::{Mutex, lock};

/// A value that the app sets: a filter, a selection, a page.
///
/// ```
/// use livestore::live::{Reactive, computed, signal};
///
/// let (price, count) = (signal(3), signal(2));
/// let total = computed({
///     let (price, count) = (price.clone(), count.clone());
///     move |get| *get.of(&price) * *get.of(&count)
/// });
/// assert_eq!(*total.get(), 6);
/// count.update(|count| *count += 1);
/// assert_eq!(*total.get(), 9);
/// ```
pub struct Signal<V>(Arc<SignalNode<V>>);

struct SignalNode<V> {
    cell: ValueCell<V>,
    /// Held during an update; readers do not wait for it.
    writing: Mutex<()>,
    made_at: &'static Location<'static>,
}

/// Makes a [`Signal`] with a first value.
#[track_caller]
pub fn signal<V: PartialEq + Send + Sync + 'static>(value: V) -> Signal<V> {
    Signal(Arc::new(SignalNode {
        cell: ValueCell::new(Arc::new(value)),
        writing: Mutex::new(()),
        made_at: Location::caller(),
    }))
}

impl<V: PartialEq + Send + Sync + 'static> Signal<V> {
    /// Sets the value. If it equals the old one, nothing happens. A materializer cannot set it: its
    /// event [fails](crate::table::MaterializeError::Impure).
    pub fn set(&self, value: V) {
        self.replace(|_| value);
    }

    /// Changes the value in `change`. No other thread changes it meanwhile, so `change` must not set
    /// this signal itself: that would wait forever. It may read it, and gets the old value.
    pub fn update(&self, change: impl FnOnce(&mut V))
    where
        V: Clone,
    {
        self.replace(|value| {
            let mut value = value.clone();
            change(&mut value);
            value
        });
    }

    /// Sets the value; subscribers are notified once no lock is held, by [`deliver`].
    pub(crate) fn set_in_lock(&self, value: V) {
        self.exchange(|_| value);
    }

    fn replace(&self, make: impl FnOnce(&V) -> V) {
        if is_impure(Impurity::LiveValue) {
            return;
        }
        self.exchange(make);
        deliver();
    }

    fn exchange(&self, make: impl FnOnce(&V) -> V) {
        let writing = lock(&self.0.writing);
        let (_, old) = self.0.cell.get();
        let new = make(&old);
        if new == *old {
            return;
        }
        self.0.cell.replace(new);
        drop(writing);
        enqueue(vec![Arc::clone(&self.0) as Arc<dyn GraphNode>]);
    }
}

impl<V: Send + Sync + 'static> GraphNode for SignalNode<V> {
    fn observers(&self) -> &Observers {
        &self.cell.observers
    }

    fn report(&self) -> NodeReport {
        let (observers, timing) = (self.observers(), Timing::default());
        let report = ValueReport::new(ValueKind::Signal, observers, self.made_at, &timing);
        NodeReport::Value(report)
    }
}

impl<V: Send + Sync + 'static> ValueNode<V> for SignalNode<V> {
    fn read(&self) -> Result<(u64, Arc<V>), ComputeError> {
        Ok(self.cell.get())
    }
}

impl<V: Send + Sync + 'static> Reactive for Signal<V> {
    type Value = V;

    fn node(&self) -> NodeRef<V> {
        NodeRef(Arc::clone(&self.0) as _)
    }
}

impl<V> Clone for Signal<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: fmt::Debug> fmt::Debug for Signal<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signal").field(&self.0.cell.get().1).finish()
    }
}
