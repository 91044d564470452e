use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livestore::simulation::Background;

use super::super::writer::{Job, Writer};

/// A writer that writes when the world says so.
pub(in super::super) struct Queue {
    shared: Arc<Shared>,
    background: Background,
}

struct Shared {
    waiting: Mutex<VecDeque<Job>>,
    writer: Mutex<Writer>,
}

impl Queue {
    pub(in super::super) fn start(writer: Writer) -> io::Result<Self> {
        let shared = Arc::new(Shared { waiting: Mutex::default(), writer: Mutex::new(writer) });
        let theirs = Arc::clone(&shared);
        let background = Background::new("livestore-writer", move || theirs.work());
        background.start()?;
        Ok(Self { shared, background })
    }

    pub(in super::super) fn put(&self, job: Job) {
        lock(&self.shared.waiting).push_back(job);
        self.background.wake();
    }
}

impl Shared {
    fn work(&self) {
        let next = || lock(&self.waiting).pop_front();
        while let Some(first) = next() {
            lock(&self.writer).turn(first, next);
        }
    }
}

/// Everything that was handed over is durable and answered, unless the disk has died.
impl Drop for Queue {
    fn drop(&mut self) {
        self.shared.work();
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
