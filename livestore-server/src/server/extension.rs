//! What a server may be extended by, without knowing it.

use std::pin::Pin;
use std::sync::Arc;

use livestore_protocol::SyncError;

use crate::auth::Identity;
use crate::store::{StoreId, StoredEvent};

/// Sees each push before and after it is stored.
pub(crate) trait Extension: Send + Sync + 'static {
    /// Decides about a push, before it is stored.
    fn check(&self, push: OfferedPush) -> Pin<Box<dyn Future<Output = Decision> + Send>>;

    /// Notes that events of a store were stored. It must not block.
    fn stored(&self, store: &StoreId);
}

/// A push that is well-formed, from a client that may write.
#[cfg_attr(not(feature = "schema"), expect(dead_code, reason = "nothing extends this server"))]
pub(crate) struct OfferedPush {
    pub(crate) store: StoreId,
    pub(crate) batch: Arc<[StoredEvent]>,
    pub(crate) identity: Identity,
}

/// What happens to a push.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "schema"), expect(dead_code, reason = "nothing extends this server"))]
pub(crate) enum Decision {
    /// It is stored, if it follows the store's last event.
    Store,
    /// It does not follow the store's last event, which is this one.
    Behind { head: u64 },
    /// It is refused.
    Refuse(SyncError),
}
