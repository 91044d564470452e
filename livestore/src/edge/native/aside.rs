//! Work of the app's that may take long, or for ever: nothing of the store waits for it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};

/// Runs `work` on a thread of its own. If there is none, `work` is dropped.
pub(crate) fn run_aside(name: &'static str, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(work) {
        tracing::warn!(%error, thread = name, "no thread could be spawned");
    }
}

/// Runs a future to its end, on a thread of its own.
pub(crate) fn spawn(name: &'static str, mut future: Pin<Box<dyn Future<Output = ()> + Send>>) {
    run_aside(name, move || {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        while future.as_mut().poll(&mut context).is_pending() {
            thread::park();
        }
    });
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
