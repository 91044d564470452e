//! Threads.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// A thread that runs one job each time it is woken; wakes while it runs count as one. It is spawned
/// at the first wake: an open store has no thread that it does not need.
pub(crate) struct Background {
    name: &'static str,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    job: Mutex<Box<dyn FnMut() + Send>>,
    orders: Mutex<Orders>,
    wake: Condvar,
}

#[derive(Default)]
struct Orders {
    woken: bool,
    stop: bool,
}

impl Background {
    /// A thread that is not yet spawned.
    pub(crate) fn new(name: &'static str, job: impl FnMut() + Send + 'static) -> Self {
        let (job, orders, wake) =
            (Mutex::new(Box::new(job) as _), Default::default(), Condvar::new());
        Self { name, shared: Arc::new(Shared { job, orders, wake }), thread: Mutex::default() }
    }

    /// Spawns the thread, unless it is there.
    ///
    /// # Errors
    /// When the operating system has no thread left.
    pub(crate) fn start(&self) -> std::io::Result<()> {
        let mut thread = lock(&self.thread);
        if thread.is_none() {
            let shared = Arc::clone(&self.shared);
            let builder = std::thread::Builder::new().name(self.name.to_owned());
            *thread = Some(builder.spawn(move || shared.run())?);
        }
        Ok(())
    }

    /// Wakes the thread, which runs the job soon. If there is no thread to be had, the next wake
    /// tries again.
    pub(crate) fn wake(&self) {
        lock(&self.shared.orders).woken = true;
        self.shared.wake.notify_one();
        if let Err(error) = self.start() {
            tracing::warn!(%error, thread = self.name, "no thread could be spawned");
        }
    }
}

impl Shared {
    fn run(&self) {
        while self.wait() {
            lock(&self.job)();
        }
    }

    /// Waits for a wake; false when it is time to stop.
    fn wait(&self) -> bool {
        let mut orders = lock(&self.orders);
        while !orders.woken && !orders.stop {
            orders = self.wake.wait(orders).unwrap_or_else(PoisonError::into_inner);
        }
        orders.woken = false;
        !orders.stop
    }
}

/// Stops the thread and waits for it, unless it is the thread itself that drops the last handle.
impl Drop for Background {
    fn drop(&mut self) {
        lock(&self.shared.orders).stop = true;
        self.shared.wake.notify_one();
        if let Some(thread) = lock(&self.thread).take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("name", &self.name).finish_non_exhaustive()
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
