//! Values of nodes, and how they are published to readers.

use std::sync::{Arc, PoisonError};

use super::diff::DiffSink;
use super::list::List;
use super::maintain::{Refresh, Steps};
use super::observers::Observers;
use super::row::SharedRow;
use super::window::Window;
use crate::edge::primitives::{Mutex, RwLock, lock};
use crate::error::ErrorChain;
use crate::schema::Document;
use crate::table::QueryError;

/// A value that a live query can have: a [`List`] of rows, a [`Window`] of one, one [`SharedRow`], an
/// `Option` of one, or a client document.
pub trait LiveValue: Sized + Send + Sync + 'static {
    #[doc(hidden)]
    type Diffs: DiffSink<Self>;
}

impl<T: Send + Sync + 'static> LiveValue for List<T> {
    type Diffs = super::diff::DiffReaders<T>;
}

impl<T: Send + Sync + 'static> LiveValue for Window<T> {
    type Diffs = super::diff::DiffReaders<T>;
}

impl<T: Send + Sync + 'static> LiveValue for SharedRow<T> {
    type Diffs = ();
}

impl<T: Send + Sync + 'static> LiveValue for Option<SharedRow<T>> {
    type Diffs = ();
}

impl<D: Document + Send + Sync> LiveValue for D {
    type Diffs = ();
}

/// A value and its version, which change together.
pub(super) struct ValueCell<V> {
    value: RwLock<Arc<V>>,
    pub(super) observers: Observers,
}

impl<V> ValueCell<V> {
    pub(super) fn new(value: Arc<V>) -> Self {
        Self { value: RwLock::new(value), observers: Observers::default() }
    }

    /// Returns the version and the value.
    pub(super) fn get(&self) -> (u64, Arc<V>) {
        let value = self.value.read().unwrap_or_else(PoisonError::into_inner);
        (self.observers.version(), Arc::clone(&value))
    }

    pub(super) fn replace(&self, value: V) {
        let value = Arc::new(value);
        let mut slot = self.value.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *slot, value);
        self.observers.invalidate();
        drop(slot);
        // Readers need not wait for a long list to be freed.
        drop(old);
    }

    /// Changes the value in place; readers wait meanwhile. `patch` returns whether it has changed.
    fn patch(&self, patch: impl FnOnce(&mut Arc<V>) -> bool) -> bool {
        let mut value = self.value.write().unwrap_or_else(PoisonError::into_inner);
        let has_changed = patch(&mut value);
        if has_changed {
            self.observers.invalidate();
        }
        has_changed
    }
}

/// The value that a live query publishes, the reason why it is not up to date, and the readers of its
/// diffs.
pub(crate) struct PublishedValue<V: LiveValue> {
    pub(super) cell: ValueCell<V>,
    /// While the query fails.
    error: Mutex<Option<Arc<QueryError>>>,
    pub(super) diffs: V::Diffs,
}

impl<V: LiveValue> PublishedValue<V> {
    pub(super) fn new(value: Arc<V>, error: Option<QueryError>) -> Self {
        Self {
            cell: ValueCell::new(value),
            error: Mutex::new(error.map(Arc::new)),
            diffs: V::Diffs::default(),
        }
    }

    pub(super) fn error(&self) -> Option<Arc<QueryError>> {
        lock(&self.error).clone()
    }

    /// Publishes that the query fails: the last value stays. Returns whether that is news.
    pub(super) fn fail(&self, error: QueryError) -> bool {
        let mut slot = lock(&self.error);
        if slot.as_deref() == Some(&error) {
            return false;
        }
        if slot.is_none() {
            tracing::warn!(error = %ErrorChain::new(&error), "a live query fails; it keeps its last value");
        }
        *slot = Some(Arc::new(error));
        drop(slot);
        self.diffs.touch(&self.cell.get().1);
        self.cell.observers.invalidate();
        true
    }

    /// Publishes that the query works, if it failed before, and whether its value `has_changed` since.
    /// Returns whether there is any news.
    pub(super) fn recover(&self, has_changed: bool) -> bool {
        if lock(&self.error).take().is_none() {
            return has_changed;
        }
        if !has_changed {
            self.diffs.touch(&self.cell.get().1);
        }
        self.cell.observers.invalidate();
        true
    }

    pub(super) fn replace(&self, value: V) {
        self.diffs.reset(&value);
        self.cell.replace(value);
    }
}

impl<T: Send + Sync + 'static> PublishedValue<List<T>> {
    /// Takes the steps in the list itself, so that nothing is copied that nobody else reads.
    pub(super) fn patch(&self, steps: &Steps<T>) -> Refresh<List<T>> {
        let has_changed = self.cell.patch(|list| {
            let list = Arc::make_mut(list);
            let has_changed = steps.apply(list);
            if has_changed {
                self.diffs.send(steps.all(), list);
            }
            has_changed
        });
        if has_changed { Refresh::Patch } else { Refresh::Unchanged }
    }
}

impl<T: Send + Sync + 'static> PublishedValue<Window<T>> {
    /// Takes the steps in the window's rows, which have the position `start` in a list of `total` rows then.
    pub(super) fn patch_window(
        &self,
        steps: &Steps<T>,
        start: usize,
        total: usize,
    ) -> Refresh<Window<T>> {
        let has_changed = self.cell.patch(|window| {
            let window = Arc::make_mut(window);
            let has_changed = steps.apply(&mut window.rows);
            if has_changed {
                self.diffs.send(steps.all(), &window.rows);
            }
            let before = std::mem::replace(&mut window.place, (start, total));
            has_changed || before != window.place
        });
        if has_changed { Refresh::Patch } else { Refresh::Unchanged }
    }
}
