//! Where connections run.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use livestore::sync::Task;
use tokio::runtime::{Builder, Handle, RuntimeFlavor};

/// A tokio runtime of the app, or a thread for each connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place(pub(crate) Option<Handle>);

/// Runs a task there.
pub(crate) fn spawn(
    place: &Place,
    task: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    match &place.0 {
        Some(runtime) => drop(runtime.spawn(task)),
        None => spawn_thread(task)?,
    }
    Ok(())
}

/// Runs a task of the store's there. If there is no thread for it, it is dropped, which the store
/// notices.
pub(crate) fn spawn_task(place: &Place, task: Task) {
    // The reason why there is no thread is that of the connection, too, which says it.
    let _ = spawn(place, task);
}

fn spawn_thread(task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let run = move || {
        runtime.block_on(task);
        // Do not wait for a name that is still being looked up.
        runtime.shutdown_background();
    };
    thread::Builder::new().name("livestore-sync".to_owned()).spawn(run).map(drop)
}

impl Place {
    /// Returns why this thread must not wait for the connection, if so: it is the only one of the
    /// runtime that runs it.
    pub(crate) fn blocked_by_waiting(&self) -> Option<String> {
        let runtime = self.0.as_ref()?;
        let threads = match runtime.runtime_flavor() {
            RuntimeFlavor::CurrentThread => 1,
            _ => runtime.metrics().num_workers(),
        };
        let is_inside = Handle::try_current().is_ok_and(|current| current.id() == runtime.id());
        // Inside, there are threads that may wait, too: those of `spawn_blocking`.
        if threads > 1 || !is_inside || runs_meanwhile(runtime) {
            return None;
        }
        let flavor = match runtime.runtime_flavor() {
            RuntimeFlavor::CurrentThread => "a current-thread runtime",
            _ => "a runtime with one worker",
        };
        Some(format!("it is the only thread of {flavor} of tokio, which the connection runs on"))
    }
}

/// Whether the runtime runs a task while this thread waits for it.
fn runs_meanwhile(runtime: &Handle) -> bool {
    let (ran, runs) = mpsc::channel();
    runtime.spawn(async move { ran.send(()) });
    runs.recv_timeout(Duration::from_millis(200)).is_ok()
}
