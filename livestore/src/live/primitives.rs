//! The locks of the live graph: the standard library's, or [shuttle]'s, which tries their
//! interleavings. `tests/live_model.rs` says how.
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

/// A panic in a user's code leaves nothing half done behind any of these locks.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
