//! Locks, atomics and thread-locals of everything that threads share: those of the standard
//! library, or those of [shuttle], which tries the orders in which threads can take their turns.
//! `tests/live_model.rs` says how.
//!
//! [shuttle]: https://docs.rs/shuttle

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::{Mutex, MutexGuard, RwLock, atomic::AtomicU64},
    thread_local,
};
#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{Mutex, MutexGuard, RwLock, atomic::AtomicU64},
    thread_local,
};

use std::sync::PoisonError;

/// Locks the mutex, also after a panic: user code that panics leaves nothing half done behind any
/// of these locks.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
