//! Sockets, threads and time of an operating system, by tokio.

mod dial;
mod image;
mod place;
mod traffic;

pub(crate) use dial::dial;
pub(crate) use image::ImageAnswer;
pub(crate) use place::{Place, spawn, spawn_task};
pub(crate) use traffic::{Counted, Traffic};

use std::time::Duration;

pub(crate) use tokio::time::Instant;
use tokio_rustls::rustls::pki_types::ServerName;

/// What a task has to be to run anywhere.
pub(crate) trait MaySend: Send {}
impl<T: Send> MaySend for T {}

/// Returns what `work` does within this time, if it does.
pub(crate) async fn timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

/// Whether a host of this name can exist.
pub(crate) fn is_host(name: &str) -> bool {
    ServerName::try_from(name).is_ok()
}
