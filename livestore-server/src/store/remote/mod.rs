//! What the engines that are reached over a network have in common.

mod lanes;
mod news;
mod pages;
#[cfg(feature = "postgres")]
mod tls;

use std::future::Future;
use std::io;
use std::ops::Deref;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

pub(super) use lanes::Lanes;
pub(super) use news::{Feed, News};
#[cfg(feature = "postgres")]
pub(super) use pages::NEXT_PAGES;
pub(super) use pages::{EventPage, FIRST_PAGE, read_pages};
#[cfg(feature = "postgres")]
pub use tls::TlsError;
#[cfg(feature = "postgres")]
pub(super) use tls::client_config;

/// The time that an engine has to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Threads that do an engine's I/O. The methods of an engine are called from any thread, with and
/// without a runtime, so an engine has its own.
#[derive(Debug)]
pub(super) struct Threads(Option<Runtime>);

impl Threads {
    pub(super) fn start(name: &str) -> io::Result<Self> {
        let mut runtime = Builder::new_multi_thread();
        Ok(Self(Some(runtime.worker_threads(2).thread_name(name).enable_all().build()?)))
    }
}

impl Deref for Threads {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        self.0.as_ref().expect("taken only when dropped")
    }
}

/// A runtime must not wait for its tasks where it is dropped, which may be within another one.
impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Waits for an answer, but not longer than [`PATIENCE`].
pub(super) async fn in_time<T>(answer: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(PATIENCE, answer).await.ok()
}
