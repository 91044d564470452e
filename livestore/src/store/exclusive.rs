//! A lock that a thread cannot wait for while it holds it.

use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::ambient::{Impurity, is_impure};
use crate::edge::primitives::{Mutex, MutexGuard, lock, thread_local};
use crate::error::Unavailable;

thread_local! {
    /// The addresses of what this thread has locked.
    static LOCKED: RefCell<Vec<usize>> = RefCell::default();
}

/// A value that one thread at a time uses. Code of the app, such as a materializer or a column type's
/// `decode`, runs while it is locked, and may try to lock it once more: that is an error, where a
/// mutex would wait forever.
pub(super) struct Exclusive<T>(Mutex<T>);

/// Unlocks when it is dropped.
pub(super) struct ExclusiveGuard<'a, T> {
    guard: MutexGuard<'a, T>,
    address: usize,
}

impl<T> Exclusive<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Waits until no other thread uses the value.
    ///
    /// A panic in the app's code leaves nothing half done: see [`State::apply`].
    ///
    /// [`State::apply`]: crate::state::State::apply
    pub(super) fn lock(&self) -> Result<ExclusiveGuard<'_, T>, Unavailable> {
        if is_impure(Impurity::Store) {
            return Err(Unavailable::InMaterializer);
        }
        let address = std::ptr::from_ref(self).addr();
        if LOCKED.with(|locked| locked.borrow().contains(&address)) {
            return Err(Unavailable::Reentrant);
        }
        let guard = lock(&self.0);
        LOCKED.with(|locked| locked.borrow_mut().push(address));
        Ok(ExclusiveGuard { guard, address })
    }

    /// The value, which nobody else can use.
    pub(super) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl<T> Deref for ExclusiveGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for ExclusiveGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T> Drop for ExclusiveGuard<'_, T> {
    fn drop(&mut self) {
        LOCKED.with(|locked| {
            let mut locked = locked.borrow_mut();
            if let Some(at) = locked.iter().rposition(|address| *address == self.address) {
                locked.remove(at);
            }
        });
    }
}

impl<T> fmt::Debug for Exclusive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exclusive").finish_non_exhaustive()
    }
}
