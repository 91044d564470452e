//! Values that the app itself sets.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, PoisonError};

use super::inspect::{Derived, NodeReport, Timing, ValueReport};
use super::reactive::{Failure, Hub, Node, Source};
use super::value::{NodeRef, Reactive};
use super::wave::{deliver, enqueue};
use crate::edge::primitives::{Mutex, RwLock, lock};

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
    hub: Hub,
    value: RwLock<Arc<V>>,
    /// One update at a time; readers do not wait for it.
    writing: Mutex<()>,
    made_at: &'static Location<'static>,
}

/// Makes a signal.
#[track_caller]
pub fn signal<V: PartialEq + Send + Sync + 'static>(value: V) -> Signal<V> {
    Signal(Arc::new(SignalNode {
        hub: Hub::default(),
        value: RwLock::new(Arc::new(value)),
        writing: Mutex::new(()),
        made_at: Location::caller(),
    }))
}

impl<V: PartialEq + Send + Sync + 'static> Signal<V> {
    /// Gives it a value. If it is equal to the old one, nothing happens.
    pub fn set(&self, value: V) {
        self.replace(|_| value);
    }

    /// Changes the value. Another thread's change comes before or after, not in between; so `change`
    /// must not set this signal itself. Reading it shows the old value.
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

    fn replace(&self, make: impl FnOnce(&V) -> V) {
        let writing = lock(&self.0.writing);
        let (_, old) = self.0.current();
        let new = make(&old);
        if new == *old {
            return;
        }
        {
            let mut value = self.0.value.write().unwrap_or_else(PoisonError::into_inner);
            *value = Arc::new(new);
            self.0.hub.change();
        }
        drop(writing);
        enqueue(vec![Arc::clone(&self.0) as Arc<dyn Node>]);
        deliver();
    }
}

impl<V> SignalNode<V> {
    fn current(&self) -> (u64, Arc<V>) {
        let value = self.value.read().unwrap_or_else(PoisonError::into_inner);
        (self.hub.version(), Arc::clone(&value))
    }
}

impl<V: Send + Sync + 'static> Node for SignalNode<V> {
    fn hub(&self) -> &Hub {
        &self.hub
    }

    fn report(&self) -> NodeReport {
        let report = ValueReport::new(Derived::Signal, &self.hub, self.made_at, &Timing::default());
        NodeReport::Value(report)
    }
}

impl<V: Send + Sync + 'static> Source<V> for SignalNode<V> {
    fn read(&self) -> Result<(u64, Arc<V>), Failure> {
        Ok(self.current())
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
        f.debug_tuple("Signal").field(&self.0.current().1).finish()
    }
}
