use livestore_protocol::{Push, SyncError, check_push};

use crate::auth::Rights;
use crate::hub::Room;
use crate::store::{StoreError, StoredEvent};

/// Checks everything about a push except its place in the order, which the storage decides.
pub(super) fn check(push: &Push, rights: Rights, room: &Room) -> Result<(), SyncError> {
    check_store(&push.store_id, room)?;
    if !rights.write {
        return Err(SyncError::Refused("this token may not write to the store".to_owned()));
    }
    check_backend(push.backend_id.as_deref(), room)?;
    check_push(&push.batch).map_err(|invalid| SyncError::Invalid(invalid.to_string()))
}

/// A connection is to one store.
pub(super) fn check_store(store_id: &str, room: &Room) -> Result<(), SyncError> {
    if store_id == room.id().as_str() {
        return Ok(());
    }
    Err(SyncError::Refused(format!("this connection is to the store `{}`", room.id())))
}

pub(super) fn check_backend(received: Option<&str>, room: &Room) -> Result<(), SyncError> {
    match received {
        Some(received) if received != room.backend_id() => Err(SyncError::BackendIdMismatch {
            expected: room.backend_id().to_owned(),
            received: received.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Returns the answer to a push that was not stored.
pub(super) fn failure(error: &StoreError, batch: &[StoredEvent]) -> SyncError {
    match error {
        StoreError::Behind { head } => {
            let parent = batch.first().map_or(0, |first| first.event().parent);
            SyncError::ServerAhead { head: *head, parent }
        }
        StoreError::StoreFull { .. } => SyncError::Refused(error.to_string()),
        _ => SyncError::Failed(error.to_string()),
    }
}
