//! Values that the app itself sets.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::reactive::{Hub, Node, deliver, enqueue};
use super::value::{NodeRef, Reactive, Reader};

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
}

/// Makes a signal.
pub fn signal<V: PartialEq + Send + Sync + 'static>(value: V) -> Signal<V> {
    Signal(Arc::new(SignalNode { hub: Hub::default(), value: RwLock::new(Arc::new(value)) }))
}

impl<V: Send + Sync + 'static> Node for SignalNode<V> {
    fn hub(&self) -> &Hub {
        &self.hub
    }
}

impl<V> SignalNode<V> {
    fn get(&self) -> Arc<V> {
        Arc::clone(&self.value.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<V: PartialEq + Send + Sync + 'static> Signal<V> {
    /// Gives it a value. If it is equal to the old one, nothing happens.
    pub fn set(&self, value: V) {
        self.replace(|_| value);
    }

    /// Changes the value.
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
        let mut value = self.0.value.write().unwrap_or_else(PoisonError::into_inner);
        let new = make(&value);
        if new == **value {
            return;
        }
        let old = std::mem::replace(&mut *value, Arc::new(new));
        self.0.hub.bump();
        enqueue(vec![Arc::clone(&self.0) as Arc<dyn Node>]);
        drop(value);
        drop(old);
        deliver();
    }
}

impl<V: Send + Sync + 'static> Reactive for Signal<V> {
    type Value = V;

    fn get(&self) -> Arc<V> {
        self.0.get()
    }

    fn node(&self) -> NodeRef {
        NodeRef(Arc::clone(&self.0) as Arc<dyn Node>)
    }

    fn reader(&self) -> Reader<V> {
        let weak = Arc::downgrade(&self.0);
        Box::new(move || weak.upgrade().map(|node| node.get()))
    }
}

impl<V> Clone for Signal<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: fmt::Debug> fmt::Debug for Signal<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signal").field(&self.0.get()).finish()
    }
}
