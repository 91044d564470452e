//! Work of the app's, on the one thread that there is.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Wake, Waker};

use super::schedule::{self, Again};

/// Runs `work` here and now.
pub(crate) fn run_aside(_: &'static str, work: impl FnOnce()) {
    work();
}

/// Runs a future to its end, as a job.
pub(crate) fn spawn(name: &'static str, future: Pin<Box<dyn Future<Output = ()>>>) {
    let job = Arc::new(Job(AtomicU64::new(0)));
    let (this, mut future) = (Arc::clone(&job), Some(future));
    let work = move || {
        let waker = Waker::from(Arc::clone(&this));
        if let Some(running) = &mut future
            && running.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
        {
            future = None;
        }
        Again { now: false, deadline: None }
    };
    let id = schedule::add(name, Box::new(work));
    job.0.store(id, Ordering::Relaxed);
    schedule::wake(id);
}

/// The number of the job that polls a future.
struct Job(AtomicU64);

impl Wake for Job {
    fn wake(self: Arc<Self>) {
        schedule::wake(self.0.load(Ordering::Relaxed));
    }
}
