use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use livestore_protocol::Secret;

use crate::auth::{Attempt, Authenticate, Denied, Grant};
use crate::store::StoreId;

/// The time between two looks for changes of rights.
const INTERVAL: Duration = Duration::from_secs(2);

/// What a client was admitted with, to decide again once tokens or keys have changed.
pub(super) struct Credentials {
    store: StoreId,
    payload: Option<Secret>,
    headers: HeaderMap,
    revision: u64,
    next: Instant,
}

impl Credentials {
    /// Those of a client that was admitted at this revision.
    pub(super) fn new(
        store: StoreId,
        payload: Option<Secret>,
        headers: HeaderMap,
        revision: u64,
    ) -> Self {
        Self { store, payload, headers, revision, next: Instant::now() + INTERVAL }
    }

    /// Returns the time at which to call [`check`](Self::check) again.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Returns a new decision, if it is time for one and something has changed.
    pub(super) async fn check(
        &mut self,
        auth: &dyn Authenticate,
        now: Instant,
    ) -> Option<Result<Grant, Denied>> {
        if now < self.next {
            return None;
        }
        self.next = now + INTERVAL;
        let revision = auth.revision();
        if std::mem::replace(&mut self.revision, revision) == revision {
            return None;
        }
        let payload = self.payload.as_ref().map(Secret::as_str);
        let attempt = Attempt { store: &self.store, payload, headers: &self.headers };
        Some(auth.authenticate(&attempt).await)
    }
}
