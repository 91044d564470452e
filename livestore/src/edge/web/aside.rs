//! Work of the app's, on the one thread that there is.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Wake, Waker};

use super::event_loop::{self, JobId};

/// Runs `work` here: it should not take long.
pub(crate) fn run_aside(_: &'static str, work: impl FnOnce()) {
    work();
}

/// Runs a future to its end, on the event loop. Without one, it is dropped.
pub(crate) fn spawn(name: &'static str, mut future: Pin<Box<dyn Future<Output = ()>>>) {
    let job = Arc::new(Job(AtomicU64::new(0)));
    let this = Arc::clone(&job);
    let work = move || {
        let waker = Waker::from(Arc::clone(&this));
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            event_loop::remove(this.id());
        }
        None
    };
    match event_loop::add(Box::new(work)) {
        Ok(id) => {
            job.0.store(id, Ordering::Relaxed);
            event_loop::wake(id);
        }
        Err(error) => tracing::warn!(%error, name, "a future cannot run"),
    }
}

/// The job that polls a future.
struct Job(AtomicU64);

impl Job {
    fn id(&self) -> JobId {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Job {
    fn wake(self: Arc<Self>) {
        event_loop::wake(self.id());
    }
}
