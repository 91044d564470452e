//! Web Locks, for tasks.

use futures_channel::oneshot;
use livestore::__private::web::{IfHeld, WebLock, request_lock};

/// Asks for the lock of this name. `None` if it is held and is not waited for, or if the browser has no
/// locks.
pub(crate) async fn lock(name: &str, if_held: IfHeld) -> Option<WebLock> {
    let (send, granted) = oneshot::channel();
    request_lock(name, if_held, |lock| {
        let _ = send.send(lock);
    })
    .ok()?;
    granted.await.ok()?
}
