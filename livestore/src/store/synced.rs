//! Waiting until a store is synced: in a task, or on this thread, where threads may wait.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use super::timer::after;
use super::{ReadError, Store};
#[cfg(not(target_family = "wasm"))]
use crate::edge::{Mail, Mailbox};
use crate::eventlog::EventlogError;
#[cfg(not(target_family = "wasm"))]
use crate::live::Reactive;
use crate::schema::Schema;
use crate::sync::{NetworkStatus, SyncStatus};

impl<S: Schema> Store<S> {
    /// Waits until nothing is pending and nothing is left to pull. Returns whether that happened
    /// within `timeout`.
    ///
    /// It blocks the thread: in async code, use [`synced`](Self::synced).
    ///
    /// # Errors
    /// When the store is closed; at once, if the backend's connections run on this very thread, as on
    /// a current-thread runtime.
    #[cfg(not(target_family = "wasm"))]
    pub fn wait_synced(&self, timeout: Duration) -> Result<bool, ReadError> {
        if self.network_status()? == NetworkStatus::None {
            return Ok(true);
        }
        if let Some(sync) = &self.inner.sync
            && let Some(reason) = sync.blocked_by_waiting()
        {
            return Err(ReadError::WouldBlock { reason });
        }
        let changed = Arc::new(Mailbox::new());
        let theirs = Arc::clone(&changed);
        let _guard = self.inner.status.subscribe(move |_| theirs.put(()));
        // One that is beyond all time is none.
        let deadline = changed.now().checked_add(timeout);
        while !self.sync_status()?.is_synced() {
            match changed.take(deadline) {
                Mail::Message(()) => {}
                _ => return Ok(self.sync_status()?.is_synced()),
            }
        }
        Ok(true)
    }

    /// Waits, without blocking the thread, until nothing is pending and nothing is left to pull.
    ///
    /// It needs no particular runtime. It waits for as long as it takes: give it a time-out with your
    /// runtime's, such as `tokio::time::timeout`.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # async fn wait() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// store.synced().await?;
    /// assert_eq!(store.sync_status()?.pending, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store is closed.
    pub fn synced(&self) -> Synced<S> {
        Synced { store: self.clone() }
    }
}

/// A future that is ready when the store is synced, made by [`Store::synced`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct Synced<S> {
    store: Store<S>,
}

impl<S: Schema> Future for Synced<S> {
    type Output = Result<(), ReadError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // Before the look: what changes after it wakes the task.
        self.store.inner.waiting.add(context.waker());
        match self.store.sync_status() {
            Ok(SyncStatus { network: NetworkStatus::None, .. }) => Poll::Ready(Ok(())),
            Ok(status) if !status.is_synced() => Poll::Pending,
            Ok(_) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl<S> fmt::Debug for Synced<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Synced").finish_non_exhaustive()
    }
}

/// Waits in a task until the store is synced, for at most this long; returns whether it is.
pub(super) async fn synced_within<S: Schema>(
    store: &Store<S>,
    timeout: Duration,
) -> Result<bool, EventlogError> {
    let is_over = Arc::new(AtomicBool::new(false));
    let (inner, theirs) = (Arc::downgrade(&store.inner), Arc::clone(&is_over));
    let timer = after(timeout, move || {
        theirs.store(true, Ordering::Release);
        if let Some(inner) = inner.upgrade() {
            inner.waiting.wake();
        }
    });
    let _timer = timer.map_err(|error| EventlogError::NoThread(error.into()))?;
    let mut synced = store.synced();
    std::future::poll_fn(|context| match Pin::new(&mut synced).poll(context) {
        // A store that was closed meanwhile says so itself.
        Poll::Ready(done) => Poll::Ready(Ok(done.is_ok())),
        Poll::Pending if is_over.load(Ordering::Acquire) => Poll::Ready(Ok(false)),
        Poll::Pending => Poll::Pending,
    })
    .await
}
