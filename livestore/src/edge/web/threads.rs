//! What has a thread of its own elsewhere, and takes its turns on the event loop here.

use std::fmt;
use std::io;
use std::sync::Mutex;

use super::event_loop::{self, JobId};

/// A job that runs on the event loop each time it is woken; wakes before it runs count as one. It is
/// added at the first wake.
pub(crate) struct Background {
    name: &'static str,
    state: Mutex<State>,
}

enum State {
    New(Box<dyn FnMut() + Send>),
    Added(JobId),
    Failed,
}

impl Background {
    pub(crate) fn new(name: &'static str, work: impl FnMut() + Send + 'static) -> Self {
        Self { name, state: Mutex::new(State::New(Box::new(work))) }
    }

    /// Adds the job, unless it was added before.
    ///
    /// # Errors
    /// When there is no event loop.
    pub(crate) fn start(&self) -> io::Result<()> {
        self.add().map(|_| ())
    }

    /// Has the job run once what has arrived is handled.
    pub(crate) fn wake(&self) {
        match self.add() {
            Ok(job) => event_loop::wake_later(job),
            Err(error) => tracing::warn!(%error, job = self.name, "a job cannot run"),
        }
    }

    fn add(&self) -> io::Result<JobId> {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Failed) {
            State::New(mut work) => {
                let job = event_loop::add(Box::new(move || {
                    work();
                    None
                }))?;
                *state = State::Added(job);
                Ok(job)
            }
            State::Added(job) => {
                *state = State::Added(job);
                Ok(job)
            }
            State::Failed => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// A run that was asked for does not happen any more.
impl Drop for Background {
    fn drop(&mut self) {
        if let Ok(State::Added(job)) = self.state.get_mut() {
            event_loop::remove(*job);
        }
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Calls `work` with what `read` returns, until `read` returns `None` or `work` fails.
pub(crate) fn read_ahead<T: Send, E>(
    read: impl FnMut() -> Option<T> + Send,
    mut work: impl FnMut(&mut T) -> Result<(), E>,
) -> Result<(), E> {
    std::iter::from_fn(read).try_for_each(|mut piece| work(&mut piece))
}
