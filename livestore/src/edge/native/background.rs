//! Threads.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// A thread that runs one job each time it is woken; wakes while it runs count as one.
pub(crate) struct Background {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    orders: Mutex<Orders>,
    wake: Condvar,
}

#[derive(Default)]
struct Orders {
    woken: bool,
    stop: bool,
}

impl Shared {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Background {
    /// Spawns the thread.
    ///
    /// # Errors
    /// When the operating system has no thread left.
    pub(crate) fn spawn(
        name: &str,
        mut job: impl FnMut() + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let run = move || {
            while wait(&theirs) {
                job();
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Wakes the thread, which runs the job soon.
    pub(crate) fn wake(&self) {
        self.shared.orders().woken = true;
        self.shared.wake.notify_one();
    }
}

/// Waits for a wake; false when it is time to stop.
fn wait(shared: &Shared) -> bool {
    let mut orders = shared.orders();
    while !orders.woken && !orders.stop {
        orders = shared.wake.wait(orders).unwrap_or_else(PoisonError::into_inner);
    }
    orders.woken = false;
    !orders.stop
}

/// Stops the thread and waits for it, unless it is the thread itself that drops the last handle.
impl Drop for Background {
    fn drop(&mut self) {
        self.shared.orders().stop = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").finish_non_exhaustive()
    }
}
