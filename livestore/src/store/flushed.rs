//! Waiting, without blocking a thread, until commits are durable.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Store;
use super::session::Awaited;
use crate::eventlog::EventlogError;
use crate::schema::Schema;

impl<S: Schema> Store<S> {
    /// Waits as [`flush`](Self::flush) does, without blocking the thread while another session has the
    /// log. Commits made after the call are not waited for.
    ///
    /// It needs no particular runtime. If the session that has the log hangs, it waits: give it a time-out
    /// with your runtime's.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # async fn save(store: &Store<App>) -> livestore::Result<()> {
    /// store.commit(TodoEvent::Completed { id: "a".into() })?;
    /// store.flushed().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn flushed(&self) -> Flushed<S> {
        Flushed { awaited: self.inner.sessions.acks.awaited(), store: self.clone() }
    }
}

/// A future that is ready when the commits before it are durable, made by [`Store::flushed`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct Flushed<S> {
    store: Store<S>,
    awaited: Awaited,
}

impl<S: Schema> Future for Flushed<S> {
    type Output = Result<(), EventlogError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = &self.store.inner;
        match inner.sessions.acks.poll(&self.awaited, context) {
            Poll::Ready(Ok(())) => Poll::Ready(inner.log().and_then(|log| log.flush())),
            other => other,
        }
    }
}

impl<S> fmt::Debug for Flushed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flushed").finish_non_exhaustive()
    }
}
